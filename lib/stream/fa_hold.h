/* SPDX-License-Identifier: BSD-2-Clause
 * Records held back until something at the end of the clip is known, then given out again in order. Memory stays flat (see
 * fa_spool.h). */
#ifndef FA_HOLD_H
#define FA_HOLD_H

#include "fa_spool.h"
#include "fa_stream.h"

struct fa_hold { struct fa_spool spool; uint64_t at; unsigned char *data; size_t cap; };

/* FA_OK or FA_E_MEM. */
int fa_hold_open(struct fa_hold *h, struct fa_err *e);
void fa_hold_close(struct fa_hold *h);
void fa_hold_reset(struct fa_hold *h);
/* Copies a record. FA_OK or FA_E_IO. */
int fa_hold_add(struct fa_hold *h, const struct fa_rec *rec, struct fa_err *e);
/* The next record since the reset, valid until the next call; FA_EOF after the last. FA_E_IO, FA_E_MEM. A stage may add marks of its
 * own among the records, of type 0, which no stream has. */
int fa_hold_next(struct fa_hold *h, struct fa_rec *rec, struct fa_err *e);
/* From now on fa_put_rec puts into h instead of writing (NULL: writes again), so that the records which fa_stage_run itself passes
 * on keep their place. The other puts still write at once. */
void fa_writer_hold(struct fa_writer *w, struct fa_hold *h);

#endif
