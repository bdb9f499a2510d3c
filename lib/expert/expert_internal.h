/* SPDX-License-Identifier: BSD-2-Clause
 * Inside the expert room: what a kind of expert has to offer. A new kind is one more file, declared below
 * and named in the table of expert.c; nothing else in the program asks which kinds there are. */
#ifndef FA_EXPERT_INTERNAL_H
#define FA_EXPERT_INTERNAL_H

#include "fa_expert.h"
#include "fa_kern_ccnf.h"

struct fa_pack;

enum { FA_EXPERT_SUPPORT = 11 };         /* pixels of a patch, both ways, whatever the kind (LM 3) */
_Static_assert((int)FA_EXPERT_SUPPORT == (int)FA_CCNF_SUPPORT, "the kernels' windows");

/* One patch scale of a model. */
struct fa_expert_scale {
    int n, nv;                           /* landmarks, views */
    const double *centres;               /* [nv][3], radians */
    const int *visible;                  /* [nv][n] */
    const float *confidence;             /* [nv][n] */
    void *own;                           /* the kind's data */
};

/* Landmarks whose maps come from the same weights and are best made in one go: one, or two that mirror each other. */
struct fa_expert_job {
    int n, landmark[2];
    const float *aoi[2];                 /* areas of interest: (w+10)^2, row length FA_AOI_STRIDE */
    float *map[2];                       /* w x w, row = y */
    float *scratch;                      /* as much as the kind asked for */
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
    /* Who shares a job with visible landmark i in this view: another landmark, which then names i, or -1; may be NULL: nobody. */
    int (*partner)(const struct fa_expert_scale *s, int view, int i);
    /* Floats of scratch that a job with window w needs; may be NULL: none. */
    size_t (*scratch)(const struct fa_expert_scale *s, int w);
    /* The maps of a job. Called by many threads at once, each with its own job. */
    void (*maps)(const struct fa_expert_job *job, const struct fa_expert_scale *s, int view, int w);
};
extern const struct fa_expert_kind fa_expert_cen, fa_expert_ccnf, fa_expert_svr;

/* The map from pixels of a c x c area around (x, y) to the image (LM 4.3); sim_inv: reference -> image. */
void fa_expert_aoi_matrix(float m[6], const float sim_inv[4], float x, float y, int c);

#endif
