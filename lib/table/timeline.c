/* SPDX-License-Identifier: BSD-2-Clause
 * Frames and their times: see fa_timeline.h. */
#include "fa_timeline.h"

#include <string.h>

int fa_timeline_open(struct fa_timeline *l, struct fa_err *e)
{
    l->at = (struct fa_tick){ 0 };
    return fa_queue_open(&l->ahead, e);
}

void fa_timeline_close(struct fa_timeline *l) { fa_queue_close(&l->ahead); }

void fa_timeline_reset(struct fa_timeline *l)
{
    l->at = (struct fa_tick){ 0 };
    fa_queue_reset(&l->ahead);
}

int fa_timeline_put(struct fa_timeline *l, uint64_t frame, double t, double pts, struct fa_err *e)
{
    const struct fa_tick tick = { frame, t, pts };
    return fa_queue_put(&l->ahead, &tick, sizeof tick, NULL, 0, e);
}

int fa_timeline_find(struct fa_timeline *l, uint64_t frame, int gapless, struct fa_err *e)
{
    const void *tick, *none;
    size_t n;
    int r, passed = 0;
    while (l->at.frame < frame && (r = fa_queue_get(&l->ahead, &tick, &none, &n, e)) != 0) {
        if (r < 0)
            return r;
        if (passed++ && gapless)
            return fa_fail(e, FA_E_FORMAT, "frame %llu: no LANDMARKS record", (unsigned long long)l->at.frame);
        memcpy(&l->at, tick, sizeof l->at);
    }
    return l->at.frame == frame ? FA_OK : fa_fail(e, FA_E_FORMAT, "frame %llu: LANDMARKS record out of order", (unsigned long long)frame);
}
