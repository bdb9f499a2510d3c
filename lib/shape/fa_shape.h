/* SPDX-License-Identifier: BSD-2-Clause
 * The point distribution model and the geometry around it (spec/landmark-models 2 and 4.2, spec/landmark-fit 11).
 * Shapes are planes of np floats (np = n rounded up to a multiple of 16): 2D is x plane then y plane, 3D x, y, z. Padding
 * entries are undefined unless said otherwise (3D shapes before rotation: 0). Everything is float (f32) unless said otherwise. */
#ifndef FA_SHAPE_H
#define FA_SHAPE_H

#include "fa_err.h"

struct fa_pack;

enum { FA_PDM_MAX_POINTS = 80, FA_PDM_MAX_MODES = 48, FA_PDM_MAX_PARAMS = 6 + FA_PDM_MAX_MODES };

/* Global parameters g: scale, Euler angles (radians), translation (pixels). */
struct fa_global { float s, rx, ry, rz, tx, ty; };
/* All parameters of a model; q[j], j < m, are the local ones, the rest is 0. */
struct fa_params { struct fa_global g; float q[FA_PDM_MAX_MODES]; };

struct fa_pdm { int n, np, m; const float *mean /* [3][np] */, *modes /* [m][3][np] */, *variances /* [m] */; };
/* prefix: "main", "part/0", "au". FA_OK or FA_E_MODEL. */
int fa_pdm_attach(struct fa_pdm *pdm, const struct fa_pack *pack, const char *prefix, struct fa_err *e);

/* R = Rx Ry Rz, row-major (LM 2.2). */
void fa_rotation_from_euler(float r[9], float rx, float ry, float rz);
void fa_euler_from_rotation(float euler[3], const float r[9]);
void fa_rodrigues_to_vector(float v[3], const float r[9]);
void fa_rodrigues_to_matrix(float r[9], const float v[3]);

/* 3D shape M + V q, x[3][np] (LM 2.3, chain of fused multiply-adds: bit-exact). */
void fa_pdm_shape3d(float *x3, const struct fa_pdm *pdm, const float *q);
/* 2D shape of (g, q), xy[2][np]; x3 (may be NULL) receives the 3D shape. */
void fa_pdm_shape2d(float *xy, float *x3, const struct fa_pdm *pdm, const struct fa_params *p);
/* Global parameters from a box (LM 2.4); q and the rotation in p are inputs, s, tx, ty are set. box: x, y, w, h. */
void fa_pdm_params_from_box(struct fa_params *p, const struct fa_pdm *pdm, const float box[4]);
/* Jacobian (LM 2.5), 6 or 6+m columns, each column xy[2][np] (column-major: J + c*2*np), padding 0. x3: 3D shape of q before rotation. */
void fa_pdm_jacobian(float *j, const struct fa_pdm *pdm, const struct fa_params *p, const float *x3, int rigid);
/* p += d (LM 2.6), n_d = 6 or 6+m. No clamp. */
void fa_pdm_update(struct fa_params *p, const float *d, int n_d);
/* q_j to +-3 sqrt(E_j) (LM 2.7). */
void fa_pdm_clamp(struct fa_params *p, const struct fa_pdm *pdm);
/* All parameters from 2D landmarks xy[2][np], start rotation rot (NULL: 0); a point with x exactly 0 is missing (LM 2.8).
 * errors (may be NULL, 1001 floats) gets the norm before the first and after each step; returns the number of steps. */
int fa_pdm_fit(struct fa_params *p, const struct fa_pdm *pdm, const float *xy, const float rot[3], float *errors);

/* Similarity without translation from shape a to shape b, n points, both xy[2][np] (LM 4.2 a-f). t: a to b, ti: its inverse. */
void fa_similarity(float t[4], float ti[4], const float *a, const float *b, int n, int np);

/* Solve H d = b by Cholesky with the reference's rounding (fit 3.5): h is k x k row-major symmetric (the lower triangle is
 * read), k <= 64, b -> d in place. A pivot below float epsilon gives all zeros. */
void fa_solve_cholesky(const float *h, float *b, int k);

/* Camera intrinsics, pixels. */
struct fa_camera { float fx, fy, cx, cy; };
/* OpenFace's defaults for a frame size. Clips (spec/output 12): fx > 0 keeps fx and fy as they are (fy may be -1 then), cx > 0
 * keeps cx and cy. Stills (spec/output 7): both of a pair must be > 0 to be kept. */
void fa_camera_default(struct fa_camera *cam, int w, int h);
void fa_camera_default_still(struct fa_camera *cam, int w, int h);
/* Head pose (fit 11): Tx Ty Tz rx ry rz, mm and radians; xy[2][np] are the landmarks. s == 0 gives zeros. */
void fa_head_pose(float pose[6], const struct fa_pdm *pdm, const struct fa_params *p, const float *xy, const struct fa_camera *cam);
/* Landmarks in camera space (fit 12), out[3][np]. */
void fa_landmarks_3d(float *out, const struct fa_pdm *pdm, const struct fa_params *p, const float *xy, const struct fa_camera *cam);

#endif
