/* SPDX-License-Identifier: BSD-2-Clause
 * CCNF experts: the twins, and the choice. The order of every sum is part of the definition: pixels of a window row by row
 * for the mean, column by column for the norm, row by row against the weights, neurons as stored. */
#include "fa_kern_ccnf.h"

#include <assert.h>
#include <math.h>

#include "ccnf_fold_internal.h"
#include "fa_kern.h"
#include "fa_kern_exp.h"

enum { K = FA_CCNF_SUPPORT };

static float window_response(const float *px, const struct fa_ccnf_neurons *nn)
{
    float sum = 0, square = 0, r = 0;
    for (int y = 0; y < K; y++)
        for (int x = 0; x < K; x++)
            sum += px[y * FA_AOI_STRIDE + x];
    const float mean = sum / FA_CCNF_TAPS;
    for (int x = 0; x < K; x++)
        for (int y = 0; y < K; y++) {
            const float d = px[y * FA_AOI_STRIDE + x] - mean;
            square += d * d;
        }
    const float norm = sqrtf(square), f = 1 / (norm == 0 ? 1 : norm);
    for (int k = 0; k < nn->n; k++) {
        float s = 0;
        for (int y = 0; y < K; y++)
            for (int x = 0; x < K; x++)
                s = fmaf(nn->weights[(y * K + x) * nn->kp + k], px[y * FA_AOI_STRIDE + x] - mean, s);
        const float z = fmaf(f, s, nn->bias[k]);
        r += nn->alpha2[k] / (1 + fa_kern_expf(-z));
    }
    return r;
}

static void response_c(float *r, const float *aoi, int w, const struct fa_ccnf_neurons *nn)
{
    assert(w >= 3 && w <= FA_CCNF_MAX_W && w % 2 == 1);
    for (int y = 0; y < w; y++)
        for (int x = 0; x < w; x++)
            r[y * w + x] = window_response(aoi + y * FA_AOI_STRIDE + x, nn);
}

/* Column by column; v has the block's padded length. */
static void block_product(float *v, const float *block, int n)
{
    const int np = fa_ccnf_pad(n);
    float out[FOLD_MAX] = { 0 };
    for (int c = 0; c < n; c++)
        for (int i = 0; i < np; i++)
            out[i] = fmaf(block[c * np + i], v[c], out[i]);
    for (int i = 0; i < n; i++)
        v[i] = out[i];
}

static void smooth_c(float *o, const float *r, const float *sigma, int w)
{
    const int e = (w + 1) / 2, h = w / 2;
    struct folded f;
    assert(w >= 3 && w <= FA_CCNF_MAX_W && w % 2 == 1);
    fold(&f, r, w);
    block_product(f.ee, sigma, e * e);
    sigma += fa_ccnf_block_floats(e * e);
    block_product(f.eo, sigma, e * h);
    block_product(f.oe, sigma, e * h);
    sigma += fa_ccnf_block_floats(e * h);
    block_product(f.oo, sigma, h * h);
    unfold(o, &f, w);
}

const struct fa_kern_ccnf fa_kern_ccnf_c = { response_c, smooth_c };

const struct fa_kern_ccnf *fa_kern_ccnf(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_kern_cpu() & FA_CPU_AVX512)
        return &fa_kern_ccnf_avx512;
    if (fa_kern_cpu() & FA_CPU_AVX2)
        return &fa_kern_ccnf_avx2;
#endif
    return &fa_kern_ccnf_c;
}
