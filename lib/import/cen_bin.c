/* SPDX-License-Identifier: BSD-2-Clause
 * CEN patch experts of one scale (LM 3.4, cen-test's README): header, mirror tables, then views x points networks. All networks of a
 * file must have the same layers. What the reference decides at run time is decided here: which network serves a landmark in a
 * view, and whether mirrored (LM 4.7). */
#include "import_internal.h"

#include <stdlib.h>
#include <string.h>

#include "fa_kern_cen.h"
#include "fa_le.h"

/* A matrix of floats or doubles as it lies in the file. */
struct raw_mat { const unsigned char *data; int type; };
struct raw_layer { int n_in, n_out, act; struct raw_mat bias, weights; };
struct raw_expert { int n_layer; struct raw_layer layer[FA_CEN_MAX_LAYERS]; double confidence; };

static float mat_at(const struct raw_mat *m, size_t i)
{
    return m->type == FA_F32 ? fa_le_f32(m->data + 4 * i) : (float)fa_le_f64(m->data + 8 * i);
}

/* Either type is allowed; doubles are cut to floats on reading, which must leave them finite. */
static void read_mat(struct fa_in *in, struct raw_mat *m, const char *what, int *rows, int *cols)
{
    m->type = !in->failed && in->len - in->at >= 12 && fa_le_i32(in->base + in->at + 8) == FA_F64 ? FA_F64 : FA_F32;
    m->data = fa_in_mat(in, what, (enum fa_dtype)m->type, rows, cols);
    if (!m->data || m->type != FA_F64)
        return;
    for (size_t i = 0; i < (size_t)*rows * (size_t)*cols; i++)
        if (mat_at(m, i) > 3.4e38f || mat_at(m, i) < -3.4e38f) {
            fa_in_bad(in, "%s: a number beyond the range of floats", what);
            return;
        }
}

/* A table of n numbers below n, in a row or a column. */
static void read_table(struct fa_in *in, const char *what, int *table, int n)
{
    int rows = -1, cols = -1;
    const unsigned char *m = fa_in_mat(in, what, FA_I32, &rows, &cols);
    if (!m)
        return;
    if ((rows != 1 && cols != 1) || rows * cols != n) {
        fa_in_bad(in, "%s: %d x %d entries, expected %d", what, rows, cols, n);
        return;
    }
    for (int i = 0; i < n; i++) {
        table[i] = fa_le_i32(m + 4 * i);
        if (table[i] < 0 || table[i] >= n) {
            fa_in_bad(in, "%s: entry %d, not in 0..%d", what, table[i], n - 1);
            return;
        }
    }
    for (int i = 0; i < n; i++)
        if (table[table[i]] != i) {
            fa_in_bad(in, "%s: %d's mirror is %d, whose mirror is %d", what, i, table[i], table[table[i]]);
            return;
        }
}

static void read_mirror(struct fa_in *in, struct fa_cen_mirror *m, int n, int n_view)
{
    m->n_view = n_view;
    read_table(in, "mirrored landmarks", m->landmark, n);
    read_table(in, "mirrored views", m->view, n_view);
}

void fa_read_cen_mirror(struct fa_in *in, struct fa_cen_mirror *m, int n)
{
    struct fa_views *v = fa_in_alloc(in, 1, 1, sizeof *v);
    *m = (struct fa_cen_mirror){ 0 };
    if (!v)
        return;
    fa_read_views(in, v, n);
    read_mirror(in, m, n, v->n_view);
    in->at = in->len;
    free(v);
}

static void read_expert(struct fa_in *in, struct raw_expert *x)
{
    int n_in = FA_CEN_TAPS + 1;
    if (fa_in_i32(in) != 6)
        fa_in_bad(in, "not a CEN expert (tag 6)");
    const int w = fa_in_i32(in), h = fa_in_i32(in);
    if (w != FA_CEN_SUPPORT || h != FA_CEN_SUPPORT)
        fa_in_bad(in, "support region of %d x %d, expected 11 x 11", w, h);
    x->n_layer = fa_in_count(in, "layers", 0, FA_CEN_MAX_LAYERS);
    for (int i = 0; i < x->n_layer && !in->failed; i++) {
        struct raw_layer *l = &x->layer[i];
        int rows = -1, cols = -1, outputs = -1;
        const int code = fa_in_i32(in);
        l->act = code == FA_CEN_LOGISTIC || code == FA_CEN_RELU ? code : FA_CEN_NONE;
        read_mat(in, &l->bias, "bias", &rows, &cols);
        read_mat(in, &l->weights, "weights", &outputs, &n_in);
        if (in->failed)
            return;
        if (outputs < 1 || outputs > FA_CEN_MAX_OUT)
            fa_in_bad(in, "a layer with %d outputs, not in 1..%d", outputs, FA_CEN_MAX_OUT);
        else if ((rows != 1 && cols != 1) || rows * cols != outputs)
            fa_in_bad(in, "bias of %d x %d for %d outputs", rows, cols, outputs);
        l->n_in = n_in;
        l->n_out = n_in = outputs;
    }
    if (x->n_layer && n_in != 1)
        fa_in_bad(in, "the last layer has %d outputs, not 1", n_in);
    x->confidence = fa_in_f64(in);
}

