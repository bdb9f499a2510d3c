/* SPDX-License-Identifier: BSD-2-Clause
 * The spec's test vectors for OpenFace's point distribution models (LM 7.2, 7.3). */
#include "fa_shape.h"

#include <math.h>

#include "shape_stage.h"

/* q_j(A) of LM 7. */
static void local_of_the_vectors(struct fa_params *p, const struct fa_pdm *pdm, double a)
{
    for (int j = 0; j < pdm->m; j++)
        p->q[j] = (float)(a * sqrt((double)pdm->variances[j]) * ((5 * j) % 7 - 3) / 3);
}

static struct fa_params params_of_the_vectors(const struct fa_pdm *pdm)
{
    struct fa_params p = { .g = { 1.3f, 0.2f, -0.3f, 0.1f, 320, 240 } };
    local_of_the_vectors(&p, pdm, 0.5);
    return p;
}

static void main_shape_of_the_vectors(void)
{
    static const struct { int i; float at[5]; } t[] = {
        { 0, { -75.9562302f, -31.3537254f, 47.5392876f, 211.76236f, 184.390671f } },
        { 8, { 0.15222241f, 77.1346359f, -1.70079899f, 311.277832f, 338.800415f } },
        { 30, { 2.2777791f, -8.56233215f, -34.9049606f, 337.286011f, 237.809128f } },
        { 36, { -46.1510277f, -38.5439644f, 4.22401428f, 266.125824f, 187.435669f } },
        { 45, { 45.6351128f, -38.1955757f, 4.67715549f, 379.331726f, 192.472565f } },
        { 57, { -0.124851108f, 41.179657f, -22.2594795f, 323.291534f, 298.003906f } },
    };
    if (!shape_open())
        return;
    const struct fa_pdm *pdm = &shape_pdm[0];
    struct fa_params p = params_of_the_vectors(pdm);
    float xy[2 * PAD_POINTS], x3[3 * PAD_POINTS];
    check_int("points", pdm->n, 68);
    check_int("modes", pdm->m, 34);
    fa_pdm_shape2d(xy, x3, pdm, &p);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        const float got[5] = { x3[t[i].i], x3[pdm->np + t[i].i], x3[2 * pdm->np + t[i].i], xy[t[i].i], xy[pdm->np + t[i].i] };
        check_f32_rel("3D", got, t[i].at, 3, 2e-7);
        check_f32_rel("2D", got + 3, t[i].at + 3, 2, 2e-7);
    }

    struct fa_params b = p;
    b.g = (struct fa_global){ .ry = 0.5236f, .rz = 0.1f };
    const float box[4] = { 100.5f, 80.25f, 150, 170 }, want_box[3] = { 1.16745782f, 150.002365f, 159.465195f };
    fa_pdm_params_from_box(&b, pdm, box);
    check_f32_rel("from box", (&(const struct { float x[3]; }){ { b.g.s, b.g.tx, b.g.ty } })->x, want_box, 3, 1e-7);
}

static void main_jacobian_of_the_vectors(void)
{
    static const float want[2][10] = {
        { 13.2969246f, -1.03831136f, -42.2581406f, 10.2983418f, 1, 0, 0.0354116596f, 0.0910825133f, 0.0689501837f, 0.0250441935f },
        { -1.68529081f, 46.6283531f, -1.22700012f, 3.34379649f, 0, 1, 0.0379616171f, -0.0132707199f, -0.00018292031f, 0.0297289882f },
    };
    if (!shape_open())
        return;
    const struct fa_pdm *pdm = &shape_pdm[0];
    struct fa_params p = params_of_the_vectors(pdm);
    static float x3[3 * PAD_POINTS], xy[2 * PAD_POINTS], j[FA_PDM_MAX_PARAMS * 2 * PAD_POINTS];
    double sum = 0, squares = 0;
    fa_pdm_shape2d(xy, x3, pdm, &p);
    fa_pdm_jacobian(j, pdm, &p, x3, 0);
    for (int k = 0; k < 2; k++) {
        float got[10];
        for (int c = 0; c < 10; c++)
            got[c] = j[(c < 9 ? c : 39) * 2 * pdm->np + k * pdm->np + 30];
        check_f32_rel("row of landmark 30", got, want[k], 10, 1e-7);
    }
    for (int i = 0; i < 40 * 2 * pdm->np; i++) {
        sum += j[i];
        squares += (double)j[i] * j[i];
    }
    check_near("sum", sum, 136.000081, 2e-3);
    check_near("squares", squares / 662205.963, 1, 1e-7);
}

