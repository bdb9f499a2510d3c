/* SPDX-License-Identifier: BSD-2-Clause
 * CCNF experts (LM 3.2, 4.5): seven neurons over 11 x 11 windows and a smoothing matrix Sigma per window size. Weights stay in
 * the pack, and so does Sigma for the windows of the usual settings; for others it is made from its components when an expert
 * is first asked with such a window, and kept. */
#include "expert_internal.h"

#include <stdlib.h>
#include <string.h>

#include "fa_model.h"
#include "fa_sigma.h"

enum { N_WINDOW = FA_MAX_WINDOW / 2 + 1 };           /* odd windows 1 .. 15 by w / 2 */

struct ccnf {
    int n_expert, kp, n_beta;
    const int *index, *neurons;                      /* [nv][n] expert or -1; [n_expert] */
    const float *weights, *bias, *alpha_sum;
    const double *betas;
    float *alpha2;                                   /* [n_expert][kp] */
    const float *comp[N_WINDOW];                     /* NULL: Sigma is a multiple of the identity */
    const float *sigma[N_WINDOW];                    /* [n_expert] parts: the pack's, or made, then filled where ready is set */
    float *made[N_WINDOW];
    unsigned char *ready[N_WINDOW];
};

static void ccnf_close(struct fa_expert_scale *s)
{
    struct ccnf *c = s->own;
    if (!c)
        return;
    for (int i = 0; i < N_WINDOW; i++) {
        free(c->made[i]);
        free(c->ready[i]);
    }
    free(c->alpha2);
    free(c);
    s->own = NULL;
}

static int ccnf_open(struct fa_expert_scale *s, const struct fa_pack *pack, const char *prefix, int k, struct fa_err *e)
{
    int index_dim[] = { s->nv, s->n }, support_dim[] = { 2 }, neurons_dim[] = { -1 };
    struct ccnf *c = s->own = calloc(1, sizeof *c);
    if (!c)
        return fa_fail(e, FA_E_MEM, "no memory for patch experts");
    const int *support = fa_pack_need(pack, e, FA_I32, 1, support_dim, "%s/experts/%d/support", prefix, k);
    c->index = fa_pack_need(pack, e, FA_I32, 2, index_dim, "%s/experts/%d/index", prefix, k);
    c->neurons = fa_pack_need(pack, e, FA_I32, 1, neurons_dim, "%s/experts/%d/neurons", prefix, k);
    if (!support || !c->index || !c->neurons)
        return FA_E_MODEL;
    if (support[0] != FA_CCNF_SUPPORT || support[1] != FA_CCNF_SUPPORT)
        return fa_fail(e, FA_E_MODEL, "%s/experts/%d: support is %d x %d, only 11 x 11 is known", prefix, k, support[0], support[1]);

    c->n_expert = neurons_dim[0];
    int weights_dim[] = { c->n_expert, FA_CCNF_TAPS, -1 };
    c->weights = fa_pack_need(pack, e, FA_F32, 3, weights_dim, "%s/experts/%d/weights", prefix, k);
    c->kp = weights_dim[2];
    int bias_dim[] = { c->n_expert, c->kp }, sum_dim[] = { c->n_expert }, betas_dim[] = { c->n_expert, -1 };
    c->bias = fa_pack_need(pack, e, FA_F32, 2, bias_dim, "%s/experts/%d/bias", prefix, k);
    const double *alpha = fa_pack_need(pack, e, FA_F64, 2, bias_dim, "%s/experts/%d/alpha", prefix, k);
    c->alpha_sum = fa_pack_need(pack, e, FA_F32, 1, sum_dim, "%s/experts/%d/alpha_sum", prefix, k);
    c->betas = fa_pack_need(pack, e, FA_F64, 2, betas_dim, "%s/experts/%d/betas", prefix, k);
    c->n_beta = betas_dim[1];
    if (!c->weights || !c->bias || !alpha || !c->alpha_sum || !c->betas)
        return FA_E_MODEL;
    if (c->kp % 8 || c->kp < 8)
        return fa_fail(e, FA_E_MODEL, "%s/experts/%d/weights: %d neurons, not a multiple of 8", prefix, k, c->kp);
    for (int i = 0; i < c->n_expert; i++)
        if (c->neurons[i] < 1 || c->neurons[i] > c->kp)
            return fa_fail(e, FA_E_MODEL, "%s/experts/%d: expert %d has %d neurons of %d", prefix, k, i, c->neurons[i], c->kp);
    for (int i = 0; i < s->nv * s->n; i++)
        if (c->index[i] < -1 || c->index[i] >= c->n_expert)
            return fa_fail(e, FA_E_MODEL, "%s/experts/%d/index: expert %d of %d", prefix, k, c->index[i], c->n_expert);

    c->alpha2 = malloc(((size_t)c->n_expert * c->kp + 1) * sizeof *c->alpha2);
    if (!c->alpha2)
        return fa_fail(e, FA_E_MEM, "no memory for patch experts");
    for (int i = 0; i < c->n_expert * c->kp; i++)
        c->alpha2[i] = (float)alpha[i];

    for (int i = 1; i < N_WINDOW && c->n_beta > 0; i++) {
        const int w = 2 * i + 1;
        int comp_dim[] = { c->n_beta, w * w, w * w };
        struct fa_tensor t;
        if (!fa_pack_find(pack, &t, "%s/sigma_components/%d", prefix, w))
            continue;
        c->comp[i] = fa_pack_need(pack, e, FA_F32, 3, comp_dim, "%s/sigma_components/%d", prefix, w);
        if (!c->comp[i])
            return FA_E_MODEL;
        int sigma_dim[] = { c->n_expert, (int)fa_ccnf_sigma_floats(w) };
        if (!fa_pack_find(pack, &t, "%s/experts/%d/sigma/%d", prefix, k, w))
            continue;
        c->sigma[i] = fa_pack_need(pack, e, FA_F32, 2, sigma_dim, "%s/experts/%d/sigma/%d", prefix, k, w);
        if (!c->sigma[i])
            return FA_E_MODEL;
    }
    return FA_OK;
}

