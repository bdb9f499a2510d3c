/* SPDX-License-Identifier: BSD-2-Clause
 * Shapes without models: rotations (vectors of LM 7.1, 7.3), similarity, camera, the solver's failures, and what a damaged
 * pack is told. A small model made here stands for the real ones in the fit and the pose. */
#include "fa_shape.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "fa_model.h"
#include "fa_test.h"

static void rotation_vectors_of_the_spec(void)
{
    static const float want[9] = { 0.277146459f, -0.712862849f, -0.64421767f, 0.767560124f, 0.567574382f, -0.297843575f,
                                   0.577963054f, -0.411929488f, 0.704466343f };
    static const float want_v[3] = { -0.0766830668f, -0.821491122f, 0.995069146f };
    float r[9], v[3], e[3], back[9];
    fa_rotation_from_euler(r, 0.4f, -0.7f, 1.2f);
    check_f32_abs("matrix", r, want, 9, 1.2e-7);
    fa_rodrigues_to_vector(v, r);
    check_f32_abs("axis-angle", v, want_v, 3, 2e-7);
    fa_euler_from_rotation(e, r);
    check_f32_abs("Euler", e, (&(const struct { float x[3]; }){ { 0.4f, -0.7f, 1.2f } })->x, 3, 2e-7);
    fa_rodrigues_to_matrix(back, v);
    check_f32_abs("matrix again", back, r, 9, 3e-7);
}

static void rotation_updates_of_the_spec(void)
{
    static const struct { float start[3], want[3]; } t[] = {
        { { 0.1f, 1.5f, 0.2f }, { -2.84758615f, 1.44327784f, 3.09724379f } },
        { { 3.0f, 0.3f, -0.4f }, { 3.1009481f, 0.474022567f, -0.487741262f } },
        { { 0, 3.1415927f, 0 }, { 3.1266644f, -0.196899027f, 3.09064984f } },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fa_params p = { .g = { 1, t[i].start[0], t[i].start[1], t[i].start[2], 0, 0 } };
        const float d[6] = { 0, 0.01f, 0.2f, -0.05f, 0, 0 };
        fa_pdm_update(&p, d, 6);
        check_f32_abs("angles", &p.g.rx, t[i].want, 3, fabs(cos(t[i].want[1])) < 0.3 ? 4e-6 : 1.5e-6);
    }
}

static void rotations_with_a_tiny_sine_vanish(void)
{
    struct fa_params p = { .g = { .s = 1 } };
    fa_pdm_update(&p, (const float[6]){ 0, 9e-6f }, 6);
    CHECK(p.g.rx == 0 && p.g.ry == 0 && p.g.rz == 0);
    fa_pdm_update(&p, (const float[6]){ 0, 1.1e-5f }, 6);
    check_near("rx", p.g.rx, 1.1e-5, 1e-11);
}

static void half_turns_keep_their_axis(void)
{
    uint64_t seed = 5;
    for (int t = 0; t < 200; t++) {
        double k[3], n = 0;
        float r[9], v[3], back[9];
        for (int i = 0; i < 3; i++) {
            k[i] = t < 3 ? i == t : test_randf(&seed);
            n += k[i] * k[i];
        }
        for (int i = 0; i < 9; i++)
            r[i] = (float)(2 * k[i / 3] * k[i % 3] / n - (i % 4 == 0));
        fa_rodrigues_to_vector(v, r);
        check_near("angle", sqrt((double)v[0] * v[0] + (double)v[1] * v[1] + (double)v[2] * v[2]), acos(-1), 1e-3);
        fa_rodrigues_to_matrix(back, v);
        check_f32_abs("matrix", back, r, 9, 1e-3);
    }
}

static void a_rotation_that_is_not_a_number_becomes_zero(void)
{
    struct fa_params p = { .g = { 1, 0.1f, 0.2f, 0.3f, 5, 6 } };
    fa_pdm_update(&p, (const float[6]){ 0, NAN, 0, 0, 1, 2 }, 6);
    CHECK(p.g.rx == 0 && p.g.ry == 0 && p.g.rz == 0);
    CHECK(p.g.tx == 6 && p.g.ty == 8);
}

