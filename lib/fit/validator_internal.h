/* SPDX-License-Identifier: BSD-2-Clause
 * Steps of the validator, for its own files and the stage test. Images are 60 x 60, row-major. */
#ifndef VALIDATOR_INTERNAL_H
#define VALIDATOR_INTERNAL_H

#include <stdint.h>
#include "fa_net.h"
#include "fa_validator.h"

enum { VALIDATOR_SIDE = 60, VALIDATOR_PIXELS = VALIDATOR_SIDE * VALIDATOR_SIDE, VALIDATOR_POINTS = 68, VALIDATOR_TRIANGLES = 256 };

/* One head orientation. Pixel lists run over the mask in row order. */
struct validator_view {
    double angle[3];                             /* radians */
    int n_triangle, n_pixel;
    const int *triangles;                        /* [n_triangle][3] landmarks */
    const float *alpha, *beta;                   /* [n_triangle][3] */
    const float *mean, *std;                     /* [n_pixel] */
    float min_x, min_y;
    uint16_t pixel[VALIDATOR_PIXELS];            /* place in the image */
    uint8_t triangle[VALIDATOR_PIXELS];
    struct fa_net net;
};

/* Columns x0 .. x1-1 and rows y0 .. y1-1 of the frame. */
struct validator_region { int x0, x1, y0, y1; };

struct validator_work {
    float coef[VALIDATOR_TRIANGLES][6];          /* the maps of the triangles */
    int32_t value[VALIDATOR_PIXELS];             /* mask pixels, 1024ths of a gray level */
    _Alignas(64) float image[VALIDATOR_PIXELS];  /* normalised, 0 outside the mask */
    struct fa_net_run run;
    float *feature, *hidden, *out;
    struct fa_arena arena;
};

/* View nearest to a rotation; first of equals. */
int validator_nearest(const struct fa_validator *v, float rx, float ry, float rz);
/* Region of the landmarks; 0: empty. */
int validator_find_region(struct validator_region *r, const float *xy, int np, const struct fa_img8 *gray);
/* Gray values under the mask, into work->value. */
void validator_warp(struct validator_work *k, const struct validator_view *view, const struct validator_region *r, const float *xy, int np,
                    const struct fa_img8 *gray);
/* work->value to work->image. */
void validator_normalise(struct validator_work *k, const struct validator_view *view);
/* work->image through the network into work->out; returns the certainty. */
float validator_decide(struct validator_work *k, const struct validator_view *view);
/* fa_net_source_fn of a 60 x 60 image. */
void validator_row(const void *image, float *row, int y);

#endif
