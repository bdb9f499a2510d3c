/* SPDX-License-Identifier: BSD-2-Clause
 * Fixed-point bilinear warp: the twin, and the choice. The reference's weights are 32 times those used here and its shift 15
 * instead of 10: (32 S + 16384) >> 15 = (S + 512) >> 10 for every integer S. */
#include "fa_kern_warp8.h"

#include "fa_kern.h"

static inline int tap(const struct fa_warp8_src *s, int x, int y, int c)
{
    if ((unsigned)x >= (unsigned)s->w || (unsigned)y >= (unsigned)s->h)
        return 0;
    return s->px[y * s->stride + (ptrdiff_t)x * s->ch + c];
}

static void run_c(uint8_t *restrict dst, int n, const struct fa_warp8_src *src, int x0, int y0, const int *ax, const int *ay)
{
    for (int i = 0; i < n; i++) {
        int x = (x0 + ax[i]) >> 5, y = (y0 + ay[i]) >> 5;
        int fx = x & 31, fy = y & 31;
        x >>= 5;
        y >>= 5;
        for (int c = 0; c < src->ch; c++) {
            int top = (32 - fx) * tap(src, x, y, c) + fx * tap(src, x + 1, y, c);
            int bottom = (32 - fx) * tap(src, x, y + 1, c) + fx * tap(src, x + 1, y + 1, c);
            *dst++ = (uint8_t)(((32 - fy) * top + fy * bottom + 512) >> 10);
        }
    }
}

const struct fa_kern_warp8 fa_kern_warp8_c = { run_c };

const struct fa_kern_warp8 *fa_kern_warp8(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_kern_cpu() & FA_CPU_AVX2)
        return &fa_kern_warp8_avx2;
#endif
    return &fa_kern_warp8_c;
}
