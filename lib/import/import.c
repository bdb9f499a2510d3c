/* SPDX-License-Identifier: BSD-2-Clause
 * From a plan to tensors: opens each file, hands it to its reader, and adds what concerns the set as a whole. */
#include "import_internal.h"
#include "fa_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa_kern_ccnf.h"
#include "fa_le.h"
#include "fa_sigma.h"
#include "sha256_internal.h"

static const char licence[] =
    "Weights: OpenFace (https://github.com/TadasBaltrusaitis/OpenFace), under its own licence: academic or non-profit organization\n"
    "non-commercial research use only. Not to be passed on with other software; fetch them with fa-models get.\n";

static int import_pdm(const struct fa_plan *p, int source, struct fa_pack_builder *b, const char *prefix, int *n, struct fa_err *e)
{
    struct fa_in in;
    fa_in_open(&in, p->source[source].path, e);
    *n = fa_read_pdm(&in, b, prefix);
    return fa_in_close_text(&in);
}

/* --- Patch experts ------------------------------------------------------------------------------------------------------ */

/* Sigma of one scale for the window that it is used with. */
static int add_sigma(struct fa_pack_builder *b, const char *prefix, int k, int w, const struct fa_ccnf_experts *x, const struct fa_components *c, struct fa_err *e)
{
    for (int i = 0; i < c->n_window; i++) {
        if (c->window[i] != w || c->count[i] == 0)
            continue;
        if (x->n_beta != c->count[i])
            return fa_fail(e, FA_E_MODEL, "scale %d has %d betas but there are %d Sigma components", k, x->n_beta, c->count[i]);
        if (!fa_sigma_mirrors(c->c[i], c->count[i], w))
            return fa_fail(e, FA_E_MODEL, "the Sigma components for window %d change when mirrored", w);
        const size_t each = fa_ccnf_sigma_floats(w);
        float *sigma = malloc((size_t)x->n_expert * each * sizeof *sigma);
        int r = sigma ? FA_OK : fa_fail(e, FA_E_MEM, "out of memory");
        for (int q = 0; q < x->n_expert && r == FA_OK; q++)
            r = fa_sigma_make(sigma + (size_t)q * each, w, x->alpha_sum[q], x->betas + (size_t)q * (size_t)x->n_beta, c->c[i], x->n_beta, e);
        if (r == FA_OK)
            fa_pack_add(b, FA_F32, 2, (int[]){ x->n_expert, (int)each }, sigma, "%s/experts/%d/sigma/%d", prefix, k, w);
        free(sigma);
        return r;
    }
    return FA_OK;
}

static int import_ccnf(const struct fa_plan *p, const struct fa_plan_model *m, const int window[IN_MAX_SCALES], int n,
                       struct fa_pack_builder *b, const char *prefix, struct fa_err *e)
{
    struct fa_components comp = { 0 };
    struct fa_ccnf_experts x[IN_MAX_SCALES] = { 0 };
    double scale[IN_MAX_SCALES];
    int r = FA_OK;
    for (int k = 0; k < m->n_ccnf && r == FA_OK; k++) {
        struct fa_in in;
        fa_in_open(&in, p->source[m->ccnf[k]].path, e);
        fa_read_ccnf(&in, b, prefix, k, n, &x[k], &comp);
        scale[k] = x[k].scale;
        r = fa_in_close(&in);
    }
    for (int k = 0; k < m->n_ccnf && r == FA_OK; k++)
        if (window[k] && (r = add_sigma(b, prefix, k, window[k], &x[k], &comp, e)) != FA_OK && e)
            fa_err_prefix(e, "%s", p->source[m->ccnf[k]].path);
    for (int i = 0; i < comp.n_window && r == FA_OK; i++) {
        int side = comp.window[i] * comp.window[i];
        if (comp.count[i])
            fa_pack_add(b, FA_F32, 3, (int[]){ comp.count[i], side, side }, comp.c[i], "%s/sigma_components/%d", prefix, comp.window[i]);
    }
    if (r == FA_OK) {
        fa_pack_add_text(b, "ccnf", "%s/experts/kind", prefix);
        fa_pack_add(b, FA_F64, 1, &m->n_ccnf, scale, "%s/experts/scales", prefix);
    }
    for (int k = 0; k < m->n_ccnf; k++)
        fa_ccnf_experts_free(&x[k]);
    fa_components_free(&comp);
    return r;
}

