/* SPDX-License-Identifier: BSD-2-Clause
 * Parameter sets by model list, part and scale (spec/landmark-fit 1, 2.2), and what a fitter refuses. */
#include "fa_test.h"

#include <string.h>

#include "fit_internal.h"
#include "test_models.h"

static void check_windows(const char *why, const int *w, int a, int b, int c, int d)
{
    check_int(why, w[0], a);
    check_int(why, w[1], b);
    check_int(why, w[2], c);
    check_int(why, w[3], d);
}

static void defaults_are_the_reference_defaults(void)
{
    struct fa_fit_settings s;
    fa_fit_settings_main(&s, "main_clnf_general");
    check_windows("init", s.window_init, 11, 9, 7, 5);
    check_windows("small", s.window_small, 0, 9, 7, 0);
    check_int("iterations", s.n_iter, 5);
    check_near("sigma", s.sigma, 1.5, 0);
    check_near("reg", s.reg, 25, 0);
    check_near("weight", s.weight, 0, 0);
    check_int("adapt", s.refine_parameters, 1);
    check_int("views", s.multi_view, 0);
    check_int("reinit", s.reinit_every, 2);
}

static void only_the_ceclm_list_changes_sigma_and_reg(void)
{
    static const struct { const char *stem; float sigma, reg; } t[] = {
        { "main_ceclm_general", 2.25f, 22.5f }, { "main_clnf_general", 1.5f, 25 }, { "main_clm_general", 1.5f, 25 },
        { "main_clnf_wild", 1.5f, 25 }, { "main_ceclm_general2", 1.5f, 25 }, { "", 1.5f, 25 },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fa_fit_settings s;
        fa_fit_settings_main(&s, t[i].stem);
        check_near(t[i].stem, s.sigma, t[i].sigma, 1e-6);
        check_near(t[i].stem, s.reg, t[i].reg, 1e-6);
    }
}

static void wild_comes_before_the_factors(void)
{
    struct fa_fit_settings s;
    fa_fit_settings_default(&s);
    fa_fit_settings_wild(&s);
    check_windows("init", s.window_init, 15, 13, 11, 11);
    check_windows("small", s.window_small, 0, 9, 7, 0);
    check_int("iterations", s.n_iter, 10);
    check_int("views", s.multi_view, 1);
    fa_fit_settings_stem(&s, "main_ceclm_general");
    check_near("sigma", s.sigma, 1.25 * 1.5, 1e-6);
    check_near("reg", s.reg, 35 * 0.9, 1e-5);
    check_near("weight", s.weight, 2.5, 0);
}

static void parts_have_their_own_sets(void)
{
    static const struct { const char *name; int known, w0, w1; float reg, sigma, weight; } t[] = {
        { "inner", 1, 9, 0, 2.5f, 1.75f, 2.5f }, { "left_eye_28", 1, 3, 5, 0.5f, 1, 0 }, { "right_eye_28", 1, 3, 5, 0.5f, 1, 0 },
        { "left_eye", 1, 5, 3, 0.1f, 2, 0 }, { "right_eye", 1, 5, 3, 0.1f, 2, 0 }, { "mouth", 1, 7, 7, 1, 2, 0 }, { "brow", 1, 11, 9, 10, 3.5f, 0 },
        { "ear", 0, 11, 9, 22.5f, 2.25f, 0 },
    };
    static const double scale[] = { 1, 1.5, 2 };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fa_fit_settings s;
        check_int(t[i].name, fa_fit_settings_part(&s, t[i].name), t[i].known);
        check_int(t[i].name, s.window_init[0], t[i].w0);
        check_int(t[i].name, s.window_init[1], t[i].w1);
        if (t[i].known)
            CHECK(memcmp(s.window_init, s.window_small, sizeof s.window_init) == 0);
        check_near(t[i].name, s.reg, t[i].reg, 1e-6);
        check_near(t[i].name, s.sigma, t[i].sigma, 1e-6);
        check_near(t[i].name, s.weight, t[i].weight, 0);
        check_int(t[i].name, s.n_iter, 5);
        check_int(t[i].name, s.refine_parameters, 0);
        struct fa_fit_adapted a = fa_fit_settings_at(&s, scale, 1);
        CHECK(a.reg == s.reg && a.sigma == s.sigma && a.weight == s.weight);
    }
}

