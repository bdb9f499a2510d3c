/* SPDX-License-Identifier: BSD-2-Clause
 * Kinds of columns that are judged together. */
#ifndef FA_COMPARE_INTERNAL_H
#define FA_COMPARE_INTERNAL_H

enum fa_cmp_kind {
    CMP_NONE, CMP_SUCCESS, CMP_CONFIDENCE, CMP_TIMESTAMP, CMP_GAZE, CMP_GAZE_ANGLE, CMP_EYE2D, CMP_EYE3D, CMP_POSE_T, CMP_POSE_R,
    CMP_P_SCALE, CMP_P_ROT, CMP_P_TRANS, CMP_P_LOCAL, CMP_LM2D, CMP_LM3D, CMP_AU_R, CMP_AU_C, CMP_KINDS
};
enum fa_cmp_kind fa_cmp_kind_of(const char *column);

#endif
