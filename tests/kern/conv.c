/* SPDX-License-Identifier: BSD-2-Clause
 * kern: the network kernels of every instruction set give the plain C twin's bits, and write nothing beside their output. */
#include "fa_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa_kern.h"
#include "fa_kern_conv.h"

enum { GUARD = 32, MAX_OUT = 70, MAX_N = 21, MAX_RUN = 150, ROWS = 3 };
static const unsigned char guard_byte = 0xc3;

static const struct { const char *name; unsigned needs; const struct fa_kern_conv *k; } variants[] = {
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    { "avx2", FA_CPU_AVX2, &fa_kern_conv_avx2 },
    { "avx512", FA_CPU_AVX512, &fa_kern_conv_avx512 },
#endif
    { NULL, 0, NULL }
};

/* Random floats with zeros of both signs, denormals and large values among them. */
static float value(uint64_t *seed)
{
    switch (test_rand(seed) % 16) {
    case 0: return 0.0f;
    case 1: return -0.0f;
    case 2: return 1e-41f;
    case 3: return -3e18f * test_randf(seed);
    default: return 4 * test_randf(seed);
    }
}

static float *fill(size_t n, uint64_t *seed)
{
    float *p = aligned_alloc(64, (n * sizeof *p + 63) / 64 * 64);
    for (size_t i = 0; i < n; i++)
        p[i] = value(seed);
    return p;
}

/* n floats between guards, at an odd float so that vectors are misaligned. */
static float *guarded(unsigned char **block, size_t n)
{
    *block = malloc(n * sizeof(float) + 2 * GUARD + 4);
    memset(*block, guard_byte, n * sizeof(float) + 2 * GUARD + 4);
    return (float *)(*block + GUARD + 4);
}

static void check_guards(const char *why, const unsigned char *block, size_t n)
{
    for (size_t i = 0; i < GUARD; i++)
        if (block[i + 4] != guard_byte || block[GUARD + 4 + n * sizeof(float) + i] != guard_byte) {
            test_fail(__FILE__, __LINE__, "%s: wrote beside its output", why);
            return;
        }
}

/* SIMD variants run on the twin's inputs; each output is compared and its guards checked. */
static void compare(const char *why, const float *want, size_t n, const float *got, const unsigned char *block)
{
    check_f32_bits(why, got, want, n);
    check_guards(why, block, n);
}

static void conv_case(const struct fa_kern_conv *k, const char *name, int n_out, int run, int n_row, int step, int n, uint64_t seed)
{
    char why[120];
    size_t pad = ((size_t)n_out + 15) / 16 * 16, n_tap = (size_t)(n_row * run), len = (size_t)((n - 1) * step + run);
    float *w = fill(pad * n_tap, &seed), *bias = fill(pad, &seed), *slope = fill(pad, &seed), *in[ROWS];
    const float *rows[ROWS];
    for (int r = 0; r < n_row; r++) {
        in[r] = fill(len + 1, &seed);
        rows[r] = in[r] + 1;
    }
    struct fa_conv_weights cw = { n_out, (int)n_tap, w, bias, slope };
    unsigned char *b0, *b1;
    size_t n_val = (size_t)n * (size_t)n_out;
    float *want = guarded(&b0, n_val), *got = guarded(&b1, n_val);
    fa_kern_conv_c.conv_row(want, rows, n_row, run, step, &cw, n);
    k->conv_row(got, rows, n_row, run, step, &cw, n);
    snprintf(why, sizeof why, "%s conv out %d run %d rows %d step %d n %d", name, n_out, run, n_row, step, n);
    compare(why, want, n_val, got, b1);
    check_guards("twin", b0, n_val);
    for (int r = 0; r < n_row; r++)
        free(in[r]);
    free(w); free(bias); free(slope); free(b0); free(b1);
}

static void each_variant(void (*f)(const struct fa_kern_conv *k, const char *name))
{
    int ran = 0;
    for (int i = 0; variants[i].name; i++)
        if ((fa_cpu_detect() & variants[i].needs) == variants[i].needs) {
            f(variants[i].k, variants[i].name);
            ran++;
        }
    if (!ran)
        test_skip("no SIMD here");
}

static void conv_cases(const struct fa_kern_conv *k, const char *name)
{
    static const int outs[] = { 1, 6, 8, 9, 10, 16, 17, 20, 28, 32, 50, 70 }, runs[] = { 1, 9, 31, 32, 33, 100, 150 };
    for (size_t o = 0; o < sizeof outs / sizeof *outs; o++)
        for (size_t r = 0; r < sizeof runs / sizeof *runs; r++)
            for (int n = 1; n <= MAX_N; n += 1 + (int)r % 3)
                conv_case(k, name, outs[o], runs[r], 1 + (int)(o + r) % ROWS, 1 + n % 5, n, o * 100 + r * 10 + (uint64_t)n + 1);
}

static void simd_convolution_has_the_twins_bits(void)
{
    each_variant(conv_cases);
}

