/* SPDX-License-Identifier: BSD-2-Clause
 * Options to command lines: see fa_stages.h. */
#include "fa_stages.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_segments.h"

const char *const fa_stage_name[FA_N_STAGE] = { "fa-decode", "fa-detect", "fa-landmarks", "fa-aus", "fa-csv" };

enum { D = 1 << FA_DECODE, T = 1 << FA_DETECT, L = 1 << FA_LANDMARKS, A = 1 << FA_AUS, C = 1 << FA_CSV };

static const struct fa_pass table[] = {
    { "model", "--model", 1, T | L | A, NULL, FA_NOT },          /* its hash counts, not its name */
    { "cfr", "--cfr", 0, D, NULL, FA_AS_IS },
    { "start", "--start", 1, D, NULL, FA_NUMBER },
    { "duration", "--duration", 1, D, NULL, FA_NUMBER },
    { "frames", "--frames", 1, D, NULL, FA_NUMBER },
    { "color", "--color", 1, D, NULL, FA_AS_IS },
    { "no-autorotate", "--no-autorotate", 0, D, NULL, FA_AS_IS },
    { "fx", "--fx", 1, D, NULL, FA_NUMBER },
    { "fy", "--fy", 1, D, NULL, FA_NUMBER },
    { "cx", "--cx", 1, D, NULL, FA_NUMBER },
    { "cy", "--cy", 1, D, NULL, FA_NUMBER },
    { "detect-all", "-a", 0, T, NULL, FA_AS_IS },
    { "detect-every", "-n", 1, T, NULL, FA_NUMBER },
    { "wild", "--wild", 0, L, NULL, FA_AS_IS },
    { "multi-view", "--multi-view", 0, L, NULL, FA_AS_IS },
    { "aligned", "--aligned", 1, L, "_aligned", FA_GIVEN },
    { "nomask", "--nomask", 0, L, NULL, FA_AS_IS },
    { "gray", "--gray", 0, L, NULL, FA_AS_IS },
    { "simscale", "--simscale", 1, L, NULL, FA_NUMBER },
    { "simsize", "--simsize", 1, L, NULL, FA_NUMBER },
    { "nobadaligned", "--nobadaligned", 0, L, NULL, FA_AS_IS },
    { "au-static", "--au-static", 0, A, NULL, FA_AS_IS },
    { "online", "--online", 0, A, NULL, FA_AS_IS },
    { "hog", "--hog", 1, A, ".hog", FA_GIVEN },
    { "median", "--median", 1, A, NULL, FA_CONTENTS },
    { "save-median", "--save-median", 1, A, NULL, FA_GIVEN },
    { "2Dfp", "-2Dfp", 0, C, NULL, FA_AS_IS },
    { "3Dfp", "-3Dfp", 0, C, NULL, FA_AS_IS },
    { "pdmparams", "-pdmparams", 0, C, NULL, FA_AS_IS },
    { "pose", "-pose", 0, C, NULL, FA_AS_IS },
    { "aus", "-aus", 0, C, NULL, FA_AS_IS },
    { "gaze", "-gaze", 0, C, NULL, FA_AS_IS },
    { "of21", "--of21", 0, C, NULL, FA_AS_IS },
    { "precision", "--precision", 1, C, NULL, FA_NUMBER },
    { "distance", "--distance", 0, C, NULL, FA_AS_IS },
    { "pts", "--pts", 0, C, NULL, FA_AS_IS },
    { "details", "--details", 0, C, NULL, FA_AS_IS },
    { "line-buffered", "--line-buffered", 0, C, NULL, FA_NOT },
};
_Static_assert(sizeof table / sizeof *table <= FA_PASS_MAX, "struct fa_ask has room for each");

const struct fa_pass *fa_pass_table(int *n)
{
    *n = (int)(sizeof table / sizeof *table);
    return table;
}

const char *fa_ask_value(const struct fa_ask *ask, const char *name)
{
    for (size_t k = 0; k < sizeof table / sizeof *table; k++)
        if (strcmp(table[k].name, name) == 0)
            return ask->value[k];
    return NULL;
}

void fa_args_add(struct fa_args *a, const char *word)
{
    char *copy = a->n < FA_ARGS_MAX ? strdup(word) : NULL;
    if (copy)
        a->v[a->n++] = copy;
    else
        a->failed = 1;
}

void fa_args_close(struct fa_args *a)
{
    for (int i = 0; i < a->n; i++)
        free(a->v[i]);
    *a = (struct fa_args){ 0 };
}

void fa_args_program(struct fa_args *a, const char *program)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 64);
    char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
    if (slash) {
        snprintf(slash + 1, 64, "%s", program);
        if (access(path, X_OK) == 0)
            program = path;
    }
    fa_args_add(a, program);
}

static void add_number(struct fa_args *a, const char *option, int v)
{
    char text[16];
    snprintf(text, sizeof text, "%d", v);
    fa_args_add(a, option);
    fa_args_add(a, text);
}

