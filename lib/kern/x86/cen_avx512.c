/* SPDX-License-Identifier: BSD-2-Clause
 * CEN experts with AVX-512: a layer in tiles of 12 rows x 32 outputs (two blocks of weights side by side), else as with AVX2. */
#include "fa_kern_cen.h"

#include "cen_x86.h"
#include "exp_lanes.h"

enum { ROWS = 12 };
#define UNROLL _Pragma("GCC unroll 12")
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

/* nr rows x nv blocks of outputs; wide: floats of a block's row, 16, or 8 for the last one, whose upper lanes are masked off. */
ALWAYS void tile(float *y, int ldy, const float *x, int ldx, const float *w, const float *bias, const struct fa_cen_layer *l, const char *ahead,
                 const int nr, const int nv, const int wide)
{
    __m512 s[ROWS][2];
    const __mmask16 mask = wide == 16 ? 0xffff : 0x00ff;
    UNROLL for (int r = 0; r < nr; r++)
        UNROLL for (int v = 0; v < nv; v++)
            s[r][v] = _mm512_maskz_loadu_ps(mask, bias + 16 * v);
    const int n_in = l->n_in;
    const float *second = w + (size_t)n_in * 16;
    for (int i = 0; i < n_in; i++) {
        if (i % 2 == 0)
            _mm_prefetch(ahead + 32 * i, _MM_HINT_T0);
        const __m512 w0 = wide == 16 ? _mm512_load_ps(w + 16 * (size_t)i) : _mm512_maskz_loadu_ps(mask, w + 8 * (size_t)i);
        const __m512 w1 = nv > 1 ? _mm512_load_ps(second + 16 * (size_t)i) : w0;
        UNROLL for (int r = 0; r < nr; r++) {
            const __m512 v = _mm512_set1_ps(x[(size_t)r * ldx + i]);
            s[r][0] = _mm512_fmadd_ps(w0, v, s[r][0]);
            if (nv > 1)
                s[r][1] = _mm512_fmadd_ps(w1, v, s[r][1]);
        }
    }
    UNROLL for (int r = 0; r < nr; r++)
        UNROLL for (int v = 0; v < nv; v++)
            _mm512_mask_storeu_ps(y + (size_t)r * ldy + 16 * v, mask, activate(s[r][v], l->act));
}

ALWAYS void block(float *y, int ldy, const float *x, int ldx, int n, const float *w, const float *bias, const struct fa_cen_layer *l, const int nv,
                  const int wide)
{
    const char *ahead = (const char *)(w + (size_t)l->n_in * wide * nv);
    int k = 0;
    for (; k + ROWS <= n; k += ROWS, ahead += 32 * (size_t)l->n_in)
        tile(y + (size_t)k * ldy, ldy, x + (size_t)k * ldx, ldx, w, bias, l, ahead, ROWS, nv, wide);
    for (; k + 4 <= n; k += 4)
        tile(y + (size_t)k * ldy, ldy, x + (size_t)k * ldx, ldx, w, bias, l, ahead, 4, nv, wide);
    for (; k < n; k++)
        tile(y + (size_t)k * ldy, ldy, x + (size_t)k * ldx, ldx, w, bias, l, ahead, 1, nv, wide);
}

static void layer_avx512(float *y, int ldy, const float *x, int ldx, int n, const struct fa_cen_layer *l)
{
    const float *bias = l->data, *w = bias + fa_cen_bias_floats(l->n_out);
    const int outputs = fa_cen_outputs(l->n_out);
    int o = 0;
    for (; o + 32 <= outputs; o += 32, w += (size_t)l->n_in * 32)
        block(y + o, ldy, x, ldx, n, w, bias + o, l, 2, 16);
    if (o + 16 <= outputs) {
        block(y + o, ldy, x, ldx, n, w, bias + o, l, 1, 16);
        o += 16;
        w += (size_t)l->n_in * 16;
    }
    if (o < outputs)
        block(y + o, ldy, x, ldx, n, w, bias + o, l, 1, 8);
}

const struct fa_kern_cen fa_kern_cen_avx512 = { fa_cen_windows_avx2, layer_avx512 };
