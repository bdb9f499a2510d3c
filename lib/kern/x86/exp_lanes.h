/* SPDX-License-Identifier: BSD-2-Clause
 * fa_kern_expf in lanes: step for step what fa_kern_exp.h does. */
#ifndef FA_EXP_LANES_H
#define FA_EXP_LANES_H

#include <immintrin.h>

#include "fa_kern_exp.h"

static inline __m256 exp_8(__m256 x)
{
    x = _mm256_min_ps(_mm256_max_ps(x, _mm256_set1_ps(FA_EXP_MIN)), _mm256_set1_ps(FA_EXP_MAX));
    const __m256 magic = _mm256_set1_ps(FA_EXP_MAGIC);
    const __m256 t = _mm256_fmadd_ps(x, _mm256_set1_ps(FA_EXP_LOG2E), magic), n = _mm256_sub_ps(t, magic);
    __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-FA_EXP_LN2_HI), x);
    r = _mm256_fmadd_ps(n, _mm256_set1_ps(-FA_EXP_LN2_LO), r);
    __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(FA_EXP_C0), r, _mm256_set1_ps(FA_EXP_C1));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(FA_EXP_C2));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(FA_EXP_C3));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(FA_EXP_C4));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(FA_EXP_C5));
    p = _mm256_add_ps(_mm256_fmadd_ps(p, _mm256_mul_ps(r, r), r), _mm256_set1_ps(1));
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), _mm256_slli_epi32(_mm256_castps_si256(t), 23)));
}

#ifdef __AVX512F__
static inline __m512 exp_16(__m512 x)
{
    x = _mm512_min_ps(_mm512_max_ps(x, _mm512_set1_ps(FA_EXP_MIN)), _mm512_set1_ps(FA_EXP_MAX));
    const __m512 magic = _mm512_set1_ps(FA_EXP_MAGIC);
    const __m512 t = _mm512_fmadd_ps(x, _mm512_set1_ps(FA_EXP_LOG2E), magic), n = _mm512_sub_ps(t, magic);
    __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-FA_EXP_LN2_HI), x);
    r = _mm512_fmadd_ps(n, _mm512_set1_ps(-FA_EXP_LN2_LO), r);
    __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(FA_EXP_C0), r, _mm512_set1_ps(FA_EXP_C1));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(FA_EXP_C2));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(FA_EXP_C3));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(FA_EXP_C4));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(FA_EXP_C5));
    p = _mm512_add_ps(_mm512_fmadd_ps(p, _mm512_mul_ps(r, r), r), _mm512_set1_ps(1));
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), _mm512_slli_epi32(_mm512_castps_si512(t), 23)));
}
#endif

#endif
