/* SPDX-License-Identifier: BSD-2-Clause
 * The complete landmark model: a main fitter, its part fitters and the validator, and one detection call over them
 * (spec/landmark-fit 4, 5): fit, refine by parts, merge, judge. */
#include "face_model_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa_model.h"
#include "fa_team.h"

/* Parts run on faces larger than this share of the part's first scale (fit 4, step 2). */
static const float PART_MIN_SCALE = 0.9f;

/* A text tensor as a C string of at most size - 1 bytes; 0 when absent. */
static int pack_text(char *out, size_t size, const struct fa_pack *pack, const char *name)
{
    struct fa_tensor t;
    out[0] = '\0';
    if (!fa_pack_find(pack, &t, "%s", name) || t.type != FA_U8 || t.n >= size)
        return 0;
    memcpy(out, t.data, t.n);
    out[t.n] = '\0';
    return 1;
}

static int open_part(struct fa_part *part, const struct fa_pack *pack, int i, const struct fa_pdm *main_pdm, struct fa_err *e)
{
    char prefix[32], name[FA_TENSOR_NAME];
    struct fa_fit_settings set;
    int dim[2] = { -1, 2 };

    snprintf(name, sizeof name, "part/%d/name", i);
    pack_text(part->name, sizeof part->name, pack, name);
    const int32_t *pairs = fa_pack_need(pack, e, FA_I32, 2, dim, "part/%d/pairs", i);
    if (!pairs)
        return FA_E_MODEL;
    if (!fa_fit_settings_part(&set, part->name))
        return fa_fail(e, FA_E_MODEL, "part %d: unknown part model '%s'", i, part->name);
    snprintf(prefix, sizeof prefix, "part/%d", i);
    int r = fa_fitter_open(&part->fitter, pack, prefix, &set, e);
    if (r != FA_OK)
        return r;
    part->pairs = pairs;
    part->n_pair = dim[0];
    for (int k = 0; k < part->n_pair; k++)
        if (pairs[2 * k] < 0 || pairs[2 * k] >= main_pdm->n || pairs[2 * k + 1] < 0 || pairs[2 * k + 1] >= part->fitter.pdm.n)
            return fa_fail(e, FA_E_MODEL, "part %d: landmark pair outside the models", i);
    return FA_OK;
}

int fa_face_model_open(struct fa_face_model **out, const struct fa_pack *pack, const struct fa_fit_options *opt, struct fa_err *e)
{
    struct fa_fit_settings set;
    struct fa_tensor t;
    char stem[64];
    int r;

    *out = NULL;
    struct fa_face_model *m = calloc(1, sizeof *m);
    if (!m)
        return fa_fail(e, FA_E_MEM, "out of memory");
    m->opt = *opt;
    if (!pack_text(stem, sizeof stem, pack, "meta/set")) {
        r = fa_fail(e, FA_E_MODEL, "model pack lacks 'meta/set'");
        goto bad;
    }
    fa_fit_settings_default(&set);
    if ((r = fa_fit_settings_pack(&set, pack, "main", e)) != FA_OK)
        goto bad;
    if (opt->wild)
        fa_fit_settings_wild(&set);
    fa_fit_settings_stem(&set, stem);
    set.multi_view |= opt->multi_view;
    if ((r = fa_fitter_open(&m->main, pack, "main", &set, e)) != FA_OK)
        goto bad;
    while (fa_pack_find(pack, &t, "part/%d/name", m->n_part)) {
        if (m->n_part == FA_MAX_PARTS) {
            r = fa_fail(e, FA_E_MODEL, "more than %d part models", FA_MAX_PARTS);
            goto bad;
        }
        int i = m->n_part++;
        if ((r = open_part(&m->part[i], pack, i, &m->main.pdm, e)) != FA_OK)
            goto bad;
    }
    if ((r = fa_validator_open(&m->validator, pack, e)) != FA_OK || (r = fa_early_open(&m->early, pack, &m->main.experts, e)) != FA_OK)
        goto bad;
    *out = m;
    return FA_OK;
bad:
    fa_face_model_close(m);
    return r;
}

void fa_face_model_close(struct fa_face_model *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->n_part; i++)
        fa_fitter_close(&m->part[i].fitter);
    fa_fitter_close(&m->main);
    fa_validator_close(&m->validator);
    free(m);
}

const struct fa_pdm *fa_face_model_pdm(const struct fa_face_model *m) { return &m->main.pdm; }
const struct fa_pdm *fa_face_model_part_pdm(const struct fa_face_model *m, int part) { return &m->part[part].fitter.pdm; }

int fa_face_model_part(const struct fa_face_model *m, const char *name)
{
    for (int i = 0; i < m->n_part; i++)
        if (strcmp(m->part[i].name, name) == 0)
            return i;
    return -1;
}

void fa_fit_reset(struct fa_fit_state *s)
{
    memset(s, 0, sizeof *s);
    s->failures = -1;
    s->likelihood = -10.0f;
    s->main.p.g.s = 1.0f;
    for (int i = 0; i < FA_MAX_PARTS; i++)
        s->part[i].p.g.s = 1.0f;
}

