/* SPDX-License-Identifier: BSD-2-Clause
 * Running medians of the descriptors (spec/aus 6). */
#include "fa_au.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

int fa_median_open(struct fa_median *m, int d, int bins, double lo, double hi, int floor0, struct fa_err *e)
{
    size_t n = (size_t)d;
    size_t bytes = (n * (size_t)bins * sizeof *m->count + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    *m = (struct fa_median){ .d = d, .bins = bins, .floor0 = floor0, .lo = lo, .hi = hi };
    /* Updates jump through all of it: large pages save an address translation each. */
    m->count = aligned_alloc(HUGE_PAGE, bytes);
    if (m->count)
        madvise(m->count, bytes, MADV_HUGEPAGE);
    m->bin = malloc(n * sizeof *m->bin);
    m->below = malloc(n * sizeof *m->below);
    m->copy = malloc(n * sizeof *m->copy);
    if (!m->count || !m->bin || !m->below || !m->copy) {
        fa_median_close(m);
        return fa_fail(e, FA_E_MEM, "out of memory: histograms of %zu bytes", bytes);
    }
    fa_median_reset(m);
    return FA_OK;
}

void fa_median_close(struct fa_median *m)
{
    free(m->count);
    free(m->bin);
    free(m->below);
    free(m->copy);
    *m = (struct fa_median){ 0 };
}

void fa_median_reset(struct fa_median *m)
{
    size_t n = (size_t)m->d;
    m->n = 0;
    memset(m->count, 0, n * (size_t)m->bins * sizeof *m->count);
    memset(m->bin, 0, n * sizeof *m->bin);
    memset(m->below, 0, n * sizeof *m->below);
    memset(m->copy, 0, n * sizeof *m->copy);
}

/* Counts x and moves the medians to where half of the counts are reached. */
static void count(struct fa_median *m, const double *x)
{
    enum { AHEAD = 16 };
    const double len = m->hi - m->lo, alpha = m->bins * (1 / len), beta = -m->lo * m->bins * (1 / len), top = m->bins - 1;
    const size_t bins = (size_t)m->bins;
    uint32_t *at[AHEAD];                           /* counters asked from memory, a few values ahead of their use */
    const uint32_t cut = (uint32_t)(((uint64_t)m->n + 1 + 1) / 2);
    m->n++;
    for (int i = 0; i < m->d + AHEAD; i++) {
        if (i >= AHEAD) {
            int k = i - AHEAD;
            uint32_t *h = m->count + (size_t)k * bins, *c = at[i % AHEAD];
            uint32_t bin = m->bin[k], below = m->below[k];
            ++*c;
            below += c < h + bin;
            while (below >= cut)
                below -= h[--bin];
            while (below + h[bin] < cut)
                below += h[bin++];
            m->bin[k] = bin;
            m->below[k] = below;
        }
        if (i < m->d) {
            double q = x[i] * alpha + beta;
            if (q > top)
                q = top;
            if (!(q >= 0))
                q = 0;
            at[i % AHEAD] = m->count + (size_t)i * bins + (size_t)q;
            __builtin_prefetch(at[i % AHEAD], 1);
        }
    }
}

void fa_median_update(struct fa_median *m, const double *x, int use)
{
    if (use)
        count(m, x);
    /* QUIRK aus-06: after one update the median is the descriptor of the call, counted or not. */
    if (m->n == 1)
        memcpy(m->copy, x, (size_t)m->d * sizeof *x);
}

void fa_median_get(double *median, const struct fa_median *m)
{
    const double len = m->hi - m->lo, step = len / m->bins, half = 0.5 * len / m->bins;
    for (int i = 0; i < m->d; i++) {
        double v = m->n == 1 ? m->copy[i] : (m->lo + m->bin[i] * step) + half;
        median[i] = m->floor0 && v < 0 ? 0 : v;
    }
}

int fa_au_medians_open(struct fa_au_medians *m, struct fa_err *e)
{
    *m = (struct fa_au_medians){ 0 };
    int r = fa_median_open(&m->hog, FA_N_HOG, 1000, -0.005, 1, 1, e);
    if (r == FA_OK)
        r = fa_median_open(&m->geom, FA_N_GEOM, 10000, -60, 60, 0, e);
    if (r != FA_OK)
        fa_au_medians_close(m);
    return r;
}

void fa_au_medians_close(struct fa_au_medians *m)
{
    fa_median_close(&m->hog);
    fa_median_close(&m->geom);
}

void fa_au_medians_reset(struct fa_au_medians *m)
{
    fa_median_reset(&m->hog);
    fa_median_reset(&m->geom);
}

void fa_au_medians_update(struct fa_au_medians *m, const double x[FA_N_DESCRIPTOR_PADDED], int use)
{
    fa_median_update(&m->hog, x, use);
    fa_median_update(&m->geom, x + FA_N_HOG, use);
}

void fa_au_medians_get(double median[FA_N_DESCRIPTOR_PADDED], const struct fa_au_medians *m)
{
    fa_median_get(median, &m->hog);
    fa_median_get(median + FA_N_HOG, &m->geom);
    for (int i = FA_N_DESCRIPTOR; i < FA_N_DESCRIPTOR_PADDED; i++)
        median[i] = 0;
}
