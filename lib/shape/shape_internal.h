/* SPDX-License-Identifier: BSD-2-Clause
 * What the files of this room share. */
#ifndef FA_SHAPE_INTERNAL_H
#define FA_SHAPE_INTERNAL_H

/* SVD A = U S V' of an n x n matrix (n = 2 or 3) with the reference's rounding (LM 4.2 d). ut: in the columns of A as rows,
 * out the columns of U as rows; vt: the columns of V as rows. Singular values descend; they are not returned. */
void fa_shape_svd_f32(float *ut, float *vt, int n);
void fa_shape_svd_f64(double *ut, double *vt, int n);

#endif
