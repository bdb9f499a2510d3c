/* SPDX-License-Identifier: BSD-2-Clause
 * One clip's line, from its CSV and its provenance: see fa_clip_report.h. */
#include "fa_clip_report.h"

#include <fts.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_compare.h"
#include "fa_prov.h"

#define LOW_CONFIDENCE 0.75
/* Timestamps in a CSV have three decimals: a step may be off by one of the last. */
#define CLOCK_SLACK 0.0015

static const char *const warning[FA_CLIP_WARNINGS] = { "failed", "no face", "low confidence", "dropped frames", "VFR", "changed", "no provenance" };
const char *fa_clip_warning_text(int i) { return warning[i]; }

static int no_memory(struct fa_err *e) { return fa_fail(e, FA_E_MEM, "out of memory"); }

static double cell(const struct fa_csv *c, size_t row, int col) { return c->cell[row * (size_t)c->n_col + (size_t)col]; }
static int succeeded(const struct fa_csv *c, size_t row, int col) { return col < 0 || cell(c, row, col) > 0.5; }

static void count(struct fa_clip_report *r, const struct fa_csv *c, int success)
{
    const int confidence = fa_csv_column(c, "confidence");
    double sum = 0;
    r->frames = c->n_row;
    for (size_t i = 0; i < c->n_row; i++)
        if (succeeded(c, i, success)) {
            r->success++;
            sum += confidence < 0 ? 0 : cell(c, i, confidence);
        }
    r->confidence = r->success ? sum / (double)r->success : 0;
    r->warnings |= r->success == 0 ? FA_WARN_NO_FACE : confidence >= 0 && r->confidence < LOW_CONFIDENCE ? FA_WARN_CONFIDENCE : 0;
}

/* Presences: columns named AU01_c. */
static void find_active(struct fa_clip_report *r, const struct fa_csv *c, int success)
{
    size_t used = 0;
    for (int k = 0; k < c->n_col; k++) {
        const char *name = c->name[k];
        const size_t n = strlen(name);
        size_t i = 0;
        if (n < 5 || n > 8 || strncmp(name, "AU", 2) != 0 || strcmp(name + n - 2, "_c") != 0)
            continue;
        while (i < c->n_row && !(succeeded(c, i, success) && cell(c, i, k) > 0.5))
            i++;
        if (i == c->n_row || used + n + 1 > sizeof r->active)
            continue;
        used += (size_t)snprintf(r->active + used, sizeof r->active - used, "%s%.*s", used ? " " : "", (int)n - 2, name);
        r->n_active++;
    }
}

