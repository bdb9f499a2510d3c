/* SPDX-License-Identifier: BSD-2-Clause
 * Which clips there are, and where the outputs of each go. Two clips that would write one file are found before anything runs. */
#include "fa_run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fa_file.h"
#include "fa_table.h"

static int no_memory(struct fa_err *e) { return fa_fail(e, FA_E_MEM, "out of memory"); }

/* Everything in a file (NULL and e filled: FA_E_INPUT, FA_E_MEM), NUL-terminated. */
static char *read_list(const char *path, size_t *len, struct fa_err *e)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    size_t n, cap = 0;
    char *text = NULL, *more;
    *len = 0;
    if (!f) {
        fa_fail_errno(e, FA_E_INPUT, "%s", path);
        return NULL;
    }
    do {
        if (cap - *len < 4096) {
            cap = cap ? 2 * cap : 65536;
            more = realloc(text, cap);
            if (!more) {
                no_memory(e);
                goto bad;
            }
            text = more;
        }
        n = fread(text + *len, 1, cap - *len - 1, f);
        *len += n;
    } while (n > 0);
    if (ferror(f)) {
        fa_fail_errno(e, FA_E_INPUT, "%s", path);
        goto bad;
    }
    if (f != stdin)
        fclose(f);
    text[*len] = '\0';
    return text;
bad:
    if (f != stdin)
        fclose(f);
    free(text);
    return NULL;
}

static int add_job(struct fa_jobs *jobs, int *cap, const char *input, struct fa_err *e)
{
    if (jobs->n == *cap) {
        struct fa_job *more = realloc(jobs->job, (size_t)(*cap ? 2 * *cap : 64) * sizeof *more);
        if (!more)
            return no_memory(e);
        jobs->job = more;
        *cap = *cap ? 2 * *cap : 64;
    }
    jobs->job[jobs->n++] = (struct fa_job){ .input = input };
    return FA_OK;
}

/* Cuts the list's text into names, in place; empty lines are none. */
static int add_list(struct fa_jobs *jobs, int *cap, size_t len, int nul, const char *path, struct fa_err *e)
{
    const char end = nul ? '\0' : '\n';
    int r = FA_OK;
    if (!nul && memchr(jobs->list, '\0', len))
        return fa_fail(e, FA_E_INPUT, "%s: a NUL in a list of lines: give -0 for a list that NULs cut", path);
    for (char *s = jobs->list, *stop = s + len; s < stop && r == FA_OK;) {
        char *next = memchr(s, end, (size_t)(stop - s));
        next = next ? next : stop;
        *next = '\0';
        if (*s)
            r = add_job(jobs, cap, s, e);
        s = next + 1;
    }
    return r;
}

static int is_sequence(const char *input)
{
    struct stat st;
    return stat(input, &st) == 0 ? S_ISDIR(st.st_mode) : strchr(input, '%') != NULL;
}

/* "sub/folder/NAME" for a clip below tree (root: its canonical path). Takes name. FA_E_ARG, FA_E_MEM. */
static int name_below(struct fa_job *job, char *name, const char *tree, const char *root, struct fa_err *e)
{
    char *folder = fa_path_beside(job->input, ""), *real;
    const size_t n = strlen(root);
    int r = FA_OK;
    if (!folder) {
        free(name);
        return no_memory(e);
    }
    real = realpath(folder, NULL);
    const char *rest = !real ? NULL : strcmp(root, "/") == 0 ? real + 1 : strncmp(real, root, n) == 0 && (real[n] == '/' || !real[n]) ? real + n + (real[n] == '/') : NULL;
    if (!real)                          /* the stages will say that it is not there */
        rest = "";
    if (!rest)
        r = fa_fail(e, FA_E_ARG, "%s: not below %s (--tree)", job->input, tree);
    else if (asprintf(&job->name, "%s%s%s", rest, *rest ? "/" : "", name) < 0) {
        job->name = NULL;
        r = no_memory(e);
    }
    free(folder);
    free(real);
    free(name);
    return r;
}

static int place(struct fa_jobs *jobs, struct fa_job *job, const char *tree, const char *root, struct fa_err *e)
{
    const char *out = jobs->out;
    char *name = fa_table_name(job->input, is_sequence(job->input));
    if (!name)
        return no_memory(e);
    if (root) {
        int r = name_below(job, name, tree, root, e);
        if (r != FA_OK)
            return r;
    } else {
        job->name = name;
    }
    if (!out)
        return FA_OK;
    int n = jobs->in_folder ? asprintf(&job->csv, "%s%s%s.csv", out, out[strlen(out) - 1] == '/' ? "" : "/", job->name) : asprintf(&job->csv, "%s", out);
    if (n < 0) {
        job->csv = NULL;
        return no_memory(e);
    }
    return FA_OK;
}