static void similarity_maps_a_to_b_and_back(void)
{
    enum { N = 20, NP = 32 };
    uint64_t seed = 9;
    for (int t = 0; t < 100; t++) {
        float a[2 * NP] = { 0 }, b[2 * NP] = { 0 }, sim[4], inv[4];
        const double angle = 3.1 * test_randf(&seed), scale = 0.2 + fabs(test_randf(&seed)), x = scale * cos(angle), y = scale * sin(angle);
        for (int i = 0; i < N; i++) {
            a[i] = 100 + 50 * test_randf(&seed);
            a[NP + i] = 200 + 50 * test_randf(&seed);
            b[i] = (float)(x * a[i] - y * a[NP + i] + 3);
            b[NP + i] = (float)(y * a[i] + x * a[NP + i] - 7);
        }
        fa_similarity(sim, inv, a, b, N, NP);
        const float want[4] = { (float)x, (float)-y, (float)y, (float)x };
        check_f32_abs("similarity", sim, want, 4, 5e-6);
        for (int i = 0; i < 4; i++)
            check_near("inverse", (double)inv[i & 2] * sim[i & 1] + (double)inv[(i & 2) + 1] * sim[2 + (i & 1)], i % 3 == 0, 1e-5);
    }
}

static void similarity_never_mirrors(void)
{
    float a[32] = { 0, 4, 0, 4 }, b[32] = { 4, 0, 4, 0 }, sim[4], inv[4];
    a[16 + 2] = a[16 + 3] = b[16 + 2] = b[16 + 3] = 1;
    fa_similarity(sim, inv, a, b, 4, 16);
    CHECK(sim[0] * sim[3] - sim[1] * sim[2] > 0);
}

static void cameras_default_as_openface(void)
{
    struct fa_camera c = { 0 };
    fa_camera_default(&c, 640, 480);
    CHECK(c.fx == 500 && c.fy == 500 && c.cx == 320 && c.cy == 240);
    c = (struct fa_camera){ 0 };
    fa_camera_default(&c, 321, 241);
    check_near("cx", c.cx, 160.5, 0);
    check_near("fx", c.fx, (500 * 321 / 640. + 500 * 241 / 480.) / 2, 1e-4);
    /* A clip's fx decides alone and leaves fy as it was; a still needs both. */
    c = (struct fa_camera){ 700, -1, -1, 90 };
    fa_camera_default(&c, 640, 480);
    CHECK(c.fx == 700 && c.fy == -1 && c.cx == 320 && c.cy == 240);
    c = (struct fa_camera){ 700, -1, 300, 200 };
    fa_camera_default_still(&c, 640, 480);
    CHECK(c.fx == 500 && c.fy == 500 && c.cx == 300 && c.cy == 200);
}

static void a_pivot_below_epsilon_gives_zeros(void)
{
    float h[9] = { 4, 2, 0, 2, 1, 0, 0, 0, 1 }, b[3] = { 1, 2, 3 };    /* second pivot 0 */
    fa_solve_cholesky(h, b, 3);
    CHECK(b[0] == 0 && b[1] == 0 && b[2] == 0);
    float g[4] = { 4, 2, 2, 3 }, d[2] = { 8, 8 };
    fa_solve_cholesky(g, d, 2);
    check_near("first", d[0], 1, 1e-6);
    check_near("second", d[1], 2, 1e-6);
}

/* --- A model of 20 points and 3 modes ------------------------------------------------------------------------------- */

enum { N = 20, NP = 32, M = 3 };
struct toy { float mean[3 * NP], modes[M * 3 * NP], variances[M]; struct fa_pdm pdm; };

