/* SPDX-License-Identifier: BSD-2-Clause
 * The lower half of the fit: parameter sets (fit 1), one model fitted over its scales (fit 2), one NU-RLMS run (fit 3), and
 * the single steps of a run, which the stage tests check one by one. Parts, start rotations and the trackers stand on it.
 * Shapes and vectors over landmarks are planes of np floats as in fa_shape.h; similarities are 2 x 2 row-major. */
#ifndef FA_FIT_INTERNAL_H
#define FA_FIT_INTERNAL_H

#include "fa_arena.h"
#include "fa_err.h"
#include "fa_expert.h"
#include "fa_image.h"
#include "fa_shape.h"

struct fa_pack;

/* ---- settings.c: parameter sets (fit 1) ------------------------------------------------------------------------------- */

struct fa_fit_settings {
    int window_init[FA_MAX_SCALES];      /* by scale index, odd; 0 skips the scale: detection, tracking after a failure */
    int window_small[FA_MAX_SCALES];     /* the same: tracking after a success */
    int n_iter;                          /* iterations of each rigid and each non-rigid run */
    float sigma, reg, weight;            /* kernel width in response pixels, weight of the prior, of the confidences (0: all 1) */
    int refine_parameters;               /* adapt sigma, reg, weight to the scale (fit 2.2) */
    int multi_view;                      /* several start rotations for stills */
    int reinit_every;                    /* frames */
};

/* The common defaults (fit 1.1); -wild on top of them (fit 1.3); the factors of a model list (fit 1.2), which come last. */
void fa_fit_settings_default(struct fa_fit_settings *s);
void fa_fit_settings_wild(struct fa_fit_settings *s);
void fa_fit_settings_stem(struct fa_fit_settings *s, const char *stem);
/* What a set of our own says in PREFIX/fit (man/fa-model.5): windows, iterations, start rotations in stills, sigma, reg, weight; OpenFace's sets say nothing and leave s
 * alone. FA_OK, FA_E_MODEL. */
int fa_fit_settings_pack(struct fa_fit_settings *s, const struct fa_pack *pack, const char *prefix, struct fa_err *e);
/* Defaults and stem in one: what a main model without flags uses. stem: meta/set of the pack, "main_clnf_general". */
void fa_fit_settings_main(struct fa_fit_settings *s, const char *stem);
/* A part's own set by its name, "inner", "left_eye_28", .. (fit 1.4). 1 known; 0 unknown, s is then what the reference would use. */
int fa_fit_settings_part(struct fa_fit_settings *s, const char *part_name);
/* sigma, reg and weight at scale index k of value scale[min(k, 2)] (fit 2.2). */
struct fa_fit_adapted { float reg, sigma, weight; };
struct fa_fit_adapted fa_fit_settings_at(const struct fa_fit_settings *s, const double *scale, int k);

/* ---- rlms.c: one run, and its steps (fit 3) --------------------------------------------------------------------------- */

/* The mean shift's kernel for one window and sigma, tabulated for the 10w snapped centres of an axis; it is the product of a
 * row for y and a row for x. row i: exp(alpha (0.1 i - c)^2) for c = 0 .. 15, then the same times c; 0 where c >= w. */
enum { FA_KERNEL_ROW = 32 };
struct fa_kernel_table { int w; float sigma, alpha; float *row; };
static inline size_t fa_kernel_table_floats(int w) { return (size_t)10 * w * FA_KERNEL_ROW; }
void fa_kernel_table_fill(struct fa_kernel_table *t, float *row, int w, float sigma);

/* Everything that stays the same during a run. */
struct fa_rlms {
    const struct fa_pdm *pdm;
    const struct fa_responses *resp;     /* maps, w, similarities, base shape */
    const int *visible;                  /* [n] of the view */
    const float *confidence;             /* [n] of the view; used when weight > 0 */
    const struct fa_kernel_table *kernel;
    struct fa_fit_adapted at;
    int n_iter;
};
/* Buffers of a run, sized for one model by fa_rlms_scratch_take (from an arena with fa_rlms_scratch_size bytes free). */
struct fa_rlms_scratch {
    float *shape, *previous, *x3;        /* [2][np], [2][np], [3][np] */
    float *weights;                      /* [2][np], 0 for invisible landmarks and padding */
    float *jac, *wjac;                   /* [6+m][2][np], masked; with weights (= jac when all weights are 1) */
    float *dx, *dy;                      /* [np] offsets of the last started iteration */
    float *shift_ref, *shift_img;        /* [2][np] mean shifts, response frame and image */
    float *prior, *hessian, *rhs;        /* [6+m], [6+m]^2, [6+m] (the update after solving) */
};
size_t fa_rlms_scratch_size(const struct fa_pdm *pdm);
void fa_rlms_scratch_take(struct fa_rlms_scratch *s, const struct fa_pdm *pdm, struct fa_arena *a);

