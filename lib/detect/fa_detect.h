/* SPDX-License-Identifier: BSD-2-Clause
 * The face detector: three networks in a cascade (MTCNN), with the reference's parameters compiled in (spec/detection 3):
 * smallest face 60 px, thresholds 0.6, 0.7, 0.7, pyramid factor 0.709. */
#ifndef FA_DETECT_H
#define FA_DETECT_H

#include "fa_err.h"
#include "fa_image.h"
#include "fa_net.h"
#include "fa_stream.h"

struct fa_pack;

/* Faces of one frame by falling score; boxes in pixels, fractional, may reach outside the frame. */
struct fa_face_list { int n; struct fa_face_box box[FA_MAX_FACES]; };

struct fa_detector {
    struct fa_net pnet, rnet, onet;
    struct fa_detect_work *work;                 /* scratch; private */
};

/* Reads the networks mtcnn/{pnet,rnet,onet}. FA_OK, FA_E_MODEL, FA_E_MEM. The pack may be closed afterwards. */
int fa_detector_open(struct fa_detector *d, const struct fa_pack *pack, struct fa_err *e);
void fa_detector_close(struct fa_detector *d);

/* All faces of a colour (3 channels B,G,R) or gray (1 channel) frame of any size; none when its shorter side is below 60 px.
 * More than FA_MAX_FACES: the best-scored ones. threads >= 1; the result does not depend on it. Scratch grows when a frame
 * needs more than any before it, and with nothing else. FA_OK or FA_E_MEM. */
int fa_detect(struct fa_detector *d, const struct fa_img8 *bgr, struct fa_face_list *out, int threads, struct fa_err *e);

/* The face that a video's single-face tracker takes: the widest box, the first of equals (spec 4.1). Its index, -1 for none. */
int fa_face_widest(const struct fa_face_box *box, int n);

#endif
