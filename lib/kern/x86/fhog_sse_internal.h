/* SPDX-License-Identifier: BSD-2-Clause
 * The parts of FHOG that 128-bit vectors fit best: planes, the votes (four a pixel), the four texture lanes. */
#ifndef FA_FHOG_SSE_INTERNAL_H
#define FA_FHOG_SSE_INTERNAL_H

#include <immintrin.h>
#include "fa_kern_fhog.h"

/* Directions 1 .. 4 of the nine; 5 .. 8 are these mirrored, 0 is (1, 0). */
static const float fa_fhog_dir[4][2] = { { .9397f, .3420f }, { .7660f, .6428f }, { .5f, .8660f }, { .1736f, .9848f } };

/* Sixteen pixels a step: each plane takes its bytes from three 16-byte pieces. */
static void fa_fhog_planes(uint8_t *restrict b, uint8_t *restrict g, uint8_t *restrict r, const uint8_t *restrict bgr, int n)
{
    static const int8_t pick[3][3][16] = {
        { { 0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 }, { -1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14, -1, -1, -1, -1, -1 },
          { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 4, 7, 10, 13 } },
        { { 1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 }, { -1, -1, -1, -1, -1, 0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1 },
          { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14 } },
        { { 2, 5, 8, 11, 14, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 }, { -1, -1, -1, -1, -1, 1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1 },
          { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 3, 6, 9, 12, 15 } },
    };
    uint8_t *out[3] = { b, g, r };
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        __m128i v[3];
        for (int k = 0; k < 3; k++)
            v[k] = _mm_loadu_si128((const __m128i *)(bgr + 3 * i + 16 * k));
        for (int c = 0; c < 3; c++) {
            __m128i o = _mm_setzero_si128();
            for (int k = 0; k < 3; k++)
                o = _mm_or_si128(o, _mm_shuffle_epi8(v[k], _mm_loadu_si128((const __m128i *)pick[c][k])));
            _mm_storeu_si128((__m128i *)(out[c] + i), o);
        }
    }
    fa_kern_fhog_c.planes(b + i, g + i, r + i, bgr + 3 * i, n - i);
}

/* Adds the low half of w to the cell column p and the high half to the next one. */
static inline void fa_fhog_add(float *p, __m128 w)
{
    float *q = p + 2 * FA_FHOG_BINS;
    __m128 s = _mm_loadh_pi(_mm_loadl_pi(w, (const __m64 *)p), (const __m64 *)q);
    s = _mm_add_ps(s, w);
    _mm_storel_pi((__m64 *)p, s);
    _mm_storeh_pi((__m64 *)q, s);
}

static void fa_fhog_vote(float hist[FA_FHOG_CELLS][FA_FHOG_BINS][2], const float v[FA_FHOG_ROW], const int32_t bin[FA_FHOG_ROW], const float a[2])
{
    const __m128 a4 = _mm_setr_ps(a[0], a[1], a[0], a[1]);
    __m128 b4[8];                              /* by position in the cell, from pixel 0 on */
    for (int i = 0; i < 8; i++) {
        float b[2];
        fa_fhog_column(b, i);
        b4[i] = _mm_setr_ps(b[0], b[0], b[1], b[1]);
    }
    for (int i = 0; i < FA_FHOG_GROUPED; i++)
        if (v[i] != 0)                         /* would add zeros; most such pixels lie outside the mask */
            fa_fhog_add(hist[(i + 5) >> 3][bin[i]], _mm_mul_ps(a4, _mm_mul_ps(b4[i & 7], _mm_set1_ps(v[i]))));
    for (int i = FA_FHOG_GROUPED; i < FA_FHOG_PIXELS; i++)
        fa_fhog_add(hist[(i + 5) >> 3][bin[i]], _mm_mul_ps(_mm_mul_ps(a4, b4[i & 7]), _mm_set1_ps(v[i])));
}

static inline void fa_fhog_texture(float t[4], const float h[FA_FHOG_BINS], const float nn[4], const float n[4])
{
    const __m128 lim = _mm_loadu_ps(nn), mul = _mm_loadu_ps(n);
    __m128 s = _mm_setzero_ps();
    for (int o = 0; o < 18; o += 3) {
        __m128 q[3];
        for (int i = 0; i < 3; i++)
            q[i] = _mm_mul_ps(_mm_min_ps(_mm_set1_ps(h[o + i]), lim), mul);
        s = _mm_add_ps(s, _mm_add_ps(_mm_add_ps(q[0], q[1]), q[2]));
    }
    _mm_storeu_ps(t, _mm_mul_ps(s, _mm_set1_ps(0.4714f)));
}

#endif
