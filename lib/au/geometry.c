/* SPDX-License-Identifier: BSD-2-Clause
 * The geometry descriptor (spec/aus 5): the face's deviation from the mean shape, and the parameters that make it. */
#include "fa_au.h"

#include <assert.h>
#include <string.h>

#include "fa_shape.h"

void fa_au_geometry(double geom[FA_N_GEOM], const struct fa_pdm *pdm, const float *q)
{
    assert(3 * pdm->n + pdm->m == FA_N_GEOM);
    memset(geom, 0, FA_N_GEOM * sizeof *geom);
    for (int j = 0; j < pdm->m; j++)
        for (int k = 0; k < 3; k++) {
            const float *v = pdm->modes + (size_t)(3 * j + k) * (size_t)pdm->np;
            double *loc = geom + k * pdm->n;
            for (int i = 0; i < pdm->n; i++)
                loc[i] += (double)v[i] * q[j];
        }
    for (int j = 0; j < pdm->m; j++)
        geom[3 * pdm->n + j] = q[j];
}
