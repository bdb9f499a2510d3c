/* SPDX-License-Identifier: BSD-2-Clause
 * A tensor derived from others: Sigma = (2Q)^-1 of CCNF experts, Q = alpha_sum I + sum of beta_k C_k (spec/landmark-models 4.5), in
 * the parts that fa_kern_ccnf.h describes. Made when a model is packed, and for other windows when they are first used. */
#ifndef FA_SIGMA_H
#define FA_SIGMA_H

#include "fa_err.h"

/* 1 if the components, [n_comp][w*w][w*w], stay the same when positions are mirrored in x and transposed: parts need that. */
int fa_sigma_mirrors(const float *comp, int n_comp, int w);
/* One expert's parts, fa_ccnf_sigma_floats(w) floats. w odd, 3 .. 15. FA_OK or FA_E_MODEL (Q is not positive definite). */
int fa_sigma_make(float *parts, int w, float alpha_sum, const double *betas, const float *comp, int n_comp, struct fa_err *e);
/* Entry (i, j) of the w*w x w*w matrix that the parts stand for, cells numbered row by row. */
double fa_sigma_entry(const float *parts, int w, int i, int j);

#endif
