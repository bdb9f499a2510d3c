/* SPDX-License-Identifier: BSD-2-Clause
 * SVR patch experts of one scale, text (LM 3.3): two modalities each, raw intensity and gradient. */
#include "import_internal.h"

#include <stdlib.h>

enum { MODALITIES = 2, SIDE = 11, TAPS = SIDE * SIDE };

static void read_header(struct fa_in *in, struct fa_views *v, int n)
{
    int three = 3, one = 1;
    fa_in_comments(in);
    v->scale = fa_in_number(in, "scale");
    if (!in->failed && !(v->scale > 0.01 && v->scale < 100))
        fa_in_bad(in, "scale %g", v->scale);
    fa_in_comments(in);
    v->n_view = fa_in_integer(in, "views", 1, IN_MAX_VIEWS);
    fa_in_comments(in);
    for (int i = 0; i < v->n_view && !in->failed; i++) {
        double *m = fa_in_text_mat(in, "view centre", FA_F64, &three, &one);
        for (int a = 0; m && a < 3; a++)
            v->centre[i][a] = m[a];
        free(m);
    }
    fa_in_comments(in);
    for (int i = 0; i < v->n_view && !in->failed; i++) {
        double *m = fa_in_text_mat(in, "visibility", FA_I32, &n, &one);
        for (int j = 0; m && j < n; j++) {
            if (m[j] != 0 && m[j] != 1)
                fa_in_bad(in, "visibility %g, not 0 or 1", m[j]);
            v->visible[i][j] = m[j] != 0;
        }
        free(m);
    }
    fa_in_comments(in);
}

/* One expert. The matrix is in MATLAB's order: W[y][x] = file[x][y]. */
static void read_expert(struct fa_in *in, int32_t *type, double *params, float *weights, float *confidence)
{
    double sum = 0;
    fa_in_integer(in, "expert's tag", 3, 3);
    fa_in_integer(in, "expert's width", SIDE, SIDE);
    fa_in_integer(in, "expert's height", SIDE, SIDE);
    fa_in_integer(in, "modalities", MODALITIES, MODALITIES);
    for (int m = 0; m < MODALITIES && !in->failed; m++) {
        int side = SIDE;
        fa_in_integer(in, "modality's tag", 2, 2);
        type[m] = fa_in_integer(in, "modality's type", 0, 1);
        params[3 * m] = fa_in_number(in, "confidence");
        params[3 * m + 1] = fa_in_number(in, "scaling");
        params[3 * m + 2] = fa_in_number(in, "bias");
        sum += params[3 * m];
        double *w = fa_in_text_mat(in, "weights", FA_F32, &side, &side);
        for (int y = 0; w && y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                weights[m * TAPS + y * SIDE + x] = (float)w[x * SIDE + y];
        free(w);
    }
    *confidence = (float)sum;
}

double fa_read_svr(struct fa_in *in, struct fa_pack_builder *b, const char *prefix, int k, int n)
{
    struct fa_views *v = fa_in_alloc(in, 1, 1, sizeof *v);
    double scale = 0, *params = NULL;
    int32_t *type = NULL;
    float *weights = NULL, *confidence = NULL;
    if (!v)
        return 0;
    read_header(in, v, n);
    size_t all = (size_t)v->n_view * (size_t)n;
    if (!in->failed && all > (in->len - in->at) / (2 * TAPS))
        fa_in_bad(in, "cut short: %zu experts expected", all);
    type = fa_in_alloc(in, all, MODALITIES, sizeof *type);
    params = fa_in_alloc(in, all, MODALITIES * 3, sizeof *params);
    weights = fa_in_alloc(in, all, MODALITIES * TAPS, sizeof *weights);
    confidence = fa_in_alloc(in, all, 1, sizeof *confidence);
    for (size_t i = 0; i < all && !in->failed; i++)
        read_expert(in, type + i * MODALITIES, params + i * MODALITIES * 3, weights + i * MODALITIES * TAPS, confidence + i);
    if (!in->failed) {
        scale = v->scale;
        fa_add_views(b, v, n, prefix, k);
        fa_pack_add(b, FA_F32, 2, (int[]){ v->n_view, n }, confidence, "%s/experts/%d/confidence", prefix, k);
        fa_pack_add(b, FA_I32, 3, (int[]){ v->n_view, n, MODALITIES }, type, "%s/experts/%d/svr/type", prefix, k);
        fa_pack_add(b, FA_F64, 4, (int[]){ v->n_view, n, MODALITIES, 3 }, params, "%s/experts/%d/svr/params", prefix, k);
        fa_pack_add(b, FA_F32, 4, (int[]){ v->n_view, n, MODALITIES, TAPS }, weights, "%s/experts/%d/svr/weights", prefix, k);
    }
    free(type);
    free(params);
    free(weights);
    free(confidence);
    free(v);
    return scale;
}