static void main_update_and_clamp_of_the_vectors(void)
{
    static const float want[6] = { 1.3499999f, 0.233819604f, -0.31608513f, 0.150220767f, 321.5f, 237.75f };
    static const float want_clamped[4] = { -86.2318039f, 79.1331329f, 0, -50.455452f };
    if (!shape_open())
        return;
    const struct fa_pdm *pdm = &shape_pdm[0];
    struct fa_params p = params_of_the_vectors(pdm), c = p;
    float d[FA_PDM_MAX_PARAMS] = { 0.05f, 0.03f, -0.02f, 0.04f, 1.5f, -2.25f };
    for (int j = 0; j < pdm->m; j++)
        d[6 + j] = 0.1f * (float)(j % 3 - 1);
    fa_pdm_update(&p, d, 6 + pdm->m);
    check_f32_abs("global", &p.g.s, want, 6, 3e-7);
    check_f32_rel("local", p.q, (&(const struct { float x[3]; }){ { -14.4719677f, 8.79257011f, 0.100000001f } })->x, 3, 1e-7);
    for (int j = 0; j < pdm->m; j++)
        c.q[j] *= 10;
    fa_pdm_clamp(&c, pdm);
    check_f32_rel("clamped", c.q, want_clamped, 4, 1e-7);
}

/* L of the fits of LM 7.2: the shape of p moved by a pattern; skip: points with i mod 5 = 0 are missing. */
static void landmarks_of_the_vectors(float *xy, const struct fa_pdm *pdm, const struct fa_params *p, int skip)
{
    fa_pdm_shape2d(xy, NULL, pdm, p);
    for (int i = 0; i < pdm->n; i++) {
        xy[i] += 0.5f * (float)(3 * i % 5 - 2);
        xy[pdm->np + i] += 0.5f * (float)(7 * i % 5 - 2);
        if (skip && i % 5 == 0)
            xy[i] = xy[pdm->np + i] = 0;
    }
}

static double norm_of(const float *q, int m)
{
    double s = 0;
    for (int j = 0; j < m; j++)
        s += (double)q[j] * q[j];
    return sqrt(s);
}

static void main_fits_of_the_vectors(void)
{
    static const struct { int skip; float rot[3], g[6], q[4]; double norm; } t[] = {
        { 0, { 0 }, { 1.29950535f, 0.214060232f, -0.294778049f, 0.0999745727f, 319.985046f, 240.000122f },
          { -15.6994896f, 8.8611517f, 0.0196831301f, -5.86052132f }, 21.9317021 },
        { 1, { 0 }, { 1.30382752f, 0.211508662f, -0.29010874f, 0.0993433073f, 320.247131f, 240.253052f },
          { -11.6502962f, 8.43955994f, 1.41034031f, -3.65834117f }, 18.5575786 },
        { 1, { 0.15f, -0.2f, 0.05f }, { 1.30382812f, 0.211508289f, -0.290107936f, 0.0993429199f, 320.246948f, 240.253143f },
          { -11.6499348f, 8.43950558f, 1.41039169f, -3.6582458f }, 18.5572433 },
    };
    if (!shape_open())
        return;
    const struct fa_pdm *pdm = &shape_pdm[0];
    const struct fa_params p = params_of_the_vectors(pdm);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        float xy[2 * PAD_POINTS];
        struct fa_params got;
        landmarks_of_the_vectors(xy, pdm, &p, t[i].skip);
        fa_pdm_fit(&got, pdm, xy, t[i].rot, NULL);
        check_f32_rel("global", &got.g.s, t[i].g, 6, 2e-6);
        check_f32_rel("angles", &got.g.rx, t[i].g + 1, 3, 5e-6);
        check_f32_rel("local", got.q, t[i].q, 4, 2e-5);
        check_near("norm", norm_of(got.q, pdm->m) / t[i].norm, 1, 2e-5);
    }
}

