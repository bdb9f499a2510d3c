/* SPDX-License-Identifier: BSD-2-Clause
 * The landmark validator, step by step as in spec/detection 7. Every step but the network is exact: gray values are sums of
 * bytes times 1024ths, kept as integers, so their order cannot matter. */
#include "fa_validator.h"
#include "validator_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa_model.h"

enum { SIDE = VALIDATOR_SIDE };

int validator_nearest(const struct fa_validator *v, float rx, float ry, float rz)
{
    int best = 0;
    double least = 0;
    for (int i = 0; i < v->n_view; i++) {
        const double *a = v->view[i].angle;
        double dx = rx - a[0], dy = ry - a[1], dz = rz - a[2], d = sqrt(dx * dx + dy * dy + dz * dz);
        if (i == 0 || d < least) {
            least = d;
            best = i;
        }
    }
    return best;
}

/* Truncated, and into 0 .. last; NaN gives 0. */
static int cut(float v, int last)
{
    return !(v > 0) ? 0 : v >= (float)last ? last : (int)v;
}

int validator_find_region(struct validator_region *r, const float *xy, int np, const struct fa_img8 *gray)
{
    const float *x = xy, *y = xy + np;
    float x_min = x[0], x_max = x[0], y_min = y[0], y_max = y[0];
    for (int k = 1; k < VALIDATOR_POINTS; k++) {
        x_min = x[k] < x_min ? x[k] : x_min;
        x_max = x[k] > x_max ? x[k] : x_max;
        y_min = y[k] < y_min ? y[k] : y_min;
        y_max = y[k] > y_max ? y[k] : y_max;
    }
    *r = (struct validator_region){ cut(x_min - 3, gray->w - 1), cut(x_max + 3, gray->w - 1), cut(y_min - 3, gray->h - 1), cut(y_max + 3, gray->h - 1) };
    return r->x1 - r->x0 > 1 && r->y1 - r->y0 > 1;
}

/* Affine maps of the triangles, spec 7.3: from the destination frame to the region. */
static void triangle_maps(struct validator_work *k, const struct validator_view *view, const struct validator_region *r, const float *xy, int np)
{
    for (int t = 0; t < view->n_triangle; t++) {
        const int *p = view->triangles + 3 * t;
        const float *alpha = view->alpha + 3 * t, *beta = view->beta + 3 * t;
        float *c = k->coef[t];
        for (int axis = 0; axis < 2; axis++, c += 3) {
            const float *v = xy + axis * np;
            float origin = (float)(axis ? r->y0 : r->x0);
            float a = v[p[0]] - origin, b = (v[p[1]] - origin) - a, d = (v[p[2]] - origin) - a;
            c[0] = (a + b * alpha[0]) + d * beta[0];
            c[1] = b * alpha[1] + d * beta[1];
            c[2] = b * alpha[2] + d * beta[2];
        }
    }
}

/* Position in 1/32 pixel, to nearest even; a landmark that is no number lies outside everything. */
static int quantised(float v)
{
    v *= 32;
    return v > -1e6f && v < 1e6f ? (int)lrintf(v) : -64;
}

static int tap(const uint8_t *px, ptrdiff_t stride, int w, int h, int x, int y)
{
    return x >= 0 && y >= 0 && x < w && y < h ? px[y * stride + x] : 0;
}

void validator_warp(struct validator_work *k, const struct validator_view *view, const struct validator_region *r, const float *xy, int np,
                    const struct fa_img8 *gray)
{
    const uint8_t *px = gray->px + r->y0 * gray->stride + r->x0;
    ptrdiff_t stride = gray->stride;
    int w = r->x1 - r->x0, h = r->y1 - r->y0;
    triangle_maps(k, view, r, xy, np);
    for (int i = 0; i < view->n_pixel; i++) {
        const float *c = k->coef[view->triangle[i]];
        float x = (float)(view->pixel[i] % SIDE) + view->min_x, y = (float)(view->pixel[i] / SIDE) + view->min_y;
        int qx = quantised((c[0] + c[1] * x) + c[2] * y), qy = quantised((c[3] + c[4] * x) + c[5] * y);
        int ix = qx >> 5, iy = qy >> 5, fx = qx & 31, fy = qy & 31, s[4];
        if (ix >= 0 && iy >= 0 && ix < w - 1 && iy < h - 1) {
            const uint8_t *p = px + iy * stride + ix;
            s[0] = p[0]; s[1] = p[1]; s[2] = p[stride]; s[3] = p[stride + 1];
        } else {                                 /* taps outside the region, not the frame, are 0 */
            s[0] = tap(px, stride, w, h, ix, iy);     s[1] = tap(px, stride, w, h, ix + 1, iy);
            s[2] = tap(px, stride, w, h, ix, iy + 1); s[3] = tap(px, stride, w, h, ix + 1, iy + 1);
        }
        k->value[i] = (s[0] * (32 - fx) + s[1] * fx) * (32 - fy) + (s[2] * (32 - fx) + s[3] * fx) * fy;
    }
}

