/* SPDX-License-Identifier: BSD-2-Clause
 * The similarity (rotation and scale) between two point sets, in the reference's own order of operations (LM 4.2 a-f): its
 * last bits decide which 1/32 pixel the response windows sample. */
#include "fa_shape.h"

#include <assert.h>
#include <math.h>

#include "shape_internal.h"

/* Subtracts the mean and divides by the spread sqrt(sum of squares / n), which is returned. */
static float normalise(float *out, const float *xy, int n, int np)
{
    double squares = 0;
    for (int k = 0; k < 2; k++) {
        const float *v = xy + k * np;
        double sum = 0;
        for (int i = 0; i < n; i++)
            sum += v[i];
        const float mean = (float)(sum * (1.0 / n));
        for (int i = 0; i < n; i++) {
            const float c = v[i] - mean, square = c * c;
            out[k * np + i] = c;
            squares += square;
        }
    }
    const float sigma = (float)sqrt(squares / n), by = (float)(1.0 / sigma);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < n; i++)
            out[k * np + i] *= by;
    return sigma;
}

void fa_similarity(float t[4], float ti[4], const float *a, const float *b, int n, int np)
{
    float na[2 * FA_PDM_MAX_POINTS], nb[2 * FA_PDM_MAX_POINTS];
    assert(n <= FA_PDM_MAX_POINTS && np <= FA_PDM_MAX_POINTS);
    const float sigma_a = normalise(na, a, n, np), sigma_b = normalise(nb, b, n, np);

    float ut[4], vt[4], vd[4], rot[4];
    for (int c = 0; c < 2; c++)
        for (int r = 0; r < 2; r++) {          /* H = A' B, by columns */
            double sum = 0;
            for (int i = 0; i < n; i++)
                sum += (double)na[r * np + i] * nb[c * np + i];
            ut[2 * c + r] = (float)sum;
        }
    fa_shape_svd_f32(ut, vt, 2);
    /* R = V diag(1, d) U', d the sign of det(V U'): a rotation, never a reflection. */
    const double det = ((double)vt[0] * vt[3] - (double)vt[1] * vt[2]) * ((double)ut[0] * ut[3] - (double)ut[1] * ut[2]);
    const float d = det > 0 ? 1.0f : -1.0f;
    for (int i = 0; i < 2; i++) {
        vd[2 * i] = vt[i];
        vd[2 * i + 1] = vt[2 + i] * d;
    }
    for (int r = 0; r < 2; r++)
        for (int c = 0; c < 2; c++)
            rot[2 * r + c] = (float)((double)vd[2 * r] * ut[c] + (double)vd[2 * r + 1] * ut[2 + c]);
    const float scale = sigma_b / sigma_a;
    for (int i = 0; i < 4; i++)
        t[i] = scale * rot[i];

    const float det_t = t[0] * t[3] - t[1] * t[2], e = 1 / det_t;
    ti[0] = t[3] * e;
    ti[1] = -t[1] * e;
    ti[2] = -t[2] * e;
    ti[3] = t[0] * e;
}
