/* SPDX-License-Identifier: BSD-2-Clause
 * Small convolutional networks (spec/detection 2) as the face detector and the landmark validator use them: valid
 * convolutions of stride 1 with a fused (P)ReLU, max-pools, and fully connected layers.
 *
 * Maps are [h][w][c]. A network has two parts:
 *
 *      source row -> [conv|pool] -> .. -> [conv|pool] -> feature map [h][w][c] -> [dense] -> .. -> [dense] -> outputs
 *                    spatial part, any width and height          flattened: dense part, many inputs at once
 *
 * The spatial part runs row by row: asking for an output row makes the rows it needs, each once, kept in rings that hold no
 * more rows than the next layer's window; so the working set stays in the cache whatever the image's size. A fully connected
 * layer over a whole map is a convolution whose window is the map; the first one opens the dense part, where the inputs of
 * several crops share each weight that is loaded. */
#ifndef FA_NET_H
#define FA_NET_H

#include <stddef.h>
#include "fa_arena.h"
#include "fa_err.h"
#include "fa_kern_conv.h"

struct fa_pack;

enum fa_net_kind { FA_NET_CONV, FA_NET_POOL };
enum { FA_NET_MAX_LAYERS = 16 };

struct fa_net_layer {
    enum fa_net_kind kind;
    int n_in, n_out, kh, kw, sy, sx;             /* channels, window, stride (conv: 1) */
    struct fa_conv_weights weights;              /* conv */
};

struct fa_net {
    int n_spatial, n_dense;                      /* layers: spatial ones first */
    int n_in, n_feature, n_out;                  /* input channels; floats that one crop gives the dense part; outputs */
    int side;                                    /* nominal input: side x side */
    struct fa_net_layer layer[FA_NET_MAX_LAYERS];
    struct fa_arena arena;                       /* weights in the kernels' order */
};

/* Reads PREFIX/layers and their weights ("mtcnn/rnet", "validator/3") for inputs of side x side pixels and n_in channels, and
 * puts the weights in the kernels' order. FA_OK; FA_E_MODEL (missing, sizes that do not fit together, a layer kind that
 * the reference's files do not have); FA_E_MEM. max_layer > 0 stops after so many layers of the file (for tests). */
int fa_net_open(struct fa_net *net, const struct fa_pack *pack, const char *prefix, int n_in, int side, int max_layer, struct fa_err *e);
void fa_net_close(struct fa_net *net);

/* Turns the size of an input into the size of the spatial part's, or one spatial layer's, output; 0 x 0 when it is too small. */
void fa_net_size(const struct fa_net *net, int *w, int *h);
void fa_net_layer_size(const struct fa_net_layer *layer, int *w, int *h);

/* Writes row y of the input, [w][n_in]. */
typedef void fa_net_source_fn(const void *source, float *row, int y);

/* One running spatial part: scratch of its own, so one a thread. */
struct fa_net_run {
    const struct fa_net *net;
    int max_w;
    fa_net_source_fn *make_row; const void *source;
    struct fa_net_map { float *ring; int n_row, w, h, c, next; } map[FA_NET_MAX_LAYERS + 1];   /* [0]: input */
};
/* Bytes of scratch for inputs up to max_w pixels wide, and its placing into mem (64-byte aligned, of that size). */
size_t fa_net_run_bytes(const struct fa_net *net, int max_w);
void fa_net_run_place(struct fa_net_run *run, const struct fa_net *net, int max_w, void *mem);
/* Starts on an input of w x h (w <= max_w); output rows will be asked for from y0 on, in rising order. */
void fa_net_start(struct fa_net_run *run, int w, int h, int y0, fa_net_source_fn *make_row, const void *source);
/* Output row y, [w_out][c]; valid until the next call. */
const float *fa_net_row(struct fa_net_run *run, int y);
/* Runs the spatial part over one input of side x side and stores the flattened map: n_feature floats. */
void fa_net_features(struct fa_net_run *run, float *feature, fa_net_source_fn *make_row, const void *source);

/* The dense part on n inputs: out[n][n_out] from feature[n][n_feature]; without dense layers a copy. scratch: fa_net_dense_floats(net, n). */
void fa_net_dense(const struct fa_net *net, float *out, const float *feature, int n, float *scratch);
size_t fa_net_dense_floats(const struct fa_net *net, int n);

#endif
