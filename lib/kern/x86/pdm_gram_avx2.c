/* SPDX-License-Identifier: BSD-2-Clause
 * H = Jw' J in AVX2: tiles of up to six rows and eight or sixteen columns of the lower triangle, lanes are columns, so that
 * every sum runs along the rows of J as the twin's does. J is turned row-major first, without the padding between x and y. */
#include "fa_kern_pdm.h"

#include <assert.h>
#include <immintrin.h>
#include <string.h>

#include "pdm_gram_internal.h"

/* rows[i][c] of 2n rows, row length ld; over-read and over-written by whole vectors, hence the slack. */
struct rows { float at[2 * FA_GRAM_POINTS * FA_GRAM_MAX + 16]; };

/* Eight columns, eight rows each, from column-major to rows of length ld. */
static inline void turn8(float *out, int ld, const float *const col[8])
{
    __m256 v[8], t[8];
#pragma GCC unroll 8
    for (int c = 0; c < 8; c++)
        v[c] = _mm256_loadu_ps(col[c]);
#pragma GCC unroll 4
    for (int c = 0; c < 8; c += 2) {
        t[c] = _mm256_unpacklo_ps(v[c], v[c + 1]);
        t[c + 1] = _mm256_unpackhi_ps(v[c], v[c + 1]);
    }
#pragma GCC unroll 2
    for (int c = 0; c < 8; c += 4) {
        v[c] = _mm256_shuffle_ps(t[c], t[c + 2], 0x44);
        v[c + 1] = _mm256_shuffle_ps(t[c], t[c + 2], 0xee);
        v[c + 2] = _mm256_shuffle_ps(t[c + 1], t[c + 3], 0x44);
        v[c + 3] = _mm256_shuffle_ps(t[c + 1], t[c + 3], 0xee);
    }
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++) {
        _mm256_storeu_ps(out + r * ld, _mm256_permute2f128_ps(v[r], v[r + 4], 0x20));
        _mm256_storeu_ps(out + (r + 4) * ld, _mm256_permute2f128_ps(v[r], v[r + 4], 0x31));
    }
}

static void turn(struct rows *out, int ld, const float *j, int k, int n, int np)
{
    for (int c = 0; c < k; c += 8) {
        const float *col[8];
        for (int plane = 0; plane < 2; plane++)    /* x writes its padding where y comes next */
            for (int i = 0; i < n; i += 8) {
                for (int l = 0; l < 8; l++)
                    col[l] = j + (long)(c + l < k ? c + l : k - 1) * 2 * np + plane * np + i;
                turn8(out->at + (long)(plane * n + i) * ld + c, ld, col);
            }
    }
}

/* height rows of H from column a of Jw, eight columns from b: even and odd rows of J in two chains, added at the end. */
static inline __attribute__((always_inline)) void two_chains(float (*low)[FA_GRAM_MAX], const float *a, const float *b, int ld, int rows,
                                                             const int height)
{
    __m256 even[6], odd[6];
    int i = 0;
#pragma GCC unroll 6
    for (int r = 0; r < height; r++)
        even[r] = odd[r] = _mm256_setzero_ps();
    for (; i < rows / 8 * 8; i += 2) {
        const __m256 y = _mm256_loadu_ps(b + i * ld), z = _mm256_loadu_ps(b + (i + 1) * ld);
#pragma GCC unroll 6
        for (int r = 0; r < height; r++) {
            even[r] = _mm256_fmadd_ps(_mm256_broadcast_ss(a + i * ld + r), y, even[r]);
            odd[r] = _mm256_fmadd_ps(_mm256_broadcast_ss(a + (i + 1) * ld + r), z, odd[r]);
        }
    }
    for (; i < rows; i++) {
        const __m256 y = _mm256_loadu_ps(b + i * ld);
#pragma GCC unroll 6
        for (int r = 0; r < height; r++)
            even[r] = _mm256_fmadd_ps(_mm256_broadcast_ss(a + i * ld + r), y, even[r]);
    }
#pragma GCC unroll 6
    for (int r = 0; r < height; r++)
        _mm256_storeu_ps(low[r], _mm256_add_ps(even[r], odd[r]));
}

/* The same in one chain, width vectors of eight columns. */
static inline __attribute__((always_inline)) void one_chain(float (*low)[FA_GRAM_MAX], const float *a, const float *b, int ld, int rows,
                                                            const int height, const int width)
{
    __m256 s[6][2];
#pragma GCC unroll 6
    for (int r = 0; r < height; r++)
        s[r][0] = s[r][1] = _mm256_setzero_ps();
    for (int i = 0; i < rows; i++) {
        const __m256 y = _mm256_loadu_ps(b + i * ld), z = _mm256_loadu_ps(b + i * ld + 8 * (width - 1));
#pragma GCC unroll 6
        for (int r = 0; r < height; r++) {
            const __m256 x = _mm256_broadcast_ss(a + i * ld + r);
            s[r][0] = _mm256_fmadd_ps(x, y, s[r][0]);
            if (width == 2)
                s[r][1] = _mm256_fmadd_ps(x, z, s[r][1]);
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < height; r++) {
        _mm256_storeu_ps(low[r], s[r][0]);
        if (width == 2)
            _mm256_storeu_ps(low[r] + 8, s[r][1]);
    }
}

/* height rows of the lower triangle from row a on. */
static inline __attribute__((always_inline)) void band(float (*low)[FA_GRAM_MAX], const float *jw, const float *j, int ld, int k, int a,
                                                       int rows, const int height)
{
    const int end = a + height < k ? a + height : k;
    for (int b = 0; b < end;) {
        float (*at)[FA_GRAM_MAX] = (float (*)[FA_GRAM_MAX])&low[a][b];
        if (gram_chains(k, a, b) == 2) {
            two_chains(at, jw + a, j + b, ld, rows, height);
            b += 8;
        } else if (b + 8 < end && gram_chains(k, a, b + 8) == 1) {
            one_chain(at, jw + a, j + b, ld, rows, height, 2);
            b += 16;
        } else {
            one_chain(at, jw + a, j + b, ld, rows, height, 1);
            b += 8;
        }
    }
}

void fa_pdm_gram_avx2(float *h, int ldh, const float *jw, const float *j, int k, int n, int np)
{
    _Alignas(64) struct rows weighted, plain;
    _Alignas(64) float low[FA_GRAM_MAX + 8][FA_GRAM_MAX];
    const int ld = (k + 7) & ~7, rows = 2 * n;
    assert(k <= FA_GRAM_MAX && n <= FA_GRAM_POINTS && np % 16 == 0);
    turn(&plain, ld, j, k, n, np);
    if (jw != j)
        turn(&weighted, ld, jw, k, n, np);
    const float *left = jw != j ? weighted.at : plain.at;

    int a = 0;
    for (; a + 12 <= k; a += 12) {
        band(low, left, plain.at, ld, k, a, rows, 6);
        band(low, left, plain.at, ld, k, a + 6, rows, 6);
    }
    for (; a + 4 <= k; a += 4)
        band(low, left, plain.at, ld, k, a, rows, 4);
    for (; a < k; a += 2)
        band(low, left, plain.at, ld, k, a, rows, 2);
    for (int r = 0; r < k; r++) {
        memcpy(h + r * ldh, low[r], (size_t)(r + 1) * sizeof *h);
        for (int c = r + 1; c < k; c++)
            h[r * ldh + c] = low[c][r];
    }
}
