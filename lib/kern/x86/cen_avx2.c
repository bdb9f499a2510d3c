/* SPDX-License-Identifier: BSD-2-Clause
 * CEN experts with AVX2: windows 8 to a vector for mean and norm; a layer in tiles of 4 rows x 24 outputs, whose 12 sums stay in
 * registers while their weights pass by. Weights of the next tile are fetched ahead of use. */
#include "fa_kern_cen.h"

#include <float.h>

#include "cen_x86.h"
#include "exp_lanes.h"
#include "fa_kern_ccnf.h"

enum { K = FA_CEN_SUPPORT };
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
    for (int k = 0; k < fa_cen_windows(w); k++, panel += FA_CEN_PANEL) {
        const struct fa_cen_at at = fa_cen_at(w, k);
        const float *px = aoi + at.y * FA_AOI_STRIDE + at.x;
        const __m256 m = _mm256_set1_ps(mean[16 * at.y + at.x]), f = _mm256_set1_ps(inv[16 * at.y + at.x]);
        for (int ty = 0; ty < K; ty++, px += FA_AOI_STRIDE) {      /* 11 pixels as 8 and the last 8, which overlap */
            _mm256_storeu_ps(panel + ty * K, _mm256_mul_ps(_mm256_sub_ps(_mm256_loadu_ps(px), m), f));
            _mm256_storeu_ps(panel + ty * K + 3, _mm256_mul_ps(_mm256_sub_ps(_mm256_loadu_ps(px + 3), m), f));
        }
    }
}

/* Appends i + k to list for every bit k of four. Writes four entries. */
static inline int list_bits(uint16_t *list, int n, int bits, int i)
{
    static const uint16_t at[16][4] = { { 0 }, { 0 }, { 1 }, { 0, 1 }, { 2 }, { 0, 2 }, { 1, 2 }, { 0, 1, 2 }, { 3 }, { 0, 3 }, { 1, 3 },
                                        { 0, 1, 3 }, { 2, 3 }, { 0, 2, 3 }, { 1, 2, 3 }, { 0, 1, 2, 3 } };
    const __m128i number = _mm_add_epi16(_mm_loadl_epi64((const __m128i *)at[bits]), _mm_set1_epi16((short)i));
    _mm_storel_epi64((__m128i *)(list + n), number);
    return n + __builtin_popcount((unsigned)bits);
}

/* The inputs that are not zero in all of nr rows; NaN is not zero. */
ALWAYS int list_active(uint16_t *list, const float *x, int ldx, int n_in, const int nr)
{
    int n = 0, i = 0;
    for (; i + 8 <= n_in; i += 8) {
        __m256 any = _mm256_loadu_ps(x + i);
        UNROLL for (int r = 1; r < nr; r++)
            any = _mm256_or_ps(any, _mm256_loadu_ps(x + (size_t)r * ldx + i));
        const int bits = _mm256_movemask_ps(_mm256_cmp_ps(any, _mm256_setzero_ps(), _CMP_NEQ_UQ));
        n = list_bits(list, n, bits & 15, i);
        n = list_bits(list, n, bits >> 4, i + 4);
    }
    for (; i < n_in; i++) {
        int any = 0;
        for (int r = 0; r < nr; r++)
            any |= x[(size_t)r * ldx + i] != 0;
        list[n] = (uint16_t)i;
        n += any;
    }
    return n;
}

int fa_cen_groups_avx2(struct cen_group *g, const float *x, int ldx, int n, const struct fa_cen_layer *l)
{
    int used = 0;
    for (int k = 0; k < n; used++) {
        struct cen_group *to = &g[used];
        to->n_row = n - k >= CEN_ROWS ? CEN_ROWS : 1;
        const float *row = x + (size_t)k * ldx;
        if (l->rectified) {
            to->n = to->n_row == CEN_ROWS ? list_active(to->active, row, ldx, l->n_in, CEN_ROWS) : list_active(to->active, row, ldx, l->n_in, 1);
        } else {
            to->n = l->n_in;
            for (int i = 0; i < l->n_in; i++)
                to->active[i] = (uint16_t)i;
        }
        k += to->n_row;
    }
    return used;
}

/* A function of its own, so that its constants take no register from the sums. */
static __attribute__((noinline)) void logistic(float *y, int ldy, int nr, int nv)
{
    const __m256 one = _mm256_set1_ps(1), sign = _mm256_set1_ps(-0.0f);
    for (int r = 0; r < nr; r++, y += ldy)
        for (int v = 0; v < nv; v++)
            _mm256_storeu_ps(y + 8 * v, _mm256_div_ps(one, _mm256_add_ps(one, exp_8(_mm256_xor_ps(_mm256_loadu_ps(y + 8 * v), sign)))));
}

/* A tile's weights: per vector of 8 outputs the first input's. From input to input they are 16 floats apart, but 8 in a half block.
 * Cache lines at `ahead` are fetched meanwhile, n_ahead of them with every group of rows. */
