/* SPDX-License-Identifier: BSD-2-Clause
 * The medians' state as a file, so that a person's calibration can be carried from clip to clip. Little-endian:
 *
 *      0 magic "FAMD" | 4 u32 version | 8 u64 bytes behind the header | 16 u64 XXH3-64 of them
 *      24 u32 values (4464), bins (1000), updates | 36 u32 values (238), bins (10000), updates | 48 zeros to 64
 *      then for FHOG and for geometry: if updates is 1, the medians as f64; then, value by value, its counters that are not
 *      zero as (step to the bin, count) in LEB128, a count of 0 ending the value
 *
 * A histogram holds as many counts as there were updates: the reader checks that for each, besides the checksum. */
#include "fa_au.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "au_internal.h"
#include "fa_file.h"
#include "fa_le.h"

enum { VERSION = 1, HEADER = 64, MAX_UPDATES = 1 << 30 };

/* --- Writing ---------------------------------------------------------------------------------------------------------- */

struct bytes { unsigned char *p; size_t n, cap; int failed; };

static void put(struct bytes *b, const void *data, size_t n)
{
    if (b->n + n > b->cap) {
        size_t cap = 2 * (b->n + n) + 65536;
        unsigned char *p = realloc(b->p, cap);
        if (!p) {
            b->failed = 1;
            return;
        }
        b->p = p;
        b->cap = cap;
    }
    memcpy(b->p + b->n, data, n);
    b->n += n;
}

static void put_number(struct bytes *b, uint32_t v)
{
    unsigned char c[5];
    size_t n = 0;
    for (; v >= 128; v >>= 7)
        c[n++] = (unsigned char)(v | 128);
    c[n++] = (unsigned char)v;
    put(b, c, n);
}

static void put_median(struct bytes *b, const struct fa_median *m)
{
    for (int i = 0; m->n == 1 && i < m->d; i++) {
        unsigned char v[8];
        fa_put_f64(v, m->copy[i]);
        put(b, v, sizeof v);
    }
    for (int i = 0; i < m->d; i++) {
        const size_t h = (size_t)i * (size_t)m->bins;
        int last = 0;
        for (int j = 0; j < m->bins; j++) {
            const uint32_t n = median_count(m, h + (size_t)j, m->wide);
            if (!n)
                continue;
            put_number(b, (uint32_t)(j - last));
            put_number(b, n);
            last = j;
        }
        put_number(b, 0);
        put_number(b, 0);
    }
}

int fa_au_medians_save(const struct fa_au_medians *m, const char *path, struct fa_err *e)
{
    struct bytes b = { 0 };
    struct fa_out o;
    unsigned char head[HEADER] = "FAMD";
    put(&b, head, HEADER);
    put_median(&b, &m->hog);
    put_median(&b, &m->geom);
    if (b.failed) {
        free(b.p);
        return fa_fail(e, FA_E_MEM, "out of memory");
    }
    fa_put_u32(head + 4, VERSION);
    fa_put_u64(head + 8, b.n - HEADER);
    fa_put_u64(head + 16, XXH3_64bits(b.p + HEADER, b.n - HEADER));
    for (int i = 0; i < 2; i++) {
        const struct fa_median *t = i ? &m->geom : &m->hog;
        fa_put_u32(head + 24 + 12 * i, (uint32_t)t->d);
        fa_put_u32(head + 28 + 12 * i, (uint32_t)t->bins);
        fa_put_u32(head + 32 + 12 * i, t->n);
    }
    memcpy(b.p, head, HEADER);
    int r = fa_out_open(&o, path, e);
    if (r == FA_OK && fwrite(b.p, 1, b.n, o.f) != b.n) {
        r = fa_fail_errno(e, FA_E_IO, "%s", path);
        fa_out_abandon(&o, 0);
    } else if (r == FA_OK) {
        r = fa_out_commit(&o, e);
    }
    free(b.p);
    return r;
}

/* --- Reading ---------------------------------------------------------------------------------------------------------- */

struct cursor { const unsigned char *p, *end; int failed; };

static uint32_t get_number(struct cursor *c)
{
    uint32_t v = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        if (c->p == c->end)
            break;
        unsigned char byte = *c->p++;
        if (shift == 28 && byte > 15)
            break;
        v |= (uint32_t)(byte & 127) << shift;
        if (byte < 128)
            return v;
    }
    c->failed = 1;
    return 0;
}

