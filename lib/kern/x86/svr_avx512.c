/* SPDX-License-Identifier: BSD-2-Clause
 * SVR correlation, two rows of results in two vectors of doubles each. */
#include "fa_kern_svr.h"

#include <immintrin.h>

static void correlate_avx512(double *num, const double *area, int w, const double *weight)
{
    for (int y = 0; y < w; y += 2) {
        const int second = y + 1 < w;              /* the last row is computed twice rather than apart */
        __m512d s0 = _mm512_setzero_pd(), s1 = s0, s2 = s0, s3 = s0;
        for (int ty = 0; ty < FA_SVR_SUPPORT; ty++)
            for (int tx = 0; tx < FA_SVR_SUPPORT; tx++) {
                const double *px = area + (y + ty) * FA_SVR_STRIDE + tx, *qx = px + second * FA_SVR_STRIDE;
                const __m512d c = _mm512_set1_pd(weight[ty * FA_SVR_SUPPORT + tx]);
                s0 = _mm512_fmadd_pd(c, _mm512_loadu_pd(px), s0);
                s1 = _mm512_fmadd_pd(c, _mm512_loadu_pd(px + 8), s1);
                s2 = _mm512_fmadd_pd(c, _mm512_loadu_pd(qx), s2);
                s3 = _mm512_fmadd_pd(c, _mm512_loadu_pd(qx + 8), s3);
            }
        double *to = num + y * FA_SVR_ROW;
        _mm512_storeu_pd(to + second * FA_SVR_ROW, s2);
        _mm512_storeu_pd(to + second * FA_SVR_ROW + 8, s3);
        _mm512_storeu_pd(to, s0);
        _mm512_storeu_pd(to + 8, s1);
    }
}

const struct fa_kern_svr fa_kern_svr_avx512 = { correlate_avx512 };
