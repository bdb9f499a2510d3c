/* SPDX-License-Identifier: BSD-2-Clause
 * Bytes put aside for later: appended once, read any number of times. The newest stay in a block of memory; when it is
 * full it goes to an unlinked temporary file, so that memory stays flat however long the input is. Short inputs never
 * touch the disk. */
#ifndef FA_SPOOL_H
#define FA_SPOOL_H

#include <stddef.h>
#include <stdint.h>
#include "fa_err.h"

struct fa_spool { unsigned char *block; size_t cap, used; uint64_t flushed; int fd; };

/* block: bytes kept in memory. FA_OK or FA_E_MEM. */
int fa_spool_open(struct fa_spool *s, size_t block, struct fa_err *e);
void fa_spool_close(struct fa_spool *s);
/* Forgets everything; the file's space goes back. */
void fa_spool_reset(struct fa_spool *s);
static inline uint64_t fa_spool_size(const struct fa_spool *s) { return s->flushed + s->used; }
/* FA_OK or FA_E_IO (disk full). */
int fa_spool_add(struct fa_spool *s, const void *data, size_t len, struct fa_err *e);
/* Exactly len bytes from offset at, all of which were added. FA_OK or FA_E_IO. */
int fa_spool_read(const struct fa_spool *s, uint64_t at, void *data, size_t len, struct fa_err *e);

#endif
