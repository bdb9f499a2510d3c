/* SPDX-License-Identifier: BSD-2-Clause
 * Running medians: the vectors of spec/aus 12.3, the naive definition on random and adversarial series, and the file that
 * carries the state. */
#include "fa_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_au.h"
#include "fa_file.h"

static const int used[12] = { 0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1 };

static void medians_of_the_formula_series_are_exact(void)
{
    static const struct { int k; double m[5]; } hog[] = {
        { 0, { -0.0044975, -0.0044975, -0.0044975, -0.0044975, -0.0044975 } },
        { 1, { 0.437998458, 0.368194545, 0.0685253496, 0.20831501, 0.0004 } },
        { 2, { 0.483723431, 0.180516666, 0.173169605, 0.218458546, 0.0008 } },
        { 3, { 0.3522775, 0.1080625, 0.0688675, 0.0336925, -0.0004775 } },
        { 4, { 0.3522775, 0.1774075, 0.1341925, 0.1070575, 0.0005275 } },
        { 5, { 0.1442425, 0.1774075, 0.0688675, 0.1070575, 0.0005275 } },
        { 11, { 0.3492625, 0.2487625, 0.2115775, 0.1110775, 0.0015325 } },
    }, geom[] = {
        { 0, { -59.994, -59.994, -59.994, -59.994, -59.994 } },
        { 1, { 31.33307639, 19.69909083, -30.24577507, -6.94749836, -150 } },
        { 3, { 17.094, -23.658, -30.246, -36.114, -59.994 } },
        { 5, { -17.706, -12.066, -30.246, -23.778, -59.994 } },
        { 11, { 16.482, -0.234, -6.366, -23.13, 30.006 } },
    };
    struct fa_median h, g;
    struct fa_err e;
    check_int("open", fa_median_open(&h, 5, 1000, -0.005, 1, 0, &e), FA_OK);
    check_int("open", fa_median_open(&g, 5, 10000, -60, 60, 0, &e), FA_OK);
    for (int k = 0; k < 12; k++) {
        double dh[5], dg[5], m[5];
        for (int j = 0; j < 4; j++) {
            dh[j] = 0.25 + 0.24 * sin(0.9 * k + 1.7 * j) * cos(0.3 * k * j);
            dg[j] = 40 * sin(0.9 * k + 1.7 * j) * cos(0.3 * k * j);
        }
        dh[4] = k % 3 == 0 ? 0 : 0.0004 * k;
        dg[4] = 30 * (k - 6);
        fa_median_update(&h, dh, used[k]);
        fa_median_update(&g, dg, used[k]);
        for (size_t i = 0; i < sizeof hog / sizeof *hog; i++)
            if (hog[i].k == k) {
                fa_median_get(m, &h);
                check_f64_abs("hog", m, hog[i].m, 5, 6e-10);
            }
        for (size_t i = 0; i < sizeof geom / sizeof *geom; i++)
            if (geom[i].k == k) {
                fa_median_get(m, &g);
                check_f64_abs("geometry", m, geom[i].m, 5, 6e-9);
            }
    }
    fa_median_close(&h);
    fa_median_close(&g);
}

static void negative_hog_medians_read_as_zero(void)
{
    struct fa_median m;
    struct fa_err e;
    double x[2] = { 0, 0.5 }, got[2];
    check_int("open", fa_median_open(&m, 2, 1000, -0.005, 1, 1, &e), FA_OK);
    fa_median_update(&m, x, 0);
    fa_median_get(got, &m);
    check_near("before any", got[1], 0, 0);
    for (int i = 0; i < 4; i++)
        fa_median_update(&m, x, 1);
    fa_median_get(got, &m);
    check_near("bin 4", got[0], 0, 0);
    check_near("another", got[1], 0.5, 0.001);
    fa_median_close(&m);
}

/* The definition: the smallest bin whose cumulative count reaches (n + 1) div 2. */
struct naive { unsigned count[64]; unsigned n; double copy; };
static double naive_step(struct naive *s, double x, int use, double lo, double hi, int bins)
{
    const double len = hi - lo;
    if (use) {
        double q = x * (bins * (1 / len)) + -lo * bins * (1 / len);
        s->count[q > bins - 1 ? bins - 1 : q < 0 ? 0 : (int)q]++;
        s->n++;
    }
    if (s->n == 1)
        return x;
    unsigned sum = 0, cut = (s->n + 1) / 2;
    int j = 0;
    while ((sum += s->count[j]) < cut)
        j++;
    return (lo + j * (len / bins)) + 0.5 * len / bins;
}

static void carried_median_equals_the_naive_one(void)
{
    enum { D = 9, BINS = 50, STEPS = 3000 };
    for (int series = 0; series < 6; series++) {
        uint64_t seed = 40 + (uint64_t)series;
        struct fa_median m;
        struct fa_err e;
        static struct naive naive[D];
        memset(naive, 0, sizeof naive);
        check_int("open", fa_median_open(&m, D, BINS, -1, 2, 0, &e), FA_OK);
        for (int t = 0; t < STEPS; t++) {
            double x[D], want[D], got[D];
            int use = series < 3 ? test_rand(&seed) % 4 != 0 : t > series;
            for (int i = 0; i < D; i++) {
                double far = t % 2 ? -5 : 5, step = t / (1 << i % 9) % 2 ? -0.9 : 1.9;     /* jumps from end to end, at many paces */
                x[i] = series % 3 == 0 ? 3 * test_randf(&seed) : series % 3 == 1 ? (i % 2 ? far : step) : (double)t / STEPS * 4 - 1.5;
                want[i] = naive_step(&naive[i], x[i], use, -1, 2, BINS);
            }
            fa_median_update(&m, x, use);
            fa_median_get(got, &m);
            check_f64_abs("median", got, want, D, 0);
        }
        fa_median_close(&m);
    }
}

