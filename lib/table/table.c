/* SPDX-License-Identifier: BSD-2-Clause
 * Columns and rows. One list of blocks says for each run of columns its group, its names, where its floats lie in a row and how
 * many decimals it has; the header and the rows are both made by walking it, so they cannot disagree. */
#include "fa_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PER_MARK = -1, PER_EYE = -2, PER_MODE = -3 };    /* counts that the shape gives */

/* names: a pattern with %d, or the names themselves. source: the row's pointer; plane k starts at k times the count. */
struct block { unsigned group; int count; const char *names; size_t source; int plane, decimals; };

#define AT(field) offsetof(struct fa_table_row, field)
static const struct block blocks[] = {
    { FA_TABLE_GAZE, 6, "gaze_0_x gaze_0_y gaze_0_z gaze_1_x gaze_1_y gaze_1_z", AT(gaze), 0, 6 },
    { FA_TABLE_GAZE, 2, "gaze_angle_x gaze_angle_y", AT(gaze_angle), 0, 3 },
    { FA_TABLE_GAZE, PER_EYE, "eye_lmk_x_%d", AT(eye_xy), 0, 1 },
    { FA_TABLE_GAZE, PER_EYE, "eye_lmk_y_%d", AT(eye_xy), 1, 1 },
    { FA_TABLE_GAZE, PER_EYE, "eye_lmk_X_%d", AT(eye_xyz), 0, 1 },
    { FA_TABLE_GAZE, PER_EYE, "eye_lmk_Y_%d", AT(eye_xyz), 1, 1 },
    { FA_TABLE_GAZE, PER_EYE, "eye_lmk_Z_%d", AT(eye_xyz), 2, 1 },
    { FA_TABLE_POSE, 3, "pose_Tx pose_Ty pose_Tz", AT(pose), 0, 1 },
    { FA_TABLE_POSE, 3, "pose_Rx pose_Ry pose_Rz", AT(pose), 1, 3 },
    { FA_TABLE_2D, PER_MARK, "x_%d", AT(xy), 0, 1 },
    { FA_TABLE_2D, PER_MARK, "y_%d", AT(xy), 1, 1 },
    { FA_TABLE_3D, PER_MARK, "X_%d", AT(xyz), 0, 1 },
    { FA_TABLE_3D, PER_MARK, "Y_%d", AT(xyz), 1, 1 },
    { FA_TABLE_3D, PER_MARK, "Z_%d", AT(xyz), 2, 1 },
    { FA_TABLE_PDM, 6, "p_scale p_rx p_ry p_rz p_tx p_ty", AT(global), 0, 3 },
    { FA_TABLE_PDM, PER_MODE, "p_%d", AT(local), 0, 3 },
};
enum { N_BLOCK = sizeof blocks / sizeof *blocks };
static const char meta_video[] = "frame face_id timestamp confidence success", meta_image[] = "face confidence";

struct au { char name[9]; int at; };                    /* at: where the row's array holds it */
struct fa_table {
    struct fa_table_form form;
    int count[N_BLOCK];                                 /* 0: block is off */
    struct au *r, *c;
    int n_r, n_c, n_column;
    const char *sep;
    size_t sep_len, cap, used;
    char *line;
};

static int by_name(const void *a, const void *b) { return strcmp(((const struct au *)a)->name, ((const struct au *)b)->name); }

static struct au *sorted(const char (*name)[8], int n)
{
    struct au *a = calloc((size_t)n + 1, sizeof *a);
    for (int i = 0; a && i < n; i++) {
        memcpy(a[i].name, name[i], 8);
        a[i].at = i;
    }
    if (a)
        qsort(a, (size_t)n, sizeof *a, by_name);
    return a;
}

static int words(const char *s)
{
    int n = 1;
    for (; *s; s++)
        n += *s == ' ';
    return n;
}

int fa_table_open(struct fa_table **out, const struct fa_table_form *form, const struct fa_table_shape *s, struct fa_err *e)
{
    const int given[] = { s->n, s->n_eye, s->m, s->n_r, s->n_c };
    *out = NULL;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (given[i] < 0 || given[i] > FA_TABLE_MAX_COUNT)
            return fa_fail(e, FA_E_FORMAT, "%d of one kind of column, at most %d", given[i], FA_TABLE_MAX_COUNT);
    struct fa_table *t = calloc(1, sizeof *t);
    if (!t)
        return fa_fail(e, FA_E_MEM, "out of memory");
    t->form = *form;
    t->sep = form->of21 ? ", " : ",";
    t->sep_len = strlen(t->sep);
    t->n_column = words(form->image ? meta_image : meta_video);
    const unsigned groups = s->n && !s->n_eye ? form->groups & ~(unsigned)FA_TABLE_GAZE : form->groups;     /* no eyes, no gaze */
    for (int i = 0; i < N_BLOCK; i++) {
        int c = blocks[i].count;
        c = c == PER_MARK ? s->n : c == PER_EYE ? s->n_eye : c == PER_MODE ? s->m : c;
        t->count[i] = groups & blocks[i].group ? c : 0;
        t->n_column += t->count[i];
    }
    if (form->groups & FA_TABLE_AUS) {
        t->n_r = s->n_r;
        t->n_c = s->n_c;
    }
    t->n_column += t->n_r + t->n_c + (form->extra & FA_TABLE_DISTANCE ? t->n_c : 0);
    t->n_column += !!(form->extra & FA_TABLE_PTS) + !!(form->extra & FA_TABLE_CLIP);
    t->r = sorted(s->name_r, t->n_r);
    t->c = sorted(s->name_c, t->n_c);
    t->cap = (size_t)t->n_column * (FA_FIXED_MAX + 2) + 2;  /* names are shorter than numbers can be */
    t->line = malloc(t->cap);
    if (!t->r || !t->c || !t->line) {
        fa_table_close(t);
        return fa_fail(e, FA_E_MEM, "out of memory");
    }
    *out = t;
    return FA_OK;
}

