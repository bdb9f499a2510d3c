/* SPDX-License-Identifier: BSD-2-Clause
 * Gray rows, 16 pixels a step. Four pixels fill a 16-byte lane twice: as words (B, G) and as words (R, 1), so that two
 * multiply-adds give 3735 B + 19235 G and 9798 R + 16384. */
#include "fa_kern_gray.h"

#include <immintrin.h>

/* Four pixels at p (16 bytes are read) and four at q as eight 32-bit grays. */
static inline __m256i gray8(const uint8_t *p, const uint8_t *q)
{
    const __m256i bg = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1));
    const __m256i r0 = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1));
    const __m256i one = _mm256_set1_epi32(1 << 16);
    __m256i v = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)p)),
                                        _mm_loadu_si128((const __m128i *)q), 1);
    __m256i s = _mm256_madd_epi16(_mm256_shuffle_epi8(v, bg), _mm256_set1_epi32(19235 << 16 | 3735));
    __m256i t = _mm256_madd_epi16(_mm256_or_si256(_mm256_shuffle_epi8(v, r0), one), _mm256_set1_epi32(16384 << 16 | 9798));
    return _mm256_srli_epi32(_mm256_add_epi32(s, t), 15);
}

static void row_avx2(uint8_t *restrict y, const uint8_t *restrict bgr, int n)
{
    int i = 0;
    /* A step reads 52 bytes for its 48, so it needs two pixels to follow. */
    for (; i + 18 <= n; i += 16, bgr += 48) {
        __m256i a = gray8(bgr, bgr + 24), b = gray8(bgr + 12, bgr + 36);       /* pixels 0-3 8-11, 4-7 12-15 */
        __m256i w = _mm256_packus_epi32(a, b);                                  /* 0-7, 8-15 */
        _mm_storeu_si128((__m128i *)(y + i),
                         _mm_packus_epi16(_mm256_castsi256_si128(w), _mm256_extracti128_si256(w, 1)));
    }
    fa_kern_gray_c.row(y + i, bgr, n - i);
}

const struct fa_kern_gray fa_kern_gray_avx2 = { row_avx2 };
