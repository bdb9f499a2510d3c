/* SPDX-License-Identifier: BSD-2-Clause
 * Reading side of the pack: map, check the frame, find by name. */
#include "fa_model.h"
#include "pack_format_internal.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "fa_le.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22                    /* since Linux 5.14; older ones refuse it, and the pieces are small */
#endif

size_t fa_dtype_size(enum fa_dtype type)
{
    switch (type) {
    case FA_U8: return 1;
    case FA_H32:
    case FA_H64: return 2;
    case FA_I32:
    case FA_F32: return 4;
    case FA_F64: return 8;
    }
    return 0;
}

static int check_entry(const struct fa_pack *p, int i, struct fa_err *e)
{
    const unsigned char *t = p->table + (size_t)i * PACK_ENTRY;
    uint32_t type = fa_le_u32(t + 64), ndim = fa_le_u32(t + 68);
    uint64_t off = fa_le_u64(t + 88), size = fa_le_u64(t + 96), n = 1;
    if (!t[0] || t[FA_TENSOR_NAME - 1])
        return fa_fail(e, FA_E_MODEL, "pack entry %d: bad name", i);
    if (i > 0 && strcmp((const char *)t - PACK_ENTRY, (const char *)t) >= 0)
        return fa_fail(e, FA_E_MODEL, "pack entry %d: names out of order", i);
    if (!fa_dtype_size((enum fa_dtype)type) || ndim > FA_TENSOR_DIMS)
        return fa_fail(e, FA_E_MODEL, "pack entry '%s': bad type or rank", (const char *)t);
    for (uint32_t k = 0; k < ndim; k++) {
        uint32_t d = fa_le_u32(t + 72 + 4 * k);
        if (d > INT32_MAX || (d && n > p->len / d))
            return fa_fail(e, FA_E_MODEL, "pack entry '%s': bad dimension", (const char *)t);
        n *= d;
    }
    if (size != n * fa_dtype_size((enum fa_dtype)type) || off % PACK_ALIGN || off > p->len || size > p->len - off)
        return fa_fail(e, FA_E_MODEL, "pack entry '%s': outside the file", (const char *)t);
    return FA_OK;
}

/* The first 64 bytes of len in all. */
static int check_header(const unsigned char *h, size_t len, struct fa_err *e)
{
    if (len < PACK_HEADER || memcmp(h, PACK_MAGIC, 8) != 0)
        return fa_fail(e, FA_E_MODEL, "not a model pack");
    if (XXH3_64bits(h, 56) != fa_le_u64(h + 56))
        return fa_fail(e, FA_E_MODEL, "model pack: damaged header");
    if (fa_le_u32(h + 8) != FA_PACK_VERSION)
        return fa_fail(e, FA_E_MODEL, "model pack version %u; this program reads version %d", (unsigned)fa_le_u32(h + 8), FA_PACK_VERSION);
    return FA_OK;
}

static uint64_t hash_of(const unsigned char *header)
{
    const uint64_t sum[2] = { fa_le_u64(header + 24), fa_le_u64(header + 32) };
    return XXH3_64bits(sum, sizeof sum);
}

int fa_pack_peek(uint64_t *hash, const char *path, struct fa_err *e)
{
    unsigned char h[PACK_HEADER];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fa_fail_errno(e, FA_E_MODEL, "%s", path);
    long long n = fa_read_full(fd, h, sizeof h);
    close(fd);
    if (n < 0)
        return fa_fail_errno(e, FA_E_MODEL, "%s", path);
    if (check_header(h, (size_t)n, e) != FA_OK)
        return e ? fa_err_prefix(e, "%s", path) : FA_E_MODEL;
    *hash = hash_of(h);
    return FA_OK;
}

int fa_pack_open_mem(struct fa_pack *p, const void *base, size_t len, void *owned, struct fa_err *e)
{
    *p = (struct fa_pack){ .base = base, .len = len, .owned = owned, .from = "memory" };
    if (check_header(base, len, e) != FA_OK)
        goto bad;
    uint32_t n = fa_le_u32(p->base + 12);
    if (fa_le_u64(p->base + 16) != len || n > PACK_MAX_ENTRIES || (uint64_t)n * PACK_ENTRY > len - PACK_HEADER) {
        fa_fail(e, FA_E_MODEL, "model pack cut short: %zu of %llu bytes", len, (unsigned long long)fa_le_u64(p->base + 16));
        goto bad;
    }
    p->n = (int)n;
    p->table = p->base + PACK_HEADER;
    if (XXH3_64bits(p->table, (size_t)n * PACK_ENTRY) != fa_le_u64(p->base + 24)) {
        fa_fail(e, FA_E_MODEL, "model pack: damaged table");
        goto bad;
    }
    for (int i = 0; i < p->n; i++)
        if (check_entry(p, i, e) != FA_OK)
            goto bad;
    p->hash = hash_of(p->base);
    return FA_OK;
bad:
    free(owned);
    *p = (struct fa_pack){ 0 };
    return e ? e->code : FA_E_MODEL;
}