static void toy_make(struct toy *t)
{
    uint64_t seed = 77;
    memset(t, 0, sizeof *t);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < N; i++) {
            t->mean[k * NP + i] = (k == 2 ? 15.0f : 50.0f) * test_randf(&seed);
            for (int j = 0; j < M; j++)
                t->modes[(j * 3 + k) * NP + i] = 0.2f * test_randf(&seed);
        }
    for (int j = 0; j < M; j++)
        t->variances[j] = 900.0f / (float)(1 << j);
    t->pdm = (struct fa_pdm){ .n = N, .np = NP, .m = M, .mean = t->mean, .modes = t->modes, .variances = t->variances };
}

static void fit_finds_the_parameters_again(void)
{
    struct toy t;
    struct fa_params p = { .g = { 1.5f, 0.2f, -0.3f, 0.1f, 320, 240 }, .q = { 5, -8, 3 } }, got;
    float xy[2 * NP], again[2 * NP], norm[1001];
    toy_make(&t);
    fa_pdm_shape2d(xy, NULL, &t.pdm, &p);
    for (int missing = 0; missing < 2; missing++) {
        float seen[2 * NP];
        memcpy(seen, xy, sizeof seen);
        for (int i = 0; missing && i < N; i += 6)
            seen[i] = 0;                       /* x alone decides */
        const int steps = fa_pdm_fit(&got, &t.pdm, seen, NULL, norm);
        CHECK(steps >= 3 && steps < 100);
        CHECK(norm[steps] < norm[0]);
        fa_pdm_shape2d(again, NULL, &t.pdm, &got);
        for (int k = 0; k < 2; k++)
            check_f32_abs("shape", again + k * NP, xy + k * NP, N, 0.2);
    }
}

static void fit_without_any_point_ends_at_once(void)
{
    struct toy t;
    struct fa_params p;
    float none[2 * NP] = { 0 }, bad[2 * NP];
    toy_make(&t);
    check_int("steps", fa_pdm_fit(&p, &t.pdm, none, NULL, NULL), 0);
    for (int i = 0; i < 2 * NP; i++)
        bad[i] = NAN;
    CHECK(fa_pdm_fit(&p, &t.pdm, bad, NULL, NULL) <= 1);
    bad[3] = bad[NP + 3] = 7;                  /* one point: no scale can be had from its box */
    for (int i = 0; i < N; i++)
        if (i != 3)
            bad[i] = bad[NP + i] = 0;
    CHECK(fa_pdm_fit(&p, &t.pdm, bad, NULL, NULL) <= 1000);
}

static void clamp_stops_at_three_sigma(void)
{
    struct toy t;
    struct fa_params p = { .q = { 1000, -1000, 1 } };
    toy_make(&t);
    fa_pdm_clamp(&p, &t.pdm);
    check_near("q0", p.q[0], 90, 1e-5);
    check_near("q1", p.q[1], -3 * sqrt(450), 1e-5);
    check_near("q2", p.q[2], 1, 0);
}

static void pose_finds_a_projected_head_again(void)
{
    struct toy t;
    const struct fa_camera cam = { 500, 510, 320, 240 };
    uint64_t seed = 21;
    toy_make(&t);
    for (int trial = 0; trial < 50; trial++) {
        const float e[3] = { 0.5f * test_randf(&seed), 0.9f * test_randf(&seed), 0.5f * test_randf(&seed) };
        const double at[3] = { 60 * test_randf(&seed), 60 * test_randf(&seed), 500 + 200 * test_randf(&seed) };
        struct fa_params p = { .g = { (float)(cam.fx / at[2]), 0, e[1] * 0.8f, 0, 0, 0 }, .q = { 4, 3, -2 } };
        float r[9], x3[3 * NP], xy[2 * NP] = { 0 }, pose[6];
        fa_rotation_from_euler(r, e[0], e[1], e[2]);
        fa_pdm_shape3d(x3, &t.pdm, p.q);
        for (int i = 0; i < N; i++) {
            double c[3];
            for (int k = 0; k < 3; k++)
                c[k] = (double)r[3 * k] * x3[i] + (double)r[3 * k + 1] * x3[NP + i] + (double)r[3 * k + 2] * x3[2 * NP + i] + at[k];
            xy[i] = (float)(cam.fx * c[0] / c[2] + cam.cx);
            xy[NP + i] = (float)(cam.fy * c[1] / c[2] + cam.cy);
        }
        p.g.tx = (float)(cam.fx * at[0] / at[2] + cam.cx);
        p.g.ty = (float)(cam.fy * at[1] / at[2] + cam.cy);
        fa_head_pose(pose, &t.pdm, &p, xy, &cam);
        for (int k = 0; k < 3; k++) {
            check_near("translation", pose[k], at[k], 2e-3);
            check_near("angle", pose[3 + k], e[k], 1e-5);
        }
    }
}

