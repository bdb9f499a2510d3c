/* SPDX-License-Identifier: BSD-2-Clause
 * The point distribution model (LM 2): from parameters to shapes and Jacobians, from a box to parameters, and the update
 * step of the fits. The arithmetic follows the reference to the bit where the spec says how; the loops are in lib/kern/pdm.c. */
#include "fa_shape.h"

#include <math.h>
#include <string.h>

#include "fa_kern_pdm.h"
#include "fa_model.h"

int fa_pdm_attach(struct fa_pdm *pdm, const struct fa_pack *pack, const char *prefix, struct fa_err *e)
{
    int one[] = { 1 }, mean_dim[] = { 3, -1 }, mode_dim[] = { -1, 3, -1 }, var_dim[] = { -1 };
    const int *n = fa_pack_need(pack, e, FA_I32, 1, one, "%s/pdm/points", prefix);
    const float *mean = n ? fa_pack_need(pack, e, FA_F32, 2, mean_dim, "%s/pdm/mean", prefix) : NULL;
    const float *modes = mean ? fa_pack_need(pack, e, FA_F32, 3, mode_dim, "%s/pdm/modes", prefix) : NULL;
    const float *var = modes ? fa_pack_need(pack, e, FA_F32, 1, var_dim, "%s/pdm/variances", prefix) : NULL;
    if (!var)
        return FA_E_MODEL;

    const int np = mean_dim[1], m = mode_dim[0];
    if (*n < 3 || *n > FA_PDM_MAX_POINTS || np != (*n + 15) / 16 * 16 || mode_dim[2] != np || m < 1 || m > FA_PDM_MAX_MODES || var_dim[0] != m)
        return fa_fail(e, FA_E_MODEL, "%s/pdm: %d points, %d modes, padded to %d: sizes disagree or exceed %d points, %d modes",
                       prefix, *n, m, np, FA_PDM_MAX_POINTS, FA_PDM_MAX_MODES);
    for (int j = 0; j < m; j++)
        if (!(var[j] > 0))
            return fa_fail(e, FA_E_MODEL, "%s/pdm/variances: number %d is not above 0", prefix, j);
    *pdm = (struct fa_pdm){ .n = *n, .np = np, .m = m, .mean = mean, .modes = modes, .variances = var };
    return FA_OK;
}

void fa_pdm_shape3d(float *x3, const struct fa_pdm *pdm, const float *q)
{
    fa_kern_pdm()->shape3d(x3, pdm->mean, pdm->modes, q, pdm->m, 3 * pdm->np);
}

void fa_pdm_shape2d(float *xy, float *x3, const struct fa_pdm *pdm, const struct fa_params *p)
{
    float own[3 * FA_PDM_MAX_POINTS], r[9];
    if (!x3)
        x3 = own;
    fa_pdm_shape3d(x3, pdm, p->q);
    fa_rotation_from_euler(r, p->g.rx, p->g.ry, p->g.rz);
    fa_kern_pdm()->project(xy, x3, r, p->g.s, p->g.tx, p->g.ty, pdm->np);
}

void fa_pdm_params_from_box(struct fa_params *p, const struct fa_pdm *pdm, const float box[4])
{
    float x3[3 * FA_PDM_MAX_POINTS], xy[2 * FA_PDM_MAX_POINTS], r[9];
    fa_pdm_shape3d(x3, pdm, p->q);
    fa_rotation_from_euler(r, p->g.rx, p->g.ry, p->g.rz);
    fa_kern_pdm()->project(xy, x3, r, 1, 0, 0, pdm->np);

    float lo[2], hi[2];
    for (int k = 0; k < 2; k++) {
        lo[k] = hi[k] = xy[k * pdm->np];
        for (int i = 1; i < pdm->n; i++) {
            lo[k] = fminf(lo[k], xy[k * pdm->np + i]);
            hi[k] = fmaxf(hi[k], xy[k * pdm->np + i]);
        }
    }
    const float w = fabsf(lo[0] - hi[0]), h = fabsf(lo[1] - hi[1]);
    p->g.s = (box[2] / w + box[3] / h) / 2;
    /* The centre of the shape's box goes to the centre of the box; sum and product in double (LM 2.4, step 3). */
    p->g.tx = (float)(box[0] + box[2] / 2 - p->g.s * ((double)lo[0] + hi[0]) / 2);
    p->g.ty = (float)(box[1] + box[3] / 2 - p->g.s * ((double)lo[1] + hi[1]) / 2);
}

void fa_pdm_jacobian(float *j, const struct fa_pdm *pdm, const struct fa_params *p, const float *x3, int rigid)
{
    float r[9];
    fa_rotation_from_euler(r, p->g.rx, p->g.ry, p->g.rz);
    fa_kern_pdm()->jacobian(j, x3, pdm->modes, rigid ? 0 : pdm->m, r, p->g.s, pdm->n, pdm->np);
}

void fa_pdm_update(struct fa_params *p, const float *d, int n_d)
{
    /* The orthogonal factor of I + [w]x is the rotation about w by atan |w|: cosine c = 1 / sqrt(1 + |w|^2), sine c |w|. */
    const double wx = d[1], wy = d[2], wz = d[3], c = 1 / sqrt(1 + wx * wx + wy * wy + wz * wz), k = c * c / (1 + c);
    const float r2[9] = {
        (float)(c + k * wx * wx), (float)(k * wx * wy - c * wz), (float)(k * wx * wz + c * wy),
        (float)(k * wx * wy + c * wz), (float)(c + k * wy * wy), (float)(k * wy * wz - c * wx),
        (float)(k * wx * wz - c * wy), (float)(k * wy * wz + c * wx), (float)(c + k * wz * wz),
    };
    float r1[9], r3[9], v[3], euler[3];
    fa_rotation_from_euler(r1, p->g.rx, p->g.ry, p->g.rz);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            r3[3 * a + b] = r1[3 * a] * r2[b] + r1[3 * a + 1] * r2[3 + b] + r1[3 * a + 2] * r2[6 + b];
    /* Through the axis-angle form and back: what orthonormalises r3, and what drops sines below 1e-5 (LM 2.2). */
    fa_rodrigues_to_vector(v, r3);
    fa_rodrigues_to_matrix(r3, v);
    fa_euler_from_rotation(euler, r3);
    if (isnan(euler[0]) || isnan(euler[1]) || isnan(euler[2]))
        euler[0] = euler[1] = euler[2] = 0;

    p->g.s += d[0];
    p->g.rx = euler[0];
    p->g.ry = euler[1];
    p->g.rz = euler[2];
    p->g.tx += d[4];
    p->g.ty += d[5];
    for (int j = 6; j < n_d; j++)
        p->q[j - 6] += d[j];
}

void fa_pdm_clamp(struct fa_params *p, const struct fa_pdm *pdm)
{
    for (int j = 0; j < pdm->m; j++) {
        const float limit = 3 * sqrtf(pdm->variances[j]);
        if (p->q[j] > limit)
            p->q[j] = limit;
        else if (p->q[j] < -limit)
            p->q[j] = -limit;
    }
}

void fa_solve_cholesky(const float *h, float *b, int k)
{
    fa_kern_pdm()->solve(b, h, k, k);
}