/* One value's histogram, and its median's place. */
static int get_value(struct fa_median *m, int i, struct cursor *c, struct fa_err *e)
{
    const size_t h = (size_t)i * (size_t)m->bins;
    const uint32_t cut = (m->n + 1) / 2;
    uint64_t sum = 0;
    uint32_t bin = 0;
    for (int first = 1;; first = 0) {
        uint32_t step = get_number(c), n = get_number(c);
        if (c->failed)
            return fa_fail(e, FA_E_FORMAT, "histogram %d: bad number", i);
        if (n == 0)
            break;
        if ((step == 0 && !first) || step >= (uint32_t)m->bins - bin || n > m->n - sum)
            return fa_fail(e, FA_E_FORMAT, "histogram %d: out of range", i);
        bin += step;
        median_put_count(m, h + bin, m->wide, n);
        if (sum < cut && sum + n >= cut) {
            m->bin[i] = bin;
            m->below[i] = (uint32_t)sum;
        }
        sum += n;
    }
    return sum == m->n ? FA_OK : fa_fail(e, FA_E_FORMAT, "histogram %d: %llu counts, want %u", i, (unsigned long long)sum, (unsigned)m->n);
}

static int get_median(struct fa_median *m, struct cursor *c, struct fa_err *e)
{
    if (m->n == 1) {
        if ((size_t)(c->end - c->p) < (size_t)m->d * 8)
            return fa_fail(e, FA_E_FORMAT, "medians are missing");
        for (int i = 0; i < m->d; i++, c->p += 8)
            m->copy[i] = fa_le_f64(c->p);
    }
    for (int i = 0; i < m->d; i++) {
        int r = get_value(m, i, c, e);
        if (r != FA_OK)
            return r;
    }
    return FA_OK;
}

int fa_au_medians_parse(struct fa_au_medians *m, const void *data, size_t len, struct fa_err *e)
{
    const unsigned char *p = data;
    int r = FA_OK;
    if (len < HEADER || memcmp(p, "FAMD", 4) != 0)
        return fa_fail(e, FA_E_FORMAT, "not a file of medians (fa-aus --save-median makes one)");
    if (fa_le_u32(p + 4) != VERSION)
        return fa_fail(e, FA_E_VERSION, "version %u, this program reads %d", (unsigned)fa_le_u32(p + 4), VERSION);
    if (fa_le_u64(p + 8) > len - HEADER)
        return fa_fail(e, FA_E_TRUNC, "the file is cut short");
    static const unsigned char zeros[HEADER - 48];
    if (fa_le_u64(p + 8) < len - HEADER || memcmp(p + 48, zeros, sizeof zeros) != 0 || fa_le_u64(p + 16) != XXH3_64bits(p + HEADER, len - HEADER))
        return fa_fail(e, FA_E_FORMAT, "the file is damaged (its check differs)");

    struct cursor c = { p + HEADER, p + len, 0 };
    fa_au_medians_reset(m);
    for (int i = 0; r == FA_OK && i < 2; i++) {
        struct fa_median *t = i ? &m->geom : &m->hog;
        const unsigned char *q = p + 24 + 12 * i;
        if (fa_le_u32(q) != (uint32_t)t->d || fa_le_u32(q + 4) != (uint32_t)t->bins || fa_le_u32(q + 8) > MAX_UPDATES)
            r = fa_fail(e, FA_E_FORMAT, "%u values of %u bins with %u updates", (unsigned)fa_le_u32(q), (unsigned)fa_le_u32(q + 4),
                        (unsigned)fa_le_u32(q + 8));
        else {
            t->n = fa_le_u32(q + 8);
            median_make_room(t, t->n);
            r = get_median(t, &c, e);
        }
    }
    if (r == FA_OK && (c.p != c.end || m->hog.n != m->geom.n))
        r = fa_fail(e, FA_E_FORMAT, "the parts of the file do not agree");
    if (r != FA_OK)
        fa_au_medians_reset(m);
    return r;
}

int fa_au_medians_load(struct fa_au_medians *m, const char *path, struct fa_err *e)
{
    struct fa_map map;
    int r = fa_map_open(&map, path, e);
    if (r != FA_OK)
        return r;
    r = fa_au_medians_parse(m, map.data, map.len, e);
    if (r != FA_OK)
        fa_err_prefix(e, "%s", path);
    fa_map_close(&map);
    return r;
}
