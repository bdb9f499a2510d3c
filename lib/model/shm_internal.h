/* SPDX-License-Identifier: BSD-2-Clause
 * Inside the model room: names and checks of staged images, shared by attaching, publishing and listing. */
#ifndef SHM_INTERNAL_H
#define SHM_INTERNAL_H

#include "fa_model.h"
#include "fa_shm.h"

#define SHM_PREFIX "fa-model-"

void shm_name(char name[FA_SHM_NAME], uint64_t hash, unsigned uid, int node);
/* Opens the image `name` in the folder dir (a descriptor) if it may be trusted: FA_OK; FA_EOF: it is not there; FA_E_MODEL:
 * refused. hash: what it must be. *st (may be NULL) is filled as soon as the file is open. */
struct stat;
int shm_open_image(struct fa_pack *p, int dir, const char *name, uint64_t hash, struct stat *st, struct fa_err *e);

#endif
