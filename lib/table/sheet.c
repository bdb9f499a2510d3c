/* SPDX-License-Identifier: BSD-2-Clause
 * The files that rows go to: one for all, or one a clip. A file is made with its first row, so a picture without a face leaves
 * none, and takes its name when its clip (or, for one file, the stream) has ended well. */
#include "fa_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fa_clock.h"
#include "fa_prov.h"

enum { BUFFER = 1 << 18 };

static int no_memory(struct fa_err *e) { return fa_fail(e, FA_E_MEM, "out of memory"); }
static int to_stdout(const struct fa_sheet *s) { return !s->out || strcmp(s->out, "-") == 0; }

int fa_sheet_open(struct fa_sheet *s, struct fa_err *e)
{
    struct stat st;
    if (to_stdout(s)) {
        setvbuf(stdout, NULL, _IOFBF, BUFFER);
        return FA_OK;
    }
    size_t n = strlen(s->out);
    if (n && s->out[n - 1] == '/') {
        s->in_folder = 1;
        return fa_mkdirs(s->out, e);
    }
    s->in_folder = stat(s->out, &st) == 0 && S_ISDIR(st.st_mode);
    return FA_OK;
}

/* "FOLDER/NAME.csv", refused where this stream has already had that name. */
static int path_in_folder(struct fa_sheet *s, struct fa_err *e)
{
    char *name = fa_table_name(s->input, s->is_folder), **more = realloc(s->done, (s->n_clip + 1) * sizeof *more);
    if (more)
        s->done = more;
    if (!name || !more) {
        free(name);
        return no_memory(e);
    }
    for (size_t i = 0; i < s->n_clip; i++)
        if (strcmp(s->done[i], name) == 0) {
            int r = fa_fail(e, FA_E_ARG, "%s: a clip before it was also called %s; give each stream its own folder", s->input, name);
            free(name);
            return r;
        }
    s->done[s->n_clip] = name;
    if (asprintf(&s->path, "%s%s%s.csv", s->out, s->out[strlen(s->out) - 1] == '/' ? "" : "/", name) < 0) {
        s->path = NULL;
        s->n_clip++;
        return no_memory(e);
    }
    return FA_OK;
}

static void drop_table(struct fa_sheet *s)
{
    fa_table_close(s->table);
    free((void *)s->shape.name_r);
    free((void *)s->shape.name_c);
    s->table = NULL;
    s->shape = (struct fa_table_shape){ 0 };
}

int fa_sheet_clip(struct fa_sheet *s, const char *input, int is_folder, int image, const float camera[4], struct fa_err *e)
{
    const int joined = (s->form.extra & FA_TABLE_CLIP) != 0;
    if (s->n_clip > 0 && !s->in_folder && !joined)
        return fa_fail(e, FA_E_ARG, "%s: a second clip in the stream; give -o a folder, or --clip-column for one table", input);
    free(s->input);
    s->input = strdup(input);
    s->is_folder = is_folder;
    s->n_clip_row = s->n_success = 0;
    s->confidence = 0;
    s->since = fa_now();
    memcpy(s->camera, camera, sizeof s->camera);
    if (!s->input)
        return no_memory(e);
    if (s->table && s->form.image != image && joined)
        return fa_fail(e, FA_E_FORMAT, "%s: images and videos have different columns, and cannot share a table", input);
    s->form.image = image;
    if (s->in_folder) {
        drop_table(s);
        int r = path_in_folder(s, e);
        if (r != FA_OK)
            return r;
    }
    s->n_clip++;
    return FA_OK;
}

static int same_names(int n, const char (*a)[8], const char (*b)[8]) { return n == 0 || memcmp(a, b, (size_t)n * 8) == 0; }

/* Makes the table from the first row's shape; a later row must have the same. */
static int fit_shape(struct fa_sheet *s, const struct fa_table_shape *p, struct fa_err *e)
{
    struct fa_table_shape *q = &s->shape;
    if (s->table) {
        if (p->n == q->n && p->n_eye == q->n_eye && p->m == q->m && p->n_r == q->n_r && p->n_c == q->n_c
            && same_names(p->n_r, p->name_r, q->name_r) && same_names(p->n_c, p->name_c, q->name_c))
            return FA_OK;
        return fa_fail(e, FA_E_FORMAT, "its faces have other columns than the first one (%d landmarks, %d of the eyes, %d modes, %d + %d AUs)",
                       p->n, p->n_eye, p->m, p->n_r, p->n_c);
    }
    int r = fa_table_open(&s->table, &s->form, p, e);
    if (r != FA_OK)
        return r;
    *q = *p;
    q->name_r = malloc((size_t)p->n_r * 8 + 1);
    q->name_c = malloc((size_t)p->n_c * 8 + 1);
    if (!q->name_r || !q->name_c) {
        drop_table(s);
        return no_memory(e);
    }
    if (p->n_r)
        memcpy((void *)q->name_r, p->name_r, (size_t)p->n_r * 8);
    if (p->n_c)
        memcpy((void *)q->name_c, p->name_c, (size_t)p->n_c * 8);
    return FA_OK;
}

static int put(struct fa_sheet *s, const char *line, size_t len, struct fa_err *e)
{
    if (!line)
        return no_memory(e);
    if (fwrite(line, 1, len, s->file.f) == len && (!s->line_buffered || fflush(s->file.f) == 0))
        return FA_OK;
    return fa_fail_errno(e, FA_E_IO, "%s", s->file.path ? s->file.path : "standard output");
}

