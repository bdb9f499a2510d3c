/* SPDX-License-Identifier: BSD-2-Clause
 * Action units from aligned faces (spec/aus 4 to 8): descriptors, running medians, linear predictors, and the passes that
 * turn raw predictions into the values of a clip. One input vector x holds the 4464 FHOG values, then the 238 geometry
 * values, then two zeros. */
#ifndef FA_AU_H
#define FA_AU_H

#include <stdint.h>
#include "fa_err.h"
#include "fa_image.h"

struct fa_pack;
struct fa_pdm;

enum {
    FA_AU_SIDE = 112,                                    /* pixels of the aligned face */
    FA_AU_CELLS = 12, FA_N_HOG = FA_AU_CELLS * FA_AU_CELLS * 31, FA_N_GEOM = 238,
    FA_N_DESCRIPTOR = FA_N_HOG + FA_N_GEOM, FA_N_DESCRIPTOR_PADDED = 4704,
    FA_AU_MAX = 32                                       /* predictors of a kind */
};

/* --- Descriptors ------------------------------------------------------------------------------------------------------ */

/* FHOG of the aligned face (112 x 112, 3 channels B,G,R; 1 channel counts three times), index (cell y * 12 + cell x) * 31 + feature.
 * Exact; a black face gives zeros (spec/aus 4). */
void fa_fhog(float hog[FA_N_HOG], const struct fa_img8 *face);
/* Geometry of the AU PDM's local parameters q[34] (spec/aus 5): V q as all x, all y, all z, then q. Double throughout. */
void fa_au_geometry(double geom[FA_N_GEOM], const struct fa_pdm *pdm, const float *q);

#endif
