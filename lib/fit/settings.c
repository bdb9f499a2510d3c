/* SPDX-License-Identifier: BSD-2-Clause
 * Parameter sets by model list, by part (fit 1) and out of a pack, and their adaptation to a scale (fit 2.2). */
#include "fit_internal.h"

#include <math.h>
#include <string.h>

#include "fa_model.h"

static void set_windows(int w[FA_MAX_SCALES], int a, int b, int c, int d)
{
    const int v[] = { a, b, c, d };
    memcpy(w, v, sizeof v);
}

void fa_fit_settings_default(struct fa_fit_settings *s)
{
    *s = (struct fa_fit_settings){
        .n_iter = 5, .sigma = 1.5f, .reg = 25, .weight = 0, .refine_parameters = 1, .multi_view = 0, .reinit_every = 2,
    };
    set_windows(s->window_init, 11, 9, 7, 5);
    set_windows(s->window_small, 0, 9, 7, 0);
}

void fa_fit_settings_wild(struct fa_fit_settings *s)
{
    set_windows(s->window_init, 15, 13, 11, 11);
    s->sigma = 1.25f;
    s->reg = 35;
    s->weight = 2.5f;
    s->n_iter = 10;
    s->multi_view = 1;
}

void fa_fit_settings_stem(struct fa_fit_settings *s, const char *stem)
{
    if (strcmp(stem, "main_ceclm_general") != 0)
        return;
    s->sigma *= 1.5f;
    s->reg *= 0.9f;
}

void fa_fit_settings_main(struct fa_fit_settings *s, const char *stem)
{
    fa_fit_settings_default(s);
    fa_fit_settings_stem(s, stem);
}

/* 0, or an odd window that the experts can judge. */
static int fits(int w)
{
    return w == 0 || (w >= 3 && w <= FA_MAX_WINDOW && w % 2 == 1);
}

int fa_fit_settings_pack(struct fa_fit_settings *s, const struct fa_pack *pack, const char *prefix, struct fa_err *e)
{
    struct fa_tensor found;
    int two_lists[] = { 2, -1 }, two[] = { 2 }, three[] = { 3 };
    if (!fa_pack_find(pack, &found, "%s/fit/values", prefix))
        return FA_OK;
    const float *value = fa_pack_need(pack, e, FA_F32, 1, three, "%s/fit/values", prefix);
    const int *window = value ? fa_pack_need(pack, e, FA_I32, 2, two_lists, "%s/fit/windows", prefix) : NULL;
    const int *count = window ? fa_pack_need(pack, e, FA_I32, 1, two, "%s/fit/counts", prefix) : NULL;
    if (!count)
        return FA_E_MODEL;
    const int n_scale = two_lists[1];
    int ok = count[0] >= 1 && count[0] <= 50 && n_scale >= 1 && n_scale <= FA_MAX_SCALES;
    ok = ok && value[0] > 0.1f && value[0] < 100 && value[1] >= 0 && value[1] < 1e6f && value[2] >= 0 && value[2] < 1e6f;
    for (int i = 0; ok && i < 2 * n_scale; i++)
        ok = fits(window[i]);
    if (!ok)
        return fa_fail(e, FA_E_MODEL, "%s/fit: settings outside of what a fit can use", prefix);
    memset(s->window_init, 0, sizeof s->window_init);
    memset(s->window_small, 0, sizeof s->window_small);
    memcpy(s->window_init, window, (size_t)n_scale * sizeof *window);
    memcpy(s->window_small, window + n_scale, (size_t)n_scale * sizeof *window);
    s->n_iter = count[0];
    s->multi_view = count[1] > 1;
    s->sigma = value[0];
    s->reg = value[1];
    s->weight = value[2];
    return FA_OK;
}

int fa_fit_settings_part(struct fa_fit_settings *s, const char *part_name)
{
    static const struct { const char *name; int window[FA_MAX_SCALES]; float reg, sigma, weight; } parts[] = {
        { "inner", { 9 }, 2.5f, 1.75f, 2.5f },
        { "left_eye_28", { 3, 5, 9 }, 0.5f, 1, 0 },
        { "right_eye_28", { 3, 5, 9 }, 0.5f, 1, 0 },
        { "left_eye", { 5, 3 }, 0.1f, 2, 0 },
        { "right_eye", { 5, 3 }, 0.1f, 2, 0 },
        { "mouth", { 7, 7 }, 1, 2, 0 },
        { "brow", { 11, 9 }, 10, 3.5f, 0 },
    };
    /* QUIRK fit-1.4: parts never see the command line, but the factors of the default model list. */
    fa_fit_settings_main(s, "main_ceclm_general");
    s->refine_parameters = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(part_name, parts[i].name) == 0) {
            memcpy(s->window_init, parts[i].window, sizeof s->window_init);
            memcpy(s->window_small, parts[i].window, sizeof s->window_small);
            s->reg = parts[i].reg;
            s->sigma = parts[i].sigma;
            s->weight = parts[i].weight;
            return 1;
        }
    return 0;
}

struct fa_fit_adapted fa_fit_settings_at(const struct fa_fit_settings *s, const double *scale, int k)
{
    if (!s->refine_parameters)
        return (struct fa_fit_adapted){ s->reg, s->sigma, s->weight };
    const double l = log(scale[k < 2 ? k : 2] / 0.25) / log(2.0);
    struct fa_fit_adapted a = {
        .reg = (float)(s->reg - 15 * l), .sigma = (float)(s->sigma + 0.25 * l), .weight = (float)(s->weight + 2 * s->weight * l),
    };
    if (!(a.reg > 0))
        a.reg = 0.001f;
    return a;
}
