/* SPDX-License-Identifier: BSD-2-Clause
 * How a program finds its model: a name, a pack, a list or a folder (fa_import.h). */
#include "import_internal.h"
#include "fa_import.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fa_shm.h"

/* OpenFace's default where its patch experts are there, else what the repository alone can give, else what came with the program. */
static const char first_choice[] = "ceclm", fallback[] = "clnf", starter[] = "starter";

#ifndef FA_DATADIR
#define FA_DATADIR "/usr/local/share/fa-tools"
#endif

static int is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A pack is known by its first bytes, whatever it is called. */
static int open_file(struct fa_pack *p, const char *path, struct fa_err *e)
{
    struct fa_map m;
    if (fa_map_open(&m, path, e) != FA_OK) {
        if (e->code == FA_E_INPUT)
            e->code = FA_E_MODEL;
        return e->code;
    }
    int pack = m.len >= 8 && memcmp(m.data, "FAMODEL\n", 8) == 0;
    fa_map_close(&m);
    return pack ? fa_shm_open(p, path, e) : fa_model_open_list(p, path, NULL, e);
}

/* Opens DIR/NAME if it is there. 0: it is not; 1: *r is the result. */
static int try_file(struct fa_pack *p, const char *dir, const char *name, int *r, struct fa_err *e)
{
    char *path = fa_text("%s/%s", dir, name);
    int there = path && is_file(path);
    if (there)
        *r = open_file(p, path, e);
    free(path);
    return there;
}

/* STEM-*.pack in a folder, if it is the only one. 0, 1 as above. */
static int try_glob(struct fa_pack *p, const char *dir, const char *stem, int *r, struct fa_err *e)
{
    glob_t g;
    int found = 0;
    char *pattern = fa_text("%s/%s-????????????????.pack", dir, stem);
    if (pattern && glob(pattern, 0, NULL, &g) == 0) {
        found = g.gl_pathc > 0;
        if (g.gl_pathc == 1)
            *r = open_file(p, g.gl_pathv[0], e);
        else if (found)
            *r = fa_fail(e, FA_E_MODEL, "%s: %zu packs of %s: name one of them", dir, g.gl_pathc, stem);
        globfree(&g);
    }
    free(pattern);
    return found;
}

/* Where OpenFace's trees and our store have the lists. */
static const char *const place[] = { "", "model/", "LandmarkDetector/model/", "lib/local/LandmarkDetector/model/",
                                     "originals/lib/local/LandmarkDetector/model/", "2.2.0/originals/lib/local/LandmarkDetector/model/" };
enum { N_PLACE = sizeof place / sizeof *place };

/* A set in a folder: SET.pack, STEM.pack, STEM-HASH.pack, or its list where OpenFace's trees and our store have it. */
static int try_dir(struct fa_pack *p, const char *dir, const char *set, int *r, struct fa_err *e)
{
    const char *list = fa_set_list(set), *base = strrchr(list, '/') + 1;
    char *stem = strndup(base, strlen(base) - 4), *a = fa_text("%s.pack", set), *b = stem ? fa_text("%s.pack", stem) : NULL;
    int found = a && b && (try_file(p, dir, a, r, e) || try_file(p, dir, b, r, e) || try_glob(p, dir, stem, r, e));
    for (size_t i = 0; !found && i < N_PLACE; i++) {
        char *name = fa_text("%s%s", place[i], base);
        found = name && try_file(p, dir, name, r, e);
        free(name);
    }
    free(stem);
    free(a);
    free(b);
    return found;
}

static int any_pack(const char *dir, const char *stem)
{
    char *pattern = fa_text("%s/%s*.pack", dir, stem);
    int found = 0;
    glob_t g;
    if (pattern && glob(pattern, 0, NULL, &g) == 0) {
        found = g.gl_pathc > 0;
        globfree(&g);
    }
    free(pattern);
    return found;
}

/* Are the four CEN files in the model folder dir/below? */
static int has_experts(const char *dir, const char *below)
{
    static const char *const scale[] = { "0.25", "0.35", "0.50", "1.00" };
    int n = 0;
    for (int i = 0; i < 4; i++) {
        char *path = fa_text("%s/%spatch_experts/cen_patches_%s_of.dat", dir, below, scale[i]);
        n += path && is_file(path);
        free(path);
    }
    return n == 4;
}

/* Our own set, where it was installed (beside the program's folder, or as configured) or lies in the source tree that the program
 * was built in. Fresh memory, or NULL. */