void fa_table_close(struct fa_table *t)
{
    if (!t)
        return;
    free(t->r);
    free(t->c);
    free(t->line);
    free(t);
}

int fa_table_columns(const struct fa_table *t) { return t->n_column; }

/* Every cell but the first comes after a separator. */
static char *next(struct fa_table *t)
{
    char *p = t->line + t->used;
    if (t->used) {
        memcpy(p, t->sep, t->sep_len);
        p += t->sep_len;
    }
    return p;
}

static void put_text(struct fa_table *t, const char *s, size_t n)
{
    char *p = next(t);
    memcpy(p, s, n);
    t->used = (size_t)(p + n - t->line);
}

static void put_number(struct fa_table *t, double v, int decimals)
{
    char *p = next(t);
    t->used = (size_t)(p + fa_fixed(p, v, decimals) - t->line);
}

static void put_integer(struct fa_table *t, long long v)
{
    char *p = next(t);
    t->used = (size_t)(p + snprintf(p, 24, "%lld", v) - t->line);
}

static void put_names(struct fa_table *t, const char *names)
{
    for (const char *s = names; s; s = strchr(s, ' ')) {
        s += *s == ' ';
        put_text(t, s, strcspn(s, " "));
    }
}

static void put_aus(struct fa_table *t, const struct au *a, int n, const char *suffix)
{
    char name[16];
    for (int i = 0; i < n; i++) {
        const int len = snprintf(name, sizeof name, "%s%s", a[i].name, suffix);
        put_text(t, name, (size_t)len);
    }
}

static const char *end_line(struct fa_table *t, size_t *len)
{
    t->line[t->used++] = '\n';
    *len = t->used;
    return t->line;
}

const char *fa_table_header(struct fa_table *t, size_t *len)
{
    char name[32];
    t->used = 0;
    put_names(t, t->form.image ? meta_image : meta_video);
    for (int i = 0; i < N_BLOCK; i++) {
        if (t->count[i] > 0 && blocks[i].count > 0)
            put_names(t, blocks[i].names);
        for (int k = 0; k < t->count[i] && blocks[i].count < 0; k++) {
            const char *pattern = blocks[i].names;
            const int stem = (int)strcspn(pattern, "%"), n = snprintf(name, sizeof name, "%.*s%d", stem, pattern, k);
            put_text(t, name, (size_t)n);
        }
    }
    put_aus(t, t->r, t->n_r, "_r");
    put_aus(t, t->c, t->n_c, "_c");
    if (t->form.extra & FA_TABLE_DISTANCE)
        put_aus(t, t->c, t->n_c, "_d");
    if (t->form.extra & FA_TABLE_PTS)
        put_names(t, "pts_time");
    if (t->form.extra & FA_TABLE_CLIP)
        put_names(t, "clip");
    return end_line(t, len);
}

/* A text cell, in quotes when it holds a comma, a quote, a line end or outer blanks. Grows the line; 0 when memory runs out. */
static int put_quoted(struct fa_table *t, const char *s)
{
    size_t n = strlen(s), need = t->used + 2 * n + 8;
    if (need > t->cap) {
        char *p = realloc(t->line, need);
        if (!p)
            return 0;
        t->line = p;
        t->cap = need;
    }
    if (!strpbrk(s, ",\"\r\n") && n && s[0] != ' ' && s[n - 1] != ' ') {
        put_text(t, s, n);
        return 1;
    }
    char *p = next(t);
    *p++ = '"';
    for (; *s; s++) {
        if (*s == '"')
            *p++ = '"';
        *p++ = *s;
    }
    *p++ = '"';
    t->used = (size_t)(p - t->line);
    return 1;
}

const char *fa_table_line(struct fa_table *t, const struct fa_table_row *row, size_t *len)
{
    const int own = t->form.precision, image = t->form.image;
#define DECIMALS(reference) (own >= 0 ? own : (reference))
    t->used = 0;
    if (!image)
        put_integer(t, (long long)row->frame);
    put_integer(t, row->face);
    if (!image)
        put_number(t, row->timestamp, DECIMALS(3));
    put_number(t, row->confidence, DECIMALS(image ? 3 : 2));
    if (!image)
        put_text(t, row->success ? "1" : "0", 1);
    for (int i = 0; i < N_BLOCK; i++) {
        const int n = t->count[i], decimals = DECIMALS(blocks[i].decimals);
        if (n == 0)
            continue;
        const float *v = *(const float *const *)((const char *)row + blocks[i].source) + (size_t)blocks[i].plane * (size_t)n;
        for (int k = 0; k < n; k++)
            put_number(t, (double)v[k], decimals);
    }
    for (int i = 0; i < t->n_r; i++)
        put_number(t, row->au_r[t->r[i].at], DECIMALS(2));
    for (int i = 0; i < t->n_c; i++)
        put_number(t, row->au_c[t->c[i].at], image ? 1 : 2);
    for (int i = 0; i < t->n_c && t->form.extra & FA_TABLE_DISTANCE; i++)
        put_number(t, row->distance[t->c[i].at], DECIMALS(6));
    if (t->form.extra & FA_TABLE_PTS)
        put_number(t, row->pts, DECIMALS(6));
    if (t->form.extra & FA_TABLE_CLIP && !put_quoted(t, row->clip))
        return NULL;
    return end_line(t, len);
}
