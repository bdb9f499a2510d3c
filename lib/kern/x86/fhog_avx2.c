/* SPDX-License-Identifier: BSD-2-Clause
 * FHOG with 256-bit vectors: eight pixels, or eight features, a vector. */
#include "fa_kern_fhog.h"

#include <immintrin.h>

#include "fhog_sse_internal.h"

static inline __m256i load8(const uint8_t *p)
{
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
}

static inline void better(__m256 *best, __m256 *dot, __m256i *bin, __m256 d, int o)
{
    __m256 len = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), d);
    __m256 m = _mm256_cmp_ps(len, *best, _CMP_GT_OQ);
    *best = _mm256_max_ps(*best, len);
    *dot = _mm256_blendv_ps(*dot, d, m);
    *bin = _mm256_blendv_epi8(*bin, _mm256_set1_epi32(o), _mm256_castps_si256(m));
}

static void gradient_avx2(float v[FA_FHOG_ROW], int32_t bin[FA_FHOG_ROW], const uint8_t *const plane[3])
{
    for (int i = 0; i < FA_FHOG_ROW; i += 8) {
        __m256i gx[3], gy[3], l[3];
        for (int c = 0; c < 3; c++) {
            const uint8_t *p = plane[c] + i + 1;
            gx[c] = _mm256_sub_epi32(load8(p + 1), load8(p - 1));
            gy[c] = _mm256_sub_epi32(load8(p + FA_FHOG_STRIDE), load8(p - FA_FHOG_STRIDE));
            l[c] = _mm256_add_epi32(_mm256_mullo_epi32(gx[c], gx[c]), _mm256_mullo_epi32(gy[c], gy[c]));
        }
        /* Grouped columns: green replaces red, and blue the winner, also when equal. */
        __m256i tie = _mm256_set1_epi32(i < FA_FHOG_GROUPED ? -1 : 0);
        __m256i g = _mm256_cmpgt_epi32(l[1], _mm256_add_epi32(l[2], tie));
        __m256i x = _mm256_blendv_epi8(gx[2], gx[1], g), y = _mm256_blendv_epi8(gy[2], gy[1], g);
        __m256i w = _mm256_blendv_epi8(l[2], l[1], g);
        __m256i b = _mm256_cmpgt_epi32(l[0], _mm256_add_epi32(w, tie));
        __m256 fx = _mm256_cvtepi32_ps(_mm256_blendv_epi8(x, gx[0], b));
        __m256 fy = _mm256_cvtepi32_ps(_mm256_blendv_epi8(y, gy[0], b));
        _mm256_storeu_ps(v + i, _mm256_sqrt_ps(_mm256_cvtepi32_ps(_mm256_blendv_epi8(w, l[0], b))));

        /* Directions 8 .. 5 are 1 .. 4 mirrored: (-x) a + y b = y b - x a. */
        __m256 px[4], py[4], best = _mm256_setzero_ps(), dot = best;
        __m256i o = _mm256_setzero_si256();
        for (int k = 0; k < 4; k++) {
            px[k] = _mm256_mul_ps(fx, _mm256_set1_ps(fa_fhog_dir[k][0]));
            py[k] = _mm256_mul_ps(fy, _mm256_set1_ps(fa_fhog_dir[k][1]));
        }
        better(&best, &dot, &o, fx, 0);
        for (int k = 0; k < 4; k++)
            better(&best, &dot, &o, _mm256_add_ps(px[k], py[k]), 1 + k);
        for (int k = 3; k >= 0; k--)
            better(&best, &dot, &o, _mm256_sub_ps(py[k], px[k]), 8 - k);
        __m256i back = _mm256_and_si256(_mm256_srai_epi32(_mm256_castps_si256(dot), 31), _mm256_set1_epi32(9));
        _mm256_storeu_si256((__m256i *)(bin + i), _mm256_add_epi32(o, back));
    }
}

static inline __m256 normal8(__m256 q, const float nn[4], const float n[4], int k)
{
    return _mm256_mul_ps(_mm256_min_ps(q, _mm256_set1_ps(nn[k])), _mm256_set1_ps(n[k]));
}

static inline __m256 sum8(__m256 q, const float nn[4], const float n[4])
{
    return _mm256_add_ps(_mm256_add_ps(normal8(q, nn, n, 0), normal8(q, nn, n, 2)),
                         _mm256_add_ps(normal8(q, nn, n, 1), normal8(q, nn, n, 3)));
}

static void features_avx2(float f[FA_FHOG_FEATURES], const float h[FA_FHOG_BINS], const float nn[4], const float n[4])
{
    _Alignas(32) float q[32] = { 0 }, out[32];
    for (int o = 0; o < 18; o++)
        q[o] = h[o];
    for (int o = 0; o < 9; o++)
        q[18 + o] = h[o] + h[o + 9];
    for (int i = 0; i < 32; i += 8)
        _mm256_store_ps(out + i, sum8(_mm256_load_ps(q + i), nn, n));
    for (int i = 0; i < 24; i += 8)
        _mm256_storeu_ps(f + i, _mm256_load_ps(out + i));
    for (int i = 24; i < 27; i++)
        f[i] = out[i];
    fa_fhog_texture(f + 27, h, nn, n);
}

const struct fa_kern_fhog fa_kern_fhog_avx2 = { fa_fhog_planes, gradient_avx2, fa_fhog_vote, features_avx2 };
