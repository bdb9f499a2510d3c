/* SPDX-License-Identifier: BSD-2-Clause
 * From a fitted state to what users read: head pose, points in camera space, eyes and gaze (spec/landmark-fit 11-13), laid
 * out as the LANDMARKS record wants them. */
#include "face_model_internal.h"

#include <string.h>

#include "fa_gaze.h"

enum { LEFT, RIGHT };

/* n of the np entries of each plane, at column at of planes of width n_out. */
static void copy_planes(float *dst, int n_out, int at, const float *src, int np, int n, int planes)
{
    for (int k = 0; k < planes; k++)
        memcpy(dst + (size_t)k * n_out + at, src + (size_t)k * np, (size_t)n * sizeof(float));
}

static void measure_gaze(struct fa_marks *k, const float *face3d, int np, float *const eye3d[2], int np_eye, const float pose[6])
{
    struct fa_gaze gaze;
    struct fa_gaze_points at = { face3d, { eye3d[LEFT], eye3d[RIGHT] }, np, np_eye };
    fa_gaze_measure(&gaze, &at, pose);
    memcpy(k->gaze, gaze.direction, sizeof k->gaze);
    memcpy(k->gaze_angle, gaze.angle, sizeof k->gaze_angle);
}

void fa_fit_measure(struct fa_measured *out, const struct fa_face_model *m, const struct fa_fit_state *s, const struct fa_camera *cam, int always_gaze)
{
    const struct fa_pdm *pdm = &m->main.pdm;
    const int eye[2] = { fa_face_model_part(m, "left_eye_28"), fa_face_model_part(m, "right_eye_28") };
    _Alignas(64) float face3d[3 * FA_PDM_MAX_POINTS], left3d[3 * FA_PDM_MAX_POINTS], right3d[3 * FA_PDM_MAX_POINTS];
    float *const eye3d[2] = { left3d, right3d };
    struct fa_marks *k = &out->marks;

    *k = (struct fa_marks){
        .n = pdm->n, .m = pdm->m, .success = (uint32_t)s->success, .accepted = (uint32_t)s->accepted, .failures = s->failures,
        .certainty = s->certainty, .likelihood = s->likelihood, .local = s->main.p.q,
        .xy = out->xy, .xyz = out->xyz, .eye_xy = out->eye_xy, .eye_xyz = out->eye_xyz,
    };
    memcpy(k->global, &s->main.p.g, sizeof k->global);
    if (s->seen)
        fa_head_pose(k->pose, pdm, &s->main.p, s->main.xy, cam);
    fa_landmarks_3d(face3d, pdm, &s->main.p, s->main.xy, cam);
    copy_planes(out->xy, pdm->n, 0, s->main.xy, pdm->np, pdm->n, 2);
    copy_planes(out->xyz, pdm->n, 0, face3d, pdm->np, pdm->n, 3);

    if (eye[LEFT] < 0 || eye[RIGHT] < 0) {
        if (always_gaze)
            k->gaze[LEFT][2] = k->gaze[RIGHT][2] = -1.0f;     /* as the reference without an eye model (fit 13) */
        return;
    }
    const struct fa_pdm *left = &m->part[eye[LEFT]].fitter.pdm, *right = &m->part[eye[RIGHT]].fitter.pdm;
    k->n_eye = left->n + right->n;
    for (int i = 0, at = 0; i < 2; i++) {
        const struct fa_pdm *p = i == LEFT ? left : right;
        const struct fa_fitted *f = &s->part[eye[i]];
        fa_landmarks_3d(eye3d[i], p, &f->p, f->xy, cam);
        copy_planes(out->eye_xy, k->n_eye, at, f->xy, p->np, p->n, 2);
        copy_planes(out->eye_xyz, k->n_eye, at, eye3d[i], p->np, p->n, 3);
        at += p->n;
    }
    if (always_gaze || s->success)
        measure_gaze(k, face3d, pdm->np, eye3d, left->np, k->pose);
}
