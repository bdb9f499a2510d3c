/* SPDX-License-Identifier: BSD-2-Clause
 * Layers of small convolutional networks: MTCNN files and the validator's views (detection 1.3, 2.4, 6.1).
 *
 * The size of the maps is followed through the layers, which tells a fully connected layer on pixels from one on a flattened
 * map and gives the latter's side: the files flatten map by map, column by column; here it becomes row by row. */
#include "import_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa_le.h"

enum { CONV = 0, POOL = 1, FC = 2, PRELU = 3, SIGMOID = 4, FIELDS = 8 };

/* Where a network stands: n_map maps of side x side; side 0: a vector of n_map. */
struct net { struct fa_in *in; struct fa_pack_builder *b; const char *prefix; int validator, n_map, side; int32_t layer[IN_MAX_LAYERS][FIELDS]; };

static void set_layer(struct net *t, int i, int code, int n_in, int n_out, int kh, int kw, int sy, int sx)
{
    int32_t v[FIELDS] = { code, n_in, n_out, kh, kw, sy, sx, 0 };
    memcpy(t->layer[i], v, sizeof v);
    t->n_map = n_out;
}

static void add_vector(struct net *t, int i, const unsigned char *raw, int n, const char *what)
{
    float *v = fa_in_alloc(t->in, (size_t)n, 1, sizeof *v);
    for (int k = 0; v && k < n; k++)
        v[k] = fa_le_f32(raw + 4 * (size_t)k);
    if (v)
        fa_pack_add(t->b, FA_F32, 1, (int[]){ n }, v, "%s/%d/%s", t->prefix, i, what);
    free(v);
}

/* In the file kernels run input-major; here [n_out, n_in, kh, kw]. */
static void read_conv(struct net *t, int i)
{
    struct fa_in *in = t->in;
    int n_in = fa_in_count(in, "input maps", 1, IN_MAX_MAPS), n_out = fa_in_count(in, "output maps", 1, IN_MAX_MAPS), kh = -1, kw = -1;
    float *w = NULL;
    if (n_in != t->n_map || t->side == 0)
        fa_in_bad(in, "convolution of %d maps, but there are %d", n_in, t->n_map);
    const unsigned char *bias = fa_in_bytes(in, 4 * (size_t)n_out);
    for (int k = 0; bias && k < n_out; k++) {
        struct fa_in one = { .name = in->name, .base = bias, .len = 4 * (size_t)n_out, .at = 4 * (size_t)k };
        fa_in_f32(&one);
        if (one.failed)
            fa_in_bad(in, "bias %d is not finite", k);
    }
    for (int a = 0; a < n_in && !in->failed; a++)
        for (int o = 0; o < n_out && !in->failed; o++) {
            const unsigned char *k = fa_in_mat(in, "kernel", FA_F32, &kh, &kw);
            if (k && !w) {
                if (kh < 1 || kw < 1 || kh > IN_MAX_KERNEL || kw > IN_MAX_KERNEL || kh != kw || kh > t->side)
                    fa_in_bad(in, "kernel of %d x %d on maps of side %d", kh, kw, t->side);
                else if ((size_t)n_in * (size_t)n_out * (size_t)(kh * kw) > in->len / 4)
                    fa_in_bad(in, "%d x %d kernels do not fit the file", n_in, n_out);
                w = fa_in_alloc(in, (size_t)n_in * (size_t)n_out, (size_t)(kh * kw), sizeof *w);
            }
            for (int j = 0; w && k && j < kh * kw; j++)
                w[((size_t)o * (size_t)n_in + (size_t)a) * (size_t)(kh * kw) + (size_t)j] = fa_le_f32(k + 4 * (size_t)j);
        }
    if (!in->failed) {
        add_vector(t, i, bias, n_out, "bias");
        fa_pack_add(t->b, FA_F32, 4, (int[]){ n_out, n_in, kh, kw }, w, "%s/%d/weight", t->prefix, i);
        t->side = t->side - kh + 1;
        set_layer(t, i, CONV, n_in, n_out, kh, kw, 1, 1);
    }
    free(w);
}