static void pose_of_scale_zero_is_zero(void)
{
    struct toy t;
    struct fa_params p = { 0 };
    float xy[2 * NP] = { 0 }, pose[6] = { 1, 1, 1, 1, 1, 1 };
    toy_make(&t);
    fa_head_pose(pose, &t.pdm, &p, xy, &(struct fa_camera){ 500, 500, 320, 240 });
    for (int i = 0; i < 6; i++)
        CHECK(pose[i] == 0);
}

/* Attaching: sizes that disagree are errors with words. change: 0 none, else one entry is spoiled. */
static int attach(int change, struct fa_err *e)
{
    struct toy t;
    struct fa_pack_builder b;
    struct fa_pack pack;
    struct fa_pdm pdm;
    size_t len;
    toy_make(&t);
    int n = N, mean_dim[] = { 3, NP }, mode_dim[] = { M, 3, NP }, one[] = { 1 }, var_dim[] = { M };
    if (change == 1) n = 90;
    if (change == 2) n = 16;
    if (change == 3) n = -5;
    if (change == 4) mean_dim[0] = 2;
    if (change == 5) mode_dim[0] = 2;
    if (change == 6) var_dim[0] = 2;
    if (change == 7) t.variances[1] = 0;
    if (change == 8) t.variances[2] = NAN;
    fa_pack_begin(&b);
    fa_pack_add(&b, FA_I32, 1, one, &n, "main/pdm/points");
    fa_pack_add(&b, FA_F32, 2, mean_dim, t.mean, "main/pdm/mean");
    if (change != 9)
        fa_pack_add(&b, FA_F32, 3, mode_dim, t.modes, "main/pdm/modes");
    fa_pack_add(&b, FA_F32, 1, var_dim, t.variances, "main/pdm/variances");
    void *mem = fa_pack_finish(&b, &len, e);
    CHECK(mem && fa_pack_open_mem(&pack, mem, len, mem, e) == FA_OK);
    const int rc = fa_pdm_attach(&pdm, &pack, "main", e);
    if (rc == FA_OK)
        CHECK(pdm.n == N && pdm.np == NP && pdm.m == M);
    fa_pack_close(&pack);
    return rc;
}

static void a_model_with_wrong_sizes_is_refused(void)
{
    struct fa_err e;
    check_int("whole", attach(0, &e), FA_OK);
    for (int change = 1; change <= 9; change++) {
        e.text[0] = 0;
        check_int("changed", attach(change, &e), FA_E_MODEL);
        CHECK(strstr(e.text, "pdm") != NULL);
    }
}

int main(void)
{
    RUN(rotation_vectors_of_the_spec);
    RUN(rotation_updates_of_the_spec);
    RUN(rotations_with_a_tiny_sine_vanish);
    RUN(half_turns_keep_their_axis);
    RUN(a_rotation_that_is_not_a_number_becomes_zero);
    RUN(similarity_maps_a_to_b_and_back);
    RUN(similarity_never_mirrors);
    RUN(cameras_default_as_openface);
    RUN(a_pivot_below_epsilon_gives_zeros);
    RUN(fit_finds_the_parameters_again);
    RUN(fit_without_any_point_ends_at_once);
    RUN(clamp_stops_at_three_sigma);
    RUN(pose_finds_a_projected_head_again);
    RUN(pose_of_scale_zero_is_zero);
    RUN(a_model_with_wrong_sizes_is_refused);
    return test_done();
}
