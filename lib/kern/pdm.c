/* SPDX-License-Identifier: BSD-2-Clause
 * Plain C twins of the point distribution model's kernels: they define the results, including the order of additions. */
#include "fa_kern_pdm.h"

#include "fa_kern.h"
#include "pdm_gram_internal.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

/* Inner loops of constant length let the compiler use whatever lanes the base instruction set has. */
enum { LANES = 8 };

static void shape3d_c(float *x3, const float *mean, const float *modes, const float *q, int m, int len)
{
    assert(len % 16 == 0);
    memset(x3, 0, (size_t)len * sizeof *x3);
    for (int j = 0; j < m; j++)
        for (int i = 0; i < len; i++)
            x3[i] = fmaf(modes[j * len + i], q[j], x3[i]);
    for (int i = 0; i < len; i++)
        x3[i] = mean[i] + x3[i];
}

static void project_c(float *xy, const float *x3, const float r[9], float s, float tx, float ty, int np)
{
    const float *x = x3, *y = x3 + np, *z = x3 + 2 * np;
    assert(np % 16 == 0);
    for (int i = 0; i < np; i++) {
        xy[i] = s * (r[0] * x[i] + r[1] * y[i] + r[2] * z[i]) + tx;
        xy[np + i] = s * (r[3] * x[i] + r[4] * y[i] + r[5] * z[i]) + ty;
    }
}

static double add_lanes_f64(const double s[LANES])
{
    double u[4];
    for (int l = 0; l < 4; l++)
        u[l] = s[l] + s[l + 4];
    return (u[0] + u[1]) + (u[2] + u[3]);
}

static double residual_c(float *d, const float *xy, const float *x3, const float r[9], float s, float tx, float ty, int n, int np)
{
    const float *x = x3, *y = x3 + np, *z = x3 + 2 * np;
    double sum[LANES] = { 0 };
    assert(np % 16 == 0);
    for (int k = 0; k < 2; k++) {
        const float *rk = r + 3 * k, t = k ? ty : tx;
        for (int i = 0; i < np; i++) {
            double w = (double)rk[0] * x[i] + (double)rk[1] * y[i] + (double)rk[2] * z[i];
            float v = xy[k * np + i] - ((float)(s * w) + t);
            d[k * np + i] = i < n ? v : 0;
        }
    }
    for (int i = 0; i < 2 * np; i += LANES)
        for (int l = 0; l < LANES; l++)
            sum[l] += (double)d[i + l] * d[i + l];
    return add_lanes_f64(sum);
}

static void jacobian_c(float *j, const float *x3, const float *modes, int m, const float r[9], float s, int n, int np)
{
    const float *x = x3, *y = x3 + np, *z = x3 + 2 * np;
    const int len = 2 * np;
    assert(np % 16 == 0);
    for (int k = 0; k < 2; k++) {
        const float a = r[3 * k], b = r[3 * k + 1], c = r[3 * k + 2];
        float *col = j + k * np;
        for (int i = 0; i < np; i++) {
            col[i] = x[i] * a + y[i] * b + z[i] * c;
            col[len + i] = s * (y[i] * c - z[i] * b);
            col[2 * len + i] = -s * (x[i] * c - z[i] * a);
            col[3 * len + i] = s * (x[i] * b - y[i] * a);
            col[4 * len + i] = i < n && k == 0 ? 1.0f : 0.0f;
            col[5 * len + i] = i < n && k == 1 ? 1.0f : 0.0f;
        }
        for (int q = 0; q < m; q++) {
            const float *v = modes + q * 3 * np;
            for (int i = 0; i < np; i++)
                col[(6 + q) * len + i] = s * (a * v[i] + b * v[np + i] + c * v[2 * np + i]);
        }
    }
}

static void weigh_c(float *jw, const float *j, const float *w, int k, int len)
{
    for (int c = 0; c < k; c++)
        for (int i = 0; i < len; i++)
            jw[c * len + i] = j[c * len + i] * w[i];
}

