/* SPDX-License-Identifier: BSD-2-Clause
 * The gate: limits on a clip's statistics, and why. They are about four times the worst difference seen between two runs of the
 * reference that differ in rounding only, plus the rounding of the CSV itself; single frames can differ much more where the fit
 * sits between two optima. A constant shift of the landmarks by 0.3 px fails, and so does one AU's model put for another's. */
#include "fa_compare.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *group; double mean, p95; const char *unit; } limits[] = {
    { "lm2d", 0.15, 0.45, "px" },          { "lm3d", 0.20, 0.60, "mm" },            { "eye2d", 0.12, 0.35, "px" },
    { "eye3d", 0.50, 2.5, "mm" },          { "pose_t", 0.20, 0.60, "mm" },          { "pose_r", 0.0020, 0.0060, "rad" },
    { "gaze", 0.0020, 0.0060, "" },        { "gaze_angle", 0.0025, 0.0065, "rad" }, { "p_scale", 0.0018, 0.0050, "" },
    { "p_rot", 0.0020, 0.0060, "rad" },    { "p_trans", 0.07, 0.20, "px" },         { "p_local", 0.20, 0.60, "" },
    { "confidence", 0.01, 0.03, "" } };
enum { N_LIMIT = sizeof limits / sizeof *limits };
static const double bias_px = 0.10, success_share = 0.01, time_s = 0.0011;
/* AUs; the second of each pair is for image mode, where rows are few and some faces tiny. */
static const double au_mean[2] = { 0.08, 0.25 }, au_p95[2] = { 0.25, 0.6 }, au_pearson = 0.97;
static const double presence_agree[2] = { 0.97, 0.85 }, presence_share = 0.15, presence_least = 3;
static const double known_least = 3, known_share = 0.02, known_times = 2;
static const double image_factor = 3;

int fa_fails_add(struct fa_fails *f, const char *fmt, ...)
{
    if (f->n == f->cap) {
        int cap = f->cap ? 2 * f->cap : 16;
        char (*p)[480] = realloc(f->text, (size_t)cap * sizeof *p);
        if (!p)
            return FA_E_MEM;
        f->text = p;
        f->cap = cap;
    }
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->text[f->n++], sizeof *f->text, fmt, ap);
    va_end(ap);
    return FA_OK;
}

void fa_fails_close(struct fa_fails *f)
{
    free(f->text);
    *f = (struct fa_fails){ 0 };
}

static int judge_rows(struct fa_fails *f, const struct fa_cmp *c)
{
    int bad = 0;
    if (c->n_missing) {
        char names[5 * FA_CSV_NAME + 8];
        size_t n = 0;
        for (int i = 0; i < c->n_missing && i < 5; i++)
            n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? " " : "", c->missing[i]);
        bad |= fa_fails_add(f, "columns missing: %s%s", names, c->n_missing > 5 ? " ..." : "");
    }
    if (c->order_differs)
        bad |= fa_fails_add(f, "column order differs");
    if (c->keyless)
        return bad | fa_fails_add(f, "key columns missing");
    if (c->rows != c->rows_ref || c->rows != c->rows_new)
        bad |= fa_fails_add(f, "rows: reference %zu, new %zu, common %zu", c->rows_ref, c->rows_new, c->rows);
    if (c->rows == 0)
        return bad | fa_fails_add(f, "no common rows");
    if (c->non_finite)
        bad |= fa_fails_add(f, "non-finite values: %zu", c->non_finite);
    if ((double)c->success_differ > fmax(1, success_share * (double)c->rows))
        bad |= fa_fails_add(f, "success differs in %zu rows", c->success_differ);
    return bad;
}

static int judge_group(struct fa_fails *f, const struct fa_cmp_group *g, int image, double factor)
{
    const double times = factor * (image ? image_factor : 1);
    int bad = 0;
    if (g->has_bias) {
        double x = fabs(g->bias_x), y = fabs(g->bias_y);
        if ((y > x ? y : x) > factor * bias_px)
            bad |= fa_fails_add(f, "%s bias x %.3f y %.3f px", g->name, g->bias_x, g->bias_y);
    }
    for (int i = 0; i < N_LIMIT; i++) {
        if (strcmp(limits[i].group, g->name) != 0 || (image && strcmp(g->name, "eye3d") == 0))
            continue;
        if (g->d.mean > times * limits[i].mean)
            bad |= fa_fails_add(f, "%s mean %.4g > %g", g->name, g->d.mean, times * limits[i].mean);
        if (g->d.p95 > times * limits[i].p95)
            bad |= fa_fails_add(f, "%s p95 %.4g > %g", g->name, g->d.p95, times * limits[i].p95);
    }
    if (strcmp(g->name, "timestamp") == 0 && g->d.max > time_s)
        bad |= fa_fails_add(f, "timestamp differs by %.4f s", g->d.max);
    return bad;
}