void validator_normalise(struct validator_work *k, const struct validator_view *view)
{
    int64_t sum = 0, square = 0;
    for (int i = 0; i < view->n_pixel; i++) {
        sum += k->value[i];
        square += (int64_t)k->value[i] * k->value[i];
    }
    double per = 1.0 / view->n_pixel, mu = (double)sum / 1024 * per, var = (double)square / 1048576 * per - mu * mu;
    double sd = var > 0 ? sqrt(var) : 0;
    float mean = (float)mu, inverse = (float)(1 / (sd > 0 ? sd : 1));
    memset(k->image, 0, sizeof k->image);
    for (int i = 0; i < view->n_pixel; i++) {
        float u = ((float)k->value[i] * (1 / 1024.0f) - mean) * inverse;
        k->image[view->pixel[i]] = (u - view->mean[i]) / view->std[i];
    }
}

void validator_row(const void *image, float *row, int y)
{
    memcpy(row, (const float *)image + y * SIDE, SIDE * sizeof(float));
}

float validator_decide(struct validator_work *k, const struct validator_view *view)
{
    int n = view->net.n_out, best = 0;
    k->run.net = &view->net;
    fa_net_features(&k->run, k->feature, validator_row, k->image);
    fa_net_dense(&view->net, k->out, k->feature, 1, k->hidden);
    for (int i = 1; i < n; i++)
        if (k->out[i] > k->out[best])
            best = i;
    double step = 2.0 / n, q = -1 + step / 2 + best * step;
    return (float)(0.5 * (1 - q));
}

float fa_validate(struct fa_validator *v, float rx, float ry, float rz, const float *xy, int np, const struct fa_img8 *gray)
{
    const struct validator_view *view = &v->view[validator_nearest(v, rx, ry, rz)];
    struct validator_region r;
    if (!validator_find_region(&r, xy, np, gray))
        return 0;
    validator_warp(v->work, view, &r, xy, np, gray);
    validator_normalise(v->work, view);
    return validator_decide(v->work, view);
}

/* The mask's pixels in row order, from the table of each pixel's triangle. */
static int list_pixels(struct validator_view *w, const int *of_pixel)
{
    int n = 0;
    for (int i = 0; i < VALIDATOR_PIXELS; i++) {
        if (of_pixel[i] < 0)
            continue;
        if (of_pixel[i] >= w->n_triangle || n == w->n_pixel)
            return 0;
        w->pixel[n] = (uint16_t)i;
        w->triangle[n++] = (uint8_t)of_pixel[i];
    }
    return n == w->n_pixel && n > 0;
}

