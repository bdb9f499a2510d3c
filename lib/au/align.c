/* SPDX-License-Identifier: BSD-2-Clause
 * Alignment of a face (spec/aus 3). */
#include "fa_align.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fa_au.h"
#include "fa_kern_mask.h"
#include "fa_model.h"

enum { N_POINT = 68, N_RIGID = 24, RIGID_PLANE = 32, SIZE = FA_AU_SIDE };

/* Jaw sides, nose, eye corners and lids: what moves little with expression. */
static const int rigid_point[N_RIGID] = { 1, 2, 3, 4, 12, 13, 14, 15, 27, 28, 29, 31, 32, 33, 34, 35, 36, 39, 40, 41, 42, 45, 46, 47 };

struct fa_align_look fa_align_look_default(void)
{
    return (struct fa_align_look){ .size = SIZE, .scale = 0.7, .mask = 1 };
}

static int reserve(uint8_t **p, size_t *cap, size_t need, struct fa_err *e)
{
    if (need <= *cap)
        return FA_OK;
    free(*p);
    *p = malloc(need);
    *cap = *p ? need : 0;
    return *p ? FA_OK : fa_fail(e, FA_E_MEM, "out of memory: an aligned face of %zu bytes", need);
}

static int reserve_mask(struct fa_aligner *a, size_t size, struct fa_err *e)
{
    return reserve(&a->mask, &a->mask_cap, size * size + FA_MASK_SPARE, e);
}

int fa_aligner_open(struct fa_aligner *a, const struct fa_pack *pack, struct fa_err *e)
{
    int dim[2] = { -1, 3 };
    *a = (struct fa_aligner){ 0 };
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
    r = reserve_mask(a, SIZE, e);
    if (r == FA_OK)
        r = reserve(&a->face, &a->face_cap, 3 * SIZE * SIZE, e);
    if (r != FA_OK)
        fa_aligner_close(a);
    return r;
}

void fa_aligner_close(struct fa_aligner *a)
{
    free(a->mask);
    free(a->face);
    free(a->picture);
    *a = (struct fa_aligner){ 0 };
}

void fa_align_fit(struct fa_params *p, const struct fa_aligner *a, const float *xy)
{
    fa_pdm_fit(p, &a->pdm, xy, NULL, NULL);
}

/* The frame's rigid points onto the model's, with the fit's translation on the middle pixel (spec/aus 3.2 to 3.4). */
static void warp_matrix(float w[6], const struct fa_aligner *a, const struct fa_align_look *look, const float *xy, const struct fa_params *p)
{
    const int np = a->pdm.np;
    const float scale = (float)look->scale, half = (float)(look->size / 2), tx = p->g.tx, ty = p->g.ty;
    float src[2][RIGID_PLANE], dst[2][RIGID_PLANE], m[4], back[4];
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < N_RIGID; i++) {
            src[k][i] = xy[k * np + rigid_point[i]];
            dst[k][i] = scale * a->pdm.mean[k * np + rigid_point[i]];
        }
    fa_similarity(m, back, src[0], dst[0], N_RIGID, RIGID_PLANE);
    for (int k = 0; k < 2; k++) {
        w[3 * k] = m[2 * k];
        w[3 * k + 1] = m[2 * k + 1];
        w[3 * k + 2] = -(m[2 * k] * tx + m[2 * k + 1] * ty) + half;
    }
}

/* QUIRK aus-09: the jaw's ends go up together with the brows, to keep the forehead. */
static int raised(int point) { return point == 0 || point == 16 || (point >= 17 && point <= 26); }

static void make_mask(struct fa_aligner *a, const struct fa_align_look *look, const float w[6], const float *xy)
{
    const struct fa_kern_mask *kern = fa_kern_mask();
    const size_t size = (size_t)look->size;
    const double raise = 30 / 0.7 * look->scale;
    for (int i = 0; i < N_POINT; i++) {
        double x = xy[i], y = xy[a->pdm.np + i];
        a->mask_xy[0][i] = (float)(x * w[0] + y * w[1]) + w[2];
        a->mask_xy[1][i] = (float)(x * w[3] + y * w[4]) + w[5];
        if (raised(i))
            a->mask_xy[1][i] = (float)(a->mask_xy[1][i] - raise);
    }
    memset(a->mask, 0, size * size + FA_MASK_SPARE);
    for (int t = 0; t < a->n_triangle; t++) {
        float x[3], y[3];
        for (int i = 0; i < 3; i++) {
            x[i] = a->mask_xy[0][a->triangle[t][i]];
            y[i] = a->mask_xy[1][a->triangle[t][i]];
        }
        kern->triangle(a->mask, look->size, x, y);
    }
}

int fa_align_face(uint8_t *px, float warp[6], struct fa_aligner *a, const struct fa_align_look *look, const struct fa_img8 *frame,
                  const float *xy, const struct fa_params *p, struct fa_err *e)
{
    const int size = look->size;
    int r;
    assert(frame->ch == 3);
    if (size < 1 || size > FA_MAX_CROP || !(look->scale > 0))
        return fa_fail(e, FA_E_ARG, "aligned face of %d pixels at scale %g", size, look->scale);
    if ((r = reserve_mask(a, (size_t)size, e)) != FA_OK ||
        (look->gray && (r = reserve(&a->face, &a->face_cap, 3 * (size_t)size * (size_t)size, e)) != FA_OK))
        return r;
    struct fa_img8 colour = { look->gray ? a->face : px, 3 * size, size, size, 3 };
    warp_matrix(warp, a, look, xy, p);
    if (look->mask)
        make_mask(a, look, warp, xy);
    fa_warp_affine_u8_masked(&colour, frame, warp, look->mask ? a->mask : NULL);
    if (look->gray)
        fa_gray_from_bgr(&(struct fa_img8){ px, size, size, size, 1 }, &colour);
    return FA_OK;
}

int fa_align_crop(struct fa_crop *crop, struct fa_aligner *a, const struct fa_img8 *frame, const float *xy, struct fa_err *e)
{
    const struct fa_align_look look = fa_align_look_default();
    *crop = (struct fa_crop){ .size = SIZE, .ch = 3, .scale = (float)look.scale, .m = a->pdm.m, .local = a->fit.q };
    a->fit = (struct fa_params){ 0 };
    if (!frame)
        return FA_OK;
    fa_align_fit(&a->fit, a, xy);
    const struct fa_global *g = &a->fit.g;
    const float global[6] = { g->s, g->rx, g->ry, g->rz, g->tx, g->ty };
    memcpy(crop->global, global, sizeof global);
    crop->valid = 1;
    crop->px = a->face;
    return fa_align_face(a->face, crop->warp, a, &look, frame, xy, &a->fit, e);
}

int fa_align_picture(struct fa_aligner *a, const struct fa_align_look *look, const struct fa_img8 *frame, const float *xy, const char *path,
                     struct fa_err *e)
{
    const int size = look->size, ch = look->gray ? 1 : 3;
    const size_t bytes = (size_t)size * (size_t)size * (size_t)ch;
    float warp[6];
    int r = reserve(&a->picture, &a->picture_cap, bytes, e);
    if (r != FA_OK)
        return r;
    memset(a->picture, 0, bytes);
    if (frame && (r = fa_align_face(a->picture, warp, a, look, frame, xy, &a->fit, e)) != FA_OK)
        return r;
    return fa_bmp_write(path, &(struct fa_img8){ a->picture, (ptrdiff_t)size * ch, size, size, ch }, e);
}
