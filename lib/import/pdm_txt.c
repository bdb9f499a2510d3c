/* SPDX-License-Identifier: BSD-2-Clause
 * Point distribution model files and triangle lists, both text (LM 2.1, aus 1.5). */
#include "import_internal.h"

#include <stdlib.h>

/* Row i of axis a of a 3n x .. matrix goes to plane a, entry i. */
int fa_read_pdm(struct fa_in *in, struct fa_pack_builder *b, const char *prefix)
{
    int rows = -1, one = 1, m = -1, n = 0;
    double *mean, *modes = NULL, *variances = NULL;
    float *planes = NULL, *var = NULL;

    fa_in_comments(in);
    mean = fa_in_text_mat(in, "mean shape", FA_F64, &rows, &one);
    if (mean && (rows % 3 || rows < 3 || rows > 3 * IN_MAX_POINTS))
        fa_in_bad(in, "mean shape of %d rows, expected 3 a point and at most %d points", rows, IN_MAX_POINTS);
    fa_in_comments(in);
    modes = fa_in_text_mat(in, "components", FA_F64, &rows, &m);
    if (modes && (m < 1 || m > IN_MAX_MODES))
        fa_in_bad(in, "%d components, expected 1 to %d", m, IN_MAX_MODES);
    fa_in_comments(in);
    one = 1;
    variances = fa_in_text_mat(in, "variances", FA_F64, &one, &m);
    for (int j = 0; variances && j < m; j++)
        if (!(variances[j] > 0))
            fa_in_bad(in, "variance %d is not positive", j);
    if (in->failed)
        goto out;

    n = rows / 3;
    int np = (n + 15) / 16 * 16;
    planes = fa_in_alloc(in, (size_t)(m + 1) * 3, (size_t)np, sizeof *planes);
    var = fa_in_alloc(in, (size_t)m, 1, sizeof *var);
    if (in->failed)
        goto out;
    for (int a = 0; a < 3; a++)
        for (int i = 0; i < n; i++) {
            planes[a * np + i] = (float)mean[a * n + i];
            for (int j = 0; j < m; j++)
                planes[((j + 1) * 3 + a) * np + i] = (float)modes[(a * n + i) * m + j];
        }
    for (int j = 0; j < m; j++)
        var[j] = (float)variances[j];
    fa_pack_add(b, FA_I32, 1, (int[]){ 1 }, &(int32_t){ n }, "%s/pdm/points", prefix);
    fa_pack_add(b, FA_F32, 2, (int[]){ 3, np }, planes, "%s/pdm/mean", prefix);
    fa_pack_add(b, FA_F32, 3, (int[]){ m, 3, np }, planes + 3 * np, "%s/pdm/modes", prefix);
    fa_pack_add(b, FA_F32, 1, (int[]){ m }, var, "%s/pdm/variances", prefix);
out:
    free(mean);
    free(modes);
    free(variances);
    free(planes);
    free(var);
    return in->failed ? 0 : n;
}

void fa_read_triangles(struct fa_in *in, struct fa_pack_builder *b, int n, const char *name)
{
    int rows = -1, three = 3;
    int32_t *t = NULL;
    double *m = fa_in_text_mat(in, "triangles", FA_I32, &rows, &three);
    if (m && (rows < 1 || rows > IN_MAX_TRIANGLES))
        fa_in_bad(in, "%d triangles, expected 1 to %d", rows, IN_MAX_TRIANGLES);
    t = fa_in_alloc(in, m ? (size_t)rows : 0, 3, sizeof *t);
    for (int i = 0; t && m && i < 3 * rows; i++) {
        t[i] = (int32_t)m[i];
        if (t[i] < 0 || t[i] >= n)
            fa_in_bad(in, "triangle %d names landmark %d of %d", i / 3, (int)t[i], n);
    }
    if (!in->failed)
        fa_pack_add(b, FA_I32, 2, (int[]){ rows, 3 }, t, "%s", name);
    free(m);
    free(t);
}