/* All networks must be built like the first. Returns it, NULL: there is none. */
static const struct raw_expert *check_alike(struct fa_in *in, const struct raw_expert *raw, int all, int n)
{
    const struct raw_expert *first = NULL;
    for (int i = 0; i < all && !in->failed; i++) {
        if (!raw[i].n_layer)
            continue;
        if (!first)
            first = &raw[i];
        int same = raw[i].n_layer == first->n_layer;
        for (int k = 0; same && k < first->n_layer; k++)
            same = raw[i].layer[k].n_out == first->layer[k].n_out && raw[i].layer[k].act == first->layer[k].act;
        if (!same)
            fa_in_bad(in, "view %d, landmark %d: a network with other layers than the first one", i / n, i % n);
    }
    if (!first)
        fa_in_bad(in, "no expert has a network");
    return in->failed ? NULL : first;
}

/* Who serves whom (LM 4.7). index, flip: [views][n]; number: of each network, -1 none. */
static void assign(struct fa_in *in, int32_t *index, int32_t *flip, const int32_t *number, const struct fa_views *v, const struct fa_cen_mirror *m, int n)
{
    for (int i = 0; i < v->n_view * n; i++)
        index[i] = -1;
    for (int i = 0; i < n; i++) {                    /* frontal: a network serves its landmark, and the mirrored one mirrored */
        if (!v->visible[0][i] || number[i] < 0)
            continue;
        const int other = m->landmark[i];
        index[i] = index[other] = number[i];
        flip[i] = 0;
        flip[other] = other != i;
    }
    for (int w = 1; w < v->n_view; w++)
        for (int i = 0; i < n; i++) {
            const int own = number[w * n + i];
            if (!v->visible[w][i])
                continue;
            index[w * n + i] = own >= 0 ? own : number[m->view[w] * n + m->landmark[i]];
            flip[w * n + i] = own < 0;
        }
    for (int i = 0; i < v->n_view * n; i++)
        if (v->visible[i / n][i % n] && index[i] < 0)
            fa_in_bad(in, "landmark %d is visible in view %d but neither it nor its mirror has a network", i % n, i / n);
}

/* A network in the kernels' order. The constant input of the first layer goes into its bias; pixels are then taken row by row. */
static void fill_network(float *out, const struct raw_expert *x, float *weights, float *bias)
{
    for (int k = 0; k < x->n_layer; k++) {
        const struct raw_layer *l = &x->layer[k];
        const int skip = k == 0, n_in = l->n_in - skip;
        for (int o = 0; o < l->n_out; o++) {
            const size_t row = (size_t)o * (size_t)l->n_in;
            bias[o] = mat_at(&l->bias, (size_t)o);
            if (skip)
                bias[o] = (float)((double)bias[o] + mat_at(&l->weights, row));
            for (int i = 0; i < n_in; i++) {
                const int from = skip ? 1 + i % FA_CEN_SUPPORT * FA_CEN_SUPPORT + i / FA_CEN_SUPPORT : i;
                weights[(size_t)o * (size_t)n_in + (size_t)i] = mat_at(&l->weights, row + (size_t)from);
            }
        }
        fa_cen_pack_layer(out, weights, bias, n_in, l->n_out);
        out += fa_cen_layer_floats(n_in, l->n_out);
    }
}

