/* SPDX-License-Identifier: BSD-2-Clause
 * The ring's shared memory, and the reference that stands in the stream for a frame's pixels.
 *
 *      0          RING_DATA        + slot_b         + 2 slot_b
 *      | head ... | pixels, slot 0 | pixels, slot 1 | ...      n_slot of them
 *
 * The head is mapped for writing by everybody, since readers count; pixels are writable for the owner alone. Slots get their memory when
 * the owner first fills them (fallocate, so that a full machine is an error and no SIGBUS). */
#ifndef RING_INTERNAL_H
#define RING_INTERNAL_H

#include <stdatomic.h>
#include <sys/uio.h>
#include "fa_ring.h"

#define RING_MAGIC 0x0a474e4952414641ull     /* "AFARING\n" */
#define RING_NAME "fa-ring"
/* Slots of a small ring and of one of large frames; memory that a ring would like not to pass; where pixels begin (a multiple of every page
 * size in use); programs of one pipe that can attach. */
enum { RING_SLOTS = 6, RING_SLOTS_MIN = 3, RING_READERS = 16, RING_DATA = 64 << 10, RING_TICK_MS = 50, RING_PATIENCE = 60 };
#define RING_MEMORY (32ull << 20)

struct ring_slot { _Alignas(64) _Atomic uint32_t holds; _Atomic uint64_t use; };
struct ring_head {
    uint64_t magic, token, slot_b;
    uint32_t n_slot, zero;
    _Alignas(64) _Atomic uint32_t freed;     /* counts slots given back: what the owner sleeps on */
    _Atomic uint32_t waiting;                /* the owner sleeps, or is about to */
    _Alignas(64) _Atomic uint64_t reader[RING_READERS];     /* inodes of the pipes whose readers have attached; 0: free */
    struct ring_slot slot[RING_SLOTS];
};
_Static_assert(sizeof(struct ring_head) <= 4096, "the head is one page");

/* --- ring_map.c: one mapping of a ring, and counting ------------------------------------------------------------------------------------ */

struct ring_map { struct ring_head *head; uint8_t *px; uint64_t token, slot_b; uint32_t n_slot; int users; };
/* Maps fd after checking all that its head says against the file. own: pixels too are for writing. users is 1. FA_OK; FA_E_FORMAT: it is no
 * ring; FA_E_MEM, FA_E_IO. */
int ring_map_open(struct ring_map **m, int fd, int own, struct fa_err *e);
struct ring_map *ring_map_use(struct ring_map *m);
/* Unmaps when it was the last user. NULL is allowed. */
void ring_map_leave(struct ring_map *m);
static inline uint8_t *ring_px(const struct ring_map *m, uint32_t slot) { return m->px + slot * m->slot_b; }
void ring_hold(struct ring_map *m, uint32_t slot);
void ring_give_back(struct ring_map *m, uint32_t slot);
/* Sleeps until freed is not `seen` any more, RING_TICK_MS at the longest. */
void ring_sleep(struct ring_head *h, uint32_t seen);
/* The reader of the pipe with this inode has attached: says so; asks. 0: no room, no. */
int ring_sign_in(struct ring_map *m, uint64_t pipe);
int ring_signed_in(const struct ring_map *m, uint64_t pipe);

/* --- ref.c: references -------------------------------------------------------------------------------------------------------------------- */

/* A pipe, by which both of its ends know that nothing is between them. ino 0: not a pipe. */
struct pipe_id { uint64_t dev, ino; };
struct pipe_id pipe_of(int fd);

struct ref { uint32_t pid; int32_t fd; uint64_t token; uint32_t slot; uint64_t use, offset; struct pipe_id pipe; };
enum { REF_BYTES = 64 };
void ref_pack(unsigned char p[REF_BYTES], const struct ref *r);
/* NULL, or what is wrong with it by itself. */
const char *ref_unpack(struct ref *r, const unsigned char p[REF_BYTES]);
/* The reference of a sound FRAME of version 2. */
const unsigned char *ref_at(const struct fa_rec *rec);

/* What a reader came in by and has attached to: pipe, the ring of its last reference, and the slot that the record given out last is in. */
struct ref_reader { struct pipe_id pipe; struct ring_map *map; struct fa_loan loan; };
/* rec is a FRAME of version 2 that came in by rr's pipe, f what it decodes to: finds its pixels and sets rec->loan. FA_OK; FA_E_FORMAT: there is no
 * direct pipe, or the reference is wrong; FA_E_TRUNC: the owner is gone; FA_E_IO: it is another user's; FA_E_MEM. */
int ref_attach(struct ref_reader *rr, struct fa_rec *rec, const struct fa_frame *f, struct fa_err *e);
/* Gives the last record's slot back; close: and everything else. */
void ref_release(struct ref_reader *rr);
void ref_close(struct ref_reader *rr);

/* Passes rec, a FRAME of version 2 with a loan, on: by reference where fa_writer_by_reference says so, else with its pixels. */
int ref_put(struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e);
/* The same frame with its pixels, as pieces: *rec is changed to version 1; p is room for the fixed part. */
int ref_inline(struct iovec v[3], unsigned char *p, struct fa_rec *rec);

/* --- writer.c ------------------------------------------------------------------------------------------------------------------------------ */

int writer_fd(const struct fa_writer *w);
/* ino 0 where fa_writer_by_reference says no. */
struct pipe_id writer_pipe(const struct fa_writer *w);
/* A reference into m's ring was written. */
void writer_sent(struct fa_writer *w, struct ring_map *m);
/* References were written and their reader has not attached to any ring yet. */
int writer_expects(struct fa_writer *w);
/* For waiting, once a tick: FA_OK; FA_E_PIPE when the reader is gone (the writer fails from then on); FA_E_ARG when somebody has emptied the pipe RING_PATIENCE ticks
 * ago without attaching: no program of ours. */
int writer_watch(struct fa_writer *w, struct fa_err *e);

#endif
