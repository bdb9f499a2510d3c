/* SPDX-License-Identifier: BSD-2-Clause
 * Packs that store weights as float16, half the size: opening widens them once, so that no reader of weights knows of it. Since this
 * reads every byte anyway, the data's checksum is compared too. */
#include "fa_model.h"
#include "pack_format_internal.h"

#include <stdlib.h>
#include <string.h>

#include "fa_le.h"

/* Exact: every float16 is a float. */
static float from_half(const unsigned char *p)
{
    const uint32_t h = p[0] | (uint32_t)p[1] << 8, sign = (h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    if (exponent == 0) {
        const float small = (float)fraction * 0x1p-24f;
        return sign ? -small : small;
    }
    const uint32_t bits = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static void add_wide(struct fa_pack_builder *b, const struct fa_tensor *t, const char *name, void *room)
{
    const unsigned char *half = t->data;
    float *f = room;
    double *d = room;
    for (size_t i = 0; i < t->n; i++)
        if (t->type == FA_H32)
            f[i] = from_half(half + 2 * i);
        else
            d[i] = from_half(half + 2 * i);
    fa_pack_add(b, t->type == FA_H32 ? FA_F32 : FA_F64, t->ndim, t->dim, room, "%s", name);
}

int fa_pack_widen(struct fa_pack *p, struct fa_err *e)
{
    struct fa_pack_builder b;
    struct fa_tensor t;
    const char *name;
    size_t most = 0, len;
    for (int i = 0; i < p->n; i++) {
        fa_pack_entry(p, i, &name, &t);
        if ((t.type == FA_H32 || t.type == FA_H64) && t.n >= most)
            most = t.n + 1;
    }
    if (!most)
        return FA_OK;
    if (fa_pack_verify(p, e) != FA_OK)
        return FA_E_MODEL;
    void *room = malloc(most * sizeof(double));
    if (!room)
        return fa_fail(e, FA_E_MEM, "out of memory: model pack");
    fa_pack_begin(&b);
    for (int i = 0; i < p->n; i++) {
        fa_pack_entry(p, i, &name, &t);
        if (t.type == FA_H32 || t.type == FA_H64)
            add_wide(&b, &t, name, room);
        else
            fa_pack_add(&b, t.type, t.ndim, t.dim, t.data, "%s", name);
    }
    free(room);
    const int dim = sizeof p->hash;              /* where it is staged, the pack still goes by the file's hash */
    unsigned char hash[sizeof p->hash];
    fa_put_u64(hash, p->hash);
    fa_pack_add(&b, FA_U8, 1, &dim, hash, PACK_WIDENED);
    void *mem = fa_pack_finish(&b, &len, e);
    struct fa_pack wide;
    if (!mem || fa_pack_open_mem(&wide, mem, len, mem, e) != FA_OK)
        return e ? e->code : FA_E_MEM;
    wide.hash = p->hash;
    fa_map_close(&p->map);
    *p = wide;
    return FA_OK;
}
