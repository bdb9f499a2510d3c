/* SPDX-License-Identifier: BSD-2-Clause
 * The area-of-interest warp (spec/landmark-models 4.4): positions in fixed point as the reference's warpAffine makes them, the
 * sampling itself in lib/kern/warpf.c. Only a warp that reaches over the image's border looks at every tap. */
#include "fa_image.h"

#include <assert.h>
#include <math.h>

#include "fa_kern_warpf.h"

/* Far outside any image, and the sum of two still fits into an int. */
static const double LIMIT = 1 << 29;

/* Round half to even into an int; what cannot be a position of an image (also NaN) becomes the limit. */
static int32_t fixed(double v)
{
    if (!(v > -LIMIT))
        return -(1 << 29);
    return v < LIMIT ? (int32_t)lrint(v) : 1 << 29;
}

static void make_grid(struct fa_warpf_grid *g, int w, int h, const float m[6])
{
    for (int i = 0; i < w; i++) {
        g->col_x[i] = fixed((double)m[0] * i * 1024);
        g->col_y[i] = fixed((double)m[3] * i * 1024);
    }
    for (int i = w; i < ((w + 15) & ~15); i++) {
        g->col_x[i] = g->col_x[w - 1];
        g->col_y[i] = g->col_y[w - 1];
    }
    for (int j = 0; j < h; j++) {
        g->row_x[j] = fixed(((double)m[1] * j + m[2]) * 1024) + 16;
        g->row_y[j] = fixed(((double)m[4] * j + m[5]) * 1024) + 16;
    }
}

/* Lowest and highest of a[i] + b[j], whole pixels; both run monotonically. */
static void range(int *lo, int *hi, const int32_t *a, int na, const int32_t *b, int nb)
{
    const int a0 = a[0] < a[na - 1] ? a[0] : a[na - 1], a1 = a[0] < a[na - 1] ? a[na - 1] : a[0];
    const int b0 = b[0] < b[nb - 1] ? b[0] : b[nb - 1], b1 = b[0] < b[nb - 1] ? b[nb - 1] : b[0];
    *lo = (a0 + b0) >> 10;
    *hi = (a1 + b1) >> 10;
}

static int tap(const struct fa_img8 *s, int x, int y)
{
    return x >= 0 && y >= 0 && x < s->w && y < s->h ? s->px[y * s->stride + x] : 0;
}

static void over_border(struct fa_imgf *dst, const struct fa_img8 *s, const struct fa_warpf_grid *g)
{
    for (int j = 0; j < dst->h; j++)
        for (int i = 0; i < dst->w; i++) {
            const int px = (g->col_x[i] + g->row_x[j]) >> 5, py = (g->col_y[i] + g->row_y[j]) >> 5;
            const int fx = px & 31, fy = py & 31, x = px >> 5, y = py >> 5;
            const int top = tap(s, x, y) * (32 - fx) + tap(s, x + 1, y) * fx;
            const int bottom = tap(s, x, y + 1) * (32 - fx) + tap(s, x + 1, y + 1) * fx;
            dst->px[j * dst->stride + i] = (float)(top * (32 - fy) + bottom * fy) * (1.0f / 1024);
        }
}

void fa_warp_inverse_f32(struct fa_imgf *dst, const struct fa_img8 *gray, const float m[6])
{
    struct fa_warpf_grid g;
    int x0, x1, y0, y1;
    assert(gray->ch == 1 && dst->w >= 1 && dst->h >= 1 && dst->w <= FA_WARPF_MAX && dst->h <= FA_WARPF_MAX);
    make_grid(&g, dst->w, dst->h, m);
    range(&x0, &x1, g.col_x, dst->w, g.row_x, dst->h);
    range(&y0, &y1, g.col_y, dst->w, g.row_y, dst->h);
    /* The kernel reads four bytes at each of a position's two rows, and writes whole vectors. */
    if (x0 >= 0 && y0 >= 0 && x1 + 3 < gray->w && y1 + 1 < gray->h && dst->stride >= ((dst->w + 7) & ~7))
        fa_kern_warpf()->inside(dst->px, dst->stride, dst->w, dst->h, gray->px, gray->stride, &g);
    else
        over_border(dst, gray, &g);
}
