/* SPDX-License-Identifier: BSD-2-Clause
 * The whole-clip pass against the vectors of spec/aus 12.5 and against a plain second writing of spec/aus 8 on random clips,
 * longer than what is predicted anew and than what stays in memory; and the online correction. */
#include "fa_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fa_au.h"

enum { N_R = 17, N_C = 18, N = N_R + N_C };

/* A set with the shipped names, kinds and cutoffs; no weights are needed here. */
static void shipped_set(struct fa_au_set *s, int dynamic)
{
    static const struct { int au; double cutoff; } reg[N_R] = {
        { 1, 0.55 }, { 2, 0.75 }, { 4, -1 }, { 5, 0.8 }, { 6, -1 }, { 7, -1 }, { 9, 0.7000000000000001 }, { 10, -1 }, { 12, -1 }, { 14, -1 },
        { 15, 0.55 }, { 17, 0.2 }, { 20, 0.65 }, { 23, 0.65 }, { 25, 0.30000000000000004 }, { 26, 0.30000000000000004 }, { 45, 0.6000000000000001 },
    };
    *s = (struct fa_au_set){ .n_r = N_R, .n_c = N_C };
    for (int k = 0; k < N_R; k++) {
        s->cutoff[k] = dynamic ? reg[k].cutoff : -1;
        s->dynamic[k] = s->cutoff[k] != -1;
    }
    for (int k = 0; k < N_C; k++)
        s->value[k][k % 5 != 0] = 1;               /* most files say 0 for a positive decision */
}

static double decision(const struct fa_au_set *s, int k, int present) { return s->value[k][0] == present ? 0.7 : -0.7; }

static int failed(int k) { return k == 4 || k == 11 || k == 12; }

static void run_formula(double r[20][N_R], int c[20][N_C], int dynamic)
{
    static const double zero[N];
    struct fa_au_set s;
    struct fa_au_clip *clip;
    struct fa_err e;
    shipped_set(&s, dynamic);
    check_int("open", fa_au_clip_open(&clip, &s, &e), FA_OK);
    for (int k = 0; k < 20; k++) {
        double v[N];
        for (int a = 0; a < N_R; a++)
            v[a] = 2.5 * sin(0.31 * k + 0.7 * a) + 1.2;
        for (int a = 0; a < N_C; a++)
            v[N_R + a] = decision(&s, a, (k * (a + 3)) % 5 < 2);
        check_int("add", fa_au_clip_add(clip, v, NULL, !failed(k), &e), FA_OK);
    }
    check_int("finish", fa_au_clip_finish(clip, zero, dynamic, &e), FA_OK);
    for (int k = 0; k < 20; k++) {
        double presence[N_C], distance[N_C];
        check_int("next", fa_au_clip_next(clip, r[k], presence, distance, &e), FA_OK);
        for (int a = 0; a < N_C; a++) {
            c[k][a] = (int)presence[a];
            CHECK((distance[a] == 0) == failed(k));
        }
    }
    fa_au_clip_close(clip);
}

static void check_sums(double r[20][N_R], int c[20][N_C], const double want[N_R])
{
    static const int classes[N_C] = { 3, 3, 20, 3, 2, 3, 3, 20, 3, 2, 3, 3, 20, 3, 2, 3, 3, 20 };
    for (int a = 0; a < N_R; a++) {
        double sum = 0;
        for (int k = 0; k < 20; k++)
            sum += r[k][a];
        check_near("sum of an intensity", sum, want[a], 6e-7);
    }
    for (int a = 0; a < N_C; a++) {
        int sum = 0;
        for (int k = 0; k < 20; k++)
            sum += c[k][a];
        check_int("sum of a presence", sum, classes[a]);
    }
}

