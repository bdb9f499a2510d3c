/* SPDX-License-Identifier: BSD-2-Clause
 * Mean shift and likelihood sums, one map row a vector. */
#include "fa_kern_meanshift.h"

#include <immintrin.h>

#include "exp_lanes.h"

static inline float add_lanes(__m512 v)
{
    const __m256 a = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}

static void sums_avx512(float *sums, const float *maps, int stride, int w, const float *table, const int *kx, const int *ky, int n, int np)
{
    const __mmask16 k = (__mmask16)((1u << w) - 1);
    for (int i = 0; i < n; i++) {
        if (kx[i] < 0)
            continue;
        const float *map = maps + i * stride, *x = table + kx[i] * FA_MEANSHIFT_ROW, *y = table + ky[i] * FA_MEANSHIFT_ROW;
        __m512 s = _mm512_setzero_ps(), sa = s;
        for (int a = 0; a < w; a++) {
            const __m512 row = _mm512_maskz_loadu_ps(k, map + a * w);
            s = _mm512_fmadd_ps(row, _mm512_set1_ps(y[a]), s);
            sa = _mm512_fmadd_ps(row, _mm512_set1_ps(y[16 + a]), sa);
        }
        const __m512 vx = _mm512_loadu_ps(x);
        sums[i] = add_lanes(_mm512_mul_ps(s, vx));
        sums[np + i] = add_lanes(_mm512_mul_ps(s, _mm512_loadu_ps(x + 16)));
        sums[2 * np + i] = add_lanes(_mm512_mul_ps(sa, vx));
    }
}

static void likelihood_avx512(float *l, const float *maps, int stride, int w, float alpha, const float *dx, const float *dy,
                              const int *visible, int n)
{
    const __mmask16 k = (__mmask16)((1u << w) - 1);
    const __m512 index = _mm512_set_ps(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), va = _mm512_set1_ps(alpha);
    float y[16];
    for (int i = 0; i < n; i++) {
        if (!visible[i])
            continue;
        const __m512 ex = _mm512_sub_ps(_mm512_set1_ps(dx[i]), index), ey = _mm512_sub_ps(_mm512_set1_ps(dy[i]), index);
        __m512 s = _mm512_setzero_ps();
        _mm512_storeu_ps(y, exp_16(_mm512_mul_ps(va, _mm512_mul_ps(ey, ey))));
        for (int a = 0; a < w; a++)
            s = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(k, maps + i * stride + a * w), _mm512_set1_ps(y[a]), s);
        l[i] = add_lanes(_mm512_mul_ps(s, exp_16(_mm512_mul_ps(va, _mm512_mul_ps(ex, ex)))));
    }
}

const struct fa_kern_meanshift fa_kern_meanshift_avx512 = { sums_avx512, likelihood_avx512 };
