/* SPDX-License-Identifier: BSD-2-Clause
 * SVR correlation: the twin, and the choice. */
#include "fa_kern_svr.h"

#include <math.h>

#include "fa_kern.h"

static void correlate_c(double *num, const double *area, int w, const double *weight)
{
    for (int y = 0; y < w; y++)
        for (int x = 0; x < FA_SVR_ROW; x++) {
            double s = 0;
            for (int ty = 0; ty < FA_SVR_SUPPORT; ty++)
                for (int tx = 0; tx < FA_SVR_SUPPORT; tx++)
                    s = fma(weight[ty * FA_SVR_SUPPORT + tx], area[(y + ty) * FA_SVR_STRIDE + x + tx], s);
            num[y * FA_SVR_ROW + x] = s;
        }
}

const struct fa_kern_svr fa_kern_svr_c = { correlate_c };

const struct fa_kern_svr *fa_kern_svr(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_kern_cpu() & FA_CPU_AVX512)
        return &fa_kern_svr_avx512;
    if (fa_kern_cpu() & FA_CPU_AVX2)
        return &fa_kern_svr_avx2;
#endif
    return &fa_kern_svr_c;
}
