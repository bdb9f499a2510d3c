/* SPDX-License-Identifier: BSD-2-Clause
 * Mean shift and likelihood kernels: every SIMD variant equals the twin bit for bit, and the twin the sums of the spec. */
#include "fa_test.h"

#include <math.h>
#include <string.h>

#include "fa_kern.h"
#include "fa_kern_meanshift.h"

enum { N = 21, NP = 32, STRIDE = 225 + 7 };

static float maps[N * STRIDE + 1], table[150 * FA_MEANSHIFT_ROW], dx[N], dy[N];
static int kx[N], ky[N], visible[N];

static void fill(uint64_t *seed, int w)
{
    for (int i = 0; i < N * STRIDE + 1; i++)
        maps[i] = fabsf(test_randf(seed));
    for (int i = 0; i < N; i++)                       /* what stands between maps must not matter */
        for (int j = w * w; j < STRIDE; j++)
            maps[i * STRIDE + j] = NAN;
    for (int k = 0; k < 10 * w; k++)
        for (int c = 0; c < 16; c++) {
            const float d = 0.1f * (float)k - (float)c;
            table[k * FA_MEANSHIFT_ROW + c] = c < w ? expf(-0.2f * d * d) : 0;
            table[k * FA_MEANSHIFT_ROW + 16 + c] = table[k * FA_MEANSHIFT_ROW + c] * (float)c;
        }
    for (int i = 0; i < N; i++) {
        kx[i] = i % 7 == 6 ? -1 : (int)(test_rand(seed) % (unsigned)(10 * w));
        ky[i] = (int)(test_rand(seed) % (unsigned)(10 * w));
        visible[i] = i % 7 != 6;
        dx[i] = (float)w * (0.5f + test_randf(seed));
        dy[i] = (float)w * (0.5f + test_randf(seed));
    }
}

static void compare(const struct fa_kern_meanshift *k)
{
    uint64_t seed = 3;
    for (int t = 0; t < 40; t++)
        for (int w = 1; w <= 15; w++) {
            float s[2][3 * NP], l[2][NP];
            fill(&seed, w);
            memset(s, 0x5a, sizeof s);
            memset(l, 0x5a, sizeof l);
            fa_kern_meanshift_c.sums(s[0], maps, STRIDE, w, table, kx, ky, N, NP);
            k->sums(s[1], maps, STRIDE, w, table, kx, ky, N, NP);
            check_f32_bits("sums", s[1], s[0], 3 * NP);
            fa_kern_meanshift_c.likelihood(l[0], maps, STRIDE, w, -0.3f, dx, dy, visible, N);
            k->likelihood(l[1], maps, STRIDE, w, -0.3f, dx, dy, visible, N);
            check_f32_bits("likelihood", l[1], l[0], NP);
        }
}

static void meanshift_avx2_equals_twin(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_cpu_detect() & FA_CPU_AVX2) {
        compare(&fa_kern_meanshift_avx2);
        return;
    }
#endif
    (void)compare;
    test_skip("no AVX2");
}

static void meanshift_avx512_equals_twin(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_cpu_detect() & FA_CPU_AVX512) {
        compare(&fa_kern_meanshift_avx512);
        return;
    }
#endif
    test_skip("no AVX-512");
}

static void twin_sums_what_the_spec_says(void)
{
    uint64_t seed = 4;
    for (int w = 3; w <= 15; w += 2) {
        float s[3 * NP], l[NP];
        fill(&seed, w);
        fa_kern_meanshift_c.sums(s, maps, STRIDE, w, table, kx, ky, N, NP);
        fa_kern_meanshift_c.likelihood(l, maps, STRIDE, w, -0.3f, dx, dy, visible, N);
        for (int i = 0; i < N; i++) {
            double v = 0, vc = 0, va = 0, like = 0;
            for (int a = 0; a < w && visible[i]; a++)
                for (int c = 0; c < w; c++) {
                    const double p = maps[i * STRIDE + a * w + c], e = p * exp(-0.2 * (pow(0.1 * ky[i] - a, 2) + pow(0.1 * kx[i] - c, 2)));
                    v += e;
                    vc += e * c;
                    va += e * a;
                    like += p * exp(-0.3 * (pow((double)dy[i] - a, 2) + pow((double)dx[i] - c, 2)));
                }
            if (!visible[i])
                continue;
            check_near("sum", s[i], v, 1e-5 * v);
            check_near("sum of columns", s[NP + i], vc, 1e-5 * vc);
            check_near("sum of rows", s[2 * NP + i], va, 1e-5 * va);
            check_near("likelihood", l[i], like, 1e-5 * like);
        }
    }
}

int main(void)
{
    RUN(twin_sums_what_the_spec_says);
    RUN(meanshift_avx2_equals_twin);
    RUN(meanshift_avx512_equals_twin);
    return test_done();
}
