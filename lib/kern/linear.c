/* SPDX-License-Identifier: BSD-2-Clause
 * Dot products in double: the twin, and the choice. */
#include "fa_kern_linear.h"

#include <assert.h>
#include <stddef.h>

#include "fa_kern.h"

static void dots_c(double *restrict out, const double *restrict w, int n_w, const double *restrict x, int n)
{
    assert(n % FA_LINEAR_LANES == 0);
    for (int k = 0; k < n_w; k++, w += n) {
        double s[FA_LINEAR_LANES] = { 0 };
        for (int i = 0; i < n; i += FA_LINEAR_LANES)
            for (int l = 0; l < FA_LINEAR_LANES; l++)
                s[l] += w[i + l] * x[i + l];
        for (int half = FA_LINEAR_LANES / 2; half > 0; half /= 2)
            for (int l = 0; l < half; l++)
                s[l] += s[l + half];
        out[k] = s[0];
    }
}

const struct fa_kern_linear fa_kern_linear_c = { dots_c };

const struct fa_kern_linear *fa_kern_linear(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_kern_cpu() & FA_CPU_AVX512)
        return &fa_kern_linear_avx512;
    if (fa_kern_cpu() & FA_CPU_AVX2)
        return &fa_kern_linear_avx2;
#endif
    return &fa_kern_linear_c;
}
