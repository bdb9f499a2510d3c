/* SPDX-License-Identifier: BSD-2-Clause
 * CCNF experts, 8 windows or 8 outputs at a time. */
#include "fa_kern_ccnf.h"

#include <float.h>
#include <string.h>

#include "ccnf_fold_internal.h"
#include "exp_lanes.h"

#define V __m256
#define LANES 8
#define OP(f) _mm256_##f##_ps
#define NAME(f) f##_8
#include "ccnf_lanes.h"

enum { C_MAX = FA_CCNF_MAX_W + FA_CCNF_SUPPORT - 1, PLANE_MAX = C_MAX * FA_CCNF_MAX_W + 16 };

/* Copies the area's 11 bands of w columns into dense planes; each row is written as whole vectors, the next one overwrites
 * the excess. Returns the planes' distance. */
static int make_planes(float *planes, const float *aoi, int w)
{
    const int c = w + FA_CCNF_SUPPORT - 1, plane = c * w + 16;
    for (int x = 0; x < FA_CCNF_SUPPORT; x++, planes += plane) {
        for (int y = 0; y < c; y++) {
            const float *from = aoi + y * FA_AOI_STRIDE + x;
            _mm256_storeu_ps(planes + y * w, _mm256_loadu_ps(from));
            if (w > 8)
                _mm256_storeu_ps(planes + y * w + 8, _mm256_loadu_ps(from + 8));
        }
        memset(planes + c * w, 0, 16 * sizeof *planes);
    }
    return plane;
}

static void response_avx2(float *r, const float *aoi, int w, const struct fa_ccnf_neurons *nn)
{
    float planes[FA_CCNF_SUPPORT * PLANE_MAX], mean[FA_CCNF_MAX_MAP + 7], inv[FA_CCNF_MAX_MAP + 7];
    const int plane = make_planes(planes, aoi, w), n = (w * w + 7) / 8;
    memset(r, 0, (size_t)n * 8 * sizeof *r);
    all_norms_8(mean, inv, planes, plane, w);
    /* One vector at a time: seven sums and the broadcast weights leave no room in 16 registers for a second. */
    for (int p = 0; p < 8 * n; p += 8)
        windows_8(r + p, mean + p, inv + p, planes, plane, w, p, nn, 1);
}

/* One block on one vector, or (b) on two at once; 16 outputs at a time, 8 at the end where the padding is to 8. */
static inline void product(float *a, float *b, const float *block, int n)
{
    const int np = fa_ccnf_pad(n);
    float out_a[FOLD_MAX], out_b[FOLD_MAX];
    for (int i = 0; i < np; i += 16) {
        const int two = np - i > 8;
        __m256 a0 = _mm256_setzero_ps(), a1 = a0, b0 = a0, b1 = a0;
        for (int c = 0; c < n; c++) {
            const float *col = block + c * np + i;
            const __m256 m0 = _mm256_loadu_ps(col), m1 = _mm256_loadu_ps(col + 8 * two), va = _mm256_set1_ps(a[c]);
            a0 = _mm256_fmadd_ps(m0, va, a0);
            a1 = _mm256_fmadd_ps(m1, va, a1);
            if (b) {
                const __m256 vb = _mm256_set1_ps(b[c]);
                b0 = _mm256_fmadd_ps(m0, vb, b0);
                b1 = _mm256_fmadd_ps(m1, vb, b1);
            }
        }
        _mm256_storeu_ps(out_a + i, a0);
        _mm256_storeu_ps(out_b + i, b0);
        if (two) {
            _mm256_storeu_ps(out_a + i + 8, a1);
            _mm256_storeu_ps(out_b + i + 8, b1);
        }
    }
    memcpy(a, out_a, (size_t)n * sizeof *a);
    if (b)
        memcpy(b, out_b, (size_t)n * sizeof *b);
}

static void smooth_avx2(float *o, const float *r, const float *sigma, int w)
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

const struct fa_kern_ccnf fa_kern_ccnf_avx2 = { response_avx2, smooth_avx2 };
