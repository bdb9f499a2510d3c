/* SPDX-License-Identifier: BSD-2-Clause
 * A queue of byte strings: first in, first out, in memory while it is short and in an unlinked temporary file beyond that. Rows
 * wait in it for action units that come only at the end of a clip; memory stays flat over the clip's length. */
#ifndef FA_SPOOL_H
#define FA_SPOOL_H

#include <stddef.h>
#include <sys/types.h>
#include "fa_err.h"

struct fa_spool_block { unsigned char *p; size_t at, len, cap; };
struct fa_spool { struct fa_spool_block head, tail; int fd, in_file; off_t from, to; };

void fa_spool_open(struct fa_spool *s);
void fa_spool_close(struct fa_spool *s);
/* Appends fixed[n_fixed] and more[n_more] as one string. FA_OK, FA_E_MEM, FA_E_IO. */
int fa_spool_put(struct fa_spool *s, const void *fixed, size_t n_fixed, const void *more, size_t n_more, struct fa_err *e);
/* Takes the oldest string: 1, or 0 when there is none, or FA_E_MEM, FA_E_IO. Both parts are 64-byte aligned and valid until the next get. */
int fa_spool_get(struct fa_spool *s, const void **fixed, const void **more, size_t *n_more, struct fa_err *e);
int fa_spool_empty(const struct fa_spool *s);

#endif