static int import_svr(const struct fa_plan *p, const struct fa_plan_model *m, int n, struct fa_pack_builder *b, const char *prefix, struct fa_err *e)
{
    double scale[IN_MAX_SCALES];
    int r = FA_OK;
    for (int k = 0; k < m->n_svr && r == FA_OK; k++) {
        struct fa_in in;
        fa_in_open(&in, p->source[m->svr[k]].path, e);
        scale[k] = fa_read_svr(&in, b, prefix, k, n);
        r = fa_in_close_text(&in);
    }
    if (r == FA_OK) {
        fa_pack_add_text(b, "svr", "%s/experts/kind", prefix);
        fa_pack_add(b, FA_F64, 1, &m->n_svr, scale, "%s/experts/scales", prefix);
    }
    return r;
}

static int import_cen(const struct fa_plan *p, const struct fa_plan_model *m, int n, struct fa_pack_builder *b, const char *prefix, struct fa_err *e)
{
    double scale[IN_MAX_SCALES];
    struct fa_cen_mirror mirror;
    struct fa_in in;
    int n_view = 0, first_views = 0;
    fa_in_open(&in, p->source[m->cen[m->n_cen - 1]].path, e);
    fa_read_cen_mirror(&in, &mirror, n);
    int r = fa_in_close(&in);
    for (int k = 0; k < m->n_cen && r == FA_OK; k++) {
        fa_in_open(&in, p->source[m->cen[k]].path, e);
        scale[k] = fa_read_cen(&in, b, prefix, k, n, &mirror, &n_view);
        r = fa_in_close(&in);
        first_views = k ? first_views : n_view;
        if (r == FA_OK && k && scale[k] <= scale[k - 1])
            r = fa_fail(e, FA_E_MODEL, "%s: scale %g after %g", p->source[m->cen[k]].path, scale[k], scale[k - 1]);
    }
    if (r == FA_OK && m->early >= 0) {
        fa_in_open(&in, p->source[m->early].path, e);
        fa_read_early_termination(&in, b, prefix, first_views);
        r = fa_in_close_text(&in);
    }
    if (r == FA_OK) {
        fa_pack_add_text(b, "cen", "%s/experts/kind", prefix);
        fa_pack_add(b, FA_F64, 1, &m->n_cen, scale, "%s/experts/scales", prefix);
    }
    return r;
}

/* A landmark model, main or part: CEN wins over CCNF, and CCNF over SVR, where a list names several (LM 1.2). */
static int import_model(const struct fa_plan *p, const struct fa_plan_model *m, const int window[IN_MAX_SCALES], struct fa_pack_builder *b,
                        const char *prefix, int *n, struct fa_err *e)
{
    int r = import_pdm(p, m->pdm, b, prefix, n, e);
    if (r != FA_OK)
        return r;
    if (m->n_cen)
        return import_cen(p, m, *n, b, prefix, e);
    return m->n_ccnf ? import_ccnf(p, m, window, *n, b, prefix, e) : import_svr(p, m, *n, b, prefix, e);
}

static int import_parts(const struct fa_plan *p, int n_main, struct fa_pack_builder *b, struct fa_err *e)
{
    static const int inner_window[IN_MAX_SCALES] = { 9 }, no_window[IN_MAX_SCALES] = { 0 };
    for (int i = 0; i < p->n_part; i++) {
        const struct fa_plan_part *part = &p->part[i];
        char prefix[32];
        int n;
        snprintf(prefix, sizeof prefix, "part/%d", i);
        int r = import_model(p, &part->model, strcmp(part->name, "inner") == 0 ? inner_window : no_window, b, prefix, &n, e);
        if (r != FA_OK)
            return r;
        for (int k = 0; k < part->n_pair; k++)
            if (part->pair[k][0] >= n_main || part->pair[k][1] >= n)
                return fa_fail(e, FA_E_MODEL, "%s: part '%s' pairs landmarks %d and %d of %d and %d", p->source[0].path, part->name,
                               (int)part->pair[k][0], (int)part->pair[k][1], n_main, n);
        fa_pack_add_text(b, part->name, "part/%d/name", i);
        fa_pack_add(b, FA_I32, 2, (int[]){ part->n_pair, 2 }, part->pair, "part/%d/pairs", i);
    }
    return FA_OK;
}