static void scales_adapt_as_in_the_table(void)
{
    static const double scale[] = { 0.25, 0.35, 0.5, 1.0 };
    static const struct { const char *stem; int wild; float reg[4], sigma[4], weight[4]; } t[] = {
        { "main_clnf_general", 0, { 25, 17.71860f, 10, 10 }, { 1.5f, 1.621357f, 1.75f, 1.75f }, { 0 } },
        { "main_ceclm_general", 0, { 22.5f, 15.21860f, 7.5f, 7.5f }, { 2.25f, 2.371357f, 2.5f, 2.5f }, { 0 } },
        { "main_clnf_wild", 1, { 35, 27.71860f, 20, 20 }, { 1.25f, 1.371357f, 1.5f, 1.5f }, { 2.5f, 4.927134f, 7.5f, 7.5f } },
    };
    for (int i = 0; i < 3; i++) {
        struct fa_fit_settings s;
        fa_fit_settings_default(&s);
        if (t[i].wild)
            fa_fit_settings_wild(&s);
        fa_fit_settings_stem(&s, t[i].stem);
        for (int k = 0; k < 4; k++) {
            struct fa_fit_adapted a = fa_fit_settings_at(&s, scale, k);
            check_near("reg", a.reg, t[i].reg[k], 2e-5);
            check_near("sigma", a.sigma, t[i].sigma[k], 1e-6);
            check_near("weight", a.weight, t[i].weight[k], 1e-6);
        }
    }
}

static void reg_never_falls_to_zero(void)
{
    static const double scale[] = { 0.25, 1, 4 };
    struct fa_fit_settings s;
    fa_fit_settings_main(&s, "main_clnf_general");
    s.reg = 30;
    check_near("zero", fa_fit_settings_at(&s, scale, 1).reg, 0.001f, 0);
    check_near("below", fa_fit_settings_at(&s, scale, 2).reg, 0.001f, 0);
}

/* A pack with main/fit of these entries; opens it. */
static void own_settings(struct fa_pack *p, const int *windows, int iterations, float sigma)
{
    struct fa_pack_builder b;
    struct fa_err e;
    size_t len;
    fa_pack_begin(&b);
    if (windows) {
        fa_pack_add(&b, FA_I32, 2, (int[]){ 2, 3 }, windows, "main/fit/windows");
        fa_pack_add(&b, FA_I32, 1, (int[]){ 2 }, (int[]){ iterations, 11 }, "main/fit/counts");
        fa_pack_add(&b, FA_F32, 1, (int[]){ 3 }, (float[]){ sigma, 12, 0.5f }, "main/fit/values");
    }
    void *mem = fa_pack_finish(&b, &len, &e);
    check_int("pack", fa_pack_open_mem(p, mem, len, mem, &e), FA_OK);
}

static void a_set_of_our_own_brings_its_settings(void)
{
    static const int good[6] = { 11, 9, 7, 0, 9, 5 }, even[6] = { 11, 8, 7, 0, 9, 5 }, wide[6] = { 17, 9, 7, 0, 9, 5 };
    static const struct { const int *windows; int iterations; float sigma; } bad[] = {
        { even, 5, 2 }, { wide, 5, 2 }, { good, 0, 2 }, { good, 51, 2 }, { good, 5, 0 }, { good, 5, -1 },
    };
    struct fa_fit_settings s, before;
    struct fa_pack p;
    struct fa_err e;
    fa_fit_settings_default(&s);
    own_settings(&p, good, 7, 2);
    check_int("own", fa_fit_settings_pack(&s, &p, "main", &e), FA_OK);
    check_windows("init", s.window_init, 11, 9, 7, 0);
    check_windows("small", s.window_small, 0, 9, 5, 0);
    CHECK(s.n_iter == 7 && s.multi_view == 1 && s.sigma == 2 && s.reg == 12 && s.weight == 0.5f);
    fa_pack_close(&p);
    own_settings(&p, NULL, 0, 0);                /* as OpenFace's sets */
    before = s;
    check_int("none", fa_fit_settings_pack(&s, &p, "main", &e), FA_OK);
    CHECK(memcmp(&before, &s, sizeof s) == 0);
    fa_pack_close(&p);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        own_settings(&p, bad[i].windows, bad[i].iterations, bad[i].sigma);
        check_int("bad", fa_fit_settings_pack(&s, &p, "main", &e), FA_E_MODEL);
        CHECK(memcmp(&before, &s, sizeof s) == 0);
        fa_pack_close(&p);
    }
}

