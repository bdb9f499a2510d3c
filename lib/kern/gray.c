/* SPDX-License-Identifier: BSD-2-Clause
 * Gray rows: the twin, and the choice. Integers only, so every variant agrees in every bit. */
#include "fa_kern_gray.h"

#include "fa_kern.h"

static void row_c(uint8_t *restrict y, const uint8_t *restrict bgr, int n)
{
    for (int i = 0; i < n; i++, bgr += 3)
        y[i] = (uint8_t)((3735 * bgr[0] + 19235 * bgr[1] + 9798 * bgr[2] + 16384) >> 15);
}

const struct fa_kern_gray fa_kern_gray_c = { row_c };

const struct fa_kern_gray *fa_kern_gray(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_kern_cpu() & FA_CPU_AVX2)
        return &fa_kern_gray_avx2;
#endif
    return &fa_kern_gray_c;
}
