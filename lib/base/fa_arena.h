/* SPDX-License-Identifier: BSD-2-Clause
 * A bump allocator over one block: a stage reserves all it needs when a clip opens and allocates nothing per frame.
 *
 *      base                    used            size
 *      | kept for the clip ... | free ........ |
 *                 ^ mark: scratch taken after it is given back at the end of the frame
 *
 * Not thread-safe: give each thread its own arena, or take before the threads start. */
#ifndef FA_ARENA_H
#define FA_ARENA_H

#include <stddef.h>
#include "fa_err.h"

struct fa_arena { unsigned char *base; size_t size, used; };

/* Reserves size bytes (64-byte aligned, zeroed, touched on first use). FA_OK or FA_E_MEM. */
int fa_arena_open(struct fa_arena *a, size_t size, struct fa_err *e);
void fa_arena_close(struct fa_arena *a);
/* size bytes at a 64-byte boundary; NULL when the block is full (a sizing bug of the caller). Contents undefined after a release. */
void *fa_arena_take(struct fa_arena *a, size_t size);
size_t fa_arena_mark(const struct fa_arena *a);
void fa_arena_release(struct fa_arena *a, size_t mark);

/* n floats of scratch, for readable call sites. */
static inline float *fa_arena_f32(struct fa_arena *a, size_t n) { return fa_arena_take(a, n * sizeof(float)); }

#endif