struct output { const char *csv; int job; };

static int by_csv(const void *a, const void *b)
{
    const struct output *x = a, *y = b;
    const int c = strcmp(x->csv, y->csv);
    return c ? c : x->job - y->job;
}

static int refuse_twins(const struct fa_jobs *jobs, const char *tree, struct fa_err *e)
{
    struct output *o = malloc((size_t)jobs->n * sizeof *o + 1);
    int r = FA_OK;
    if (!o)
        return no_memory(e);
    for (int i = 0; i < jobs->n; i++)
        o[i] = (struct output){ jobs->job[i].csv, i };
    qsort(o, (size_t)jobs->n, sizeof *o, by_csv);
    for (int i = 1; i < jobs->n && r == FA_OK; i++)
        if (strcmp(o[i - 1].csv, o[i].csv) == 0)
            r = fa_fail(e, FA_E_ARG, "'%s' and '%s' would both write %s%s", jobs->job[o[i - 1].job].input, jobs->job[o[i].job].input, o[i].csv,
                        tree ? "" : " (--tree keeps clips of one name in different folders apart)");
    free(o);
    return r;
}

int fa_jobs_open(struct fa_jobs *jobs, const char *const *inputs, int n_input, const char *list, int nul, const char *out, const char *tree,
                 struct fa_err *e)
{
    struct stat st;
    char *root = NULL;
    size_t len = 0;
    int cap = 0, r = FA_OK;
    *jobs = (struct fa_jobs){ .out = out, .tree = tree };
    for (int i = 0; i < n_input && r == FA_OK; i++)
        r = add_job(jobs, &cap, inputs[i], e);
    if (r == FA_OK && list)
        r = (jobs->list = read_list(list, &len, e)) ? add_list(jobs, &cap, len, nul, list, e) : e->code;
    if (r != FA_OK)
        return r;
    jobs->in_folder = out && (out[strlen(out) - 1] == '/' || (stat(out, &st) == 0 && S_ISDIR(st.st_mode)));
    if (jobs->n > 1 && !jobs->in_folder)
        return fa_fail(e, FA_E_ARG, "%d clips need -o DIR (an existing folder, or a name ending in /)", jobs->n);
    if (tree && !jobs->in_folder)
        return fa_fail(e, FA_E_ARG, "--tree needs -o DIR");
    if (tree && !(root = realpath(tree, NULL)))
        return fa_fail_errno(e, FA_E_ARG, "--tree %s", tree);
    for (int i = 0; i < jobs->n && r == FA_OK; i++)
        r = place(jobs, &jobs->job[i], tree, root, e);
    free(root);
    return r == FA_OK && jobs->in_folder ? refuse_twins(jobs, tree, e) : r;
}

void fa_jobs_close(struct fa_jobs *jobs)
{
    for (int i = 0; i < jobs->n; i++) {
        free(jobs->job[i].name);
        free(jobs->job[i].csv);
        free(jobs->job[i].reason);
    }
    free(jobs->job);
    free(jobs->list);
    *jobs = (struct fa_jobs){ 0 };
}

static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

/* Makes the folder of a file, and those above it. */
static int make_folder_of(const char *path, struct fa_err *e)
{
    char *folder = strndup(path, folder_len(path));
    int r = !folder ? no_memory(e) : *folder ? fa_mkdirs(folder, e) : FA_OK;
    if (r == FA_OK && *folder && access(folder, W_OK | X_OK) != 0)
        r = fa_fail_errno(e, FA_E_IO, "%s", folder);
    free(folder);
    return r;
}

int fa_jobs_folders(const struct fa_jobs *jobs, const struct fa_ask *ask, struct fa_err *e)
{
    int r = FA_OK;
    const char *hog = fa_ask_value(ask, "hog"), *last = NULL;
    for (int i = 0; i < jobs->n && r == FA_OK; i++) {
        const struct fa_job *job = &jobs->job[i];
        const size_t n = folder_len(job->name);
        char *path = NULL;
        if (last && n == folder_len(last) && strncmp(last, job->name, n) == 0)
            continue;
        last = job->name;
        if (jobs->in_folder)
            r = make_folder_of(job->csv, e);
        if (r == FA_OK && hog && asprintf(&path, "%s/%s", hog, job->name) < 0)
            return no_memory(e);
        if (path)
            r = make_folder_of(path, e);
        free(path);
    }
    return r;
}