static int ascending(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

/* Steps of time between rows of different frames. */
static int judge_times(struct fa_clip_report *r, const struct fa_csv *c, struct fa_err *e)
{
    const int time = fa_csv_column(c, "timestamp");
    size_t n = 0;
    if (time < 0 || c->n_row < 3)
        return FA_OK;
    double *step = malloc(c->n_row * sizeof *step);
    if (!step)
        return no_memory(e);
    for (size_t i = 1; i < c->n_row; i++) {
        const double d = cell(c, i, time) - cell(c, i - 1, time);
        if (d > 0)
            step[n++] = d;
    }
    if (n >= 2) {
        qsort(step, n, sizeof *step, ascending);
        const double median = step[n / 2];
        for (size_t i = 0; i < n; i++)
            if (step[i] > 1.5 * median + CLOCK_SLACK)
                r->warnings |= FA_WARN_DROPPED;
            else if (fabs(step[i] - median) > 0.1 * median + CLOCK_SLACK)
                r->warnings |= FA_WARN_VFR;
    }
    free(step);
    return FA_OK;
}

static int read_csv(struct fa_clip_report *r, const char *csv, struct fa_err *e)
{
    struct fa_csv c = { 0 };
    int ret = fa_csv_read(&c, csv, e);
    if (ret == FA_OK) {
        const int success = fa_csv_column(&c, "success");
        count(r, &c, success);
        find_active(r, &c, success);
        ret = judge_times(r, &c, e);
    }
    fa_csv_close(&c);
    return ret;
}

static unsigned long long number(const struct fa_prov *p, const char *key)
{
    const char *s = fa_prov_get(p, key);
    return s ? strtoull(s, NULL, 10) : 0;
}

static int read_origin(struct fa_clip_report *r, const struct fa_prov *p, const char *csv, int there, struct fa_err *e)
{
    const char *clip = fa_prov_get(p, "clip"), *words = fa_prov_get(p, "words");
    struct fa_prov now = { 0 };
    int ret = FA_OK;
    free(r->clip);
    free(r->words);
    r->clip = strdup(clip ? clip : csv);
    r->words = strdup(words ? words : "");
    if (!r->clip || !r->words)
        return no_memory(e);
    if (number(p, "status") != 0)
        r->warnings |= FA_WARN_FAILED;
    else if (!there && number(p, "rows") == 0)
        r->warnings |= FA_WARN_NO_FACE;
    if (number(p, "promised") > number(p, "frames"))
        r->warnings |= FA_WARN_DROPPED;
    if (there) {
        ret = fa_prov_file(&now, "csv", csv, e);
        const char *is = fa_prov_get(&now, "csv_xxh3"), *was = fa_prov_get(p, "csv_xxh3");
        if (ret == FA_OK && !(is && was && strcmp(is, was) == 0))
            r->warnings |= FA_WARN_CHANGED;
        fa_prov_close(&now);
    } else if (number(p, "rows") && !(r->warnings & FA_WARN_FAILED)) {
        r->warnings |= FA_WARN_CHANGED;
    }
    return ret;
}

int fa_clip_report(struct fa_clip_report *r, const char *csv, struct fa_err *e)
{
    struct fa_prov p = { 0 };
    *r = (struct fa_clip_report){ .clip = strdup(csv), .words = strdup("") };
    char *json = fa_prov_path(csv);
    int ret = r->clip && r->words && json ? FA_OK : no_memory(e);
    if (ret == FA_OK) {
        const int there = access(csv, F_OK) == 0, known = access(json, F_OK) == 0;
        if (there || !known)
            ret = read_csv(r, csv, e);
        if (!known)
            r->warnings |= FA_WARN_NO_PROVENANCE;
        else if (ret == FA_OK && (ret = fa_prov_read(&p, json, e)) == FA_OK)
            ret = read_origin(r, &p, csv, there, e);
    }
    fa_prov_close(&p);
    free(json);
    return ret;
}

void fa_clip_report_close(struct fa_clip_report *r)
{
    free(r->clip);
    free(r->words);
    *r = (struct fa_clip_report){ 0 };
}

/* --- Finding them ------------------------------------------------------------------------------------------------------- */

static int ends_in(const char *s, const char *end)
{
    const size_t n = strlen(s), m = strlen(end);
    return n > m && strcmp(s + n - m, end) == 0;
}

/* The CSV that this file stands for, in fresh memory; NULL: none. */
static char *csv_of(const char *path)
{
    struct fa_prov p = { 0 };
    char *csv = NULL;
    if (ends_in(path, ".csv"))
        return strdup(path);
    if (!ends_in(path, ".json") || asprintf(&csv, "%.*s.csv", (int)strlen(path) - 5, path) < 0)
        return NULL;
    const int ours = access(csv, F_OK) != 0 && fa_prov_read(&p, path, NULL) == FA_OK && fa_prov_get(&p, "fa-tools");
    fa_prov_close(&p);
    if (!ours) {
        free(csv);
        csv = NULL;
    }
    return csv;
}

static int by_name(const FTSENT **a, const FTSENT **b) { return strcmp((*a)->fts_name, (*b)->fts_name); }

int fa_clip_report_find(char ***list, size_t *n, const char *folder, struct fa_err *e)
{
    char *root[2] = { strdup(folder), NULL }, **all = NULL;
    size_t used = 0, cap = 0;
    FTSENT *f;
    int r = FA_OK;
    FTS *walk = root[0] ? fts_open(root, FTS_PHYSICAL | FTS_NOCHDIR, by_name) : NULL;
    if (!walk)
        r = root[0] ? fa_fail_errno(e, FA_E_INPUT, "%s", folder) : no_memory(e);
    while (r == FA_OK && (f = fts_read(walk))) {
        if (f->fts_level == 0 && f->fts_info != FTS_D && f->fts_info != FTS_DP)
            r = fa_fail(e, FA_E_INPUT, "%s: %s", folder, f->fts_errno ? strerror(f->fts_errno) : "not a folder");
        char *csv = r == FA_OK && f->fts_info == FTS_F ? csv_of(f->fts_path) : NULL;
        if (csv && used == cap) {
            char **more = realloc(all, (cap = cap ? 2 * cap : 64) * sizeof *all);
            if (!more) {
                free(csv);
                r = no_memory(e);
                break;
            }
            all = more;
        }
        if (csv)
            all[used++] = csv;
    }
    if (walk)
        fts_close(walk);
    free(root[0]);
    *list = all;
    *n = used;
    return r;
}
