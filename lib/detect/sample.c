/* SPDX-License-Identifier: BSD-2-Clause
 * Network inputs straight from the frame: a pyramid level or a crop is resized and normalised row by row, when the network asks
 * for the row. A crop reaches outside the frame as zeros do: a tap there weighs nothing (spec/detection 3.3, 3.4, 3.8). */
#include "detect_internal.h"

static size_t padded(int n)
{
    return ((size_t)n + 15) / 16 * 16;
}

size_t sampler_bytes(int w, int h)
{
    return 4 * (padded(w) + padded(h)) * sizeof(float);
}

void sampler_place(struct sampler *s, int w, int h, void *mem)
{
    size_t nw = padded(w), nh = padded(h);
    unsigned char *p = mem;
    void *ints = p, *floats = p + 2 * (nw + nh) * sizeof(int);
    *s = (struct sampler){ .x0 = ints, .wx0 = floats };
    s->x1 = s->x0 + nw;
    s->y0 = s->x1 + nw;
    s->y1 = s->y0 + nh;
    s->wx1 = s->wx0 + nw;
    s->wy0 = s->wx1 + nw;
    s->wy1 = s->wy0 + nh;
}

/* Tap at patch position i (clamped to the patch) as a frame position; *weight stays only if it lies inside. */
static int tap(int i, int n_patch, int origin, int n_frame, float *weight)
{
    i = i < 0 ? 0 : i > n_patch - 1 ? n_patch - 1 : i;
    int at = origin + i;
    if (at < 0 || at >= n_frame) {
        *weight = 0;
        at = at < 0 ? 0 : n_frame - 1;
    }
    return at;
}

void sampler_set(struct sampler *s, const struct fa_img8 *img, int w, int h, int px, int py, int pw, int ph)
{
    s->img = img;
    fa_resize_taps(s->x0, s->wx1, 0, w, w, pw);
    for (int d = 0; d < w; d++) {
        int i = s->x0[d];
        if (i < 0 || i >= pw - 1)                          /* columns forget the fraction at the border, rows do not */
            s->wx1[d] = 0;
        s->wx0[d] = 1 - s->wx1[d];
        s->x0[d] = tap(i, pw, px, img->w, &s->wx0[d]) * img->ch;
        s->x1[d] = tap(i + 1, pw, px, img->w, &s->wx1[d]) * img->ch;
    }
    fa_resize_taps(s->y0, s->wy1, 0, h, h, ph);
    for (int d = 0; d < h; d++) {
        int j = s->y0[d];
        s->wy0[d] = 1 - s->wy1[d];
        s->y0[d] = tap(j, ph, py, img->h, &s->wy0[d]);
        s->y1[d] = tap(j + 1, ph, py, img->h, &s->wy1[d]);
    }
    s->cols = (struct fa_sample_cols){ .n = w, .end = img->w * img->ch, .x0 = s->x0, .x1 = s->x1, .w0 = s->wx0, .w1 = s->wx1 };
}

/* One channel stands for all three. */
static void gray_row(float *out, const unsigned char *r0, const unsigned char *r1, float v0, float v1, const struct fa_sample_cols *c)
{
    for (int p = 0; p < c->n; p++, out += 3) {
        float top = (float)r0[c->x0[p]] * c->w0[p] + (float)r0[c->x1[p]] * c->w1[p];
        float bottom = (float)r1[c->x0[p]] * c->w0[p] + (float)r1[c->x1[p]] * c->w1[p];
        out[0] = out[1] = out[2] = (top * v0 + bottom * v1) * 0.0078125f - 0.99609375f;
    }
}

void sampler_row(const void *sampler, float *row, int y)
{
    const struct sampler *s = sampler;
    const unsigned char *r0 = s->img->px + s->y0[y] * s->img->stride, *r1 = s->img->px + s->y1[y] * s->img->stride;
    (s->img->ch == 3 ? fa_kern_conv()->sample_row : gray_row)(row, r0, r1, s->wy0[y], s->wy1[y], &s->cols);
}
