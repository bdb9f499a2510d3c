/* SPDX-License-Identifier: BSD-2-Clause
 * Hot loops of the small networks (face detector, landmark validator). Maps are stored pixel by pixel with the channels of a
 * pixel side by side, [h][w][c] without padding, so that the taps of one kernel row are one run of kw*c floats and a fully
 * connected layer is a convolution whose window is the whole map. Lanes are output channels. All kernels are of class exact. */
#ifndef FA_KERN_CONV_H
#define FA_KERN_CONV_H

enum { FA_CONV_LANES = 16, FA_CONV_MAX_ROWS = 16, FA_CONV_SPLIT = 32 };

/* Weights of one layer in the order of the loops: w[block][tap][16], block b holding outputs 16b .. 16b+15 and taps running
 * kernel row, kernel column, input channel. bias and slope have 16 entries a block too; padding is 0. 64-byte aligned.
 * slope: what a negative result is multiplied with (PReLU), 0 for ReLU, 1 for none. */
struct fa_conv_weights { int n_out, n_tap; const float *w, *bias, *slope; };

/* One row of n >= 1 output pixels: out[p][o] = act(bias[o] + sum over r, j of rows[r][p*step + j] * w[o][r*run + j]) with
 * act(v) = v >= 0 ? v : v * slope[o]. Order of the sum: products run in chains of fused multiply-adds that start at 0 and are
 * added to the bias one after the other; a chain is one kernel row where run >= FA_CONV_SPLIT, else all taps (long single
 * chains would lose digits that the reference keeps). n_row * run = n_tap; n_row <= FA_CONV_MAX_ROWS. out: n * n_out floats,
 * nothing is written behind them. */
typedef void fa_conv_row_fn(float *restrict out, const float *const *rows, int n_row, int run, int step,
                            const struct fa_conv_weights *w, int n);

/* One row of n output pixels of a max-pool over n_row rows of w_in pixels of c channels: pixel p covers columns
 * p*sx .. min(w_in, p*sx + kx) - 1. The maximum is a chain m = v > m ? v : m over rows, then columns. */
typedef void fa_pool_row_fn(float *restrict out, const float *const *rows, int n_row, int w_in, int kx, int sx, int n, int c);

/* One row of an image resized by two taps a direction and normalised for the networks: n pixels of R, G, B from rows r0, r1 of
 * B, G, R bytes. Column p blends the pixels at byte offsets x0[p], x1[p] with weights w0, w1; the rows with v0, v1:
 * u = ((a0 w0 + a1 w1) v0 + (b0 w0 + b1 w1) v1) / 128 - 0.99609375, each operation rounded. end: byte offset behind the last
 * readable byte of both rows (>= every x0, x1 + 3). */
struct fa_sample_cols { int n, end; const int *x0, *x1; const float *w0, *w1; };
typedef void fa_sample_row_fn(float *restrict out, const unsigned char *r0, const unsigned char *r1, float v0, float v1,
                              const struct fa_sample_cols *cols);

struct fa_kern_conv { fa_conv_row_fn *conv_row; fa_pool_row_fn *pool_row; fa_sample_row_fn *sample_row; };

const struct fa_kern_conv *fa_kern_conv(void);

/* The variants, for the accessor and the tests; a SIMD one runs only where fa_cpu_detect says so. */
extern const struct fa_kern_conv fa_kern_conv_c;
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
extern const struct fa_kern_conv fa_kern_conv_avx2, fa_kern_conv_avx512;
#endif

#endif