static void part_models_of_the_vectors(void)
{
    static const struct { int pdm, point; float x3[3], xy[2], box[3]; double squares; float fit[4], q[3]; double norm; } t[] = {
        { 1, 13, { 2.02475691f, 1.14420795f, -28.1926289f }, { 333.191132f, 248.519135f }, { 1.55084658f, 151.776215f, 167.952332f },
          297672.825, { 1.31247675f, 0.184052929f, -0.286446929f, 0.0955067202f }, { -15.7844801f, 5.75246906f, 0.99459064f }, 19.2230697 },
        { 2, 8, { -10.2400541f, 1.14885187f, 3.71089125f }, { 305.777954f, 240.024734f }, { 11.4425812f, 159.917114f, 177.892258f },
          3067.55417, { 1.29104102f, 0.290533155f, -0.244889304f, 0.103859417f }, { -5.92032051f, 1.92833841f, -0.375516087f }, 6.31765974 },
        { 3, 8, { -11.0139284f, 3.31090951f, 1.17390656f }, { 305.528229f, 243.368393f }, { 10.8309908f, 167.972595f, 177.604126f },
          3129.82167, { 1.28110898f, 0.250169396f, -0.245857894f, 0.104739323f }, { -4.5514164f, 1.98103201f, -0.404144675f }, 5.10704949 },
    };
    static const float box[4] = { 100.5f, 80.25f, 150, 170 };
    if (!shape_open())
        return;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        const struct fa_pdm *pdm = &shape_pdm[t[i].pdm];
        struct fa_params p = params_of_the_vectors(pdm), b = p, got;
        static float xy[2 * PAD_POINTS], x3[3 * PAD_POINTS], j[FA_PDM_MAX_PARAMS * 2 * PAD_POINTS];
        const int at = t[i].point, np = pdm->np;
        double squares = 0;
        fa_pdm_shape2d(xy, x3, pdm, &p);
        for (int k = 0; k < 3; k++)
            check_near("3D", x3[k * np + at], t[i].x3[k], 3e-6);
        for (int k = 0; k < 2; k++)
            check_near("2D", xy[k * np + at], t[i].xy[k], 4e-5);
        b.g = (struct fa_global){ .ry = 0.5236f, .rz = 0.1f };
        fa_pdm_params_from_box(&b, pdm, box);
        check_near("s", b.g.s / t[i].box[0], 1, 2e-7);
        check_near("tx", b.g.tx, t[i].box[1], 4e-5);
        check_near("ty", b.g.ty, t[i].box[2], 4e-5);
        fa_pdm_jacobian(j, pdm, &p, x3, 0);
        for (int c = 0; c < (6 + pdm->m) * 2 * np; c++)
            squares += (double)j[c] * j[c];
        check_near("squares of J", squares / t[i].squares, 1, 2e-7);
        landmarks_of_the_vectors(xy, pdm, &p, 0);
        fa_pdm_fit(&got, pdm, xy, NULL, NULL);
        check_f32_rel("fit", &got.g.s, t[i].fit, 4, 5e-6);
        check_f32_rel("fit q", got.q, t[i].q, 3, 2e-5);
        check_near("norm", norm_of(got.q, pdm->m) / t[i].norm, 1, 2e-5);
    }
}

static void eye_from_six_lid_points(void)
{
    static const float lid[6][2] = { { 250, 200 }, { 258, 195 }, { 268, 194.5f }, { 276, 201 }, { 267, 204 }, { 257, 204.5f } };
    static const float want[6] = { 1.24074495f, 0.0425586924f, 0.0777164251f, -0.0389670059f, 263.473694f, 198.819717f };
    static const float want_q[4] = { 0.473203331f, -1.24346542f, -2.47623253f, -0.345128357f };
    if (!shape_open())
        return;
    const struct fa_pdm *pdm = &shape_pdm[2];
    float xy[2 * PAD_POINTS] = { 0 };
    struct fa_params p;
    for (int i = 0; i < 6; i++) {
        xy[8 + 2 * i] = lid[i][0];
        xy[pdm->np + 8 + 2 * i] = lid[i][1];
    }
    fa_pdm_fit(&p, pdm, xy, NULL, NULL);
    check_f32_rel("global", &p.g.s, want, 6, 2e-6);
    check_f32_abs("angles", &p.g.rx, want + 1, 3, 1e-5);
    check_f32_rel("local", p.q, want_q, 4, 2e-5);
    check_near("norm", norm_of(p.q, pdm->m), 2.86438834, 1e-4);
    fa_pdm_shape2d(xy, NULL, pdm, &p);
    check_near("point 0 x", xy[0], 256.788544, 1e-3);
    check_near("point 0 y", xy[pdm->np], 197.991974, 1e-3);
    check_near("point 20 x", xy[20], 261.861176, 1e-3);
    check_near("point 20 y", xy[pdm->np + 20], 200.421616, 1e-3);
}

int main(void)
{
    RUN(main_shape_of_the_vectors);
    RUN(main_jacobian_of_the_vectors);
    RUN(main_update_and_clamp_of_the_vectors);
    RUN(main_fits_of_the_vectors);
    RUN(part_models_of_the_vectors);
    RUN(eye_from_six_lid_points);
    return test_done();
}