/* --- Action units ------------------------------------------------------------------------------------------------------- */

struct au_group { int n; char name[IN_MAX_AUS][8]; double bias[IN_MAX_AUS], extra[IN_MAX_AUS][2]; int32_t dynamic[IN_MAX_AUS]; double *weights; };

/* sum of mean * weight, compensated, so that moving it into the bias costs no accuracy. */
static double mean_part(const unsigned char *mean, const unsigned char *weight)
{
    double s = 0, lost = 0;
    for (int i = 0; i < IN_AU_INPUTS; i++) {
        double v = fa_le_f64(mean + 8 * i) * fa_le_f64(weight + 8 * i), t = s + v;
        lost += (s < 0 ? -s : s) >= (v < 0 ? -v : v) ? (s - t) + v : (v - t) + s;
        s = t;
    }
    return s + lost;
}

static int add_predictor(struct fa_in *in, struct au_group g[2], const char *name, unsigned char *first_mean[6])
{
    struct fa_au_predictor q;
    fa_read_predictor(in, &q);
    if (in->failed)
        return 0;
    int class = q.type == FA_AU_SVM_STATIC || q.type == FA_AU_SVM_DYNAMIC;
    struct au_group *u = &g[class];
    if (u->n == IN_MAX_AUS) {
        fa_in_bad(in, "more than %d predictors of a kind", IN_MAX_AUS);
        return 0;
    }
    /* QUIRK aus-1.3: of each of the four types the means of the first file read stay in force. */
    if (!first_mean[q.type]) {
        first_mean[q.type] = fa_in_alloc(in, IN_AU_INPUTS, 1, 8);
        if (first_mean[q.type])
            memcpy(first_mean[q.type], q.mean, IN_AU_INPUTS * 8);
    }
    if (!u->weights)
        u->weights = fa_in_alloc(in, IN_MAX_AUS, IN_AU_PADDED, sizeof *u->weights);
    if (in->failed)
        return 0;
    for (int i = 0; i < IN_AU_INPUTS; i++)
        u->weights[(size_t)u->n * IN_AU_PADDED + (size_t)i] = fa_le_f64(q.weight + 8 * i);
    memcpy(u->name[u->n], name, sizeof u->name[0]);
    u->bias[u->n] = q.bias - mean_part(first_mean[q.type], q.weight);
    u->dynamic[u->n] = q.type == FA_AU_SVR_DYNAMIC || q.type == FA_AU_SVM_DYNAMIC;
    u->extra[u->n][0] = class ? q.value[0] : q.cutoff;
    u->extra[u->n][1] = q.value[1];
    u->n++;
    return 1;
}

static int import_predictors(const struct fa_plan *p, const struct fa_plan_au *au, const char *set, struct fa_pack_builder *b, struct fa_err *e)
{
    static const char *const kind[2] = { "reg", "class" };
    struct au_group *g = calloc(2, sizeof *g);
    unsigned char *first_mean[6] = { 0 };
    int r = FA_OK;
    if (!g)
        return fa_fail(e, FA_E_MEM, "out of memory");
    for (int i = 0; i < au->n && r == FA_OK; i++) {
        struct fa_in in;
        fa_in_open(&in, p->source[au->file[i]].path, e);
        add_predictor(&in, g, au->name[i], first_mean);
        r = fa_in_close(&in);
    }
    for (int k = 0; k < 2 && r == FA_OK; k++) {
        struct au_group *u = &g[k];
        int n = u->n;
        double cutoff[IN_MAX_AUS];
        if (!n)
            continue;
        for (int i = 0; i < n; i++)
            cutoff[i] = u->extra[i][0];
        fa_pack_add(b, FA_U8, 2, (int[]){ n, 8 }, u->name, "au/%s/%s/names", set, kind[k]);
        fa_pack_add(b, FA_F64, 2, (int[]){ n, IN_AU_PADDED }, u->weights, "au/%s/%s/weights", set, kind[k]);
        fa_pack_add(b, FA_F64, 1, &n, u->bias, "au/%s/%s/bias", set, kind[k]);
        fa_pack_add(b, FA_I32, 1, &n, u->dynamic, "au/%s/%s/dynamic", set, kind[k]);
        if (k == 0)
            fa_pack_add(b, FA_F64, 1, &n, cutoff, "au/%s/reg/cutoff", set);
        else
            fa_pack_add(b, FA_F64, 2, (int[]){ n, 2 }, u->extra, "au/%s/class/values", set);
    }
    for (int k = 0; k < 6; k++)
        free(first_mean[k]);
    for (int k = 0; k < 2; k++)
        free(g[k].weights);
    free(g);
    return r;
}

