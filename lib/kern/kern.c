/* SPDX-License-Identifier: BSD-2-Clause
 * CPU detection and the one mask that all kernel families follow. */
#include "fa_kern.h"

#include <stdlib.h>

static unsigned chosen;
static int is_chosen;

unsigned fa_cpu_detect(void)
{
    unsigned cpu = 0;
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        cpu |= FA_CPU_AVX2;
    if ((cpu & FA_CPU_AVX2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        cpu |= FA_CPU_AVX512;
#endif
    return cpu;
}

void fa_kern_select(unsigned mask)
{
    chosen = fa_cpu_detect() & mask;
    if (!(chosen & FA_CPU_AVX2))
        chosen &= ~(unsigned)FA_CPU_AVX512;
    is_chosen = 1;
}

unsigned fa_kern_cpu(void)
{
    if (!is_chosen) {
        const char *m = getenv("FA_CPU_MASK");
        fa_kern_select(m && *m ? (unsigned)strtoul(m, NULL, 0) : ~0u);
    }
    return chosen;
}

const char *fa_kern_name(void)
{
    unsigned c = fa_kern_cpu();
    return c & FA_CPU_AVX512 ? "avx512" : c & FA_CPU_AVX2 ? "avx2" : "c";
}
