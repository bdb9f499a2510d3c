/* SPDX-License-Identifier: BSD-2-Clause
 * One model fitted over its scales (fit 2): per scale the response maps once, then a rigid and a non-rigid run on them. All
 * memory of a fit is taken when the fitter opens. */
#include "fit_internal.h"

#include <stdlib.h>
#include <string.h>

/* Below: the fit has failed. Below the second: the likelihood is computed although scales follow (fit 2.1). */
static const float TOO_SMALL = 0.25f, SMALL = 0.30f;

/* Window d of the two lists, scale by scale. */
static int listed_window(const struct fa_fit_settings *set, int k, int d) { return d ? set->window_small[k] : set->window_init[k]; }

static const struct fa_kernel_table *find_table(const struct fa_fitter *f, int w, float sigma)
{
    for (int i = 0; i < f->n_table; i++)
        if (f->tables[i].w == w && f->tables[i].sigma == sigma)
            return &f->tables[i];
    return NULL;
}

/* The largest window, or FA_E_ARG; reserves what the experts derive for each. */
static int check_windows(struct fa_fitter *f, struct fa_err *e)
{
    int largest = 0;
    for (int k = 0; k < f->experts.n_scale; k++)
        for (int d = 0; d < 2; d++) {
            const int w = listed_window(&f->set, k, d);
            int r = w ? fa_experts_reserve(&f->experts, k, w, 1, e) : FA_OK;
            if (r != FA_OK)
                return r;
            largest = w > largest ? w : largest;
        }
    return largest ? largest : fa_fail(e, FA_E_ARG, "no scale has a window");
}

static void fill_tables(struct fa_fitter *f)
{
    for (int k = 0; k < f->experts.n_scale; k++)
        for (int d = 0; d < 2; d++) {
            const int w = listed_window(&f->set, k, d);
            const float sigma = fa_fit_settings_at(&f->set, f->experts.scale, k).sigma;
            if (w && !find_table(f, w, sigma)) {
                fa_kernel_table_fill(&f->tables[f->n_table], fa_arena_f32(&f->arena, fa_kernel_table_floats(w)), w, sigma);
                f->n_table++;
            }
        }
}

int fa_fitter_open(struct fa_fitter *f, const struct fa_pack *pack, const char *prefix, const struct fa_fit_settings *set,
                   struct fa_err *e)
{
    enum { TABLES = 2 * FA_MAX_SCALES };
    *f = (struct fa_fitter){ .set = *set };
    int r = fa_pdm_attach(&f->pdm, pack, prefix, e);
    if (r == FA_OK)
        r = fa_experts_open(&f->experts, pack, prefix, e);
    if (r != FA_OK)
        return r;
    if (f->experts.n != f->pdm.n)
        r = fa_fail(e, FA_E_MODEL, "%s: %d landmarks have experts, the shape model has %d", prefix, f->experts.n, f->pdm.n);
    const int largest = r == FA_OK ? check_windows(f, e) : r;
    if (largest < 0) {
        fa_fitter_close(f);
        return largest;
    }

    const size_t base = 2 * (size_t)f->pdm.np;
    f->resp.stride = (largest * largest + 15) & ~15;
    const size_t maps = (size_t)f->pdm.n * f->resp.stride;
    const size_t bytes = fa_rlms_scratch_size(&f->pdm) + (maps + base) * sizeof(float) + TABLES * sizeof *f->tables +
                         TABLES * (fa_kernel_table_floats(largest) * sizeof(float) + 64) + 4 * 64;
    r = fa_arena_open(&f->arena, bytes, e);
    if (r != FA_OK) {
        fa_fitter_close(f);
        return r;
    }
    fa_rlms_scratch_take(&f->scratch, &f->pdm, &f->arena);
    f->resp.maps = fa_arena_f32(&f->arena, maps);
    f->resp.base = fa_arena_f32(&f->arena, base);
    f->tables = fa_arena_take(&f->arena, TABLES * sizeof *f->tables);
    fill_tables(f);
    return FA_OK;
}

void fa_fitter_close(struct fa_fitter *f)
{
    fa_experts_close(&f->experts);
    fa_arena_close(&f->arena);
    *f = (struct fa_fitter){ 0 };
}

int fa_fit_scale(struct fa_fitter *f, struct fa_params *p, int k, int w, int is_last, const struct fa_img8 *gray,
                 struct fa_team *team, struct fa_fit_out *out, struct fa_err *e)
{
    const struct fa_fit_adapted at = fa_fit_settings_at(&f->set, f->experts.scale, k);
    const struct fa_kernel_table *kernel = find_table(f, w, at.sigma);
    if (!kernel)
        return fa_fail(e, FA_E_ARG, "window %d is not among the settings' windows for scale %d", w, k);
    int r = fa_experts_respond(&f->resp, &f->experts, &f->pdm, p, k, w, gray, team, e);
    if (r != FA_OK)
        return r;

    const struct fa_rlms run = {
        .pdm = &f->pdm, .resp = &f->resp, .kernel = kernel, .at = at, .n_iter = f->set.n_iter,
        .visible = fa_experts_visible(&f->experts, k, f->resp.view), .confidence = fa_experts_confidence(&f->experts, k, f->resp.view),
    };
    out->view_used = f->resp.view;
    fa_rlms_run(p, &run, 1, &f->scratch);
    const int rate = is_last || p->g.s < SMALL;
    fa_rlms_run(p, &run, 0, &f->scratch);
    if (rate)
        out->likelihood = fa_rlms_likelihood(out->lmk_likelihood, f->scratch.dx, f->scratch.dy, &f->resp, run.visible, at.sigma, f->pdm.n);
    out->success = !(p->g.s < TOO_SMALL);
    return FA_OK;
}

int fa_fit_scales(struct fa_fitter *f, struct fa_params *p, const int window[FA_MAX_SCALES], const struct fa_img8 *gray,
                  struct fa_team *team, struct fa_fit_out *out, struct fa_err *e)
{
    const int n = f->experts.n_scale;
    int r = FA_OK;
    out->success = 1;
    for (int k = 0; k < n && r == FA_OK && out->success; k++)
        if (window[k])
            r = fa_fit_scale(f, p, k, window[k], k + 1 == n || window[k + 1] == 0, gray, team, out, e);
    return r;
}
