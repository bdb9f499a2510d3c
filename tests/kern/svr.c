/* SPDX-License-Identifier: BSD-2-Clause
 * SVR correlation: every SIMD variant equals the twin bit for bit. */
#include "fa_test.h"

#include <string.h>

#include "fa_kern.h"
#include "fa_kern_svr.h"

enum { ROWS = 25, N = ROWS * FA_SVR_STRIDE, TAPS = FA_SVR_SUPPORT * FA_SVR_SUPPORT };

static void compare(const struct fa_kern_svr *k)
{
    uint64_t seed = 2;
    for (int t = 0; t < 20; t++)
        for (int w = 1; w <= 15; w++) {
            double area[N + 1], weight[TAPS], num[2][16 * FA_SVR_ROW];
            for (int i = 0; i < N + 1; i++)
                area[i] = test_randf(&seed) * (t % 3 ? 255 : 1e9);
            for (int i = 0; i < TAPS; i++)
                weight[i] = test_randf(&seed);
            memset(num, 0x11, sizeof num);
            fa_kern_svr_c.correlate(num[0], area + t % 2, w, weight);
            k->correlate(num[1], area + t % 2, w, weight);
            check_bytes("sums", num[1], num[0], sizeof num[0]);
        }
}

static void svr_avx2_equals_twin(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_cpu_detect() & FA_CPU_AVX2) {
        compare(&fa_kern_svr_avx2);
        return;
    }
#endif
    (void)compare;
    test_skip("no AVX2");
}

static void svr_avx512_equals_twin(void)
{
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_cpu_detect() & FA_CPU_AVX512) {
        compare(&fa_kern_svr_avx512);
        return;
    }
#endif
    test_skip("no AVX-512");
}

int main(void)
{
    RUN(svr_avx2_equals_twin);
    RUN(svr_avx512_equals_twin);
    return test_done();
}
