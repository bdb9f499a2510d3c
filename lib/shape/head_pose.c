/* SPDX-License-Identifier: BSD-2-Clause
 * Head pose from landmarks (fit 11): perspective-n-point by Levenberg-Marquardt in double, and landmarks in camera space
 * (fit 12). Camera coordinates: x right, y down, z away from the camera, mm.
 *
 * The normal equations are summed for small rotations w from the left, X -> X + w x X, where a row of the Jacobian is one
 * cross product, and are then carried over to the rotation vector v by w = L(v) dv, L the left Jacobian of the rotation. */
#include "fa_shape.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MAX_STEPS = 20, MAX_EXPONENT = 16 };

struct pnp { int n, np; const float *x3, *xy; double fx, fy, cx, cy; };
/* Normal equations in the order rotation, translation; upper triangle. */
struct normal { double h[6][6], g[6]; };

static void rotation_of(double r[9], double left[9], const double v[3])
{
    const double theta = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    const double k[3] = { theta > 0 ? v[0] / theta : 0, theta > 0 ? v[1] / theta : 0, theta > 0 ? v[2] / theta : 0 };
    const double cross[9] = { 0, -k[2], k[1], k[2], 0, -k[0], -k[1], k[0], 0 };
    const double s = sin(theta), c = cos(theta);
    const double half = sin(theta / 2);
    const double sinc = theta > 0 ? s / theta : 1, cosc = theta > 0 ? 2 * half * half / theta : 0;
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            const double kk = k[a] * k[b], unit = a == b;
            r[3 * a + b] = c * unit + (1 - c) * kk + s * cross[3 * a + b];
            left[3 * a + b] = sinc * unit + (1 - sinc) * kk + cosc * cross[3 * a + b];
        }
}

/* Adds one row of the Jacobian and its error to the sums. */
static void add_row(struct normal *q, const double row[6], double err)
{
    for (int a = 0; a < 6; a++) {
        for (int b = a; b < 6; b++)
            q->h[a][b] += row[a] * row[b];
        q->g[a] += row[a] * err;
    }
}

/* Norm of the reprojection error at p = (v, t); with q the normal equations too. */
static double evaluate(struct normal *q, const struct pnp *in, const double p[6])
{
    double r[9], left[9], sum = 0;
    const float *x3 = in->x3, *y3 = in->x3 + in->np, *z3 = in->x3 + 2 * in->np;
    rotation_of(r, left, p);
    if (q)
        memset(q, 0, sizeof *q);
    for (int i = 0; i < in->n; i++) {
        const double x = r[0] * x3[i] + r[1] * y3[i] + r[2] * z3[i];
        const double y = r[3] * x3[i] + r[4] * y3[i] + r[5] * z3[i];
        const double z = r[6] * x3[i] + r[7] * y3[i] + r[8] * z3[i];
        const double depth = z + p[5], iz = depth != 0 ? 1 / depth : 1;
        const double a = (x + p[3]) * iz, b = (y + p[4]) * iz;
        const double eu = a * in->fx + in->cx - in->xy[i], ev = b * in->fy + in->cy - in->xy[in->np + i];
        sum += eu * eu + ev * ev;
        if (q) {
            const double ux = in->fx * iz, uz = -ux * a, vy = in->fy * iz, vz = -vy * b;
            add_row(q, (const double[6]){ y * uz, z * ux - x * uz, -y * ux, ux, 0, uz }, eu);
            add_row(q, (const double[6]){ y * vz - z * vy, -x * vz, x * vy, 0, vy, vz }, ev);
        }
    }
    if (q) {                                   /* from w to dv: L' H L, L' g on the rotation part */
        double rr[3][3], rt[3][3], lg[3];
        for (int a = 0; a < 3; a++) {
            lg[a] = 0;
            for (int b = 0; b < 3; b++) {
                rr[a][b] = rt[a][b] = 0;
                lg[a] += left[3 * b + a] * q->g[b];
                for (int c = 0; c < 3; c++) {
                    rt[a][b] += left[3 * c + a] * q->h[c][3 + b];
                    for (int d = 0; d < 3; d++)
                        rr[a][b] += left[3 * c + a] * (c <= d ? q->h[c][d] : q->h[d][c]) * left[3 * d + b];
                }
            }
        }
        for (int a = 0; a < 3; a++) {
            q->g[a] = lg[a];
            for (int b = 0; b < 3; b++) {
                q->h[a][b] = rr[a][b];
                q->h[a][3 + b] = rt[a][b];
            }
        }
    }
    return sqrt(sum);
}

