/* SPDX-License-Identifier: BSD-2-Clause
 * CEN patch experts (spec/landmark-models 4.7): contrast-normalised windows of an area of interest, and one layer of the network that
 * judges them, for many windows at a time. A layer is a matrix product with bias and activation fused; weights lie in the order in
 * which it reads them, so nothing is rearranged while it runs. Class exact. */
#ifndef FA_KERN_CEN_H
#define FA_KERN_CEN_H

#include <stddef.h>

enum {
    FA_CEN_SUPPORT = 11, FA_CEN_TAPS = FA_CEN_SUPPORT * FA_CEN_SUPPORT,
    FA_CEN_PANEL = 128,                  /* row length of a panel of windows, floats */
    FA_CEN_MAX_W = 15, FA_CEN_MAX_LAYERS = 8,
    FA_CEN_MAX_OUT = 1024, FA_CEN_MAX_IN = FA_CEN_MAX_OUT,
    FA_CEN_BLOCK = 16, FA_CEN_HALF = 8   /* outputs that lie side by side */
};
enum fa_cen_act { FA_CEN_LOGISTIC = 0, FA_CEN_NONE = 1, FA_CEN_RELU = 2 };

/* Windows are evaluated on a checkerboard, those with x + y odd. Two columns at a time have one window in each line; they are numbered
 * down the first two columns, up the next two and so on, so that windows with near numbers overlap and wake the same neurons. */
static inline int fa_cen_windows(int w) { return (w * w - 1) / 2; }
struct fa_cen_at { int x, y; };
static inline struct fa_cen_at fa_cen_at(int w, int k)
{
    const int pair = k / w, single = pair == w / 2, down = single ? 2 * (k - pair * w) + 1 : k % w, y = pair % 2 ? w - 1 - down : down;
    return (struct fa_cen_at){ 2 * pair + (single ? 0 : (y + 1) % 2), y };
}

/* A layer in memory: bias, then blocks of 16 outputs, [n_in][16] each; if 8 outputs or fewer are left the last block is [n_in][8].
 * Both parts are padded with zeros to a multiple of 16 floats. */
static inline int fa_cen_outputs(int n_out) { return (n_out + FA_CEN_HALF - 1) / FA_CEN_HALF * FA_CEN_HALF; }
static inline size_t fa_cen_bias_floats(int n_out) { return ((size_t)n_out + 15) / 16 * 16; }
static inline size_t fa_cen_layer_floats(int n_in, int n_out)
{
    return fa_cen_bias_floats(n_out) + ((size_t)n_in * (size_t)fa_cen_outputs(n_out) + 15) / 16 * 16;
}
struct fa_cen_layer {
    int n_in, n_out;
    enum fa_cen_act act;
    int rectified;                       /* inputs come from a rectifier: zeros among them are worth finding, they add nothing */
    const float *data;                   /* 64-byte aligned */
};

/* Puts weights[n_out][n_in] and bias into that order; out: fa_cen_layer_floats(n_in, n_out), zero before. */
void fa_cen_pack_layer(float *out, const float *weights, const float *bias, int n_in, int n_out);

struct fa_kern_cen {
    /* panel[k][FA_CEN_PANEL], k < fa_cen_windows(w): the windows' pixels row by row, less their mean, times 1 / norm (0 for a flat
     * window). aoi: a (w+10) x (w+10) area with row length FA_AOI_STRIDE, readable up to there. w odd, 3 .. 15. Entries of a row from
     * FA_CEN_TAPS on are undefined. */
    void (*windows)(float *panel, const float *aoi, int w);
    /* y[k][ldy] = act(bias + W x[k]) for n rows x[k][ldx]; ldy >= fa_cen_outputs(n_out), what lies between n_out and that is written too.
     * Each sum begins with the bias and runs over the inputs in order, one fused multiply-add after the other. y is not x.
     * n_in <= FA_CEN_MAX_IN; weights are finite. Without activation a sum of zero may have either sign. */
    void (*layer)(float *y, int ldy, const float *x, int ldx, int n, const struct fa_cen_layer *l);
};

const struct fa_kern_cen *fa_kern_cen(void);
extern const struct fa_kern_cen fa_kern_cen_c, fa_kern_cen_avx2, fa_kern_cen_avx512;

#endif
