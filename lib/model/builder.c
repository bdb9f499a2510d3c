/* SPDX-License-Identifier: BSD-2-Clause
 * Writing side of the pack: collect tensors, sort, lay out, checksum. */
#include "fa_model.h"
#include "pack_format_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "fa_le.h"

struct fa_pack_item { char name[FA_TENSOR_NAME]; enum fa_dtype type; int ndim, dim[FA_TENSOR_DIMS]; size_t size; void *data; };

enum { FAILED_MEM = 1, FAILED_USE = 2 };

void fa_pack_begin(struct fa_pack_builder *b)
{
    *b = (struct fa_pack_builder){ 0 };
}

void fa_pack_discard(struct fa_pack_builder *b)
{
    for (int i = 0; i < b->n; i++)
        free(b->item[i].data);
    free(b->item);
    *b = (struct fa_pack_builder){ 0 };
}

/* data NULL: zeros. Returns where the data lie; NULL: failed. */
static void *add(struct fa_pack_builder *b, enum fa_dtype type, int ndim, const int *dim, const void *data, const char *fmt, va_list ap)
{
    struct fa_pack_item it = { .type = type, .ndim = ndim };
    size_t n = 1;
    int len = vsnprintf(it.name, sizeof it.name, fmt, ap);
    if (len <= 0 || (size_t)len >= sizeof it.name || ndim < 0 || ndim > FA_TENSOR_DIMS || !fa_dtype_size(type))
        b->failed |= FAILED_USE;
    for (int k = 0; k < ndim && k < FA_TENSOR_DIMS; k++) {
        if (dim[k] < 0 || (dim[k] && n > SIZE_MAX / 64 / (size_t)dim[k]))
            b->failed |= FAILED_USE;
        it.dim[k] = dim[k];
        n *= dim[k] > 0 ? (size_t)dim[k] : 0;
    }
    if (b->failed)
        return NULL;
    if (b->n == b->cap) {
        int cap = b->cap ? 2 * b->cap : 256;
        struct fa_pack_item *grown = realloc(b->item, (size_t)cap * sizeof *grown);
        if (!grown) {
            b->failed |= FAILED_MEM;
            return NULL;
        }
        b->item = grown;
        b->cap = cap;
    }
    it.size = n * fa_dtype_size(type);
    it.data = data ? malloc(it.size ? it.size : 1) : calloc(it.size ? it.size : 1, 1);
    if (!it.data) {
        b->failed |= FAILED_MEM;
        return NULL;
    }
    if (data)
        memcpy(it.data, data, it.size);
    b->item[b->n++] = it;
    return it.data;
}

void fa_pack_add(struct fa_pack_builder *b, enum fa_dtype type, int ndim, const int *dim, const void *data, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(b, type, ndim, dim, data, fmt, ap);
    va_end(ap);
}

void *fa_pack_add_room(struct fa_pack_builder *b, enum fa_dtype type, int ndim, const int *dim, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    void *data = add(b, type, ndim, dim, NULL, fmt, ap);
    va_end(ap);
    return data;
}

void fa_pack_add_text(struct fa_pack_builder *b, const char *text, const char *fmt, ...)
{
    int dim[1] = { (int)strlen(text) };
    va_list ap;
    va_start(ap, fmt);
    add(b, FA_U8, 1, dim, text, fmt, ap);
    va_end(ap);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct fa_pack_item *)a)->name, ((const struct fa_pack_item *)b)->name);
}

/* The next multiple of PACK_ALIGN at or after at; zeros up to there. */
static size_t skip_to_aligned(unsigned char *out, size_t at)
{
    const size_t next = (at + PACK_ALIGN - 1) / PACK_ALIGN * PACK_ALIGN;
    memset(out + at, 0, next - at);
    return next;
}

void *fa_pack_finish(struct fa_pack_builder *b, size_t *len, struct fa_err *e)
{
    unsigned char *out = NULL;
    if (b->n)
        qsort(b->item, (size_t)b->n, sizeof *b->item, by_name);
    for (int i = 1; i < b->n; i++)
        if (by_name(&b->item[i - 1], &b->item[i]) == 0)
            b->failed |= FAILED_USE;
    if (b->failed) {
        fa_fail(e, b->failed & FAILED_MEM ? FA_E_MEM : FA_E_MODEL,
                b->failed & FAILED_MEM ? "out of memory while packing" : "pack: bad or double tensor name or dimension");
        goto out;
    }
    size_t table_end = PACK_HEADER + (size_t)b->n * PACK_ENTRY, total = table_end;
    for (int i = 0; i < b->n; i++)
        total = (total + PACK_ALIGN - 1) / PACK_ALIGN * PACK_ALIGN + b->item[i].size;
    total = (total + PACK_ALIGN - 1) / PACK_ALIGN * PACK_ALIGN;
    out = aligned_alloc(PACK_ALIGN, total);
    if (!out) {
        fa_fail(e, FA_E_MEM, "out of memory: pack of %zu bytes", total);
        goto out;
    }
    /* Only what is not written below is cleared, and copies are freed as they are laid out: a large pack need not be held twice. */
    memset(out, 0, table_end);
    size_t at = table_end;
    for (int i = 0; i < b->n; i++) {
        struct fa_pack_item *it = &b->item[i];
        unsigned char *t = out + PACK_HEADER + (size_t)i * PACK_ENTRY;
        at = skip_to_aligned(out, at);
        memcpy(t, it->name, sizeof it->name);
        fa_put_u32(t + 64, it->type);
        fa_put_u32(t + 68, (uint32_t)it->ndim);
        for (int k = 0; k < FA_TENSOR_DIMS; k++)
            fa_put_u32(t + 72 + 4 * k, (uint32_t)it->dim[k]);
        fa_put_u64(t + 88, at);
        fa_put_u64(t + 96, it->size);
        memcpy(out + at, it->data, it->size);
        at += it->size;
        free(it->data);
        it->data = NULL;
    }
    skip_to_aligned(out, at);
    memcpy(out, PACK_MAGIC, 8);
    fa_put_u32(out + 8, FA_PACK_VERSION);
    fa_put_u32(out + 12, (uint32_t)b->n);
    fa_put_u64(out + 16, total);
    fa_put_u64(out + 24, XXH3_64bits(out + PACK_HEADER, (size_t)b->n * PACK_ENTRY));
    fa_put_u64(out + 32, XXH3_64bits(out + table_end, total - table_end));
    fa_put_u64(out + 56, XXH3_64bits(out, 56));
    *len = total;
out:
    fa_pack_discard(b);
    return out;
}
