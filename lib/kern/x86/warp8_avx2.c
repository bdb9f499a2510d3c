/* SPDX-License-Identifier: BSD-2-Clause
 * Warp runs of B,G,R pixels, eight at a time where all taps lie well inside the source; the twin does the rest. A 16-byte
 * lane holds one pixel: its two taps above, its two taps below. */
#include "fa_kern_warp8.h"

#include <immintrin.h>
#include <string.h>

/* Eight bytes above (two pixels and two spare bytes) and eight below. */
static inline __m128i taps(const uint8_t *p, ptrdiff_t stride)
{
    return _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)p), _mm_loadl_epi64((const __m128i *)(p + stride)));
}

/* Two pixels as dwords B G R 0, B G R 0. wx: bytes (32 - fx, fx) repeated in each lane; wy: words (32 - fy, fy). */
static inline __m256i blend2(const uint8_t *p, const uint8_t *q, ptrdiff_t stride, __m256i wx, __m256i wy)
{
    const __m256i pair = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 3, 1, 4, 2, 5, -1, -1, 8, 11, 9, 12, 10, 13, -1, -1));
    const __m256i mate = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, -1, -1, -1, -1));
    __m256i v = _mm256_inserti128_si256(_mm256_castsi128_si256(taps(p, stride)), taps(q, stride), 1);
    __m256i h = _mm256_maddubs_epi16(_mm256_shuffle_epi8(v, pair), wx);        /* top B G R 0, bottom B G R 0 */
    __m256i s = _mm256_madd_epi16(_mm256_shuffle_epi8(h, mate), wy);
    return _mm256_srli_epi32(_mm256_add_epi32(s, _mm256_set1_epi32(512)), 10);
}

/* Dwords of w of pixels k and k + 1 into the two lanes. */
static inline __m256i lanes(__m256i w, int k)
{
    return _mm256_permutevar8x32_epi32(w, _mm256_setr_epi32(k, k, k, k, k + 1, k + 1, k + 1, k + 1));
}

static void run_avx2(uint8_t *restrict dst, int n, const struct fa_warp8_src *src, int x0, int y0, const int *ax, const int *ay)
{
    const __m256i low5 = _mm256_set1_epi32(31), k32 = _mm256_set1_epi32(32);
    /* sx + 2 and sy + 1 must exist, so that eight bytes at a tap are the source's own. */
    const __m256i lim_x = _mm256_set1_epi32(src->w - 2), lim_y = _mm256_set1_epi32(src->h - 1);
    const __m256i none = _mm256_set1_epi32(-1);
    const __m256i pack = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    int i = 0;
    if (src->ch == 3)
        for (; i + 8 <= n; i += 8) {
            __m256i x = _mm256_srai_epi32(_mm256_add_epi32(_mm256_set1_epi32(x0), _mm256_loadu_si256((const __m256i *)(ax + i))), 5);
            __m256i y = _mm256_srai_epi32(_mm256_add_epi32(_mm256_set1_epi32(y0), _mm256_loadu_si256((const __m256i *)(ay + i))), 5);
            __m256i sx = _mm256_srai_epi32(x, 5), sy = _mm256_srai_epi32(y, 5);
            __m256i in = _mm256_and_si256(_mm256_and_si256(_mm256_cmpgt_epi32(sx, none), _mm256_cmpgt_epi32(lim_x, sx)),
                                          _mm256_and_si256(_mm256_cmpgt_epi32(sy, none), _mm256_cmpgt_epi32(lim_y, sy)));
            if (_mm256_movemask_epi8(in) != -1) {
                fa_kern_warp8_c.run(dst + 3 * i, 8, src, x0, y0, ax + i, ay + i);
                continue;
            }
            __m256i fx = _mm256_and_si256(x, low5), fy = _mm256_and_si256(y, low5);
            __m256i wx = _mm256_or_si256(_mm256_sub_epi32(k32, fx), _mm256_slli_epi32(fx, 8));
            wx = _mm256_or_si256(wx, _mm256_slli_epi32(wx, 16));
            __m256i wy = _mm256_or_si256(_mm256_sub_epi32(k32, fy), _mm256_slli_epi32(fy, 16));
            _Alignas(32) int at[8];
            _mm256_store_si256((__m256i *)at, _mm256_add_epi32(_mm256_mullo_epi32(sy, _mm256_set1_epi32((int)src->stride)),
                                                              _mm256_add_epi32(sx, _mm256_add_epi32(sx, sx))));
            const uint8_t *p = src->px;
            __m256i a = blend2(p + at[0], p + at[1], src->stride, lanes(wx, 0), lanes(wy, 0));
            __m256i b = blend2(p + at[2], p + at[3], src->stride, lanes(wx, 2), lanes(wy, 2));
            __m256i c = blend2(p + at[4], p + at[5], src->stride, lanes(wx, 4), lanes(wy, 4));
            __m256i d = blend2(p + at[6], p + at[7], src->stride, lanes(wx, 6), lanes(wy, 6));
            /* Bytes, lane 0: pixels 0 2 4 6, lane 1: 1 3 5 7, four bytes each. */
            __m256i o = _mm256_packus_epi16(_mm256_packus_epi32(a, b), _mm256_packus_epi32(c, d));
            o = _mm256_permutevar8x32_epi32(o, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
            o = _mm256_shuffle_epi8(o, pack);
            uint8_t out[32];
            _mm256_storeu_si256((__m256i *)out, o);
            memcpy(dst + 3 * i, out, 12);
            memcpy(dst + 3 * i + 12, out + 16, 12);
        }
    fa_kern_warp8_c.run(dst + src->ch * i, n - i, src, x0, y0, ax + i, ay + i);
}

const struct fa_kern_warp8 fa_kern_warp8_avx2 = { run_avx2 };
