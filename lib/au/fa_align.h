/* SPDX-License-Identifier: BSD-2-Clause
 * The aligned face (spec/aus 3): the AU shape model is fitted to the landmarks, a similarity over 24 rigid points turns
 * and scales the frame, and a mask of triangles over the landmarks keeps the face alone. fa-landmarks uses this, as it has
 * the frame; fa-aus works on what comes out.
 *
 * Landmarks are xy[2][np] pixels with np of the aligner's shape model (68 points, np 80). */
#ifndef FA_ALIGN_H
#define FA_ALIGN_H

#include <stdint.h>
#include "fa_err.h"
#include "fa_image.h"
#include "fa_shape.h"
#include "fa_stream.h"

struct fa_pack;

/* What an aligned face looks like: size pixels a side (1 .. FA_MAX_CROP), scale in pixels per unit of the shape model. */
struct fa_align_look { int size; double scale; int mask, gray; };
/* What the action units need: 112 pixels, 0.7, masked, colour. */
struct fa_align_look fa_align_look_default(void);

/* Fields are for reading. One aligner serves one thread. */
struct fa_aligner {
    struct fa_pdm pdm;
    const int32_t (*triangle)[3]; int n_triangle;
    struct fa_params fit;                                 /* of the face cut last by fa_align_crop */
    float mask_xy[2][FA_PDM_MAX_POINTS];                  /* landmarks in the last aligned face, brows and jaw ends raised */
    uint8_t *mask; size_t mask_cap;                       /* size x size, 1 inside */
    uint8_t *face, *picture; size_t face_cap, picture_cap;
};
/* FA_OK, FA_E_MODEL, FA_E_MEM. */
int fa_aligner_open(struct fa_aligner *a, const struct fa_pack *pack, struct fa_err *e);
void fa_aligner_close(struct fa_aligner *a);

/* Fits the AU shape model to the landmarks (spec/aus 3.1). */
void fa_align_fit(struct fa_params *p, const struct fa_aligner *a, const float *xy);
/* Cuts the face out of a frame (3 channels), given that fit. px: size x size x (1 or 3) bytes in tight rows; warp: 2 x 3 row-major, frame to
 * face. Exact. FA_OK, FA_E_ARG (look), FA_E_MEM. */
int fa_align_face(uint8_t *px, float warp[6], struct fa_aligner *a, const struct fa_align_look *look, const struct fa_img8 *frame,
                  const float *xy, const struct fa_params *p, struct fa_err *e);

/* Fit and face for the action units as a CROP record, which points into the aligner until its next call. frame NULL: a face that
 * the model does not accept (video): valid 0, all zeros. */
int fa_align_crop(struct fa_crop *crop, struct fa_aligner *a, const struct fa_img8 *frame, const float *xy, struct fa_err *e);
/* Writes the face given to fa_align_crop last as BMP with another look (spec/output 10); frame NULL: black. FA_OK, FA_E_IO, FA_E_ARG,
 * FA_E_MEM. */
int fa_align_picture(struct fa_aligner *a, const struct fa_align_look *look, const struct fa_img8 *frame, const float *xy, const char *path,
                     struct fa_err *e);

#endif