static void add_networks(struct fa_in *in, struct fa_pack_builder *b, const char *prefix, int k, const struct raw_expert *raw, int all, int n_net,
                         const struct raw_expert *first)
{
    int32_t shape[FA_CEN_MAX_LAYERS][3];
    size_t each = 0, largest = 0;
    for (int i = 0; i < first->n_layer; i++) {
        const struct raw_layer *l = &first->layer[i];
        const int n_in = l->n_in - (i == 0);
        shape[i][0] = n_in;
        shape[i][1] = l->n_out;
        shape[i][2] = l->act;
        each += fa_cen_layer_floats(n_in, l->n_out);
        if ((size_t)n_in * (size_t)l->n_out > largest)
            largest = (size_t)n_in * (size_t)l->n_out;
    }
    float *weights = fa_in_alloc(in, largest, 1, sizeof *weights), *bias = fa_in_alloc(in, FA_CEN_MAX_OUT, 1, sizeof *bias);
    float *out = in->failed ? NULL : fa_pack_add_room(b, FA_F32, 2, (int[]){ n_net, (int)each }, "%s/experts/%d/networks", prefix, k);
    if (out) {
        fa_pack_add(b, FA_I32, 2, (int[]){ first->n_layer, 3 }, shape, "%s/experts/%d/layers", prefix, k);
        for (int i = 0; i < all; i++)
            if (raw[i].n_layer) {
                fill_network(out, &raw[i], weights, bias);
                out += each;
            }
    }
    free(weights);
    free(bias);
}

static void add_experts(struct fa_in *in, struct fa_pack_builder *b, const char *prefix, int k, int n, const struct fa_views *v,
                        const struct fa_cen_mirror *m, const struct raw_expert *raw)
{
    const int all = v->n_view * n;
    const struct raw_expert *first = check_alike(in, raw, all, n);
    int32_t *number = fa_in_alloc(in, (size_t)all, 1, sizeof *number), *index = fa_in_alloc(in, (size_t)all, 1, sizeof *index);
    int32_t *flip = fa_in_alloc(in, (size_t)all, 1, sizeof *flip);
    float *confidence = fa_in_alloc(in, (size_t)all, 1, sizeof *confidence);
    if (!in->failed) {
        int n_net = 0;
        for (int i = 0; i < all; i++) {
            number[i] = raw[i].n_layer ? n_net++ : -1;
            confidence[i] = (float)raw[i].confidence;
        }
        assign(in, index, flip, number, v, m, n);
        fa_add_views(b, v, n, prefix, k);
        fa_pack_add(b, FA_F32, 2, (int[]){ v->n_view, n }, confidence, "%s/experts/%d/confidence", prefix, k);
        fa_pack_add(b, FA_I32, 2, (int[]){ v->n_view, n }, index, "%s/experts/%d/index", prefix, k);
        fa_pack_add(b, FA_I32, 2, (int[]){ v->n_view, n }, flip, "%s/experts/%d/flip", prefix, k);
        add_networks(in, b, prefix, k, raw, all, n_net, first);
    }
    free(number);
    free(index);
    free(flip);
    free(confidence);
}

double fa_read_cen(struct fa_in *in, struct fa_pack_builder *b, const char *prefix, int k, int n, const struct fa_cen_mirror *mirror, int *n_view)
{
    struct fa_views *v = fa_in_alloc(in, 1, 1, sizeof *v);
    struct raw_expert *raw = NULL;
    struct fa_cen_mirror own = { 0 };
    double scale = 0;
    *n_view = 0;
    if (!v)
        return 0;
    fa_read_views(in, v, n);
    read_mirror(in, &own, n, v->n_view);
    if (mirror && !in->failed && mirror->n_view != v->n_view)
        fa_in_bad(in, "%d views, %d at the largest scale", v->n_view, mirror->n_view);
    raw = fa_in_alloc(in, (size_t)v->n_view, (size_t)n, sizeof *raw);
    for (int i = 0; raw && i < v->n_view * n && !in->failed; i++)
        read_expert(in, &raw[i]);
    if (!in->failed && in->at != in->len)
        fa_in_bad(in, "%zu bytes after the end of the data", in->len - in->at);
    if (!in->failed)
        add_experts(in, b, prefix, k, n, v, mirror ? mirror : &own, raw);
    scale = v->scale;
    *n_view = v->n_view;
    free(raw);
    free(v);
    return scale;
}

void fa_read_early_termination(struct fa_in *in, struct fa_pack_builder *b, const char *prefix, int n_view)
{
    double table[3 * IN_MAX_VIEWS];
    for (int i = 0; i < 3 * n_view; i++)
        table[i] = fa_in_number(in, "early termination");
    if (!in->failed)
        fa_pack_add(b, FA_F64, 2, (int[]){ 3, n_view }, table, "%s/experts/early_termination", prefix);
}