static int judge_intensity(struct fa_fails *f, const struct fa_cmp_intensity *au, int image)
{
    int bad = 0;
    if (au->active && !(au->r >= au_pearson))
        bad |= fa_fails_add(f, "%s Pearson r %.3f", au->name, au->r);
    if (au->d.mean > au_mean[image])
        bad |= fa_fails_add(f, "%s mean difference %.3f", au->name, au->d.mean);
    if (au->d.p95 > au_p95[image])
        bad |= fa_fails_add(f, "%s p95 difference %.3f", au->name, au->d.p95);
    return bad;
}

static int judge_presence(struct fa_fails *f, const struct fa_cmp *c, const struct fa_noise *noise)
{
    int bad = 0;
    const double rows = (double)c->rows, sum = c->n_c ? fa_sum(&c->c[0].agree, (size_t)c->n_c, sizeof *c->c) : 0;
    for (int k = 0; k < c->n_c; k++) {
        double allow = fmax(presence_least, presence_share * rows);
        for (int i = 0; i < noise->n; i++)
            if (strcmp(noise->au[i].name, c->c[k].name) == 0)
                allow = known_least + known_share * rows + known_times * noise->au[i].rows;
        if ((double)c->c[k].differ > allow && !c->image)
            bad |= fa_fails_add(f, "%s differs in %zu of %zu rows", c->c[k].name, c->c[k].differ, c->rows);
    }
    if (c->n_c > 0 && sum / c->n_c < presence_agree[c->image])
        bad |= fa_fails_add(f, "AU_c agreement, mean over AUs, %.4f", sum / c->n_c);
    return bad;
}

int fa_gate(struct fa_fails *f, const struct fa_cmp *c, const struct fa_noise *noise, double factor, struct fa_err *e)
{
    *f = (struct fa_fails){ 0 };
    int bad = judge_rows(f, c);
    for (int i = 0; i < c->n_group; i++)
        bad |= judge_group(f, &c->group[i], c->image, factor);
    for (int i = 0; i < c->n_r; i++)
        bad |= judge_intensity(f, &c->r[i], c->image);
    if (c->rows > 0)
        bad |= judge_presence(f, c, noise);
    return bad ? fa_fail(e, FA_E_MEM, "out of memory") : FA_OK;
}

void fa_gate_print_limits(FILE *f)
{
    fprintf(f, "%-11s %8s %8s  unit\n", "group", "mean", "p95");
    for (int i = 0; i < N_LIMIT; i++)
        fprintf(f, "%-11s %8g %8g  %s\n", limits[i].group, limits[i].mean, limits[i].p95, *limits[i].unit ? limits[i].unit : "-");
    fprintf(f, "lm2d, eye2d: mean signed difference of x and of y at most %g px\n", bias_px);
    fprintf(f, "success: differs in at most %g of the rows, one row in any case\n", success_share);
    fprintf(f, "timestamp: differs by at most %g s\n", time_s);
    fprintf(f, "AUxx_r: mean %g, p95 %g, Pearson r of active AUs at least %g\n", au_mean[0], au_p95[0], au_pearson);
    fprintf(f, "AUxx_c: differs in at most %g + %g of the rows + %g times the rows known to differ by rounding (meta.json beside the\n"
               "        reference), or where that is not known in %g of the rows, %g rows in any case; mean agreement at least %g\n",
            known_least, known_share, known_times, presence_share, presence_least, presence_agree[0]);
    fprintf(f, "image mode: limits of the groups times %g, eye3d not judged, AUxx_r mean %g, p95 %g, no r, AUxx_c mean agreement only, %g\n",
            image_factor, au_mean[1], au_p95[1], presence_agree[1]);
}
