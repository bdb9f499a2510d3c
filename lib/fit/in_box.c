/* SPDX-License-Identifier: BSD-2-Clause
 * Detection in a box: one complete fit per start rotation, the likeliest wins (spec/landmark-fit 7.1). Parts and validator
 * do not change a likelihood, so they run for the winner alone; the reference runs them for every hypothesis and drops the rest. */
#include "face_model_internal.h"

#include <string.h>

/* The first alone serves a single view (fit 7). */
const float fa_start_rotations[FA_MAX_ROTATIONS][3] = {
    { 0, 0, 0 },          { 0, -0.5236f, 0 }, { 0, 0.5236f, 0 }, { 0, -0.96f, 0 },      { 0, 0.96f, 0 },       { 0, 0, 0.5236f },
    { 0, 0, -0.5236f },   { 0, -1.57f, 0 },   { 0, 1.57f, 0 },   { 0, -1.22f, 0.698f }, { 0, 1.22f, -0.698f },
};

void fa_fit_start(const struct fa_face_model *m, struct fa_fit_state *s, const float box[4], const float rotation[3])
{
    memset(s->main.p.q, 0, sizeof s->main.p.q);
    s->main.p.g.rx = rotation[0];
    s->main.p.g.ry = rotation[1];
    s->main.p.g.rz = rotation[2];
    fa_pdm_params_from_box(&s->main.p, &m->main.pdm, box);
}

int fa_fit_in_box(struct fa_face_model *m, struct fa_fit_state *s, const float box[4], int multi_view, const struct fa_img8 *gray,
                  struct fa_err *e)
{
    const int n = multi_view ? FA_MAX_ROTATIONS : 1;
    int r;
    if (m->early.weight)
        return fa_fit_in_box_early(m, s, box, fa_start_rotations, n, gray, e);

    struct fa_fit_state best = *s;
    for (int i = 0; i < n; i++) {
        fa_fit_start(m, s, box, fa_start_rotations[i]);
        if ((r = fa_fit_main(m, s, m->main.set.window_init, gray, e)) != FA_OK)
            return r;
        if (i == 0 || s->likelihood > best.likelihood)
            best = *s;
    }
    *s = best;
    r = fa_fit_finish(m, s, gray, e);
    s->success = s->accepted;
    return r;
}

int fa_fit_still(struct fa_face_model *m, struct fa_fit_state *s, const struct fa_img8 *gray, const float box[4], struct fa_err *e)
{
    fa_fit_reset(s);
    int r = fa_fit_in_box(m, s, box, m->main.set.multi_view, gray, e);
    s->initialised = s->seen = 1;
    s->success = s->accepted;
    return r;
}
