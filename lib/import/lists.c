/* SPDX-License-Identifier: BSD-2-Clause
 * The text files that say which files a model consists of (LM 1, detection 1.1, aus 1.1, 1.2): they become a plan, which
 * names every file once, in reading order, before a single weight is read. */
#include "import_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Helpers: paths and words ------------------------------------------------------------------------------------------ */

/* Directory part with its slash ("" if none), as length. */
static size_t dir_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

static char *join(const char *dir_of, const char *name)
{
    size_t d = dir_len(dir_of);
    char *r = malloc(d + strlen(name) + 1);
    if (r) {
        memcpy(r, dir_of, d);
        strcpy(r + d, name);
    }
    return r;
}

/* Adds a file named in the list `from` (-1: the path itself). Returns its index, -1 without memory. */
static int add_source(struct fa_plan *p, int from, const char *name, const char *label)
{
    if (p->n_source == p->cap) {
        int cap = p->cap ? 2 * p->cap : 64;
        struct fa_source *grown = realloc(p->source, (size_t)cap * sizeof *grown);
        if (!grown)
            return -1;
        p->source = grown;
        p->cap = cap;
    }
    struct fa_source s = { from < 0 ? strdup(name) : join(p->source[from].path, name), label ? strdup(label) : join(p->source[from].label, name) };
    p->source[p->n_source] = s;
    p->n_source++;
    return s.path && s.label ? p->n_source - 1 : -1;
}

/* The same, checked. A name that leaves the tree or cannot be printed is refused. */
static int name_source(struct fa_plan *p, struct fa_in *in, int from, const char *name)
{
    if (in->failed)
        return -1;
    if (!*name || strlen(name) > 512 || name[0] == '/')
        return fa_in_bad(in, "bad file name '%.60s'", name), -1;
    for (const char *s = name; *s; s++)
        if ((unsigned char)*s < ' ')
            return fa_in_bad(in, "bad file name '%.60s'", name), -1;
    if (p->n_source >= 512)
        return fa_in_bad(in, "too many files"), -1;
    int i = add_source(p, from, name, NULL);
    if (i < 0)
        fa_in_no_memory(in);
    return i;
}

/* Cuts the next white-space separated word off *s; NULL at the end of the line. */
static char *word(char **s)
{
    char *w = *s + strspn(*s, " \t"), *end = w + strcspn(w, " \t");
    if (!*w)
        return NULL;
    *s = *end ? end + 1 : end;
    *end = '\0';
    return w;
}

/* The rest of a line behind its keyword and one blank, without trailing blanks. */
static char *rest(char *s)
{
    size_t n = strlen(s);
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        s[--n] = '\0';
    return s;
}

static int open_list(struct fa_plan *p, struct fa_in *in, int list, struct fa_err *e)
{
    int r = fa_in_open(in, p->source[list].path, e);
    if (r == FA_OK && in->len > 1 << 20)
        fa_in_bad(in, "too long for a list");
    return r;
}

/* --- Landmark models ---------------------------------------------------------------------------------------------------- */

static void put(struct fa_in *in, const char *kind, int *list, int *n, int source)
{
    if (*n == IN_MAX_SCALES) {
        fa_in_bad(in, "more than %d files of %s", IN_MAX_SCALES, kind);
        return;
    }
    list[(*n)++] = source;
}

/* Fitting takes its windows by scale index (fit 1.1), so a main model that lacks a scale would run with the wrong ones: CE-CLM has
 * four, the others three or four (LM 1.3). Counted is the kind in force; parts have one or two and windows of their own. */
static void check_scales(struct fa_in *in, const struct fa_plan_model *m)
{
    if (m->n_cen && m->n_cen != 4)
        fa_in_bad(in, "PatchesCEN names %d scales, expected 4", m->n_cen);
    else if (!m->n_cen && m->n_ccnf && (m->n_ccnf < 3 || m->n_ccnf > 4))
        fa_in_bad(in, "PatchesCCNF names %d scales, expected 3 or 4", m->n_ccnf);
    else if (!m->n_cen && !m->n_ccnf && (m->n_svr < 3 || m->n_svr > 4))
        fa_in_bad(in, "PatchesIntensity names %d scales, expected 3 or 4", m->n_svr);
}

