/* SPDX-License-Identifier: BSD-2-Clause
 * CCNF patch experts of one scale (LM 3.2): header, Sigma components, then views x points experts. */
#include "import_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fa_le.h"

/* An expert as it lies in the file; neuron records follow each other with one size, as all share the support. */
struct raw_expert { int n_neuron; const unsigned char *neuron, *betas; double confidence; };
enum { NEURON_HEAD = 4 + 4 + 3 * 8 + 12 };

void fa_components_free(struct fa_components *c)
{
    for (int i = 0; i < c->n_window; i++)
        free(c->c[i]);
    *c = (struct fa_components){ 0 };
}

static void read_components(struct fa_in *in, struct fa_components *c)
{
    fa_components_free(c);
    int n = fa_in_count(in, "window sizes", 0, IN_MAX_WINDOWS);
    for (int i = 0; i < n && !in->failed; i++) {
        int w = fa_in_count(in, "window size", 1, 31), count = fa_in_count(in, "components", 0, IN_MAX_COMPONENTS), side = w * w;
        if (i == 0)
            c->n_comp = count;
        else if (count != c->n_comp)
            fa_in_bad(in, "%d components for window %d, %d for the first", count, w, c->n_comp);
        size_t each = (size_t)side * (size_t)side;
        if (!in->failed && each * (size_t)count > (in->len - in->at) / 4)
            fa_in_bad(in, "%d components for window %d do not fit the file", count, w);
        c->window[i] = w;
        c->count[i] = count;
        c->c[i] = fa_in_alloc(in, each, (size_t)count, sizeof(float));
        c->n_window = i + 1;
        for (int k = 0; k < count && !in->failed; k++) {
            const unsigned char *m = fa_in_mat(in, "component", FA_F32, &side, &side);
            for (size_t j = 0; m && j < each; j++)
                c->c[i][(size_t)k * each + j] = fa_le_f32(m + 4 * j);
        }
    }
}

/* Steps over one expert and checks it. support: 0 until the first expert with neurons sets it. */
static void scan_expert(struct fa_in *in, struct raw_expert *x, int support[2], int n_beta)
{
    *x = (struct raw_expert){ 0 };
    if (fa_in_i32(in) != 5)
        fa_in_bad(in, "not a CCNF expert (tag 5)");
    int w = fa_in_i32(in), h = fa_in_i32(in);
    x->n_neuron = fa_in_count(in, "neurons", 0, IN_MAX_NEURONS);
    if (in->failed)
        return;
    if (x->n_neuron == 0) {
        fa_in_i32(in);
        return;
    }
    if (support[0] == 0 && w >= 1 && h >= 1 && w <= IN_MAX_KERNEL && h <= IN_MAX_KERNEL) {
        support[0] = w;
        support[1] = h;
    }
    if (w != support[0] || h != support[1]) {
        fa_in_bad(in, "support region of %d x %d, expected %d x %d", w, h, support[0], support[1]);
        return;
    }
    x->neuron = in->base + in->at;
    for (int i = 0; i < x->n_neuron && !in->failed; i++) {
        if (fa_in_i32(in) != 2)
            fa_in_bad(in, "not a neuron (tag 2)");
        if (fa_in_i32(in) != 0)
            fa_in_bad(in, "neuron of a type other than 0 (raw intensity)");
        fa_in_f64(in);
        fa_in_f64(in);
        fa_in_f64(in);
        fa_in_mat(in, "weights", FA_F32, &h, &w);
    }
    x->betas = in->base + in->at;
    for (int i = 0; i < n_beta; i++)
        fa_in_f64(in);
    x->confidence = fa_in_f64(in);
}

/* Neurons side by side, taps outermost: weights[tap][neuron]. */
static void fill_expert(const struct raw_expert *x, int taps, int kp, float *weights, float *bias, double *alpha, float *alpha_sum)
{
    float sum = 0;
    for (int i = 0; i < x->n_neuron; i++) {
        const unsigned char *r = x->neuron + (size_t)i * (size_t)(NEURON_HEAD + 4 * taps);
        float norm = (float)fa_le_f64(r + 8);
        double a = fa_le_f64(r + 24);
        for (int t = 0; t < taps; t++)
            weights[t * kp + i] = fa_le_f32(r + NEURON_HEAD + 4 * t) * norm;
        bias[i] = (float)fa_le_f64(r + 16);
        alpha[i] = a > 1e-4 ? 2 * a : 0;
        sum = (float)(sum + a);        /* QUIRK lm-4.5: a float accumulator, the skipped neurons included */
    }
    *alpha_sum = sum;
}

