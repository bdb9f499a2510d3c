/* SPDX-License-Identifier: BSD-2-Clause
 * exp for floats as the kernels compute it: the same steps in plain C here and in lanes (x86/exp_lanes.h), so that both give the
 * same bits. Within 1.1 ulp of exp for -87 <= x <= 88, to which x is limited. */
#ifndef FA_KERN_EXP_H
#define FA_KERN_EXP_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define FA_EXP_MIN (-87.0f)
#define FA_EXP_MAX 88.0f
#define FA_EXP_LOG2E 1.44269504f
#define FA_EXP_MAGIC 12582912.0f         /* 1.5 * 2^23: adding it rounds to an integer, which then stands in the low bits */
#define FA_EXP_LN2_HI 0.693359375f
#define FA_EXP_LN2_LO (-2.12194440e-4f)
/* (exp(r) - 1 - r) / r^2 on |r| <= ln(2)/2 */
#define FA_EXP_C0 1.9875691500e-4f
#define FA_EXP_C1 1.3981999507e-3f
#define FA_EXP_C2 8.3334519073e-3f
#define FA_EXP_C3 4.1665795894e-2f
#define FA_EXP_C4 1.6666665459e-1f
#define FA_EXP_C5 5.0000001201e-1f

static inline float fa_kern_expf(float x)
{
    x = x > FA_EXP_MIN ? x : FA_EXP_MIN;
    x = x < FA_EXP_MAX ? x : FA_EXP_MAX;
    const float t = fmaf(x, FA_EXP_LOG2E, FA_EXP_MAGIC), n = t - FA_EXP_MAGIC;
    float r = fmaf(n, -FA_EXP_LN2_HI, x);
    r = fmaf(n, -FA_EXP_LN2_LO, r);
    float p = fmaf(FA_EXP_C0, r, FA_EXP_C1);
    p = fmaf(p, r, FA_EXP_C2);
    p = fmaf(p, r, FA_EXP_C3);
    p = fmaf(p, r, FA_EXP_C4);
    p = fmaf(p, r, FA_EXP_C5);
    p = fmaf(p, r * r, r) + 1;
    uint32_t bits, k;
    memcpy(&bits, &p, 4);
    memcpy(&k, &t, 4);
    bits += k << 23;                     /* times 2^n: the high bits of k fall off */
    memcpy(&p, &bits, 4);
    return p;
}

#endif
