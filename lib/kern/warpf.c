/* SPDX-License-Identifier: BSD-2-Clause
 * Bilinear samples of bytes as floats: the twin, and the choice. */
#include "fa_kern_warpf.h"

#include "fa_kern.h"

static void inside_c(float *dst, ptrdiff_t dst_stride, int w, int h, const uint8_t *src, ptrdiff_t src_stride, const struct fa_warpf_grid *g)
{
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++) {
            const int x = (g->col_x[i] + g->row_x[j]) >> 5, y = (g->col_y[i] + g->row_y[j]) >> 5;
            const int fx = x & 31, fy = y & 31;
            const uint8_t *p = src + (y >> 5) * src_stride + (x >> 5), *q = p + src_stride;
            const int top = p[0] * (32 - fx) + p[1] * fx, bottom = q[0] * (32 - fx) + q[1] * fx;
            dst[j * dst_stride + i] = (float)(top * (32 - fy) + bottom * fy) * (1.0f / 1024);
        }
}

const struct fa_kern_warpf fa_kern_warpf_c = { inside_c };

const struct fa_kern_warpf *fa_kern_warpf(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_kern_cpu() & FA_CPU_AVX2)
        return &fa_kern_warpf_avx2;
#endif
    return &fa_kern_warpf_c;
}
