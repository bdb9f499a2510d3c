/* SPDX-License-Identifier: BSD-2-Clause
 * One CCNF expert on one area of interest (spec/landmark-models 4.5): normalised windows through the neurons, then the product
 * with Sigma. Class exact. */
#ifndef FA_KERN_CCNF_H
#define FA_KERN_CCNF_H

#include <stddef.h>

enum {
    FA_CCNF_SUPPORT = 11, FA_CCNF_TAPS = FA_CCNF_SUPPORT * FA_CCNF_SUPPORT,
    FA_CCNF_MAX_W = 15, FA_CCNF_MAX_MAP = FA_CCNF_MAX_W * FA_CCNF_MAX_W,
    FA_AOI_STRIDE = 32                   /* row length of an area of interest, floats */
};

/* An expert's neurons, kp (a multiple of 8) a tap; those from n on have no effect and need not be evaluated. */
struct fa_ccnf_neurons {
    int n, kp;
    const float *weights;                /* [FA_CCNF_TAPS][kp], row y outer, column x inner, times the norm */
    const float *bias, *alpha2;          /* [kp]: bias, twice alpha */
};

/* Sigma in parts. Its components, and so Sigma itself, do not change when both positions are mirrored in x, in y, or transposed.
 * Then it falls apart into independent blocks for the even and odd halves (e = a + b, o = a - b of mirrored entries): with
 * E = (w+1)/2, O = w/2 a block ee of E*E, eo of E*O (even in y, odd in x; the same for oe transposed) and oo of O*O positions,
 * a quarter of the numbers and of the work. A block of n positions is n columns of n outputs, each padded to a multiple of 8. */
static inline int fa_ccnf_pad(int n) { return (n + 7) & ~7; }
static inline size_t fa_ccnf_block_floats(int n) { return (size_t)n * fa_ccnf_pad(n); }
static inline size_t fa_ccnf_sigma_floats(int w)
{
    const int e = (w + 1) / 2, o = w / 2;
    return fa_ccnf_block_floats(e * e) + fa_ccnf_block_floats(e * o) + fa_ccnf_block_floats(o * o);
}

struct fa_kern_ccnf {
    /* r[w*w]: sum over the neurons of alpha2 / (1 + exp(-z)) for every window of aoi, a (w+10) x (w+10) area with row length
     * FA_AOI_STRIDE; row = y. z = bias + f * (sum of weight * (pixel - mean)), f = 1 / norm. Up to 15 floats behind r's end are
     * overwritten; the entries of aoi's rows up to FA_AOI_STRIDE are read and must exist. w odd, 3 .. 15. */
    void (*response)(float *r, const float *aoi, int w, const struct fa_ccnf_neurons *nn);
    /* o[w*w] = Sigma r, less its minimum if that is negative. sigma: the blocks ee, eo, oo. o may be r. */
    void (*smooth)(float *o, const float *r, const float *sigma, int w);
};

const struct fa_kern_ccnf *fa_kern_ccnf(void);
extern const struct fa_kern_ccnf fa_kern_ccnf_c, fa_kern_ccnf_avx2, fa_kern_ccnf_avx512;

#endif
