/* SPDX-License-Identifier: BSD-2-Clause
 * The aligned face (spec/aus 3): the AU shape model is fitted to the landmarks, a similarity over 24 rigid points turns
 * and scales the frame, and a mask of triangles over the landmarks keeps the face alone. fa-landmarks uses this, as it has
 * the frame; fa-aus works on what comes out. */
#ifndef FA_ALIGN_H
#define FA_ALIGN_H

#include <stdint.h>
#include "fa_err.h"
#include "fa_image.h"
#include "fa_shape.h"

struct fa_pack;

enum { FA_ALIGN_MAX_SIZE = 1024 };

/* What comes out. All zero: the face that the action units need, 112 x 112 at scale 0.7, masked colour. */
struct fa_align_options {
    int size;              /* pixels a side, 0 (112) .. FA_ALIGN_MAX_SIZE */
    double scale;          /* pixels per unit of the shape model; 0: size * (0.7 / 112) */
    int no_mask, gray;
};

/* Fields are for reading. One aligner serves one thread. */
struct fa_aligner {
    struct fa_pdm pdm;
    const int32_t (*triangle)[3]; int n_triangle;
    int size, ch; double scale; int masked;
    float rigid[2][32];                                   /* the 24 rigid points of the mean shape, scaled */
    uint8_t *mask, *bgr;                                  /* of the last face: 1 inside; bgr: scratch for gray output */
    float mask_xy[2][FA_PDM_MAX_POINTS];                  /* landmarks in the aligned face, brows and jaw ends raised */
};
/* options may be NULL. FA_OK, FA_E_MODEL, FA_E_MEM, FA_E_ARG. */
int fa_aligner_open(struct fa_aligner *a, const struct fa_pack *pack, const struct fa_align_options *options, struct fa_err *e);
void fa_aligner_close(struct fa_aligner *a);

/* Fits the AU shape model to 68 landmarks in pixels: x at xy[i], y at xy[plane + i] (spec/aus 3.1). The same fit serves every aligner. */
void fa_align_fit(struct fa_params *p, const struct fa_aligner *a, const float *xy, int plane);
/* Cuts the face out of a frame (3 channels) with that fit and the same landmarks. px: size x size x ch, tight rows; warp: 2 x 3
 * row-major, frame to face. Exact, given the fit. */
void fa_align(uint8_t *px, float warp[6], struct fa_aligner *a, const struct fa_img8 *frame, const float *xy, int plane, const struct fa_params *p);

#endif
