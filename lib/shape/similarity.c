/* SPDX-License-Identifier: BSD-2-Clause
 * The similarity (rotation and scale) between two point sets, in the reference's own order of operations (LM 4.2 a-f): its
 * last bits decide which 1/32 pixel the response windows sample. */
#include "fa_shape.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

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

/* SVD of h (row-major 2 x 2) by one-sided Jacobi on the columns: rows of ut are the columns of U, rows of vt those of V. */
static void svd2(float ut[4], float vt[4], const float h[4])
{
    float p[4] = { h[0], h[2], h[1], h[3] }, v[4] = { 1, 0, 0, 1 };
    double norm[2];
    for (int i = 0; i < 2; i++)
        norm[i] = (double)p[2 * i] * p[2 * i] + (double)p[2 * i + 1] * p[2 * i + 1];
    for (int sweep = 0; sweep < 30; sweep++) {
        double dot = (double)p[0] * p[2] + (double)p[1] * p[3];
        if (fabs(dot) <= 2 * FLT_EPSILON * sqrt(norm[0] * norm[1]))
            break;
        dot *= 2;
        const double beta = norm[0] - norm[1], gamma = hypot(dot, beta);
        float c, s;
        if (beta < 0) {
            s = (float)sqrt((gamma - beta) * 0.5 / gamma);
            c = (float)(dot / (gamma * s * 2));
        } else {
            c = (float)sqrt((gamma + beta) / (gamma * 2));
            s = (float)(dot / (gamma * c * 2));
        }
        for (int i = 0; i < 2; i++) {
            const float x = p[i], y = p[2 + i], a = v[i], b = v[2 + i];
            p[i] = c * x + s * y;
            p[2 + i] = -s * x + c * y;
            v[i] = c * a + s * b;
            v[2 + i] = -s * a + c * b;
        }
        for (int i = 0; i < 2; i++)
            norm[i] = (double)p[2 * i] * p[2 * i] + (double)p[2 * i + 1] * p[2 * i + 1];
    }
    double value[2];
    for (int i = 0; i < 2; i++)
        value[i] = sqrt((double)p[2 * i] * p[2 * i] + (double)p[2 * i + 1] * p[2 * i + 1]);
    const int first = value[0] < value[1];
    for (int i = 0; i < 2; i++) {
        const int from = first ^ i;
        const float by = (float)(1 / value[from]);
        for (int k = 0; k < 2; k++) {
            ut[2 * i + k] = p[2 * from + k] * by;
            vt[2 * i + k] = v[2 * from + k];
        }
    }
}

void fa_similarity(float t[4], float ti[4], const float *a, const float *b, int n, int np)
{
    float na[2 * FA_PDM_MAX_POINTS], nb[2 * FA_PDM_MAX_POINTS];
    assert(n <= FA_PDM_MAX_POINTS && np <= FA_PDM_MAX_POINTS);
    const float sigma_a = normalise(na, a, n, np), sigma_b = normalise(nb, b, n, np);

    float h[4], ut[4], vt[4], vd[4], rot[4];
    for (int r = 0; r < 2; r++)
        for (int c = 0; c < 2; c++) {
            double sum = 0;
            for (int i = 0; i < n; i++)
                sum += (double)na[r * np + i] * nb[c * np + i];
            h[2 * r + c] = (float)sum;
        }
    svd2(ut, vt, h);
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
