/* SPDX-License-Identifier: BSD-2-Clause
 * What patch expert files of both kinds begin with: view centres and visibilities (LM 3.1). */
#include "import_internal.h"

void fa_add_views(struct fa_pack_builder *b, const struct fa_views *v, int n, const char *prefix, int k)
{
    double centre[IN_MAX_VIEWS][3];
    int32_t visible[IN_MAX_VIEWS * IN_MAX_POINTS];
    for (int i = 0; i < v->n_view; i++) {
        for (int a = 0; a < 3; a++)
            centre[i][a] = v->centre[i][a] * (3.14159265358979323846 / 180.0);
        for (int j = 0; j < n; j++)
            visible[i * n + j] = v->visible[i][j];
    }
    fa_pack_add(b, FA_F64, 2, (int[]){ v->n_view, 3 }, centre, "%s/experts/%d/centres", prefix, k);
    fa_pack_add(b, FA_I32, 2, (int[]){ v->n_view, n }, visible, "%s/experts/%d/visible", prefix, k);
}
