/* SPDX-License-Identifier: BSD-2-Clause
 * The point distribution model (LM 2): from parameters to shapes and Jacobians, from a box to parameters, and the update
 * step of the fits. The arithmetic follows the reference to the bit where the spec says how; the loops are in lib/kern/pdm.c. */
#include "fa_shape.h"

#include <math.h>

#include "fa_kern_pdm.h"
#include "fa_model.h"
#include "shape_internal.h"

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

/* c = a b in plain float, as the reference's fixed-size matrices multiply. */
static void multiply3(float c[9], const float a[9], const float b[9])
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            c[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
}

/* r = U diag(1, 1, det(U V')) V', the rotation nearest to m. The determinant is 1 only up to rounding, and is used as it is
 * (LM 2.6 step 3): with that all 2326 dumped updates are bit-exact. */
static void nearest_rotation(float r[9], const float m[9])
{
    float ut[9], vt[9], u[9], x[9];
    for (int i = 0; i < 9; i++)
        ut[i] = m[i % 3 * 3 + i / 3];
    fa_shape_svd_f32(ut, vt, 3);
    for (int i = 0; i < 9; i++)
        u[i] = ut[i % 3 * 3 + i / 3];
    multiply3(x, u, vt);
    const float det = (float)(x[0] * ((double)x[4] * x[8] - (double)x[5] * x[7]) - x[1] * ((double)x[3] * x[8] - (double)x[5] * x[6]) +
                              x[2] * ((double)x[3] * x[7] - (double)x[4] * x[6]));
    for (int i = 2; i < 9; i += 3)
        u[i] *= det;
    multiply3(r, u, vt);
}

void fa_pdm_update(struct fa_params *p, const float *d, int n_d)
{
    const float small[9] = { 1, -d[3], d[2], d[3], 1, -d[1], -d[2], d[1], 1 };
    float r1[9], r2[9], r3[9], v[3], euler[3];
    fa_rotation_from_euler(r1, p->g.rx, p->g.ry, p->g.rz);
    nearest_rotation(r2, small);
    multiply3(r3, r1, r2);
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
