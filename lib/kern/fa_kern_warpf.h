/* SPDX-License-Identifier: BSD-2-Clause
 * Bilinear sampling of an 8-bit plane into floats, for positions that all lie inside (spec/landmark-models 4.4). Class exact:
 * weights are multiples of 1/1024 and pixels are bytes, so that every sum is exact in any order. */
#ifndef FA_KERN_WARPF_H
#define FA_KERN_WARPF_H

#include <stddef.h>
#include <stdint.h>

enum { FA_WARPF_MAX = 64 };

/* Positions in 1/1024 pixel: pixel (i, j) of the result samples src at (col_x[i] + row_x[j], col_y[i] + row_y[j]) >> 5, in
 * 1/32 pixel. Rounding terms are part of the rows. The arrays are padded to whole vectors with copies of the last value. */
struct fa_warpf_grid { int32_t col_x[FA_WARPF_MAX], col_y[FA_WARPF_MAX], row_x[FA_WARPF_MAX], row_y[FA_WARPF_MAX]; };

struct fa_kern_warpf {
    /* dst: w x h floats, row length dst_stride, at least w rounded up to 8 as far as which it is written; w, h <= FA_WARPF_MAX. All four taps of every position, and the two bytes behind them,
     * lie inside src; rows of src are src_stride bytes apart, and positions fit into 31 bits. */
    void (*inside)(float *dst, ptrdiff_t dst_stride, int w, int h, const uint8_t *src, ptrdiff_t src_stride, const struct fa_warpf_grid *g);
};

const struct fa_kern_warpf *fa_kern_warpf(void);
extern const struct fa_kern_warpf fa_kern_warpf_c, fa_kern_warpf_avx2;

#endif
