/* SPDX-License-Identifier: BSD-2-Clause
 * The line of progress: one clip by its frames, many by their number. */
#include "run_internal.h"

#include <stdarg.h>
#include <stdio.h>

void run_say(const struct fa_listener *to, enum fa_say kind, const char *fmt, ...)
{
    char text[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    to->say(to->self, kind, text);
}

struct run_frames run_frames(const struct fa_pipeline *p)
{
    struct run_frames f = { 0, 0 };
    if (sscanf(p->report, "%lu %lu", &f.done, &f.all) < 1)
        f.done = 0;
    if (f.all < f.done)
        f.all = 0;
    return f;
}

/* "3 s", "2:31", "1:02:31". */
static const char *duration(char text[32], double s)
{
    const long t = s < 0 ? 0 : s > 3.6e8 ? 360000000 : (long)(s + 0.5);
    if (t < 60)
        snprintf(text, 32, "%ld s", t);
    else if (t < 3600)
        snprintf(text, 32, "%ld:%02ld", t / 60, t % 60);
    else
        snprintf(text, 32, "%ld:%02ld:%02ld", t / 3600, t / 60 % 60, t % 60);
    return text;
}

void run_progress_one(const struct fa_listener *to, const char *clip, struct run_frames f, double since)
{
    const double rate = (double)f.done / (fa_now() - since + 1e-9);
    char left[32];
    if (!f.done)
        return;
    if (f.all)
        run_say(to, FA_SAY_PROGRESS, "%s  %lu/%lu frames  %.1f fps  %s left", clip, f.done, f.all, rate, duration(left, (double)(f.all - f.done) / rate));
    else
        run_say(to, FA_SAY_PROGRESS, "%s  %lu frames  %.1f fps", clip, f.done, rate);
}

void run_progress_many(const struct fa_listener *to, const struct run_count *c)
{
    const double seconds = fa_now() - c->since + 1e-9, done = c->done + c->failed + c->part, left = c->total - c->kept - done;
    char kept[32] = "", eta[48] = "", text[32];
    if (c->kept)
        snprintf(kept, sizeof kept, "%d kept, ", c->kept);
    if (done > 0)
        snprintf(eta, sizeof eta, "  %s left", duration(text, seconds / done * left));
    run_say(to, FA_SAY_PROGRESS, "%s%d done, %d failed of %d clips  %.1f fps%s", kept, c->done, c->failed, c->total, (double)c->frames / seconds, eta);
}
