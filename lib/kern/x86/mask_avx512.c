/* SPDX-License-Identifier: BSD-2-Clause
 * Triangles of the face mask, sixteen pixels of a row at a time. */
#include "fa_kern_mask.h"

#include <immintrin.h>

static void triangle_avx512(uint8_t *mask, int size, const float px[3], const float py[3])
{
    struct fa_mask_tri t;
    if (!fa_mask_tri_setup(&t, size, px, py))
        return;
    const __m512 lane = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), zero = _mm512_setzero_ps();
    __m512 w[3], dy[3], ex[3];
    for (int k = 0; k < 3; k++) {
        w[k] = _mm512_set1_ps(t.edge[k].w);
        dy[k] = _mm512_set1_ps(t.edge[k].dy);
        ex[k] = _mm512_set1_ps(t.edge[k].x);
    }
    for (int y = t.y0; y <= t.y1; y++) {
        __m512 row[3];
        for (int k = 0; k < 3; k++)
            row[k] = _mm512_set1_ps(t.edge[k].dx * ((float)y - t.edge[k].y));
        for (int x = t.x0; x <= t.x1; x += 16) {
            __m512 vx = _mm512_add_ps(_mm512_set1_ps((float)x), lane);
            __mmask16 in = (__mmask16)((1u << (t.x1 - x < 15 ? t.x1 - x + 1 : 16)) - 1);
            for (int k = 0; k < 3; k++) {
                __m512 u = _mm512_sub_ps(row[k], _mm512_mul_ps(_mm512_sub_ps(vx, ex[k]), dy[k]));
                in = _mm512_mask_cmp_ps_mask(in, _mm512_mul_ps(u, w[k]), zero, _CMP_GE_OQ);
            }
            _mm_mask_storeu_epi8(mask + y * size + x, in, _mm_set1_epi8(1));
        }
    }
}

const struct fa_kern_mask fa_kern_mask_avx512 = { triangle_avx512 };
