/* SPDX-License-Identifier: BSD-2-Clause
 * Bilinear samples of bytes as floats, 8 positions at a time: one gather fetches a row's pair of taps, byte and word products
 * do the weighting in integers (at most 255 * 32 * 32). */
#include "fa_kern_warpf.h"

#include <immintrin.h>

static void inside_avx2(float *dst, ptrdiff_t dst_stride, int w, int h, const uint8_t *src, ptrdiff_t src_stride, const struct fa_warpf_grid *g)
{
    const __m256i m31 = _mm256_set1_epi32(31), stride = _mm256_set1_epi32((int)src_stride), one = _mm256_set1_epi32(32);
    const __m256 unit = _mm256_set1_ps(1.0f / 1024);
    for (int j = 0; j < h; j++) {
        const __m256i rx = _mm256_set1_epi32(g->row_x[j]), ry = _mm256_set1_epi32(g->row_y[j]);
        for (int i = 0; i < w; i += 8) {
            const __m256i x = _mm256_srai_epi32(_mm256_add_epi32(_mm256_loadu_si256((const void *)(g->col_x + i)), rx), 5);
            const __m256i y = _mm256_srai_epi32(_mm256_add_epi32(_mm256_loadu_si256((const void *)(g->col_y + i)), ry), 5);
            const __m256i fx = _mm256_and_si256(x, m31), fy = _mm256_and_si256(y, m31);
            const __m256i at = _mm256_add_epi32(_mm256_mullo_epi32(_mm256_srai_epi32(y, 5), stride), _mm256_srai_epi32(x, 5));
            const __m256i top = _mm256_i32gather_epi32((const int *)src, at, 1);
            const __m256i bottom = _mm256_i32gather_epi32((const int *)(src + src_stride), at, 1);
            /* Bytes p00 p01 p10 p11 against 32-fx fx 32-fx fx, then words top bottom against 32-fy fy. */
            const __m256i taps = _mm256_blend_epi16(top, _mm256_slli_epi32(bottom, 16), 0xaa);
            __m256i wx = _mm256_or_si256(_mm256_sub_epi32(one, fx), _mm256_slli_epi32(fx, 8));
            wx = _mm256_or_si256(wx, _mm256_slli_epi32(wx, 16));
            const __m256i wy = _mm256_or_si256(_mm256_sub_epi32(one, fy), _mm256_slli_epi32(fy, 16));
            const __m256i v = _mm256_madd_epi16(_mm256_maddubs_epi16(taps, wx), wy);
            _mm256_storeu_ps(dst + j * dst_stride + i, _mm256_mul_ps(_mm256_cvtepi32_ps(v), unit));
        }
    }
}

const struct fa_kern_warpf fa_kern_warpf_avx2 = { inside_avx2 };
