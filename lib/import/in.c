/* SPDX-License-Identifier: BSD-2-Clause
 * The bounded input of the readers: position, limits, binary primitives. Text is in in_text.c. */
#include "import_internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa_le.h"

int fa_in_open(struct fa_in *in, const char *path, struct fa_err *e)
{
    struct fa_map m;
    if (fa_map_open(&m, path, e) != FA_OK) {
        if (e && e->code == FA_E_INPUT)
            e->code = FA_E_MODEL;
        *in = (struct fa_in){ .name = path, .base = (const unsigned char *)"", .e = e, .failed = 1 };
        return e ? e->code : FA_E_MODEL;
    }
    *in = (struct fa_in){ .name = path, .base = m.data, .len = m.len, .e = e, .map = m };
    return FA_OK;
}

void fa_in_mem(struct fa_in *in, const char *name, const void *data, size_t len, struct fa_err *e)
{
    *in = (struct fa_in){ .name = name, .base = data, .len = len, .e = e };
}

int fa_in_close(struct fa_in *in)
{
    if (!in->failed && in->at != in->len)
        fa_in_bad(in, "%zu bytes after the end of the data", in->len - in->at);
    if (in->map.len)
        fa_map_close(&in->map);
    in->base = (const unsigned char *)"";
    in->len = in->at = 0;
    if (!in->failed)
        return FA_OK;
    return in->e ? in->e->code : FA_E_MODEL;
}

int fa_in_bad(struct fa_in *in, const char *fmt, ...)
{
    char why[200];
    va_list ap;
    if (in->failed)
        return FA_E_MODEL;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    in->failed = 1;
    return fa_fail(in->e, FA_E_MODEL, "%s: byte %zu: %s", in->name, in->at, why);
}

void fa_in_no_memory(struct fa_in *in)
{
    if (!in->failed)
        fa_fail(in->e, FA_E_MEM, "%s: out of memory", in->name);
    in->failed = 1;
}

void *fa_in_alloc(struct fa_in *in, size_t n, size_t m, size_t size)
{
    if (in->failed)
        return NULL;
    void *p = m && n > SIZE_MAX / 2 / m ? NULL : calloc(n && m ? n * m : 1, size);
    if (!p)
        fa_in_no_memory(in);
    return p;
}

const unsigned char *fa_in_bytes(struct fa_in *in, size_t n)
{
    if (in->failed)
        return NULL;
    if (n > in->len - in->at) {
        fa_in_bad(in, "cut short: %zu bytes expected, %zu left", n, in->len - in->at);
        return NULL;
    }
    const unsigned char *p = in->base + in->at;
    in->at += n;
    return p;
}

int32_t fa_in_i32(struct fa_in *in)
{
    const unsigned char *p = fa_in_bytes(in, 4);
    return p ? fa_le_i32(p) : 0;
}

float fa_in_f32(struct fa_in *in)
{
    const unsigned char *p = fa_in_bytes(in, 4);
    float v = p ? fa_le_f32(p) : 0;
    if (isfinite(v))
        return v;
    fa_in_bad(in, "not a finite number");
    return 0;
}

double fa_in_f64(struct fa_in *in)
{
    const unsigned char *p = fa_in_bytes(in, 8);
    double v = p ? fa_le_f64(p) : 0;
    if (isfinite(v))
        return v;
    fa_in_bad(in, "not a finite number");
    return 0;
}

int fa_in_count(struct fa_in *in, const char *what, int lo, int hi)
{
    int v = fa_in_i32(in);
    if (!in->failed && v >= lo && v <= hi)
        return v;
    fa_in_bad(in, "%s %d, not in %d..%d", what, v, lo, hi);
    return lo;
}

static int all_finite(const unsigned char *p, size_t n, enum fa_dtype type)
{
    int bad = 0;
    if (type == FA_F32)
        for (size_t i = 0; i < n; i++)
            bad |= (fa_le_u32(p + 4 * i) & 0x7f800000u) == 0x7f800000u;
    if (type == FA_F64)
        for (size_t i = 0; i < n; i++)
            bad |= (fa_le_u32(p + 8 * i + 4) & 0x7ff00000u) == 0x7ff00000u;
    return !bad;
}

const unsigned char *fa_in_mat(struct fa_in *in, const char *what, enum fa_dtype type, int *rows, int *cols)
{
    int r = fa_in_i32(in), c = fa_in_i32(in), t = fa_in_i32(in);
    if (in->failed)
        return NULL;
    if (t != (int)type) {
        fa_in_bad(in, "%s: matrix of type %d, expected %d", what, t, (int)type);
        return NULL;
    }
    if (r < 0 || c < 0 || (*rows >= 0 && r != *rows) || (*cols >= 0 && c != *cols)) {
        fa_in_bad(in, "%s: matrix of %d x %d, expected %d x %d", what, r, c, *rows, *cols);
        return NULL;
    }
    size_t n = (size_t)r * (size_t)c;
    if (n > (in->len - in->at) / fa_dtype_size(type)) {
        fa_in_bad(in, "%s: matrix of %d x %d does not fit the file", what, r, c);
        return NULL;
    }
    const unsigned char *p = fa_in_bytes(in, n * fa_dtype_size(type));
    if (p && !all_finite(p, n, type)) {
        fa_in_bad(in, "%s: a number that is not finite", what);
        return NULL;
    }
    *rows = r;
    *cols = c;
    return p;
}
