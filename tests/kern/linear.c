/* SPDX-License-Identifier: BSD-2-Clause
 * Dot products: every SIMD variant has the twin's bits, for any count of vectors and any alignment. */
#include "fa_test.h"

#include <stdlib.h>

#include "fa_kern.h"
#include "fa_kern_linear.h"

static void compare(const struct fa_kern_linear *k)
{
    enum { MAX_N = 160, MAX_W = 9 };
    static double w[MAX_W * MAX_N + 1], x[MAX_N + 1];
    uint64_t seed = 21;
    for (int n = 0; n <= MAX_N; n += FA_LINEAR_LANES)
        for (int n_w = 0; n_w <= MAX_W; n_w++) {
            for (int i = 0; i <= MAX_W * MAX_N; i++)
                w[i] = (double)test_randf(&seed) * (n_w % 3 == 2 ? 1e150 : 1);
            for (int i = 0; i <= MAX_N; i++)
                x[i] = (double)test_randf(&seed) * 3e-7 + test_randf(&seed);
            double want[MAX_W + 1] = { 0 }, got[MAX_W + 1] = { 0 };
            want[n_w] = got[n_w] = 42;
            fa_kern_linear_c.dots(want, w + n_w % 2, n_w, x + 1, n);
            k->dots(got, w + n_w % 2, n_w, x + 1, n);
            check_bytes("dots", got, want, sizeof want);
        }
}

static void linear_avx2_equals_twin(void)
{
    if (!(fa_cpu_detect() & FA_CPU_AVX2))
        test_skip("no AVX2");
    else
        compare(&fa_kern_linear_avx2);
}

static void linear_avx512_equals_twin(void)
{
    if (!(fa_cpu_detect() & FA_CPU_AVX512))
        test_skip("no AVX-512");
    else
        compare(&fa_kern_linear_avx512);
}

int main(void)
{
    RUN(linear_avx2_equals_twin);
    RUN(linear_avx512_equals_twin);
    return test_done();
}
