/* SPDX-License-Identifier: BSD-2-Clause
 * Rotations (LM 2.2): Euler angles (rx, ry, rz), matrices R = Rx Ry Rz, and axis-angle vectors. Matrices are row-major.
 * Euler conversions use the float functions, axis-angle works in double inside: the reference does so, and its last bits
 * decide where the detector's fixed-point warps sample. */
#include "fa_shape.h"

#include <float.h>
#include <math.h>

#include "shape_internal.h"

void fa_rotation_from_euler(float r[9], float rx, float ry, float rz)
{
    const float sa = sinf(rx), sb = sinf(ry), sc = sinf(rz), ca = cosf(rx), cb = cosf(ry), cc = cosf(rz);
    r[0] = cb * cc;
    r[1] = -cb * sc;
    r[2] = sb;
    r[3] = ca * sc + cc * sa * sb;
    r[4] = ca * cc - sa * sb * sc;
    r[5] = -cb * sa;
    r[6] = sa * sc - ca * cc * sb;
    r[7] = cc * sa + ca * sb * sc;
    r[8] = ca * cb;
}

void fa_euler_from_rotation(float euler[3], const float r[9])
{
    const float w = sqrtf(1.0f + r[0] + r[4] + r[8]) / 2.0f;
    const float x = (r[7] - r[5]) / (4.0f * w), y = (r[2] - r[6]) / (4.0f * w), z = (r[3] - r[1]) / (4.0f * w);
    float t = 2.0f * (w * y + x * z);
    if (t > 1.0f)
        t = 1.0f;
    if (t < -1.0f)
        t = -1.0f;
    euler[0] = atan2f(2.0f * (w * x - y * z), w * w - x * x - y * y + z * z);
    euler[1] = asinf(t);
    euler[2] = atan2f(2.0f * (w * z - x * y), w * w + x * x - y * y - z * z);
}

void fa_rodrigues_to_vector(float v[3], const float rot[9])
{
    double r[9], ut[9], vt[9];
    for (int i = 0; i < 9; i++)
        ut[i] = rot[i % 3 * 3 + i / 3];
    fa_shape_svd_f64(ut, vt, 3);
    for (int a = 0; a < 3; a++)                /* U V' */
        for (int b = 0; b < 3; b++)
            r[3 * a + b] = ut[a] * vt[b] + ut[3 + a] * vt[3 + b] + ut[6 + a] * vt[6 + b];

    const double x = r[7] - r[5], y = r[2] - r[6], z = r[3] - r[1];
    const double s = sqrt((x * x + y * y + z * z) * 0.25);
    double c = (r[0] + r[4] + r[8] - 1) * 0.5;
    c = c > 1 ? 1 : c < -1 ? -1 : c;
    const double theta = acos(c);
    if (s >= 1e-5) {
        const double k = 1 / (2 * s) * theta;
        v[0] = (float)(x * k);
        v[1] = (float)(y * k);
        v[2] = (float)(z * k);
    } else if (c > 0) {
        v[0] = v[1] = v[2] = 0;                /* QUIRK: rotations with a sine below 1e-5 vanish */
    } else {
        double ax = sqrt(fmax((r[0] + 1) * 0.5, 0));
        double ay = sqrt(fmax((r[4] + 1) * 0.5, 0)) * (r[1] < 0 ? -1 : 1);
        double az = sqrt(fmax((r[8] + 1) * 0.5, 0)) * (r[2] < 0 ? -1 : 1);
        if (fabs(ax) < fabs(ay) && fabs(ax) < fabs(az) && (r[5] > 0) != (ay * az > 0))
            az = -az;
        const double k = theta / sqrt(ax * ax + ay * ay + az * az);
        v[0] = (float)(ax * k);
        v[1] = (float)(ay * k);
        v[2] = (float)(az * k);
    }
}

void fa_rodrigues_to_matrix(float rot[9], const float v[3])
{
    const double theta = sqrt((double)v[0] * v[0] + (double)v[1] * v[1] + (double)v[2] * v[2]);
    if (theta < DBL_EPSILON) {
        for (int i = 0; i < 9; i++)
            rot[i] = i % 4 == 0;
        return;
    }
    const double c = cos(theta), s = sin(theta), c1 = 1 - c, by = 1 / theta;
    const double x = v[0] * by, y = v[1] * by, z = v[2] * by;
    rot[0] = (float)(c + c1 * (x * x));
    rot[1] = (float)(c1 * (x * y) - s * z);
    rot[2] = (float)(c1 * (x * z) + s * y);
    rot[3] = (float)(c1 * (x * y) + s * z);
    rot[4] = (float)(c + c1 * (y * y));
    rot[5] = (float)(c1 * (y * z) - s * x);
    rot[6] = (float)(c1 * (x * z) - s * y);
    rot[7] = (float)(c1 * (y * z) + s * x);
    rot[8] = (float)(c + c1 * (z * z));
}
