/* SPDX-License-Identifier: BSD-2-Clause
 * Presentation times from ffmpeg's metadata filter (spec/output 16): for each frame, in order, the lines
 *
 *      frame:12   pts:768     pts_time:0.768
 *      fa=1
 *
 * The integer is exact; pts_time has six digits, enough for whole seconds only (sequences use it so). */
#include "media_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SHORTEST = sizeof "frame:0 pts:0 pts_time:0\n" - 1 };

int fa_times_room(const struct fa_times *t, size_t bytes) { return t->n + bytes / SHORTEST + 1 <= FA_TIMES_CAP; }

static void line_done(struct fa_times *t)
{
    struct fa_time v = { FA_NOPTS, 0 };
    t->line[t->len] = '\0';
    t->len = 0;
    if (strncmp(t->line, "frame:", 6) != 0)
        return;
    const char *p = strstr(t->line, " pts:"), *s = strstr(t->line, " pts_time:");
    if (p && p[5] != 'N') {
        char *end;
        errno = 0;
        long long pts = strtoll(p + 5, &end, 10);
        if (end != p + 5 && !errno && pts > -FA_MAX_PTS && pts < FA_MAX_PTS) {
            v.pts = pts;
            v.s = s ? strtod(s + 10, NULL) : 0;
        }
    }
    if (t->n < FA_TIMES_CAP)
        t->q[(t->head + t->n++) % FA_TIMES_CAP] = v;
}

void fa_times_feed(struct fa_times *t, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (b[i] == '\n')
            line_done(t);
        else if (t->len < sizeof t->line - 1)
            t->line[t->len++] = b[i];
    }
}

int fa_times_take(struct fa_times *t, struct fa_time *out)
{
    if (t->n == 0)
        return 0;
    *out = t->q[t->head];
    t->head = (t->head + 1) % FA_TIMES_CAP;
    t->n--;
    return 1;
}
