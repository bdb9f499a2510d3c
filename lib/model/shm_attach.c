/* SPDX-License-Identifier: BSD-2-Clause
 * Attaching to a staged image (fa_shm.h): find it by hash, make sure that nobody else could have made it or can change it, map it. */
#include "shm_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fa_le.h"
#include "fa_place.h"
#include "pack_format_internal.h"

int fa_shm_enabled(void)
{
    const char *use = getenv("USE_SHARED_MEMORY");
    return !(use && strcmp(use, "0") == 0);
}

const char *fa_shm_dir(void)
{
    const char *dir = getenv("FA_SHM_DIR");
    return dir && *dir ? dir : "/dev/shm";
}

void shm_name(char name[FA_SHM_NAME], uint64_t hash, unsigned uid, int node)
{
    int n = snprintf(name, FA_SHM_NAME, SHM_PREFIX "%016" PRIx64 "-u%u-", hash, uid);
    if (node == FA_SHM_ANY)
        snprintf(name + n, FA_SHM_NAME - (size_t)n, "any");
    else
        snprintf(name + n, FA_SHM_NAME - (size_t)n, "node%d", node);
}

static int check_file(const struct stat *st, struct fa_err *e)
{
    if (!S_ISREG(st->st_mode))
        return fa_fail(e, FA_E_MODEL, "not a plain file");
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return fa_fail(e, FA_E_MODEL, "it belongs to user %u", (unsigned)st->st_uid);
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        return fa_fail(e, FA_E_MODEL, "others may write it (mode %04o)", (unsigned)st->st_mode & 07777);
    if (st->st_size <= 0)
        return fa_fail(e, FA_E_MODEL, "it is empty");
    return FA_OK;
}

/* An image is of the pack it copies, or of the one with float16 that it was widened from. */
static int is_of(struct fa_pack *p, uint64_t hash)
{
    struct fa_tensor t;
    if (fa_pack_find(p, &t, PACK_WIDENED) && t.type == FA_U8 && t.n == sizeof hash)
        p->hash = fa_le_u64(t.data);
    return p->hash == hash;
}

int shm_open_image(struct fa_pack *p, int dir, const char *name, uint64_t hash, struct stat *st, struct fa_err *e)
{
    struct stat own;
    /* No link is followed, and opening a named pipe does not wait for its writer. */
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    *p = (struct fa_pack){ 0 };
    if (fd < 0 && errno == ENOENT)
        return FA_EOF;
    if (fd < 0)
        return fa_fail_errno(e, FA_E_MODEL, "%s/%s refused", fa_shm_dir(), name);
    st = st ? st : &own;
    void *map = MAP_FAILED;
    size_t len = 0;
    int r = fstat(fd, st) == 0 ? check_file(st, e) : fa_fail_errno(e, FA_E_MODEL, "fstat");
    if (r == FA_OK) {
        len = (size_t)st->st_size;
        map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
        r = map == MAP_FAILED ? fa_fail_errno(e, FA_E_MODEL, "mmap") : fa_pack_open_mem(p, map, len, NULL, e);
    }
    close(fd);
    if (r == FA_OK && !is_of(p, hash))
        r = fa_fail(e, FA_E_MODEL, "it is another pack (%016" PRIx64 ")", p->hash);
    if (r != FA_OK) {
        if (map != MAP_FAILED)
            munmap(map, len);
        *p = (struct fa_pack){ 0 };
        if (e)
            fa_err_prefix(e, "%s/%s refused", fa_shm_dir(), name);
        return FA_E_MODEL;
    }
    madvise(map, len, MADV_HUGEPAGE);            /* where the tmpfs has huge pages for those who ask */
    p->map = (struct fa_map){ map, len };
    snprintf(p->from, sizeof p->from, "%s/%s", fa_shm_dir(), name);
    return FA_OK;
}

/* The image of one node, ours or root's. Results as fa_shm_attach; the first refusal stays in e. */
static int attach_node(struct fa_pack *p, int dir, uint64_t hash, int node, struct fa_err *e)
{
    const unsigned me = geteuid();
    for (int i = 0; i < (me ? 2 : 1); i++) {
        char name[FA_SHM_NAME];
        struct fa_err why = { 0 };
        shm_name(name, hash, i ? 0 : me, node);
        int r = shm_open_image(p, dir, name, hash, NULL, &why);
        if (r == FA_OK)
            return r;
        if (r != FA_EOF && e->code == FA_OK)
            *e = why;
    }
    return e->code ? e->code : FA_EOF;
}

int fa_shm_attach(struct fa_pack *p, uint64_t hash, struct fa_err *e)
{
    struct fa_err own = { 0 };
    int node[FA_MAX_NODE + 2] = { FA_SHM_ANY, FA_SHM_ANY }, r = FA_EOF;
    e = e ? e : &own;
    *e = (struct fa_err){ 0 };
    *p = (struct fa_pack){ 0 };
    int dir = fa_shm_enabled() ? open(fa_shm_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (dir < 0)
        return FA_EOF;
    node[0] = fa_place_node();
    const int n = 2 + fa_memory_nodes(node + 2, FA_MAX_NODE);
    for (int i = 0; i < n && r != FA_OK; i++)
        if (i < 2 || node[i] != node[0])
            r = attach_node(p, dir, hash, node[i], e);
    close(dir);
    return r;
}

int fa_shm_open(struct fa_pack *p, const char *path, struct fa_err *e)
{
    uint64_t hash;
    struct fa_err why = { 0 };
    int r = fa_shm_enabled() ? fa_pack_peek(&hash, path, e) : FA_EOF;
    *p = (struct fa_pack){ 0 };
    if (r == FA_OK)
        r = fa_shm_attach(p, hash, &why);
    else if (r != FA_EOF)
        return r;
    if (r == FA_OK)
        return r;
    if ((r = fa_pack_open(p, path, e)) == FA_OK && why.code) {
        size_t n = strlen(p->from);
        snprintf(p->from + n, sizeof p->from - n, " (%s)", why.text);
    }
    return r;
}
