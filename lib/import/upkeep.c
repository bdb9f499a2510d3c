/* SPDX-License-Identifier: BSD-2-Clause
 * Upkeep of the store, over all files of a set or a tree and over all packs: what fa-models does. */
#include "import_internal.h"
#include "fa_import.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* One writer at a time. A descriptor to close, or -1. */
static int lock_store(const struct fa_store *s, struct fa_err *e)
{
    if (fa_mkdirs(s->root, e) != FA_OK)
        return -1;
    char *path = fa_text("%s/lock", s->root);
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        fa_fail_errno(e, FA_E_IO, "%s/lock", s->root);
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    free(path);
    return fd;
}

static int is_there(enum fa_file_state st)
{
    return st == FA_FILE_RIGHT || st == FA_FILE_ACCEPTED;
}

void fa_store_count(const struct fa_store *s, const char *set, int *there, int *all, long long *bytes)
{
    int n;
    char hex[65];
    const struct fa_model_file *f = fa_model_files(&n);
    *there = *all = 0;
    *bytes = 0;
    for (int i = 0; i < n; i++)
        if (fa_model_file_in_set(&f[i], set)) {
            ++*all;
            *bytes += f[i].size;
            *there += is_there(fa_model_file_state(s, &f[i], hex));
        }
}

void fa_store_files(const struct fa_store *s, const char *set, fa_store_report *report, void *self)
{
    int n;
    const struct fa_model_file *f = fa_model_files(&n);
    for (int i = 0; i < n; i++) {
        char hex[65];
        struct fa_err e = { 0 };
        if (set && !fa_model_file_in_set(&f[i], set))
            continue;
        struct fa_store_event ev = { f[i].path, &f[i], NULL, fa_model_file_state(s, &f[i], hex), &e };
        if (ev.state == FA_FILE_DIFFERS)
            fa_fail(&e, FA_E_MODEL, "%s: SHA-256 %s, listed %s", f[i].path, hex, f[i].sha256);
        report(self, &ev);
    }
}

static int is_pack(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 5 && strcmp(d->d_name + n - 5, ".pack") == 0;
}

void fa_store_pack(const char *path, int check, fa_store_report *report, void *self)
{
    struct fa_pack p = { 0 };
    struct fa_err e = { 0 };
    if (fa_pack_open(&p, path, &e) == FA_OK && check && fa_pack_verify(&p, &e) != FA_OK)
        fa_err_prefix(&e, "%s", path);
    struct fa_store_event ev = { path, NULL, &p, FA_FILE_RIGHT, &e };
    report(self, &ev);
    fa_pack_close(&p);
}

void fa_store_packs(const struct fa_store *s, int check, fa_store_report *report, void *self)
{
    struct dirent **d;
    int n = scandir(s->packs, &d, is_pack, alphasort);
    for (int i = 0; i < n; i++) {
        char *path = fa_text("%s/%s", s->packs, d[i]->d_name);
        if (path)
            fa_store_pack(path, check, report, self);
        free(path);
        free(d[i]);
    }
    if (n >= 0)
        free(d);
}

/* --- Import ------------------------------------------------------------------------------------------------------------- */

/* Where a tree of any layout below dir, or dir itself, has this file: fresh memory, or NULL. */
static char *find(const struct fa_model_file *f, const char *dir)
{
    /* Prefixes that a layout lacks: none (repository), build or installed trees, the two model folders themselves. */
    static const char *const lacks[] = { "", "lib/local/", "lib/local/LandmarkDetector/", "lib/local/FaceAnalyser/", "lib/local/LandmarkDetector/model/",
                                         "lib/local/FaceAnalyser/AU_predictors/" };
    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) {
        size_t n = strlen(lacks[i]);
        if (strncmp(f->path, lacks[i], n) != 0)
            continue;
        char *path = fa_text("%s/%s", dir, f->path + n);
        if (path && access(path, R_OK) == 0)
            return path;
        free(path);
    }
    char *path = fa_text("%s%s", dir, strrchr(f->path, '/'));        /* single downloads in one folder */
    if (path && access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static int take(const struct fa_store *s, const struct fa_model_file *f, const char *from, int accept_changed, fa_store_report *report, void *self)
{
    struct fa_err e = { 0 };
    int r = fa_model_file_take(s, f, from, accept_changed, &e);
    struct fa_store_event ev = { from, f, NULL, r == FA_OK ? FA_FILE_RIGHT : FA_FILE_DIFFERS, &e };
    report(self, &ev);
    return r == FA_OK;
}

int fa_store_import(const struct fa_store *s, const char *from, int accept_changed, fa_store_report *report, void *self, struct fa_err *e)
{
    int n, taken = 0, lock = lock_store(s, e);
    const struct fa_model_file *f = fa_model_files(&n);
    const char *base = strrchr(from, '/') ? strrchr(from, '/') + 1 : from;
    struct stat st;
    if (lock < 0)
        return FA_E_IO;
    int is_dir = stat(from, &st) == 0 && S_ISDIR(st.st_mode);
    for (int i = 0; i < n; i++) {
        char *path = is_dir ? find(&f[i], from) : strcmp(strrchr(f[i].path, '/') + 1, base) == 0 ? strdup(from) : NULL;
        if (path)
            taken += take(s, &f[i], path, accept_changed, report, self);
        free(path);
    }
    close(lock);
    return taken;
}

int fa_store_get(const struct fa_store *s, const char *set, const char *const *base, int n_base, int accept_changed, fa_store_report *report, void *self,
                 struct fa_err *e)
{
    int n, r = FA_OK, lock = lock_store(s, e);
    const struct fa_model_file *f = fa_model_files(&n);
    if (lock < 0)
        return FA_E_IO;
    for (int i = 0; i < n && r == FA_OK; i++) {
        char hex[65];
        if (!fa_model_file_in_set(&f[i], set))
            continue;
        struct fa_err none = { 0 };
        struct fa_store_event ev = { f[i].path, &f[i], NULL, fa_model_file_state(s, &f[i], hex), &none };
        if (is_there(ev.state))
            continue;
        report(self, &ev);
        r = fa_model_file_get(s, &f[i], base, n_base, accept_changed, e);
    }
    close(lock);
    return r;
}
