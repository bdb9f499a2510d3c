/* SPDX-License-Identifier: BSD-2-Clause
 * The 95th percentile by selection: sorting the differences of a long clip would be most of the work of comparing it. */
#include "fa_compare.h"

#include <math.h>

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
    double at = 0.95 * (double)(n - 1);
    size_t k = (size_t)at;
    double t = at - (double)k;
    select_kth(v, n, k);
    if (k + 1 >= n)
        return v[k];
    double a = v[k], b = v[k + 1];
    for (size_t i = k + 2; i < n; i++)
        b = v[i] < b ? v[i] : b;
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}
