/* SPDX-License-Identifier: BSD-2-Clause
 * Bilinear samples of bytes as floats in three passes over a band of rows: where the taps lie, 8 positions at a time; fetching
 * them, two 16-bit loads a position (cheaper than gathers, which are slow or made slow on many CPUs); weighting in integers,
 * byte and word products of at most 255 * 32 * 32. */
#include "fa_kern_warpf.h"

#include <immintrin.h>
#include <string.h>

enum { BAND = 1024 };                    /* positions held at once: 16 rows of 64, or all of a 25 x 32 area */

struct band { _Alignas(32) int32_t at[BAND], fraction[BAND]; _Alignas(32) uint32_t taps[BAND]; };

/* Offsets of the upper left taps, and fy << 16 | fx. */
static void locate(struct band *b, int wp, int j0, int j1, ptrdiff_t src_stride, const struct fa_warpf_grid *g)
{
    const __m256i m31 = _mm256_set1_epi32(31), stride = _mm256_set1_epi32((int)src_stride);
    int k = 0;
    for (int j = j0; j < j1; j++) {
        const __m256i rx = _mm256_set1_epi32(g->row_x[j]), ry = _mm256_set1_epi32(g->row_y[j]);
        for (int i = 0; i < wp; i += 8, k += 8) {
            const __m256i x = _mm256_srai_epi32(_mm256_add_epi32(_mm256_loadu_si256((const void *)(g->col_x + i)), rx), 5);
            const __m256i y = _mm256_srai_epi32(_mm256_add_epi32(_mm256_loadu_si256((const void *)(g->col_y + i)), ry), 5);
            const __m256i at = _mm256_add_epi32(_mm256_mullo_epi32(_mm256_srai_epi32(y, 5), stride), _mm256_srai_epi32(x, 5));
            const __m256i f = _mm256_or_si256(_mm256_and_si256(x, m31), _mm256_slli_epi32(_mm256_and_si256(y, m31), 16));
            _mm256_store_si256((void *)(b->at + k), at);
            _mm256_store_si256((void *)(b->fraction + k), f);
        }
    }
}

static inline uint32_t pair(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}

/* The taps of a row; 0 behind its w. */
static inline void fetch(uint32_t *taps, const int32_t *at, int w, const uint8_t *top, const uint8_t *bottom)
{
    int i;
    _mm256_store_si256((void *)(taps + ((w - 1) & ~7)), _mm256_setzero_si256());
    for (i = 0; i + 1 < w; i += 2) {
        taps[i] = pair(top + at[i]) | pair(bottom + at[i]) << 16;
        taps[i + 1] = pair(top + at[i + 1]) | pair(bottom + at[i + 1]) << 16;
    }
    if (i < w)
        taps[i] = pair(top + at[i]) | pair(bottom + at[i]) << 16;
}

static void inside_avx2(float *dst, ptrdiff_t dst_stride, int w, int h, const uint8_t *src, ptrdiff_t src_stride, const struct fa_warpf_grid *g)
{
    const int wp = (w + 7) & ~7, rows = BAND / wp;
    const __m256i one = _mm256_set1_epi32(32), low = _mm256_set1_epi32(0xff);
    const __m256 unit = _mm256_set1_ps(1.0f / 1024);
    struct band b;
    for (int j0 = 0; j0 < h; j0 += rows) {
        const int j1 = j0 + rows < h ? j0 + rows : h, n = (j1 - j0) * wp;
        locate(&b, wp, j0, j1, src_stride, g);
        for (int k = 0; k < n; k += wp)
            fetch(b.taps + k, b.at + k, w, src, src + src_stride);
        for (int j = j0, k = 0; j < j1; j++)
            for (int i = 0; i < wp; i += 8, k += 8) {
                /* Bytes p00 p01 p10 p11 against 32-fx fx 32-fx fx, then words top bottom against 32-fy fy. */
                const __m256i f = _mm256_load_si256((const void *)(b.fraction + k));
                const __m256i fx = _mm256_and_si256(f, low), fy = _mm256_srli_epi32(f, 16);
                __m256i wx = _mm256_or_si256(_mm256_sub_epi32(one, fx), _mm256_slli_epi32(fx, 8));
                wx = _mm256_or_si256(wx, _mm256_slli_epi32(wx, 16));
                const __m256i wy = _mm256_or_si256(_mm256_sub_epi32(one, fy), _mm256_slli_epi32(fy, 16));
                const __m256i v = _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_load_si256((const void *)(b.taps + k)), wx), wy);
                _mm256_storeu_ps(dst + j * dst_stride + i, _mm256_mul_ps(_mm256_cvtepi32_ps(v), unit));
            }
    }
}

const struct fa_kern_warpf fa_kern_warpf_avx2 = { inside_avx2 };
