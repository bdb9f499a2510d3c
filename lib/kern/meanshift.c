/* SPDX-License-Identifier: BSD-2-Clause
 * Mean shift and likelihood sums: the twins, and the choice. */
#include "fa_kern_meanshift.h"

#include <assert.h>
#include <math.h>

#include "fa_kern.h"
#include "fa_kern_exp.h"

enum { LANES = 16 };

static float add_lanes(const float v[LANES])
{
    float t[LANES];
    for (int i = 0; i < LANES; i++)
        t[i] = v[i];
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            t[i] += t[i + half];
    return t[0];
}

static void sums_c(float *sums, const float *maps, int stride, int w, const float *table, const int *kx, const int *ky, int n, int np)
{
    assert(w >= 1 && w <= 15);
    for (int i = 0; i < n; i++) {
        if (kx[i] < 0)
            continue;
        const float *map = maps + i * stride, *x = table + kx[i] * FA_MEANSHIFT_ROW, *y = table + ky[i] * FA_MEANSHIFT_ROW;
        float s[LANES] = { 0 }, sa[LANES] = { 0 }, sc[LANES];
        for (int a = 0; a < w; a++)
            for (int c = 0; c < w; c++) {
                s[c] = fmaf(map[a * w + c], y[a], s[c]);
                sa[c] = fmaf(map[a * w + c], y[LANES + a], sa[c]);
            }
        for (int c = 0; c < LANES; c++) {
            sc[c] = s[c] * x[LANES + c];
            s[c] *= x[c];
            sa[c] *= x[c];
        }
        sums[i] = add_lanes(s);
        sums[np + i] = add_lanes(sc);
        sums[2 * np + i] = add_lanes(sa);
    }
}

static void likelihood_c(float *l, const float *maps, int stride, int w, float alpha, const float *dx, const float *dy, const int *visible,
                         int n)
{
    assert(w >= 1 && w <= 15);
    for (int i = 0; i < n; i++) {
        if (!visible[i])
            continue;
        const float *map = maps + i * stride;
        float s[LANES] = { 0 };
        for (int a = 0; a < w; a++) {
            const float ky = fa_kern_expf(alpha * ((dy[i] - a) * (dy[i] - a)));
            for (int c = 0; c < w; c++)
                s[c] = fmaf(map[a * w + c], ky, s[c]);
        }
        for (int c = 0; c < LANES; c++)
            s[c] *= fa_kern_expf(alpha * ((dx[i] - c) * (dx[i] - c)));
        l[i] = add_lanes(s);
    }
}

const struct fa_kern_meanshift fa_kern_meanshift_c = { sums_c, likelihood_c };

const struct fa_kern_meanshift *fa_kern_meanshift(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_kern_cpu() & FA_CPU_AVX512)
        return &fa_kern_meanshift_avx512;
    if (fa_kern_cpu() & FA_CPU_AVX2)
        return &fa_kern_meanshift_avx2;
#endif
    return &fa_kern_meanshift_c;
}
