/* SPDX-License-Identifier: BSD-2-Clause
 * Detection in a box with early termination (spec/landmark-fit 7.2): a quick fit at the coarsest scale for one start rotation after
 * the other; the first that is good enough is completed, and when none is, the best three are. */
#include "face_model_internal.h"

#include <string.h>

#include "fa_model.h"

enum { N_BEST = 3 };

int fa_early_open(struct fa_early_termination *t, const struct fa_pack *pack, const struct fa_experts *x, struct fa_err *e)
{
    struct fa_tensor found;
    int dim[] = { 3, -1 };
    *t = (struct fa_early_termination){ 0 };
    if (!fa_pack_find(pack, &found, "main/experts/early_termination"))
        return FA_OK;
    const double *table = fa_pack_need(pack, e, FA_F64, 2, dim, "main/experts/early_termination");
    if (!table)
        return FA_E_MODEL;
    if (dim[1] != fa_experts_views(x, 0))
        return fa_fail(e, FA_E_MODEL, "early termination knows %d views, the experts %d", dim[1], fa_experts_views(x, 0));
    *t = (struct fa_early_termination){ table, table + dim[1], table + 2 * dim[1] };
    return FA_OK;
}

/* Goes on at the finer scales, with parts and validator. */
static int complete(struct fa_face_model *m, struct fa_fit_state *s, const struct fa_img8 *gray, struct fa_err *e)
{
    int window[FA_MAX_SCALES];
    memcpy(window, m->main.set.window_init, sizeof window);
    window[0] = 0;
    int r = fa_fit_main(m, s, window, gray, e);
    return r == FA_OK ? fa_fit_finish(m, s, gray, e) : r;
}

/* The best N_BEST attempts in order of score, best first; equal scores in order of trial. Returns how many. */
static int choose_best(int best[N_BEST], const struct fa_early_attempt *a, int n)
{
    int used = 0;
    for (int i = 0; i < n; i++) {
        int at = used < N_BEST ? used++ : N_BEST;
        while (at > 0 && a[i].score > a[best[at - 1]].score) {
            if (at < N_BEST)
                best[at] = best[at - 1];
            at--;
        }
        if (at < N_BEST)
            best[at] = i;
    }
    return used;
}

int fa_early_try(struct fa_early_attempt *a, struct fa_face_model *m, struct fa_fit_state *s, const float box[4], const float rotation[3],
                 const struct fa_img8 *gray, struct fa_err *e)
{
    const struct fa_early_termination *t = &m->early;
    const int quick[FA_MAX_SCALES] = { m->main.set.window_init[0] };
    int view;
    fa_fit_start(m, s, box, rotation);
    int r = fa_fit_main_view(m, s, quick, gray, &view, e);
    if (r != FA_OK)
        return r;
    const float score = (float)(s->likelihood * t->weight[view] + t->bias[view]);
    *a = (struct fa_early_attempt){ .p = s->main.p, .view = view, .score = score, .accepted = score > t->cutoff[view] };
    return FA_OK;
}

int fa_fit_in_box_early(struct fa_face_model *m, struct fa_fit_state *s, const float box[4], const float (*rotation)[3], int n,
                        const struct fa_img8 *gray, struct fa_err *e)
{
    struct fa_early_attempt tried[FA_MAX_ROTATIONS];
    int best[N_BEST], r;

    for (int i = 0; i < n; i++) {
        if ((r = fa_early_try(&tried[i], m, s, box, rotation[i], gray, e)) != FA_OK)
            return r;
        if (tried[i].accepted) {
            r = complete(m, s, gray, e);
            s->success = s->accepted;
            return r;
        }
    }
    /* QUIRK fit-7.2a: the shape of every attempt but the last one is lost, its pose is not. */
    for (int i = 0; i + 1 < n; i++)
        memset(tried[i].p.q, 0, sizeof tried[i].p.q);
    struct fa_fit_state winner = *s;
    const int n_best = choose_best(best, tried, n);
    for (int i = 0; i < n_best; i++) {
        s->main.p = tried[best[i]].p;
        if ((r = complete(m, s, gray, e)) != FA_OK)
            return r;
        if (i == 0 || s->likelihood > winner.likelihood)
            winner = *s;
    }
    /* QUIRK fit-7.2b: what is returned, and the certainty, are those of the attempt completed last; the flag is the winner's. */
    winner.success = s->accepted;
    winner.certainty = s->certainty;
    *s = winner;
    return FA_OK;
}