/* A clip of an hour and more: counters outgrow 16 bits while the median wanders. */
static void counters_go_beyond_16_bits(void)
{
    enum { D = 3, BINS = 20, STEPS = 150000 };
    struct fa_median m;
    struct fa_err e;
    static struct naive naive[D];
    memset(naive, 0, sizeof naive);
    check_int("open", fa_median_open(&m, D, BINS, -1, 2, 0, &e), FA_OK);
    for (int t = 0; t < STEPS; t++) {
        const double x[D] = { 0.3, t < 70000 ? 0.3 : 1.9, t % 100 ? -0.5 : 0.9 };
        double want[D], got[D];
        for (int i = 0; i < D; i++)
            want[i] = naive_step(&naive[i], x[i], 1, -1, 2, BINS);
        fa_median_update(&m, x, 1);
        fa_median_get(got, &m);
        if (memcmp(got, want, sizeof got) != 0)
            test_fail(__FILE__, __LINE__, "step %d: %g %g %g, want %g %g %g", t, got[0], got[1], got[2], want[0], want[1], want[2]);
    }
    fa_median_reset(&m);
    const double x[D] = { 0, 0, 0 };
    double got[D];
    for (int t = 0; t < 3; t++)
        fa_median_update(&m, x, 1);
    fa_median_get(got, &m);
    check_near("starts afresh", got[2], 0.05, 0.1);
    fa_median_close(&m);
}

static void descriptor(double *x, uint64_t *seed)
{
    for (int i = 0; i < FA_N_DESCRIPTOR; i++)
        x[i] = i < FA_N_HOG ? fabs(test_randf(seed)) * 0.4 : 70 * test_randf(seed);
    x[FA_N_DESCRIPTOR] = x[FA_N_DESCRIPTOR + 1] = 0;
}

/* Saved, loaded and continued is the same as never interrupted; at no update, at one (where the medians are a copy), and later. */
static void saved_state_goes_on_as_if_never_saved(void)
{
    static double x[FA_N_DESCRIPTOR_PADDED], want[FA_N_DESCRIPTOR_PADDED], got[FA_N_DESCRIPTOR_PADDED];
    char path[] = "/tmp/fa-median.XXXXXX";
    int fd = mkstemp(path);
    struct fa_au_medians a, b;
    struct fa_err e = { 0 };
    close(fd);
    check_int("open", fa_au_medians_open(&a, &e), FA_OK);
    check_int("open", fa_au_medians_open(&b, &e), FA_OK);
    for (int n = 0; n < 4; n++) {
        uint64_t seed = 9;
        fa_au_medians_reset(&a);
        for (int t = 0; t < 30; t++) {
            descriptor(x, &seed);
            if (t == (n < 3 ? n : 20)) {
                check_int("save", fa_au_medians_save(&a, path, &e), FA_OK);
                check_int("load", fa_au_medians_load(&b, path, &e), FA_OK);
                fa_au_medians_get(want, &a);
                fa_au_medians_get(got, &b);
                check_bytes("medians", got, want, sizeof want);
            }
            fa_au_medians_update(&a, x, t != 21);
            if (t >= (n < 3 ? n : 20))
                fa_au_medians_update(&b, x, t != 21);
        }
        fa_au_medians_get(want, &a);
        fa_au_medians_get(got, &b);
        check_bytes("medians at the end", got, want, sizeof want);
    }
    unlink(path);
    fa_au_medians_close(&a);
    fa_au_medians_close(&b);
}

static void damaged_state_files_are_refused(void)
{
    static double x[FA_N_DESCRIPTOR_PADDED];
    char path[] = "/tmp/fa-median.XXXXXX";
    uint64_t seed = 10;
    struct fa_au_medians m;
    struct fa_map map;
    struct fa_err e = { 0 };
    close(mkstemp(path));
    check_int("open", fa_au_medians_open(&m, &e), FA_OK);
    for (int t = 0; t < 3; t++) {
        descriptor(x, &seed);
        fa_au_medians_update(&m, x, 1);
    }
    check_int("save", fa_au_medians_save(&m, path, &e), FA_OK);
    check_int("map", fa_map_open(&map, path, &e), FA_OK);
    unsigned char *copy = malloc(map.len);
    memcpy(copy, map.data, map.len);
    size_t len = map.len;
    fa_map_close(&map);
    check_int("whole", fa_au_medians_parse(&m, copy, len, &e), FA_OK);
    for (int i = 0; i < 300; i++) {
        size_t at = i < 64 ? (size_t)i : test_rand(&seed) % len;
        CHECK(fa_au_medians_parse(&m, copy, at, &e) < 0);
        copy[at] ^= 0x20;
        CHECK(fa_au_medians_parse(&m, copy, len, &e) < 0);
        copy[at] ^= 0x20;
    }
    check_int("missing", fa_au_medians_load(&m, "/nonexistent/file", &e), FA_E_INPUT);
    free(copy);
    unlink(path);
    fa_au_medians_close(&m);
}

int main(void)
{
    RUN(medians_of_the_formula_series_are_exact);
    RUN(negative_hog_medians_read_as_zero);
    RUN(carried_median_equals_the_naive_one);
    RUN(counters_go_beyond_16_bits);
    RUN(saved_state_goes_on_as_if_never_saved);
    RUN(damaged_state_files_are_refused);
    return test_done();
}
