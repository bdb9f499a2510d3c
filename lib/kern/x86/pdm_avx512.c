/* SPDX-License-Identifier: BSD-2-Clause
 * Point distribution model kernels in AVX-512. Same bits as lib/kern/pdm.c; the notes of pdm_avx2.c hold here too. The
 * tiles of gram are eight columns wide, which fits AVX2: both ladders share it. */
#include "fa_kern_pdm.h"

#include <assert.h>
#include <float.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "pdm_gram_internal.h"

static inline void shape3d_block(float *x3, const float *mean, const float *modes, const float *q, int m, int len, const int regs)
{
    __m512 acc[5];
#pragma GCC unroll 5
    for (int l = 0; l < regs; l++)
        acc[l] = _mm512_setzero_ps();
    for (int j = 0; j < m; j++) {
        const float *v = modes + (long)j * len;
        const __m512 w = _mm512_set1_ps(q[j]);
#pragma GCC unroll 5
        for (int l = 0; l < regs; l++)
            acc[l] = _mm512_fmadd_ps(_mm512_loadu_ps(v + 16 * l), w, acc[l]);
    }
#pragma GCC unroll 5
    for (int l = 0; l < regs; l++)
        _mm512_storeu_ps(x3 + 16 * l, _mm512_add_ps(_mm512_loadu_ps(mean + 16 * l), acc[l]));
}

static void shape3d_avx512(float *x3, const float *mean, const float *modes, const float *q, int m, int len)
{
    int i = 0;
    assert(len % 48 == 0);
    for (; i + 80 <= len; i += 80)
        shape3d_block(x3 + i, mean + i, modes + i, q, m, len, 5);
    for (; i < len; i += 16)
        shape3d_block(x3 + i, mean + i, modes + i, q, m, len, 1);
}

/* a x + b y + c z from left to right. */
static inline __m512 dot3(__m512 a, __m512 b, __m512 c, __m512 x, __m512 y, __m512 z)
{
    return _mm512_add_ps(_mm512_add_ps(_mm512_mul_ps(a, x), _mm512_mul_ps(b, y)), _mm512_mul_ps(c, z));
}

static void project_avx512(float *xy, const float *x3, const float r[9], float s, float tx, float ty, int np)
{
    const __m512 scale = _mm512_set1_ps(s);
    assert(np % 16 == 0);
    for (int k = 0; k < 2; k++) {
        const __m512 a = _mm512_set1_ps(r[3 * k]), b = _mm512_set1_ps(r[3 * k + 1]), c = _mm512_set1_ps(r[3 * k + 2]);
        const __m512 t = _mm512_set1_ps(k ? ty : tx);
        for (int i = 0; i < np; i += 16) {
            const __m512 x = _mm512_loadu_ps(x3 + i), y = _mm512_loadu_ps(x3 + np + i), z = _mm512_loadu_ps(x3 + 2 * np + i);
            _mm512_storeu_ps(xy + k * np + i, _mm512_add_ps(_mm512_mul_ps(scale, dot3(a, b, c, x, y, z)), t));
        }
    }
}

static inline double add_lanes_f64(__m512d s)
{
    double u[4];
    _mm256_storeu_pd(u, _mm256_add_pd(_mm512_castpd512_pd256(s), _mm512_extractf64x4_pd(s, 1)));
    return (u[0] + u[1]) + (u[2] + u[3]);
}

static double residual_avx512(float *d, const float *xy, const float *x3, const float r[9], float s, float tx, float ty, int n, int np)
{
    const __m512d scale = _mm512_set1_pd(s);
    __m512d sum = _mm512_setzero_pd();
    assert(np % 16 == 0);
    for (int k = 0; k < 2; k++) {
        const __m512d a = _mm512_set1_pd(r[3 * k]), b = _mm512_set1_pd(r[3 * k + 1]), c = _mm512_set1_pd(r[3 * k + 2]);
        const __m256 t = _mm256_set1_ps(k ? ty : tx);
        for (int i = 0; i < np; i += 8) {
            const __m512d x = _mm512_cvtps_pd(_mm256_loadu_ps(x3 + i)), y = _mm512_cvtps_pd(_mm256_loadu_ps(x3 + np + i));
            const __m512d z = _mm512_cvtps_pd(_mm256_loadu_ps(x3 + 2 * np + i));
            const __m512d w = _mm512_fmadd_pd(c, z, _mm512_fmadd_pd(b, y, _mm512_mul_pd(a, x)));
            const __mmask8 real = n - i >= 8 ? 0xff : n > i ? (__mmask8)((1u << (n - i)) - 1) : 0;
            const __m256 seen = _mm256_add_ps(_mm512_cvtpd_ps(_mm512_mul_pd(scale, w)), t);
            const __m256 v = _mm256_maskz_sub_ps(real, _mm256_loadu_ps(xy + k * np + i), seen);
            const __m512d e = _mm512_cvtps_pd(v);
            _mm256_storeu_ps(d + k * np + i, v);
            sum = _mm512_fmadd_pd(e, e, sum);
        }
    }
    return add_lanes_f64(sum);
}

