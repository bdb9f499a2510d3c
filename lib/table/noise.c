/* SPDX-License-Identifier: BSD-2-Clause
 * The known noise of a gold's AU presences, from meta.json beside it. Only as much JSON as that needs: the text is walked once, its
 * syntax checked, and numbers at runs.KIND.rounding_noise_AU_c_rows are kept. */
#include "fa_compare.h"

#include <stdlib.h>
#include <string.h>

#include "fa_file.h"

enum { MAX_DEPTH = 32, MAX_META = 1 << 20 };

struct walk { const char *s, *kind; struct fa_noise *noise; int bad, no_memory, found; };

static void blanks(struct walk *w) { w->s += strspn(w->s, " \t\r\n"); }

static int take(struct walk *w, char c)
{
    blanks(w);
    if (*w->s != c)
        return 0;
    w->s++;
    return 1;
}

/* A string into out (cut at its size; escapes other than of the next character are kept as they are: no name of ours has any). */
static void string(struct walk *w, char *out, size_t size)
{
    size_t n = 0;
    if (!take(w, '"')) {
        w->bad = 1;
        return;
    }
    for (; *w->s && *w->s != '"'; w->s++) {
        if (*w->s == '\\' && *++w->s == '\0')
            break;
        if (n + 1 < size)
            out[n++] = *w->s;
    }
    if (size)
        out[n] = '\0';
    if (!take(w, '"'))
        w->bad = 1;
}

static void keep(struct walk *w, const char *name, double rows)
{
    struct fa_noise *a = w->noise;
    void *p = realloc(a->au, (size_t)(a->n + 1) * sizeof *a->au);
    if (!p) {
        w->no_memory = 1;
        return;
    }
    a->au = p;
    strcpy(a->au[a->n].name, name);
    a->au[a->n++].rows = rows;
}

/* level: how many parts of the path this value's object has matched; -1: beside the path. */
static void value(struct walk *w, int level, int depth, const char *name)
{
    const char *const path[] = { "runs", w->kind, "rounding_noise_AU_c_rows" };
    blanks(w);
    if (depth > MAX_DEPTH) {
        w->bad = 1;
    } else if (*w->s == '"') {
        string(w, NULL, 0);
    } else if (*w->s == '{' || *w->s == '[') {
        const int object = *w->s++ == '{';
        const char close = object ? '}' : ']';
        w->found |= object && level == 3;
        if (take(w, close))
            return;
        do {
            char key[FA_CSV_NAME] = "";
            if (object) {
                string(w, key, sizeof key);
                w->bad |= !take(w, ':');
            }
            int on = object && level >= 0 && level < 3 && strcmp(key, path[level]) == 0 ? level + 1 : object && level == 3 ? 4 : -1;
            if (!w->bad && !w->no_memory)
                value(w, on, depth + 1, key);
        } while (!w->bad && !w->no_memory && take(w, ','));
        w->bad |= !take(w, close);
    } else if (strncmp(w->s, "true", 4) == 0 || strncmp(w->s, "null", 4) == 0) {
        w->s += 4;
    } else if (strncmp(w->s, "false", 5) == 0) {
        w->s += 5;
    } else {
        size_t n = strspn(w->s, "+-.0123456789eE");
        char *end;
        double x = strtod(w->s, &end);
        w->bad |= n == 0 || end != w->s + n;
        w->s += n;
        if (!w->bad && level == 4)
            keep(w, name, x);
    }
}

int fa_noise_parse(struct fa_noise *noise, const char *json, const char *kind)
{
    struct walk w = { .s = json, .kind = kind, .noise = noise };
    *noise = (struct fa_noise){ 0 };
    value(&w, 0, 0, "");
    blanks(&w);
    if (w.bad || w.no_memory || *w.s)
        fa_noise_close(noise);
    return w.no_memory ? -1 : w.found && !w.bad && !*w.s;
}

int fa_noise_read(struct fa_noise *noise, const char *ref_path, struct fa_err *e)
{
    struct fa_err ignored;
    const char *slash = strrchr(ref_path, '/'), *base = slash ? slash + 1 : ref_path;
    char *kind = strndup(base, strcspn(base, ".")), *path = fa_path_beside(ref_path, "meta.json"), *text = NULL;
    size_t len;
    int r = FA_OK;
    *noise = (struct fa_noise){ 0 };
    if (!kind || !path)
        r = fa_fail(e, FA_E_MEM, "out of memory");
    else if (fa_text_read(&text, &len, path, MAX_META, &ignored) == FA_OK && fa_noise_parse(noise, text, kind) < 0)
        r = fa_fail(e, FA_E_MEM, "out of memory");
    free(kind);
    free(path);
    free(text);
    return r;
}

void fa_noise_close(struct fa_noise *noise)
{
    free(noise->au);
    *noise = (struct fa_noise){ 0 };
}
