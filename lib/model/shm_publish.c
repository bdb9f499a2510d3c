/* SPDX-License-Identifier: BSD-2-Clause
 * Staging an image (fa_shm.h): a nameless file, filled and checked, that gets its name at the end. */
#include "shm_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fa_file.h"
#include "fa_place.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23                   /* since Linux 5.14; older ones refuse it, and posix_fallocate does the work */
#endif

/* Loaders take turns, so that two of the same pack need its memory once. Only a courtesy: names make it safe without, and whoever
 * holds the folder's lock for long is not waited for. */
static void take_turn(int dir)
{
    for (int i = 0; i < 500 && flock(dir, LOCK_EX | LOCK_NB) != 0; i++)
        nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
}

/* All memory at once, huge pages and the node's own where there are such; a tmpfs without the space says so here. */
static int allocate(int fd, void *map, size_t len, int node, struct fa_err *e)
{
    int no;
    if (node != FA_SHM_ANY)
        fa_memory_prefer(map, len, node);
    madvise(map, len, MADV_HUGEPAGE);
    madvise(map, len, MADV_POPULATE_WRITE);
    while ((no = posix_fallocate(fd, 0, (off_t)len)) == EINTR) { }
    errno = no;
    return no == 0 ? FA_OK : fa_fail_errno(e, FA_E_IO, "%s: image of %zu bytes", fa_shm_dir(), len);
}

/* Fills the new file fd with the pack and checks what it then holds. */
static int fill(int fd, const struct fa_pack *p, int node, double *share, struct fa_err *e)
{
    struct fa_pack copy;
    if (ftruncate(fd, (off_t)p->len) != 0)
        return fa_fail_errno(e, FA_E_IO, "%s: image of %zu bytes", fa_shm_dir(), p->len);
    void *map = mmap(NULL, p->len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return fa_fail_errno(e, FA_E_IO, "%s: mmap", fa_shm_dir());
    int r = allocate(fd, map, p->len, node, e);
    /* write, not memcpy: a source file that is cut meanwhile gives an error here, not SIGBUS */
    if (r == FA_OK && (r = fa_write_full(fd, p->base, p->len, e)) != FA_OK)
        fa_err_prefix(e, "%s: image of %zu bytes", fa_shm_dir(), p->len);
    if (r == FA_OK && ((r = fa_pack_open_mem(&copy, map, p->len, NULL, e)) != FA_OK || (r = fa_pack_verify(&copy, e)) != FA_OK))
        fa_err_prefix(e, "%s", p->from);
    if (r == FA_OK && share)
        *share = node == FA_SHM_ANY ? 1 : fa_memory_share(map, p->len, node);
    munmap(map, p->len);
    if (r == FA_OK && fchmod(fd, 0444) != 0)
        r = fa_fail_errno(e, FA_E_IO, "%s: fchmod", fa_shm_dir());
    return r;
}

/* 1 if a sound image for the node is there, ours or root's; its name then, else the name that ours shall have. */
static int is_there(int dir, uint64_t hash, int node, char name[FA_SHM_NAME])
{
    const unsigned user[2] = { 0, geteuid() };
    for (int i = 0; i < 2; i++) {
        struct fa_pack p;
        shm_name(name, hash, user[i], node);
        int sound = shm_open_image(&p, dir, name, hash, NULL, NULL) == FA_OK && fa_pack_verify(&p, NULL) == FA_OK;
        fa_pack_close(&p);
        if (sound)
            return 1;
    }
    return 0;
}

static int publish(int dir, const struct fa_pack *p, int node, char name[FA_SHM_NAME], double *share, struct fa_err *e)
{
    char self[40];
    if (is_there(dir, p->hash, node, name))
        return FA_SHM_WAS_THERE;
    int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return fa_fail_errno(e, FA_E_IO, "%s: new file", fa_shm_dir());
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int r = fill(fd, p, node, share, e);
    /* Somebody was faster: keep his if it is sound, else it is a damaged one of ours and goes. */
    for (int i = 0; r == FA_OK && linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW) != 0; i++) {
        if (errno != EEXIST || i == 5)
            r = fa_fail_errno(e, FA_E_IO, "%s/%s", fa_shm_dir(), name);
        else if (is_there(dir, p->hash, node, name))
            r = FA_SHM_WAS_THERE;
        else if (unlinkat(dir, name, 0) != 0 && errno != ENOENT)
            r = fa_fail_errno(e, FA_E_IO, "%s/%s is in the way", fa_shm_dir(), name);
    }
    close(fd);
    return r;
}

int fa_shm_publish(const struct fa_pack *p, int node, char name[FA_SHM_NAME], double *share, struct fa_err *e)
{
    struct fa_err own = { 0 };
    e = e ? e : &own;
    if (share)
        *share = 1;
    int dir = open(fa_shm_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return fa_fail_errno(e, FA_E_IO, "%s", fa_shm_dir());
    take_turn(dir);
    int r = publish(dir, p, node, name, share, e);
    close(dir);
    return r;
}
