/* SPDX-License-Identifier: BSD-2-Clause
 * Point distribution model kernels in AVX2 with FMA. Same bits as lib/kern/pdm.c: in rhs and residual the 8 partial sums are the
 * lanes; elsewhere lanes are outputs. Products of two floats are exact in double, so that a fused multiply-add of
 * such a product rounds like the twin's multiply and add. */
#include "fa_kern_pdm.h"

#include <assert.h>
#include <float.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "pdm_gram_internal.h"

static void shape3d_avx2(float *x3, const float *mean, const float *modes, const float *q, int m, int len)
{
    assert(len % 48 == 0);
    for (int i = 0; i < len; i += 48) {
        __m256 acc[6];
#pragma GCC unroll 6
        for (int l = 0; l < 6; l++)
            acc[l] = _mm256_setzero_ps();
        for (int j = 0; j < m; j++) {
            const float *v = modes + (long)j * len + i;
            const __m256 w = _mm256_broadcast_ss(q + j);
#pragma GCC unroll 6
            for (int l = 0; l < 6; l++)
                acc[l] = _mm256_fmadd_ps(_mm256_loadu_ps(v + 8 * l), w, acc[l]);
        }
#pragma GCC unroll 6
        for (int l = 0; l < 6; l++)
            _mm256_storeu_ps(x3 + i + 8 * l, _mm256_add_ps(_mm256_loadu_ps(mean + i + 8 * l), acc[l]));
    }
}

/* a x + b y + c z from left to right. */
static inline __m256 dot3(__m256 a, __m256 b, __m256 c, __m256 x, __m256 y, __m256 z)
{
    return _mm256_add_ps(_mm256_add_ps(_mm256_mul_ps(a, x), _mm256_mul_ps(b, y)), _mm256_mul_ps(c, z));
}

static void project_avx2(float *xy, const float *x3, const float r[9], float s, float tx, float ty, int np)
{
    const __m256 scale = _mm256_set1_ps(s);
    assert(np % 16 == 0);
    for (int k = 0; k < 2; k++) {
        const __m256 a = _mm256_set1_ps(r[3 * k]), b = _mm256_set1_ps(r[3 * k + 1]), c = _mm256_set1_ps(r[3 * k + 2]);
        const __m256 t = _mm256_set1_ps(k ? ty : tx);
        for (int i = 0; i < np; i += 8) {
            const __m256 x = _mm256_loadu_ps(x3 + i), y = _mm256_loadu_ps(x3 + np + i), z = _mm256_loadu_ps(x3 + 2 * np + i);
            _mm256_storeu_ps(xy + k * np + i, _mm256_add_ps(_mm256_mul_ps(scale, dot3(a, b, c, x, y, z)), t));
        }
    }
}

static inline __m256d low_f64(__m256 v) { return _mm256_cvtps_pd(_mm256_castps256_ps128(v)); }
static inline __m256d high_f64(__m256 v) { return _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)); }

/* Lanes 0..3 and 4..7 of a sum, added as the twin does. */
static inline double add_lanes_f64(__m256d low, __m256d high)
{
    double u[4];
    _mm256_storeu_pd(u, _mm256_add_pd(low, high));
    return (u[0] + u[1]) + (u[2] + u[3]);
}

static double residual_avx2(float *d, const float *xy, const float *x3, const float r[9], float s, float tx, float ty, int n, int np)
{
    const __m256d scale = _mm256_set1_pd(s);
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256d sum[2] = { _mm256_setzero_pd(), _mm256_setzero_pd() };
    assert(np % 16 == 0);
    for (int k = 0; k < 2; k++) {
        const __m256d a = _mm256_set1_pd(r[3 * k]), b = _mm256_set1_pd(r[3 * k + 1]), c = _mm256_set1_pd(r[3 * k + 2]);
        const __m256 t = _mm256_set1_ps(k ? ty : tx);
        for (int i = 0; i < np; i += 8) {
            __m128 w[2];
            for (int half = 0; half < 2; half++) {
                const float *p = x3 + i + 4 * half;
                const __m256d x = _mm256_cvtps_pd(_mm_loadu_ps(p)), y = _mm256_cvtps_pd(_mm_loadu_ps(p + np));
                const __m256d z = _mm256_cvtps_pd(_mm_loadu_ps(p + 2 * np));
                const __m256d v = _mm256_fmadd_pd(c, z, _mm256_fmadd_pd(b, y, _mm256_mul_pd(a, x)));
                w[half] = _mm256_cvtpd_ps(_mm256_mul_pd(scale, v));
            }
            __m256 v = _mm256_sub_ps(_mm256_loadu_ps(xy + k * np + i), _mm256_add_ps(_mm256_set_m128(w[1], w[0]), t));
            v = _mm256_and_ps(v, _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(n - i), lane)));
            _mm256_storeu_ps(d + k * np + i, v);
            sum[0] = _mm256_fmadd_pd(low_f64(v), low_f64(v), sum[0]);
            sum[1] = _mm256_fmadd_pd(high_f64(v), high_f64(v), sum[1]);
        }
    }
    return add_lanes_f64(sum[0], sum[1]);
}

