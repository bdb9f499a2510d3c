/* SPDX-License-Identifier: BSD-2-Clause
 * The action-unit stage of the record stream: LANDMARKS and CROP in, AUS added behind them. What fa-aus runs.
 *
 * Whole clip (default): everything of a clip is held back until its END, since the final medians and zero levels change every
 * frame; then it goes out in order. Online: each frame goes out at once, from what is known by then. Image (stills, or asked
 * for): each face by itself, static models. */
#ifndef FA_AU_STAGE_H
#define FA_AU_STAGE_H

#include "fa_err.h"
#include "fa_stream.h"

struct fa_pack;

struct fa_au_options {
    const char *program;                     /* "fa-aus", begins the provenance line */
    int online, image, static_set;           /* image wins; static_set: the static predictors for videos */
    int keep_crops;
    const char *median, *save_median;        /* state of the medians to start each clip from, to leave behind; NULL: none */
    const char *hog;                         /* OpenFace's .hog file: a file for one clip, or a folder for FOLDER/NAME.hog; NULL: none */
};

struct fa_au_stage;
/* pack must outlive the stage. FA_OK; FA_E_MODEL, FA_E_MEM; for the median file as fa_au_medians_load. */
int fa_au_stage_open(struct fa_au_stage **s, const struct fa_pack *pack, const struct fa_au_options *options, struct fa_err *e);
void fa_au_stage_close(struct fa_au_stage *s);
/* Clips begun, faces measured, and those of them that the model did not accept. */
void fa_au_stage_counts(const struct fa_au_stage *s, uint64_t *clips, uint64_t *faces, uint64_t *rejected);
/* To run it: fa_stage_files and fa_stage_run take this. */
struct fa_stage fa_au_stage(struct fa_au_stage *s);

#endif