/* "FOLDER/NAME.suffix"; FOLDER may end in a slash. */
static void add_file_in(struct fa_args *a, const char *folder, const char *name, const char *suffix)
{
    const size_t n = strlen(folder);
    char *path = NULL;
    if (asprintf(&path, "%s%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name, suffix) < 0) {
        a->failed = 1;
        return;
    }
    fa_args_add(a, path);
    free(path);
}

void fa_stage_args(struct fa_args *a, enum fa_stage_no stage, const struct fa_ask *ask, const char *name)
{
    fa_args_program(a, fa_stage_name[stage]);
    if (stage == FA_DECODE)
        fa_args_add(a, "-S");                  /* where its output is a pipe, pixels stay where ffmpeg's went */
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        if (!(table[k].stages >> stage & 1) || !ask->value[k])
            continue;
        fa_args_add(a, table[k].to);
        if (table[k].suffix)
            add_file_in(a, ask->value[k], name, table[k].suffix);
        else if (table[k].arg)
            fa_args_add(a, ask->value[k]);
    }
    if (stage == FA_DETECT || stage == FA_LANDMARKS)
        add_number(a, "-t", ask->threads);
    if (stage == FA_DECODE && ask->decode_threads > 0)
        add_number(a, "--threads", ask->decode_threads);
    if (ask->node && stage != FA_CSV) {
        fa_args_add(a, "--node");
        fa_args_add(a, ask->node);
    }
    if (ask->level)
        fa_args_add(a, ask->level < 0 ? "-q" : "-v");
}

static void begin(struct fa_args *a, enum fa_stage_no stage, const struct fa_ask *ask, const char *name)
{
    *a = (struct fa_args){ 0 };
    fa_stage_args(a, stage, ask, name);
}

static void add_csv(struct fa_args *a, const char *csv, const char *request)
{
    if (csv) {
        fa_args_add(a, "-o");
        fa_args_add(a, csv);
    }
    if (csv && request) {
        fa_args_add(a, "--request");
        fa_args_add(a, request);
    }
}

void fa_clip_args(struct fa_args a[FA_N_STAGE], const struct fa_ask *ask, const char *input, const char *name, const char *csv, const char *request,
                  int report)
{
    for (int s = 0; s < FA_N_STAGE; s++)
        begin(&a[s], (enum fa_stage_no)s, ask, name);
    fa_args_add(&a[FA_DECODE], "--");
    fa_args_add(&a[FA_DECODE], input);
    if (report)
        add_number(&a[FA_LANDMARKS], "--progress-fd", 3);
    add_csv(&a[FA_CSV], csv, request);
}

static void add_seconds(struct fa_args *a, const char *option, double s)
{
    char text[40];
    if (s <= 0)
        return;
    snprintf(text, sizeof text, "%.3f", s);
    fa_args_add(a, option);
    fa_args_add(a, text);
}

void fa_segment_args(struct fa_args a[3], const struct fa_ask *ask, const char *input, const char *name, int k, int n)
{
    double start, duration;
    for (int s = FA_DECODE; s <= FA_LANDMARKS; s++)
        begin(&a[s], (enum fa_stage_no)s, ask, name);
    fa_segment_span(k, n, ask->segment_ms, &start, &duration);
    add_seconds(&a[FA_DECODE], "--start", start);
    add_seconds(&a[FA_DECODE], "--duration", duration);
    fa_args_add(&a[FA_DECODE], "--");
    fa_args_add(&a[FA_DECODE], input);
}

void fa_join_args(struct fa_args a[3], const struct fa_ask *ask, const char *name, const char *csv, const char *request)
{
    a[0] = (struct fa_args){ 0 };
    fa_args_program(&a[0], "fa-join");
    add_seconds(&a[0], "--segments", (double)ask->segment_ms / 1000);
    begin(&a[1], FA_AUS, ask, name);
    begin(&a[2], FA_CSV, ask, name);
    add_csv(&a[2], csv, request);
}

void fa_quote(FILE *f, const char *s)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%";
    const int lines = strpbrk(s, "\n\r\t") != NULL;
    if (*s && strspn(s, plain) == strlen(s)) {
        fputs(s, f);
        return;
    }
    fputs(lines ? "$'" : "'", f);
    for (; *s; s++)
        if (*s == '\'')
            fputs(lines ? "\\'" : "'\\''", f);
        else if (lines && *s == '\\')
            fputs("\\\\", f);
        else if (*s == '\n' || *s == '\r' || *s == '\t')
            fputs(*s == '\n' ? "\\n" : *s == '\r' ? "\\r" : "\\t", f);
        else
            fputc(*s, f);
    fputc('\'', f);
}

void fa_args_print(FILE *f, const struct fa_args *a, int n)
{
    for (int s = 0; s < n; s++) {
        if (s)
            fputs(" | ", f);
        for (int i = 0; i < a[s].n; i++) {
            if (i)
                fputc(' ', f);
            fa_quote(f, a[s].v[i]);
        }
    }
    fputc('\n', f);
}