/* Second-level list: PDM and patch experts. */
static int read_model(struct fa_plan *p, struct fa_plan_model *m, int list, int is_part, struct fa_err *e)
{
    struct fa_in in;
    *m = (struct fa_plan_model){ .pdm = -1, .early = -1 };
    open_list(p, &in, list, e);
    for (char *line; (line = fa_in_line(&in)) != NULL; free(line)) {
        char *s = line, *key = word(&s);
        if (!key)
            continue;
        char *name = rest(s);
        if (strcmp(key, "PDM") == 0)
            m->pdm = name_source(p, &in, list, name);
        else if (strcmp(key, "PatchesIntensity") == 0)
            put(&in, key, m->svr, &m->n_svr, name_source(p, &in, list, name));
        else if (strcmp(key, "PatchesCCNF") == 0)
            put(&in, key, m->ccnf, &m->n_ccnf, name_source(p, &in, list, name));
        else if (strcmp(key, "PatchesCEN") == 0)
            put(&in, key, m->cen, &m->n_cen, name_source(p, &in, list, name));
        else if (strcmp(key, "EarlyTermination") == 0)
            m->early = name_source(p, &in, list, name);
    }
    if (!in.failed && m->pdm < 0)
        fa_in_bad(&in, "no PDM named");
    /* They are not in OpenFace's repository: the usual reason why one is missing. */
    for (int i = 0; i < m->n_cen && !in.failed; i++)
        if (access(p->source[m->cen[i]].path, R_OK) != 0)
            fa_in_bad(&in, "no %s here: 'fa-models get ceclm' fetches it, 'fa-models import FILE' takes a copy", p->source[m->cen[i]].path);
    if (!in.failed && !m->n_svr && !m->n_ccnf && !m->n_cen)
        fa_in_bad(&in, "no patch experts named");
    if (!in.failed && !is_part)
        check_scales(&in, m);
    return fa_in_close(&in);
}

/* "main part" pairs of landmark numbers up to the end of the line. */
static void read_pairs(struct fa_in *in, struct fa_plan_part *part, char *s)
{
    for (char *w; (w = word(&s)) != NULL;) {
        char *x = word(&s), *end0, *end1;
        if (!x || part->n_pair == IN_MAX_POINTS) {
            fa_in_bad(in, x ? "too many pairs" : "a landmark number without its partner");
            return;
        }
        long a = strtol(w, &end0, 10), c = strtol(x, &end1, 10);
        if (*end0 || *end1 || a < 0 || c < 0 || a >= IN_MAX_POINTS || c >= IN_MAX_POINTS) {
            fa_in_bad(in, "bad pair of landmarks '%s %s'", w, x);
            return;
        }
        part->pair[part->n_pair][0] = (int32_t)a;
        part->pair[part->n_pair++][1] = (int32_t)c;
    }
}

static int read_main(struct fa_plan *p, struct fa_plan_model *m, int list, int is_part, struct fa_err *e)
{
    struct fa_in in;
    int second = -1, part_list[IN_MAX_PARTS] = { 0 }, r;
    open_list(p, &in, list, e);
    for (char *line; (line = fa_in_line(&in)) != NULL; free(line)) {
        char *s = line, *key = word(&s), *name = key ? word(&s) : NULL;
        if (!name)
            continue;
        if (strcmp(key, "LandmarkDetector") == 0) {
            second = name_source(p, &in, list, name);
        } else if (strcmp(key, "LandmarkDetector_part") == 0) {
            char *called = word(&s);
            if (is_part || p->n_part == IN_MAX_PARTS || !called || strlen(called) >= sizeof p->part[0].name) {
                fa_in_bad(&in, is_part ? "a part with parts of its own" : "bad part line (or more than %d)", IN_MAX_PARTS);
                continue;
            }
            struct fa_plan_part *part = &p->part[p->n_part];
            part_list[p->n_part++] = name_source(p, &in, list, name);
            strcpy(part->name, called);
            read_pairs(&in, part, s);
        } else if (strcmp(key, "DetectionValidator") == 0 && !is_part) {
            p->validator = name_source(p, &in, list, name);
        }
    }
    if (!in.failed && second < 0)
        fa_in_bad(&in, "no LandmarkDetector line: not an OpenFace model list");
    r = fa_in_close(&in);
    if (r == FA_OK)
        r = read_model(p, m, second, is_part, e);
    for (int i = 0; r == FA_OK && !is_part && i < p->n_part; i++)
        r = read_main(p, &p->part[i].model, part_list[i], 1, e);
    return r;
}

/* --- What stands around the landmark model: detector and action units --------------------------------------------------- */

/* Path of `name` in the folder of the main list, else in that of the model folder which holds the PDM (a list may stand outside of
 * OpenFace's tree and point into it): a readable file, or NULL and remembered as absent. */
static char *look_for(struct fa_plan *p, const char *name)
{
    char *path = join(p->source[0].path, name);
    if (path && access(path, R_OK) == 0)
        return path;
    char *above = fa_text("../%s", name), *other = above && p->main.pdm >= 0 ? join(p->source[p->main.pdm].path, above) : NULL;
    free(above);
    if (other && access(other, R_OK) == 0) {
        free(path);
        return other;
    }
    free(other);
    if (path && p->n_absent < (int)(sizeof p->absent / sizeof *p->absent))
        p->absent[p->n_absent++] = path;
    else
        free(path);
    return NULL;
}

