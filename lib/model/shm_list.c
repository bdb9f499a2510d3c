/* SPDX-License-Identifier: BSD-2-Clause
 * What is staged, whether it is sound, and who maps it; taking an image away. */
#include "shm_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Parses an image's name; 0: it is none. Written again it must be the same name. */
static int parse(struct fa_shm_image *m, const char *name)
{
    char again[FA_SHM_NAME];
    int at = 0;
    *m = (struct fa_shm_image){ .node = FA_SHM_ANY };
    if (sscanf(name, SHM_PREFIX "%16" SCNx64 "-u%u-%n", &m->hash, &m->uid, &at) != 2 || at == 0)
        return 0;
    if (strcmp(name + at, "any") != 0 && (sscanf(name + at, "node%d", &m->node) != 1 || m->node < 0))
        return 0;
    shm_name(again, m->hash, m->uid, m->node);
    snprintf(m->name, sizeof m->name, "%s", again);
    return strcmp(again, name) == 0;
}

static void look(struct fa_shm_image *m, int dir, int verify)
{
    struct fa_pack p;
    struct fa_tensor t;
    struct stat st = { 0 };
    if (shm_open_image(&p, dir, m->name, m->hash, &st, &m->refused) == FA_OK) {
        if (fa_pack_find(&p, &t, "meta/set") && t.type == FA_U8)
            snprintf(m->set, sizeof m->set, "%.*s", (int)(t.n < sizeof m->set ? t.n : sizeof m->set - 1), (const char *)t.data);
        if (verify && fa_pack_verify(&p, &m->refused) != FA_OK)
            fa_err_prefix(&m->refused, "%s/%s", fa_shm_dir(), m->name);
        fa_pack_close(&p);
    }
    m->size = (size_t)st.st_size;
    m->dev = st.st_dev;
    m->ino = st.st_ino;
}

/* One process: each image that a line of its maps names is counted once. */
static void count_maps(struct fa_shm_image *m, int n, const char *maps, long pid)
{
    char *line = NULL;
    size_t cap = 0;
    FILE *f = fopen(maps, "re");
    if (!f)
        return;
    while (getline(&line, &cap, f) > 0) {
        unsigned major, minor;
        uint64_t ino;
        if (!strstr(line, "/" SHM_PREFIX) || sscanf(line, "%*s %*s %*s %x:%x %" SCNu64, &major, &minor, &ino) != 3)
            continue;
        for (int i = 0; i < n; i++) {
            /* The last slot always holds the latest one, so that a second line of the same process is known. */
            const int used = m[i].n_pid < FA_SHM_PIDS ? m[i].n_pid : FA_SHM_PIDS;
            if (m[i].dev != makedev(major, minor) || m[i].ino != ino || (used && m[i].pid[used - 1] == pid))
                continue;
            m[i].pid[used < FA_SHM_PIDS ? used : FA_SHM_PIDS - 1] = pid;
            m[i].n_pid++;
        }
    }
    free(line);
    fclose(f);
}

static void find_users(struct fa_shm_image *m, int n)
{
    DIR *d = opendir("/proc");
    for (struct dirent *f; d && (f = readdir(d)) != NULL;) {
        char *end, maps[64];
        long pid = strtol(f->d_name, &end, 10);
        if (pid <= 0 || *end || pid == (long)getpid())
            continue;
        snprintf(maps, sizeof maps, "/proc/%ld/maps", pid);
        count_maps(m, n, maps, pid);
    }
    if (d)
        closedir(d);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct fa_shm_image *)a)->name, ((const struct fa_shm_image *)b)->name);
}

int fa_shm_list(struct fa_shm_image **list, int *n, int verify, int mapped, struct fa_err *e)
{
    int cap = 0;
    *list = NULL;
    *n = 0;
    DIR *d = opendir(fa_shm_dir());
    if (!d)
        return fa_fail_errno(e, FA_E_IO, "%s", fa_shm_dir());
    for (struct dirent *f; (f = readdir(d)) != NULL;) {
        struct fa_shm_image one;
        if (!parse(&one, f->d_name))
            continue;
        if (*n == cap) {
            cap = cap ? 2 * cap : 8;
            struct fa_shm_image *grown = realloc(*list, (size_t)cap * sizeof *grown);
            if (!grown) {
                closedir(d);
                free(*list);
                return fa_fail(e, FA_E_MEM, "out of memory");
            }
            *list = grown;
        }
        look(&one, dirfd(d), verify);
        (*list)[(*n)++] = one;
    }
    closedir(d);
    if (*n)
        qsort(*list, (size_t)*n, sizeof **list, by_name);
    if (mapped)
        find_users(*list, *n);
    return FA_OK;
}

int fa_shm_drop(const struct fa_shm_image *image, struct fa_err *e)
{
    int dir = open(fa_shm_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return fa_fail_errno(e, FA_E_IO, "%s", fa_shm_dir());
    int r = unlinkat(dir, image->name, 0) == 0 || errno == ENOENT ? FA_OK : fa_fail_errno(e, FA_E_IO, "%s/%s", fa_shm_dir(), image->name);
    close(dir);
    return r;
}
