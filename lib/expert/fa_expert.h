/* SPDX-License-Identifier: BSD-2-Clause
 * Patch experts of one model behind one interface: response maps for all visible landmarks at one scale (spec/landmark-models 4).
 * Kinds (ccnf, svr, cen) are rows of a table inside the room; nobody outside asks which one it is. */
#ifndef FA_EXPERT_H
#define FA_EXPERT_H

#include <stddef.h>
#include "fa_arena.h"
#include "fa_err.h"
#include "fa_image.h"

struct fa_pack;
struct fa_pdm;
struct fa_params;
struct fa_team;

enum { FA_MAX_WINDOW = 15, FA_MAX_SCALES = 4 };

/* One model's experts, attached to a pack (no copy of weights). Fields are for reading. */
struct fa_experts {
    int n_scale, n;                                /* scales, landmarks */
    double scale[FA_MAX_SCALES];
    const struct fa_expert_kind *kind;
    struct fa_expert_scale *per_scale;             /* private */
    struct fa_expert_room *room;                   /* private: working memory, a part for each thread */
};
/* prefix "main", "part/0". Memory for what is derived per window (Sigma: LM 4.5) and for work in it is taken by fa_experts_reserve,
 * else at the first use of a window; what is derived is filled per expert at the expert's first use and kept. So experts are not shared
 * between threads that call fa_experts_respond at once. FA_OK, FA_E_MODEL, FA_E_MEM. */
int fa_experts_open(struct fa_experts *x, const struct fa_pack *pack, const char *prefix, struct fa_err *e);
void fa_experts_close(struct fa_experts *x);
/* After this fa_experts_respond with that many threads allocates nothing for window w at scale k. FA_OK, FA_E_ARG, FA_E_MODEL, FA_E_MEM. */
int fa_experts_reserve(struct fa_experts *x, int k, int w, int threads, struct fa_err *e);

/* Number of views of scale k; the view nearest to the rotation (LM 4.1); visibility and confidence rows of a view, n entries each. */
int fa_experts_views(const struct fa_experts *x, int k);
int fa_experts_view(const struct fa_experts *x, int k, float rx, float ry, float rz);
const int *fa_experts_visible(const struct fa_experts *x, int k, int view);
const float *fa_experts_confidence(const struct fa_experts *x, int k, int view);

/* Response maps of scale k at parameters p with window w (odd, 3 .. FA_MAX_WINDOW): map of landmark i at maps + i*stride,
 * w x w row-major (row = y), only for visible landmarks; stride >= w*w. Also the similarities image -> reference (sim) and back
 * (sim_inv), and the 2D shape base[2][np] that both use (its centres are the maps' centres). team: shares out
 * the landmarks, NULL: no one helps; the result does not depend on it. */
struct fa_responses { float *maps; int stride, w, view; float sim[4], sim_inv[4]; float *base; };
int fa_experts_respond(struct fa_responses *r, struct fa_experts *x, const struct fa_pdm *pdm, const struct fa_params *p,
                       int k, int w, const struct fa_img8 *gray, struct fa_team *team, struct fa_err *e);

#endif
