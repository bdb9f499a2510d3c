/* SPDX-License-Identifier: BSD-2-Clause
 * One NU-RLMS run (fit 3): from response maps and a start to parameters, by at most n_iter steps of mean shift, normal equations
 * and update. The steps stand first, each as the tests check it; the loop over them is at the end. */
#include "fit_internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "fa_kern_exp.h"
#include "fa_kern_meanshift.h"
#include "fa_kern_pdm.h"

_Static_assert((int)FA_KERNEL_ROW == (int)FA_MEANSHIFT_ROW, "the table is what the kernel reads");

/* The run ends when the shape moves by less (Euclidean norm over all coordinates, pixels). */
static const double STILL = 0.01;

static float alpha_of(float sigma) { return (float)(-0.5 / (sigma * sigma)); }

void fa_kernel_table_fill(struct fa_kernel_table *t, float *row, int w, float sigma)
{
    *t = (struct fa_kernel_table){ w, sigma, alpha_of(sigma), row };
    for (int k = 0; k < 10 * w; k++, row += FA_KERNEL_ROW) {
        const float centre = (float)k * 0.1f;
        for (int c = 0; c < FA_KERNEL_ROW / 2; c++) {
            row[c] = c < w ? fa_kern_expf(t->alpha * ((centre - c) * (centre - c))) : 0;
            row[FA_KERNEL_ROW / 2 + c] = row[c] * c;
        }
    }
}

int fa_rlms_weights(float *weights, const struct fa_rlms *in)
{
    const int n = in->pdm->n, np = in->pdm->np, weighted = in->at.weight > 0;
    memset(weights, 0, 2 * (size_t)np * sizeof *weights);
    for (int i = 0; i < n; i++)
        if (in->visible[i])
            weights[i] = weights[np + i] = weighted ? in->at.weight * in->confidence[i] : 1;
    return !weighted;
}

void fa_rlms_prior(float *prior, const struct fa_pdm *pdm, float reg)
{
    memset(prior, 0, 6 * sizeof *prior);
    for (int j = 0; j < pdm->m; j++)
        prior[6 + j] = reg / pdm->variances[j];
}

/* m (x, y), products and sum in double. */
static inline void turn(float *ox, float *oy, const float m[4], float x, float y)
{
    *ox = (float)((double)m[0] * x + (double)m[1] * y);
    *oy = (float)((double)m[2] * x + (double)m[3] * y);
}

void fa_rlms_offsets(float *dx, float *dy, const float *shape, const float *base, const float sim[4], int w, int n, int np)
{
    const float h = (float)((w - 1) / 2);
#pragma omp simd
    for (int i = 0; i < n; i++) {
        turn(&dx[i], &dy[i], sim, shape[i] - base[i], shape[np + i] - base[np + i]);
        dx[i] += h;
        dy[i] += h;
    }
    for (int i = n; i < np; i++)
        dx[i] = dy[i] = 0;
}

/* To 0 .. w - 0.1; NaN to 0. */
static inline float clamp_offset(float d, float high)
{
    d = d > 0 ? d : 0;
    return d < high ? d : high;
}

void fa_rlms_mean_shift(float *out, const float *dx, const float *dy, const struct fa_responses *resp, const int *visible,
                        const struct fa_kernel_table *t, int n, int np)
{
    const float high = (float)resp->w - 0.1f;
    int kx[FA_PDM_MAX_POINTS], ky[FA_PDM_MAX_POINTS];
    float sums[3 * FA_PDM_MAX_POINTS];
    assert(t->w == resp->w && np <= FA_PDM_MAX_POINTS);
    for (int i = 0; i < n; i++) {
        /* Snapped to tenths for the kernel only; the quotient is float, the sum double. */
        kx[i] = visible[i] ? (int)(clamp_offset(dx[i], high) / 0.1f + 0.5) : -1;
        ky[i] = (int)(clamp_offset(dy[i], high) / 0.1f + 0.5);
    }
    fa_kern_meanshift()->sums(sums, resp->maps, resp->stride, resp->w, t->row, kx, ky, n, np);
    memset(out, 0, 2 * (size_t)np * sizeof *out);
    for (int i = 0; i < n; i++)
        if (visible[i]) {
            out[i] = sums[np + i] / sums[i] - clamp_offset(dx[i], high);
            out[np + i] = sums[2 * np + i] / sums[i] - clamp_offset(dy[i], high);
        }
}

void fa_rlms_to_image(float *out, const float *ref, const float sim_inv[4], const int *visible, int n, int np)
{
    memset(out, 0, 2 * (size_t)np * sizeof *out);
#pragma omp simd
    for (int i = 0; i < n; i++) {
        float x, y;
        turn(&x, &y, sim_inv, ref[i], ref[np + i]);
        out[i] = visible[i] ? x : 0;
        out[np + i] = visible[i] ? y : 0;
    }
}

