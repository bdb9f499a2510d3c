/* SPDX-License-Identifier: BSD-2-Clause
 * CEN experts (LM 3.4, 4.7): a small network judges every second window, means of its neighbours fill the rest. An expert serves a
 * landmark as it is or mirrored; the pack says which and how. Two landmarks of a view that share an expert, the mirrored pairs of
 * the frontal view, go through it together, so that its weights come from memory once. */
#include "expert_internal.h"

#include <stdlib.h>
#include <string.h>

#include "fa_kern_cen.h"
#include "fa_model.h"

struct cen {
    int n_layer, width;                              /* layers; the most outputs one of them has, padded */
    struct fa_cen_layer layer[FA_CEN_MAX_LAYERS];    /* of expert 0 */
    const float *weights;                            /* [experts][each] */
    size_t each;
    const int *index, *flip;                         /* [nv][n] expert or -1; 1: it serves mirrored */
    signed char *partner;                            /* [nv][n] landmark or -1 */
};

static void cen_close(struct fa_expert_scale *s)
{
    struct cen *c = s->own;
    if (c)
        free(c->partner);
    free(c);
    s->own = NULL;
}

/* Pairs the landmarks of each view that share an expert. */
static int find_partners(struct cen *c, const struct fa_expert_scale *s, struct fa_err *e)
{
    const size_t all = (size_t)s->nv * (size_t)s->n;
    c->partner = malloc(all);
    if (!c->partner)
        return fa_fail(e, FA_E_MEM, "no memory for patch experts");
    memset(c->partner, -1, all);
    for (int v = 0; v < s->nv; v++) {
        const int *index = c->index + v * s->n;
        signed char *partner = c->partner + v * s->n;
        for (int i = 0; i < s->n; i++)
            for (int j = i + 1; j < s->n && index[i] >= 0 && partner[i] < 0; j++)
                if (index[j] == index[i] && partner[j] < 0) {
                    partner[i] = (signed char)j;
                    partner[j] = (signed char)i;
                }
    }
    return FA_OK;
}

/* shape: rows of inputs, outputs, activation. */
static int open_layers(struct cen *c, const int *shape, const char *prefix, int k, struct fa_err *e)
{
    int n_in = FA_CEN_TAPS;
    for (int i = 0; i < c->n_layer; i++, shape += 3) {
        const int n_out = shape[1], act = shape[2];
        if (shape[0] != n_in || n_out < 1 || n_out > FA_CEN_MAX_OUT || act < FA_CEN_LOGISTIC || act > FA_CEN_RELU)
            return fa_fail(e, FA_E_MODEL, "%s/experts/%d/layers: layer %d has %d inputs, %d outputs, activation %d", prefix, k, i, shape[0], n_out, act);
        c->layer[i] = (struct fa_cen_layer){ .n_in = n_in, .n_out = n_out, .act = (enum fa_cen_act)act };
        c->layer[i].rectified = i > 0 && c->layer[i - 1].act == FA_CEN_RELU;
        c->each += fa_cen_layer_floats(n_in, n_out);
        if (fa_cen_outputs(n_out) > c->width)
            c->width = fa_cen_outputs(n_out);
        n_in = n_out;
    }
    if (n_in != 1)
        return fa_fail(e, FA_E_MODEL, "%s/experts/%d/layers: the last one has %d outputs, not 1", prefix, k, n_in);
    return FA_OK;
}

static int cen_open(struct fa_expert_scale *s, const struct fa_pack *pack, const char *prefix, int k, struct fa_err *e)
{
    int table_dim[] = { s->nv, s->n }, layers_dim[] = { -1, 3 };
    struct cen *c = s->own = calloc(1, sizeof *c);
    if (!c)
        return fa_fail(e, FA_E_MEM, "no memory for patch experts");
    c->index = fa_pack_need(pack, e, FA_I32, 2, table_dim, "%s/experts/%d/index", prefix, k);
    c->flip = fa_pack_need(pack, e, FA_I32, 2, table_dim, "%s/experts/%d/flip", prefix, k);
    const int *shape = fa_pack_need(pack, e, FA_I32, 2, layers_dim, "%s/experts/%d/layers", prefix, k);
    if (!c->index || !c->flip || !shape)
        return FA_E_MODEL;
    c->n_layer = layers_dim[0];
    if (c->n_layer < 1 || c->n_layer > FA_CEN_MAX_LAYERS)
        return fa_fail(e, FA_E_MODEL, "%s/experts/%d/layers: %d layers", prefix, k, c->n_layer);
    int r = open_layers(c, shape, prefix, k, e);
    if (r != FA_OK)
        return r;
    int weights_dim[] = { -1, (int)c->each };
    c->weights = fa_pack_need(pack, e, FA_F32, 2, weights_dim, "%s/experts/%d/networks", prefix, k);
    if (!c->weights)
        return FA_E_MODEL;
    for (int i = 0; i < s->nv * s->n; i++)
        if (c->index[i] < -1 || c->index[i] >= weights_dim[0] || (s->visible[i] && c->index[i] < 0))
            return fa_fail(e, FA_E_MODEL, "%s/experts/%d/index: landmark %d of view %d has expert %d of %d", prefix, k, i % s->n, i / s->n, c->index[i],
                           weights_dim[0]);
    return find_partners(c, s, e);
}

