/* SPDX-License-Identifier: BSD-2-Clause
 * The video state machine of one face: track from the last frame, ask for a detection when due, keep or restore the state
 * (spec/landmark-fit 8.1). */
#include "face_model_internal.h"

enum { MAX_FAILURES = 100 };

/* While tracking fails the detector runs every so many frames; before the first face it is six times as many (fit 8.1, step 3). */
static int detector_due(const struct fa_fit_state *s, int every)
{
    if (!s->initialised)
        return (s->failures + 1) % (6 * every) == 0;
    return !s->accepted && s->failures % every == 0;
}

/* A re-detection that is rejected leaves the failed track's values, but its own flag and certainty (fit 8.1, step 4). */
static void restore(struct fa_fit_state *s, const struct fa_fit_state *saved)
{
    s->main = saved->main;
    s->likelihood = saved->likelihood;
}

int fa_track(struct fa_face_model *m, struct fa_fit_state *s, const struct fa_img8 *gray, const struct fa_box_source *boxes, struct fa_err *e)
{
    const int first = !s->initialised;
    int r;

    s->detector_ran = 0;
    if (s->initialised) {
        const int *window = s->accepted ? m->main.set.window_small : m->main.set.window_init;
        if ((r = fa_fit_main(m, s, window, gray, e)) != FA_OK || (r = fa_fit_finish(m, s, gray, e)) != FA_OK)
            return r;
        s->failures = s->accepted ? -1 : s->failures + 1;
    }
    if (detector_due(s, m->main.set.reinit_every)) {
        float box[4];
        s->detector_ran = 1;
        int found = boxes->find(boxes->self, box, e);
        if (found < 0)
            return found;
        if (found) {
            struct fa_fit_state saved = *s;
            s->initialised = s->seen = 1;
            if ((r = fa_fit_in_box(m, s, box, 1, gray, e)) != FA_OK)
                return r;
            if (!s->success && !first) {
                restore(s, &saved);
                s->success = 0;
            } else {
                s->failures = -1;
                s->success = 1;        /* a first detection counts even when the validator rejects it */
            }
            return FA_OK;
        }
    }
    if (!s->initialised)
        s->failures++;
    if (s->failures > MAX_FAILURES)
        s->initialised = 0;
    s->success = s->accepted;
    return FA_OK;
}
