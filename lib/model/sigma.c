/* SPDX-License-Identifier: BSD-2-Clause
 * The CCNF smoothing matrix in parts (see fa_kern_ccnf.h for the idea). The components are sums over pairs of cells at fixed
 * distances, so they do not notice mirroring; in the basis of even and odd combinations of mirrored cells Q falls apart into
 * blocks of a quarter of the size, and each is inverted on its own. */
#include "fa_sigma.h"

#include <math.h>
#include <stddef.h>

#include "fa_kern_ccnf.h"

enum { BLOCK_MAX = 64 };

/* A block: its representative cells (the upper left quarter) and the signs with which mirrored cells enter. */
struct block { int ny, nx, n; double sign_y, sign_x; };

int fa_sigma_mirrors(const float *comp, int n_comp, int w)
{
    const int n = w * w;
    for (int k = 0; k < n_comp; k++, comp += (size_t)n * n)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                const int iy = i / w, ix = i % w, jy = j / w, jx = j % w;
                const float v = comp[(size_t)i * n + j];
                const float mirrored = comp[(size_t)(iy * w + w - 1 - ix) * n + jy * w + w - 1 - jx];
                const float transposed = comp[(size_t)(ix * w + iy) * n + jx * w + jy];
                if (v != mirrored || v != transposed)
                    return 0;
            }
    return 1;
}

/* An entry of Q in the reference's float arithmetic. */
static float q_entry(int i, int j, int n, float alpha_sum, const double *betas, const float *comp, int n_comp)
{
    float q = i == j ? alpha_sum : 0;
    for (int k = 0; k < n_comp; k++)
        q += (float)betas[k] * comp[((size_t)k * n + i) * n + j];
    return q;
}

/* How many cells mirror into (y, x), itself included: 4, 2 on an axis, 1 in the centre. */
static int orbit(int y, int x, int w) { return (2 * y + 1 == w ? 1 : 2) * (2 * x + 1 == w ? 1 : 2); }

/* Lower triangle of q (n x n) to its inverse, in place: L, then L^-1, then L^-T L^-1. */
static int invert(double q[BLOCK_MAX][BLOCK_MAX], int n)
{
    for (int c = 0; c < n; c++) {
        for (int t = 0; t < c; t++)
            for (int r = c; r < n; r++)
                q[r][c] -= q[r][t] * q[c][t];
        if (!(q[c][c] > 0))
            return 0;
        const double by = 1 / sqrt(q[c][c]);
        for (int r = c; r < n; r++)
            q[r][c] *= by;
    }
    for (int c = 0; c < n; c++) {
        q[c][c] = 1 / q[c][c];
        for (int r = c + 1; r < n; r++) {
            double s = 0;
            for (int t = c; t < r; t++)
                s += q[r][t] * q[t][c];
            q[r][c] = -s / q[r][r];
        }
    }
    for (int c = 0; c < n; c++)
        for (int r = c; r < n; r++) {
            double s = 0;
            for (int t = r; t < n; t++)
                s += q[t][r] * q[t][c];
            q[r][c] = s;
        }
    return 1;
}

static int fill_block(float *out, const struct block *b, int w, float alpha_sum, const double *betas, const float *comp, int n_comp)
{
    static const double root[5] = { 0, 1, 1.4142135623730951, 0, 2 };
    double q[BLOCK_MAX][BLOCK_MAX];
    const int np = fa_ccnf_pad(b->n), n = w * w;
    for (int i = 0; i < b->n; i++)
        for (int j = 0; j <= i; j++) {
            const int iy = i / b->nx, ix = i % b->nx, jy = j / b->nx, jx = j % b->nx, my = w - 1 - jy, mx = w - 1 - jx;
            double s = q_entry(iy * w + ix, jy * w + jx, n, alpha_sum, betas, comp, n_comp);
            if (mx != jx)
                s += b->sign_x * q_entry(iy * w + ix, jy * w + mx, n, alpha_sum, betas, comp, n_comp);
            if (my != jy)
                s += b->sign_y * q_entry(iy * w + ix, my * w + jx, n, alpha_sum, betas, comp, n_comp);
            if (mx != jx && my != jy)
                s += b->sign_y * b->sign_x * q_entry(iy * w + ix, my * w + mx, n, alpha_sum, betas, comp, n_comp);
            q[i][j] = 2 * s * root[orbit(iy, ix, w)] / root[orbit(jy, jx, w)];
        }
    if (!invert(q, b->n))
        return 0;
    /* From sums over mirrored cells to means: one factor 1 / sqrt(orbit) on either side. */
    for (int j = 0; j < b->n; j++)
        for (int i = 0; i < np; i++) {
            double v = 0;
            if (i < b->n)
                v = (i >= j ? q[i][j] : q[j][i]) / (root[orbit(i / b->nx, i % b->nx, w)] * root[orbit(j / b->nx, j % b->nx, w)]);
            out[j * np + i] = (float)v;
        }
    return 1;
}

/* The blocks of window w, in the order in which parts hold them. */
static void make_blocks(struct block b[3], int w)
{
    const int even = (w + 1) / 2, odd = w / 2;
    b[0] = (struct block){ even, even, even * even, 1, 1 };
    b[1] = (struct block){ even, odd, even * odd, 1, -1 };
    b[2] = (struct block){ odd, odd, odd * odd, -1, -1 };
}

int fa_sigma_make(float *parts, int w, float alpha_sum, const double *betas, const float *comp, int n_comp, struct fa_err *e)
{
    struct block b[3];
    make_blocks(b, w);
    for (int i = 0; i < 3; i++) {
        if (!fill_block(parts, &b[i], w, alpha_sum, betas, comp, n_comp))
            return fa_fail(e, FA_E_MODEL, "a CCNF expert's matrix for window %d is not positive definite", w);
        parts += fa_ccnf_block_floats(b[i].n);
    }
    return FA_OK;
}

/* The cell's number in a block and the sign with which it enters; -1 for a cell on an axis where the block is odd. */
static int cell_in_block(const struct block *b, int w, int y, int x, double *sign)
{
    *sign = 1;
    if (2 * y >= w) {
        y = w - 1 - y;
        *sign *= b->sign_y;
    }
    if (2 * x >= w) {
        x = w - 1 - x;
        *sign *= b->sign_x;
    }
    return y < b->ny && x < b->nx ? y * b->nx + x : -1;
}

double fa_sigma_entry(const float *parts, int w, int i, int j)
{
    struct block b[3];
    double sum = 0;
    make_blocks(b, w);
    for (int k = 0; k < 3; k++) {
        /* The block that is odd in y and even in x is the second one with x and y exchanged. */
        const int turns = k == 1 ? 2 : 1;
        for (int turned = 0; turned < turns; turned++) {
            double si, sj;
            const int ci = turned ? cell_in_block(&b[k], w, i % w, i / w, &si) : cell_in_block(&b[k], w, i / w, i % w, &si);
            const int cj = turned ? cell_in_block(&b[k], w, j % w, j / w, &sj) : cell_in_block(&b[k], w, j / w, j % w, &sj);
            if (ci >= 0 && cj >= 0)
                sum += si * sj * parts[cj * fa_ccnf_pad(b[k].n) + ci];
        }
        parts += fa_ccnf_block_floats(b[k].n);
    }
    return sum;
}
