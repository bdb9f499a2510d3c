/* SPDX-License-Identifier: BSD-2-Clause
 * What one core can do at most: float multiply-adds from registers, and SGEMM where OpenBLAS is installed (nothing else here uses it).
 * So that milliseconds and shares of a peak can be carried from one machine to another. */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fa_kern.h"

static inline double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#if defined(__x86_64__)
#include <immintrin.h>

enum { PEAK_CHAINS = 12, PEAK_ROUNDS = 20000000 };   /* enough independent chains to hide the latency */

__attribute__((target("avx2,fma"))) static inline float chains_avx2(void)
{
    __m256 a[PEAK_CHAINS], x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(1e-3f);
    float out[8];
    for (int k = 0; k < PEAK_CHAINS; k++)
        a[k] = _mm256_set1_ps((float)k);
    for (int i = 0; i < PEAK_ROUNDS; i++) {
#pragma GCC unroll 12
        for (int k = 0; k < PEAK_CHAINS; k++)
            a[k] = _mm256_fmadd_ps(a[k], x, y);
    }
    for (int k = 1; k < PEAK_CHAINS; k++)
        a[0] = _mm256_add_ps(a[0], a[k]);
    _mm256_storeu_ps(out, a[0]);
    return out[0];
}

__attribute__((target("avx512f"))) static inline float chains_avx512(void)
{
    __m512 a[PEAK_CHAINS], x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(1e-3f);
    float out[16];
    for (int k = 0; k < PEAK_CHAINS; k++)
        a[k] = _mm512_set1_ps((float)k);
    for (int i = 0; i < PEAK_ROUNDS; i++) {
#pragma GCC unroll 12
        for (int k = 0; k < PEAK_CHAINS; k++)
            a[k] = _mm512_fmadd_ps(a[k], x, y);
    }
    for (int k = 1; k < PEAK_CHAINS; k++)
        a[0] = _mm512_add_ps(a[0], a[k]);
    _mm512_storeu_ps(out, a[0]);
    return out[0];
}

/* GFLOP/s of multiply-adds with the widest vectors among these flags (FA_CPU_AVX2, FA_CPU_AVX512); 0: the CPU has none of them. */
static inline double peak_fma(unsigned cpu)
{
    cpu &= fa_cpu_detect();
    if (!(cpu & (FA_CPU_AVX2 | FA_CPU_AVX512)))
        return 0;
    const int lanes = cpu & FA_CPU_AVX512 ? 16 : 8;
    const double t = cpu_seconds();
    volatile float keep = lanes == 16 ? chains_avx512() : chains_avx2();
    (void)keep;
    return 2e-9 * PEAK_CHAINS * lanes * (double)PEAK_ROUNDS / (cpu_seconds() - t);
}
#else
static inline double peak_fma(unsigned cpu) { return 0 * cpu; }
#endif

/* GFLOP/s of OpenBLAS's SGEMM on one thread, 1024^3, best of five; 0 where there is no OpenBLAS. */
static inline double peak_sgemm(void)
{
    enum { N = 1024 };
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    void *lib = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL), *found = lib ? dlsym(lib, "cblas_sgemm") : NULL;
    void (*sgemm)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
    if (!found)
        return 0;
    *(void **)&sgemm = found;
    float *m = malloc(3 * sizeof *m * N * N);
    double best = 0;
    if (!m)
        return 0;
    for (int i = 0; i < 3 * N * N; i++)
        m[i] = (float)(i % 17) * 0.1f;
    for (int round = 0; round < 6; round++) {          /* the first one warms up */
        const double t = cpu_seconds();
        sgemm(101, 111, 111, N, N, N, 1, m, N, m + N * N, N, 0, m + 2 * N * N, N);
        const double now = 2e-9 * N * N * N / (cpu_seconds() - t);
        best = round && now > best ? now : best;
    }
    free(m);
    return best;
}

#endif
