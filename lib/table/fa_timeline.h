/* SPDX-License-Identifier: BSD-2-Clause
 * Frames of a clip in their order with their times, until the rows that need them have come: records of a face may follow its
 * frame at any distance. */
#ifndef FA_TIMELINE_H
#define FA_TIMELINE_H

#include <stdint.h>
#include "fa_queue.h"

struct fa_tick { uint64_t frame; double t, pts; };      /* frame from 1; seconds; pts NaN: unknown */
struct fa_timeline { struct fa_queue ahead; struct fa_tick at; };

/* Open and close as the queue; reset at a clip's start. */
int fa_timeline_open(struct fa_timeline *l, struct fa_err *e);
void fa_timeline_close(struct fa_timeline *l);
void fa_timeline_reset(struct fa_timeline *l);
int fa_timeline_put(struct fa_timeline *l, uint64_t frame, double t, double pts, struct fa_err *e);
/* Moves l->at on to this frame, or stays there. gapless: no frame on the way may be without a row. FA_OK, FA_E_FORMAT, FA_E_MEM, FA_E_IO. */
int fa_timeline_find(struct fa_timeline *l, uint64_t frame, int gapless, struct fa_err *e);
static inline int fa_timeline_at_end(const struct fa_timeline *l) { return fa_queue_empty(&l->ahead); }

#endif
