/* SPDX-License-Identifier: BSD-2-Clause
 * Correlation of an area of interest with an 11 x 11 patch in double (spec/landmark-models 4.6). Class exact. */
#ifndef FA_KERN_SVR_H
#define FA_KERN_SVR_H

enum { FA_SVR_SUPPORT = 11, FA_SVR_STRIDE = 32, FA_SVR_ROW = 16 };

struct fa_kern_svr {
    /* num[y * FA_SVR_ROW + x], x, y < w <= 15: fused sum, taps row by row, of weight[ty][tx] * area[y+ty][x+tx]. area: w+10 rows of
     * FA_SVR_STRIDE doubles that all exist; all FA_SVR_ROW results of a row are written. */
    void (*correlate)(double *num, const double *area, int w, const double *weight);
};

const struct fa_kern_svr *fa_kern_svr(void);
extern const struct fa_kern_svr fa_kern_svr_c, fa_kern_svr_avx2, fa_kern_svr_avx512;

#endif