int fa_pack_open(struct fa_pack *p, const char *path, struct fa_err *e)
{
    struct fa_map m;
    *p = (struct fa_pack){ 0 };
    if (fa_map_open(&m, path, e) != FA_OK) {
        if (e && e->code == FA_E_INPUT)
            e->code = FA_E_MODEL;
        return e ? e->code : FA_E_MODEL;
    }
    if (fa_pack_open_mem(p, m.data, m.len, NULL, e) != FA_OK)
        goto bad;
    p->map = m;
    if (fa_pack_widen(p, e) == FA_OK) {
        snprintf(p->from, sizeof p->from, "%s", path);
        return FA_OK;
    }
    *p = (struct fa_pack){ 0 };
bad:
    fa_map_close(&m);
    return e ? fa_err_prefix(e, "%s", path) : FA_E_MODEL;
}

void fa_pack_close(struct fa_pack *p)
{
    fa_map_close(&p->map);
    free(p->owned);
    *p = (struct fa_pack){ 0 };
}

int fa_pack_verify(const struct fa_pack *p, struct fa_err *e)
{
    size_t end = PACK_HEADER + (size_t)p->n * PACK_ENTRY;
    if (XXH3_64bits(p->base + end, p->len - end) != fa_le_u64(p->base + 32))
        return fa_fail(e, FA_E_MODEL, "model pack: damaged data (checksum differs)");
    return FA_OK;
}

/* Linux caches a file in pieces as large as what a write finds resident. In pieces of 2 MB a mapping needs 512 times fewer translations,
 * and networks that stream through it run a tenth faster. */
static void make_resident(const struct fa_pack *p)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), before = (uintptr_t)p->base % page;
    madvise((void *)(p->base - before), p->len + before, MADV_POPULATE_READ);
}

int fa_pack_save(const struct fa_pack *p, const char *path, struct fa_err *e)
{
    struct fa_out o;
    int r = fa_out_open(&o, path, e);
    if (r != FA_OK)
        return r;
    make_resident(p);
    if (fwrite(p->base, 1, p->len, o.f) == p->len)
        return fa_out_commit(&o, e);
    r = fa_fail_errno(e, FA_E_IO, "%s", path);
    fa_out_abandon(&o, 0);
    return r;
}

void fa_pack_entry(const struct fa_pack *p, int i, const char **name, struct fa_tensor *t)
{
    const unsigned char *q = p->table + (size_t)i * PACK_ENTRY;
    *name = (const char *)q;
    *t = (struct fa_tensor){ .type = (enum fa_dtype)fa_le_u32(q + 64), .ndim = (int)fa_le_u32(q + 68), .n = 1 };
    for (int k = 0; k < t->ndim; k++) {
        t->dim[k] = (int)fa_le_u32(q + 72 + 4 * k);
        t->n *= (size_t)t->dim[k];
    }
    t->data = p->base + fa_le_u64(q + 88);
}

static int find(const struct fa_pack *p, struct fa_tensor *t, const char *name)
{
    int lo = 0, hi = p->n;
    while (lo < hi) {
        int mid = lo + (hi - lo) / 2;
        int c = strcmp((const char *)p->table + (size_t)mid * PACK_ENTRY, name);
        if (c == 0) {
            const char *unused;
            fa_pack_entry(p, mid, &unused, t);
            return 1;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return 0;
}

int fa_pack_find(const struct fa_pack *p, struct fa_tensor *t, const char *fmt, ...)
{
    char name[FA_TENSOR_NAME];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    return find(p, t, name);
}

const void *fa_pack_need(const struct fa_pack *p, struct fa_err *e, enum fa_dtype type, int ndim, int *dim, const char *fmt, ...)
{
    char name[FA_TENSOR_NAME];
    struct fa_tensor t;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    if (!find(p, &t, name)) {
        fa_fail(e, FA_E_MODEL, "model pack lacks '%s'", name);
        return NULL;
    }
    int ok = t.type == type && t.ndim == ndim;
    for (int k = 0; ok && k < ndim; k++) {
        ok = dim[k] < 0 || dim[k] == t.dim[k];
        dim[k] = t.dim[k];
    }
    if (!ok) {
        fa_fail(e, FA_E_MODEL, "model pack: '%s' has another shape or type than expected", name);
        return NULL;
    }
    return t.data;
}
