/* SPDX-License-Identifier: BSD-2-Clause
 * Triangles of the face mask: the twin, and the choice. */
#include "fa_kern_mask.h"

#include <math.h>

#include "fa_kern.h"

/* First and last pixel of [lo, hi] inside [0, size); none: 1, 0. Holds for infinities and NaN as well. */
static void pixels(int *first, int *last, float lo, float hi, int size)
{
    *first = 1;
    *last = 0;
    if (!(lo <= hi) || !(hi >= 0) || !(lo <= (float)(size - 1)))
        return;
    *first = lo > 0 ? (int)ceilf(lo) : 0;
    *last = hi < (float)(size - 1) ? (int)floorf(hi) : size - 1;
}

int fa_mask_tri_setup(struct fa_mask_tri *t, int size, const float x[3], const float y[3])
{
    /* Corner opposite, then the edge's two ends: 1 and 2-3, 2 and 1-3, 3 and 1-2. */
    static const int corner[3][3] = { { 0, 1, 2 }, { 1, 0, 2 }, { 2, 0, 1 } };
    pixels(&t->x0, &t->x1, fminf(fminf(x[0], x[1]), x[2]), fmaxf(fmaxf(x[0], x[1]), x[2]), size);
    pixels(&t->y0, &t->y1, fminf(fminf(y[0], y[1]), y[2]), fmaxf(fmaxf(y[0], y[1]), y[2]), size);
    for (int k = 0; k < 3; k++) {
        int c = corner[k][0], a = corner[k][1], b = corner[k][2];
        struct fa_mask_edge *e = &t->edge[k];
        *e = (struct fa_mask_edge){ x[a], y[a], x[b] - x[a], y[b] - y[a], 0 };
        e->w = fa_mask_side(e, x[c], y[c]);
    }
    return t->x0 <= t->x1 && t->y0 <= t->y1;
}

static void triangle_c(uint8_t *mask, int size, const float px[3], const float py[3])
{
    struct fa_mask_tri t;
    if (!fa_mask_tri_setup(&t, size, px, py))
        return;
    for (int y = t.y0; y <= t.y1; y++)
        for (int x = t.x0; x <= t.x1; x++) {
            int in = 1;
            for (int k = 0; k < 3; k++)
                in &= fa_mask_side(&t.edge[k], (float)x, (float)y) * t.edge[k].w >= 0;
            mask[y * size + x] |= (uint8_t)in;
        }
}

const struct fa_kern_mask fa_kern_mask_c = { triangle_c };

const struct fa_kern_mask *fa_kern_mask(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_kern_cpu() & FA_CPU_AVX512)
        return &fa_kern_mask_avx512;
    if (fa_kern_cpu() & FA_CPU_AVX2)
        return &fa_kern_mask_avx2;
#endif
    return &fa_kern_mask_c;
}
