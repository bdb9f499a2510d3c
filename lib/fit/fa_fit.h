/* SPDX-License-Identifier: BSD-2-Clause
 * Landmarks from gray frames: the complete landmark model (main, parts, validator), one detection call, start rotations,
 * the video state machine and stills (spec/landmark-fit). A start box comes from outside: whoever owns the detector. */
#ifndef FA_FIT_H
#define FA_FIT_H

#include "fa_err.h"
#include "fa_image.h"
#include "fa_shape.h"

#include "fa_stream.h"

struct fa_pack;
struct fa_team;

enum { FA_MAX_PARTS = 4 };

/* What a user may change; all zero is OpenFace's default for the set (fit 1.1, 1.2). */
struct fa_fit_options {
    struct fa_team *team; /* landmarks and part models are fitted side by side; results do not depend on it. Outlives the model */
    int multi_view;       /* stills: try all 11 start rotations (video always does) */
    int wild;             /* OpenFace's -wild settings */
};

/* Landmarks and parameters of one model. xy: planes x, y of np floats each, as in struct fa_pdm. */
struct fa_fitted { struct fa_params p; _Alignas(64) float xy[2 * FA_PDM_MAX_POINTS]; };

/* Everything known about the face after a frame. Arrays of a part are its own points, not the merged main ones. */
struct fa_fit_state {
    int success;                    /* return value of the step: the CSV's column */
    int accepted;                   /* the model's own flag: last fit accepted (fit 8.2) */
    int failures;                   /* in a row; -1 after a success */
    int initialised, detector_ran;  /* tracking has begun; the detector was asked on this frame */
    int seen;                       /* a face was fitted at least once since the reset */
    float certainty, likelihood;
    struct fa_fitted main, part[FA_MAX_PARTS];
};

/* The model: opened once, used by one thread at a time. */
struct fa_face_model;
int fa_face_model_open(struct fa_face_model **m, const struct fa_pack *pack, const struct fa_fit_options *opt, struct fa_err *e);
void fa_face_model_close(struct fa_face_model *m);
const struct fa_pdm *fa_face_model_pdm(const struct fa_face_model *m);
/* Index of the part with this name ("left_eye_28"), -1 if the set has none; its PDM. */
int fa_face_model_part(const struct fa_face_model *m, const char *name);
const struct fa_pdm *fa_face_model_part_pdm(const struct fa_face_model *m, int part);

/* State before any face was seen (fit 8): scale 1, all else 0, likelihood -10, failures -1. Parts are reset too, unlike the
 * reference's (spec/output 4: its second clip can show the first one's eyes), so that a clip's rows depend on the clip alone. */
void fa_fit_reset(struct fa_fit_state *s);

/* Where a box comes from when the state machine asks for one: 1 found (box: x, y, w, h), 0 none, < 0 an error (e filled). */
struct fa_box_source { int (*find)(void *self, float box[4], struct fa_err *e); void *self; };

/* One video frame (fit 8.1): tracks, detects when due, updates s. FA_OK or an error of the box source or of memory. */
int fa_track(struct fa_face_model *m, struct fa_fit_state *s, const struct fa_img8 *gray, const struct fa_box_source *boxes, struct fa_err *e);
/* One face of a still (fit 9): fits in the box from a fresh state. */
int fa_fit_still(struct fa_face_model *m, struct fa_fit_state *s, const struct fa_img8 *gray, const float box[4], struct fa_err *e);

/* What is measured from a state: the LANDMARKS record with its arrays. */
struct fa_measured {
    struct fa_marks marks;
    float xy[2 * FA_PDM_MAX_POINTS], xyz[3 * FA_PDM_MAX_POINTS], eye_xy[4 * FA_PDM_MAX_POINTS], eye_xyz[6 * FA_PDM_MAX_POINTS];
};
/* Head pose, 3D points, eyes and gaze of s (fit 11-13) into out, whose marks point into out and s. always_gaze: stills; in
 * video gaze is zero on frames without success. Before the first face the pose, ill-conditioned in the reference, is zero (spec/output 4). */
void fa_fit_measure(struct fa_measured *out, const struct fa_face_model *m, const struct fa_fit_state *s, const struct fa_camera *cam, int always_gaze);

#endif
