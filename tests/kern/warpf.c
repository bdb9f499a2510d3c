/* SPDX-License-Identifier: BSD-2-Clause
 * Sampling of bytes as floats: the SIMD variant equals the twin bit for bit, for all sizes, with positions up to the last ones
 * that the kernel's contract allows. */
#include "fa_test.h"

#include <string.h>

#include "fa_kern.h"
#include "fa_kern_warpf.h"

enum { SW = 41, SH = 29, STRIDE = 47, DST = 72 };

static void compare(const struct fa_kern_warpf *k)
{
    uint64_t seed = 8;
    /* Exactly the bytes that may be read: the plane ends where its last row does. */
    uint8_t src[(SH - 1) * STRIDE + SW];
    for (size_t i = 0; i < sizeof src; i++)
        src[i] = (uint8_t)(i % 5 == 0 ? 255 : test_rand(&seed));
    for (int t = 0; t < 2000; t++) {
        const int w = 1 + (int)(test_rand(&seed) % 64), h = 1 + (int)(test_rand(&seed) % 64);
        struct fa_warpf_grid g;
        static float dst[2][64 * DST + 8];
        for (int i = 0; i < FA_WARPF_MAX; i++) {
            const int c = i < w ? i : w - 1;
            /* Row and column terms that add up to 0 .. (SW-4) and (SH-2) pixels, in 1/1024. */
            g.col_x[i] = c < i ? g.col_x[c] : (int)(test_rand(&seed) % ((SW - 3) * 512)) - 300;
            g.col_y[i] = c < i ? g.col_y[c] : (int)(test_rand(&seed) % ((SH - 1) * 512)) - 200;
            g.row_x[i] = (int)(test_rand(&seed) % ((SW - 3) * 512)) + 300;
            g.row_y[i] = (int)(test_rand(&seed) % ((SH - 1) * 512)) + 200;
        }
        g.col_x[0] = (SW - 3) * 512 - 301;                 /* the far corner itself */
        g.row_x[0] = (SW - 3) * 512 + 300;
        g.col_y[0] = (SH - 1) * 512 - 201;
        g.row_y[0] = (SH - 1) * 512 + 200;
        for (int i = w; i < FA_WARPF_MAX; i++) {
            g.col_x[i] = g.col_x[w - 1];
            g.col_y[i] = g.col_y[w - 1];
        }
        memset(dst, 0x3c, sizeof dst);
        fa_kern_warpf_c.inside(dst[0], DST, w, h, src, STRIDE, &g);
        k->inside(dst[1], DST, w, h, src, STRIDE, &g);
        for (int y = 0; y < h; y++)
            check_f32_bits("row", dst[1] + y * DST, dst[0] + y * DST, (size_t)w);
        check_bytes("beyond the padded row", dst[1] + (h - 1) * DST + ((w + 7) & ~7), dst[0] + (h - 1) * DST + ((w + 7) & ~7), 8 * sizeof(float));
    }
}

static void warpf_avx2_equals_twin(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_cpu_detect() & FA_CPU_AVX2) {
        compare(&fa_kern_warpf_avx2);
        return;
    }
#endif
    (void)compare;
    test_skip("no AVX2");
}

static void twin_weighs_four_taps(void)
{
    static const uint8_t src[3][8] = { { 10, 20, 30, 0, 0, 0, 0, 0 }, { 50, 100, 7, 0, 0, 0, 0, 0 }, { 1, 2, 3, 0, 0, 0, 0, 0 } };
    struct fa_warpf_grid g = { .col_x = { 0, 512, 1024 + 256 }, .col_y = { 0, 0, 0 }, .row_x = { 0, 0 }, .row_y = { 0, 768 } };
    float dst[2][8];
    const float want0[] = { 10, 15, 22.5f }, want1[] = { 40, 60, (22.5f + 3 * 76.75f) / 4 };
    fa_kern_warpf_c.inside(dst[0], 8, 3, 2, src[0], 8, &g);
    check_f32_bits("first row", dst[0], want0, 3);
    check_f32_bits("second row", dst[1], want1, 3);
}

int main(void)
{
    RUN(twin_weighs_four_taps);
    RUN(warpf_avx2_equals_twin);
    return test_done();
}