static int read_detector(struct fa_plan *p, struct fa_err *e)
{
    static const char *const net[3] = { "PNet", "RNet", "ONet" };
    char *path = look_for(p, "mtcnn_detector/MTCNN_detector.txt");
    if (!path)
        return FA_OK;
    int list = add_source(p, -1, path, "mtcnn_detector/MTCNN_detector.txt");
    free(path);
    if (list < 0)
        return fa_fail(e, FA_E_MEM, "out of memory");
    struct fa_in in;
    open_list(p, &in, list, e);
    for (char *line; (line = fa_in_line(&in)) != NULL; free(line)) {
        char *s = line, *key = word(&s), *name = key ? word(&s) : NULL;
        for (int i = 0; name && i < 3; i++)
            if (strcmp(key, net[i]) == 0)
                p->net[i] = name_source(p, &in, list, name);
    }
    for (int i = 0; i < 3; i++)
        if (!in.failed && p->net[i] < 0)
            fa_in_bad(&in, "no %s named", net[i]);
    return fa_in_close(&in);
}

static int read_predictors(struct fa_plan *p, struct fa_plan_au *au, int list, struct fa_err *e)
{
    struct fa_in in;
    open_list(p, &in, list, e);
    for (char *line; (line = fa_in_line(&in)) != NULL; free(line)) {
        char *s = line, *file = word(&s), *name = file ? rest(s) : NULL;
        if (!file)
            continue;
        if (!*name || strlen(name) >= sizeof au->name[0] || strchr(name, ','))
            fa_in_bad(&in, "'%.20s': one action unit's name expected", name);
        else if (au->n == 2 * IN_MAX_AUS)
            fa_in_bad(&in, "too many predictors");
        else {
            strcpy(au->name[au->n], name);
            au->file[au->n++] = name_source(p, &in, list, file);
        }
    }
    if (!in.failed && au->n == 0)
        fa_in_bad(&in, "no predictors named");
    return fa_in_close(&in);
}

/* The repository's place of the lists, then that of an installed OpenFace (AU_predictors beside model). */
static int read_action_units(struct fa_plan *p, struct fa_err *e)
{
    static const char *const place[2] = { "../../FaceAnalyser/AU_predictors", "../AU_predictors" };
    static const char *const main_name[2] = { "main_dynamic_svms.txt", "main_static_svms.txt" };
    int r = FA_OK;
    for (int s = 0; s < 2 && r == FA_OK; s++) {
        char name[128], label[128], *path = NULL;
        for (int k = 0; k < 2 && !path; k++) {
            snprintf(name, sizeof name, "%s/%s", place[k], main_name[s]);
            path = look_for(p, name);
        }
        if (!path)
            continue;
        snprintf(label, sizeof label, "AU_predictors/%s", main_name[s]);
        int list = add_source(p, -1, path, label), predictors = -1;
        free(path);
        if (list < 0)
            return fa_fail(e, FA_E_MEM, "out of memory");
        struct fa_in in;
        open_list(p, &in, list, e);
        for (char *line; (line = fa_in_line(&in)) != NULL; free(line)) {
            char *t = line, *key = word(&t), *file = key ? rest(t) : NULL;
            if (!key)
                continue;
            if (strcmp(key, "AUPredictor") == 0)
                predictors = name_source(p, &in, list, file);
            else if (strcmp(key, "PDM") == 0 && p->au_pdm < 0)
                p->au_pdm = name_source(p, &in, list, file);
            else if (strcmp(key, "Triangulation") == 0 && p->au_triangles < 0)
                p->au_triangles = name_source(p, &in, list, file);
        }
        if (!in.failed && (predictors < 0 || p->au_pdm < 0 || p->au_triangles < 0))
            fa_in_bad(&in, "AUPredictor, PDM or Triangulation not named");
        r = fa_in_close(&in);
        if (r == FA_OK)
            r = read_predictors(p, &p->au[s], predictors, e);
    }
    return r;
}

/* --- The whole ---------------------------------------------------------------------------------------------------------- */

int fa_plan_read(struct fa_plan *p, const char *main_list, struct fa_err *e)
{
    const char *base = main_list + dir_len(main_list);
    *p = (struct fa_plan){ .validator = -1, .net = { -1, -1, -1 }, .au_pdm = -1, .au_triangles = -1 };
    size_t n = strlen(base);
    if (n > 4 && strcmp(base + n - 4, ".txt") == 0)
        n -= 4;
    if (n == 0 || n >= sizeof p->stem)
        return fa_fail(e, FA_E_MODEL, "%s: bad name of a model list", main_list);
    memcpy(p->stem, base, n);
    if (add_source(p, -1, main_list, base) < 0)
        return fa_fail(e, FA_E_MEM, "out of memory");
    int r = read_main(p, &p->main, 0, 0, e);
    if (r == FA_OK)
        r = read_detector(p, e);
    if (r == FA_OK)
        r = read_action_units(p, e);
    return r;
}

void fa_plan_free(struct fa_plan *p)
{
    for (int i = 0; i < p->n_source; i++) {
        free(p->source[i].path);
        free(p->source[i].label);
    }
    for (int i = 0; i < p->n_absent; i++)
        free(p->absent[i]);
    free(p->source);
    *p = (struct fa_plan){ 0 };
}
