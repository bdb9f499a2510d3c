/* SPDX-License-Identifier: BSD-2-Clause
 * File helpers: see fa_file.h. */
#include "fa_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int fa_map_open(struct fa_map *m, const char *path, struct fa_err *e)
{
    struct stat st;
    *m = (struct fa_map){ (const unsigned char *)"", 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fa_fail_errno(e, FA_E_INPUT, "%s", path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return fa_fail(e, FA_E_INPUT, "%s: not a regular file", path);
    }
    if (st.st_size > 0) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED) {
            int r = fa_fail_errno(e, FA_E_IO, "%s: mmap", path);
            close(fd);
            return r;
        }
        m->data = p;
        m->len = (size_t)st.st_size;
    }
    close(fd);
    return FA_OK;
}

void fa_map_close(struct fa_map *m)
{
    if (m->len)
        munmap((void *)m->data, m->len);
    *m = (struct fa_map){ (const unsigned char *)"", 0 };
}

long long fa_read_full(int fd, void *buf, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = read(fd, (char *)buf + done, len - done);
        if (n == 0)
            break;
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return FA_E_IO;
        }
        done += (size_t)n;
    }
    return (long long)done;
}

int fa_write_full(int fd, const void *buf, size_t len, struct fa_err *e)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = write(fd, (const char *)buf + done, len - done);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return fa_fail_errno(e, FA_E_IO, "write");
        }
        done += (size_t)n;
    }
    return FA_OK;
}

/* What a rename must not replace: devices, named pipes, and the names of open descriptors (a regular file behind them or not). */
static int in_place(const char *path)
{
    struct stat st;
    if (strcmp(path, "/dev/stdout") == 0 || strcmp(path, "/dev/stderr") == 0 || strncmp(path, "/dev/fd/", 8) == 0
        || strncmp(path, "/proc/self/fd/", 14) == 0)
        return 1;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

int fa_out_open(struct fa_out *o, const char *path, struct fa_err *e)
{
    *o = (struct fa_out){ 0 };
    if (!path || strcmp(path, "-") == 0) {
        o->f = stdout;
        return FA_OK;
    }
    const int direct = in_place(path);
    o->path = strdup(path);
    size_t n = strlen(path) + 32;
    o->tmp = malloc(n);
    if (!o->path || !o->tmp) {
        fa_out_abandon(o, 0);
        return fa_fail(e, FA_E_MEM, "out of memory");
    }
    snprintf(o->tmp, n, "%s.tmp%ld", path, (long)getpid());
    o->f = direct ? fopen(path, "we") : fopen(o->tmp, "wxe");
    if (direct || !o->f) {
        int r = o->f ? FA_OK : fa_fail_errno(e, FA_E_IO, "%s", direct ? path : o->tmp);
        free(o->tmp);
        o->tmp = NULL;
        if (r != FA_OK)
            fa_out_abandon(o, 0);
        return r;
    }
    return FA_OK;
}

int fa_out_commit(struct fa_out *o, struct fa_err *e)
{
    if (!o->path) {
        o->f = NULL;
        return fflush(stdout) == 0 && !ferror(stdout) ? FA_OK : fa_fail_errno(e, FA_E_IO, "standard output");
    }
    int bad = fflush(o->f) != 0 || ferror(o->f) || (o->tmp && fsync(fileno(o->f)) != 0);
    if (fclose(o->f) != 0 || bad) {
        int r = fa_fail_errno(e, FA_E_IO, "%s", o->path);
        o->f = NULL;
        fa_out_abandon(o, 0);
        return r;
    }
    o->f = NULL;
    if (o->tmp && rename(o->tmp, o->path) != 0) {
        int r = fa_fail_errno(e, FA_E_IO, "%s", o->path);
        fa_out_abandon(o, 0);
        return r;
    }
    free(o->tmp);
    o->tmp = NULL;
    fa_out_abandon(o, 0);
    return FA_OK;
}

void fa_out_abandon(struct fa_out *o, int keep)
{
    if (o->path && o->f)
        fclose(o->f);
    if (o->tmp && o->path) {
        size_t n = strlen(o->path) + 16;
        char *partial = keep ? malloc(n) : NULL;
        if (partial)
            snprintf(partial, n, "%s.partial", o->path);
        if (!partial || rename(o->tmp, partial) != 0)
            unlink(o->tmp);
        free(partial);
    }
    free(o->tmp);
    free(o->path);
    *o = (struct fa_out){ 0 };
}

int fa_mkdirs(const char *path, struct fa_err *e)
{
    char *p = strdup(path);
    if (!p)
        return fa_fail(e, FA_E_MEM, "out of memory");
    int r = FA_OK;
    for (char *s = p + 1; r == FA_OK; s++) {
        if (*s != '/' && *s != '\0')
            continue;
        char c = *s;
        *s = '\0';
        struct stat st;
        if (mkdir(p, 0777) != 0 && !(errno == EEXIST && stat(p, &st) == 0 && S_ISDIR(st.st_mode)))
            r = fa_fail_errno(e, FA_E_IO, "%s", p);
        *s = c;
        if (c == '\0')
            break;
    }
    free(p);
    return r;
}

char *fa_path_beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    size_t d = slash ? (size_t)(slash - path) : 1;
    char *r = malloc(d + strlen(name) + 2);
    if (!r)
        return NULL;
    memcpy(r, slash ? path : ".", d);
    r[d] = '/';
    strcpy(r + d + 1, name);
    return r;
}

int fa_tmpfile(struct fa_err *e)
{
    const char *dir = getenv("TMPDIR");
    if (!dir || !*dir)
        dir = "/tmp";
    size_t n = strlen(dir) + 32;
    char *name = malloc(n);
    if (!name)
        return fa_fail(e, FA_E_MEM, "out of memory"), -1;
    snprintf(name, n, "%s/fa.XXXXXX", dir);
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        fa_fail_errno(e, FA_E_IO, "%s", name);
    else
        unlink(name);
    free(name);
    return fd;
}