static void add_experts(struct fa_in *in, struct fa_pack_builder *b, const char *prefix, int k, const struct fa_views *v, int n,
                        const struct raw_expert *raw, const int support[2], struct fa_ccnf_experts *x)
{
    int all = v->n_view * n, kp = 0, taps = support[0] * support[1], n_expert = 0;
    for (int i = 0; i < all; i++) {
        kp = raw[i].n_neuron > kp ? raw[i].n_neuron : kp;
        n_expert += raw[i].n_neuron > 0;
    }
    kp = (kp + 7) / 8 * 8;
    size_t each = (size_t)taps * (size_t)kp, ne = (size_t)n_expert;
    float *weights = fa_in_alloc(in, ne, each, sizeof *weights), *bias = fa_in_alloc(in, ne, (size_t)kp, sizeof *bias);
    float *confidence = fa_in_alloc(in, (size_t)all, 1, sizeof *confidence);
    double *alpha = fa_in_alloc(in, ne, (size_t)kp, sizeof *alpha);
    int32_t *index = fa_in_alloc(in, (size_t)all, 1, sizeof *index), *neurons = fa_in_alloc(in, ne, 1, sizeof *neurons);
    x->alpha_sum = fa_in_alloc(in, ne, 1, sizeof *x->alpha_sum);
    x->betas = fa_in_alloc(in, ne, (size_t)x->n_beta, sizeof *x->betas);
    if (in->failed)
        goto out;
    for (int i = 0; i < all; i++) {
        index[i] = -1;
        if (!raw[i].n_neuron)
            continue;
        int q = x->n_expert++;
        size_t at = (size_t)q;
        index[i] = q;
        neurons[q] = raw[i].n_neuron;
        confidence[i] = (float)raw[i].confidence;
        fill_expert(&raw[i], taps, kp, weights + at * each, bias + at * (size_t)kp, alpha + at * (size_t)kp, x->alpha_sum + q);
        for (int j = 0; j < x->n_beta; j++)
            x->betas[q * x->n_beta + j] = fa_le_f64(raw[i].betas + 8 * j);
    }
    fa_add_views(b, v, n, prefix, k);
    fa_pack_add(b, FA_F32, 2, (int[]){ v->n_view, n }, confidence, "%s/experts/%d/confidence", prefix, k);
    fa_pack_add(b, FA_I32, 2, (int[]){ v->n_view, n }, index, "%s/experts/%d/index", prefix, k);
    fa_pack_add(b, FA_I32, 1, (int[]){ 2 }, (int32_t[]){ support[0], support[1] }, "%s/experts/%d/support", prefix, k);
    fa_pack_add(b, FA_I32, 1, (int[]){ n_expert }, neurons, "%s/experts/%d/neurons", prefix, k);
    fa_pack_add(b, FA_F32, 3, (int[]){ n_expert, taps, kp }, weights, "%s/experts/%d/weights", prefix, k);
    fa_pack_add(b, FA_F32, 2, (int[]){ n_expert, kp }, bias, "%s/experts/%d/bias", prefix, k);
    fa_pack_add(b, FA_F64, 2, (int[]){ n_expert, kp }, alpha, "%s/experts/%d/alpha", prefix, k);
    fa_pack_add(b, FA_F32, 1, (int[]){ n_expert }, x->alpha_sum, "%s/experts/%d/alpha_sum", prefix, k);
    fa_pack_add(b, FA_F64, 2, (int[]){ n_expert, x->n_beta }, x->betas, "%s/experts/%d/betas", prefix, k);
out:
    free(weights);
    free(bias);
    free(confidence);
    free(alpha);
    free(index);
    free(neurons);
}

void fa_ccnf_experts_free(struct fa_ccnf_experts *x)
{
    free(x->alpha_sum);
    free(x->betas);
    *x = (struct fa_ccnf_experts){ 0 };
}

void fa_read_ccnf(struct fa_in *in, struct fa_pack_builder *b, const char *prefix, int k, int n, struct fa_ccnf_experts *x, struct fa_components *comp)
{
    struct fa_views *v = fa_in_alloc(in, 1, 1, sizeof *v);
    struct raw_expert *raw = NULL;
    int support[2] = { 0, 0 };
    *x = (struct fa_ccnf_experts){ 0 };
    if (!v)
        return;
    fa_read_views(in, v, n);
    read_components(in, comp);
    raw = fa_in_alloc(in, (size_t)v->n_view, (size_t)n, sizeof *raw);
    for (int i = 0; raw && i < v->n_view * n && !in->failed; i++)
        scan_expert(in, &raw[i], support, comp->n_comp);
    x->n_beta = comp->n_comp;
    x->scale = v->scale;
    if (!in->failed && support[0] == 0)
        fa_in_bad(in, "no expert has neurons");
    if (!in->failed)
        add_experts(in, b, prefix, k, v, n, raw, support, x);
    free(raw);
    free(v);
}