static void jacobian_avx2(float *j, const float *x3, const float *modes, int m, const float r[9], float s, int n, int np)
{
    const int len = 2 * np;
    const __m256 scale = _mm256_set1_ps(s), minus = _mm256_set1_ps(-s);
    const __m256 a0 = _mm256_set1_ps(r[0]), b0 = _mm256_set1_ps(r[1]), c0 = _mm256_set1_ps(r[2]);
    const __m256 a1 = _mm256_set1_ps(r[3]), b1 = _mm256_set1_ps(r[4]), c1 = _mm256_set1_ps(r[5]);
    assert(np % 16 == 0);
    for (int i = 0; i < np; i += 8) {
        const __m256 x = _mm256_loadu_ps(x3 + i), y = _mm256_loadu_ps(x3 + np + i), z = _mm256_loadu_ps(x3 + 2 * np + i);
#pragma GCC unroll 2
        for (int k = 0; k < 2; k++) {
            const __m256 a = k ? a1 : a0, b = k ? b1 : b0, c = k ? c1 : c0;
            float *col = j + k * np + i;
            _mm256_storeu_ps(col, dot3(x, y, z, a, b, c));
            _mm256_storeu_ps(col + len, _mm256_mul_ps(scale, _mm256_sub_ps(_mm256_mul_ps(y, c), _mm256_mul_ps(z, b))));
            _mm256_storeu_ps(col + 2 * len, _mm256_mul_ps(minus, _mm256_sub_ps(_mm256_mul_ps(x, c), _mm256_mul_ps(z, a))));
            _mm256_storeu_ps(col + 3 * len, _mm256_mul_ps(scale, _mm256_sub_ps(_mm256_mul_ps(x, b), _mm256_mul_ps(y, a))));
        }
    }
    for (int i = 0; i < np; i++) {
        j[4 * len + i] = j[5 * len + np + i] = i < n ? 1.0f : 0.0f;
        j[4 * len + np + i] = j[5 * len + i] = 0;
    }
    for (int q = 0; q < m; q++) {
        const float *v = modes + (long)q * 3 * np;
        float *col = j + (6 + q) * len;
        for (int i = 0; i < np; i += 8) {
            const __m256 x = _mm256_loadu_ps(v + i), y = _mm256_loadu_ps(v + np + i), z = _mm256_loadu_ps(v + 2 * np + i);
            _mm256_storeu_ps(col + i, _mm256_mul_ps(scale, dot3(a0, b0, c0, x, y, z)));
            _mm256_storeu_ps(col + np + i, _mm256_mul_ps(scale, dot3(a1, b1, c1, x, y, z)));
        }
    }
}

static void weigh_avx2(float *jw, const float *j, const float *w, int k, int len)
{
    assert(len % 16 == 0);
    for (int c = 0; c < k; c++)
        for (int i = 0; i < len; i += 8)
            _mm256_storeu_ps(jw + c * len + i, _mm256_mul_ps(_mm256_loadu_ps(j + c * len + i), _mm256_loadu_ps(w + i)));
}

static void rhs_avx2(float *b, const float *jw, const float *v, int k, int len)
{
    assert(len % 16 == 0);
    for (int a = 0; a < k; a++) {
        __m256d low = _mm256_setzero_pd(), high = low;
        for (int i = 0; i < len; i += 8) {
            const float *x = jw + a * len + i, *y = v + i;
            low = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm_loadu_ps(x)), _mm256_cvtps_pd(_mm_loadu_ps(y)), low);
            high = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm_loadu_ps(x + 4)), _mm256_cvtps_pd(_mm_loadu_ps(y + 4)), high);
        }
        b[a] = (float)add_lanes_f64(low, high);
    }
}

