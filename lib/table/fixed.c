/* SPDX-License-Identifier: BSD-2-Clause
 * Fixed-point text of a double, exact and without printf: a row has 714 numbers, and printf needs a microsecond for each.
 *
 * v = m 2^e is split into its integer part and a fraction f 2^-s with f < 2^53. The decimals are f 10^N / 2^s rounded to nearest,
 * ties to even: the product is below 2^103, so 128 bits hold it and the remainder tells exactly on which side of the tie it lies. */
#include "fa_table.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

static const uint64_t pow10_u64[FA_FIXED_DECIMALS + 1] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
    10000000000000, 100000000000000, 1000000000000000
};

static char *put_whole(char *p, uint64_t v)
{
    char digit[20];
    int n = 0;
    do {
        digit[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    while (n)
        *p++ = digit[--n];
    return p;
}

/* v with exactly n digits, leading zeros kept. */
static char *put_padded(char *p, uint64_t v, int n)
{
    for (int i = n; i-- > 0; v /= 10)
        p[i] = (char)('0' + v % 10);
    return p + n;
}

/* f 10^decimals / 2^s to nearest, ties to even; odd: whether the digit above the fraction is odd, which decides when decimals is 0. */
static uint64_t round_fraction(uint64_t f, int s, int decimals, int odd)
{
    if (s > 120)    /* f 10^15 < 2^103 < 2^(s-1): less than half a unit */
        return 0;
    u128 x = (u128)f * pow10_u64[decimals], unit = (u128)1 << s, rest = x & (unit - 1);
    uint64_t q = (uint64_t)(x >> s);
    if (decimals > 0)
        odd = q & 1;
    return q + (rest > unit >> 1 || (rest == unit >> 1 && odd));
}

size_t fa_fixed(char *out, double v, int decimals)
{
    assert(decimals >= 0 && decimals <= FA_FIXED_DECIMALS);
    char *p = out;
    uint64_t bits;
    memcpy(&bits, &v, 8);
    if (bits >> 63)
        *p++ = '-';
    int exponent = (int)(bits >> 52 & 0x7ff);
    uint64_t m = bits & 0xfffffffffffffu;
    if (exponent == 0x7ff) {
        memcpy(p, m ? "nan" : "inf", 3);
        return (size_t)(p + 3 - out);
    }
    if (exponent)
        m |= (uint64_t)1 << 52;
    int s = 1075 - (exponent ? exponent : 1);       /* v = m / 2^s */
    uint64_t whole, fraction = 0;
    if (s > 0) {
        whole = s < 64 ? m >> s : 0;
        fraction = round_fraction(s < 64 ? m & (((uint64_t)1 << s) - 1) : m, s, decimals, whole & 1);
        if (fraction == pow10_u64[decimals]) {
            whole++;
            fraction = 0;
        }
    } else if (s > -11) {
        whole = m << -s;
    } else {                                        /* beyond 64 bits: a whole number, no decimal point for a locale to change */
        char huge[FA_FIXED_MAX];
        int n = snprintf(huge, sizeof huge, "%.0f", v < 0 ? -v : v);
        memcpy(p, huge, (size_t)n);
        p += n;
        if (decimals > 0) {
            *p++ = '.';
            p = put_padded(p, 0, decimals);
        }
        return (size_t)(p - out);
    }
    p = put_whole(p, whole);
    if (decimals > 0) {
        *p++ = '.';
        p = put_padded(p, fraction, decimals);
    }
    return (size_t)(p - out);
}
