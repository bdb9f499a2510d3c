/* SPDX-License-Identifier: BSD-2-Clause
 * Models staged in shared memory, so that all processes of a machine map one copy (shmload(1) manages them).
 *
 * An image is a pack, byte for byte (one with float16 as it is when opened: widened), as a file in ${FA_SHM_DIR:-/dev/shm}:
 *
 *      fa-model-HASH-uUID-any        HASH: the pack's hash, 16 hex digits; UID: of the user who staged it
 *      fa-model-HASH-uUID-node1      one copy for each NUMA node, its memory there
 *
 * Named by content, so versions live side by side and no image ever changes. An image being made has no name (O_TMPFILE): a
 * loader that dies leaves nothing. It gets its name when it is complete, all its memory allocated and its contents checked.
 *
 * Seals (F_ADD_SEALS) exist for memfds only, not for named files. Instead an image has mode 0444, and one is attached only
 * if it is a plain file of root's or our own that nobody else may write; mapped read-only, its header and table checked. */
#ifndef FA_SHM_H
#define FA_SHM_H

#include <stddef.h>
#include <stdint.h>
#include "fa_err.h"

struct fa_pack;

enum { FA_SHM_ANY = -1 /* the copy of no node in particular */, FA_SHM_NAME = 64, FA_SHM_PIDS = 64 };

/* 1 unless USE_SHARED_MEMORY=0. */
int fa_shm_enabled(void);
const char *fa_shm_dir(void);

/* --- Attaching (every program) --------------------------------------------------------------------------------------------- */

/* Opens a staged image of this hash: own node's, then the one for any, then other nodes'; of each our own, then root's.
 * FA_OK; FA_EOF: none is staged (or USE_SHARED_MEMORY=0); FA_E_MODEL: only such that are refused, e says the first and why. */
int fa_shm_attach(struct fa_pack *p, uint64_t hash, struct fa_err *e);
/* Opens the pack file's staged image, else the file itself; p->from says which, and why an image was refused. Of the file only 64
 * bytes are read when there is an image. Errors as fa_pack_open. */
int fa_shm_open(struct fa_pack *p, const char *path, struct fa_err *e);

/* --- Staging (shmload) --------------------------------------------------------------------------------------------------------- */

struct fa_shm_image {
    char name[FA_SHM_NAME];
    uint64_t hash; int node; unsigned uid;
    size_t size;
    uint64_t dev, ino;
    char set[64];                                /* the pack's meta/set; "" unknown */
    struct fa_err refused;                       /* code FA_OK: usable */
    int n_pid; long pid[FA_SHM_PIDS];            /* who maps it, as far as we may see; n_pid counts all */
};
enum fa_shm_how { FA_SHM_NEW = 0, FA_SHM_WAS_THERE = 1 };

/* Stages a pack for a node or FA_SHM_ANY. A sound image that is there already (ours or root's) is kept, a damaged one of ours
 * replaced. name gets the image's name, *share (may be NULL) how much of its memory lies on the node. FA_SHM_NEW,
 * FA_SHM_WAS_THERE, or FA_E_IO (no space, no permission), FA_E_MODEL (the pack's data are damaged). */
int fa_shm_publish(const struct fa_pack *p, int node, char name[FA_SHM_NAME], double *share, struct fa_err *e);
/* All images, by name; verify: their data's checksum too; mapped: find out who maps them. *n images in *list (free), or FA_E_IO, FA_E_MEM. */
int fa_shm_list(struct fa_shm_image **list, int *n, int verify, int mapped, struct fa_err *e);
/* Takes the image's name away; processes that map it keep it. FA_OK (also if it is gone already) or FA_E_IO. */
int fa_shm_drop(const struct fa_shm_image *image, struct fa_err *e);

#endif