static int ccnf_reserve(struct fa_expert_scale *s, int w, struct fa_err *e)
{
    struct ccnf *c = s->own;
    const int i = w / 2;
    if (!c->comp[i] || c->sigma[i])
        return FA_OK;
    if (!fa_sigma_mirrors(c->comp[i], c->n_beta, w))
        return fa_fail(e, FA_E_MODEL, "the CCNF components for window %d change when mirrored", w);
    /* Untouched pages cost nothing: most views of most clips never come up. */
    c->made[i] = malloc((size_t)c->n_expert * fa_ccnf_sigma_floats(w) * sizeof(float));
    c->ready[i] = calloc((size_t)c->n_expert, 1);
    if (!c->made[i] || !c->ready[i])
        return fa_fail(e, FA_E_MEM, "no memory for patch experts");
    c->sigma[i] = c->made[i];
    return FA_OK;
}

static int ccnf_prepare(struct fa_expert_scale *s, int view, int w, struct fa_err *e)
{
    struct ccnf *c = s->own;
    const int i = w / 2;
    int r = ccnf_reserve(s, w, e);
    for (int k = 0; k < s->n && r == FA_OK && c->made[i]; k++) {
        const int x = c->index[view * s->n + k];
        if (x < 0 || c->ready[i][x])
            continue;
        r = fa_sigma_make(c->made[i] + (size_t)x * fa_ccnf_sigma_floats(w), w, c->alpha_sum[x], c->betas + (size_t)x * c->n_beta,
                          c->comp[i], c->n_beta, e);
        c->ready[i][x] = r == FA_OK;
    }
    return r;
}

static void ccnf_map(float *map, const struct fa_expert_scale *s, int view, int i, int w, const float *aoi)
{
    const struct ccnf *c = s->own;
    const int x = c->index[view * s->n + i];
    if (x < 0) {
        memset(map, 0, (size_t)(w * w) * sizeof *map);
        return;
    }
    const struct fa_ccnf_neurons nn = { c->neurons[x], c->kp, c->weights + (size_t)x * FA_CCNF_TAPS * c->kp, c->bias + (size_t)x * c->kp,
                                        c->alpha2 + (size_t)x * c->kp };
    float r[FA_CCNF_MAX_MAP + 15];
    fa_kern_ccnf()->response(r, aoi, w, &nn);
    if (c->comp[w / 2]) {
        fa_kern_ccnf()->smooth(map, r, c->sigma[w / 2] + (size_t)x * fa_ccnf_sigma_floats(w), w);
        return;
    }
    /* Q = alpha_sum I. Nothing to shift: r is not negative. */
    const float by = 1 / (2 * c->alpha_sum[x]);
    for (int k = 0; k < w * w; k++)
        map[k] = by * r[k];
}

static void ccnf_maps(const struct fa_expert_job *job, const struct fa_expert_scale *s, int view, int w)
{
    for (int k = 0; k < job->n; k++)
        ccnf_map(job->map[k], s, view, job->landmark[k], w, job->aoi[k]);
}

const struct fa_expert_kind fa_expert_ccnf = {
    .name = "ccnf", .open = ccnf_open, .close = ccnf_close, .reserve = ccnf_reserve, .prepare = ccnf_prepare, .maps = ccnf_maps,
};
