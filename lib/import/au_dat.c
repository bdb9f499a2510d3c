/* SPDX-License-Identifier: BSD-2-Clause
 * One action-unit predictor: a linear model of 4464 FHOG and 238 geometry values (aus 1.3). */
#include "import_internal.h"

void fa_read_predictor(struct fa_in *in, struct fa_au_predictor *p)
{
    int one = 1, n = IN_AU_INPUTS;
    *p = (struct fa_au_predictor){ .cutoff = -1 };
    p->type = fa_in_i32(in);
    if (!in->failed && p->type != FA_AU_SVR_STATIC && p->type != FA_AU_SVR_DYNAMIC && p->type != FA_AU_SVM_STATIC && p->type != FA_AU_SVM_DYNAMIC)
        fa_in_bad(in, "predictor of type %d, expected 0, 1, 4 or 5", p->type);
    if (p->type == FA_AU_SVR_DYNAMIC) {
        p->cutoff = fa_in_f64(in);
        if (p->cutoff < 0 || p->cutoff > 1)
            fa_in_bad(in, "cutoff %g, not in 0..1", p->cutoff);
    }
    p->mean = fa_in_mat(in, "means", FA_F64, &one, &n);
    p->weight = fa_in_mat(in, "weights", FA_F64, &n, &one);
    p->bias = fa_in_f64(in);
    if (p->type == FA_AU_SVM_STATIC || p->type == FA_AU_SVM_DYNAMIC) {
        p->value[0] = fa_in_f64(in);
        p->value[1] = fa_in_f64(in);
    }
}
