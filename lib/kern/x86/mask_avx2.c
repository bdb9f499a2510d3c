/* SPDX-License-Identifier: BSD-2-Clause
 * Triangles of the face mask, eight pixels of a row at a time. */
#include "fa_kern_mask.h"

#include <immintrin.h>

static void triangle_avx2(uint8_t *mask, int size, const float px[3], const float py[3])
{
    struct fa_mask_tri t;
    if (!fa_mask_tri_setup(&t, size, px, py))
        return;
    const __m256 lane = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7), zero = _mm256_setzero_ps();
    __m256 w[3], dy[3], ex[3];
    for (int k = 0; k < 3; k++) {
        w[k] = _mm256_set1_ps(t.edge[k].w);
        dy[k] = _mm256_set1_ps(t.edge[k].dy);
        ex[k] = _mm256_set1_ps(t.edge[k].x);
    }
    for (int y = t.y0; y <= t.y1; y++) {
        __m256 row[3];
        for (int k = 0; k < 3; k++)
            row[k] = _mm256_set1_ps(t.edge[k].dx * ((float)y - t.edge[k].y));
        for (int x = t.x0; x <= t.x1; x += 8) {
            __m256 vx = _mm256_add_ps(_mm256_set1_ps((float)x), lane);
            __m256 in = _mm256_cmp_ps(vx, _mm256_set1_ps((float)t.x1), _CMP_LE_OQ);
            for (int k = 0; k < 3; k++) {
                __m256 u = _mm256_sub_ps(row[k], _mm256_mul_ps(_mm256_sub_ps(vx, ex[k]), dy[k]));
                in = _mm256_and_ps(in, _mm256_cmp_ps(_mm256_mul_ps(u, w[k]), zero, _CMP_GE_OQ));
            }
            __m256i m = _mm256_srli_epi32(_mm256_castps_si256(in), 31);
            __m128i m16 = _mm_packs_epi32(_mm256_castsi256_si128(m), _mm256_extracti128_si256(m, 1));
            __m128i *p = (__m128i *)(mask + y * size + x);
            _mm_storel_epi64(p, _mm_or_si128(_mm_loadl_epi64(p), _mm_packs_epi16(m16, m16)));
        }
    }
}

const struct fa_kern_mask fa_kern_mask_avx2 = { triangle_avx2 };
