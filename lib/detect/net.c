/* SPDX-License-Identifier: BSD-2-Clause
 * Networks out of a pack: checks that the layers fit together, fuses activations into the convolution before them, and lays
 * the weights out for the kernels. */
#include "fa_net.h"

#include <string.h>

#include "fa_model.h"

/* Layer codes of the file (spec/detection 1.3, 6.1). */
enum { CONV = 0, POOL = 1, FULLY_CONNECTED = 2, RELU = 3 };
enum { LANES = FA_CONV_LANES, COLUMNS = 8, MAX_FILE_LAYERS = 64, MAX_CHANNELS = 4096 };

/* What the layers read so far produce: c maps of h x w. */
struct shape { int c, h, w; };

static size_t padded(int n_out)
{
    return ((size_t)n_out + LANES - 1) / LANES * LANES;
}

/* Max-pool output size: (n - k)/s rounded half away from zero, plus 1; with stride 2 that rounds up (spec 2.3). */
static int pooled(int n, int k, int s)
{
    return n < k ? 0 : (2 * (n - k) + s) / (2 * s) + 1;
}

void fa_net_layer_size(const struct fa_net_layer *l, int *w, int *h)
{
    int pool = l->kind == FA_NET_POOL;
    *w = pool ? pooled(*w, l->kw, l->sx) : *w - l->kw + 1;
    *h = pool ? pooled(*h, l->kh, l->sy) : *h - l->kh + 1;
    if (*w < 1 || *h < 1)
        *w = *h = 0;
}

void fa_net_size(const struct fa_net *net, int *w, int *h)
{
    for (int i = 0; i < net->n_spatial; i++)
        fa_net_layer_size(&net->layer[i], w, h);
}

static float *take_weights(struct fa_net *net, struct fa_net_layer *l)
{
    size_t pad = padded(l->n_out);
    int n_tap = l->kh * l->kw * l->n_in;
    float *w = fa_arena_f32(&net->arena, pad * (size_t)n_tap);
    float *bias = fa_arena_f32(&net->arena, pad), *slope = fa_arena_f32(&net->arena, pad);
    for (size_t o = 0; o < pad; o++)
        slope[o] = 1;
    l->weights = (struct fa_conv_weights){ .n_out = l->n_out, .n_tap = n_tap, .w = w, .bias = bias, .slope = slope };
    return w;
}

/* [out][in][kh][kw] to [block][kh][kw][in][16]. */
static void repack(float *dst, const float *src, const struct fa_net_layer *l)
{
    int area = l->kh * l->kw, n_tap = l->weights.n_tap;
    for (int o = 0; o < l->n_out; o++) {
        float *block = dst + (size_t)(o / LANES) * (size_t)n_tap * LANES + o % LANES;
        for (int i = 0; i < l->n_in; i++)
            for (int k = 0; k < area; k++)
                block[((size_t)k * (size_t)l->n_in + (size_t)i) * LANES] = *src++;
    }
}

static int add_conv(struct fa_net *net, const struct fa_pack *pack, const char *prefix, int index, const struct fa_net_layer *shape,
                    int is_fc, struct fa_err *e)
{
    int n = net->n_spatial + net->n_dense;
    int d[4] = { shape->n_out, shape->n_in, shape->kh, shape->kw };
    if (is_fc)
        d[1] = shape->n_in * shape->kh * shape->kw;
    const float *w = fa_pack_need(pack, e, FA_F32, is_fc ? 2 : 4, d, "%s/%d/weight", prefix, index);
    const float *b = w ? fa_pack_need(pack, e, FA_F32, 1, d, "%s/%d/bias", prefix, index) : NULL;
    if (!b)
        return FA_E_MODEL;
    struct fa_net_layer *l = &net->layer[n];
    *l = *shape;
    repack(take_weights(net, l), w, l);
    memcpy((float *)l->weights.bias, b, (size_t)l->n_out * sizeof(float));
    return FA_OK;
}

/* A PReLU (slopes in the file) or ReLU (none) joins the convolution before it. */
static int fuse_activation(struct fa_net *net, const struct fa_pack *pack, const char *prefix, int index, int prev_is_conv, struct fa_err *e)
{
    if (!prev_is_conv)
        return fa_fail(e, FA_E_MODEL, "%s: layer %d: an activation that follows no convolution", prefix, index);
    struct fa_net_layer *l = &net->layer[net->n_spatial + net->n_dense - 1];
    struct fa_tensor t;
    float *slope = (float *)l->weights.slope;
    if (!fa_pack_find(pack, &t, "%s/%d/weight", prefix, index)) {
        memset(slope, 0, padded(l->n_out) * sizeof(float));
        return FA_OK;
    }
    const float *file = fa_pack_need(pack, e, FA_F32, 1, &l->n_out, "%s/%d/weight", prefix, index);
    if (!file)
        return FA_E_MODEL;
    memcpy(slope, file, (size_t)l->n_out * sizeof(float));
    return FA_OK;
}

