/* SPDX-License-Identifier: BSD-2-Clause
 * CEN experts: the twins, the order of weights, and the choice. */
#include "fa_kern_cen.h"

#include <assert.h>
#include <math.h>

#include "fa_kern.h"
#include "fa_kern_ccnf.h"
#include "fa_kern_exp.h"

enum { K = FA_CEN_SUPPORT };

void fa_cen_pack_layer(float *out, const float *weights, const float *bias, int n_in, int n_out)
{
    for (int o = 0; o < n_out; o++)
        out[o] = bias[o];
    out += fa_cen_bias_floats(n_out);
    for (int o = 0; o < n_out; o += FA_CEN_BLOCK) {
        const int here = n_out - o < FA_CEN_BLOCK ? n_out - o : FA_CEN_BLOCK, wide = here > FA_CEN_HALF ? FA_CEN_BLOCK : FA_CEN_HALF;
        for (int j = 0; j < here; j++)
            for (int i = 0; i < n_in; i++)
                out[(size_t)i * wide + j] = weights[(size_t)(o + j) * n_in + i];
        out += (size_t)n_in * wide;
    }
}

/* The sums run as the reference's: pixels row by row for the mean, column by column for the norm. */
static void window_c(float *out, const float *px)
{
    float sum = 0, square = 0;
    for (int y = 0; y < K; y++)
        for (int x = 0; x < K; x++)
            sum += px[y * FA_AOI_STRIDE + x];
    const float mean = sum / FA_CEN_TAPS;
    for (int x = 0; x < K; x++)
        for (int y = 0; y < K; y++) {
            const float d = px[y * FA_AOI_STRIDE + x] - mean;
            square += d * d;
        }
    const float norm = sqrtf(square), f = 1 / (norm == 0 ? 1 : norm);
    for (int y = 0; y < K; y++)
        for (int x = 0; x < K; x++)
            out[y * K + x] = (px[y * FA_AOI_STRIDE + x] - mean) * f;
}

static void windows_c(float *panel, const float *aoi, int w)
{
    assert(w >= 3 && w <= FA_CEN_MAX_W && w % 2 == 1);
    for (int k = 0; k < fa_cen_windows(w); k++) {
        const struct fa_cen_at at = fa_cen_at(w, k);
        window_c(panel + (size_t)k * FA_CEN_PANEL, aoi + at.y * FA_AOI_STRIDE + at.x);
    }
}

static float activate(float v, enum fa_cen_act act)
{
    return act == FA_CEN_RELU ? (v > 0 ? v : 0) : act == FA_CEN_LOGISTIC ? 1 / (1 + fa_kern_expf(-v)) : v;
}

static void layer_c(float *y, int ldy, const float *x, int ldx, int n, const struct fa_cen_layer *l)
{
    const float *bias = l->data, *w = bias + fa_cen_bias_floats(l->n_out);
    const int outputs = fa_cen_outputs(l->n_out);
    for (int o = 0; o < outputs;) {
        const int wide = outputs - o >= FA_CEN_BLOCK ? FA_CEN_BLOCK : FA_CEN_HALF;
        for (int k = 0; k < n; k++)
            for (int j = 0; j < wide; j++) {
                float s = bias[o + j];
                for (int i = 0; i < l->n_in; i++)
                    s = fmaf(w[(size_t)i * wide + j], x[(size_t)k * ldx + i], s);
                y[(size_t)k * ldy + o + j] = activate(s, l->act);
            }
        w += (size_t)l->n_in * wide;
        o += wide;
    }
}

const struct fa_kern_cen fa_kern_cen_c = { windows_c, layer_c };

const struct fa_kern_cen *fa_kern_cen(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_kern_cpu() & FA_CPU_AVX512)
        return &fa_kern_cen_avx512;
    if (fa_kern_cpu() & FA_CPU_AVX2)
        return &fa_kern_cen_avx2;
#endif
    return &fa_kern_cen_c;
}
