/* SPDX-License-Identifier: BSD-2-Clause
 * Steps of the cascade, one by one; shared by the room's files and the stage test. */
#ifndef DETECT_INTERNAL_H
#define DETECT_INTERNAL_H

#include <stdint.h>
#include "fa_detect.h"

/* A candidate: box in pixels, score, offsets left, top, right, bottom relative to the box. */
struct cand { float x, y, w, h, score, off[4]; };

/* --- boxes.c ------------------------------------------------------------------------------------------------------------ */

enum nms_mode { NMS_UNION, NMS_MIN };
/* Scratch for lists of up to cap candidates. */
struct nms_room { int cap; uint64_t *by_score, *by_x; unsigned char *dropped; };
size_t nms_room_bytes(int cap);
void nms_room_place(struct nms_room *room, int cap, void *mem);
/* Non-maximum suppression of in[n] (spec 3.6): kept candidates by falling score into out; returns their number. */
int nms(struct cand *out, const struct cand *in, int n, float threshold, enum nms_mode mode, struct nms_room *room);

/* Moves a box by its offsets; grow: w and h count one more pixel (spec 3.7). */
void box_correct(struct cand *c, int grow);
void box_square(struct cand *c);
/* Extent of the 68 landmarks from the detector's box (spec 3.9, step 7); k: struct fa_cascade's box. */
void box_to_landmarks(struct cand *c, const double k[4]);
/* Probability of "face" from the two logits: as the first network (all float), as the other two (spec 2.6). */
float score_pnet(float no, float yes);
float score_crop(float no, float yes);
/* To int as lrint does / towards zero; out of range and NaN: 0. */
int round_even(float v);
int truncate_zero(float v);

/* --- sample.c ----------------------------------------------------------------------------------------------------------- */

/* Columns and rows of a resize from the frame: two taps a direction with their weights; taps outside the frame weigh 0. */
struct sampler {
    const struct fa_img8 *img;
    struct fa_sample_cols cols;
    int *x0, *x1, *y0, *y1;                      /* columns as byte offsets, rows as numbers */
    float *wx0, *wx1, *wy0, *wy1;
};
size_t sampler_bytes(int w, int h);
/* Room for targets of up to w x h in mem. */
void sampler_place(struct sampler *s, int w, int h, void *mem);
/* Target w x h from the patch of pw x ph pixels whose top left pixel is (px, py) of the frame (spec 3.3, 3.8). */
void sampler_set(struct sampler *s, const struct fa_img8 *img, int w, int h, int px, int py, int pw, int ph);
/* fa_net_source_fn: one normalised row of R, G, B (spec 3.4). */
void sampler_row(const void *sampler, float *row, int y);

/* --- cascade.c ---------------------------------------------------------------------------------------------------------- */

enum { PNET_SIDE = 12, MAX_LEVELS = 24, PNET_OUT = 6 };

struct level { double scale; int w, h, map_w, map_h; struct sampler sampler; float *map; };   /* map: [map_h][map_w][PNET_OUT] */

/* Fits the scratch to the frame size and the team that the calls below are made with, and sets up the pyramid. */
int detect_prepare(struct fa_detector *d, const struct fa_img8 *img, const struct fa_team *team, struct fa_err *e);
int detect_level_count(const struct fa_detector *d);
const struct level *detect_level(const struct fa_detector *d, int i);
/* Levels of a frame: count and sizes (spec 3.2). */
int pyramid(struct level *level, double smallest, int w, int h);
/* First network over all levels: fills their maps. */
void detect_pnet(struct fa_detector *d, struct fa_team *team);
/* Boxes of a level in scan order (spec 3.5); returns their number. */
int detect_proposals(struct cand *out, const struct level *level, float threshold);
/* Second or third network on the crops of in[n]: new scores and offsets; those >= threshold stay in order. In place allowed. */
int detect_refine(struct fa_detector *d, const struct fa_net *net, const struct fa_img8 *img, struct cand *out, const struct cand *in, int n,
                  float threshold, struct fa_team *team);
/* Raw network outputs of one crop, out[n_out] (for tests). 0: the box does not touch the frame. */
int detect_crop(struct fa_detector *d, const struct fa_net *net, const struct fa_img8 *img, const struct cand *c, float *out);

#endif