static void dynamic_set_matches_the_vectors(void)
{
    static const double au01[20] = { 0, 0.229980, 0.643782, 0.643782, 0.992739, 1.123448, 1.557387, 1.236212, 0.724481, 0.290542, 0.032779 };
    static const double au04[20] = { 3.663624, 3.597141, 3.380420, 2.155148, 1.563173, 0.860243, 0.914058, 0.355372, 0.053814, 0,
                                     0, 0, 0, 0, 0.207435, 0.671384, 1.385751, 2.113131, 2.753460, 3.312834 };
    static const double au17[20] = { 4.184046, 4.104781, 3.876065, 2.481644, 1.882082, 1.174983, 1.387310, 0.671193, 0.212327, 0,
                                     0, 0, 0, 0.152543, 0.544847, 1.193966, 1.939930, 2.664320, 3.298078, 3.848631 };
    static const double au45[20] = { 0, 0, 0, 0, 0, 0.242688, 0.690422, 1.286012, 1.715483, 1.937893,
                                     1.342303, 0.670144, 0.231144, 0.231144, 0.231144 };
    static const double sums[N_R] = { 7.475131, 2.368648, 26.986990, 0.682854, 26.842562, 23.997646, 4.537490, 22.882572, 23.884381,
                                      25.791610, 8.236750, 33.616746, 3.064314, 2.908859, 26.241049, 23.113893, 8.578377 };
    static const char au01_c[] = "10100000000000000100", au02_c[] = "10000000000010000001";
    double r[20][N_R];
    int c[20][N_C];
    run_formula(r, c, 1);
    for (int k = 0; k < 20; k++) {
        check_near("AU01_r", r[k][0], au01[k], 6e-7);
        check_near("AU04_r", r[k][2], au04[k], 6e-7);
        check_near("AU17_r", r[k][11], au17[k], 6e-7);
        check_near("AU45_r", r[k][16], au45[k], 6e-7);
        check_int("AU01_c", c[k][0], au01_c[k] - '0');
        check_int("AU02_c", c[k][1], au02_c[k] - '0');
        check_int("AU28_c", c[k][16], au02_c[k] - '0');
    }
    check_sums(r, c, sums);
}

static void static_set_matches_the_vectors(void)
{
    static const double au01[20] = { 1.2, 1.938411, 2.606428, 1.952213, 2.301170, 2.431879, 3.520033, 3.198859, 2.687127, 2.033624,
                                     1.121645, 0.434651, 0, 0, 0, 0, 0, 0, 0.080723, 0.242168 };
    static const double sums[N_R] = { 25.748931, 26.147135, 26.986990, 28.535757, 26.842562, 23.997646, 22.759706, 22.882572, 23.884381,
                                      25.791610, 26.149097, 26.995606, 28.571700, 26.777620, 23.927822, 22.747834, 22.889271 };
    double r[20][N_R];
    int c[20][N_C];
    run_formula(r, c, 0);
    for (int k = 0; k < 20; k++)
        check_near("AU01_r", r[k][0], au01[k], 6e-7);
    check_sums(r, c, sums);
}

/* Spec/aus 8 once more, with everything in memory and a sort. */
static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void plain_pass(double *out, const double *v, const char *good, int n, double cutoff, double *sorted)
{
    int m = 0;
    double offset = 0;
    for (int i = 0; i < n; i++)
        if (good[i])
            sorted[m++] = v[i];
    qsort(sorted, (size_t)m, sizeof *sorted, by_value);
    if (m > 0 && cutoff != -1)
        offset = sorted[(int)(m * cutoff)];
    for (int i = 0; i < n; i++)
        sorted[i] = good[i] ? fmin(fmax(v[i] - offset, 0), 5) : 0;
    for (int i = 0; i < n; i++)
        out[i] = i > 0 && i < n - 1 ? ((sorted[i - 1] + sorted[i]) + sorted[i + 1]) / 3 : sorted[i];
}

