/* SPDX-License-Identifier: BSD-2-Clause
 * The face detector: three networks in a cascade (MTCNN, spec/detection 3), pyramid factor 0.709. */
#ifndef FA_DETECT_H
#define FA_DETECT_H

#include "fa_err.h"
#include "fa_image.h"
#include "fa_net.h"
#include "fa_stream.h"

struct fa_pack;
struct fa_team;

/* Faces of one frame by falling score; boxes in pixels, fractional, may reach outside the frame. */
struct fa_face_list { int n; struct fa_face_box box[FA_MAX_FACES]; };

/* What differs between sets: mtcnn/cascade in the pack, and the reference's numbers where a pack has none. */
struct fa_cascade {
    double smallest;                             /* side of the first network's window on the finest level, pixels */
    float threshold[3];                          /* least probability of a face that each network lets pass */
    int side[3];                                 /* the networks' inputs, pixels; the first one's is 12 */
    double box[4];                               /* landmark box of a face box: x += w * [0], y += h * [1], w *= [2], h *= [3] */
};

struct fa_detector {
    struct fa_net pnet, rnet, onet;
    struct fa_cascade cascade;
    struct fa_detect_work *work;                 /* scratch; private */
};

/* Reads the networks mtcnn/{pnet,rnet,onet} and mtcnn/cascade. FA_OK, FA_E_MODEL, FA_E_MEM. The pack may be closed afterwards. */
int fa_detector_open(struct fa_detector *d, const struct fa_pack *pack, struct fa_err *e);
void fa_detector_close(struct fa_detector *d);

/* All faces of a colour (3 channels B,G,R) or gray (1 channel) frame of any size; none when its shorter side is below
 * the smallest window's. More than FA_MAX_FACES: the best-scored ones. team: shares out
 * the work, NULL: no one helps; the result does not depend on it. Scratch grows when a frame or team needs more than any before it. FA_OK or FA_E_MEM. */
int fa_detect(struct fa_detector *d, const struct fa_img8 *bgr, struct fa_face_list *out, struct fa_team *team, struct fa_err *e);

/* The face that a video's single-face tracker takes: the widest box, the first of equals (spec 4.1). Its index, -1 for none. */
int fa_face_widest(const struct fa_face_box *box, int n);

#endif
