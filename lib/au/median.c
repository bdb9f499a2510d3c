/* SPDX-License-Identifier: BSD-2-Clause
 * Running medians of the descriptors (spec/aus 6). */
#include "fa_au.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "au_internal.h"

enum { HUGE_PAGE = 2 << 20, SPARSE = 4096 /* bins of which most are never used */ };

static size_t bytes_reserved(const struct fa_median *m)
{
    const size_t n = (size_t)m->d * (size_t)m->bins * sizeof(uint32_t);
    return (n + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

int fa_median_open(struct fa_median *m, int d, int bins, double lo, double hi, int floor0, struct fa_err *e)
{
    const size_t n = (size_t)d;
    *m = (struct fa_median){ .d = d, .bins = bins, .floor0 = floor0, .lo = lo, .hi = hi };
    /* Mapped: what is never touched takes no memory. */
    /* cppcheck-suppress invalidFunctionArg ; no descriptor */
    m->count = mmap(NULL, bytes_reserved(m), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m->count == MAP_FAILED)
        m->count = NULL;
    else if (bins < SPARSE)                        /* all of it is used, updates jump through it: large pages save translations */
        madvise(m->count, bytes_reserved(m), MADV_HUGEPAGE);
    m->bin = malloc(n * sizeof *m->bin);
    m->below = malloc(n * sizeof *m->below);
    m->copy = malloc(n * sizeof *m->copy);
    if (!m->count || !m->bin || !m->below || !m->copy) {
        fa_median_close(m);
        return fa_fail(e, FA_E_MEM, "out of memory: histograms of %d x %d", d, bins);
    }
    fa_median_reset(m);
    return FA_OK;
}

void fa_median_close(struct fa_median *m)
{
    if (m->count)
        munmap(m->count, bytes_reserved(m));
    free(m->bin);
    free(m->below);
    free(m->copy);
    *m = (struct fa_median){ 0 };
}

void fa_median_reset(struct fa_median *m)
{
    const size_t n = (size_t)m->d;
    m->n = 0;
    m->wide = 0;
    if (madvise(m->count, bytes_reserved(m), MADV_DONTNEED) != 0)      /* zeros again, and no memory */
        memset(m->count, 0, bytes_reserved(m));
    memset(m->bin, 0, n * sizeof *m->bin);
    memset(m->below, 0, n * sizeof *m->below);
    memset(m->copy, 0, n * sizeof *m->copy);
}

void median_make_room(struct fa_median *m, uint32_t n)
{
    unsigned char *p = m->count;
    if (m->wide || n <= UINT16_MAX)
        return;
    m->wide = 1;
    for (size_t i = (size_t)m->d * (size_t)m->bins; i-- > 0;) {        /* in place, from behind */
        uint16_t narrow;
        memcpy(&narrow, p + i * sizeof narrow, sizeof narrow);
        const uint32_t v = narrow;
        memcpy(p + i * sizeof v, &v, sizeof v);
    }
}

/* Counts x and moves the medians to where half of the counts are reached. */
static inline __attribute__((always_inline)) void count_as(struct fa_median *m, const double *x, int wide)
{
    enum { AHEAD = 16 };
    const double len = m->hi - m->lo, alpha = m->bins * (1 / len), beta = -m->lo * m->bins * (1 / len), top = m->bins - 1;
    const size_t bins = (size_t)m->bins, size = wide ? sizeof(uint32_t) : sizeof(uint16_t);
    size_t at[AHEAD];                              /* counters asked from memory, a few values ahead of their use */
    const uint32_t cut = (uint32_t)(((uint64_t)m->n + 1 + 1) / 2);
    m->n++;
    for (int i = 0; i < m->d + AHEAD; i++) {
        if (i >= AHEAD) {
            const int k = i - AHEAD;
            const size_t h = (size_t)k * bins, c = at[i % AHEAD];
            uint32_t bin = m->bin[k], below = m->below[k];
            median_put_count(m, c, wide, median_count(m, c, wide) + 1);
            below += c < h + bin;
            while (below >= cut)
                below -= median_count(m, h + --bin, wide);
            while (below + median_count(m, h + bin, wide) < cut)
                below += median_count(m, h + bin++, wide);
            m->bin[k] = bin;
            m->below[k] = below;
        }
        if (i < m->d) {
            double q = x[i] * alpha + beta;
            if (q > top)
                q = top;
            if (!(q >= 0))
                q = 0;
            at[i % AHEAD] = (size_t)i * bins + (size_t)q;
            __builtin_prefetch((char *)m->count + at[i % AHEAD] * size, 1);
        }
    }
}

static void count(struct fa_median *m, const double *x)
{
    median_make_room(m, m->n + 1);
    if (m->wide)
        count_as(m, x, 1);
    else
        count_as(m, x, 0);
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
