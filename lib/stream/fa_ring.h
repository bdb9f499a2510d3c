/* SPDX-License-Identifier: BSD-2-Clause
 * Frames by reference: pixels stay in a ring of slots in shared memory and the stream carries 64 bytes that say where
 * (man/fa-stream.5, FRAME version 2). One program, the owner, fills slots; every reader below it in the pipe looks at them in place.
 *
 *      owner   fa_ring_open -> [fa_ring_slot -> fill -> fa_ring_put]... -> fa_ring_close
 *      readers fa_reader_next attaches by itself, fa_get_frame's px points into the slot; fa_put_rec hands the reference on, or writes
 *              the pixels where nobody could follow it (a file, zstd, fa_hold)
 *
 * Counting: each slot has a number of holds. A reference on its way in a pipe is one hold, which its reader takes over and gives back
 * with the next fa_reader_next; whoever hands it on, or keeps it (fa_loan_keep), adds one first. The slot is free at 0. A program that dies
 * does not give its holds back, and need not: its pipe breaks, and everybody looks at the pipe while waiting.
 *
 * The memory has no name: a sealed memfd that readers open as /proc/PID/fd/N and that is gone with the last program that has it. */
#ifndef FA_RING_H
#define FA_RING_H

#include "fa_stream.h"

struct fa_ring;
/* References can be written there: plain, into a pipe. */
int fa_writer_by_reference(const struct fa_writer *w);
/* A ring for w, which must be such a writer and outlive it. No memory is taken yet. FA_OK, FA_E_MEM, or FA_E_ARG: frames cannot go by
 * reference from here (w is no such writer, other programs could not find us), e says why. */
int fa_ring_open(struct fa_ring **r, struct fa_writer *w, struct fa_err *e);
/* *px: a free slot for `bytes` of pixels, 64-byte aligned, the caller's until it is put; the same one when asked again before that. Waits,
 * without spinning, until readers give one back. FA_OK; FA_E_PIPE: the reader of w is gone; FA_E_ARG: the reader does not take references
 * (cat, tee, ..); FA_E_MEM, FA_E_IO: no shared memory. After FA_E_PIPE and FA_E_ARG it fails alike for good. */
int fa_ring_slot(struct fa_ring *r, size_t bytes, uint8_t **px, struct fa_err *e);
/* Writes the FRAME whose pixels are in the slot (f->px as fa_ring_slot gave it). From now on the slot is the readers'. As fa_put_frame. */
int fa_ring_put(struct fa_ring *r, uint32_t clip, uint64_t frame, const struct fa_frame *f, struct fa_err *e);
/* Slots that readers still hold; generations of the ring alive. For tests and measurements. */
int fa_ring_held(const struct fa_ring *r);
int fa_ring_generations(const struct fa_ring *r);
/* Waits until readers have given back every slot (they could not attach any more once we are gone), then lets the memory go. FA_OK, or
 * FA_E_PIPE or FA_E_ARG as fa_ring_slot, also when that failed so before: then it does not wait. r NULL: FA_OK. */
int fa_ring_close(struct fa_ring *r, struct fa_err *e);

/* A hold on a slot. px: the frame's pixels. */
struct fa_loan { struct ring_map *map; uint32_t slot; const uint8_t *px; };
/* rec is a frame by reference: *l is a hold of the caller's own on its pixels, beyond the record's life, and 1 is returned. Else 0, and
 * *l holds nothing. One kept frame a program at most while it waits for the next record: a ring may have no more than three slots. */
int fa_loan_keep(struct fa_loan *l, const struct fa_rec *rec);
/* Gives it back. Of a loan that holds nothing: nothing. */
void fa_loan_return(struct fa_loan *l);

/* What a reference says, as far as a person may want to know it. FA_OK, or FA_E_FORMAT: rec is not a FRAME by reference, or damaged. */
struct fa_ref_text { uint32_t pid; int32_t fd; uint32_t slot; uint64_t use; };
int fa_get_ref(struct fa_ref_text *t, const struct fa_rec *rec, struct fa_err *e);

#endif
