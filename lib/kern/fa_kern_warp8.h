/* SPDX-License-Identifier: BSD-2-Clause
 * 8-bit affine warp, one run of a row at a time (spec/aus 3.5, steps 4 to 6). Class exact. */
#ifndef FA_KERN_WARP8_H
#define FA_KERN_WARP8_H

#include <stddef.h>
#include <stdint.h>

/* Source pixels, ch interleaved channels; stride in bytes. w, h <= 16384, and h * stride fits an int. */
struct fa_warp8_src { const uint8_t *px; ptrdiff_t stride; int w, h, ch; };

struct fa_kern_warp8 {
    /* Pixel i of the run, i < n, sits in the source at ((x0 + ax[i]) >> 5, (y0 + ay[i]) >> 5) in 1/32 pixel; sums must not overflow.
     * Bilinear with 5-bit weights; a tap outside the source counts 0. dst: n * ch bytes. */
    void (*run)(uint8_t *restrict dst, int n, const struct fa_warp8_src *src, int x0, int y0, const int *ax, const int *ay);
};

const struct fa_kern_warp8 *fa_kern_warp8(void);
extern const struct fa_kern_warp8 fa_kern_warp8_c, fa_kern_warp8_avx2;

#endif
