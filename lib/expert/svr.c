/* SPDX-License-Identifier: BSD-2-Clause
 * SVR experts (LM 3.3, 4.6): per modality (raw intensity, gradient energy) the normalised cross-correlation with an 11 x 11 patch
 * through a logistic function; the modalities' maps are multiplied. Sums in double, maps in float. */
#include "expert_internal.h"

#include <math.h>
#include <stdlib.h>

#include "fa_kern_svr.h"
#include "fa_model.h"

enum { MODALITIES = 2, TAPS = FA_SVR_SUPPORT * FA_SVR_SUPPORT, C_MAX = FA_MAX_WINDOW + FA_SVR_SUPPORT - 1 };
enum { RAW = 0, GRADIENT = 1 };

/* One modality of one expert, ready to use. */
struct patch { double weight[TAPS], mean, spread, scaling, bias; int type, flat; };

static void svr_close(struct fa_expert_scale *s)
{
    free(s->own);
    s->own = NULL;
}

static int svr_open(struct fa_expert_scale *s, const struct fa_pack *pack, const char *prefix, int k, struct fa_err *e)
{
    int type_dim[] = { s->nv, s->n, MODALITIES }, params_dim[] = { s->nv, s->n, MODALITIES, 3 };
    int weights_dim[] = { s->nv, s->n, MODALITIES, TAPS };
    const int *type = fa_pack_need(pack, e, FA_I32, 3, type_dim, "%s/experts/%d/svr/type", prefix, k);
    const double *params = fa_pack_need(pack, e, FA_F64, 4, params_dim, "%s/experts/%d/svr/params", prefix, k);
    const float *weights = fa_pack_need(pack, e, FA_F32, 4, weights_dim, "%s/experts/%d/svr/weights", prefix, k);
    if (!type || !params || !weights)
        return FA_E_MODEL;
    const int n = s->nv * s->n * MODALITIES;
    struct patch *p = s->own = malloc((size_t)n * sizeof *p);
    if (!p)
        return fa_fail(e, FA_E_MEM, "no memory for patch experts");
    for (int i = 0; i < n; i++, p++, weights += TAPS) {
        double sum = 0, square = 0;
        if (type[i] != RAW && type[i] != GRADIENT)
            return fa_fail(e, FA_E_MODEL, "%s/experts/%d: an SVR patch of type %d", prefix, k, type[i]);
        for (int t = 0; t < TAPS; t++) {
            p->weight[t] = weights[t];
            sum += weights[t];
        }
        p->mean = sum / TAPS;
        for (int t = 0; t < TAPS; t++)
            square += (weights[t] - p->mean) * (weights[t] - p->mean);
        p->flat = square / TAPS < 2.2e-16;
        p->spread = sqrt(square / TAPS) * FA_SVR_SUPPORT;
        p->type = type[i];
        p->scaling = params[3 * i + 1];
        p->bias = params[3 * i + 2];
    }
    return FA_OK;
}

/* The modality's plane of the area (c x c, row length FA_SVR_STRIDE), zero around it. */
static void make_plane(double *plane, const float *aoi, int c, int type)
{
    for (int i = 0; i < C_MAX * FA_SVR_STRIDE; i++)
        plane[i] = 0;
    if (type == RAW) {
        for (int y = 0; y < c; y++)
            for (int x = 0; x < c; x++)
                plane[y * FA_SVR_STRIDE + x] = aoi[y * FA_AOI_STRIDE + x];
        return;
    }
    for (int y = 1; y + 1 < c; y++)
        for (int x = 1; x + 1 < c; x++) {
            const float *px = aoi + y * FA_AOI_STRIDE + x;
            const float gx = px[1] - px[-1], gy = px[FA_AOI_STRIDE] - px[-FA_AOI_STRIDE];
            plane[y * FA_SVR_STRIDE + x] = gx * gx + gy * gy;
        }
}

/* Sums of values and of squares over all 11 x 11 windows, from running sums along columns, then along rows. */
static void window_sums(double *sum, double *square, const double *plane, int w)
{
    const int c = w + FA_SVR_SUPPORT - 1;
    double s[C_MAX] = { 0 }, q[C_MAX] = { 0 };
    for (int y = 0; y < c; y++) {
        const double *in = plane + y * FA_SVR_STRIDE;
        for (int x = 0; x < c; x++) {
            s[x] += in[x];
            q[x] += in[x] * in[x];
        }
        for (int x = 0; y >= FA_SVR_SUPPORT && x < c; x++) {
            const double out = plane[(y - FA_SVR_SUPPORT) * FA_SVR_STRIDE + x];
            s[x] -= out;
            q[x] -= out * out;
        }
        const int row = y - (FA_SVR_SUPPORT - 1);
        if (row < 0)
            continue;
        double a = 0, b = 0;
        for (int x = 0; x < c; x++) {
            a += s[x];
            b += q[x];
            if (x >= FA_SVR_SUPPORT) {
                a -= s[x - FA_SVR_SUPPORT];
                b -= q[x - FA_SVR_SUPPORT];
            }
            if (x >= FA_SVR_SUPPORT - 1) {
                sum[row * FA_SVR_ROW + x - FA_SVR_SUPPORT + 1] = a;
                square[row * FA_SVR_ROW + x - FA_SVR_SUPPORT + 1] = b;
            }
        }
    }
}

/* Normalised cross-correlation of one window; a quotient slightly above 1 counts as rounding, more as no texture at all. */
static float correlation(double num, double t)
{
    if (fabs(num) < t)
        return (float)(num / t);
    if (fabs(num) < 1.125 * t)
        return num > 0 ? 1 : -1;
    return 0;
}

static void svr_map(float *map, const struct fa_expert_scale *s, int view, int i, int w, const float *aoi)
{
    const struct patch *p = (const struct patch *)s->own + (view * s->n + i) * MODALITIES;
    double plane[C_MAX * FA_SVR_STRIDE], num[FA_MAX_WINDOW * FA_SVR_ROW], sum[FA_MAX_WINDOW * FA_SVR_ROW], square[FA_MAX_WINDOW * FA_SVR_ROW];
    for (int m = 0; m < MODALITIES; m++, p++) {
        make_plane(plane, aoi, w + FA_SVR_SUPPORT - 1, p->type);
        fa_kern_svr()->correlate(num, plane, w, p->weight);
        window_sums(sum, square, plane, w);
        for (int y = 0; y < w; y++)
            for (int x = 0; x < w; x++) {
                const int at = y * FA_SVR_ROW + x;
                const double variance = square[at] - sum[at] * sum[at] / TAPS;   /* NOLINT(clang-analyzer-core.*): window_sums filled w rows of w */
                const float ncc = p->flat ? 1 : correlation(num[at] - sum[at] * p->mean, sqrt(variance > 0 ? variance : 0) * p->spread);
                const float v = (float)(1 / (1 + exp(-(ncc * p->scaling + p->bias))));
                map[y * w + x] = m ? map[y * w + x] * v : v;
            }
    }
}

static void svr_maps(const struct fa_expert_job *job, const struct fa_expert_scale *s, int view, int w)
{
    for (int k = 0; k < job->n; k++)
        svr_map(job->map[k], s, view, job->landmark[k], w, job->aoi[k]);
}

const struct fa_expert_kind fa_expert_svr = { .name = "svr", .open = svr_open, .close = svr_close, .maps = svr_maps };
