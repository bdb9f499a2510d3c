/* SPDX-License-Identifier: BSD-2-Clause
 * The aligned face against spec/aus 12.2 and the dumps (README rows 33 to 35): matrix, mask, pixels and FHOG bit for bit,
 * given landmarks and translation; and the geometry descriptor (row 36). */
#include "fa_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "fa_align.h"
#include "fa_au.h"
#include "test_models.h"

enum { N = 68, NP = 80, SIDE = FA_AU_SIDE };

static const struct fa_align_look masked = { SIDE, 0.7, 1, 0 }, bare = { SIDE, 0.7, 0, 0 };

static void formula_landmarks(float *xy, const struct fa_pdm *pdm)
{
    for (int i = 0; i < N; i++) {
        double mx = pdm->mean[i], my = pdm->mean[pdm->np + i];
        xy[i] = (float)(1.7 * (cos(0.2) * mx - sin(0.2) * my) + 300 + 3 * sin(1.1 * i));
        xy[NP + i] = (float)(1.7 * (sin(0.2) * mx + cos(0.2) * my) + 250 + 2 * cos(0.9 * i));
    }
}

static void formula_face_is_bit_exact(void)
{
    struct fa_pack pack;
    struct fa_aligner a;
    struct fa_err e;
    if (!test_model(&pack, "clnf")) {
        test_skip("no models");
        return;
    }
    check_int("open", fa_aligner_open(&a, &pack, &e), FA_OK);
    float xy[2 * NP], warp[6];
    formula_landmarks(xy, &a.pdm);
    static uint8_t frame[480][640][3], px[SIDE][SIDE][3];
    for (int y = 0; y < 480; y++)
        for (int x = 0; x < 640; x++)
            for (int c = 0; c < 3; c++)
                frame[y][x][c] = (uint8_t)((c + 2) * x + 3 * y + (c + 1) * (((x / 9) * (y / 7)) % 53));
    check_int("frame", test_crc32(frame, sizeof frame), 0x19186620);
    struct fa_img8 img = { frame[0][0], 640 * 3, 640, 480, 3 };

    struct fa_params fit, p = { .g = { .tx = 300.018707f, .ty = 249.985321f } };
    fa_align_fit(&fit, &a, xy);
    check_near("fit tx", fit.g.tx, 300.018707, 1e-4);
    check_near("fit ty", fit.g.ty, 249.985321, 1e-4);
    check_near("fit p0", fit.q[0], -18.8258, 1e-3);
    check_near("fit p33", fit.q[33], 0.0130229, 1e-4);

    check_int("face", fa_align_face(px[0][0], warp, &a, &bare, &img, xy, &p, &e), FA_OK);
    static const uint32_t want[6] = { 0x3ecea906, 0x3daaf341, 0xc2abedb4, 0xbdaaf341, 0x3ecea906, 0xc19edfd8 };
    check_bytes("matrix", warp, want, sizeof want);
    p.g.tx = 300.5f;
    p.g.ty = 249.25f;
    check_int("face", fa_align_face(px[0][0], warp, &a, &bare, &img, xy, &p, &e), FA_OK);
    check_int("warped", test_crc32(px, sizeof px), 0xb58479a3);
    check_bytes("pixel 56, 56", px[56][56], ((uint8_t[]){ 111, 197, 28 }), 3);
    check_int("face", fa_align_face(px[0][0], warp, &a, &masked, &img, xy, &p, &e), FA_OK);
    check_int("mask", test_crc32(a.mask, SIDE * SIDE), 0x47f04977);
    check_near("P17 x", a.mask_xy[0][17], 12.5655365, 1e-6);
    check_near("P17 y", a.mask_xy[1][17], -8.778286, 1e-6);
    check_int("masked face", test_crc32(px, sizeof px), 0xa0e141c7);
    float hog[FA_N_HOG];
    fa_fhog(hog, &(struct fa_img8){ px[0][0], 3 * SIDE, SIDE, SIDE, 3 });
    check_int("hog", test_crc32(hog, sizeof hog), 0x2af181a2);
    fa_aligner_close(&a);
    fa_pack_close(&pack);
}

static void gray_output_is_the_gray_of_the_colour_face(void)
{
    struct fa_pack pack;
    struct fa_aligner a;
    struct fa_err e;
    if (!test_model(&pack, "clnf")) {
        test_skip("no models");
        return;
    }
    check_int("open", fa_aligner_open(&a, &pack, &e), FA_OK);
    const struct fa_align_look look = { 50, 50 * (0.7 / 112), 1, 0 }, dull = { 50, 50 * (0.7 / 112), 1, 1 };
    float xy[2 * NP], warp[6];
    formula_landmarks(xy, &a.pdm);
    static uint8_t frame[480 * 640 * 3], px[50 * 50 * 3], gray[50 * 50], want[50 * 50];
    uint64_t seed = 5;
    for (size_t i = 0; i < sizeof frame; i++)
        frame[i] = (uint8_t)test_rand(&seed);
    struct fa_img8 img = { frame, 640 * 3, 640, 480, 3 };
    struct fa_params p;
    fa_align_fit(&p, &a, xy);
    check_int("face", fa_align_face(px, warp, &a, &look, &img, xy, &p, &e), FA_OK);
    check_int("face", fa_align_face(gray, warp, &a, &dull, &img, xy, &p, &e), FA_OK);
    fa_gray_from_bgr(&(struct fa_img8){ want, 50, 50, 50, 1 }, &(struct fa_img8){ px, 150, 50, 50, 3 });
    check_bytes("gray", gray, want, sizeof want);
    fa_aligner_close(&a);
    fa_pack_close(&pack);
}