static void pass_equals_a_plain_one_for_any_length(void)
{
    static const int length[] = { 1, 2, 3, 4, 6, 7, 8, 63, 64, 65, 200, 3120, 20000 };
    enum { MAX = 20000 };
    static double part[MAX][N], shift[MAX][N], v[MAX], want[MAX], scratch[MAX];
    static char good[MAX];
    uint64_t seed = 77;
    struct fa_au_set s;
    struct fa_err e = { 0 };
    shipped_set(&s, 1);
    struct fa_au_clip *clip;
    check_int("open", fa_au_clip_open(&clip, &s, &e), FA_OK);
    for (size_t t = 0; t < sizeof length / sizeof *length; t++) {
        int n = length[t], n_good = 0, bad = 0;
        double final_shift[N];
        fa_au_clip_reset(clip);
        for (int k = 0; k < N; k++)
            final_shift[k] = k % 3 ? 0.3 * test_randf(&seed) : 0;
        for (int i = 0; i < n; i++) {
            good[i] = test_rand(&seed) % 8 != 0;
            for (int k = 0; k < N; k++) {
                part[i][k] = 4 * test_randf(&seed) + (k % 5 == 0 ? rint(2 * test_randf(&seed)) : 0);
                shift[i][k] = k % 3 ? 0.3 * test_randf(&seed) : 0;
            }
            check_int("add", fa_au_clip_add(clip, part[i], fa_au_clip_needs_shift(clip) ? shift[i] : NULL, good[i], &e), FA_OK);
        }
        /* The history as the spec has it. */
        for (int i = 0; i < n; i++)
            for (int k = 0; k < N; k++)
                part[i][k] = good[i] ? part[i][k] - (n_good < FA_AU_RESTATED ? final_shift[k] : shift[i][k]) : 0, n_good += k == N - 1 && good[i];
        check_int("finish", fa_au_clip_finish(clip, final_shift, 1, &e), FA_OK);
        static double r[MAX][N_R], c[MAX][N_C], d[MAX][N_C];
        for (int i = 0; i < n; i++)
            check_int("next", fa_au_clip_next(clip, r[i], c[i], d[i], &e), FA_OK);
        for (int k = 0; k < N_R; k++) {
            for (int i = 0; i < n; i++)
                v[i] = part[i][k];
            plain_pass(want, v, good, n, s.cutoff[k], scratch);
            for (int i = 0; i < n; i++)
                bad += r[i][k] != want[i];
        }
        for (int k = 0; k < N_C; k++)
            for (int i = 0; i < n; i++) {
                int ones = 0, first = i, last = i;
                if (i >= 3 && i <= n - 4)
                    first = i - 3, last = i + 3;
                for (int j = first; j <= last; j++)
                    ones += good[j] && fa_au_presence(&s, k, part[j][N_R + k]) == 1;
                bad += c[i][k] != (2 * ones > last - first);
                bad += d[i][k] != part[i][N_R + k];
            }
        check_int("values that differ", bad, 0);
    }
    fa_au_clip_close(clip);
}

static void clip_without_success_is_zeros(void)
{
    static const double zero[N];
    double v[N], r[N_R], c[N_C], d[N_C];
    struct fa_au_set s;
    struct fa_au_clip *clip;
    struct fa_err e;
    shipped_set(&s, 1);
    for (int k = 0; k < N; k++)
        v[k] = 3;
    check_int("open", fa_au_clip_open(&clip, &s, &e), FA_OK);
    for (int i = 0; i < 10; i++)
        fa_au_clip_add(clip, v, NULL, 0, &e);
    check_int("finish", fa_au_clip_finish(clip, zero, 1, &e), FA_OK);
    for (int i = 0; i < 10; i++) {
        check_int("next", fa_au_clip_next(clip, r, c, d, &e), FA_OK);
        check_f64_abs("intensities", r, zero, N_R, 0);
        check_f64_abs("presences", c, zero, N_C, 0);
    }
    fa_au_clip_close(clip);
}

/* Spec/aus 7.3 by hand: nine frames uncorrected, then the tenth percentile's bin is zero. */
static void online_correction_follows_the_lowest_tenth(void)
{
    static struct fa_au_online o;
    memset(&o, 0, sizeof o);
    for (int i = 0; i < 9; i++) {
        double r[2] = { 1.5, -0.5 };
        fa_au_online_correct(r, 2, &o, 1);
        check_near("before ten frames", r[0], 1.5, 0);
        check_near("clamped", r[1], 0, 0);
    }
    double r[2] = { 2.5, 9 };
    fa_au_online_correct(r, 2, &o, 1);              /* n = 10, cut = 1: the bin of 1.5 holds nine, more than one */
    check_near("corrected", r[0], 2.5 - (-3 + 112 * (8.0 / 200)), 0);
    check_near("clamped above", r[1], 5, 0);
    double f[2] = { 2.5, 1 };
    fa_au_online_correct(f, 2, &o, 0);
    check_near("failed frame: no correction", f[0], 2.5, 0);
    check_int("and no count", o.n, 10);
}

int main(void)
{
    RUN(dynamic_set_matches_the_vectors);
    RUN(static_set_matches_the_vectors);
    RUN(pass_equals_a_plain_one_for_any_length);
    RUN(clip_without_success_is_zeros);
    RUN(online_correction_follows_the_lowest_tenth);
    return test_done();
}