struct tile { const float *w[3], *bias; enum fa_cen_act act; const char *ahead; int n_ahead; };

/* nr rows x nv vectors of outputs; half: the last vector is a half block. */
ALWAYS void sums(float *y, int ldy, const float *x, int ldx, const struct tile *t, const struct cen_group *g, const char *ahead, const int nr,
                 const int nv, const int half)
{
    static const float zero[8];
    __m256 s[CEN_ROWS][3];
    const float *const w0 = t->w[0], *const w1 = t->w[1], *const w2 = t->w[2];
    UNROLL for (int r = 0; r < nr; r++)
        UNROLL for (int v = 0; v < nv; v++)
            s[r][v] = _mm256_loadu_ps(t->bias + 8 * v);
    const int n = g->n, pause = cen_fetch_pause(n, t->n_ahead);
    for (int j = 0; j < n; j++) {
        const size_t i = g->active[j];
        if ((j & pause) == 0) {
            _mm_prefetch(ahead, _MM_HINT_T1);
            ahead += 64;
        }
        const __m256 v0 = _mm256_load_ps(w0 + (nv == 1 && half ? 8 : 16) * i);
        const __m256 v1 = nv > 1 ? _mm256_load_ps(w1 + (nv == 2 && half ? 8 : 16) * i) : v0;
        const __m256 v2 = nv > 2 ? _mm256_load_ps(w2 + (half ? 8 : 16) * i) : v0;
        UNROLL for (int r = 0; r < nr; r++) {
            const __m256 in = _mm256_broadcast_ss(x + (size_t)r * ldx + i);
            s[r][0] = _mm256_fmadd_ps(v0, in, s[r][0]);
            if (nv > 1)
                s[r][1] = _mm256_fmadd_ps(v1, in, s[r][1]);
            if (nv > 2)
                s[r][2] = _mm256_fmadd_ps(v2, in, s[r][2]);
        }
    }
    /* Zero comes from memory each time: held in a register, it would push one of twelve sums out of theirs. */
    if (t->act == FA_CEN_RELU)
        UNROLL for (int r = 0; r < nr; r++)
            UNROLL for (int v = 0; v < nv; v++)
                s[r][v] = _mm256_max_ps(s[r][v], *(const volatile __m256 *)zero);
    UNROLL for (int r = 0; r < nr; r++)
        UNROLL for (int v = 0; v < nv; v++)
            _mm256_storeu_ps(y + (size_t)r * ldy + 8 * v, s[r][v]);
    if (t->act == FA_CEN_LOGISTIC)
        logistic(y, ldy, nr, nv);
}

CEN_TILES(tiles_1, 1, 0)
CEN_TILES(tiles_2, 2, 0)
CEN_TILES(tiles_3, 3, 0)
CEN_TILES(tiles_1_half, 1, 1)
CEN_TILES(tiles_2_half, 2, 1)
CEN_TILES(tiles_3_half, 3, 1)

static void some_rows(float *y, int ldy, const float *x, int ldx, int n, const struct fa_cen_layer *l)
{
    static void (*const tiles[2][4])(float *, int, const float *, int, const struct tile *, const struct cen_group *, int) = {
        { NULL, tiles_1, tiles_2, tiles_3 }, { NULL, tiles_1_half, tiles_2_half, tiles_3_half },
    };
    struct cen_group group[CEN_GROUPS];
    const int n_group = fa_cen_groups_avx2(group, x, ldx, n, l), vectors = fa_cen_outputs(l->n_out) / 8;
    const float *const bias = l->data, *const w = bias + fa_cen_bias_floats(l->n_out);
    const size_t block = (size_t)l->n_in * FA_CEN_BLOCK;
    struct tile t = { .act = l->act };
    for (int v = 0, nv; v < vectors; v += nv) {
        const int left = vectors - v;
        nv = left == 4 ? 2 : left < 3 ? left : 3;            /* 4 are 2 and 2, not 3 and 1: eight sums at least keep both units busy */
        for (int k = 0; k < nv; k++)
            t.w[k] = w + (size_t)((v + k) / 2) * block + 8 * ((v + k) % 2);
        t.bias = bias + 8 * v;
        t.ahead = (const char *)(w + (size_t)v * l->n_in * 8) + CEN_AHEAD;
        t.n_ahead = (l->n_in * nv / 2 + n_group - 1) / n_group;
        tiles[left == nv && vectors % 2][nv](y + 8 * v, ldy, x, ldx, &t, group, n_group);
    }
}

static void layer_avx2(float *y, int ldy, const float *x, int ldx, int n, const struct fa_cen_layer *l)
{
    enum { MOST = CEN_ROWS * (CEN_GROUPS - 3) };
    for (int k = 0; k < n; k += MOST)
        some_rows(y + (size_t)k * ldy, ldy, x + (size_t)k * ldx, ldx, n - k < MOST ? n - k : MOST, l);
}

const struct fa_kern_cen fa_kern_cen_avx2 = { fa_cen_windows_avx2, layer_avx2 };
