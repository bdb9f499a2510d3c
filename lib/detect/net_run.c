/* SPDX-License-Identifier: BSD-2-Clause
 * Running a network: rows pulled through the spatial part, batches through the dense part. See the picture in fa_net.h. */
#include "fa_net.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

static size_t align64(size_t floats)
{
    return (floats + 15) / 16 * 16;
}

/* Rows of map i that must stay: the window of the layer that reads it. */
static int ring_rows(const struct fa_net *net, int i)
{
    return i < net->n_spatial ? net->layer[i].kh : 1;
}

/* Floats of map i's ring for an input of max_w; w_in: width of the map before it, updated. */
static size_t ring_floats(const struct fa_net *net, int i, int *w)
{
    if (i > 0) {
        const struct fa_net_layer *l = &net->layer[i - 1];
        *w = l->kind == FA_NET_POOL ? (*w - 1) / l->sx + 2 : *w - l->kw + 1;
        if (*w < 1)
            *w = 1;
    }
    int c = i > 0 ? net->layer[i - 1].n_out : net->n_in;
    return align64((size_t)ring_rows(net, i) * (size_t)*w * (size_t)c);
}

size_t fa_net_run_bytes(const struct fa_net *net, int max_w)
{
    size_t n = 0;
    for (int i = 0, w = max_w; i <= net->n_spatial; i++)
        n += ring_floats(net, i, &w);
    return n * sizeof(float);
}

void fa_net_run_place(struct fa_net_run *run, const struct fa_net *net, int max_w, void *mem)
{
    float *p = mem;
    *run = (struct fa_net_run){ .net = net, .max_w = max_w };
    for (int i = 0, w = max_w; i <= net->n_spatial; i++) {
        run->map[i].ring = p;
        run->map[i].n_row = ring_rows(net, i);
        p += ring_floats(net, i, &w);
    }
}

void fa_net_start(struct fa_net_run *run, int w, int h, int y0, fa_net_source_fn *make_row, const void *source)
{
    const struct fa_net *net = run->net;
    assert(w <= run->max_w);
    run->make_row = make_row;
    run->source = source;
    run->map[0].w = w;
    run->map[0].h = h;
    run->map[0].c = net->n_in;
    for (int i = 0; i < net->n_spatial; i++) {
        struct fa_net_map *m = &run->map[i + 1];
        m->w = run->map[i].w;
        m->h = run->map[i].h;
        m->c = net->layer[i].n_out;
        fa_net_layer_size(&net->layer[i], &m->w, &m->h);
    }
    for (int i = net->n_spatial, first = y0; i >= 0; i--) {
        run->map[i].next = first;
        first *= i > 0 ? net->layer[i - 1].sy : 1;
    }
}

static const float *pull(struct fa_net_run *run, int i, int y);

static void make(struct fa_net_run *run, int i, float *dst, int y)
{
    if (i == 0) {
        run->make_row(run->source, dst, y);
        return;
    }
    const struct fa_net_layer *l = &run->net->layer[i - 1];
    const struct fa_net_map *in = &run->map[i - 1];
    const float *rows[FA_CONV_MAX_ROWS];
    int first = y * l->sy, n = in->h - first < l->kh ? in->h - first : l->kh;
    for (int r = 0; r < n; r++)
        rows[r] = pull(run, i - 1, first + r);
    const struct fa_kern_conv *k = fa_kern_conv();
    if (l->kind == FA_NET_POOL)
        k->pool_row(dst, rows, n, in->w, l->kw, l->sx, run->map[i].w, in->c);
    else
        k->conv_row(dst, rows, n, l->kw * in->c, in->c, &l->weights, run->map[i].w);
}

/* Row y of map i, which must be among the last n_row made or still to come. */
static const float *pull(struct fa_net_run *run, int i, int y)
{
    struct fa_net_map *m = &run->map[i];
    size_t pitch = (size_t)m->w * (size_t)m->c;
    assert(y < m->h && y > m->next - 1 - m->n_row);
    for (; m->next <= y; m->next++)
        make(run, i, m->ring + (size_t)(m->next % m->n_row) * pitch, m->next);
    return m->ring + (size_t)(y % m->n_row) * pitch;
}

const float *fa_net_row(struct fa_net_run *run, int y)
{
    return pull(run, run->net->n_spatial, y);
}

void fa_net_features(struct fa_net_run *run, float *feature, fa_net_source_fn *make_row, const void *source)
{
    const struct fa_net *net = run->net;
    fa_net_start(run, net->side, net->side, 0, make_row, source);
    const struct fa_net_map *m = &run->map[net->n_spatial];
    size_t pitch = (size_t)m->w * (size_t)m->c;
    for (int y = 0; y < m->h; y++)
        memcpy(feature + (size_t)y * pitch, fa_net_row(run, y), pitch * sizeof(float));
}

/* Widest hidden vector of the dense part. */
static size_t dense_width(const struct fa_net *net)
{
    size_t widest = 0;
    for (int i = 0; i + 1 < net->n_dense; i++) {
        size_t n = (size_t)net->layer[net->n_spatial + i].n_out;
        widest = n > widest ? n : widest;
    }
    return widest;
}

size_t fa_net_dense_floats(const struct fa_net *net, int n)
{
    return 2 * align64(dense_width(net) * (size_t)n);
}

void fa_net_dense(const struct fa_net *net, float *out, const float *feature, int n, float *scratch)
{
    float *hidden[2] = { scratch, scratch + align64(dense_width(net) * (size_t)n) };
    if (!net->n_dense)
        memcpy(out, feature, (size_t)n * (size_t)net->n_feature * sizeof(float));
    for (int i = 0; i < net->n_dense; i++) {
        const struct fa_net_layer *l = &net->layer[net->n_spatial + i];
        const float *rows[FA_CONV_MAX_ROWS];
        int run = l->kw * l->n_in;
        float *dst = i + 1 == net->n_dense ? out : hidden[i % 2];
        for (int r = 0; r < l->kh; r++)
            rows[r] = feature + r * run;
        fa_kern_conv()->conv_row(dst, rows, l->kh, run, l->kh * run, &l->weights, n);
        feature = dst;
    }
}
