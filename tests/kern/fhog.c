/* SPDX-License-Identifier: BSD-2-Clause
 * FHOG kernels: every SIMD variant equals the twin bit for bit, on noise, on coarse values (many ties) and on flat images. */
#include "fa_test.h"

#include <math.h>
#include <string.h>

#include "fa_kern.h"
#include "fa_kern_fhog.h"

enum { ROWS = 3, BYTES = ROWS * FA_FHOG_STRIDE + 32 };

static void compare_rows(const struct fa_kern_fhog *k)
{
    uint64_t seed = 11;
    for (int t = 0; t < 300; t++) {
        uint8_t px[3][BYTES];
        int step = 1 << t % 8;
        for (int c = 0; c < 3; c++)
            for (int i = 0; i < BYTES; i++)
                px[c][i] = (uint8_t)(t % 16 == 9 && c ? px[0][i] : test_rand(&seed) / (unsigned)step * (unsigned)step);
        const uint8_t *plane[3];
        for (int c = 0; c < 3; c++)
            plane[c] = px[c] + 16 + FA_FHOG_STRIDE;
        float v[2][FA_FHOG_ROW], hist[2][FA_FHOG_CELLS][FA_FHOG_BINS][2], a[2] = { 0.0625f * (float)(t % 16), 1 - 0.0625f * (float)(t % 16) };
        int32_t bin[2][FA_FHOG_ROW];
        fa_kern_fhog_c.gradient(v[0], bin[0], plane);
        k->gradient(v[1], bin[1], plane);
        check_bytes("length", v[1], v[0], FA_FHOG_PIXELS * sizeof v[0][0]);
        check_bytes("bin", bin[1], bin[0], FA_FHOG_PIXELS * sizeof bin[0][0]);
        for (int c = 0; c < FA_FHOG_CELLS; c++)
            for (int o = 0; o < FA_FHOG_BINS; o++)
                for (int i = 0; i < 2; i++)
                    hist[1][c][o][i] = hist[0][c][o][i] = fabsf(test_randf(&seed)) * 500;
        fa_kern_fhog_c.vote(hist[0], v[0], bin[0], a);
        k->vote(hist[1], v[0], bin[0], a);
        check_bytes("votes", hist[1], hist[0], sizeof hist[0]);
    }
}

static void compare_features(const struct fa_kern_fhog *k)
{
    uint64_t seed = 12;
    for (int t = 0; t < 2000; t++) {
        float h[FA_FHOG_BINS], nn[4], n[4], f[2][FA_FHOG_FEATURES + 1];
        for (int i = 0; i < FA_FHOG_BINS; i++)
            h[i] = t % 3 == 0 ? 0 : fabsf(test_randf(&seed)) * 300;
        for (int i = 0; i < 4; i++) {
            nn[i] = 0.002f + (t % 2 ? fabsf(test_randf(&seed)) * 200 : 0);
            n[i] = 0.1f / nn[i];
        }
        f[0][FA_FHOG_FEATURES] = f[1][FA_FHOG_FEATURES] = 7;
        fa_kern_fhog_c.features(f[0], h, nn, n);
        k->features(f[1], h, nn, n);
        check_f32_bits("features", f[1], f[0], FA_FHOG_FEATURES + 1);
    }
}

static void compare_planes(const struct fa_kern_fhog *k)
{
    uint64_t seed = 13;
    uint8_t src[3 * 130], out[2][3][160];
    for (int n = 0; n <= 130; n++) {
        for (size_t i = 0; i < sizeof src; i++)
            src[i] = (uint8_t)test_rand(&seed);
        memset(out, 0x5a, sizeof out);
        fa_kern_fhog_c.planes(out[0][0], out[0][1], out[0][2], src, n);
        k->planes(out[1][0], out[1][1], out[1][2], src, n);
        for (int c = 0; c < 3; c++)
            check_bytes("plane", out[1][c], out[0][c], (size_t)n);
    }
}

static void compare(const struct fa_kern_fhog *k)
{
    compare_planes(k);
    compare_rows(k);
    compare_features(k);
}

static void fhog_avx2_equals_twin(void)
{
    if (!(fa_cpu_detect() & FA_CPU_AVX2))
        test_skip("no AVX2");
    else
        compare(&fa_kern_fhog_avx2);
}

static void fhog_avx512_equals_twin(void)
{
    if (!(fa_cpu_detect() & FA_CPU_AVX512))
        test_skip("no AVX-512");
    else
        compare(&fa_kern_fhog_avx512);
}

int main(void)
{
    RUN(fhog_avx2_equals_twin);
    RUN(fhog_avx512_equals_twin);
    return test_done();
}