static void pool_cases(const struct fa_kern_conv *k, const char *name)
{
    static const int chans[] = { 1, 3, 7, 8, 10, 16, 20, 28, 33 };
    uint64_t seed = 7;
    for (size_t i = 0; i < sizeof chans / sizeof *chans; i++)
        for (int w = 1; w <= 19; w++)
            for (int kx = 1; kx <= 3 && kx <= w; kx++) {
                char why[120];
                int c = chans[i], sx = 1 + w % 2, n = (w - 1) / sx + 1, n_row = 1 + w % ROWS;
                const float *rows[ROWS];
                float *in[ROWS];
                unsigned char *b0, *b1;
                size_t n_val = (size_t)(n * c);
                float *want = guarded(&b0, n_val), *got = guarded(&b1, n_val);
                for (int r = 0; r < n_row; r++)
                    rows[r] = in[r] = fill((size_t)(w * c), &seed);
                fa_kern_conv_c.pool_row(want, rows, n_row, w, kx, sx, n, c);
                k->pool_row(got, rows, n_row, w, kx, sx, n, c);
                snprintf(why, sizeof why, "%s pool c %d w %d kx %d sx %d", name, c, w, kx, sx);
                compare(why, want, n_val, got, b1);
                for (int r = 0; r < n_row; r++)
                    free(in[r]);
                free(b0); free(b1);
            }
}

static void simd_pooling_has_the_twins_bits(void)
{
    each_variant(pool_cases);
}

/* The rows end where their memory ends, so that reading a byte too far is seen by the sanitizer. */
static void sample_cases(const struct fa_kern_conv *k, const char *name)
{
    uint64_t seed = 3;
    for (int n = 1; n <= 40; n++) {
        char why[60];
        int w = 1 + (int)(test_rand(&seed) % 50), x0[40], x1[40];
        float w0[40], w1[40];
        unsigned char *r0 = malloc((size_t)w * 3), *r1 = malloc((size_t)w * 3), *b0, *b1;
        float *want = guarded(&b0, (size_t)n * 3), *got = guarded(&b1, (size_t)n * 3);
        for (int i = 0; i < 3 * w; i++) {
            r0[i] = (unsigned char)test_rand(&seed);
            r1[i] = (unsigned char)test_rand(&seed);
        }
        for (int i = 0; i < n; i++) {
            x0[i] = 3 * (int)(test_rand(&seed) % (unsigned)w);
            x1[i] = i % 3 ? 3 * (w - 1) : 0;
            w0[i] = test_randf(&seed);
            w1[i] = i % 4 ? 1 - w0[i] : 0;
        }
        struct fa_sample_cols cols = { n, 3 * w, x0, x1, w0, w1 };
        float v = test_randf(&seed);
        fa_kern_conv_c.sample_row(want, r0, r1, 1 - v, v, &cols);
        k->sample_row(got, r0, r1, 1 - v, v, &cols);
        snprintf(why, sizeof why, "%s sample n %d w %d", name, n, w);
        compare(why, want, (size_t)n * 3, got, b1);
        free(r0); free(r1); free(b0); free(b1);
    }
}

static void simd_sampling_has_the_twins_bits(void)
{
    each_variant(sample_cases);
}

/* The twin itself against plain sums. */
static void the_twin_is_a_convolution(void)
{
    uint64_t seed = 11;
    enum { OUT = 19, RUN = 12, N = 5, STEP = 3 };
    float *w = fill(32 * RUN * ROWS, &seed), bias[32], slope[32], in[ROWS][(N - 1) * STEP + RUN], out[N * OUT];
    const float *rows[ROWS] = { in[0], in[1], in[2] };
    for (int i = 0; i < 32; i++) {
        bias[i] = test_randf(&seed);
        slope[i] = test_randf(&seed);
    }
    for (int i = 0; i < 32 * RUN * ROWS; i++)
        w[i] = test_randf(&seed);
    for (int r = 0; r < ROWS; r++)
        for (size_t i = 0; i < sizeof in[0] / sizeof in[0][0]; i++)
            in[r][i] = test_randf(&seed);
    struct fa_conv_weights cw = { OUT, ROWS * RUN, w, bias, slope };
    fa_kern_conv_c.conv_row(out, rows, ROWS, RUN, STEP, &cw, N);
    for (int p = 0; p < N; p++)
        for (int o = 0; o < OUT; o++) {
            double sum = bias[o];
            for (int t = 0; t < ROWS * RUN; t++)
                sum += (double)in[t / RUN][p * STEP + t % RUN] * w[(o / 16 * ROWS * RUN + t) * 16 + o % 16];
            check_near("sum", out[p * OUT + o], sum < 0 ? sum * slope[o] : sum, 1e-5);
        }
    free(w);
}

int main(void)
{
    RUN(the_twin_is_a_convolution);
    RUN(simd_convolution_has_the_twins_bits);
    RUN(simd_pooling_has_the_twins_bits);
    RUN(simd_sampling_has_the_twins_bits);
    return test_done();
}
