/* SPDX-License-Identifier: BSD-2-Clause
 * Body of fa_shape_svd_f32 and _f64 (shape_internal.h), included by svd.c with REAL, SVD (the function's name) and SVD_SMALL
 * (the relative size below which two columns count as orthogonal). Sums and norms are double for both. */

static double SVD_NAME(square)(const REAL *v, int n)
{
    double s = 0;
    for (int k = 0; k < n; k++)
        s += (double)v[k] * v[k];
    return s;
}

/* (x, y) -> (c x + s y, -s x + c y), without fusion. */
static void SVD_NAME(rotate)(REAL *x, REAL *y, REAL c, REAL s, int n)
{
    for (int k = 0; k < n; k++) {
        const REAL a = c * x[k] + s * y[k], b = -s * x[k] + c * y[k];
        x[k] = a;
        y[k] = b;
    }
}

static void SVD_NAME(swap)(REAL *x, REAL *y, int n)
{
    for (int k = 0; k < n; k++) {
        const REAL t = x[k];
        x[k] = y[k];
        y[k] = t;
    }
}

void SVD_NAME(fa_shape_svd)(REAL *ut, REAL *vt, int n)
{
    double norm[3];
    int turned = 1;
    for (int i = 0; i < n; i++)
        norm[i] = SVD_NAME(square)(ut + n * i, n);
    for (int i = 0; i < n * n; i++)
        vt[i] = i % (n + 1) == 0;

    for (int sweep = 0; sweep < MAX_SWEEPS && turned; sweep++) {
        turned = 0;
        for (int i = 0; i < n - 1; i++)
            for (int j = i + 1; j < n; j++) {
                REAL *x = ut + n * i, *y = ut + n * j, c, s;
                double p = 0;
                for (int k = 0; k < n; k++)
                    p += (double)x[k] * y[k];
                if (fabs(p) <= SVD_SMALL * sqrt(norm[i] * norm[j]))
                    continue;
                p *= 2;
                const double beta = norm[i] - norm[j], gamma = hypot(p, beta);
                if (beta < 0) {
                    s = (REAL)sqrt((gamma - beta) * 0.5 / gamma);
                    c = (REAL)(p / (gamma * s * 2));
                } else {
                    c = (REAL)sqrt((gamma + beta) / (gamma * 2));
                    s = (REAL)(p / (gamma * c * 2));
                }
                SVD_NAME(rotate)(x, y, c, s, n);
                SVD_NAME(rotate)(vt + n * i, vt + n * j, c, s, n);
                norm[i] = SVD_NAME(square)(x, n);
                norm[j] = SVD_NAME(square)(y, n);
                turned = 1;
            }
    }

    for (int i = 0; i < n; i++)
        norm[i] = sqrt(SVD_NAME(square)(ut + n * i, n));
    for (int i = 0; i < n - 1; i++) {
        int largest = i;
        for (int j = i + 1; j < n; j++)
            if (norm[largest] < norm[j])
                largest = j;
        if (largest != i) {
            const double t = norm[i];
            norm[i] = norm[largest];
            norm[largest] = t;
            SVD_NAME(swap)(ut + n * i, ut + n * largest, n);
            SVD_NAME(swap)(vt + n * i, vt + n * largest, n);
        }
    }
    for (int i = 0; i < n; i++) {
        const REAL by = (REAL)(norm[i] > 0 ? 1 / norm[i] : 0);
        for (int k = 0; k < n; k++)
            ut[n * i + k] *= by;
    }
}