/* Start of a part: its PDM fitted to the paired main landmarks, all others missing (x exactly 0). */
static void start_part(struct fa_fitted *out, const struct fa_part *part, const struct fa_fitted *from, int main_np)
{
    const struct fa_pdm *pdm = &part->fitter.pdm;
    _Alignas(64) float at[2 * FA_PDM_MAX_POINTS] = { 0 };
    for (int k = 0; k < part->n_pair; k++) {
        int a = part->pairs[2 * k], b = part->pairs[2 * k + 1];
        at[b] = from->xy[a];
        at[b + pdm->np] = from->xy[a + main_np];
    }
    fa_pdm_fit(&out->p, pdm, at, NULL, NULL);
}

/* The parts of a frame, each an item of the team: they share nothing but what they start from. */
struct part_fits {
    struct fa_face_model *m;
    struct fa_fit_state *s;
    const struct fa_img8 *gray;
    struct { int used, result; struct fa_err e; } of[FA_MAX_PARTS];
};

static void fit_part(void *arg, int i, int worker)
{
    struct part_fits *c = arg;
    struct fa_part *part = &c->m->part[i];
    struct fa_fitted *f = &c->s->part[i];
    (void)worker;
    start_part(f, part, &c->s->main, c->m->main.pdm.np);
    if (c->s->main.p.g.s > PART_MIN_SCALE * (float)part->fitter.experts.scale[0]) {
        struct fa_fit_out fit = { 0 };
        c->of[i].used = 1;
        c->of[i].result = fa_fit_scales(&part->fitter, &f->p, part->fitter.set.window_init, c->gray, NULL, &fit, &c->of[i].e);
    }
    fa_pdm_shape2d(f->xy, NULL, &part->fitter.pdm, &f->p);
}

/* Parts from the main landmarks, then the main PDM refitted to the merged points (fit 4). */
static int refine_by_parts(struct fa_face_model *m, struct fa_fit_state *s, const struct fa_img8 *gray, struct fa_err *e)
{
    const struct fa_pdm *pdm = &m->main.pdm;
    struct part_fits c = { .m = m, .s = s, .gray = gray };
    int used = 0;
    _Alignas(64) float merged[2 * FA_PDM_MAX_POINTS];

    fa_team_run(m->opt.team, fit_part, &c, m->n_part);
    for (int i = 0; i < m->n_part; i++) {
        if (c.of[i].result != FA_OK) {
            if (e)
                *e = c.of[i].e;
            return c.of[i].result;
        }
        used |= c.of[i].used;
    }
    if (!used)
        return FA_OK;
    memcpy(merged, s->main.xy, sizeof merged);
    for (int i = 0; i < m->n_part; i++) {
        const struct fa_part *part = &m->part[i];
        for (int k = 0; k < part->n_pair; k++) {
            int a = part->pairs[2 * k], b = part->pairs[2 * k + 1];
            merged[a] = s->part[i].xy[b];
            merged[a + pdm->np] = s->part[i].xy[b + part->fitter.pdm.np];
        }
    }
    fa_pdm_fit(&s->main.p, pdm, merged, NULL, NULL);
    fa_pdm_shape2d(s->main.xy, NULL, pdm, &s->main.p);
    return FA_OK;
}

int fa_fit_main(struct fa_face_model *m, struct fa_fit_state *s, const int window[4], const struct fa_img8 *gray, struct fa_err *e)
{
    int view;
    return fa_fit_main_view(m, s, window, gray, &view, e);
}

int fa_fit_main_view(struct fa_face_model *m, struct fa_fit_state *s, const int window[4], const struct fa_img8 *gray, int *view, struct fa_err *e)
{
    struct fa_fit_out fit = { .likelihood = s->likelihood };   /* kept by a fit that fails before it computes one */
    int r = fa_fit_scales(&m->main, &s->main.p, window, gray, m->opt.team, &fit, e);
    if (r != FA_OK)
        return r;
    fa_pdm_shape2d(s->main.xy, NULL, &m->main.pdm, &s->main.p);
    s->likelihood = fit.likelihood;
    s->accepted = fit.success;
    *view = fit.view_used;
    return FA_OK;
}

int fa_fit_finish(struct fa_face_model *m, struct fa_fit_state *s, const struct fa_img8 *gray, struct fa_err *e)
{
    int r = m->n_part ? refine_by_parts(m, s, gray, e) : FA_OK;
    if (r != FA_OK)
        return r;
    if (!s->accepted) {
        s->certainty = 0.0f;
        return FA_OK;
    }
    const struct fa_global *g = &s->main.p.g;
    s->certainty = fa_validate(&m->validator, g->rx, g->ry, g->rz, s->main.xy, m->main.pdm.np, gray);
    s->accepted = fa_certainty_accepts(s->certainty);
    return FA_OK;
}
