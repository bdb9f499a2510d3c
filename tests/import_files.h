/* SPDX-License-Identifier: BSD-2-Clause
 * Small files in OpenFace's formats, made by formula: for the import tests and as seeds of its fuzzers. */
#ifndef IMPORT_FILES_H
#define IMPORT_FILES_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa_le.h"
#include "fa_model.h"

struct bytes { unsigned char *p; size_t n, cap; };

static inline void put(struct bytes *b, const void *data, size_t n)
{
    if (b->n + n > b->cap) {
        b->cap = 2 * (b->n + n);
        b->p = realloc(b->p, b->cap);
        if (!b->p)
            abort();
    }
    memcpy(b->p + b->n, data, n);
    b->n += n;
}
static inline void put_i32(struct bytes *b, int v) { unsigned char t[4]; fa_put_u32(t, (uint32_t)v); put(b, t, 4); }
static inline void put_f32(struct bytes *b, double v) { unsigned char t[4]; fa_put_f32(t, (float)v); put(b, t, 4); }
static inline void put_f64(struct bytes *b, double v) { unsigned char t[8]; fa_put_f64(t, v); put(b, t, 8); }
static inline void put_mat(struct bytes *b, int rows, int cols, int type) { put_i32(b, rows); put_i32(b, cols); put_i32(b, type); }
__attribute__((format(printf, 2, 3))) static inline void put_text(struct bytes *b, const char *fmt, ...)
{
    char t[300];
    va_list ap;
    va_start(ap, fmt);
    put(b, t, (size_t)vsnprintf(t, sizeof t, fmt, ap));
    va_end(ap);
}

/* n points on a spiral, m modes, variances 9, 8, .. */
static inline void make_pdm(struct bytes *b, int n, int m)
{
    put_text(b, "# mean\n%d\n1\n6\n", 3 * n);
    for (int i = 0; i < 3 * n; i++)
        put_text(b, "%.6f \n", 10 * cos(0.7 * i) + 0.1 * i);
    put_text(b, "# components\n%d\n%d\n6\n", 3 * n, m);
    for (int i = 0; i < 3 * n; i++) {
        for (int j = 0; j < m; j++)
            put_text(b, "%.7f ", sin(0.3 * i + j) * 0.1);
        put_text(b, "\n");
    }
    put_text(b, "# variances\n1\n%d\n6\n", m);
    for (int j = 0; j < m; j++)
        put_text(b, "%.4f ", 9.0 - 0.1 * j);
    put_text(b, "\n");
}

static inline void make_triangles(struct bytes *b)
{
    put_text(b, "2\n3\n4\n0 1 2 \n1 2 3 \n");
}

/* One view, the last landmark invisible and empty; windows w with one component (2 on the diagonal, -1 beside it). */
static inline void make_ccnf(struct bytes *b, int n, int neurons, int side, int w, double scale)
{
    int ww = w * w;
    put_f64(b, scale);
    put_i32(b, 1);
    put_mat(b, 3, 1, 6);
    put_f64(b, 0), put_f64(b, 20), put_f64(b, 0);
    put_mat(b, n, 1, 4);
    for (int i = 0; i < n; i++)
        put_i32(b, i < n - 1);
    put_i32(b, 1);
    put_i32(b, w);
    put_i32(b, 1);
    put_mat(b, ww, ww, 5);
    for (int r = 0; r < ww; r++)
        for (int c = 0; c < ww; c++)
            put_f32(b, r == c ? 2 : abs(r - c) == 1 ? -1 : 0);
    for (int i = 0; i < n; i++) {
        int k = i < n - 1 ? neurons : 0;
        put_i32(b, 5);
        put_i32(b, side);
        put_i32(b, side);
        put_i32(b, k);
        if (!k) {
            put_i32(b, 0);
            continue;
        }
        for (int j = 0; j < k; j++) {
            put_i32(b, 2);
            put_i32(b, 0);
            put_f64(b, 2 + i);                       /* norm */
            put_f64(b, -1.5 + j);                    /* bias */
            put_f64(b, j == 1 ? 1e-4 : 10 + i + j);  /* alpha: neuron 1 is off */
            put_mat(b, side, side, 5);
            for (int t = 0; t < side * side; t++)
                put_f32(b, 100 * i + 10 * j + 0.125 * t);
        }
        put_f64(b, 0.5);                             /* beta */
        put_f64(b, 0.25 + i);                        /* confidence */
    }
}

static inline void make_svr(struct bytes *b, int n)
{
    put_text(b, "# scale\n0.5\n# views\n1\n# centres\n3\n1\n6\n0 \n-20.0 \n0 \n# visibility\n%d\n1\n4\n", n);
    for (int i = 0; i < n; i++)
        put_text(b, "%d \n", i > 0);
    put_text(b, "# patches\n");
    for (int i = 0; i < n; i++) {
        put_text(b, "3 11 11 2\n");
        for (int m = 0; m < 2; m++) {
            put_text(b, "2 %d %.3f 4.5 -1e-1\n11\n11\n5\n", m, 0.25 + 0.125 * m + i);
            for (int t = 0; t < 121; t++)
                put_text(b, "%g%s", 0.5 * t + m, t % 11 == 10 ? " \n" : " ");
        }
    }
}