/* next = p - (H with its diagonal times 1 + 10^exponent)^-1 g. A degenerate H gives p itself. */
static void damped_step(double next[6], const double p[6], const struct normal *q, int exponent)
{
    const double grow = 1 + pow(10, exponent);
    double l[6][6], d[6];
    for (int i = 0; i < 6; i++) {
        double pivot = q->h[i][i] * grow;
        for (int t = 0; t < i; t++)
            pivot -= l[i][t] * l[i][t];
        if (!(pivot > 0)) {
            memcpy(next, p, 6 * sizeof *p);
            return;
        }
        l[i][i] = sqrt(pivot);
        for (int r = i + 1; r < 6; r++) {
            double s = q->h[i][r];
            for (int t = 0; t < i; t++)
                s -= l[r][t] * l[i][t];
            l[r][i] = s / l[i][i];
        }
    }
    for (int i = 0; i < 6; i++) {
        d[i] = q->g[i];
        for (int t = 0; t < i; t++)
            d[i] -= l[i][t] * d[t];
        d[i] /= l[i][i];
    }
    for (int i = 5; i >= 0; i--) {
        for (int t = i + 1; t < 6; t++)
            d[i] -= l[t][i] * d[t];
        d[i] /= l[i][i];
    }
    for (int i = 0; i < 6; i++)
        next[i] = p[i] - d[i];
}

static void minimise(double p[6], const struct pnp *in)
{
    struct normal q;
    double next[6];
    int exponent = -3;
    double before = evaluate(&q, in, p);
    for (int step = 0; step < MAX_STEPS; step++) {
        double now, moved = 0, size = 0;
        for (;;) {
            damped_step(next, p, &q, exponent);
            now = evaluate(NULL, in, next);
            if (!(now > before) || ++exponent > MAX_EXPONENT)
                break;
        }
        exponent = exponent - 1 > -MAX_EXPONENT ? exponent - 1 : -MAX_EXPONENT;
        for (int i = 0; i < 6; i++) {
            moved += (next[i] - p[i]) * (next[i] - p[i]);
            size += p[i] * p[i];
        }
        memcpy(p, next, sizeof next);
        if (sqrt(moved) < FLT_EPSILON * sqrt(size))
            break;
        before = evaluate(&q, in, p);
    }
}

void fa_head_pose(float pose[6], const struct fa_pdm *pdm, const struct fa_params *p, const float *xy, const struct fa_camera *cam)
{
    float x3[3 * FA_PDM_MAX_POINTS], v[3], r[9];
    memset(pose, 0, 6 * sizeof *pose);
    if (p->g.s == 0)
        return;
    fa_pdm_shape3d(x3, pdm, p->q);

    /* Start: the weak-perspective depth; the Euler angles as they are stand in for a rotation vector. */
    const float z = cam->fx / p->g.s, dx = p->g.tx - cam->cx, dy = p->g.ty - cam->cy;
    double at[6] = { p->g.rx, p->g.ry, p->g.rz, (float)(dx * (1.0 / cam->fx) * z), (float)(dy * (1.0 / cam->fy) * z), z };
    const struct pnp in = { pdm->n, pdm->np, x3, xy, cam->fx, cam->fy, cam->cx, cam->cy };
    minimise(at, &in);

    for (int i = 0; i < 3; i++) {
        v[i] = (float)at[i];
        pose[i] = (float)at[3 + i];
    }
    fa_rodrigues_to_matrix(r, v);
    fa_euler_from_rotation(pose + 3, r);
}

void fa_landmarks_3d(float *out, const struct fa_pdm *pdm, const struct fa_params *p, const float *xy, const struct fa_camera *cam)
{
    float x3[3 * FA_PDM_MAX_POINTS], r[9];
    const int np = pdm->np;
    fa_pdm_shape3d(x3, pdm, p->q);
    fa_rotation_from_euler(r, p->g.rx, p->g.ry, p->g.rz);
    for (int i = 0; i < pdm->n; i++) {
        const float turned = (float)((double)r[6] * x3[i] + (double)r[7] * x3[np + i] + (double)r[8] * x3[2 * np + i]);
        const float z = cam->fx / p->g.s + turned;
        out[i] = z * ((xy[i] - cam->cx) / cam->fx);
        out[np + i] = z * ((xy[np + i] - cam->cy) / cam->fy);
        out[2 * np + i] = z;
    }
}