/* L by columns, lanes are rows: l[c][r], r >= c. The right-hand side is row k of H, so that eliminating it is the forward
 * substitution, product by product. Pivots are kept up to date for all rows, so that the next one is ready early. */
struct factor { float l[FA_GRAM_MAX][FA_GRAM_MAX + 8]; double pivot[FA_GRAM_MAX + 8]; };

/* Column c, rows r to r + 8 blocks, where columns 0..c-1 are done. */
static inline __attribute__((always_inline)) void factor_rows(struct factor *f, int c, int r, __m256d by, const int blocks)
{
    __m256d s[3][2];
#pragma GCC unroll 3
    for (int i = 0; i < blocks; i++) {
        s[i][0] = _mm256_cvtps_pd(_mm_load_ps(&f->l[c][r + 8 * i]));
        s[i][1] = _mm256_cvtps_pd(_mm_load_ps(&f->l[c][r + 8 * i + 4]));
    }
    for (int t = 0; t < c; t++) {
        const __m256 w = _mm256_broadcast_ss(&f->l[t][c]);
#pragma GCC unroll 3
        for (int i = 0; i < blocks; i++) {
            const __m256 p = _mm256_mul_ps(_mm256_load_ps(&f->l[t][r + 8 * i]), w);
            s[i][0] = _mm256_sub_pd(s[i][0], low_f64(p));
            s[i][1] = _mm256_sub_pd(s[i][1], high_f64(p));
        }
    }
#pragma GCC unroll 3
    for (int i = 0; i < blocks; i++) {         /* one whole store: the next column loads it at once */
        const __m256 v = _mm256_set_m128(_mm256_cvtpd_ps(_mm256_mul_pd(s[i][1], by)), _mm256_cvtpd_ps(_mm256_mul_pd(s[i][0], by)));
        double *pivot = &f->pivot[r + 8 * i];
        _mm256_store_ps(&f->l[c][r + 8 * i], v);
        _mm256_store_pd(pivot, _mm256_fnmadd_pd(low_f64(v), low_f64(v), _mm256_load_pd(pivot)));
        _mm256_store_pd(pivot + 4, _mm256_fnmadd_pd(high_f64(v), high_f64(v), _mm256_load_pd(pivot + 4)));
    }
}

static int solve_avx2(float *b, const float *h, int ldh, int k)
{
    _Alignas(32) struct factor f;
    const int rows = (k + 8) & ~7;             /* 0..k, whole blocks */
    assert(k <= FA_GRAM_MAX);
    memset(f.pivot, 0, sizeof f.pivot);
    for (int c = 0; c < k; c++) {
        memset(f.l[c], 0, (size_t)rows * sizeof f.l[c][0]);
        f.l[c][k] = b[c];
    }
    for (int r = 0; r < k; r++) {
        for (int c = 0; c <= r; c++)
            f.l[c][r] = h[r * ldh + c];
        f.pivot[r] = h[r * ldh + r];
    }
    for (int c = 0; c < k; c++) {
        if (f.pivot[c] < FLT_EPSILON) {
            memset(b, 0, (size_t)k * sizeof *b);
            return 0;
        }
        const float inverse = (float)(1 / sqrt(f.pivot[c]));
        const __m256d by = _mm256_set1_pd(inverse);
        int r = c & ~7;
        for (; r + 24 <= rows; r += 24)
            factor_rows(&f, c, r, by, 3);
        if (r + 16 <= rows)
            factor_rows(&f, c, r, by, 2);
        else if (r < rows)
            factor_rows(&f, c, r, by, 1);
        f.l[c][c] = inverse;
    }
    for (int r = k - 1; r >= 0; r--) {
        double s = f.l[r][k];
        for (int t = k - 1; t > r; t--) {
            const float p = f.l[r][t] * b[t];
            s -= p;
        }
        b[r] = (float)(s * f.l[r][r]);
    }
    return 1;
}

const struct fa_kern_pdm fa_kern_pdm_avx2 = {
    .shape3d = shape3d_avx2, .project = project_avx2, .residual = residual_avx2, .jacobian = jacobian_avx2,
    .weigh = weigh_avx2, .gram = fa_pdm_gram_avx2, .rhs = rhs_avx2, .solve = solve_avx2,
};
