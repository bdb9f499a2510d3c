/* SPDX-License-Identifier: BSD-2-Clause
 * CCNF experts, 16 windows or 16 outputs at a time. */
#include "fa_kern_ccnf.h"

#include <float.h>
#include <string.h>

#include "ccnf_fold_internal.h"
#include "exp_lanes.h"

#define V __m512
#define LANES 16
#define OP(f) _mm512_##f##_ps
#define NAME(f) f##_16
#include "ccnf_lanes.h"
#undef V
#undef LANES
#undef OP
#undef NAME
/* A last group of at most 8 windows (w = 7: 48 + 1, w = 9: 80 + 1) is better off in half a vector. */
#define V __m256
#define LANES 8
#define OP(f) _mm256_##f##_ps
#define NAME(f) f##_8
#include "ccnf_lanes.h"

enum { C_MAX = FA_CCNF_MAX_W + FA_CCNF_SUPPORT - 1, PLANE_MAX = C_MAX * FA_CCNF_MAX_W + 16 };

/* See ccnf_lanes.h; as in ccnf_avx2.c, a row a vector. */
static int make_planes(float *planes, const float *aoi, int w)
{
    const int c = w + FA_CCNF_SUPPORT - 1, plane = c * w + 16;
    for (int x = 0; x < FA_CCNF_SUPPORT; x++, planes += plane) {
        if (w > 8)
            for (int y = 0; y < c; y++)
                _mm512_storeu_ps(planes + y * w, _mm512_loadu_ps(aoi + y * FA_AOI_STRIDE + x));
        else
            for (int y = 0; y < c; y++)
                _mm256_storeu_ps(planes + y * w, _mm256_loadu_ps(aoi + y * FA_AOI_STRIDE + x));
        _mm512_storeu_ps(planes + c * w, _mm512_setzero_ps());
    }
    return plane;
}

static void response_avx512(float *r, const float *aoi, int w, const struct fa_ccnf_neurons *nn)
{
    float planes[FA_CCNF_SUPPORT * PLANE_MAX], mean[FA_CCNF_MAX_MAP + 15], inv[FA_CCNF_MAX_MAP + 15];
    const int plane = make_planes(planes, aoi, w), n = (w * w + 15) / 16;
    const int half = w * w - 16 * (n - 1) <= 8, full = n - half;
    for (int i = 0; i < n; i++)
        _mm512_storeu_ps(r + 16 * i, _mm512_setzero_ps());
    /* In half vectors: most loads cross a cache line, and those of 32 bytes do so less often. */
    all_norms_8(mean, inv, planes, plane, w);
    for (int i = 0; i < full;)
        switch (full - i) {
        case 1: windows_16(r + 16 * i, mean + 16 * i, inv + 16 * i, planes, plane, w, 16 * i, nn, 1); i += 1; break;
        case 2: case 4: windows_16(r + 16 * i, mean + 16 * i, inv + 16 * i, planes, plane, w, 16 * i, nn, 2); i += 2; break;
        default: windows_16(r + 16 * i, mean + 16 * i, inv + 16 * i, planes, plane, w, 16 * i, nn, 3); i += 3;
        }
    if (half)
        windows_8(r + 16 * full, mean + 16 * full, inv + 16 * full, planes, plane, w, 16 * full, nn, 1);
}

/* One block on one vector, or (b) on two at once. Half a vector at the end where the padding is to 8. */
static inline void product(float *a, float *b, const float *block, int n)
{
    const int np = fa_ccnf_pad(n);
    float out_a[FOLD_MAX], out_b[FOLD_MAX];
    for (int i = 0; i < np; i += 32) {
        const int left = np - i;
        const __mmask16 k0 = left < 16 ? 0xff : 0xffff, k1 = left <= 16 ? 0 : left < 32 ? 0xff : 0xffff;
        __m512 a0 = _mm512_setzero_ps(), a1 = a0, b0 = a0, b1 = a0;
        for (int c = 0; c < n; c++) {
            const float *col = block + c * np + i;
            const __m512 m0 = _mm512_maskz_loadu_ps(k0, col), m1 = _mm512_maskz_loadu_ps(k1, col + 16), va = _mm512_set1_ps(a[c]);
            a0 = _mm512_fmadd_ps(m0, va, a0);
            a1 = _mm512_fmadd_ps(m1, va, a1);
            if (b) {
                const __m512 vb = _mm512_set1_ps(b[c]);
                b0 = _mm512_fmadd_ps(m0, vb, b0);
                b1 = _mm512_fmadd_ps(m1, vb, b1);
            }
        }
        _mm512_mask_storeu_ps(out_a + i, k0, a0);
        _mm512_mask_storeu_ps(out_a + i + 16, k1, a1);
        _mm512_mask_storeu_ps(out_b + i, k0, b0);
        _mm512_mask_storeu_ps(out_b + i + 16, k1, b1);
    }
    memcpy(a, out_a, (size_t)n * sizeof *a);
    if (b)
        memcpy(b, out_b, (size_t)n * sizeof *b);
}

static void smooth_avx512(float *o, const float *r, const float *sigma, int w)
{
    const int e = (w + 1) / 2, h = w / 2;
    struct folded f;
    fold(&f, r, w);
    product(f.ee, NULL, sigma, e * e);
    sigma += fa_ccnf_block_floats(e * e);
    product(f.eo, f.oe, sigma, e * h);
    sigma += fa_ccnf_block_floats(e * h);
    product(f.oo, NULL, sigma, h * h);
    unfold(o, &f, w);
}

const struct fa_kern_ccnf fa_kern_ccnf_avx512 = { response_avx512, smooth_avx512 };