int fa_sheet_row(struct fa_sheet *s, const struct fa_table_shape *shape, const struct fa_table_row *row, struct fa_err *e)
{
    size_t len;
    int r = fit_shape(s, shape, e);
    if (r == FA_OK && !s->file.f) {
        r = fa_out_open(&s->file, s->in_folder ? s->path : s->out, e);
        if (r == FA_OK && s->file.path)
            setvbuf(s->file.f, NULL, _IOFBF, BUFFER);
        if (r == FA_OK) {
            const char *line = fa_table_header(s->table, &len);
            r = put(s, line, len, e);
        }
    }
    if (r == FA_OK) {
        const char *line = fa_table_line(s->table, row, &len);
        r = put(s, line, len, e);
    }
    s->n_row += r == FA_OK;
    s->n_clip_row += r == FA_OK;
    s->n_success += r == FA_OK && row->success;
    s->confidence += r == FA_OK && row->success ? row->confidence : 0;
    return r;
}

/* X_of_details.txt beside the clip's X.csv. */
static int write_details(struct fa_sheet *s, struct fa_err *e)
{
    const char *csv = s->in_folder ? s->path : s->out, *slash = strrchr(csv, '/');
    unsigned groups = s->shape.n_c || s->shape.n_r ? s->form.groups : s->form.groups & ~(unsigned)FA_TABLE_AUS;
    if (s->shape.n && !s->shape.n_eye)
        groups &= ~(unsigned)FA_TABLE_GAZE;
    char *text = fa_table_details(s->input, s->camera, s->n_clip_row ? (slash ? slash + 1 : csv) : NULL, groups), *path = NULL;
    size_t n = strlen(csv);
    struct fa_out o = { 0 };
    n -= n > 4 && strcmp(csv + n - 4, ".csv") == 0 ? 4 : 0;
    if (!text || asprintf(&path, "%.*s_of_details.txt", (int)n, csv) < 0) {
        free(text);
        return no_memory(e);
    }
    int r = fa_out_open(&o, path, e);
    if (r == FA_OK) {
        fputs(text, o.f);
        r = fa_out_commit(&o, e);
    }
    free(path);
    free(text);
    return r;
}

int fa_sheet_story(struct fa_sheet *s, const struct fa_story *t, struct fa_err *e)
{
    if (!s->request)
        return FA_OK;
    if (!s->prov && !(s->prov = calloc(1, sizeof *s->prov)))
        return no_memory(e);
    struct fa_prov *p = s->prov;
    fa_prov_close(p);
    fa_prov_text(p, "fa-tools", FA_VERSION);
    fa_prov_text(p, "clip", t->input);
    int r = fa_prov_file(p, "clip", t->input, e);
    fa_prov_text(p, "request", s->request);
    fa_prov_stages(p, t->stages);
    fa_prov_number(p, "width", "%d", t->w);
    fa_prov_number(p, "height", "%d", t->h);
    fa_prov_number(p, "rotation", "%d", t->rotation);
    fa_prov_number(p, "fps", "%.6f", t->fps_den ? (double)t->fps_num / t->fps_den : 0.0);
    fa_prov_number(p, "true_times", "%d", t->true_times);
    fa_prov_number(p, "promised", "%llu", t->promised);
    fa_prov_number(p, "frames", "%llu", t->frames);
    fa_prov_number(p, "rows", "%zu", s->n_clip_row);
    fa_prov_number(p, "success", "%zu", s->n_success);
    fa_prov_number(p, "confidence", "%.6f", s->n_success ? s->confidence / (double)s->n_success : 0.0);
    fa_prov_number(p, "status", "%d", t->status);
    fa_prov_text(p, "stage", t->stage);
    fa_prov_text(p, "words", t->words);
    return r;
}

/* X.json beside X.csv, after that has its name: so a JSON's digest is always that of a complete CSV, or does not fit. */
static int write_story(struct fa_sheet *s, int ok, struct fa_err *e)
{
    const char *csv = s->in_folder ? s->path : s->out;
    char *path = fa_prov_path(csv);
    int r = path ? FA_OK : no_memory(e);
    if (ok && s->n_clip_row)
        r = r == FA_OK ? fa_prov_file(s->prov, "csv", csv, e) : r;
    fa_prov_number(s->prov, "seconds", "%.3f", fa_now() - s->since);
    fa_prov_machine(s->prov);
    r = r == FA_OK ? fa_prov_write(s->prov, path, e) : r;
    fa_prov_close(s->prov);
    free(path);
    return r;
}

static int finish(struct fa_sheet *s, int ok, struct fa_err *e)
{
    if (!s->file.f)
        return FA_OK;
    if (ok)
        return fa_out_commit(&s->file, e);
    fa_out_abandon(&s->file, s->n_row > 0);
    return FA_OK;
}

int fa_sheet_clip_end(struct fa_sheet *s, int ok, struct fa_err *e)
{
    int r = FA_OK;
    s->failed |= !ok;
    if (s->details && s->input)
        r = write_details(s, e);
    if (!s->in_folder)
        return r;
    struct fa_err *first = r == FA_OK ? e : NULL;
    int f = finish(s, ok, first);
    if (f == FA_OK && s->prov && s->prov->n)
        f = write_story(s, ok, first);
    s->n_row = 0;
    free(s->path);
    s->path = NULL;
    return r == FA_OK ? f : r;
}

int fa_sheet_close(struct fa_sheet *s, int ok, struct fa_err *e)
{
    const int whole = ok && !s->failed;
    int r = finish(s, whole, e);
    if (r == FA_OK && s->prov && s->prov->n && !s->in_folder)
        r = write_story(s, whole, e);
    if (s->prov)
        fa_prov_close(s->prov);
    free(s->prov);
    for (size_t i = 0; s->in_folder && i < s->n_clip; i++)
        free(s->done[i]);
    free(s->done);
    free(s->input);
    free(s->path);
    drop_table(s);
    return r;
}