static int import_action_units(const struct fa_plan *p, struct fa_pack_builder *b, struct fa_err *e)
{
    static const char *const set[2] = { "dynamic", "static" };
    struct fa_in in;
    int n, r;
    if (p->au_pdm < 0)
        return FA_OK;
    if ((r = import_pdm(p, p->au_pdm, b, "au", &n, e)) != FA_OK)
        return r;
    fa_in_open(&in, p->source[p->au_triangles].path, e);
    fa_read_triangles(&in, b, n, "au/triangles");
    r = fa_in_close_text(&in);
    for (int i = 0; i < 2 && r == FA_OK; i++)
        r = import_predictors(p, &p->au[i], set[i], b, e);
    return r;
}

/* --- The whole ---------------------------------------------------------------------------------------------------------- */

static int add_meta(const struct fa_plan *p, struct fa_pack_builder *b, struct fa_err *e)
{
    size_t n = 1, at = 0;
    for (int i = 0; i < p->n_source; i++)
        n += strlen(p->source[i].label) + 100;
    char *text = malloc(n);
    if (!text)
        return fa_fail(e, FA_E_MEM, "out of memory");
    text[0] = '\0';
    for (int i = 0; i < p->n_source; i++) {
        struct fa_in in;
        char hex[65];
        if (fa_in_open(&in, p->source[i].path, e) != FA_OK) {
            free(text);
            return e ? e->code : FA_E_MODEL;
        }
        fa_sha256_hex(hex, in.base, in.len);
        at += (size_t)snprintf(text + at, n - at, "%s  %zu  %s\n", hex, in.len, p->source[i].label);
        fa_map_close(&in.map);
    }
    fa_pack_add_text(b, p->stem, "meta/set");
    fa_pack_add_text(b, text, "meta/sources");
    fa_pack_add_text(b, licence, "meta/licence");
    free(text);
    return FA_OK;
}

int fa_plan_import(const struct fa_plan *p, struct fa_pack_builder *b, struct fa_err *e)
{
    static const int window[IN_MAX_SCALES] = { 11, 9, 7, 5 };
    static const char *const net[3] = { "pnet", "rnet", "onet" };
    static const int side[3] = { 12, 24, 48 };
    struct fa_in in;
    int n, r = import_model(p, &p->main, window, b, "main", &n, e);
    if (r == FA_OK && n != IN_N_LANDMARK)
        r = fa_fail(e, FA_E_MODEL, "%s: a model of %d points, expected %d", p->source[p->main.pdm].path, n, IN_N_LANDMARK);
    if (r == FA_OK)
        r = import_parts(p, n, b, e);
    if (r == FA_OK && p->validator >= 0) {
        fa_in_open(&in, p->source[p->validator].path, e);
        fa_read_validator(&in, b);
        r = fa_in_close(&in);
    }
    for (int i = 0; i < 3 && r == FA_OK && p->net[i] >= 0; i++) {
        fa_in_open(&in, p->source[p->net[i]].path, e);
        fa_read_mtcnn(&in, b, net[i], side[i]);
        r = fa_in_close(&in);
    }
    if (r == FA_OK)
        r = import_action_units(p, b, e);
    return r == FA_OK ? add_meta(p, b, e) : r;
}

int fa_import_list(struct fa_pack_builder *b, const char *main_list, struct fa_err *e)
{
    struct fa_plan p;
    struct fa_err own;
    if (!e)
        e = &own;
    int r = fa_plan_read(&p, main_list, e);
    if (r == FA_OK)
        r = fa_plan_import(&p, b, e);
    fa_plan_free(&p);
    return r;
}