/* conv 3 -> 2 of 3x3 on 6x6, PReLU, pool 2x2, fc 8 -> 4 on the flattened 2x2 maps, PReLU, fc 4 -> 6. Weights count up. */
static inline void make_net(struct bytes *b)
{
    int v = 0;
    put_i32(b, 6);
    put_i32(b, 0), put_i32(b, 3), put_i32(b, 2);
    put_f32(b, 0.5), put_f32(b, -0.5);
    for (int k = 0; k < 6; k++) {
        put_mat(b, 3, 3, 5);
        for (int i = 0; i < 9; i++)
            put_f32(b, v++);
    }
    put_i32(b, 3);
    put_mat(b, 2, 1, 5);
    put_f32(b, 0.1), put_f32(b, 0.2);
    put_i32(b, 1);
    for (int i = 0; i < 4; i++)
        put_i32(b, 2);
    for (int k = 0; k < 2; k++) {
        int n_in = k ? 4 : 8, n_out = k ? 6 : 4;
        put_i32(b, 2);
        put_mat(b, n_out, 1, 5);
        for (int i = 0; i < n_out; i++)
            put_f32(b, i);
        put_mat(b, n_in, n_out, 5);
        for (int i = 0; i < n_in * n_out; i++)
            put_f32(b, i);
        if (k == 0) {
            put_i32(b, 3);
            put_mat(b, 4, 1, 5);
            for (int i = 0; i < 4; i++)
                put_f32(b, 0.25);
        }
    }
}

/* One view; mask pixels (row, column) (1,5) (2,4) (2,5); network: three pools (60 -> 8), ReLU, fc 64 -> 3. */
static inline void make_validator(struct bytes *b)
{
    static const int mask[3][2] = { { 1, 5 }, { 2, 4 }, { 2, 5 } };
    put_i32(b, 3);
    put_i32(b, 1);
    put_mat(b, 3, 1, 6);
    put_f64(b, 0), put_f64(b, 45), put_f64(b, 0);
    for (int k = 0; k < 2; k++) {
        put_mat(b, 1, 3, 6);
        for (int i = 0; i < 3; i++)
            put_f64(b, k + 1 + i);       /* file order: (2,4) (1,5) (2,5) */
    }
    put_i32(b, 5);
    put_i32(b, 1), put_i32(b, 1), put_i32(b, 1);
    put_i32(b, 3);
    put_i32(b, 2);
    put_mat(b, 3, 1, 5);
    for (int i = 0; i < 3; i++)
        put_f32(b, i);
    put_mat(b, 64, 3, 5);
    for (int i = 0; i < 192; i++)
        put_f32(b, i);
    put_i32(b, 3);
    put_f64(b, -5), put_f64(b, -2);
    put_mat(b, 136, 1, 6);
    for (int i = 0; i < 136; i++)
        put_f64(b, 0.5 * i);
    put_mat(b, 1, 3, 4);
    put_i32(b, 0), put_i32(b, 1), put_i32(b, 2);
    for (int k = 0; k < 2; k++) {
        put_mat(b, 60, 60, 4);
        for (int i = 0; i < 3600; i++) {
            int on = 0;
            for (int j = 0; j < 3; j++)
                on |= i == mask[j][0] * 60 + mask[j][1];
            put_i32(b, k ? on : on - 1);
        }
    }
    for (int k = 0; k < 2; k++) {
        put_mat(b, 1, 3, 6);
        for (int i = 0; i < 3; i++)
            put_f64(b, i - k);
    }
}

static inline void make_predictor(struct bytes *b, int type, double mean)
{
    put_i32(b, type);
    if (type == 1)
        put_f64(b, 0.65);
    put_mat(b, 1, 4702, 6);
    for (int i = 0; i < 4702; i++)
        put_f64(b, mean);
    put_mat(b, 4702, 1, 6);
    for (int i = 0; i < 4702; i++)
        put_f64(b, i % 2 ? 0.25 : 0.5);
    put_f64(b, -3);
    if (type >= 4) {
        put_f64(b, 0);
        put_f64(b, 1);
    }
}

static inline void make_pack(struct bytes *out)
{
    struct fa_pack_builder b;
    struct fa_err e;
    size_t len;
    fa_pack_begin(&b);
    fa_pack_add(&b, FA_F32, 2, (int[]){ 1, 3 }, (float[]){ 1, 2, 3 }, "a/%d", 1);
    fa_pack_add_text(&b, "hello", "b");
    void *mem = fa_pack_finish(&b, &len, &e);
    if (!mem)
        abort();
    put(out, mem, len);
    free(mem);
}

#endif
