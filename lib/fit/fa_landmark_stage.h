/* SPDX-License-Identifier: BSD-2-Clause
 * The landmark stage of the record stream: FRAME and FACES in, LANDMARKS and CROP out. What fa-landmarks runs.
 *
 * It follows the face of each video (every face of a still), measures landmarks, pose, eyes and gaze, cuts the aligned face for the
 * action units, and lets the pixels go. A frame on which the tracker wants a detection that did not come with it is detected here. */
#ifndef FA_LANDMARK_STAGE_H
#define FA_LANDMARK_STAGE_H

#include "fa_align.h"
#include "fa_err.h"
#include "fa_fit.h"
#include "fa_stream.h"

struct fa_pack;

struct fa_landmark_options {
    const char *program;                     /* "fa-landmarks", begins the provenance line */
    struct fa_fit_options fit;               /* its team is made by the stage */
    int threads;                             /* of the team, >= 1 */
    int keep_frames;                         /* pass the pixels on */
    const char *aligned;                     /* folder for pictures of aligned faces, which exists; NULL: none */
    struct fa_align_look look;               /* of those pictures */
    int nobadaligned;                        /* none for frames without success */
    int progress_fd;                         /* a line "FRAME FRAMES-OF-THE-CLIP" after each frame goes here; < 0: none */
};

struct fa_landmark_stage;
/* pack must outlive the stage. FA_OK, FA_E_MODEL, FA_E_MEM. */
int fa_landmark_stage_open(struct fa_landmark_stage **s, const struct fa_pack *pack, const struct fa_landmark_options *options, struct fa_err *e);
/* NULL is allowed. */
void fa_landmark_stage_close(struct fa_landmark_stage *s);
/* To run it: fa_stage_files and fa_stage_run take this. */
struct fa_stage fa_landmark_stage(struct fa_landmark_stage *s);

#endif
