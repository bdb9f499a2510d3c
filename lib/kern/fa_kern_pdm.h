/* SPDX-License-Identifier: BSD-2-Clause
 * Kernels of the point distribution model and of its normal equations (spec/landmark-models 2, spec/landmark-fit 3.5).
 * Planes are np floats, np a multiple of 16; a matrix of columns is column-major, column c at j + c * len, len = 2 np, the
 * padding of every column 0. No alignment is asked for. Class exact: every variant gives the bits of the plain C twin. */
#ifndef FA_KERN_PDM_H
#define FA_KERN_PDM_H

enum { FA_GRAM_MAX = 64, FA_GRAM_POINTS = 96 };

struct fa_kern_pdm {
    /* x3[i] = mean[i] + (fused chain from 0 over j of modes[j*len + i] * q[j]), i < len = 3 np. */
    void (*shape3d)(float *x3, const float *mean, const float *modes, const float *q, int m, int len);
    /* 2D shape xy[2][np] of x3[3][np]: s (r_k0 X + r_k1 Y + r_k2 Z) + t_k, plain float from left to right. */
    void (*project)(float *xy, const float *x3, const float r[9], float s, float tx, float ty, int np);
    /* d[2][np] = xy - projection, where the projection is fl(s * sum) + t with the sum of products in double (LM 2.8, steps a
     * and f); padding (i >= n) 0. Returns the sum of squares: double, lane l takes i = l, l+8, ..;
     * u_l = s_l + s_(l+4); (u0 + u1) + (u2 + u3). */
    double (*residual)(float *d, const float *xy, const float *x3, const float r[9], float s, float tx, float ty, int n, int np);
    /* 6 + m columns of the Jacobian (LM 2.5) into j; m = 0: rigid. The padding of x3 and modes is 0. */
    void (*jacobian)(float *j, const float *x3, const float *modes, int m, const float r[9], float s, int n, int np);
    /* jw[c][i] = j[c][i] * w[i], k columns; jw may be j. */
    void (*weigh)(float *jw, const float *j, const float *w, int k, int len);
    /* H = Jw' J, k x k with row length ldh, k <= FA_GRAM_MAX, n <= FA_GRAM_POINTS points in planes of np: for a >= b, h[a][b] =
     * h[b][a] = sum over the rows i (x of points 0..n-1, then y) of jw[a][i] * j[b][i], in one or two chains of fused
     * multiply-adds as lib/kern/pdm_gram_internal.h says: the reference's own sums, to the bit. */
    void (*gram)(float *h, int ldh, const float *jw, const float *j, int k, int n, int np);
    /* b[a] = sum over i of jw[a][i] * v[i]: products and sums in double, in the lanes of residual, then rounded to float. */
    void (*rhs)(float *b, const float *jw, const float *v, int k, int len);
    /* Solves H d = b, see fa_solve_cholesky in fa_shape.h: k x k with row length ldh, lower triangle read, h untouched; b -> d.
     * Returns 0 and leaves zeros when a pivot is below float epsilon. */
    int (*solve)(float *b, const float *h, int ldh, int k);
};

const struct fa_kern_pdm *fa_kern_pdm(void);
extern const struct fa_kern_pdm fa_kern_pdm_c, fa_kern_pdm_avx2, fa_kern_pdm_avx512;

#endif
