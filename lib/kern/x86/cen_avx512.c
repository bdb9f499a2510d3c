/* SPDX-License-Identifier: BSD-2-Clause
 * CEN experts with AVX-512: a layer in tiles of 4 rows x 48 outputs (three blocks of weights side by side, or up to three and the last
 * half block), else as with AVX2. */
#include "fa_kern_cen.h"

#include "cen_x86.h"
#include "exp_lanes.h"

#define UNROLL _Pragma("GCC unroll 8")
#define ALWAYS static inline __attribute__((always_inline))

ALWAYS __m512 activate(__m512 v, enum fa_cen_act act)
{
    if (act == FA_CEN_RELU)
        return _mm512_max_ps(v, _mm512_setzero_ps());
    if (act == FA_CEN_NONE)
        return v;
    const __m512 one = _mm512_set1_ps(1);
    return _mm512_div_ps(one, _mm512_add_ps(one, exp_16(_mm512_xor_ps(v, _mm512_set1_ps(-0.0f)))));
}

/* A tile's weights, blocks one after the other. Cache lines at `ahead` are fetched meanwhile, n_ahead of them with every group of rows. */
struct tile { const float *w, *bias; int n_in; enum fa_cen_act act; const char *ahead; int n_ahead; };

/* nr rows x nb blocks of 16 outputs, and the half block after them if there is one. */
ALWAYS void sums(float *y, int ldy, const float *x, int ldx, const struct tile *t, const struct cen_group *g, const char *ahead, const int nr,
                 const int nb, const int half)
{
    __m512 s[CEN_ROWS][3];
    __m256 last[CEN_ROWS];
    const size_t block = (size_t)t->n_in * FA_CEN_BLOCK;
    const float *const w0 = t->w, *const w1 = w0 + block, *const w2 = w1 + block, *const wh = w0 + nb * block;
    UNROLL for (int r = 0; r < nr; r++) {
        UNROLL for (int b = 0; b < nb; b++)
            s[r][b] = _mm512_loadu_ps(t->bias + 16 * b);
        if (half)
            last[r] = _mm256_loadu_ps(t->bias + 16 * nb);
    }
    const int n = g->n, pause = cen_fetch_pause(n, t->n_ahead);
    for (int j = 0; j < n; j++) {
        const size_t i = g->active[j];
        if ((j & pause) == 0) {
            _mm_prefetch(ahead, _MM_HINT_T1);
            ahead += 64;
        }
        UNROLL for (int r = 0; r < nr; r++) {
            const __m512 in = _mm512_set1_ps(x[(size_t)r * ldx + i]);
            if (nb > 0)
                s[r][0] = _mm512_fmadd_ps(_mm512_load_ps(w0 + 16 * i), in, s[r][0]);
            if (nb > 1)
                s[r][1] = _mm512_fmadd_ps(_mm512_load_ps(w1 + 16 * i), in, s[r][1]);
            if (nb > 2)
                s[r][2] = _mm512_fmadd_ps(_mm512_load_ps(w2 + 16 * i), in, s[r][2]);
            if (half)
                last[r] = _mm256_fmadd_ps(_mm256_load_ps(wh + 8 * i), _mm512_castps512_ps256(in), last[r]);
        }
    }
    UNROLL for (int r = 0; r < nr; r++, y += ldy) {
        UNROLL for (int b = 0; b < nb; b++)
            _mm512_storeu_ps(y + 16 * b, activate(s[r][b], t->act));
        if (half)
            _mm256_storeu_ps(y + 16 * nb, _mm512_castps512_ps256(activate(_mm512_castps256_ps512(last[r]), t->act)));
    }
}

CEN_TILES(tiles_1, 1, 0)
CEN_TILES(tiles_2, 2, 0)
CEN_TILES(tiles_3, 3, 0)
CEN_TILES(tiles_half, 0, 1)
CEN_TILES(tiles_1_half, 1, 1)
CEN_TILES(tiles_2_half, 2, 1)
CEN_TILES(tiles_3_half, 3, 1)

static void some_rows(float *y, int ldy, const float *x, int ldx, int n, const struct fa_cen_layer *l)
{
    static void (*const tiles[2][4])(float *, int, const float *, int, const struct tile *, const struct cen_group *, int) = {
        { NULL, tiles_1, tiles_2, tiles_3 }, { tiles_half, tiles_1_half, tiles_2_half, tiles_3_half },
    };
    struct cen_group group[CEN_GROUPS];
    const int n_group = fa_cen_groups_avx2(group, x, ldx, n, l), outputs = fa_cen_outputs(l->n_out);
    const float *const bias = l->data, *const w = bias + fa_cen_bias_floats(l->n_out);
    struct tile t = { .n_in = l->n_in, .act = l->act };
    for (int o = 0, width; o < outputs; o += width) {
        const int left = outputs - o, half = left < 64 && left % 16 != 0;
        width = left < 48 + 8 * half ? left : 48 + 8 * half;
        t.w = w + (size_t)o * l->n_in;
        t.bias = bias + o;
        t.ahead = (const char *)t.w + CEN_AHEAD;
        t.n_ahead = (l->n_in * width / 16 + n_group - 1) / n_group;
        tiles[half][width / 16](y + o, ldy, x, ldx, &t, group, n_group);
    }
}

static void layer_avx512(float *y, int ldy, const float *x, int ldx, int n, const struct fa_cen_layer *l)
{
    enum { MOST = CEN_ROWS * (CEN_GROUPS - 3) };
    for (int k = 0; k < n; k += MOST)
        some_rows(y + (size_t)k * ldy, ldy, x + (size_t)k * ldx, ldx, n - k < MOST ? n - k : MOST, l);
}

const struct fa_kern_cen fa_kern_cen_avx512 = { fa_cen_windows_avx2, layer_avx512 };
