/* SPDX-License-Identifier: BSD-2-Clause
 * Inside of the landmark model, shared by detection, tracking and stills. */
#ifndef FA_FACE_MODEL_INTERNAL_H
#define FA_FACE_MODEL_INTERNAL_H

#include <stdint.h>

#include "fa_fit.h"
#include "fa_validator.h"
#include "fit_internal.h"

struct fa_part { char name[32]; struct fa_fitter fitter; const int32_t *pairs /* [n_pair][2]: main, part */; int n_pair; };

struct fa_face_model {
    struct fa_fit_options opt;
    int n_part;
    struct fa_fitter main;
    struct fa_part part[FA_MAX_PARTS];
    struct fa_validator validator;
};

/* One detection call (fit 5) in its two halves. Main: fits the main model from s->main.p with these windows; sets p, xy, likelihood,
 * accepted (fit success). Finish: parts, merge, validator; sets certainty and accepted. The likelihood is the first half's alone,
 * so a search over start rotations needs the second half for its winner only. */
int fa_fit_main(struct fa_face_model *m, struct fa_fit_state *s, const int window[4], const struct fa_img8 *gray, struct fa_err *e);
int fa_fit_finish(struct fa_face_model *m, struct fa_fit_state *s, const struct fa_img8 *gray, struct fa_err *e);

/* Detection in a box from several start rotations (fit 7.1): 11 when multi_view, else the frontal one. The winner, chosen by
 * likelihood alone, is left in s with its certainty and flag. */
int fa_fit_in_box(struct fa_face_model *m, struct fa_fit_state *s, const float box[4], int multi_view, const struct fa_img8 *gray,
                  struct fa_err *e);

#endif
