/* SPDX-License-Identifier: BSD-2-Clause
 * Gray rows: every SIMD variant equals the twin, at any length and alignment, and writes nothing else. */
#include "fa_test.h"

#include <string.h>

#include "fa_kern.h"
#include "fa_kern_gray.h"

enum { MAX = 200, GUARD = 64 };

static void compare(const struct fa_kern_gray *k)
{
    uint64_t seed = 1;
    uint8_t src[3 * MAX + 8], want[MAX + 2 * GUARD], got[MAX + 2 * GUARD];
    for (int n = 0; n <= MAX; n++)
        for (int shift = 0; shift < 3; shift++) {
            for (size_t i = 0; i < sizeof src; i++)
                src[i] = n % 5 == 0 ? 255 : (uint8_t)test_rand(&seed);
            memset(want, 0x5a, sizeof want);
            memset(got, 0x5a, sizeof got);
            fa_kern_gray_c.row(want + GUARD + shift, src + shift, n);
            k->row(got + GUARD + shift, src + shift, n);
            check_bytes("row", got, want, sizeof want);
        }
}

static void gray_avx2_equals_twin(void)
{
    if (!(fa_cpu_detect() & FA_CPU_AVX2))
        test_skip("no AVX2");
    else
        compare(&fa_kern_gray_avx2);
}

static void gray_twin_is_the_formula_for_all_colours(void)
{
    uint8_t bgr[3 * 256], y[256];
    unsigned bad = 0;
    for (int b = 0; b < 256; b++)
        for (int g = 0; g < 256; g++) {
            for (int r = 0; r < 256; r++)
                bgr[3 * r] = (uint8_t)b, bgr[3 * r + 1] = (uint8_t)g, bgr[3 * r + 2] = (uint8_t)r;
            fa_kern_gray()->row(y, bgr, 256);
            for (int r = 0; r < 256; r++)
                bad += y[r] != (3735u * (unsigned)b + 19235u * (unsigned)g + 9798u * (unsigned)r + 16384) >> 15;
        }
    check_int("colours that differ", bad, 0);
}

int main(void)
{
    RUN(gray_avx2_equals_twin);
    RUN(gray_twin_is_the_formula_for_all_colours);
    return test_done();
}
