/* SPDX-License-Identifier: BSD-2-Clause
 * Bump allocator: see fa_arena.h for the picture. */
#include "fa_arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 };

int fa_arena_open(struct fa_arena *a, size_t size, struct fa_err *e)
{
    *a = (struct fa_arena){ 0 };
    if (size > SIZE_MAX - ALIGN)
        return fa_fail(e, FA_E_MEM, "arena of %zu bytes", size);
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    a->base = aligned_alloc(ALIGN, size ? size : ALIGN);
    if (!a->base)
        return fa_fail(e, FA_E_MEM, "out of memory: %zu bytes", size);
    memset(a->base, 0, size);
    a->size = size;
    return FA_OK;
}

void fa_arena_close(struct fa_arena *a)
{
    free(a->base);
    *a = (struct fa_arena){ 0 };
}

void *fa_arena_take(struct fa_arena *a, size_t size)
{
    if (size > a->size)
        return NULL;
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (size > a->size - a->used)
        return NULL;
    void *p = a->base + a->used;
    a->used += size;
    return p;
}

size_t fa_arena_mark(const struct fa_arena *a)
{
    return a->used;
}

void fa_arena_release(struct fa_arena *a, size_t mark)
{
#ifndef NDEBUG
    memset(a->base + mark, 0xa5, a->used - mark);
#endif
    a->used = mark;
}
