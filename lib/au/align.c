/* SPDX-License-Identifier: BSD-2-Clause
 * Alignment of a face (spec/aus 3). */
#include "fa_align.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fa_kern_mask.h"
#include "fa_model.h"

enum { N_POINT = 68, N_RIGID = 24, RIGID_PLANE = 32, SIZE = 112 };

/* Jaw sides, nose, eye corners and lids: what moves little with expression. */
static const int rigid_point[N_RIGID] = { 1, 2, 3, 4, 12, 13, 14, 15, 27, 28, 29, 31, 32, 33, 34, 35, 36, 39, 40, 41, 42, 45, 46, 47 };

int fa_aligner_open(struct fa_aligner *a, const struct fa_pack *pack, const struct fa_align_options *options, struct fa_err *e)
{
    struct fa_align_options o = options ? *options : (struct fa_align_options){ 0 };
    int dim[2] = { -1, 3 };
    *a = (struct fa_aligner){ 0 };
    a->size = o.size ? o.size : SIZE;
    a->scale = o.scale != 0 ? o.scale : a->size == SIZE ? 0.7 : a->size * (0.7 / SIZE);
    a->ch = o.gray ? 1 : 3;
    a->masked = !o.no_mask;
    if (a->size < 1 || a->size > FA_ALIGN_MAX_SIZE || !(a->scale > 0))
        return fa_fail(e, FA_E_ARG, "aligned face of %d pixels at scale %g", o.size, o.scale);

    int r = fa_pdm_attach(&a->pdm, pack, "au", e);
    if (r != FA_OK)
        return r;
    a->triangle = fa_pack_need(pack, e, FA_I32, 2, dim, "au/triangles");
    if (!a->triangle)
        return FA_E_MODEL;
    a->n_triangle = dim[0];
    if (a->pdm.n != N_POINT)
        return fa_fail(e, FA_E_MODEL, "au/pdm: %d points, want %d", a->pdm.n, N_POINT);
    for (int t = 0; t < a->n_triangle; t++)
        for (int i = 0; i < 3; i++)
            if (a->triangle[t][i] < 0 || a->triangle[t][i] >= N_POINT)
                return fa_fail(e, FA_E_MODEL, "au/triangles: landmark %d of %d", (int)a->triangle[t][i], N_POINT);

    const float scale = (float)a->scale;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < N_RIGID; i++)
            a->rigid[k][i] = scale * a->pdm.mean[k * a->pdm.np + rigid_point[i]];
    size_t area = (size_t)a->size * (size_t)a->size;
    a->mask = malloc(area + FA_MASK_SPARE);
    a->bgr = malloc(3 * area);
    if (!a->mask || !a->bgr) {
        fa_aligner_close(a);
        return fa_fail(e, FA_E_MEM, "out of memory");
    }
    return FA_OK;
}

void fa_aligner_close(struct fa_aligner *a)
{
    free(a->mask);
    free(a->bgr);
    a->mask = a->bgr = NULL;
}

void fa_align_fit(struct fa_params *p, const struct fa_aligner *a, const float *xy, int plane)
{
    float l[2 * FA_PDM_MAX_POINTS] = { 0 };
    for (int k = 0; k < 2; k++)
        memcpy(l + k * a->pdm.np, xy + k * plane, N_POINT * sizeof *l);
    fa_pdm_fit(p, &a->pdm, l, NULL, NULL);
}

/* The frame's rigid points onto the model's, with the fit's translation on the middle pixel (spec/aus 3.2 to 3.4). */
static void warp_matrix(float w[6], const struct fa_aligner *a, const float *xy, int plane, const struct fa_params *p)
{
    float src[2][RIGID_PLANE], m[4], back[4];
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < N_RIGID; i++)
            src[k][i] = xy[k * plane + rigid_point[i]];
    fa_similarity(m, back, src[0], a->rigid[0], N_RIGID, RIGID_PLANE);
    const float half = (float)(a->size / 2), tx = p->g.tx, ty = p->g.ty;
    for (int k = 0; k < 2; k++) {
        w[3 * k] = m[2 * k];
        w[3 * k + 1] = m[2 * k + 1];
        w[3 * k + 2] = -(m[2 * k] * tx + m[2 * k + 1] * ty) + half;
    }
}

/* QUIRK aus-09: the jaw's ends go up together with the brows, to keep the forehead. */
static int raised(int point) { return point == 0 || point == 16 || (point >= 17 && point <= 26); }

static void make_mask(struct fa_aligner *a, const float w[6], const float *xy, int plane)
{
    const struct fa_kern_mask *kern = fa_kern_mask();
    const double raise = 30 / 0.7 * a->scale;
    for (int i = 0; i < N_POINT; i++) {
        double x = xy[i], y = xy[plane + i];
        a->mask_xy[0][i] = (float)(x * w[0] + y * w[1]) + w[2];
        a->mask_xy[1][i] = (float)(x * w[3] + y * w[4]) + w[5];
        if (raised(i))
            a->mask_xy[1][i] = (float)(a->mask_xy[1][i] - raise);
    }
    memset(a->mask, 0, (size_t)a->size * (size_t)a->size + FA_MASK_SPARE);
    for (int t = 0; t < a->n_triangle; t++) {
        float x[3], y[3];
        for (int i = 0; i < 3; i++) {
            x[i] = a->mask_xy[0][a->triangle[t][i]];
            y[i] = a->mask_xy[1][a->triangle[t][i]];
        }
        kern->triangle(a->mask, a->size, x, y);
    }
}

void fa_align(uint8_t *px, float warp[6], struct fa_aligner *a, const struct fa_img8 *frame, const float *xy, int plane, const struct fa_params *p)
{
    struct fa_img8 colour = { a->ch == 3 ? px : a->bgr, 3 * a->size, a->size, a->size, 3 };
    assert(frame->ch == 3);
    warp_matrix(warp, a, xy, plane, p);
    if (a->masked)
        make_mask(a, warp, xy, plane);
    fa_warp_affine_u8_masked(&colour, frame, warp, a->masked ? a->mask : NULL);
    if (a->ch == 1)
        fa_gray_from_bgr(&(struct fa_img8){ px, a->size, a->size, a->size, 1 }, &colour);
}
