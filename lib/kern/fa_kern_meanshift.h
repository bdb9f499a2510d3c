/* SPDX-License-Identifier: BSD-2-Clause
 * Sums over response maps under a separable Gaussian: the mean shift and the likelihood (spec/landmark-fit 3.4, 2.4).
 * exp(alpha ((y-a)^2 + (x-c)^2)) is a factor of the row times a factor of the column, so a map of w x w costs 2 w products in
 * lanes that hold its columns. Class exact. */
#ifndef FA_KERN_MEANSHIFT_H
#define FA_KERN_MEANSHIFT_H

/* Columns are summed over 16 lanes by halves: lane i + lane i+8, then +4, +2, +1. */
enum { FA_MEANSHIFT_ROW = 32 };

struct fa_kern_meanshift {
    /* For every landmark i < n with kx[i] >= 0: sums[i] = sum of V, sums[np + i] = sum of V c, sums[2 np + i] = sum of V a, with
     * V[a][c] = map[a][c] Ky[a] Kx[c], map = maps + i * stride, w x w (w <= 15). Row k of table has the 16 values of an axis
     * for centre k, then the same times their index; 0 from w on. Kx is row kx[i], Ky row ky[i]. Others keep their sums. */
    void (*sums)(float *sums, const float *maps, int stride, int w, const float *table, const int *kx, const int *ky, int n, int np);
    /* For every landmark i < n with visible[i]: l[i] = sum over a, c of map[a][c] exp(alpha ((dy[i] - a)^2 + (dx[i] - c)^2)). */
    void (*likelihood)(float *l, const float *maps, int stride, int w, float alpha, const float *dx, const float *dy, const int *visible,
                       int n);
};

const struct fa_kern_meanshift *fa_kern_meanshift(void);
extern const struct fa_kern_meanshift fa_kern_meanshift_c, fa_kern_meanshift_avx2, fa_kern_meanshift_avx512;

#endif
