/* SPDX-License-Identifier: BSD-2-Clause
 * The files of a picture sequence: a folder as the reference lists it (spec/output 13), or a printf pattern as ffmpeg's. */
#include "media_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int add(struct fa_names *l, const char *dir, const char *name, struct fa_err *e)
{
    if ((l->n & (l->n - 1)) == 0) {         /* full at every power of two */
        char **p = realloc(l->path, (l->n ? 2 * l->n : 1) * sizeof *p);
        if (!p)
            return fa_fail(e, FA_E_MEM, "out of memory");
        l->path = p;
    }
    size_t n = strlen(dir) + strlen(name) + 2;
    char *path = malloc(n);
    if (!path)
        return fa_fail(e, FA_E_MEM, "out of memory");
    snprintf(path, n, "%s%s%s", dir, *dir && dir[strlen(dir) - 1] != '/' ? "/" : "", name);
    l->path[l->n++] = path;
    return FA_OK;
}

/* As the reference: case counts, so .JPG is no picture; a name that is all extension has none. */
static int is_picture(const char *name)
{
    static const char *const ext[] = { ".jpg", ".jpeg", ".png", ".bmp" };
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name)
        return 0;
    for (size_t i = 0; i < sizeof ext / sizeof *ext; i++)
        if (strcmp(dot, ext[i]) == 0)
            return 1;
    return 0;
}

static int bytewise(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int fa_names_of_folder(struct fa_names *l, const char *dir, struct fa_err *e)
{
    *l = (struct fa_names){ 0 };
    DIR *d = opendir(dir);
    if (!d)
        return fa_fail_errno(e, FA_E_INPUT, "cannot open the folder");
    int r = FA_OK;
    struct dirent *f;
    errno = 0;
    while (r == FA_OK && (f = readdir(d))) {
        if (is_picture(f->d_name))
            r = add(l, dir, f->d_name, e);
        errno = 0;
    }
    if (r == FA_OK && errno)
        r = fa_fail_errno(e, FA_E_IO, "cannot read the folder");
    closedir(d);
    if (r == FA_OK && l->n == 0)
        r = fa_fail(e, FA_E_INPUT, "a folder without .jpg, .jpeg, .png or .bmp files");
    if (r != FA_OK)
        fa_names_free(l);
    else
        qsort(l->path, l->n, sizeof *l->path, bytewise);
    return r;
}

int fa_is_pattern(const char *name)
{
    const char *p = strchr(name, '%');
    if (!p || strchr(p + 1, '%'))
        return 0;
    size_t digits = strspn(p + 1, "0123456789");
    return p[1 + digits] == 'd' && (digits == 0 || (digits == 2 && p[1] == '0'));
}

int fa_names_of_pattern(struct fa_names *l, const char *pattern, struct fa_err *e)
{
    *l = (struct fa_names){ 0 };
    const char *p = strchr(pattern, '%');
    int width = p[1] == '0' ? p[2] - '0' : 1;
    size_t size = strlen(pattern) + 16;
    char *name = malloc(size);
    if (!name)
        return fa_fail(e, FA_E_MEM, "out of memory");
    int r = FA_OK;
    for (int i = 0; r == FA_OK && i < INT32_MAX; i++) {
        snprintf(name, size, "%.*s%0*d%s", (int)(p - pattern), pattern, width, i, strchr(p, 'd') + 1);
        if (access(name, F_OK) == 0)
            r = add(l, "", name, e);
        else if (l->n || i >= 4)
            break;
    }
    free(name);
    if (r == FA_OK && l->n == 0)
        r = fa_fail(e, FA_E_INPUT, "no such file, and no picture of this pattern with a number from 0 to 4");
    if (r != FA_OK)
        fa_names_free(l);
    return r;
}

void fa_names_free(struct fa_names *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->path[i]);
    free(l->path);
    *l = (struct fa_names){ 0 };
}
