/* SPDX-License-Identifier: BSD-2-Clause
 * The landmark validator: warps the face under 68 landmarks onto a frame of reference by triangles, and lets a small network
 * say how likely they lie on a face (spec/detection 6, 7). Its certainty is what the CSV calls confidence. */
#ifndef FA_VALIDATOR_H
#define FA_VALIDATOR_H

#include "fa_err.h"
#include "fa_image.h"

struct fa_pack;

/* Holds scratch: one a thread. The pack must stay open. */
struct fa_validator { int n_view; struct validator_view *view; struct validator_work *work; };

/* FA_OK, FA_E_MODEL, FA_E_MEM. */
int fa_validator_open(struct fa_validator *v, const struct fa_pack *pack, struct fa_err *e);
void fa_validator_close(struct fa_validator *v);

/* Certainty, 1 - (k + 0.5)/bins, of the landmarks xy (plane of x, then np floats further the plane of y; frame pixels; 68 of them)
 * with head rotation rx, ry, rz in radians on the gray frame. 0 when they span no region of the frame. */
float fa_validate(struct fa_validator *v, float rx, float ry, float rz, const float *xy, int np, const struct fa_img8 *gray);

/* Whether a certainty makes a fit count as successful (spec 7.8): strictly above 0.725 in float. */
static inline int fa_certainty_accepts(float certainty) { return certainty > 0.725f; }

#endif