/* One record of the layer table; s is the shape before it, and after it. */
static int add_layer(struct fa_net *net, const struct fa_pack *pack, const char *prefix, int index, const int *row, struct shape *s,
                     int prev_is_conv, struct fa_err *e)
{
    struct fa_net_layer l = { .kind = FA_NET_CONV, .n_in = s->c, .n_out = row[2], .kh = row[3], .kw = row[4], .sy = 1, .sx = 1 };
    if (row[0] == RELU)
        return fuse_activation(net, pack, prefix, index, prev_is_conv, e);
    if (net->n_spatial + net->n_dense == FA_NET_MAX_LAYERS)
        return fa_fail(e, FA_E_MODEL, "%s: more than %d layers", prefix, FA_NET_MAX_LAYERS);
    if (row[0] == POOL) {
        l.kind = FA_NET_POOL;
        l.n_out = s->c;
        l.sy = row[5];
        l.sx = row[6];
    } else if (row[0] == FULLY_CONNECTED) {
        int flat = row[1] != s->c;               /* as many inputs as maps: applied pixel by pixel (spec 2.4) */
        l.kh = flat ? s->h : 1;
        l.kw = flat ? s->w : 1;
    } else if (row[0] != CONV) {
        return fa_fail(e, FA_E_MODEL, "%s: layer %d: kind %d is not supported", prefix, index, row[0]);
    }
    int fits = l.n_out >= 1 && l.n_out <= MAX_CHANNELS && l.kh >= 1 && l.kh <= s->h && l.kh <= FA_CONV_MAX_ROWS && l.kw >= 1 &&
               l.kw <= s->w && l.sy >= 1 && l.sy <= FA_CONV_MAX_ROWS && l.sx >= 1 && l.sx <= FA_CONV_MAX_ROWS;
    if (row[0] != POOL)
        fits = fits && row[1] == (row[0] == CONV ? s->c : s->c * l.kh * l.kw);
    if (!fits || (net->n_dense && row[0] != FULLY_CONNECTED))
        return fa_fail(e, FA_E_MODEL, "%s: layer %d does not fit the one before it", prefix, index);
    if (l.kind == FA_NET_POOL) {
        net->layer[net->n_spatial++] = l;
        fa_net_layer_size(&l, &s->w, &s->h);
        return FA_OK;
    }
    if (add_conv(net, pack, prefix, index, &l, row[0] == FULLY_CONNECTED, e) != FA_OK)
        return FA_E_MODEL;
    if (net->n_dense || (row[0] == FULLY_CONNECTED && row[1] != s->c)) {
        struct fa_net_layer *d = &net->layer[net->n_spatial + net->n_dense++];
        if (net->n_dense == 1)
            net->n_feature = d->weights.n_tap;
    } else {
        net->n_spatial++;
    }
    fa_net_layer_size(&l, &s->w, &s->h);
    s->c = l.n_out;
    return FA_OK;
}

/* Room for the weights and biases of the first n layers: what the pack holds, with the outputs padded to whole blocks. */
static size_t arena_bytes(const struct fa_pack *pack, const char *prefix, const int *rows, int n)
{
    size_t floats = 0;
    for (int i = 0; i < n; i++) {
        struct fa_tensor t;
        int code = rows[i * COLUMNS];
        if ((code != CONV && code != FULLY_CONNECTED) || !fa_pack_find(pack, &t, "%s/%d/weight", prefix, i) || t.ndim < 2 || t.dim[0] < 1)
            continue;
        floats += padded(t.dim[0]) * (t.n / (size_t)t.dim[0] + 2) + 3 * LANES;
    }
    return floats * sizeof(float);
}

int fa_net_open(struct fa_net *net, const struct fa_pack *pack, const char *prefix, int n_in, int side, int max_layer, struct fa_err *e)
{
    *net = (struct fa_net){ .n_in = n_in, .side = side };
    int d[2] = { -1, COLUMNS };
    const int *rows = fa_pack_need(pack, e, FA_I32, 2, d, "%s/layers", prefix);
    if (!rows)
        return FA_E_MODEL;
    if (d[0] < 1 || d[0] > MAX_FILE_LAYERS || rows[0] != CONV)
        return fa_fail(e, FA_E_MODEL, "%s: %d layers, the first of kind %d", prefix, d[0], d[0] > 0 ? rows[0] : -1);
    int n = max_layer > 0 && max_layer < d[0] ? max_layer : d[0];
    if (fa_arena_open(&net->arena, arena_bytes(pack, prefix, rows, n), e) != FA_OK)
        return FA_E_MEM;
    struct shape s = { n_in, side, side };
    for (int i = 0; i < n; i++)
        if (add_layer(net, pack, prefix, i, rows + i * COLUMNS, &s, i > 0 && rows[(i - 1) * COLUMNS] != POOL, e) != FA_OK) {
            fa_net_close(net);
            return FA_E_MODEL;
        }
    if (!net->n_dense)
        net->n_feature = s.c * s.h * s.w;
    net->n_out = net->n_dense ? s.c : net->n_feature;
    return FA_OK;
}

void fa_net_close(struct fa_net *net)
{
    fa_arena_close(&net->arena);
    *net = (struct fa_net){ 0 };
}
