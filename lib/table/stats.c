/* SPDX-License-Identifier: BSD-2-Clause
 * Sums and percentiles. The sum adds in the order in which the judge adds (pairwise over blocks of 128, eight partial sums a
 * block), so that both stand on the same side of a limit that a figure just touches. The 95th percentile is found by
 * selection: sorting the differences of a long clip would be most of the work of comparing it. */
#include "fa_compare.h"

#include <math.h>
#include <string.h>

static double at(const void *v, size_t i, size_t stride)
{
    double x;
    memcpy(&x, (const char *)v + i * stride, sizeof x);
    return x;
}

double fa_sum(const void *v, size_t n, size_t stride)
{
    if (n > 128) {
        size_t half = n / 2 - n / 2 % 8;
        return fa_sum(v, half, stride) + fa_sum((const char *)v + half * stride, n - half, stride);
    }
    double part[8], sum = 0;
    size_t i = 0;
    if (n >= 8) {
        for (; i < 8; i++)
            part[i] = at(v, i, stride);
        for (; i + 8 <= n; i += 8)
            for (size_t j = 0; j < 8; j++)
                part[j] += at(v, i + j, stride);
        sum = ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
    }
    for (; i < n; i++)
        sum += at(v, i, stride);
    return sum;
}

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

/* Reorders so that v[k] is the k-th smallest, nothing before it is larger and nothing after it smaller (Hoare). */
static void select_kth(double *v, size_t n, size_t k)
{
    size_t lo = 0, hi = n - 1;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (v[mid] < v[lo])
            swap(&v[mid], &v[lo]);
        if (v[hi] < v[lo])
            swap(&v[hi], &v[lo]);
        if (v[hi] < v[mid])
            swap(&v[hi], &v[mid]);
        double pivot = v[mid];
        size_t i = lo, j = hi;
        for (;;) {
            while (v[i] < pivot)
                i++;
            while (pivot < v[j])
                j--;
            if (i >= j)
                break;
            swap(&v[i++], &v[j--]);
        }
        if (k <= j)
            hi = j;
        else
            lo = j + 1;
    }
}

double fa_p95(double *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(v[i]))
            return v[i];
    const double where = 0.95 * (double)(n - 1);
    const size_t k = (size_t)where;
    const double t = where - (double)k;
    select_kth(v, n, k);
    if (k + 1 >= n)
        return v[k];
    double a = v[k], b = v[k + 1];
    for (size_t i = k + 2; i < n; i++)
        b = v[i] < b ? v[i] : b;
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}
