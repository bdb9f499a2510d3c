/* SPDX-License-Identifier: BSD-2-Clause
 * Predictions with OpenFace's own models: the vectors of spec/aus 12.4, and README row 37, the raw predictions of every
 * dumped frame from its dumped descriptors and medians. */
#include "fa_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "fa_au.h"
#include "test_models.h"

enum { N_R = 17, N_C = 18 };

static const struct { int au; double dyn_r, dyn_d; int dyn_c; double st_r, st_d; int st_c; } vector[N_C] = {
    { 1, 1.89099282409, -0.82388497483, 1, 2.94221583943, -0.259551941356, 1 },
    { 2, 0.685186533904, -1.11680728459, 1, 1.93363582295, -1.06625133296, 1 },
    { 4, -1.12110581004, -1.2000660637, 1, -1.12110581004, -1.2000660637, 1 },
    { 5, 3.12667803507, -4.78159519595, 1, 4.140924548, -4.78159519595, 1 },
    { 6, 0.0250124345692, 2.61530112757, 0, 0.0250124345692, 2.61530112757, 0 },
    { 7, 1.18279883058, 3.66710186606, 0, 1.18279883058, 3.66710186606, 0 },
    { 9, 2.68960548473, 10.0835549715, 0, 10.2697091957, 31.197371739, 0 },
    { 10, -29.8887120198, -15.2364501721, 0, -29.8887120198, -15.2364501721, 0 },
    { 12, -14.5027342246, -28.1492567323, 0, -14.5027342246, -28.1492567323, 0 },
    { 14, -31.2081198582, 15.0838515213, 0, -31.2081198582, 15.0838515213, 0 },
    { 15, 55.1461898715, 1.46335522609, 0, 35.1097641627, -0.297014547552, 1 },
    { 17, -7.25953351233, 6.55681700775, 0, -10.7276641295, -3.12250204342, 1 },
    { 20, -1.29733569184, 3.33856392522, 0, -47.6641567845, 23.3192881992, 0 },
    { 23, 3.36410254852, -90.700973618, 1, 19.6181162172, -90.700973618, 1 },
    { 25, -2.84880848413, -2.71910854226, 0, 2.56721196765, 3.69088900323, 1 },
    { 26, -10.8899094741, 2.41226504211, 0, -13.062577802, 3.34323318596, 0 },
    { 28, 0, 2.45599708676, 0, 0, -2.42897158857, 1 },
    { 45, 2.15978429069, 0.282675533263, 0, 0.265066806191, 0.88979593602, 0 },
};

static void predict(double *value, const struct fa_au_set *s, const double *x, const double *median)
{
    double shift[2 * FA_AU_MAX];
    fa_au_static_part(value, s, x);
    fa_au_shift(shift, s, median);
    for (int k = 0; k < s->n_r + s->n_c; k++)
        value[k] -= shift[k];
}

static void formula_predictions_match(void)
{
    struct fa_pack pack;
    struct fa_err e;
    static double x[FA_N_DESCRIPTOR_PADDED], median[FA_N_DESCRIPTOR_PADDED];
    if (!test_model(&pack, "clnf")) {
        test_skip("no models");
        return;
    }
    for (int i = 0; i < FA_N_HOG; i++) {
        x[i] = 0.2 + 0.2 * sin(0.37 * i);
        median[i] = 0.2 + 0.1 * sin(0.05 * i);
    }
    for (int i = 0; i < FA_N_GEOM; i++) {
        x[FA_N_HOG + i] = 10 * cos(0.11 * i);
        median[FA_N_HOG + i] = 3 * sin(0.2 * i);
    }
    for (int dynamic = 0; dynamic < 2; dynamic++) {
        struct fa_au_set s;
        double v[2 * FA_AU_MAX];
        int r = fa_au_set_open(&s, &pack, dynamic ? "dynamic" : "static", &e);
        check_int("open", r, FA_OK);
        if (r != FA_OK)
            break;
        check_int("intensities", s.n_r, N_R);
        check_int("presences", s.n_c, N_C);
        predict(v, &s, x, median);
        for (int k = 0, kr = 0; k < N_C; k++) {
            check_int("name", atoi(s.name_c[k] + 2), vector[k].au);
            check_near("decision", v[N_R + k], dynamic ? vector[k].dyn_d : vector[k].st_d, 1e-10 * fmax(1, fabs(v[N_R + k])));
            check_int("class", (int)fa_au_presence(&s, k, v[N_R + k]), dynamic ? vector[k].dyn_c : vector[k].st_c);
            if (vector[k].au == 28)
                continue;
            check_int("name", atoi(s.name_r[kr] + 2), vector[k].au);
            check_near("intensity", v[kr], dynamic ? vector[k].dyn_r : vector[k].st_r, 1e-10 * fmax(1, fabs(v[kr])));
            kr++;
        }
        fa_au_set_close(&s);
    }
    fa_pack_close(&pack);
}

static int find_au(const char name[][8], int n, int au)
{
    for (int k = 0; k < n; k++)
        if (atoi(name[k] + 2) == au)
            return k;
    return -1;
}

