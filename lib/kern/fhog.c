/* SPDX-License-Identifier: BSD-2-Clause
 * FHOG: the twin, and the choice. Two sets of tie and rounding rules meet in a row, because the reference works in groups of
 * eight columns and finishes the row one pixel at a time (spec/aus 4.1). */
#include "fa_kern_fhog.h"

#include <math.h>

#include "fa_kern.h"

static void planes_c(uint8_t *restrict b, uint8_t *restrict g, uint8_t *restrict r, const uint8_t *restrict bgr, int n)
{
    for (int i = 0; i < n; i++, bgr += 3) {
        b[i] = bgr[0];
        g[i] = bgr[1];
        r[i] = bgr[2];
    }
}

/* The channel (0 B, 1 G, 2 R) with the longest gradient; l: squared lengths. */
static int longest(const int l[3], int grouped)
{
    if (grouped) {                             /* equal: the later of R, G, B */
        int c = l[2] > l[1] ? 2 : 1;
        return l[c] > l[0] ? c : 0;
    }
    int c = l[1] > l[2] ? 1 : 2;               /* equal: the earlier */
    return l[0] > l[c] ? 0 : c;
}

static int orientation(float gx, float gy)
{
    static const float dir[9][2] = { { 1, 0 }, { .9397f, .3420f }, { .7660f, .6428f }, { .5f, .8660f }, { .1736f, .9848f },
                                     { -.1736f, .9848f }, { -.5f, .8660f }, { -.7660f, .6428f }, { -.9397f, .3420f } };
    float best = 0;
    int bin = 0;
    for (int o = 0; o < 9; o++) {
        float d = gx * dir[o][0] + gy * dir[o][1];
        if (d > best) {
            best = d;
            bin = o;
        }
        if (-d > best) {
            best = -d;
            bin = o + 9;
        }
    }
    return bin;
}

static void gradient_c(float v[FA_FHOG_ROW], int32_t bin[FA_FHOG_ROW], const uint8_t *const plane[3])
{
    for (int i = 0; i < FA_FHOG_PIXELS; i++) {
        int gx[3], gy[3], l[3];
        for (int c = 0; c < 3; c++) {
            const uint8_t *p = plane[c] + i + 1;
            gx[c] = p[1] - p[-1];
            gy[c] = p[FA_FHOG_STRIDE] - p[-FA_FHOG_STRIDE];
            l[c] = gx[c] * gx[c] + gy[c] * gy[c];
        }
        int c = longest(l, i < FA_FHOG_GROUPED);
        v[i] = sqrtf((float)l[c]);
        bin[i] = orientation((float)gx[c], (float)gy[c]);
    }
}

static void vote_c(float hist[FA_FHOG_CELLS][FA_FHOG_BINS][2], const float v[FA_FHOG_ROW], const int32_t bin[FA_FHOG_ROW], const float a[2])
{
    for (int i = 0; i < FA_FHOG_PIXELS; i++) {
        float b[2];
        int col = fa_fhog_column(b, i), grouped = i < FA_FHOG_GROUPED;
        for (int cx = 0; cx < 2; cx++)
            for (int cy = 0; cy < 2; cy++)
                hist[col + cx][bin[i]][cy] += grouped ? a[cy] * (b[cx] * v[i]) : (a[cy] * b[cx]) * v[i];
    }
}

/* Sum over the four lanes, in the order of the reference's plain SSE2 build. */
static inline float sum4(const float h[4])
{
    return (h[0] + h[2]) + (h[1] + h[3]);
}

static inline void normalise(float h[4], float q, const float nn[4], const float n[4])
{
    for (int k = 0; k < 4; k++)
        h[k] = (q < nn[k] ? q : nn[k]) * n[k];
}

static void features_c(float f[FA_FHOG_FEATURES], const float h[FA_FHOG_BINS], const float nn[4], const float n[4])
{
    float t[4] = { 0 };
    for (int o = 0; o < 18; o += 3) {
        float q[3][4];
        for (int i = 0; i < 3; i++) {
            normalise(q[i], h[o + i], nn, n);
            f[o + i] = sum4(q[i]);
        }
        for (int k = 0; k < 4; k++)
            t[k] += (q[0][k] + q[1][k]) + q[2][k];
    }
    for (int o = 0; o < 9; o++) {
        float q[4];
        normalise(q, h[o] + h[o + 9], nn, n);
        f[18 + o] = sum4(q);
    }
    for (int k = 0; k < 4; k++)
        f[27 + k] = t[k] * 0.4714f;
}

const struct fa_kern_fhog fa_kern_fhog_c = { planes_c, gradient_c, vote_c, features_c };

const struct fa_kern_fhog *fa_kern_fhog(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_kern_cpu() & FA_CPU_AVX512)
        return &fa_kern_fhog_avx512;
    if (fa_kern_cpu() & FA_CPU_AVX2)
        return &fa_kern_fhog_avx2;
#endif
    return &fa_kern_fhog_c;
}
