/* SPDX-License-Identifier: BSD-2-Clause
 * Many dot products with one vector, in double: the linear predictors of the action units (spec/aus 7.1). Class exact. */
#ifndef FA_KERN_LINEAR_H
#define FA_KERN_LINEAR_H

enum { FA_LINEAR_LANES = 16 };

struct fa_kern_linear {
    /* out[k] = w_k . x for k < n_w, w_k = w + k * n, n a multiple of FA_LINEAR_LANES. Lane l sums elements l, l + 16, ...; then
     * lanes 8 apart are added, 4 apart, 2 apart, and the last two. No fused operations. */
    void (*dots)(double *restrict out, const double *restrict w, int n_w, const double *restrict x, int n);
};

const struct fa_kern_linear *fa_kern_linear(void);
extern const struct fa_kern_linear fa_kern_linear_c, fa_kern_linear_avx2, fa_kern_linear_avx512;

#endif