/* One run from p, which receives the result; rigid moves the pose only. Returns the number of updates made (<= n_iter).
 * Afterwards s->dx, s->dy are the offsets at the start of the last executed iteration (for the likelihood). */
int fa_rlms_run(struct fa_params *p, const struct fa_rlms *in, int rigid, struct fa_rlms_scratch *s);

/* Weights [2][np] (fit 3.1), already 0 for invisible landmarks; returns 1 if all visible ones weigh 1. */
int fa_rlms_weights(float *weights, const struct fa_rlms *in);
/* Prior reg / E_j behind six zeros, [6+m]. */
void fa_rlms_prior(float *prior, const struct fa_pdm *pdm, float reg);
/* dx, dy of all landmarks in the response frame (fit 3.3). */
void fa_rlms_offsets(float *dx, float *dy, const float *shape, const float *base, const float sim[4], int w, int n, int np);
/* Mean shifts in the response frame, out[2][np] (fit 3.4); 0 for invisible landmarks and padding. */
void fa_rlms_mean_shift(float *out, const float *dx, const float *dy, const struct fa_responses *resp, const int *visible,
                        const struct fa_kernel_table *t, int n, int np);
/* Mean shifts of the visible landmarks from the response frame to the image, out[2][np] (fit 3.2 step 3). */
void fa_rlms_to_image(float *out, const float *ref, const float sim_inv[4], const int *visible, int n, int np);
/* H (k x k) and b (fit 3.5) of the masked Jacobian; k = 6 or 6+m, for k > 6 the prior and q take part. wjac: weighted Jacobian. */
void fa_rlms_normal(float *h, float *b, const float *jac, const float *wjac, const float *shift_img, const float *prior,
                    const float *q, int k, int n, int np);
/* Landmark likelihoods (-1e8: invisible) and the model's (fit 2.4), from the offsets of the last iteration. */
float fa_rlms_likelihood(float *lmk, const float *dx, const float *dy, const struct fa_responses *resp, const int *visible,
                         float sigma, int n);

/* ---- scales.c: one model over its scales (fit 2) ---------------------------------------------------------------------- */

/* A model that can be fitted: shape model, experts, parameters and all memory of a fit. Not shared between threads. */
struct fa_fitter {
    struct fa_pdm pdm;
    struct fa_experts experts;
    struct fa_fit_settings set;
    struct fa_arena arena;
    struct fa_kernel_table *tables;      /* one per (window, sigma) of the settings */
    int n_table;
    struct fa_responses resp;
    struct fa_rlms_scratch scratch;
};
/* prefix: "main", "part/0". Kernel tables are made for both window lists of set. FA_OK, FA_E_MODEL, FA_E_MEM, FA_E_ARG (windows). */
int fa_fitter_open(struct fa_fitter *f, const struct fa_pack *pack, const char *prefix, const struct fa_fit_settings *set,
                   struct fa_err *e);
void fa_fitter_close(struct fa_fitter *f);

struct fa_fit_out {
    int success;                         /* 0: the face became too small (s < 0.25) */
    int view_used;                       /* view at the last scale that ran */
    float likelihood;                    /* both likelihoods keep what the caller put here where the fit computes none (fit 2.1) */
    float lmk_likelihood[FA_PDM_MAX_POINTS];
};
/* One fit over all scales with window[k] != 0, from p to p (fit 2.1). window: by scale index, from the settings' lists (also
 * with entries zeroed, which is all that early termination needs: fit 7.2). A too small face is out->success 0, not an error. */
int fa_fit_scales(struct fa_fitter *f, struct fa_params *p, const int window[FA_MAX_SCALES], const struct fa_img8 *gray,
                  struct fa_team *team, struct fa_fit_out *out, struct fa_err *e);
/* One scale of it; is_last: the likelihood is computed whatever s is. */
int fa_fit_scale(struct fa_fitter *f, struct fa_params *p, int k, int w, int is_last, const struct fa_img8 *gray,
                 struct fa_team *team, struct fa_fit_out *out, struct fa_err *e);

#endif
