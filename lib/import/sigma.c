/* SPDX-License-Identifier: BSD-2-Clause
 * Sigma = (2Q)^-1 of every CCNF expert (LM 4.5), once at packing. Q is built in float as the reference builds it; the inverse is
 * computed in double and rounded, which lies within 2e-7 of the reference's float Cholesky (LM 7.5, 8).
 *
 *      2Q = U'U     V = U^-1     Sigma = V V'
 *
 * All three steps run along rows with contiguous "row += factor * row" inner loops; no sum is reordered, so that the result
 * is the same on every machine and for any number of threads. */
#include "import_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* y[i] -= f * x[i] */
static inline void subtract(double *restrict y, const double *restrict x, double f, int n)
{
#pragma omp simd
    for (int i = 0; i < n; i++)
        y[i] -= f * x[i];
}

static void build(float *q, float sa, const double *betas, const float *comp, int n_comp, int n)
{
    size_t nn = (size_t)n * (size_t)n;
    memset(q, 0, nn * sizeof *q);
    for (int k = 0; k < n_comp; k++) {
        float beta = (float)betas[k];
        const float *c = comp + (size_t)k * nn;
        for (size_t i = 0; i < nn; i++)
            q[i] += beta * c[i];
    }
    for (int i = 0; i < n; i++)
        q[i * n + i] += sa;
}

/* out = (2q)^-1. a, v: n x n doubles of scratch. 0 when q is not positive definite. */
static int invert(float *out, const float *q, double *a, double *v, int n)
{
    for (int i = 0; i < n * n; i++)
        a[i] = 2 * (double)q[i];
    for (int k = 0; k < n; k++) {
        double *u = a + k * n;
        if (!(u[k] > 1e-12))
            return 0;
        double d = sqrt(u[k]);
        for (int j = k; j < n; j++)
            u[j] /= d;
        for (int i = k + 1; i < n; i++)
            subtract(a + i * n + i, u + i, u[i], n - i);
    }
    memset(v, 0, (size_t)n * (size_t)n * sizeof *v);
    for (int i = n - 1; i >= 0; i--) {
        double *r = v + i * n;
        r[i] = 1;
        for (int k = i + 1; k < n; k++)
            subtract(r + k, v + k * n + k, a[i * n + k], n - k);
        for (int j = i; j < n; j++)
            r[j] /= a[i * n + i];
    }
    /* a = V' (rows: columns of V), then the sum of its rows' outer products into v's upper triangle, negated. */
    for (int i = 0; i < n; i++)
        for (int j = i; j < n; j++)
            a[j * n + i] = v[i * n + j];
    memset(v, 0, (size_t)n * (size_t)n * sizeof *v);
    for (int k = 0; k < n; k++)
        for (int i = 0; i <= k; i++)
            subtract(v + i * n + i, a + k * n + i, a[k * n + i], k - i + 1);
    for (int i = 0; i < n; i++)
        for (int j = i; j < n; j++)
            out[i * n + j] = out[j * n + i] = (float)-v[i * n + j];
    return 1;
}

int fa_sigma(float *out, const struct fa_experts *x, const float *comp, int n_comp, int w, struct fa_err *e)
{
    int n = w * w, no_memory = 0, singular = 0;
    size_t nn = (size_t)n * (size_t)n;
#pragma omp parallel
    {
        float *q = malloc(nn * sizeof *q);
        double *a = malloc(2 * nn * sizeof *a);
        if (!q || !a)
#pragma omp atomic write
            no_memory = 1;
#pragma omp for schedule(dynamic, 8)
        for (int i = 0; i < x->n_expert; i++) {
            if (!q || !a)
                continue;
            build(q, x->alpha_sum[i], x->betas + (size_t)i * (size_t)x->n_beta, comp, n_comp, n);
            if (!invert(out + (size_t)i * nn, q, a, a + nn, n))
#pragma omp atomic write
                singular = 1;
        }
        free(q);
        free(a);
    }
    if (no_memory)
        return fa_fail(e, FA_E_MEM, "out of memory");
    return singular ? fa_fail(e, FA_E_MODEL, "an expert's Sigma matrix is not positive definite") : FA_OK;
}
