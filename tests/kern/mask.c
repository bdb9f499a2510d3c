/* SPDX-License-Identifier: BSD-2-Clause
 * Triangles: every SIMD variant sets the same pixels as the twin, also for flat, huge, far and invalid triangles. */
#include "fa_test.h"

#include <math.h>
#include <string.h>

#include "fa_kern.h"
#include "fa_kern_mask.h"

static void compare(const struct fa_kern_mask *k)
{
    static const float odd[] = { 0, -0.0f, 1, 31, 30.5f, -1, 1e-40f, 1e9f, -1e9f, 1e30f, INFINITY, -INFINITY, NAN };
    enum { N_ODD = sizeof odd / sizeof *odd };
    uint64_t seed = 3;
    for (int size = 1; size <= 112; size += 37)
        for (int t = 0; t < 2000; t++) {
            uint8_t want[112 * 112 + FA_MASK_SPARE] = { 0 }, got[112 * 112 + FA_MASK_SPARE] = { 0 };
            float x[3], y[3];
            for (int i = 0; i < 3; i++) {
                x[i] = test_randf(&seed) * 80 + 40;
                y[i] = test_randf(&seed) * 80 + 40;
                if (t % 4 == 1)
                    x[i] = rintf(x[i]), y[i] = rintf(y[i]);         /* corners and edges on pixels */
                if (t % 4 == 2)
                    x[i] = odd[test_rand(&seed) % N_ODD];
                if (t % 8 == 3)
                    y[i] = odd[test_rand(&seed) % N_ODD];
            }
            fa_kern_mask_c.triangle(want, size, x, y);
            k->triangle(got, size, x, y);
            check_bytes("mask", got, want, sizeof want);
        }
}

static void mask_avx2_equals_twin(void)
{
    if (!(fa_cpu_detect() & FA_CPU_AVX2))
        test_skip("no AVX2");
    else
        compare(&fa_kern_mask_avx2);
}

static void mask_avx512_equals_twin(void)
{
    if (!(fa_cpu_detect() & FA_CPU_AVX512))
        test_skip("no AVX-512");
    else
        compare(&fa_kern_mask_avx512);
}

int main(void)
{
    RUN(mask_avx2_equals_twin);
    RUN(mask_avx512_equals_twin);
    return test_done();
}