static char *starter_pack(void)
{
    static const char *const near_program[] = { "../share/fa-tools/starter.pack", "../../models/starter/starter.pack" };
    char exe[4096];
    const ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n > 0) {
        exe[n] = '\0';
        *strrchr(exe, '/') = '\0';
        for (size_t i = 0; i < sizeof near_program / sizeof *near_program; i++) {
            char *path = fa_text("%s/%s", exe, near_program[i]);
            if (path && is_file(path))
                return path;
            free(path);
        }
    }
    return is_file(FA_DATADIR "/starter.pack") ? strdup(FA_DATADIR "/starter.pack") : NULL;
}

/* Is the list of a set in the store? */
static int in_store(const struct fa_store *s, const char *set)
{
    char *path = fa_text("%s/%s", s->originals, fa_set_list(set));
    const int there = path && is_file(path);
    free(path);
    return there;
}

/* The set to use when none is named: in a folder (NULL: only the store). */
static const char *choose_set(const char *folder)
{
    struct fa_store s;
    if (folder) {
        if (any_pack(folder, "ceclm") || any_pack(folder, "main_ceclm_general"))
            return first_choice;
        for (size_t i = 0; i < N_PLACE; i++)
            if (has_experts(folder, place[i]))
                return first_choice;
        return fallback;
    }
    const int store = fa_store_open(&s, NULL) == FA_OK;
    const char *set = store && has_experts(s.originals, "lib/local/LandmarkDetector/model/") ? first_choice : fallback;
    if (set == fallback && !(store && in_store(&s, fallback))) {
        char *path = starter_pack();
        set = path ? starter : fallback;
        free(path);
    }
    if (store)
        fa_store_close(&s);
    return set;
}

const char *fa_model_fallback(const char *model)
{
    const char *env = getenv("FA_MODELS");
    if (model && *model)
        return NULL;
    if (env && *env && !is_dir(env))
        return NULL;                   /* a set's name, a pack or a list */
    const char *set = choose_set(env && *env ? env : NULL);
    return set == first_choice ? NULL : set;
}

const char *fa_model_fallback_note(const char *set)
{
    return strcmp(set, starter) == 0
               ? "no OpenFace models are installed: using the starter set, which is less exact (CC BY-NC 4.0; OpenFace's: fa-models get)"
               : "using the model clnf: OpenFace's default, ceclm, is not installed (fa-models get ceclm)";
}

static int open_starter(struct fa_pack *p, const char *folder, struct fa_err *e)
{
    int r = FA_OK;
    if (folder && try_file(p, folder, "starter.pack", &r, e))
        return r;
    char *path = starter_pack();
    r = path ? open_file(p, path, e) : fa_fail(e, FA_E_MODEL, "the starter set is neither in " FA_DATADIR " nor beside the program");
    free(path);
    return r;
}

static int open_set(struct fa_pack *p, const char *set, const char *folder, struct fa_err *e)
{
    struct fa_store s;
    int r = FA_OK;
    if (strcmp(set, starter) == 0)
        return open_starter(p, folder, e);
    if (folder && try_dir(p, folder, set, &r, e))
        return r;
    if ((r = fa_store_open(&s, e)) != FA_OK)
        return r;
    if (!try_file(p, s.originals, fa_set_list(set), &r, e))
        r = fa_fail(e, FA_E_MODEL, "model set '%s' is not installed: run 'fa-models get %s', or 'fa-models import DIR' with an OpenFace folder "
                                   "(looked in %s%s%s)", set, set, folder ? folder : "", folder ? " and " : "", s.originals);
    fa_store_close(&s);
    return r;
}

static int open_path(struct fa_pack *p, const char *path, const char *set, struct fa_err *e)
{
    int r = FA_OK;
    if (!is_dir(path))
        return open_file(p, path, e);
    if (try_dir(p, path, set, &r, e))
        return r;
    return fa_fail(e, FA_E_MODEL, "%s: holds neither a pack nor an OpenFace tree with the set '%s'", path, set);
}

static int is_set(const char *name) { return strcmp(name, starter) == 0 || fa_set_list(name); }

int fa_model_open(struct fa_pack *p, const char *model, struct fa_err *e)
{
    struct fa_err own = { 0 };
    const char *env = getenv("FA_MODELS");
    if (!e)
        e = &own;
    *p = (struct fa_pack){ 0 };
    if (env && !*env)
        env = NULL;
    if (!model || !*model) {
        if (!env)
            return open_set(p, choose_set(NULL), NULL, e);
        int r = is_set(env) ? open_set(p, env, NULL, e) : open_path(p, env, choose_set(env), e);
        return r == FA_OK ? r : fa_err_prefix(e, "FA_MODELS");
    }
    if (is_set(model))
        return open_set(p, model, env && is_dir(env) ? env : NULL, e);
    if (access(model, F_OK) != 0 && !strchr(model, '/'))
        return fa_fail(e, FA_E_MODEL, "'%s' is neither a file nor a model set (ceclm, clnf, clm, starter)", model);
    return open_path(p, model, choose_set(model), e);
}