static void jacobian_avx512(float *j, const float *x3, const float *modes, int m, const float r[9], float s, int n, int np)
{
    const int len = 2 * np;
    const __m512 scale = _mm512_set1_ps(s), minus = _mm512_set1_ps(-s);
    const __m512 a0 = _mm512_set1_ps(r[0]), b0 = _mm512_set1_ps(r[1]), c0 = _mm512_set1_ps(r[2]);
    const __m512 a1 = _mm512_set1_ps(r[3]), b1 = _mm512_set1_ps(r[4]), c1 = _mm512_set1_ps(r[5]);
    assert(np % 16 == 0);
    for (int i = 0; i < np; i += 16) {
        const __m512 x = _mm512_loadu_ps(x3 + i), y = _mm512_loadu_ps(x3 + np + i), z = _mm512_loadu_ps(x3 + 2 * np + i);
        for (int k = 0; k < 2; k++) {
            const __m512 a = k ? a1 : a0, b = k ? b1 : b0, c = k ? c1 : c0;
            float *col = j + k * np + i;
            _mm512_storeu_ps(col, dot3(x, y, z, a, b, c));
            _mm512_storeu_ps(col + len, _mm512_mul_ps(scale, _mm512_sub_ps(_mm512_mul_ps(y, c), _mm512_mul_ps(z, b))));
            _mm512_storeu_ps(col + 2 * len, _mm512_mul_ps(minus, _mm512_sub_ps(_mm512_mul_ps(x, c), _mm512_mul_ps(z, a))));
            _mm512_storeu_ps(col + 3 * len, _mm512_mul_ps(scale, _mm512_sub_ps(_mm512_mul_ps(x, b), _mm512_mul_ps(y, a))));
        }
    }
    for (int i = 0; i < np; i++) {
        j[4 * len + i] = j[5 * len + np + i] = i < n ? 1.0f : 0.0f;
        j[4 * len + np + i] = j[5 * len + i] = 0;
    }
    for (int q = 0; q < m; q++) {
        const float *v = modes + (long)q * 3 * np;
        float *col = j + (6 + q) * len;
        for (int i = 0; i < np; i += 16) {
            const __m512 x = _mm512_loadu_ps(v + i), y = _mm512_loadu_ps(v + np + i), z = _mm512_loadu_ps(v + 2 * np + i);
            _mm512_storeu_ps(col + i, _mm512_mul_ps(scale, dot3(a0, b0, c0, x, y, z)));
            _mm512_storeu_ps(col + np + i, _mm512_mul_ps(scale, dot3(a1, b1, c1, x, y, z)));
        }
    }
}

static void weigh_avx512(float *jw, const float *j, const float *w, int k, int len)
{
    assert(len % 16 == 0);
    for (int c = 0; c < k; c++)
        for (int i = 0; i < len; i += 16)
            _mm512_storeu_ps(jw + c * len + i, _mm512_mul_ps(_mm512_loadu_ps(j + c * len + i), _mm512_loadu_ps(w + i)));
}

static void rhs_avx512(float *b, const float *jw, const float *v, int k, int len)
{
    assert(len % 16 == 0);
    for (int a = 0; a < k; a++) {
        __m512d sum = _mm512_setzero_pd();
        for (int i = 0; i < len; i += 8) {
            const __m512d x = _mm512_cvtps_pd(_mm256_loadu_ps(jw + a * len + i));
            sum = _mm512_fmadd_pd(x, _mm512_cvtps_pd(_mm256_loadu_ps(v + i)), sum);
        }
        b[a] = (float)add_lanes_f64(sum);
    }
}

static int solve_avx512(float *b, const float *h, int ldh, int k)
{
    _Alignas(64) float l[FA_GRAM_MAX][FA_GRAM_MAX + 8];     /* as in pdm_avx2.c: row k is the right-hand side */
    _Alignas(64) double pivot[FA_GRAM_MAX + 8];
    assert(k <= FA_GRAM_MAX);
    for (int c = 0; c < k; c++) {
        memset(l[c], 0, sizeof l[c]);
        for (int r = c; r < k; r++)
            l[c][r] = h[r * ldh + c];
        l[c][k] = b[c];
        pivot[c] = l[c][c];
    }
    for (int i = k; i < FA_GRAM_MAX + 8; i++)
        pivot[i] = 0;
    for (int c = 0; c < k; c++) {
        if (pivot[c] < FLT_EPSILON) {
            memset(b, 0, (size_t)k * sizeof *b);
            return 0;
        }
        const float inverse = (float)(1 / sqrt(pivot[c]));
        const __m512d by = _mm512_set1_pd(inverse);
        for (int r = c & ~7; r <= k; r += 8) {
            __m512d s = _mm512_cvtps_pd(_mm256_load_ps(&l[c][r]));
            for (int t = 0; t < c; t++)
                s = _mm512_sub_pd(s, _mm512_cvtps_pd(_mm256_mul_ps(_mm256_load_ps(&l[t][r]), _mm256_broadcast_ss(&l[t][c]))));
            const __m256 v = _mm512_cvtpd_ps(_mm512_mul_pd(s, by));
            const __m512d w = _mm512_cvtps_pd(v);
            _mm256_store_ps(&l[c][r], v);
            _mm512_store_pd(&pivot[r], _mm512_fnmadd_pd(w, w, _mm512_load_pd(&pivot[r])));
        }
        l[c][c] = inverse;
    }
    for (int r = k - 1; r >= 0; r--) {
        double s = l[r][k];
        for (int t = k - 1; t > r; t--) {
            const float p = l[r][t] * b[t];
            s -= p;
        }
        b[r] = (float)(s * l[r][r]);
    }
    return 1;
}

const struct fa_kern_pdm fa_kern_pdm_avx512 = {
    .shape3d = shape3d_avx512, .project = project_avx512, .residual = residual_avx512, .jacobian = jacobian_avx512,
    .weigh = weigh_avx512, .gram = fa_pdm_gram_avx2, .rhs = rhs_avx512, .solve = solve_avx512,
};