static const struct dump_row *row(const struct dump *d, int frame, int still, const char *name)
{
    char full[96];
    snprintf(full, sizeof full, "%sau.%s", still ? "face0." : "", name);
    return dump_find(d, 0, full, frame, NULL, -2, -2);
}

static void check_case(const char *name, int still, int *frames, double *worst)
{
    static const int order_r[2][N_R] = { { 4, 6, 7, 10, 12, 14, 1, 2, 5, 9, 15, 17, 20, 23, 25, 26, 45 },
                                         { 1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45 } };
    static const int order_c[2][N_C] = { { 4, 5, 6, 7, 10, 12, 14, 23, 1, 2, 9, 15, 17, 20, 25, 26, 28, 45 },
                                         { 1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 28, 45 } };
    static double x[FA_N_DESCRIPTOR_PADDED], median[FA_N_DESCRIPTOR_PADDED];
    struct fa_pack pack;
    struct fa_au_set s;
    struct fa_err e;
    struct dump d;
    if (!test_model(&pack, "clnf") || !dump_open(&d, name))
        return;
    check_int("open", fa_au_set_open(&s, &pack, still ? "static" : "dynamic", &e), FA_OK);
    for (int i = 0; i < d.n; i++) {
        if (strcmp(d.row[i].name, still ? "face0.au.reg_raw" : "au.reg_raw") != 0)
            continue;
        int f = d.row[i].frame;
        const double *reg = dump_f64(&d.row[i]), *class = dump_f64(row(&d, f, still, "class_raw"));
        const float *hog = dump_f32(row(&d, f, still, "hog")), *hm = dump_f32(row(&d, f, still, "hog_median"));
        const double *geom = dump_f64(row(&d, f, still, "geom")), *gm = dump_f64(row(&d, f, still, "geom_median"));
        CHECK(class && hog && geom && (still || (hm && gm)));
        for (int k = 0; k < FA_N_HOG; k++) {
            x[k] = hog[k];
            median[k] = hm ? hm[k] : 0;
        }
        memcpy(x + FA_N_HOG, geom, FA_N_GEOM * sizeof *x);
        if (gm)
            memcpy(median + FA_N_HOG, gm, FA_N_GEOM * sizeof *x);
        double v[2 * FA_AU_MAX];
        predict(v, &s, x, median);
        for (int k = 0; k < N_R; k++) {
            double diff = fabs(v[find_au(s.name_r, N_R, order_r[still][k])] - reg[k]);
            check_near("intensity", diff, 0, 1e-7);
            *worst = fmax(*worst, diff);
        }
        for (int k = 0; k < N_C; k++) {
            int at = find_au(s.name_c, N_C, order_c[still][k]);
            check_int("presence", (int)fa_au_presence(&s, at, v[N_R + at]), (int)class[k]);
        }
        ++*frames;
    }
    fa_au_set_close(&s);
    fa_pack_close(&pack);
    dump_close(&d);
}

static void dumped_predictions_match(void)
{
    int frames = 0;
    double worst = 0;
    if (!shared_dir()) {
        test_skip("no dumps");
        return;
    }
    check_case("default_wmv", 0, &frames, &worst);
    check_case("avi_2015", 0, &frames, &worst);
    check_case("image_sample3", 1, &frames, &worst);
    check_int("frames", frames, 10);
    test_note("largest difference of an intensity", worst, "");
}

/* The dumps hold the first six frames without a gap: the medians of each follow from the descriptors so far. */
static void dumped_medians_match(void)
{
    static double x[FA_N_DESCRIPTOR_PADDED], median[FA_N_DESCRIPTOR_PADDED];
    struct fa_au_medians m;
    struct fa_err e;
    struct dump d;
    if (!dump_open(&d, "default_wmv")) {
        test_skip("no dumps");
        return;
    }
    check_int("open", fa_au_medians_open(&m, &e), FA_OK);
    for (int f = 1; f <= 6; f++) {
        const float *hog = dump_f32(row(&d, f, 0, "hog")), *hm = dump_f32(row(&d, f, 0, "hog_median"));
        const double *geom = dump_f64(row(&d, f, 0, "geom")), *gm = dump_f64(row(&d, f, 0, "geom_median"));
        for (int k = 0; k < FA_N_HOG; k++)
            x[k] = hog[k];
        memcpy(x + FA_N_HOG, geom, FA_N_GEOM * sizeof *x);
        if (f % 2)
            fa_au_medians_update(&m, x, 1);
        fa_au_medians_get(median, &m);
        float as_float[FA_N_HOG];
        for (int k = 0; k < FA_N_HOG; k++)
            as_float[k] = (float)median[k];
        check_f32_bits("hog median", as_float, hm, FA_N_HOG);
        check_f64_abs("geometry median", median + FA_N_HOG, gm, FA_N_GEOM, 0);
    }
    fa_au_medians_close(&m);
    dump_close(&d);
}

int main(void)
{
    RUN(formula_predictions_match);
    RUN(dumped_predictions_match);
    RUN(dumped_medians_match);
    return test_done();
}
