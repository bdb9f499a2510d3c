/* SPDX-License-Identifier: BSD-2-Clause
 * CEN experts with AVX2: windows 8 to a vector for mean and norm; a layer in tiles of 6 rows x 16 outputs, whose 12 sums stay in
 * registers while a block of weights, read in order, passes by. Weights of the next block are fetched ahead of use. */
#include "fa_kern_cen.h"

#include <float.h>

#include "exp_lanes.h"
#include "fa_kern_ccnf.h"
#include "cen_x86.h"

enum { K = FA_CEN_SUPPORT, ROWS = 6 };
#define UNROLL _Pragma("GCC unroll 8")
#define ALWAYS static inline __attribute__((always_inline))

/* Means and reciprocal norms of the windows in nr rows from row y on, all columns (nv vectors of 8). */
ALWAYS void norms(float *mean, float *inv, const float *aoi, int y, const int nr, const int nv)
{
    __m256 sum[4][2], square[4][2];
    UNROLL for (int r = 0; r < nr; r++)
        UNROLL for (int v = 0; v < nv; v++)
            sum[r][v] = square[r][v] = _mm256_setzero_ps();
    for (int ty = 0; ty < K; ty++)
        for (int tx = 0; tx < K; tx++)
            UNROLL for (int r = 0; r < nr; r++)
                UNROLL for (int v = 0; v < nv; v++)
                    sum[r][v] = _mm256_add_ps(sum[r][v], _mm256_loadu_ps(aoi + (y + r + ty) * FA_AOI_STRIDE + tx + 8 * v));
    UNROLL for (int r = 0; r < nr; r++)
        UNROLL for (int v = 0; v < nv; v++)
            sum[r][v] = _mm256_div_ps(sum[r][v], _mm256_set1_ps(FA_CEN_TAPS));
    for (int tx = 0; tx < K; tx++)
        for (int ty = 0; ty < K; ty++)
            UNROLL for (int r = 0; r < nr; r++)
                UNROLL for (int v = 0; v < nv; v++) {
                    const __m256 d = _mm256_sub_ps(_mm256_loadu_ps(aoi + (y + r + ty) * FA_AOI_STRIDE + tx + 8 * v), sum[r][v]);
                    square[r][v] = _mm256_add_ps(square[r][v], _mm256_mul_ps(d, d));
                }
    UNROLL for (int r = 0; r < nr; r++)
        UNROLL for (int v = 0; v < nv; v++) {
            _mm256_storeu_ps(mean + 16 * (y + r) + 8 * v, sum[r][v]);
            /* A flat window has only zeros to divide: any finite factor does. */
            _mm256_storeu_ps(inv + 16 * (y + r) + 8 * v,
                             _mm256_div_ps(_mm256_set1_ps(1), _mm256_max_ps(_mm256_sqrt_ps(square[r][v]), _mm256_set1_ps(FLT_MIN))));
        }
}

ALWAYS void all_norms(float *mean, float *inv, const float *aoi, int w, const int nv)
{
    int y = 0;
    for (; y + 4 <= w; y += 4)
        norms(mean, inv, aoi, y, 4, nv);
    for (; y < w; y++)
        norms(mean, inv, aoi, y, 1, nv);
}

void fa_cen_windows_avx2(float *panel, const float *aoi, int w)
{
    float mean[16 * FA_CEN_MAX_W], inv[16 * FA_CEN_MAX_W];
    if (w <= 8)
        all_norms(mean, inv, aoi, w, 1);
    else
        all_norms(mean, inv, aoi, w, 2);
    for (int p = 1; p < w * w; p += 2, panel += FA_CEN_PANEL) {
        const int x = p / w, y = p % w;
        const float *px = aoi + y * FA_AOI_STRIDE + x;
        const __m256 m = _mm256_set1_ps(mean[16 * y + x]), f = _mm256_set1_ps(inv[16 * y + x]);
        for (int ty = 0; ty < K; ty++, px += FA_AOI_STRIDE) {      /* 11 pixels as 8 and the last 8, which overlap */
            _mm256_storeu_ps(panel + ty * K, _mm256_mul_ps(_mm256_sub_ps(_mm256_loadu_ps(px), m), f));
            _mm256_storeu_ps(panel + ty * K + 3, _mm256_mul_ps(_mm256_sub_ps(_mm256_loadu_ps(px + 3), m), f));
        }
    }
}

