/* SPDX-License-Identifier: BSD-2-Clause
 * Dot products in double: sixteen lanes are two vectors; four products at a time share the loads of x. */
#include "fa_kern_linear.h"

#include <immintrin.h>

static inline double fold(__m512d lo, __m512d hi)
{
    __m512d s = _mm512_add_pd(lo, hi);
    __m256d a = _mm256_add_pd(_mm512_castpd512_pd256(s), _mm512_extractf64x4_pd(s, 1));
    __m128d b = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvtsd_f64(_mm_add_sd(b, _mm_unpackhi_pd(b, b)));
}

static inline void some(double *out, const double *w, int n_w, const double *x, int n)
{
    __m512d s[4][2];
    for (int k = 0; k < n_w; k++)
        s[k][0] = s[k][1] = _mm512_setzero_pd();
    for (int i = 0; i < n; i += 16)
        for (int v = 0; v < 2; v++) {
            __m512d xv = _mm512_loadu_pd(x + i + 8 * v);
            for (int k = 0; k < n_w; k++)
                s[k][v] = _mm512_add_pd(s[k][v], _mm512_mul_pd(_mm512_loadu_pd(w + (long)k * n + i + 8 * v), xv));
        }
    for (int k = 0; k < n_w; k++)
        out[k] = fold(s[k][0], s[k][1]);
}

static void dots_avx512(double *restrict out, const double *restrict w, int n_w, const double *restrict x, int n)
{
    int k = 0;
    for (; k + 4 <= n_w; k += 4)
        some(out + k, w + (long)k * n, 4, x, n);
    for (; k < n_w; k++)
        some(out + k, w + (long)k * n, 1, x, n);
}

const struct fa_kern_linear fa_kern_linear_avx512 = { dots_avx512 };
