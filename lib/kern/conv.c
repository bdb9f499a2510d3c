/* SPDX-License-Identifier: BSD-2-Clause
 * Plain C twins of the network kernels: the definition of every sum's order. See fa_kern_conv.h. */
#include "fa_kern_conv.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "fa_kern.h"

enum { L = FA_CONV_LANES };

static void conv_pixel(float *out, const float *const *rows, int n_row, int run, int at, const float *w, const float *bias,
                       const float *slope, int valid)
{
    float sum[L], chain[L] = { 0 };
    int split = run >= FA_CONV_SPLIT;
    memcpy(sum, bias, sizeof sum);
    for (int r = 0; r < n_row; r++) {
        for (int j = 0; j < run; j++, w += L)
            for (int o = 0; o < L; o++)
                chain[o] = fmaf(rows[r][at + j], w[o], chain[o]);
        if (!split && r + 1 < n_row)
            continue;
        for (int o = 0; o < L; o++) {
            sum[o] += chain[o];
            chain[o] = 0;
        }
    }
    for (int o = 0; o < valid; o++)
        out[o] = sum[o] >= 0 ? sum[o] : sum[o] * slope[o];
}

static void conv_row_c(float *restrict out, const float *const *rows, int n_row, int run, int step, const struct fa_conv_weights *w, int n)
{
    assert(n >= 1 && n_row >= 1 && n_row <= FA_CONV_MAX_ROWS && n_row * run == w->n_tap);
    for (int o = 0; o < w->n_out; o += L) {
        int valid = w->n_out - o < L ? w->n_out - o : L;
        for (int p = 0; p < n; p++)
            conv_pixel(out + p * w->n_out + o, rows, n_row, run, p * step, w->w + (size_t)o * w->n_tap, w->bias + o, w->slope + o, valid);
    }
}

static void pool_row_c(float *restrict out, const float *const *rows, int n_row, int w_in, int kx, int sx, int n, int c)
{
    for (int p = 0; p < n; p++) {
        int x0 = p * sx, x1 = x0 + kx < w_in ? x0 + kx : w_in;
        for (int k = 0; k < c; k++) {
            float m = rows[0][x0 * c + k];
            for (int r = 0; r < n_row; r++)
                for (int x = x0; x < x1; x++) {
                    float v = rows[r][x * c + k];
                    m = v > m ? v : m;
                }
            out[p * c + k] = m;
        }
    }
}

static void sample_row_c(float *restrict out, const unsigned char *r0, const unsigned char *r1, float v0, float v1,
                         const struct fa_sample_cols *cols)
{
    for (int p = 0; p < cols->n; p++, out += 3) {
        int x0 = cols->x0[p], x1 = cols->x1[p];
        float w0 = cols->w0[p], w1 = cols->w1[p];
        for (int k = 0; k < 3; k++) {
            float top = (float)r0[x0 + k] * w0 + (float)r0[x1 + k] * w1;
            float bottom = (float)r1[x0 + k] * w0 + (float)r1[x1 + k] * w1;
            out[2 - k] = (top * v0 + bottom * v1) * 0.0078125f - 0.99609375f;
        }
    }
}

const struct fa_kern_conv fa_kern_conv_c = { conv_row_c, pool_row_c, sample_row_c };

const struct fa_kern_conv *fa_kern_conv(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    unsigned cpu = fa_kern_cpu();
    if (cpu & FA_CPU_AVX512)
        return &fa_kern_conv_avx512;
    if (cpu & FA_CPU_AVX2)
        return &fa_kern_conv_avx2;
#endif
    return &fa_kern_conv_c;
}
