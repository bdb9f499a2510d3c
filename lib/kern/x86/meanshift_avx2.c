/* SPDX-License-Identifier: BSD-2-Clause
 * Mean shift and likelihood sums, one map row in two vectors (one where w <= 8). */
#include "fa_kern_meanshift.h"

#include <immintrin.h>

#include "exp_lanes.h"

/* Lanes 0..7 and 8..15. */
static inline float add_lanes(__m256 lo, __m256 hi)
{
    const __m256 a = _mm256_add_ps(lo, hi);
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}

static inline __m256i lanes_below(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0));
}

static inline __attribute__((always_inline)) void sums_width(float *sums, const float *maps, int stride, int w, const float *table,
                                                             const int *kx, const int *ky, int n, int np, const int wide)
{
    const __m256i klo = lanes_below(w), khi = lanes_below(w - 8);
    for (int i = 0; i < n; i++) {
        if (kx[i] < 0)
            continue;
        const float *map = maps + i * stride, *x = table + kx[i] * FA_MEANSHIFT_ROW, *y = table + ky[i] * FA_MEANSHIFT_ROW;
        __m256 s0 = _mm256_setzero_ps(), s1 = s0, sa0 = s0, sa1 = s0;
        for (int a = 0; a < w; a++) {
            const __m256 ya = _mm256_set1_ps(y[a]), yaa = _mm256_set1_ps(y[16 + a]);
            const __m256 lo = _mm256_maskload_ps(map + a * w, klo);
            s0 = _mm256_fmadd_ps(lo, ya, s0);
            sa0 = _mm256_fmadd_ps(lo, yaa, sa0);
            if (wide) {
                const __m256 hi = _mm256_maskload_ps(map + a * w + 8, khi);
                s1 = _mm256_fmadd_ps(hi, ya, s1);
                sa1 = _mm256_fmadd_ps(hi, yaa, sa1);
            }
        }
        const __m256 x0 = _mm256_loadu_ps(x), x1 = _mm256_loadu_ps(x + 8);
        sums[i] = add_lanes(_mm256_mul_ps(s0, x0), _mm256_mul_ps(s1, x1));
        sums[np + i] = add_lanes(_mm256_mul_ps(s0, _mm256_loadu_ps(x + 16)), _mm256_mul_ps(s1, _mm256_loadu_ps(x + 24)));
        sums[2 * np + i] = add_lanes(_mm256_mul_ps(sa0, x0), _mm256_mul_ps(sa1, x1));
    }
}

static void sums_avx2(float *sums, const float *maps, int stride, int w, const float *table, const int *kx, const int *ky, int n, int np)
{
    if (w > 8)
        sums_width(sums, maps, stride, w, table, kx, ky, n, np, 1);
    else
        sums_width(sums, maps, stride, w, table, kx, ky, n, np, 0);
}

/* exp(alpha (d - (from .. from+7))^2) */
static inline __m256 gauss(float d, float from, __m256 alpha)
{
    const __m256 index = _mm256_add_ps(_mm256_set1_ps(from), _mm256_set_ps(7, 6, 5, 4, 3, 2, 1, 0));
    const __m256 e = _mm256_sub_ps(_mm256_set1_ps(d), index);
    return exp_8(_mm256_mul_ps(alpha, _mm256_mul_ps(e, e)));
}

static void likelihood_avx2(float *l, const float *maps, int stride, int w, float alpha, const float *dx, const float *dy,
                            const int *visible, int n)
{
    const __m256i klo = lanes_below(w), khi = lanes_below(w - 8);
    const __m256 va = _mm256_set1_ps(alpha);
    float y[16];
    for (int i = 0; i < n; i++) {
        if (!visible[i])
            continue;
        __m256 s0 = _mm256_setzero_ps(), s1 = s0;
        _mm256_storeu_ps(y, gauss(dy[i], 0, va));
        _mm256_storeu_ps(y + 8, gauss(dy[i], 8, va));
        for (int a = 0; a < w; a++) {
            const float *row = maps + i * stride + a * w;
            const __m256 ya = _mm256_set1_ps(y[a]);
            s0 = _mm256_fmadd_ps(_mm256_maskload_ps(row, klo), ya, s0);
            s1 = _mm256_fmadd_ps(_mm256_maskload_ps(row + 8, khi), ya, s1);
        }
        l[i] = add_lanes(_mm256_mul_ps(s0, gauss(dx[i], 0, va)), _mm256_mul_ps(s1, gauss(dx[i], 8, va)));
    }
}

const struct fa_kern_meanshift fa_kern_meanshift_avx2 = { sums_avx2, likelihood_avx2 };
