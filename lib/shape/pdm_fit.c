/* SPDX-License-Identifier: BSD-2-Clause
 * All parameters of a point distribution model from 2D landmarks (LM 2.8): regularised Gauss-Newton from a box. Tracking
 * calls this for each part, for the merge of the parts, and for the alignment of the face that the action units look at. */
#include "fa_shape.h"

#include <math.h>
#include <string.h>

#include "fa_kern_pdm.h"

enum { MAX_STEPS = 1000, POINTS = FA_PDM_MAX_POINTS, MODES = FA_PDM_MAX_MODES, PARAMS = FA_PDM_MAX_PARAMS };

/* A model and landmarks without the missing points. */
struct reduced { float mean[3 * POINTS], modes[3 * POINTS * MODES], xy[2 * POINTS]; };

static void take_points(float *out, int np_out, const float *in, int np_in, int planes, const int *index, int n)
{
    memset(out, 0, (size_t)(planes * np_out) * sizeof *out);
    for (int k = 0; k < planes; k++)
        for (int i = 0; i < n; i++)
            out[k * np_out + i] = in[k * np_in + index[i]];
}

static void box_of(float *lo, float *hi, const float *v, int n)
{
    *lo = *hi = v[0];
    for (int i = 1; i < n; i++) {
        *lo = fminf(*lo, v[i]);
        *hi = fmaxf(*hi, v[i]);
    }
}

/* Scale and translation from the landmarks' box against the mean shape's (step 2). */
static void start_from_box(struct fa_global *g, const struct fa_pdm *pdm, const float *xy)
{
    float lo[2], hi[2], mean_lo[2], mean_hi[2];
    for (int k = 0; k < 2; k++) {
        box_of(&lo[k], &hi[k], xy + k * pdm->np, pdm->n);
        box_of(&mean_lo[k], &mean_hi[k], pdm->mean + k * pdm->np, pdm->n);
    }
    g->s = (fabsf(lo[0] - hi[0]) / fabsf(mean_lo[0] - mean_hi[0]) + fabsf(lo[1] - hi[1]) / fabsf(mean_lo[1] - mean_hi[1])) / 2;
    g->tx = (lo[0] + hi[0]) / 2;
    g->ty = (lo[1] + hi[1]) / 2;
}

/* Steps 3 to 5 on a model without missing points. */
static int descend(struct fa_params *p, const struct fa_pdm *pdm, const float *xy, float *errors)
{
    const struct fa_kern_pdm *kern = fa_kern_pdm();
    const int n = pdm->n, np = pdm->np, m = pdm->m, k = 6 + m, len = 2 * np;
    float x3[3 * POINTS], diff[2 * POINTS], r[9], prior[MODES], h[PARAMS * PARAMS], b[PARAMS];
    float j[PARAMS * 2 * POINTS];
    double sum = 0;
    int steps = 0, small_gains = 0;

    for (int a = 0; a < m; a++)
        prior[a] = 1.0f / pdm->variances[a];
    fa_pdm_shape2d(diff, x3, pdm, p);
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < n; i++) {
            const float d = diff[c * np + i] - xy[c * np + i];
            sum += (double)d * d;
        }
    float before = (float)sqrt(sum);
    if (errors)
        errors[0] = before;

    while (steps < MAX_STEPS) {
        fa_pdm_shape3d(x3, pdm, p->q);
        fa_rotation_from_euler(r, p->g.rx, p->g.ry, p->g.rz);
        kern->residual(diff, xy, x3, r, p->g.s, p->g.tx, p->g.ty, n, np);
        kern->jacobian(j, x3, pdm->modes, m, r, p->g.s, n, np);
        kern->rhs(b, j, diff, k, len);
        kern->gram(h, k, j, j, k, n, np);
        for (int a = 0; a < m; a++) {
            b[6 + a] = fmaf(-prior[a], p->q[a], b[6 + a]);
            h[(6 + a) * (k + 1)] += prior[a];
        }
        kern->solve(b, h, k, k);
        for (int a = 0; a < k; a++)
            b[a] *= 0.75f;
        fa_pdm_update(p, b, k);

        /* QUIRK: the new pose is judged with the shape from before the step. */
        fa_rotation_from_euler(r, p->g.rx, p->g.ry, p->g.rz);
        const float now = (float)sqrt(kern->residual(diff, xy, x3, r, p->g.s, p->g.tx, p->g.ty, n, np));
        if (errors)
            errors[steps + 1] = now;
        steps++;
        if (isnan(now) || (0.999 * before < now && ++small_gains == 3))
            break;
        before = now;
    }
    return steps;
}

int fa_pdm_fit(struct fa_params *p, const struct fa_pdm *pdm, const float *xy, const float rot[3], float *errors)
{
    int index[POINTS], n = 0;
    for (int i = 0; i < pdm->n; i++)
        if (xy[i] != 0)
            index[n++] = i;

    struct reduced few;
    struct fa_pdm part = *pdm;
    if (n < pdm->n) {
        const int np = (n + 15) / 16 * 16;
        take_points(few.mean, np, pdm->mean, pdm->np, 3, index, n);
        take_points(few.modes, np, pdm->modes, pdm->np, 3 * pdm->m, index, n);
        take_points(few.xy, np, xy, pdm->np, 2, index, n);
        part.n = n;
        part.np = np;
        part.mean = few.mean;
        part.modes = few.modes;
        xy = few.xy;
    }
    *p = (struct fa_params){ .g = { .s = 1 } };
    if (rot) {
        p->g.rx = rot[0];
        p->g.ry = rot[1];
        p->g.rz = rot[2];
    }
    if (n == 0)
        return 0;
    start_from_box(&p->g, &part, xy);
    return descend(p, &part, xy, errors);
}
