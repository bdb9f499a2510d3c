/* SPDX-License-Identifier: BSD-2-Clause
 * FHOG with 512-bit vectors: sixteen pixels, or sixteen features, a vector. */
#include "fa_kern_fhog.h"

#include <immintrin.h>

#include "fhog_sse_internal.h"

static inline __m512i load16(const uint8_t *p)
{
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
}

static inline void better(__m512 *best, __m512 *dot, __m512i *bin, __m512 d, int o)
{
    __m512 len = _mm512_abs_ps(d);
    __mmask16 m = _mm512_cmp_ps_mask(len, *best, _CMP_GT_OQ);
    *best = _mm512_max_ps(*best, len);
    *dot = _mm512_mask_mov_ps(*dot, m, d);
    *bin = _mm512_mask_mov_epi32(*bin, m, _mm512_set1_epi32(o));
}

static void gradient_avx512(float v[FA_FHOG_ROW], int32_t bin[FA_FHOG_ROW], const uint8_t *const plane[3])
{
    for (int i = 0; i < FA_FHOG_ROW; i += 16) {
        __m512i gx[3], gy[3], l[3];
        for (int c = 0; c < 3; c++) {
            const uint8_t *p = plane[c] + i + 1;
            gx[c] = _mm512_sub_epi32(load16(p + 1), load16(p - 1));
            gy[c] = _mm512_sub_epi32(load16(p + FA_FHOG_STRIDE), load16(p - FA_FHOG_STRIDE));
            l[c] = _mm512_add_epi32(_mm512_mullo_epi32(gx[c], gx[c]), _mm512_mullo_epi32(gy[c], gy[c]));
        }
        /* Grouped columns: green replaces red, and blue the winner, also when equal. */
        __mmask16 grouped = i + 16 <= FA_FHOG_GROUPED ? 0xffff : (1 << (FA_FHOG_GROUPED - i)) - 1;
        __m512i tie = _mm512_maskz_set1_epi32(grouped, -1);
        __mmask16 g = _mm512_cmpgt_epi32_mask(l[1], _mm512_add_epi32(l[2], tie));
        __m512i x = _mm512_mask_mov_epi32(gx[2], g, gx[1]), y = _mm512_mask_mov_epi32(gy[2], g, gy[1]);
        __m512i w = _mm512_mask_mov_epi32(l[2], g, l[1]);
        __mmask16 b = _mm512_cmpgt_epi32_mask(l[0], _mm512_add_epi32(w, tie));
        __m512 fx = _mm512_cvtepi32_ps(_mm512_mask_mov_epi32(x, b, gx[0]));
        __m512 fy = _mm512_cvtepi32_ps(_mm512_mask_mov_epi32(y, b, gy[0]));
        _mm512_storeu_ps(v + i, _mm512_sqrt_ps(_mm512_cvtepi32_ps(_mm512_mask_mov_epi32(w, b, l[0]))));

        /* Directions 8 .. 5 are 1 .. 4 mirrored: (-x) a + y b = y b - x a. */
        __m512 px[4], py[4], best = _mm512_setzero_ps(), dot = best;
        __m512i o = _mm512_setzero_si512();
        for (int k = 0; k < 4; k++) {
            px[k] = _mm512_mul_ps(fx, _mm512_set1_ps(fa_fhog_dir[k][0]));
            py[k] = _mm512_mul_ps(fy, _mm512_set1_ps(fa_fhog_dir[k][1]));
        }
        better(&best, &dot, &o, fx, 0);
        for (int k = 0; k < 4; k++)
            better(&best, &dot, &o, _mm512_add_ps(px[k], py[k]), 1 + k);
        for (int k = 3; k >= 0; k--)
            better(&best, &dot, &o, _mm512_sub_ps(py[k], px[k]), 8 - k);
        __mmask16 back = _mm512_movepi32_mask(_mm512_castps_si512(dot));
        _mm512_storeu_si512(bin + i, _mm512_mask_add_epi32(o, back, o, _mm512_set1_epi32(9)));
    }
}

static inline __m512 normal16(__m512 q, const float nn[4], const float n[4], int k)
{
    return _mm512_mul_ps(_mm512_min_ps(q, _mm512_set1_ps(nn[k])), _mm512_set1_ps(n[k]));
}

static inline __m512 sum16(__m512 q, const float nn[4], const float n[4])
{
    return _mm512_add_ps(_mm512_add_ps(normal16(q, nn, n, 0), normal16(q, nn, n, 2)),
                         _mm512_add_ps(normal16(q, nn, n, 1), normal16(q, nn, n, 3)));
}

static void features_avx512(float f[FA_FHOG_FEATURES], const float h[FA_FHOG_BINS], const float nn[4], const float n[4])
{
    const __m512 low = _mm512_loadu_ps(h), top = _mm512_maskz_loadu_ps(0x3, h + 16);        /* bins 0-15, 16-17 */
    const __m512 half = _mm512_add_ps(_mm512_maskz_loadu_ps(0x1ff, h), _mm512_maskz_loadu_ps(0x1ff, h + 9));
    _mm512_storeu_ps(f, sum16(low, nn, n));
    _mm512_mask_storeu_ps(f + 16, 0x3, sum16(top, nn, n));
    _mm512_mask_storeu_ps(f + 18, 0x1ff, sum16(half, nn, n));
    fa_fhog_texture(f + 27, h, nn, n);
}

const struct fa_kern_fhog fa_kern_fhog_avx512 = { fa_fhog_planes, gradient_avx512, fa_fhog_vote, features_avx512 };
