/* SPDX-License-Identifier: BSD-2-Clause
 * Gaze from points in camera space (spec/landmark-fit 13). Points come from fa_landmarks_3d (planes x, y, z of np floats, mm);
 * coordinates: x right, y down, z away from the camera. Left is the eye on the image's left. All float. */
#ifndef FA_GAZE_H
#define FA_GAZE_H

enum fa_gaze_eye { FA_GAZE_LEFT = 0, FA_GAZE_RIGHT = 1 };

/* Unit vectors of both eyes and the mean direction's angles (radians, x then y). */
struct fa_gaze { float direction[2][3], angle[2]; };

/* Points of the face (68) and of the two eye models (28 each: iris ring 0..7), each as xyz[3][np]. */
struct fa_gaze_points { const float *face, *eye[2]; int np_face, np_eye; };

/* pose: fa_head_pose's six values (the rotation of the head is used). Eye models exist; else the caller writes zeros (fit 13). */
void fa_gaze_measure(struct fa_gaze *gaze, const struct fa_gaze_points *at, const float pose[6]);

/* The steps: centre of the iris ring; centre of the eyeball; axis from that centre to where the ray through the iris centre
 * meets the eyeball (not normalised); the unit vector of the axis. */
struct fa_gaze_ray { float iris[3], eyeball[3], axis[3], direction[3]; };
void fa_gaze_ray(struct fa_gaze_ray *ray, const struct fa_gaze_points *at, enum fa_gaze_eye eye, const float pose[6]);

#endif
