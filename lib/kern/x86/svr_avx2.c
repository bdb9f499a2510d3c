/* SPDX-License-Identifier: BSD-2-Clause
 * SVR correlation, one row of results in four vectors of doubles. */
#include "fa_kern_svr.h"

#include <immintrin.h>

static void correlate_avx2(double *num, const double *area, int w, const double *weight)
{
    for (int y = 0; y < w; y++) {
        __m256d s0 = _mm256_setzero_pd(), s1 = s0, s2 = s0, s3 = s0;
        for (int ty = 0; ty < FA_SVR_SUPPORT; ty++)
            for (int tx = 0; tx < FA_SVR_SUPPORT; tx++) {
                const double *px = area + (y + ty) * FA_SVR_STRIDE + tx;
                const __m256d c = _mm256_set1_pd(weight[ty * FA_SVR_SUPPORT + tx]);
                s0 = _mm256_fmadd_pd(c, _mm256_loadu_pd(px), s0);
                s1 = _mm256_fmadd_pd(c, _mm256_loadu_pd(px + 4), s1);
                s2 = _mm256_fmadd_pd(c, _mm256_loadu_pd(px + 8), s2);
                s3 = _mm256_fmadd_pd(c, _mm256_loadu_pd(px + 12), s3);
            }
        _mm256_storeu_pd(num + y * FA_SVR_ROW, s0);
        _mm256_storeu_pd(num + y * FA_SVR_ROW + 4, s1);
        _mm256_storeu_pd(num + y * FA_SVR_ROW + 8, s2);
        _mm256_storeu_pd(num + y * FA_SVR_ROW + 12, s3);
    }
}

const struct fa_kern_svr fa_kern_svr_avx2 = { correlate_avx2 };