void fa_rlms_normal(float *h, float *b, const float *jac, const float *wjac, const float *shift_img, const float *prior,
                    const float *q, int k, int n, int np)
{
    fa_kern_pdm()->gram(h, k, wjac, jac, k, n, np);
    fa_kern_pdm()->rhs(b, wjac, shift_img, k, 2 * np);
    for (int j = 6; j < k; j++) {
        h[j * k + j] += prior[j];
        b[j] = fmaf(-prior[j], q[j - 6], b[j]);
    }
}

float fa_rlms_likelihood(float *lmk, const float *dx, const float *dy, const struct fa_responses *resp, const int *visible,
                         float sigma, int n)
{
    float sum = 0;
    int count = 0;
    fa_kern_meanshift()->likelihood(lmk, resp->maps, resp->stride, resp->w, alpha_of(sigma), dx, dy, visible, n);
    for (int i = 0; i < n; i++) {
        if (visible[i]) {
            sum += (float)log(lmk[i] + 1e-8);
            count++;
        } else {
            lmk[i] = -1e8f;
        }
    }
    return (float)((double)sum / count);
}

/* One list of the buffers for size and taking alike: a NULL arena only counts. */
static size_t lay_out(struct fa_rlms_scratch *s, const struct fa_pdm *pdm, struct fa_arena *a)
{
    const size_t np = (size_t)pdm->np, k = 6 + (size_t)pdm->m;
    const struct { float **p; size_t n; } buffers[] = {
        { &s->shape, 2 * np }, { &s->previous, 2 * np }, { &s->x3, 3 * np }, { &s->weights, 2 * np }, { &s->jac, k * 2 * np },
        { &s->wjac, k * 2 * np }, { &s->dx, np }, { &s->dy, np }, { &s->shift_ref, 2 * np }, { &s->shift_img, 2 * np },
        { &s->prior, k }, { &s->hessian, k * k }, { &s->rhs, k },
    };
    size_t total = 0;
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        total += (buffers[i].n * sizeof(float) + 63) & ~(size_t)63;
        if (a)
            *buffers[i].p = fa_arena_f32(a, buffers[i].n);
    }
    return total;
}

size_t fa_rlms_scratch_size(const struct fa_pdm *pdm)
{
    struct fa_rlms_scratch none;
    return lay_out(&none, pdm, NULL);
}

void fa_rlms_scratch_take(struct fa_rlms_scratch *s, const struct fa_pdm *pdm, struct fa_arena *a) { lay_out(s, pdm, a); }

static double distance(const float *a, const float *b, int n, int np)
{
    double sum = 0;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < n; i++) {
            const double d = a[k * np + i] - b[k * np + i];
            sum += d * d;
        }
    return sqrt(sum);
}

static int all_visible(const int *visible, int n)
{
    for (int i = 0; i < n; i++)
        if (!visible[i])
            return 0;
    return 1;
}

int fa_rlms_run(struct fa_params *p, const struct fa_rlms *in, int rigid, struct fa_rlms_scratch *s)
{
    const struct fa_pdm *pdm = in->pdm;
    const struct fa_responses *resp = in->resp;
    const int n = pdm->n, np = pdm->np, k = rigid ? 6 : 6 + pdm->m;
    const int plain = fa_rlms_weights(s->weights, in) && all_visible(in->visible, n);
    const float *wjac = plain ? s->jac : s->wjac;
    int t;
    fa_rlms_prior(s->prior, pdm, in->at.reg);
    for (t = 0; t < in->n_iter; t++) {
        fa_pdm_shape2d(s->shape, s->x3, pdm, p);
        if (t > 0 && distance(s->shape, s->previous, n, np) < STILL)
            break;
        memcpy(s->previous, s->shape, 2 * (size_t)np * sizeof(float));
        fa_rlms_offsets(s->dx, s->dy, s->shape, resp->base, resp->sim, resp->w, n, np);
        fa_rlms_mean_shift(s->shift_ref, s->dx, s->dy, resp, in->visible, in->kernel, n, np);
        fa_rlms_to_image(s->shift_img, s->shift_ref, resp->sim_inv, in->visible, n, np);
        fa_pdm_jacobian(s->jac, pdm, p, s->x3, rigid);
        if (!plain)
            fa_kern_pdm()->weigh(s->wjac, s->jac, s->weights, k, 2 * np);
        fa_rlms_normal(s->hessian, s->rhs, s->jac, wjac, s->shift_img, s->prior, p->q, k, n, np);
        fa_solve_cholesky(s->hessian, s->rhs, k);
        fa_pdm_update(p, s->rhs, k);
        fa_pdm_clamp(p, pdm);
    }
    return t;
}
