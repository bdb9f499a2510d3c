/* SPDX-License-Identifier: BSD-2-Clause
 * Inside of the landmark model, shared by detection, tracking and stills. */
#ifndef FA_FACE_MODEL_INTERNAL_H
#define FA_FACE_MODEL_INTERNAL_H

#include <stdint.h>

#include "fa_fit.h"
#include "fa_validator.h"
#include "fit_internal.h"

struct fa_part { char name[32]; struct fa_fitter fitter; const int32_t *pairs /* [n_pair][2]: main, part */; int n_pair; };

/* Per view of the coarsest scale: a likelihood times weight plus bias above the cutoff ends the search. weight NULL: no table. */
struct fa_early_termination { const double *weight, *bias, *cutoff; };

struct fa_face_model {
    struct fa_fit_options opt;
    int n_part;
    struct fa_fitter main;
    struct fa_part part[FA_MAX_PARTS];
    struct fa_validator validator;
    struct fa_early_termination early;
};

/* One detection call (fit 5) in its two halves. Main: fits the main model from s->main.p with these windows; sets p, xy, likelihood,
 * accepted (fit success). Finish: parts, merge, validator; sets certainty and accepted. The likelihood is the first half's alone,
 * so a search over start rotations needs the second half for its winner only. */
int fa_fit_main(struct fa_face_model *m, struct fa_fit_state *s, const int window[4], const struct fa_img8 *gray, struct fa_err *e);
int fa_fit_finish(struct fa_face_model *m, struct fa_fit_state *s, const struct fa_img8 *gray, struct fa_err *e);

/* fa_fit_main that also says which view the last scale used. */
int fa_fit_main_view(struct fa_face_model *m, struct fa_fit_state *s, const int window[4], const struct fa_img8 *gray, int *view, struct fa_err *e);

/* Detection in a box from several start rotations (fit 7): 11 when multi_view, else the frontal one. The winner is left in s with its
 * certainty and flag; s->success is what the search returns, which with early termination may differ from the flag. */
enum { FA_MAX_ROTATIONS = 11 };
int fa_fit_in_box(struct fa_face_model *m, struct fa_fit_state *s, const float box[4], int multi_view, const struct fa_img8 *gray,
                  struct fa_err *e);
/* Sets s to the start of a fit in the box with a rotation. */
void fa_fit_start(const struct fa_face_model *m, struct fa_fit_state *s, const float box[4], const float rotation[3]);
/* The start rotations in radians, in the order of trial. */
extern const float fa_start_rotations[FA_MAX_ROTATIONS][3];
/* early_term.c: the table, if the pack has one; one rotation's quick fit at the coarsest scale, which leaves its result in s too, and what
 * the table says about it; the search over n rotations. */
struct fa_early_attempt { struct fa_params p; int view; float score; int accepted; };
int fa_early_open(struct fa_early_termination *t, const struct fa_pack *pack, const struct fa_experts *x, struct fa_err *e);
int fa_early_try(struct fa_early_attempt *a, struct fa_face_model *m, struct fa_fit_state *s, const float box[4], const float rotation[3],
                 const struct fa_img8 *gray, struct fa_err *e);
int fa_fit_in_box_early(struct fa_face_model *m, struct fa_fit_state *s, const float box[4], const float (*rotation)[3], int n,
                        const struct fa_img8 *gray, struct fa_err *e);

#endif