static void fitters_refuse_windows_they_cannot_use(void)
{
    struct fa_pack pack;
    struct fa_fitter f;
    struct fa_fit_settings s;
    struct fa_err e;
    if (!test_model(&pack, "clnf")) {
        test_skip("no models");
        return;
    }
    static const int bad[][FA_MAX_SCALES] = { { 0, 0, 0, 5 }, { 10, 9, 7, 5 }, { 11, 17, 7, 5 }, { 1, 9, 7, 5 } };
    for (int i = 0; i < 4; i++) {
        fa_fit_settings_main(&s, "main_clnf_general");
        memcpy(s.window_init, bad[i], sizeof bad[i]);
        memset(s.window_small, 0, sizeof s.window_small);
        check_int("open", fa_fitter_open(&f, &pack, "main", &s, &e), FA_E_ARG);
    }
    fa_fit_settings_main(&s, "main_clnf_general");
    check_int("open", fa_fitter_open(&f, &pack, "nose", &s, &e), FA_E_MODEL);
    check_int("open", fa_fitter_open(&f, &pack, "main", &s, &e), FA_OK);

    /* A window that is not in the lists has no kernel table. */
    static uint8_t px[64 * 64];
    struct fa_img8 gray = { px, 64, 64, 64, 1 };
    struct fa_params p = { .g = { .s = 1, .tx = 32, .ty = 32 } };
    struct fa_fit_out out;
    check_int("fit", fa_fit_scales(&f, &p, (int[]){ 11, 11, 7, 5 }, &gray, NULL, &out, &e), FA_E_ARG);
    fa_fitter_close(&f);
    fa_pack_close(&pack);
}

static void a_small_face_fails_but_has_a_likelihood(void)
{
    struct fa_pack pack;
    struct fa_fitter f;
    struct fa_fit_settings s;
    struct fa_err e;
    if (!test_model(&pack, "clnf")) {
        test_skip("no models");
        return;
    }
    static uint8_t px[64 * 64];
    struct fa_img8 gray = { px, 64, 64, 64, 1 };
    struct fa_params p = { .g = { .s = 0.1f, .tx = 32, .ty = 32 } };
    struct fa_fit_out out = { .success = 7, .likelihood = -10 };
    fa_fit_settings_main(&s, "main_clnf_general");
    CHECK(fa_fitter_open(&f, &pack, "main", &s, &e) == FA_OK);
    check_int("fit", fa_fit_scales(&f, &p, s.window_init, &gray, NULL, &out, &e), FA_OK);
    check_int("success", out.success, 0);
    CHECK(out.likelihood != -10);                     /* s < 0.30: computed although scales would follow */
    out.likelihood = -10;
    check_int("no window at all", fa_fit_scales(&f, &p, (int[]){ 0, 0, 0, 0 }, &gray, NULL, &out, &e), FA_OK);
    check_int("success", out.success, 1);
    check_near("likelihood", out.likelihood, -10, 0);
    fa_fitter_close(&f);
    fa_pack_close(&pack);
}

int main(void)
{
    RUN(defaults_are_the_reference_defaults);
    RUN(only_the_ceclm_list_changes_sigma_and_reg);
    RUN(wild_comes_before_the_factors);
    RUN(parts_have_their_own_sets);
    RUN(scales_adapt_as_in_the_table);
    RUN(reg_never_falls_to_zero);
    RUN(a_set_of_our_own_brings_its_settings);
    RUN(fitters_refuse_windows_they_cannot_use);
    RUN(a_small_face_fails_but_has_a_likelihood);
    return test_done();
}
