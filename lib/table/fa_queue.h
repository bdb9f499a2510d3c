/* SPDX-License-Identifier: BSD-2-Clause
 * A queue of byte strings, first in, first out, on a spool: in memory while it is short, in a temporary file beyond that. Rows wait
 * in it for action units that come only at the end of a clip; memory stays flat over the clip's length. */
#ifndef FA_QUEUE_H
#define FA_QUEUE_H

#include <stddef.h>
#include "fa_err.h"
#include "fa_spool.h"

struct fa_queue { struct fa_spool spool; uint64_t at; unsigned char *item; size_t cap; };

/* FA_OK or FA_E_MEM. */
int fa_queue_open(struct fa_queue *q, struct fa_err *e);
void fa_queue_close(struct fa_queue *q);
/* Forgets everything. */
void fa_queue_reset(struct fa_queue *q);
static inline int fa_queue_empty(const struct fa_queue *q) { return q->at == fa_spool_size(&q->spool); }
/* Appends fixed[n_fixed] and more[n_more] as one string. FA_OK or FA_E_IO. */
int fa_queue_put(struct fa_queue *q, const void *fixed, size_t n_fixed, const void *more, size_t n_more, struct fa_err *e);
/* Takes the oldest string: 1, or 0 when there is none, or FA_E_MEM, FA_E_IO. Both parts are 64-byte aligned and valid until the next get. */
int fa_queue_get(struct fa_queue *q, const void **fixed, const void **more, size_t *n_more, struct fa_err *e);

#endif
