/* SPDX-License-Identifier: BSD-2-Clause
 * The landmark validator (detection 6): a destination frame, a piecewise affine map and a network for each view. */
#include "import_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "fa_le.h"

enum { SIDE = 60, PIXELS = SIDE * SIDE };

static void add_f32(struct fa_in *in, struct fa_pack_builder *b, const unsigned char *raw, const int *order, int rows, int cols, int view, const char *what)
{
    int n = rows * cols;
    float *v = fa_in_alloc(in, (size_t)n, 1, sizeof *v);
    for (int i = 0; v && i < n; i++)
        v[i] = (float)fa_le_f64(raw + 8 * (size_t)(order ? order[i] : i));
    if (v && rows == 1)
        fa_pack_add(b, FA_F32, 1, &cols, v, "validator/%d/%s", view, what);
    else if (v)
        fa_pack_add(b, FA_F32, 2, (int[]){ rows, cols }, v, "validator/%d/%s", view, what);
    free(v);
}

/* order[i]: where the i-th mask pixel in row order stands in the file's column order. */
static void column_order(int order[PIXELS], const int32_t pixels[PIXELS])
{
    static const int none = -1;
    int at[PIXELS], n = 0, k = 0;
    for (int x = 0; x < SIDE; x++)
        for (int y = 0; y < SIDE; y++)
            at[y * SIDE + x] = pixels[y * SIDE + x] >= 0 ? n++ : none;
    for (int i = 0; i < PIXELS; i++)
        if (at[i] >= 0)
            order[k++] = at[i];
}

static void read_view(struct fa_in *in, struct fa_pack_builder *b, int view)
{
    char prefix[32];
    int one = 1, n = -1, side = SIDE, lm = 2 * IN_N_LANDMARK, three = 3, t = -1;
    int32_t pixels[PIXELS], triangles[IN_MAX_TRIANGLES * 3];
    int order[PIXELS], in_mask = 0;

    snprintf(prefix, sizeof prefix, "validator/%d", view);
    const unsigned char *mean = fa_in_mat(in, "mean", FA_F64, &one, &n);
    const unsigned char *std = fa_in_mat(in, "standard deviation", FA_F64, &one, &n);
    int bins = fa_read_net(in, b, 1, 1, SIDE, prefix);
    if (!in->failed && (bins < 1 || bins > 1000))
        fa_in_bad(in, "network with %d outputs", bins);
    fa_in_count(in, "mask pixels", n, n);
    const unsigned char *min = in->base + in->at;
    fa_in_f64(in);
    fa_in_f64(in);
    const unsigned char *dest = fa_in_mat(in, "destination landmarks", FA_F64, &lm, &one);
    const unsigned char *tri = fa_in_mat(in, "triangles", FA_I32, &t, &three);
    if (tri && (t < 1 || t > IN_MAX_TRIANGLES))
        fa_in_bad(in, "%d triangles", t);
    const unsigned char *px = fa_in_mat(in, "triangle of each pixel", FA_I32, &side, &side);
    const unsigned char *mask = fa_in_mat(in, "mask", FA_I32, &side, &side);
    const unsigned char *alpha = fa_in_mat(in, "alpha", FA_F64, &t, &three);
    const unsigned char *beta = fa_in_mat(in, "beta", FA_F64, &t, &three);
    if (in->failed)
        return;

    for (int i = 0; i < 3 * t; i++) {
        triangles[i] = fa_le_i32(tri + 4 * i);
        if (triangles[i] < 0 || triangles[i] >= IN_N_LANDMARK)
            fa_in_bad(in, "triangle %d names landmark %d of %d", i / 3, (int)triangles[i], IN_N_LANDMARK);
    }
    for (int i = 0; i < PIXELS; i++) {
        pixels[i] = fa_le_i32(px + 4 * i);
        if (pixels[i] < -1 || pixels[i] >= t)
            fa_in_bad(in, "pixel %d in triangle %d of %d", i, (int)pixels[i], t);
        if (fa_le_i32(mask + 4 * i) != (pixels[i] >= 0))
            fa_in_bad(in, "mask and triangles differ at pixel %d", i);
        in_mask += pixels[i] >= 0;
    }
    if (!in->failed && in_mask != n)
        fa_in_bad(in, "%d pixels in the mask, %d in the mean", in_mask, n);
    for (int i = 0; i < n && !in->failed; i++)
        if (!((float)fa_le_f64(std + 8 * i) > 0))
            fa_in_bad(in, "standard deviation %d is not positive", i);
    if (in->failed)
        return;
    column_order(order, pixels);
    add_f32(in, b, mean, order, 1, n, view, "mean");
    add_f32(in, b, std, order, 1, n, view, "std");
    add_f32(in, b, min, NULL, 1, 2, view, "min");
    add_f32(in, b, dest, NULL, 2, IN_N_LANDMARK, view, "dest");
    add_f32(in, b, alpha, NULL, t, 3, view, "alpha");
    add_f32(in, b, beta, NULL, t, 3, view, "beta");
    fa_pack_add(b, FA_I32, 2, (int[]){ t, 3 }, triangles, "%s/triangles", prefix);
    fa_pack_add(b, FA_I32, 2, (int[]){ SIDE, SIDE }, pixels, "%s/pixels", prefix);
}

void fa_read_validator(struct fa_in *in, struct fa_pack_builder *b)
{
    double views[IN_MAX_VIEWS][3];
    int three = 3, one = 1;
    fa_in_count(in, "validator's type", 3, 3);
    int n = fa_in_count(in, "views", 1, IN_MAX_VIEWS);
    for (int i = 0; i < n && !in->failed; i++) {
        const unsigned char *m = fa_in_mat(in, "orientation", FA_F64, &three, &one);
        for (int a = 0; m && a < 3; a++)
            views[i][a] = fa_le_f64(m + 8 * a) * (3.14159265358979323846 / 180.0);
    }
    for (int i = 0; i < n && !in->failed; i++)
        read_view(in, b, i);
    if (!in->failed)
        fa_pack_add(b, FA_F64, 2, (int[]){ n, 3 }, views, "validator/views");
}