static int cen_partner(const struct fa_expert_scale *s, int view, int i)
{
    const struct cen *c = s->own;
    return c->partner[view * s->n + i];
}

/* A panel of windows, and two times the outputs of a layer. */
static size_t cen_scratch(const struct fa_expert_scale *s, int w)
{
    const struct cen *c = s->own;
    return 2 * (size_t)fa_cen_windows(w) * (FA_CEN_PANEL + 2 * (size_t)c->width);
}

static void mirror(float *out, const float *aoi, int side)
{
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
            out[y * FA_AOI_STRIDE + x] = aoi[y * FA_AOI_STRIDE + side - 1 - x];
}

/* The map from the values of every second window (every stride floats, in their order); the others are means of their neighbours. */
static void fill_map(float *map, const float *value, int stride, int w, int flip)
{
    static const float part[] = { 0, 0, 1.0f / 2, 1.0f / 3, 1.0f / 4 };
    for (int k = 0; k < fa_cen_windows(w); k++, value += stride) {
        const struct fa_cen_at at = fa_cen_at(w, k);
        map[at.y * w + (flip ? w - 1 - at.x : at.x)] = *value;
    }
    for (int y = 0; y < w; y++)
        for (int x = y % 2; x < w; x += 2) {
            const int n = (x > 0) + (y > 0) + (y + 1 < w) + (x + 1 < w);
            float *at = map + y * w + x, sum = 0;
            if (x > 0)
                sum += at[-1] * part[n];
            if (y > 0)
                sum += at[-w] * part[n];
            if (y + 1 < w)
                sum += at[w] * part[n];
            if (x + 1 < w)
                sum += at[1] * part[n];
            *at = sum;
        }
}

static void cen_maps(const struct fa_expert_job *job, const struct fa_expert_scale *s, int view, int w)
{
    enum { ROWS = FA_CEN_MAX_W + FA_CEN_SUPPORT - 1 };
    const struct cen *c = s->own;
    const int *index = c->index + view * s->n, *flip = c->flip + view * s->n;
    const int n = fa_cen_windows(w), all = job->n * n;
    float *panel = job->scratch, *out = panel + 2 * (size_t)n * FA_CEN_PANEL, *next = out + 2 * (size_t)n * c->width;
    for (int k = 0; k < job->n; k++) {
        float mirrored[ROWS * FA_AOI_STRIDE];
        if (flip[job->landmark[k]])
            mirror(mirrored, job->aoi[k], w + FA_CEN_SUPPORT - 1);
        fa_kern_cen()->windows(panel + (size_t)k * n * FA_CEN_PANEL, flip[job->landmark[k]] ? mirrored : job->aoi[k], w);
    }
    const float *in = panel, *weights = c->weights + (size_t)index[job->landmark[0]] * c->each;
    int ld_in = FA_CEN_PANEL, ld_out = 0;
    for (int i = 0; i < c->n_layer; i++) {
        struct fa_cen_layer l = c->layer[i];
        l.data = weights;
        weights += fa_cen_layer_floats(l.n_in, l.n_out);
        ld_out = fa_cen_outputs(l.n_out);
        fa_kern_cen()->layer(out, ld_out, in, ld_in, all, &l);
        float *free_one = in == panel ? next : (float *)in;
        in = out;
        ld_in = ld_out;
        out = free_one;
    }
    for (int k = 0; k < job->n; k++)
        fill_map(job->map[k], in + (size_t)k * n * ld_out, ld_out, w, flip[job->landmark[k]]);
}

const struct fa_expert_kind fa_expert_cen = {
    .name = "cen", .open = cen_open, .close = cen_close, .partner = cen_partner, .scratch = cen_scratch, .maps = cen_maps,
};
