/* SPDX-License-Identifier: BSD-2-Clause
 * A folder of outputs against a folder of golds. */
#include "fa_compare.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int shown(const struct dirent *d) { return d->d_name[0] != '.'; }
static int by_bytes(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void free_list(struct dirent **list, int n)
{
    for (int i = 0; i < n; i++)
        free(list[i]);
    free(list);
}

/* Length of KIND in KIND.csv.zst; 0 for any other name, and for KIND.hp.csv.zst. */
static int kind_length(const char *name)
{
    size_t n = strlen(name), m = strlen(".csv.zst");
    if (n <= m || strcmp(name + n - m, ".csv.zst") != 0)
        return 0;
    n -= m;
    return n >= 3 && strncmp(name + n - 3, ".hp", 3) == 0 ? 0 : (int)n;
}

/* The output that belongs to a gold: the first that exists. */
static int find_output(char *path, size_t size, const char *dir, const char *clip, const char *kind)
{
    static const char *const ending[] = { ".csv", ".csv.zst" };
    const int ways = strcmp(kind, "clnf") == 0 ? 2 : 1;
    for (int flat = 0; flat < ways; flat++)
        for (int i = 0; i < 2; i++) {
            snprintf(path, size, "%s/%s%s%s%s", dir, clip, flat ? "" : "/", flat ? "" : kind, ending[i]);
            if (access(path, F_OK) == 0)
                return 1;
        }
    return 0;
}

static int one_gold(const char *gold_path, const char *new_path, const char *name, fa_gold_done *done, void *self, struct fa_err *e)
{
    struct fa_csv ref = { 0 }, new = { 0 };
    struct fa_cmp cmp = { 0 };
    struct fa_noise noise = { 0 };
    struct fa_fails fails = { 0 };
    int r = FA_OK;
    if (!new_path)
        r = fa_fails_add(&fails, "no output found");
    else if ((r = fa_csv_read(&ref, gold_path, e)) == FA_OK && (r = fa_csv_read(&new, new_path, e)) == FA_OK
             && (r = fa_compare(&cmp, &ref, &new, e)) == FA_OK && (r = fa_noise_read(&noise, gold_path, e)) == FA_OK)
        r = fa_gate(&fails, &cmp, &noise, 1, e);
    if (r < 0 && fa_err_status(r) == 1)
        r = fa_fails_add(&fails, "%s", e->text);        /* an unreadable output is that clip's fail, not the end */
    if (r == FA_OK)
        done(self, name, new_path ? &cmp : NULL, &fails);
    fa_csv_close(&ref);
    fa_csv_close(&new);
    fa_cmp_close(&cmp);
    fa_noise_close(&noise);
    fa_fails_close(&fails);
    return r;
}

static int one_clip(const char *gold, const char *clip, const char *dir, fa_gold_done *done, void *self, int *n, struct fa_err *e)
{
    char folder[4096], gold_path[4400], new_path[4400], name[600], kind[256];
    struct dirent **file;
    struct stat st;
    int r = FA_OK;
    snprintf(folder, sizeof folder, "%s/%s", gold, clip);
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
        return FA_OK;
    int n_file = scandir(folder, &file, shown, by_bytes);
    if (n_file < 0)
        return fa_fail_errno(e, FA_E_INPUT, "%s", folder);
    for (int i = 0; r == FA_OK && i < n_file; i++) {
        int len = kind_length(file[i]->d_name);
        if (len == 0)
            continue;
        snprintf(kind, sizeof kind, "%.*s", len, file[i]->d_name);
        snprintf(gold_path, sizeof gold_path, "%s/%s", folder, file[i]->d_name);
        snprintf(name, sizeof name, "%s/%s", clip, kind);
        int found = find_output(new_path, sizeof new_path, dir, clip, kind);
        r = one_gold(gold_path, found ? new_path : NULL, name, done, self, e);
        ++*n;
    }
    free_list(file, n_file);
    return r;
}

int fa_gold_gate(const char *gold, const char *dir, fa_gold_done *done, void *self, int *n, struct fa_err *e)
{
    struct dirent **clip;
    int r = FA_OK, n_clip = scandir(gold, &clip, shown, by_bytes);
    *n = 0;
    if (n_clip < 0)
        return fa_fail_errno(e, FA_E_INPUT, "%s", gold);
    for (int i = 0; r == FA_OK && i < n_clip; i++)
        r = one_clip(gold, clip[i]->d_name, dir, done, self, n, e);
    free_list(clip, n_clip);
    return r;
}
