/* SPDX-License-Identifier: BSD-2-Clause
 * Peak of one core in float multiply-adds, so that milliseconds can be carried from one machine to another (the reference's were
 * measured where OpenBLAS's SGEMM reached 88-92 GFLOP/s with AVX2, close to that core's peak). */
#include <stdio.h>
#include <time.h>

#include "fa_kern.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#if defined(__x86_64__)
#include <immintrin.h>

enum { CHAINS = 12, ROUNDS = 20000000 };   /* enough independent chains to hide the latency */

__attribute__((target("avx2,fma"))) static float chains_avx2(void)
{
    __m256 a[CHAINS], x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(1e-3f);
    float out[8];
    for (int k = 0; k < CHAINS; k++)
        a[k] = _mm256_set1_ps((float)k);
    for (int i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 12
        for (int k = 0; k < CHAINS; k++)
            a[k] = _mm256_fmadd_ps(a[k], x, y);
    }
    for (int k = 1; k < CHAINS; k++)
        a[0] = _mm256_add_ps(a[0], a[k]);
    _mm256_storeu_ps(out, a[0]);
    return out[0];
}

__attribute__((target("avx512f"))) static float chains_avx512(void)
{
    __m512 a[CHAINS], x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(1e-3f);
    float out[16];
    for (int k = 0; k < CHAINS; k++)
        a[k] = _mm512_set1_ps((float)k);
    for (int i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 12
        for (int k = 0; k < CHAINS; k++)
            a[k] = _mm512_fmadd_ps(a[k], x, y);
    }
    for (int k = 1; k < CHAINS; k++)
        a[0] = _mm512_add_ps(a[0], a[k]);
    _mm512_storeu_ps(out, a[0]);
    return out[0];
}

static void measure(const char *name, float (*f)(void), int lanes)
{
    double t = now();
    volatile float keep = f();
    (void)keep;
    printf("%s %.1f GFLOP/s\n", name, 2e-9 * CHAINS * lanes * (double)ROUNDS / (now() - t));
}

int main(void)
{
    unsigned cpu = fa_cpu_detect();
    if (cpu & FA_CPU_AVX2)
        measure("peak_fma_avx2", chains_avx2, 8);
    if (cpu & FA_CPU_AVX512)
        measure("peak_fma_avx512", chains_avx512, 16);
    return 0;
}
#else
int main(void)
{
    (void)now;
    return 0;
}
#endif
