/* SPDX-License-Identifier: BSD-2-Clause
 * Pixels: 8-bit planes and interleaved BGR, float planes, and the few operations the reference needs on them, bit for bit.
 * Coordinates: origin at the centre of the top-left pixel, x right, y down. Strides in elements' own bytes, stated per struct. */
#ifndef FA_IMAGE_H
#define FA_IMAGE_H

#include <stddef.h>
#include <stdint.h>
#include "fa_err.h"

/* 8-bit image, ch interleaved channels (1 gray, 3 B,G,R). stride in bytes, >= w*ch. */
struct fa_img8 { uint8_t *px; ptrdiff_t stride; int w, h, ch; };
/* Float plane. stride in floats, >= w. */
struct fa_imgf { float *px; ptrdiff_t stride; int w, h; };

/* Y = (3735 B + 19235 G + 9798 R + 16384) >> 15, exact (spec/output 14). dst: 1 channel, same size; src: 3 channels (1: copied). */
void fa_gray_from_bgr(struct fa_img8 *dst, const struct fa_img8 *src);

/* Resize, INTER_LINEAR on float, exact (spec/detection 3.3): each channel plane of src to dst's size. */
void fa_resize_linear(struct fa_imgf *dst, const struct fa_imgf *src);
/* Its source positions on one axis: destination first + d, d < n, of n_dst lies at[d] + frac[d] source pixels in, 0 <= frac < 1,
 * before any treatment of the borders (at may be -1 or n_src - 1). */
void fa_resize_taps(int *at, float *frac, int first, int n, int n_dst, int n_src);

/* 8-bit affine warp, fixed-point bilinear, constant border 0, exact (spec/aus 3.5). m: 2 x 3 row-major, maps src to dst
 * (it is inverted inside). dst and src have the same number of channels. */
void fa_warp_affine_u8(struct fa_img8 *dst, const struct fa_img8 *src, const float m[6]);
/* The same where mask (dst's w x h bytes, 1 inside, 0 outside, no padding) is 1, and 0 elsewhere. */
void fa_warp_affine_u8_masked(struct fa_img8 *dst, const struct fa_img8 *src, const float m[6], const uint8_t *mask);

/* Float-valued sample of an 8-bit gray image by an inverse map, linear, border 0, exact (spec/landmark-models 4.4).
 * m: 2 x 3 row-major, maps dst pixel to src position. dst: any size up to 64 x 64. */
void fa_warp_inverse_f32(struct fa_imgf *dst, const struct fa_img8 *gray, const float m[6]);

/* Writes a BMP as OpenCV does (spec/output 10): 24-bit B,G,R or 8-bit gray by img->ch. FA_OK, FA_E_IO, FA_E_ARG. */
int fa_bmp_write(const char *path, const struct fa_img8 *img, struct fa_err *e);

#endif
