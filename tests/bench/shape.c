/* SPDX-License-Identifier: BSD-2-Clause
 * What the point distribution model costs: one "name value unit" line for each kernel and ladder, for a fit of the 68-point
 * model to a face (FA_SHARED's models; a random model of the same size without them), for an update and for a head pose. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fa_kern.h"
#include "fa_kern_pdm.h"
#include "fa_shape.h"
#include "test_models.h"

enum { N = 68, NP = 80, M = 34, K = 40, LEN = 2 * NP };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

/* Best of 7 rounds, in ns a call. */
#define TIME(name, ladder, calls, expr) do {                                                      \
        double best = 1e300;                                                                      \
        for (int round = 0; round < 7; round++) {                                                 \
            const double t0 = now_ns();                                                           \
            for (int call = 0; call < (calls); call++) { expr; __asm__ volatile("" ::: "memory"); } \
            best = fmin(best, (now_ns() - t0) / (calls));                                         \
        }                                                                                         \
        printf("%s_%s %.3f us\n", name, ladder, best / 1000);                                     \
    } while (0)

static float mean[3 * NP], modes[M * 3 * NP], variances[M];
static struct fa_pdm pdm, inner, eye;              /* inner and eye: n = 0 without OpenFace's models */

static void model(void)
{
    static struct fa_pack pack;
    struct fa_err e;
    uint64_t seed = 3;
    if (test_model(&pack, "clnf") && fa_pdm_attach(&pdm, &pack, "main", &e) == FA_OK &&
        fa_pdm_attach(&inner, &pack, "part/0", &e) == FA_OK && fa_pdm_attach(&eye, &pack, "part/1", &e) == FA_OK)
        return;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < N; i++) {
            mean[k * NP + i] = 80 * test_randf(&seed);
            for (int j = 0; j < M; j++)
                modes[(j * 3 + k) * NP + i] = 0.1f * test_randf(&seed);
        }
    for (int j = 0; j < M; j++)
        variances[j] = 800.0f / (float)(1 + j * j);
    pdm = (struct fa_pdm){ N, NP, M, mean, modes, variances };
    eye.n = 0;
}

static void kernels(const struct fa_kern_pdm *k, const char *name)
{
    static float x3[3 * NP], xy[LEN], d[LEN], j[K * LEN], jw[K * LEN], h[K * K], b[K], x[K];
    float r[9];
    struct fa_params p = { .g = { 1.3f, 0.1f, 0.2f, 0.1f, 320, 240 }, .q = { 5, 4, 3 } };
    fa_rotation_from_euler(r, p.g.rx, p.g.ry, p.g.rz);
    TIME("shape3d", name, 2000, k->shape3d(x3, pdm.mean, pdm.modes, p.q, M, 3 * NP));
    TIME("project", name, 2000, k->project(xy, x3, r, p.g.s, p.g.tx, p.g.ty, NP));
    for (int i = 0; i < LEN; i++)
        xy[i] += (float)(i % 7) - 3;
    TIME("residual", name, 2000, k->residual(d, xy, x3, r, p.g.s, p.g.tx, p.g.ty, N, NP));
    TIME("jacobian", name, 1000, k->jacobian(j, x3, pdm.modes, M, r, p.g.s, N, NP));
    TIME("gram", name, 200, k->gram(h, K, j, j, K, N, NP));
    TIME("rhs", name, 500, k->rhs(b, j, d, K, LEN));
    TIME("weigh", name, 500, k->weigh(jw, j, d, K, LEN));
    for (int a = 0; a < K; a++)
        h[a * (K + 1)] += 1;
    TIME("solve", name, 200, memcpy(x, b, sizeof x); k->solve(x, h, K, K));
}

/* The five fits of a tracked frame: inner part, two eyes from six lid points each, merge, action units. */
static void five_fits(const float *xy, float *part_xy)
{
    struct fa_params got;
    for (int i = 0; i < 51; i++) {
        part_xy[i] = xy[17 + i];
        part_xy[inner.np + i] = xy[NP + 17 + i];
    }
    fa_pdm_fit(&got, &inner, part_xy, NULL, NULL);
    memset(part_xy, 0, 2 * (size_t)eye.np * sizeof *part_xy);
    for (int i = 0; i < 6; i++) {
        part_xy[8 + 2 * i] = xy[36 + i];
        part_xy[eye.np + 8 + 2 * i] = xy[NP + 36 + i];
    }
    for (int i = 0; i < 2; i++)
        fa_pdm_fit(&got, &eye, part_xy, NULL, NULL);
    for (int i = 0; i < 2; i++)
        fa_pdm_fit(&got, &pdm, xy, NULL, NULL);
}

static void calls(const char *name)
{
    struct fa_params p = { .g = { 1.3f, 0.1f, 0.2f, 0.1f, 320, 240 }, .q = { 5, 4, 3 } }, got = p;
    const struct fa_camera cam = { 500, 500, 320, 240 };
    static float xy[LEN], part_xy[LEN], x3[3 * NP], a[4], b[4];
    float pose[6], errors[1001];
    fa_pdm_shape2d(xy, x3, &pdm, &p);
    for (int i = 0; i < LEN; i++)
        xy[i] += 0.3f * (float)(i * 7 % 5 - 2);
    TIME("fit68", name, 20, fa_pdm_fit(&got, &pdm, xy, NULL, errors));
    printf("fit68_%s_steps %d steps\n", name, fa_pdm_fit(&got, &pdm, xy, NULL, errors));
    if (eye.n)
        TIME("five_fits", name, 5, five_fits(xy, part_xy));
    TIME("update", name, 1000, got = p; fa_pdm_update(&got, (const float[6]){ 0.01f, 0.01f, -0.02f, 0.01f, 1, 1 }, 6));
    TIME("pose", name, 100, fa_head_pose(pose, &pdm, &p, xy, &cam));
    TIME("similarity", name, 500, fa_similarity(a, b, xy, x3, N, NP));
}

int main(void)
{
    static const struct { const char *name; unsigned mask; const struct fa_kern_pdm *k; } ladder[] = {
        { "c", 0, &fa_kern_pdm_c },
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
        { "avx2", FA_CPU_AVX2, &fa_kern_pdm_avx2 },
        { "avx512", FA_CPU_AVX2 | FA_CPU_AVX512, &fa_kern_pdm_avx512 },
#endif
    };
    model();
    for (size_t i = 0; i < sizeof ladder / sizeof *ladder; i++) {
        if ((fa_cpu_detect() & ladder[i].mask) != ladder[i].mask)
            continue;
        fa_kern_select(ladder[i].mask);
        kernels(ladder[i].k, ladder[i].name);
        calls(ladder[i].name);
    }
    return 0;
}