static void read_pool(struct net *t, int i)
{
    struct fa_in *in = t->in;
    int k[4] = { 2, 2, 2, 2 };      /* kernel x, y, stride x, y */
    for (int j = 0; j < 4 && !t->validator; j++)
        k[j] = fa_in_count(in, "pooling size", 1, IN_MAX_KERNEL);
    if (in->failed)
        return;
    if (t->side == 0 || k[0] != k[1] || k[2] != k[3] || k[0] > t->side) {
        fa_in_bad(in, "pooling of %d x %d, stride %d x %d, on maps of side %d", k[0], k[1], k[2], k[3], t->side);
        return;
    }
    t->side = (2 * (t->side - k[0]) + k[2]) / (2 * k[2]) + 1;       /* round half up: detection 2.3 */
    set_layer(t, i, POOL, t->n_map, t->n_map, k[1], k[0], k[3], k[2]);
}

/* The file has [n_in, n_out]; here [n_out, n_in], a flattened input running map, row, column. */
static void read_fc(struct net *t, int i)
{
    struct fa_in *in = t->in;
    int n_out = -1, one = 1, n_in = -1;
    const unsigned char *bias = fa_in_mat(in, "bias", FA_F32, &n_out, &one);
    const unsigned char *m = bias ? fa_in_mat(in, "weights", FA_F32, &n_in, &n_out) : NULL;
    if (!m)
        return;
    int side = t->side ? t->side : 1;
    int flat = t->n_map != n_in;
    if (n_in < 1 || n_out < 1 || n_out > IN_MAX_MAPS || (flat && (long)n_in != (long)t->n_map * side * side)) {
        fa_in_bad(in, "fully connected layer of %d x %d on %d maps of side %d", n_in, n_out, t->n_map, side);
        return;
    }
    if (!flat)
        side = 1;
    float *w = fa_in_alloc(in, (size_t)n_in, (size_t)n_out, sizeof *w);
    for (int c = 0; w && c < t->n_map; c++)
        for (int y = 0; y < side; y++)
            for (int x = 0; x < side; x++) {
                size_t from = (size_t)((c * side + x) * side + y), to = (size_t)((c * side + y) * side + x);
                for (int o = 0; o < n_out; o++)
                    w[(size_t)o * (size_t)n_in + to] = fa_le_f32(m + 4 * (from * (size_t)n_out + (size_t)o));
            }
    if (w) {
        add_vector(t, i, bias, n_out, "bias");
        fa_pack_add(t->b, FA_F32, 2, (int[]){ n_out, n_in }, w, "%s/%d/weight", t->prefix, i);
        if (flat)
            t->side = 0;
        set_layer(t, i, FC, n_in, n_out, 0, 0, 0, 0);
    }
    free(w);
}

static void read_prelu(struct net *t, int i)
{
    int n = t->n_map, one = 1;
    if (!t->validator) {
        const unsigned char *m = fa_in_mat(t->in, "slopes", FA_F32, &n, &one);
        if (m)
            add_vector(t, i, m, n, "weight");
    }
    set_layer(t, i, PRELU, n, n, 0, 0, 0, 0);
}

int fa_read_net(struct fa_in *in, struct fa_pack_builder *b, int validator, int n_map, int side, const char *prefix)
{
    struct net t = { .in = in, .b = b, .prefix = prefix, .validator = validator, .n_map = n_map, .side = side };
    int n = fa_in_count(in, "layers", 1, IN_MAX_LAYERS);
    for (int i = 0; i < n && !in->failed; i++) {
        switch (fa_in_count(in, "layer code", CONV, SIGMOID)) {
        case CONV: read_conv(&t, i); break;
        case POOL: read_pool(&t, i); break;
        case FC: read_fc(&t, i); break;
        case PRELU: read_prelu(&t, i); break;
        default: set_layer(&t, i, SIGMOID, t.n_map, t.n_map, 0, 0, 0, 0);
        }
    }
    if (in->failed)
        return 0;
    fa_pack_add(b, FA_I32, 2, (int[]){ n, FIELDS }, t.layer, "%s/layers", prefix);
    return t.n_map;
}

void fa_read_mtcnn(struct fa_in *in, struct fa_pack_builder *b, const char *net, int side)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "mtcnn/%s", net);
    int n = fa_read_net(in, b, 0, 3, side, prefix);
    if (!in->failed && n < 6)       /* two logits and four offsets; more (facial points) are never used */
        fa_in_bad(in, "network with %d outputs, expected 6 or more", n);
}