static int open_view(struct validator_view *w, const struct fa_pack *pack, int i, const double *angle, struct fa_err *e)
{
    char prefix[32];
    int t[2] = { -1, 3 }, n = -1;
    memcpy(w->angle, angle, sizeof w->angle);
    w->triangles = fa_pack_need(pack, e, FA_I32, 2, t, "validator/%d/triangles", i);
    w->alpha = w->triangles ? fa_pack_need(pack, e, FA_F32, 2, t, "validator/%d/alpha", i) : NULL;
    w->beta = w->alpha ? fa_pack_need(pack, e, FA_F32, 2, t, "validator/%d/beta", i) : NULL;
    w->mean = w->beta ? fa_pack_need(pack, e, FA_F32, 1, &n, "validator/%d/mean", i) : NULL;
    w->std = w->mean ? fa_pack_need(pack, e, FA_F32, 1, &n, "validator/%d/std", i) : NULL;
    const float *min = w->std ? fa_pack_need(pack, e, FA_F32, 1, (int[]){ 2 }, "validator/%d/min", i) : NULL;
    const int *pixels = min ? fa_pack_need(pack, e, FA_I32, 2, (int[]){ SIDE, SIDE }, "validator/%d/pixels", i) : NULL;
    if (!pixels)
        return FA_E_MODEL;
    w->n_triangle = t[0];
    w->n_pixel = n;
    w->min_x = min[0];
    w->min_y = min[1];
    if (t[0] < 1 || t[0] > VALIDATOR_TRIANGLES || !list_pixels(w, pixels))
        return fa_fail(e, FA_E_MODEL, "validator/%d: %d triangles, %d pixels do not fit the mask", i, t[0], n);
    for (int k = 0; k < 3 * t[0]; k++)
        if (w->triangles[k] < 0 || w->triangles[k] >= VALIDATOR_POINTS)
            return fa_fail(e, FA_E_MODEL, "validator/%d: a triangle of landmark %d", i, w->triangles[k]);
    snprintf(prefix, sizeof prefix, "validator/%d", i);
    return fa_net_open(&w->net, pack, prefix, 1, SIDE, 0, e);
}

/* Scratch for the network, which has the same shape in all views. */
static int open_work(struct fa_validator *v, struct fa_err *e)
{
    const struct fa_net *net = &v->view[0].net;
    for (int i = 0; i < v->n_view; i++) {
        const struct fa_net *other = &v->view[i].net;
        int same = other->n_spatial == net->n_spatial && other->n_dense == net->n_dense && other->n_dense > 0;
        for (int k = 0; same && k < net->n_spatial + net->n_dense; k++) {
            const struct fa_net_layer *a = &net->layer[k], *b = &other->layer[k];
            same = a->kind == b->kind && a->n_out == b->n_out && a->kh == b->kh && a->kw == b->kw && a->sy == b->sy && a->sx == b->sx;
        }
        if (!same)
            return fa_fail(e, FA_E_MODEL, "validator/%d: not the network of the other views", i);
    }
    v->work = aligned_alloc(64, (sizeof *v->work + 63) / 64 * 64);
    if (!v->work)
        return fa_fail_errno(e, FA_E_MEM, "validator");
    memset(v->work, 0, sizeof *v->work);
    struct validator_work *k = v->work;
    size_t run = fa_net_run_bytes(net, SIDE), hidden = fa_net_dense_floats(net, 1);
    size_t floats = (size_t)net->n_feature + hidden + (size_t)net->n_out;
    if (fa_arena_open(&k->arena, run + floats * sizeof(float) + 4 * 64, e) != FA_OK)
        return FA_E_MEM;
    fa_net_run_place(&k->run, net, SIDE, fa_arena_take(&k->arena, run));
    k->feature = fa_arena_f32(&k->arena, (size_t)net->n_feature);
    k->hidden = fa_arena_f32(&k->arena, hidden);
    k->out = fa_arena_f32(&k->arena, (size_t)net->n_out);
    return FA_OK;
}

int fa_validator_open(struct fa_validator *v, const struct fa_pack *pack, struct fa_err *e)
{
    *v = (struct fa_validator){ 0 };
    int d[2] = { -1, 3 };
    const double *angles = fa_pack_need(pack, e, FA_F64, 2, d, "validator/views");
    if (!angles)
        return FA_E_MODEL;
    if (d[0] < 1 || d[0] > 64)
        return fa_fail(e, FA_E_MODEL, "validator: %d views", d[0]);
    v->view = calloc((size_t)d[0], sizeof *v->view);
    if (!v->view)
        return fa_fail_errno(e, FA_E_MEM, "validator");
    v->n_view = d[0];
    int r = FA_OK;
    for (int i = 0; i < d[0] && r == FA_OK; i++)
        r = open_view(&v->view[i], pack, i, angles + 3 * i, e);
    if (r == FA_OK)
        r = open_work(v, e);
    if (r != FA_OK)
        fa_validator_close(v);
    return r;
}

void fa_validator_close(struct fa_validator *v)
{
    for (int i = 0; i < v->n_view; i++)
        fa_net_close(&v->view[i].net);
    if (v->work)
        fa_arena_close(&v->work->arena);
    free(v->work);
    free(v->view);
    *v = (struct fa_validator){ 0 };
}
