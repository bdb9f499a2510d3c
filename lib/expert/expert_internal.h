/* SPDX-License-Identifier: BSD-2-Clause
 * Inside the expert room: what a kind of expert has to offer. A new kind (cen) is one more file and one more row in expert.c. */
#ifndef FA_EXPERT_INTERNAL_H
#define FA_EXPERT_INTERNAL_H

#include "fa_expert.h"
#include "fa_kern_ccnf.h"

struct fa_pack;

/* One patch scale of a model. */
struct fa_expert_scale {
    int n, nv;                           /* landmarks, views */
    const double *centres;               /* [nv][3], radians */
    const int *visible;                  /* [nv][n] */
    const float *confidence;             /* [nv][n] */
    void *own;                           /* the kind's data */
};

struct fa_expert_kind {
    const char *name;                    /* as in the pack */
    /* Attaches scale k of prefix; n, nv are set. close also follows an open that failed. */
    int (*open)(struct fa_expert_scale *s, const struct fa_pack *pack, const char *prefix, int k, struct fa_err *e);
    void (*close)(struct fa_expert_scale *s);
    /* Memory for what is derived for window w; may be NULL. Repeated calls do nothing. */
    int (*reserve)(struct fa_expert_scale *s, int w, struct fa_err *e);
    /* Derives what the maps of a view with window w need and is not there yet; may be NULL. Never called by two threads at once. */
    int (*prepare)(struct fa_expert_scale *s, int view, int w, struct fa_err *e);
    /* The map (w x w floats, row = y) of visible landmark i from its area of interest: (w+10)^2, row length FA_AOI_STRIDE. Called
     * by many threads at once. */
    void (*map)(float *map, const struct fa_expert_scale *s, int view, int i, int w, const float *aoi);
};
extern const struct fa_expert_kind fa_expert_ccnf, fa_expert_svr;

/* The map from pixels of a c x c area around (x, y) to the image (LM 4.3); sim_inv: reference -> image. */
void fa_expert_aoi_matrix(float m[6], const float sim_inv[4], float x, float y, int c);

#endif
