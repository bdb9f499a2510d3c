/* SPDX-License-Identifier: BSD-2-Clause
 * 8-bit affine warp with the fixed-point arithmetic of the reference (spec/aus 3.5). The matrix is inverted in double;
 * positions are sums of a column part and a row part in 1/1024 pixel, rounded apart, then cut to 1/32. */
#include "fa_image.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "fa_kern_warp8.h"

enum { FAR_AWAY = 1 << 29, BLOCK = 256 };

/* Rounded to an int; far outside any image stays far outside (and a NaN is there too). */
static int fixed(double v)
{
    v = rint(v);
    return v > -FAR_AWAY ? v < FAR_AWAY ? (int)v : FAR_AWAY : -FAR_AWAY;
}

void fa_warp_affine_u8_masked(struct fa_img8 *dst, const struct fa_img8 *src, const float m[6], const uint8_t *mask)
{
    const struct fa_kern_warp8 *k = fa_kern_warp8();
    const struct fa_warp8_src s = { src->px, src->stride, src->w, src->h, src->ch };
    int ax[BLOCK], ay[BLOCK];
    assert(dst->ch == src->ch);

    double d = (double)m[0] * m[4] - (double)m[1] * m[3];
    d = d != 0 ? 1 / d : 0;
    double i00 = m[4] * d, i11 = m[0] * d, i01 = m[1] * -d, i10 = m[3] * -d;
    double bx = -i00 * m[2] - i01 * m[5], by = -i10 * m[2] - i11 * m[5];

    for (int x0 = 0; x0 < dst->w; x0 += BLOCK) {
        int n = dst->w - x0 < BLOCK ? dst->w - x0 : BLOCK;
        for (int x = 0; x < n; x++) {
            ax[x] = fixed(i00 * (x0 + x) * 1024);
            ay[x] = fixed(i10 * (x0 + x) * 1024);
        }
        for (int y = 0; y < dst->h; y++) {
            uint8_t *row = dst->px + y * dst->stride + (ptrdiff_t)x0 * dst->ch;
            int rx = fixed((i01 * y + bx) * 1024) + 16, ry = fixed((i11 * y + by) * 1024) + 16;
            if (!mask) {
                k->run(row, n, &s, rx, ry, ax, ay);
                continue;
            }
            const uint8_t *in = mask + (ptrdiff_t)y * dst->w + x0;
            memset(row, 0, (size_t)(n * dst->ch));
            for (int a = 0; a < n;) {
                const uint8_t *p = memchr(in + a, 1, (size_t)(n - a));
                if (!p)
                    break;
                a = (int)(p - in);
                p = memchr(in + a, 0, (size_t)(n - a));
                int b = p ? (int)(p - in) : n;
                k->run(row + (ptrdiff_t)a * dst->ch, b - a, &s, rx, ry, ax + a, ay + a);
                a = b;
            }
        }
    }
}

void fa_warp_affine_u8(struct fa_img8 *dst, const struct fa_img8 *src, const float m[6])
{
    fa_warp_affine_u8_masked(dst, src, m, NULL);
}