static void gram_c(float *h, int ldh, const float *jw, const float *j, int k, int n, int np)
{
    const int len = 2 * np, whole = 2 * n / 8 * 8;
    assert(k <= FA_GRAM_MAX && n <= FA_GRAM_POINTS && np % 16 == 0);
    for (int a = 0; a < k; a++) {
        float s[2][FA_GRAM_MAX] = { { 0 } };
        int two[FA_GRAM_MAX];
        for (int b = 0; b <= a; b++)
            two[b] = gram_chains(k, a, b) == 2;
        for (int i = 0; i < 2 * n; i++) {
            const int at = i < n ? i : np + i - n, odd = i < whole && i % 2;
            const float x = jw[a * len + at];
            for (int b = 0; b <= a; b++)
                s[odd & two[b]][b] = fmaf(x, j[b * len + at], s[odd & two[b]][b]);
        }
        for (int b = 0; b <= a; b++)
            h[a * ldh + b] = h[b * ldh + a] = s[0][b] + s[1][b];
    }
}

static void rhs_c(float *b, const float *jw, const float *v, int k, int len)
{
    assert(len % 16 == 0);
    for (int a = 0; a < k; a++) {
        double s[LANES] = { 0 };
        for (int i = 0; i < len; i += LANES)
            for (int l = 0; l < LANES; l++)
                s[l] += (double)jw[a * len + i + l] * v[i + l];
        b[a] = (float)add_lanes_f64(s);
    }
}

/* Every entry of L and every unknown is a double from which products are subtracted in index order. The products of a column
 * with its own pivot row are float, the squares on the diagonal double; the diagonal holds 1 / sqrt(pivot). */
static int solve_c(float *b, const float *h, int ldh, int k)
{
    float l[FA_GRAM_MAX][FA_GRAM_MAX];                     /* l[c][r], r >= c: column c of L */
    assert(k <= FA_GRAM_MAX);
    for (int c = 0; c < k; c++) {
        double pivot = h[c * ldh + c];
        for (int t = 0; t < c; t++)
            pivot -= (double)l[t][c] * l[t][c];
        if (pivot < FLT_EPSILON) {
            memset(b, 0, (size_t)k * sizeof *b);
            return 0;
        }
        l[c][c] = (float)(1 / sqrt(pivot));
        for (int r = c + 1; r < k; r++) {
            double s = h[r * ldh + c];
            for (int t = 0; t < c; t++) {
                float p = l[t][r] * l[t][c];
                s -= p;
            }
            l[c][r] = (float)(s * l[c][c]);
        }
    }
    for (int r = 0; r < k; r++) {
        double s = b[r];
        for (int t = 0; t < r; t++) {
            float p = l[t][r] * b[t];
            s -= p;
        }
        b[r] = (float)(s * l[r][r]);
    }
    for (int r = k - 1; r >= 0; r--) {
        double s = b[r];
        for (int t = k - 1; t > r; t--) {
            float p = l[r][t] * b[t];   /* NOLINT(clang-analyzer-core.*): column r was filled from row r on */
            s -= p;
        }
        b[r] = (float)(s * l[r][r]);
    }
    return 1;
}

const struct fa_kern_pdm fa_kern_pdm_c = {
    .shape3d = shape3d_c, .project = project_c, .residual = residual_c, .jacobian = jacobian_c,
    .weigh = weigh_c, .gram = gram_c, .rhs = rhs_c, .solve = solve_c,
};

const struct fa_kern_pdm *fa_kern_pdm(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    const unsigned cpu = fa_kern_cpu();
    if (cpu & FA_CPU_AVX512)
        return &fa_kern_pdm_avx512;
    if (cpu & FA_CPU_AVX2)
        return &fa_kern_pdm_avx2;
#endif
    return &fa_kern_pdm_c;
}
