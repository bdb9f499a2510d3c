/* SPDX-License-Identifier: BSD-2-Clause
 * Linear resize of float planes as the reference's library does it, bit for bit (spec/detection 3.3). */
#include "fa_image.h"

#include <string.h>

void fa_resize_taps(int *at, float *frac, int first, int n, int n_dst, int n_src)
{
    double scale = 1.0 / ((double)n_dst / n_src);          /* the reciprocal of the quotient, not the other quotient */
    for (int d = 0; d < n; d++) {
        float v = (float)((first + d + 0.5) * scale - 0.5);
        int i = (int)v;
        i -= (float)i > v;                                 /* floor: v >= -0.5 */
        at[d] = i;
        frac[d] = v - (float)i;
    }
}

static int clamp(int v, int n)
{
    return v < 0 ? 0 : v > n - 1 ? n - 1 : v;
}

/* A block of columns at a time, so that the taps fit on the stack. */
void fa_resize_linear(struct fa_imgf *dst, const struct fa_imgf *src)
{
    enum { BLOCK = 128 };
    if (dst->w == src->w && dst->h == src->h) {
        for (int y = 0; y < src->h; y++)
            memcpy(dst->px + y * dst->stride, src->px + y * src->stride, (size_t)src->w * sizeof(float));
        return;
    }
    for (int first = 0; first < dst->w; first += BLOCK) {
        int at[BLOCK], n = dst->w - first < BLOCK ? dst->w - first : BLOCK;
        float a[BLOCK];
        fa_resize_taps(at, a, first, n, dst->w, src->w);
        for (int d = 0; d < n; d++)
            if (at[d] < 0 || at[d] >= src->w - 1) {        /* columns forget the fraction at the border, rows do not */
                at[d] = clamp(at[d], src->w);
                a[d] = 0;
            }
        for (int y = 0; y < dst->h; y++) {
            int j;
            float b;
            fa_resize_taps(&j, &b, y, 1, dst->h, src->h);
            const float *r0 = src->px + clamp(j, src->h) * src->stride, *r1 = src->px + clamp(j + 1, src->h) * src->stride;
            float *out = dst->px + y * dst->stride + first;
            for (int d = 0; d < n; d++) {
                int i = at[d], k = a[d] > 0 ? i + 1 : i;
                float top = r0[i] * (1 - a[d]) + r0[k] * a[d], bottom = r1[i] * (1 - a[d]) + r1[k] * a[d];
                out[d] = top * (1 - b) + bottom * b;
            }
        }
    }
}