ALWAYS __m256 activate(__m256 v, enum fa_cen_act act)
{
    if (act == FA_CEN_RELU)
        return _mm256_max_ps(v, _mm256_setzero_ps());
    if (act == FA_CEN_NONE)
        return v;
    const __m256 one = _mm256_set1_ps(1);
    return _mm256_div_ps(one, _mm256_add_ps(one, exp_8(_mm256_xor_ps(v, _mm256_set1_ps(-0.0f)))));
}

/* nr rows x nv vectors of outputs. ahead: weights to fetch, a cache line every second input. */
ALWAYS void tile(float *y, int ldy, const float *x, int ldx, const float *w, const float *bias, const struct fa_cen_layer *l, const char *ahead,
                 const int nr, const int nv)
{
    __m256 s[ROWS][2];
    UNROLL for (int r = 0; r < nr; r++)
        UNROLL for (int v = 0; v < nv; v++)
            s[r][v] = _mm256_loadu_ps(bias + 8 * v);
    const int n_in = l->n_in;
    for (int i = 0; i < n_in; i++, w += 8 * nv) {
        if (i % 4 == 0)
            _mm_prefetch(ahead + 16 * i, _MM_HINT_T0);
        const __m256 w0 = _mm256_load_ps(w), w1 = nv > 1 ? _mm256_load_ps(w + 8) : w0;
        UNROLL for (int r = 0; r < nr; r++) {
            const __m256 v = _mm256_broadcast_ss(x + (size_t)r * ldx + i);
            s[r][0] = _mm256_fmadd_ps(w0, v, s[r][0]);
            if (nv > 1)
                s[r][1] = _mm256_fmadd_ps(w1, v, s[r][1]);
        }
    }
    UNROLL for (int r = 0; r < nr; r++)
        UNROLL for (int v = 0; v < nv; v++)
            _mm256_storeu_ps(y + (size_t)r * ldy + 8 * v, activate(s[r][v], l->act));
}

/* All rows against one block of weights, nv vectors wide. */
ALWAYS void block(float *y, int ldy, const float *x, int ldx, int n, const float *w, const float *bias, const struct fa_cen_layer *l, const int nv)
{
    const char *ahead = (const char *)(w + (size_t)l->n_in * 8 * nv);
    int k = 0;
    for (; k + ROWS <= n; k += ROWS, ahead += 16 * (size_t)l->n_in)
        tile(y + (size_t)k * ldy, ldy, x + (size_t)k * ldx, ldx, w, bias, l, ahead, ROWS, nv);
    y += (size_t)k * ldy;
    x += (size_t)k * ldx;
    switch (n - k) {
    case 1: tile(y, ldy, x, ldx, w, bias, l, ahead, 1, nv); break;
    case 2: tile(y, ldy, x, ldx, w, bias, l, ahead, 2, nv); break;
    case 3: tile(y, ldy, x, ldx, w, bias, l, ahead, 3, nv); break;
    case 4: tile(y, ldy, x, ldx, w, bias, l, ahead, 4, nv); break;
    case 5: tile(y, ldy, x, ldx, w, bias, l, ahead, 5, nv); break;
    default: break;
    }
}

static void layer_avx2(float *y, int ldy, const float *x, int ldx, int n, const struct fa_cen_layer *l)
{
    const float *bias = l->data, *w = bias + fa_cen_bias_floats(l->n_out);
    const int outputs = fa_cen_outputs(l->n_out);
    int o = 0;
    for (; o + FA_CEN_BLOCK <= outputs; o += FA_CEN_BLOCK, w += (size_t)l->n_in * FA_CEN_BLOCK)
        block(y + o, ldy, x, ldx, n, w, bias + o, l, 2);
    if (o < outputs)
        block(y + o, ldy, x, ldx, n, w, bias + o, l, 1);
}

const struct fa_kern_cen fa_kern_cen_avx2 = { fa_cen_windows_avx2, layer_avx2 };
