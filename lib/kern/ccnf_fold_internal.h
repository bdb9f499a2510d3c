/* SPDX-License-Identifier: BSD-2-Clause
 * Taking a map apart into the halves that Sigma's blocks act on, and putting it together again: shared by all variants of
 * the ccnf kernels, see fa_kern_ccnf.h. */
#ifndef FA_CCNF_FOLD_INTERNAL_H
#define FA_CCNF_FOLD_INTERNAL_H

#include "fa_kern_ccnf.h"

enum { FOLD_MAX = 64 };                  /* 8 x 8 positions, the largest block (w = 15) */
/* ee, eo as [y][x]; oe transposed, [x][y], so that eo's block acts on both; oo. */
struct folded { _Alignas(64) float ee[FOLD_MAX], eo[FOLD_MAX], oe[FOLD_MAX], oo[FOLD_MAX]; };

static inline void fold(struct folded *f, const float *r, int w)
{
    const int e = (w + 1) / 2, o = w / 2;
    for (int y = 0; y < o; y++) {
        const float *up = r + y * w, *down = r + (w - 1 - y) * w;
        for (int x = 0; x < o; x++) {
            const float s = up[x] + down[x], t = up[w - 1 - x] + down[w - 1 - x];
            const float u = up[x] - down[x], v = up[w - 1 - x] - down[w - 1 - x];
            f->ee[y * e + x] = s + t;
            f->eo[y * o + x] = s - t;
            f->oe[x * o + y] = u + v;
            f->oo[y * o + x] = u - v;
        }
        f->ee[y * e + o] = up[o] + down[o];
        f->oe[o * o + y] = up[o] - down[o];
    }
    const float *mid = r + o * w;
    for (int x = 0; x < o; x++) {
        f->ee[o * e + x] = mid[x] + mid[w - 1 - x];
        f->eo[o * o + x] = mid[x] - mid[w - 1 - x];
    }
    f->ee[o * e + o] = mid[o];
}

/* The blocks give means, not sums: entry = mean +- half difference. Subtracts the minimum if it is negative. */
static inline void unfold(float *r, const struct folded *f, int w)
{
    const int e = (w + 1) / 2, o = w / 2;
    float least = 0;
    for (int y = 0; y < o; y++) {
        float *up = r + y * w, *down = r + (w - 1 - y) * w;
        for (int x = 0; x < o; x++) {
            const float s = f->ee[y * e + x] + f->oe[x * o + y], t = f->eo[y * o + x] + f->oo[y * o + x];
            const float u = f->ee[y * e + x] - f->oe[x * o + y], v = f->eo[y * o + x] - f->oo[y * o + x];
            up[x] = s + t;
            up[w - 1 - x] = s - t;
            down[x] = u + v;
            down[w - 1 - x] = u - v;
        }
        up[o] = f->ee[y * e + o] + f->oe[o * o + y];
        down[o] = f->ee[y * e + o] - f->oe[o * o + y];
    }
    float *mid = r + o * w;
    for (int x = 0; x < o; x++) {
        mid[x] = f->ee[o * e + x] + f->eo[o * o + x];
        mid[w - 1 - x] = f->ee[o * e + x] - f->eo[o * o + x];
    }
    mid[o] = f->ee[o * e + o];
    for (int i = 0; i < w * w; i++)
        least = r[i] < least ? r[i] : least;
    if (least < 0)
        for (int i = 0; i < w * w; i++)
            r[i] -= least;
}

#endif
