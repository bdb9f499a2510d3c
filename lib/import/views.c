/* SPDX-License-Identifier: BSD-2-Clause
 * What patch expert files of all kinds begin with: scale, view centres and visibilities (LM 3.1). */
#include "import_internal.h"

#include "fa_le.h"

void fa_read_views(struct fa_in *in, struct fa_views *v, int n)
{
    int three = 3, one = 1;
    v->scale = fa_in_f64(in);
    if (!in->failed && !(v->scale > 0.01 && v->scale < 100))
        fa_in_bad(in, "scale %g", v->scale);
    v->n_view = fa_in_count(in, "views", 1, IN_MAX_VIEWS);
    for (int i = 0; i < v->n_view && !in->failed; i++) {
        const unsigned char *m = fa_in_mat(in, "view centre", FA_F64, &three, &one);
        for (int a = 0; m && a < 3; a++)
            v->centre[i][a] = fa_le_f64(m + 8 * a);
    }
    for (int i = 0; i < v->n_view && !in->failed; i++) {
        const unsigned char *m = fa_in_mat(in, "visibility", FA_I32, &n, &one);
        for (int j = 0; m && j < n; j++) {
            v->visible[i][j] = fa_le_i32(m + 4 * j);
            if (v->visible[i][j] != 0 && v->visible[i][j] != 1)
                fa_in_bad(in, "visibility %d, not 0 or 1", v->visible[i][j]);
        }
    }
}

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
