/* SPDX-License-Identifier: BSD-2-Clause
 * Dot products in double: sixteen lanes are four vectors; two products at a time share the loads of x. */
#include "fa_kern_linear.h"

#include <immintrin.h>

static inline double fold(const __m256d s[4])
{
    __m256d a = _mm256_add_pd(_mm256_add_pd(s[0], s[2]), _mm256_add_pd(s[1], s[3]));
    __m128d b = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvtsd_f64(_mm_add_sd(b, _mm_unpackhi_pd(b, b)));
}

static inline void some(double *out, const double *w, int n_w, const double *x, int n)
{
    __m256d s[2][4];
    for (int k = 0; k < n_w; k++)
        for (int v = 0; v < 4; v++)
            s[k][v] = _mm256_setzero_pd();
    for (int i = 0; i < n; i += 16)
        for (int v = 0; v < 4; v++) {
            __m256d xv = _mm256_loadu_pd(x + i + 4 * v);
            for (int k = 0; k < n_w; k++)
                s[k][v] = _mm256_add_pd(s[k][v], _mm256_mul_pd(_mm256_loadu_pd(w + (long)k * n + i + 4 * v), xv));
        }
    for (int k = 0; k < n_w; k++)
        out[k] = fold(s[k]);
}

static void dots_avx2(double *restrict out, const double *restrict w, int n_w, const double *restrict x, int n)
{
    int k = 0;
    for (; k + 2 <= n_w; k += 2)
        some(out + k, w + (long)k * n, 2, x, n);
    if (k < n_w)
        some(out + k, w + (long)k * n, 1, x, n);
}

const struct fa_kern_linear fa_kern_linear_avx2 = { dots_avx2 };