/* Landmarks and frame of every dumped frame whose pixels are dumped too; matrix, mask and descriptors of all others. */
static void case_matches(const char *name, int *frames)
{
    struct fa_pack pack;
    struct fa_aligner a;
    struct fa_err e;
    struct dump d;
    if (!test_model(&pack, "clnf") || !dump_open(&d, name))
        return;
    check_int("open", fa_aligner_open(&a, &pack, &e), FA_OK);
    const struct dump_row *image = dump_find(&d, 0, "image.bgr", -2, NULL, -2, -2);
    static uint8_t px[SIDE * SIDE * 3];
    for (int i = 0; i < d.n; i++) {
        const struct dump_row *r = &d.row[i];
        const char *dot = strstr(r->name, "au.warp_matrix");
        if (!dot || strcmp(dot, "au.warp_matrix") != 0)
            continue;
        char prefix[96], nm[200];
        snprintf(prefix, sizeof prefix, "%.*s", (int)(dot - r->name), r->name);
#define ROW(s) (snprintf(nm, sizeof nm, "%s%s", prefix, s), dump_find(&d, 0, nm, r->frame, NULL, -2, -2))
        const struct dump_row *g = ROW("au.params_global"), *q = ROW("au.params_local");
        snprintf(nm, sizeof nm, "%sout.landmarks", prefix);
        const struct dump_row *xy = dump_find(&d, 0, nm, r->frame, "main", -2, -2);
        CHECK(g && q && xy);
        if (!g || !q || !xy)
            continue;
        const float *pg = dump_f32(g);
        float lm[2 * NP] = { 0 };
        for (int k = 0; k < 2; k++)
            memcpy(lm + k * NP, dump_f32(xy) + k * N, N * sizeof *lm);
        struct fa_params p = { .g = { pg[0], pg[1], pg[2], pg[3], pg[4], pg[5] } }, fit;
        uint8_t dark[3] = { 0 };
        struct fa_img8 img = { dark, 3, 1, 1, 3 };
        int has_px = image && image->frame == r->frame;
        if (has_px)
            img = (struct fa_img8){ (uint8_t *)dump_u8(image), 3 * image->dim[1], image->dim[1], image->dim[0], 3 };
        float warp[6];
        fa_align_fit(&fit, &a, lm);
        check_near("tx of the fit", fit.g.tx, pg[4], 1e-4);
        check_near("ty of the fit", fit.g.ty, pg[5], 1e-4);
        check_f32_abs("p of the fit", fit.q, dump_f32(q), 34, 1e-3);
        check_int("face", fa_align_face(px, warp, &a, &bare, &img, lm, &p, &e), FA_OK);
        check_f32_bits("matrix", warp, dump_f32(r), 6);
        if (has_px)
            check_bytes("unmasked", px, dump_u8(ROW("au.aligned_unmasked")), sizeof px);
        check_int("face", fa_align_face(px, warp, &a, &masked, &img, lm, &p, &e), FA_OK);
        const float *ml = dump_f32(ROW("au.mask_landmarks"));
        check_f32_bits("mask landmarks x", a.mask_xy[0], ml, N);
        check_f32_bits("mask landmarks y", a.mask_xy[1], ml + N, N);
        check_bytes("mask", a.mask, dump_u8(ROW("au.mask")), SIDE * SIDE);
        const uint8_t *face = dump_u8(ROW("au.aligned_face"));
        if (has_px)
            check_bytes("face", px, face, sizeof px);
        float hog[FA_N_HOG];
        fa_fhog(hog, &(struct fa_img8){ (uint8_t *)face, 3 * SIDE, SIDE, SIDE, 3 });
        check_f32_bits("hog", hog, dump_f32(ROW("au.hog")), FA_N_HOG);
        double geom[FA_N_GEOM];
        fa_au_geometry(geom, &a.pdm, dump_f32(q));
        check_f64_abs("geometry", geom, dump_f64(ROW("au.geom")), FA_N_GEOM, 1e-13);
        ++*frames;
    }
    fa_aligner_close(&a);
    fa_pack_close(&pack);
    dump_close(&d);
}

static void dumped_faces_are_bit_exact(void)
{
    int frames = 0;
    case_matches("default_wmv", &frames);
    case_matches("avi_2015", &frames);
    case_matches("image_sample3", &frames);
    if (!shared_dir())
        test_skip("no dumps");
    else
        check_int("frames", frames, 10);
}

int main(void)
{
    RUN(formula_face_is_bit_exact);
    RUN(gray_output_is_the_gray_of_the_colour_face);
    RUN(dumped_faces_are_bit_exact);
    return test_done();
}
