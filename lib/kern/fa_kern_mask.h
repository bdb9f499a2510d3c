/* SPDX-License-Identifier: BSD-2-Clause
 * The face mask, one triangle at a time (spec/aus 3.6, step 3). Class exact. */
#ifndef FA_KERN_MASK_H
#define FA_KERN_MASK_H

#include <stdint.h>

enum { FA_MASK_SPARE = 16 };

struct fa_kern_mask {
    /* Sets to 1 the pixels of mask (size x size, FA_MASK_SPARE more bytes may be read and written back) that lie in the
     * triangle, edges included: inside its bounding box and on the inner side of each edge, judged in float. */
    void (*triangle)(uint8_t *mask, int size, const float x[3], const float y[3]);
};

const struct fa_kern_mask *fa_kern_mask(void);
extern const struct fa_kern_mask fa_kern_mask_c, fa_kern_mask_avx2, fa_kern_mask_avx512;

/* What all variants share. An edge through (x, y) in direction (dx, dy); w: the side of the corner opposite to it. A point
 * is on that side when u * w >= 0, u as in fa_mask_side. */
struct fa_mask_edge { float x, y, dx, dy, w; };
struct fa_mask_tri { struct fa_mask_edge edge[3]; int x0, x1, y0, y1; };

static inline float fa_mask_side(const struct fa_mask_edge *e, float x, float y)
{
    return e->dx * (y - e->y) - (x - e->x) * e->dy;
}
/* 0 when the triangle's box holds no pixel. */
int fa_mask_tri_setup(struct fa_mask_tri *t, int size, const float x[3], const float y[3]);

#endif
