/* SPDX-License-Identifier: BSD-2-Clause
 * CCNF kernels: every SIMD variant equals the twin bit for bit, for every window, on noise, flat and extreme areas; the twin
 * equals the plain reading of the spec in double. */
#include "fa_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fa_kern.h"
#include "fa_kern_ccnf.h"
#include "fa_kern_exp.h"

enum { ROWS = FA_CCNF_MAX_W + 10, GUARD = 16 };

static float areas[ROWS * FA_AOI_STRIDE + 1], weights[FA_CCNF_TAPS * 16 + 1], bias[16], alpha2[16];

static void fill(uint64_t *seed, int t)
{
    for (int i = 0; i < ROWS * FA_AOI_STRIDE + 1; i++) {
        const float noise = test_randf(seed);
        areas[i] = t % 6 == 1 ? 68.3f : t % 6 == 2 ? 77 : t % 6 == 3 ? 0 : t % 6 == 4 ? (noise > 0.9f ? 255 : 0) : 127.5f + 127.5f * noise;
    }
    for (int i = 0; i < FA_CCNF_TAPS * 16 + 1; i++)
        weights[i] = test_randf(seed) * (t % 7 == 0 ? 400 : 6);
    for (int k = 0; k < 16; k++) {
        bias[k] = test_randf(seed) * 20;
        alpha2[k] = k % 5 == 4 ? 0 : fabsf(test_randf(seed)) * 25;
    }
}

static void compare_response(const struct fa_kern_ccnf *k)
{
    static const int neurons[][2] = { { 7, 8 }, { 8, 8 }, { 3, 8 }, { 11, 16 }, { 16, 16 } };
    uint64_t seed = 5;
    for (int t = 0; t < 24; t++)
        for (int w = 3; w <= FA_CCNF_MAX_W; w += 2) {
            fill(&seed, t);
            const int *n = neurons[t % 5], off = t & 1;
            for (int i = 0; i < FA_CCNF_TAPS * 16 + 1; i++)       /* neurons beyond n have no weight and no alpha */
                weights[i] = (i - off) % n[1] < n[0] && i >= off ? weights[i] : 0;
            for (int i = n[0]; i < 16; i++)
                alpha2[i] = bias[i] = 0;
            const struct fa_ccnf_neurons nn = { n[0], n[1], weights + off, bias, alpha2 };
            float r[2][FA_CCNF_MAX_MAP + 15 + GUARD];
            memset(r, 0x7b, sizeof r);
            fa_kern_ccnf_c.response(r[0], areas + off, w, &nn);
            k->response(r[1], areas + off, w, &nn);
            check_f32_bits("response", r[1], r[0], (size_t)(w * w));
            memset(r[0], 0x7b, sizeof r[0]);
            check_bytes("behind the end", r[1] + w * w + 15, r[0], GUARD * sizeof(float));
        }
}

static void compare_smooth(const struct fa_kern_ccnf *k)
{
    uint64_t seed = 6;
    float *sigma = malloc((fa_ccnf_sigma_floats(15) + 1) * sizeof *sigma);
    if (!sigma)
        abort();
    for (int t = 0; t < 20; t++)
        for (int w = 3; w <= FA_CCNF_MAX_W; w += 2) {
            float r[FA_CCNF_MAX_MAP], o[2][FA_CCNF_MAX_MAP + GUARD];
            for (size_t i = 0; i < fa_ccnf_sigma_floats(15) + 1; i++)
                sigma[i] = test_randf(&seed);
            for (int i = 0; i < FA_CCNF_MAX_MAP; i++)
                r[i] = t % 4 == 3 ? 0 : fabsf(test_randf(&seed)) * 100;
            memset(o, 0x7b, sizeof o);
            fa_kern_ccnf_c.smooth(o[0], r, sigma + t % 2, w);
            k->smooth(o[1], r, sigma + t % 2, w);
            check_f32_bits("smooth", o[1], o[0], FA_CCNF_MAX_MAP + GUARD);
            k->smooth(r, r, sigma + t % 2, w);
            check_f32_bits("smooth in place", r, o[0], (size_t)(w * w));
            for (int i = 0; i < w * w; i++)
                CHECK(o[0][i] >= 0);
        }
    free(sigma);
}

static void compare(const struct fa_kern_ccnf *k)
{
    compare_response(k);
    compare_smooth(k);
}

static void ccnf_avx2_equals_twin(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_cpu_detect() & FA_CPU_AVX2) {
        compare(&fa_kern_ccnf_avx2);
        return;
    }
#endif
    (void)compare;
    test_skip("no AVX2");
}

static void ccnf_avx512_equals_twin(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_cpu_detect() & FA_CPU_AVX512) {
        compare(&fa_kern_ccnf_avx512);
        return;
    }
#endif
    test_skip("no AVX-512");
}

static void twin_follows_the_spec_in_double(void)
{
    uint64_t seed = 9;
    const struct fa_ccnf_neurons nn = { 7, 8, weights, bias, alpha2 };
    for (int w = 3; w <= FA_CCNF_MAX_W; w += 2) {
        float r[FA_CCNF_MAX_MAP];
        double want[FA_CCNF_MAX_MAP];
        fill(&seed, 0);
        for (int i = 0; i < FA_CCNF_TAPS * 16; i++)
            weights[i] *= 0.02f;
        fa_kern_ccnf_c.response(r, areas, w, &nn);
        for (int p = 0; p < w * w; p++) {
            const float *px = areas + p / w * FA_AOI_STRIDE + p % w;
            double mean = 0, square = 0, sum = 0;
            for (int t = 0; t < FA_CCNF_TAPS; t++)
                mean += px[t / 11 * FA_AOI_STRIDE + t % 11] / 121.0;
            for (int t = 0; t < FA_CCNF_TAPS; t++)
                square += pow(px[t / 11 * FA_AOI_STRIDE + t % 11] - mean, 2);
            for (int k = 0; k < 7; k++) {
                double z = bias[k];
                for (int t = 0; t < FA_CCNF_TAPS; t++)
                    z += weights[t * 8 + k] * (px[t / 11 * FA_AOI_STRIDE + t % 11] - mean) / sqrt(square);
                sum += alpha2[k] / (1 + exp(-z));
            }
            want[p] = sum;
        }
        for (int p = 0; p < w * w; p++)
            check_near("response", r[p], want[p], 1e-5 * (1 + want[p]));
    }
}

static void exp_is_within_two_ulp(void)
{
    double worst = 0;
    for (float x = -87; x <= 88; x += 0.0037f) {
        const double want = exp((double)x);
        worst = fmax(worst, fabs(fa_kern_expf(x) - want) / want);
    }
    check_near("relative error", worst, 0, 1.2e-7);
    test_note("relative error", worst, "");
    check_near("exp(0)", fa_kern_expf(0), 1, 0);
    CHECK(fa_kern_expf(1e30f) > 1e38f && isfinite(fa_kern_expf(1e30f)));
    CHECK(fa_kern_expf(-1e30f) >= 0 && fa_kern_expf(-1e30f) < 1e-37f);
}

int main(void)
{
    RUN(twin_follows_the_spec_in_double);
    RUN(exp_is_within_two_ulp);
    RUN(ccnf_avx2_equals_twin);
    RUN(ccnf_avx512_equals_twin);
    return test_done();
}
