/* SPDX-License-Identifier: BSD-2-Clause
 * Peak of one core in float multiply-adds, so that milliseconds can be carried from one machine to another (the reference's were
 * measured where OpenBLAS's SGEMM reached 88-92 GFLOP/s with AVX2, close to that core's peak). */
#include "peak.h"

int main(void)
{
    static const struct { const char *name; unsigned cpu; } t[] = { { "avx2", FA_CPU_AVX2 }, { "avx512", FA_CPU_AVX512 } };
    for (int i = 0; i < 2; i++) {
        const double peak = peak_fma(t[i].cpu);
        if (peak > 0)
            printf("peak_fma_%s %.1f GFLOP/s\n", t[i].name, peak);
    }
    const double sgemm = peak_sgemm();
    if (sgemm > 0)
        printf("peak_sgemm %.1f GFLOP/s\n", sgemm);
    return 0;
}
