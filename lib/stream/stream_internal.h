/* SPDX-License-Identifier: BSD-2-Clause
 * What reader, writer and codecs of the record stream share: the header, the sizes of the payloads' fixed parts (byte tables:
 * man/fa-stream.5), and the rules of order. */
#ifndef STREAM_INTERNAL_H
#define STREAM_INTERNAL_H

#include <sys/uio.h>
#include "fa_hold.h"
#include "fa_stream.h"

/* Arrays are used where they lie in a record, so the machine's order must be the stream's. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the record stream is little-endian");

#define REC_MAGIC 0x31524146u            /* "FAR1" */
enum { FRAME_BY_REF = 2 };               /* version of a FRAME whose pixels are in a ring (fa_ring.h) */

/* Fixed part of each payload, in bytes; arrays and texts follow. */
enum { FIX_CLIP = 64, FIX_FRAME = 64, FIX_FACES = 16, FIX_MARKS = 128, FIX_CROP = 128, FIX_AUS = 16, FIX_END = 32 };

static inline size_t rec_round(size_t n) { return (n + FA_REC_ALIGN - 1) & ~(size_t)(FA_REC_ALIGN - 1); }

/* Header of a record whose payload has this XXH3. */
void rec_pack(unsigned char h[FA_REC_HEADER], const struct fa_rec *rec, uint64_t sum);
/* Checks a header by itself (magic, check, zero fields, limits, version) and unpacks it; rec->data stays NULL. On FA_E_FORMAT
 * or FA_E_VERSION *why is a text; rec is filled as far as it can be trusted (type 0: not at all). */
int rec_unpack(struct fa_rec *rec, uint64_t *sum, const unsigned char h[FA_REC_HEADER], const char **why);

/* Where a stream stands, for the rules of order. */
struct rec_order { int any, open; uint32_t clip; uint64_t first, last; };
/* Takes rec into account: NULL when it may stand here, else why not. */
const char *rec_follow(struct rec_order *o, const struct fa_rec *rec);

/* Bytes a pixel; 0 for FA_PIX_NONE, -1 for an unknown format. */
int pix_bytes(uint32_t format);
/* Checks of the decoded structs, shared by put and get: NULL or what is wrong. Pointers are not looked at. */
const char *check_clip(const struct fa_clip *c);
const char *check_frame(const struct fa_frame *f);
const char *check_marks(const struct fa_marks *m);
const char *check_crop(const struct fa_crop *c);
const char *check_aus(const struct fa_aus *a);
const char *check_au_name(const char name[8]);

/* Writes one record whose payload is the n pieces (n <= REC_PIECES); rec->data and rec->len are ignored. */
enum { REC_PIECES = 8 };
int writer_put(struct fa_writer *w, const struct fa_rec *rec, const struct iovec *piece, int n, struct fa_err *e);
/* FRAME with a reference of REF_BYTES in place of its pixels; ref NULL: with them. */
int frame_put(struct fa_writer *w, uint32_t clip, uint64_t frame, const struct fa_frame *f, const unsigned char *ref, struct fa_err *e);
/* A clip was begun and not ended. */
int writer_in_clip(const struct fa_writer *w);
/* What fa_writer_hold set. */
struct fa_hold *writer_hold(const struct fa_writer *w);
/* The open clip's name as known from its CLIP, cut at some 100 bytes; "" before. */
const char *reader_clip_name(const struct fa_reader *r);

#endif
