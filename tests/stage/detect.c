/* SPDX-License-Identifier: BSD-2-Clause
 * detect: every step of the cascade against the reference's dumps (spec/README test plan, rows 4-11). */
#include "fa_test.h"

#include <stdlib.h>
#include <string.h>

#include "detect_internal.h"
#include "dump.h"
#include "fa_kern.h"
#include "test_team.h"
#include "test_models.h"

static const char *const cases[] = { "default_wmv", "avi_2015", "image_sample3" };
static struct fa_pack pack;
static struct fa_detector det;
static int have_model;

static int setup(struct dump *d, const char *name)
{
    if (!have_model || !dump_open(d, name)) {
        test_skip(have_model ? "no dumps" : "no models");
        return 0;
    }
    return 1;
}

static struct fa_img8 frame_of(const struct dump *d)
{
    const struct dump_row *r = dump_find(d, 0, "image.bgr", 1, NULL, -2, -2);
    CHECK(r && r->type == 'u' && r->ndim == 3 && r->dim[2] == 3);
    return (struct fa_img8){ .px = (uint8_t *)r->data, .stride = (ptrdiff_t)r->dim[1] * 3, .w = r->dim[1], .h = r->dim[0], .ch = 3 };
}

/* One row's list "name.boxes", ".scores", ".corrections" (absent ones are left alone) against c[n]: boxes exact or to a tolerance. */
static void check_list(const struct dump *d, const char *name, int scale, const struct cand *c, int n, double box_tol)
{
    char full[96];
    snprintf(full, sizeof full, "%s.boxes", name);
    const struct dump_row *b = dump_find(d, 0, full, 1, NULL, scale, -2);
    snprintf(full, sizeof full, "%s.scores", name);
    const struct dump_row *s = dump_find(d, 0, full, 1, NULL, scale, -2);
    snprintf(full, sizeof full, "%s.corrections", name);
    const struct dump_row *o = dump_find(d, 0, full, 1, NULL, scale, -2);
    CHECK(b && s);
    if (!b || !s)
        return;
    check_int(name, n, b->dim[0]);
    for (int i = 0; i < n && i < b->dim[0]; i++) {
        check_f32_abs(name, &c[i].x, dump_f32(b) + 4 * i, 4, box_tol);
        check_near(name, c[i].score, dump_f32(s)[i], 1e-5);
        if (o)
            check_f32_abs(name, c[i].off, dump_f32(o) + 4 * i, 4, 1e-5);
    }
}

static void check_map(const struct dump *d, const struct level *l, int level, const char *name, int channel)
{
    const struct dump_row *r = dump_find(d, 0, name, 1, NULL, level, -2);
    if (!r)
        return;
    check_int("map height", l->map_h, r->dim[0]);
    check_int("map width", l->map_w, r->dim[1]);
    for (size_t i = 0; i < r->n; i++) {
        const float *o = l->map + i * PNET_OUT;
        check_near(name, channel < 0 ? score_pnet(o[0], o[1]) : o[channel], dump_f32(r)[i], 1e-5);
    }
}

/* R, G, B of ours against B, G, R of the dumps. */
static void check_input(const char *why, const struct sampler *s, int w, int h, const float *want)
{
    float *row = malloc((size_t)w * 3 * sizeof *row);
    for (int y = 0; y < h; y++) {
        sampler_row(s, row, y);
        for (int x = 0; x < w; x++) {
            float bgr[3] = { row[3 * x + 2], row[3 * x + 1], row[3 * x] };
            check_f32_bits(why, bgr, want + ((size_t)y * (size_t)w + (size_t)x) * 3, 3);
        }
    }
    free(row);
}

static void levels_of(const char *name)
{
    struct dump d;
    struct fa_err e;
    if (!setup(&d, name))
        return;
    struct fa_img8 img = frame_of(&d);
    check_int("prepare", detect_prepare(&det, &img, NULL, &e), FA_OK);
    detect_pnet(&det, NULL);
    int n_input = 0;
    for (int i = 0; i < detect_level_count(&det); i++) {
        const struct level *l = detect_level(&det, i);
        const struct dump_row *size = dump_find(&d, 0, "mtcnn.pnet.input_size", 1, NULL, i, -2);
        const struct dump_row *in = dump_find(&d, 0, "mtcnn.pnet.input", 1, NULL, i, -2);
        CHECK(size && dump_i32(size)[0] == l->h && dump_i32(size)[1] == l->w);
        if (in) {
            check_input("level input", &l->sampler, l->w, l->h, dump_f32(in));
            n_input++;
        }
        check_map(&d, l, i, "mtcnn.pnet.prob", -1);
        check_map(&d, l, i, "mtcnn.pnet.corr0", 2);
        check_map(&d, l, i, "mtcnn.pnet.corr1", 3);
        check_map(&d, l, i, "mtcnn.pnet.corr2", 4);
        check_map(&d, l, i, "mtcnn.pnet.corr3", 5);
        struct cand *c = malloc((size_t)l->map_w * (size_t)l->map_h * sizeof *c);
        check_list(&d, "mtcnn.pnet", i, c, detect_proposals(c, l, det.cascade.threshold[0]), 0);
        free(c);
    }
    CHECK(n_input >= 2);
    CHECK(!dump_find(&d, 0, "mtcnn.pnet.input_size", 1, NULL, detect_level_count(&det), -2));
    dump_close(&d);
}

static void pyramid_inputs_maps_and_proposals_match_the_reference(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        levels_of(cases[i]);
}

/* Crops and outputs of the first boxes given to a network. */
static void check_crops(const struct dump *d, const struct fa_net *net, const char *name, const struct fa_img8 *img, const struct cand *c, int n)
{
    char full[96];
    _Alignas(64) static unsigned char mem[4 * 2 * 48 * sizeof(float)];
    struct sampler s;
    sampler_place(&s, net->side, net->side, mem);
    for (int i = 0; i < n && i < 3; i++) {
        snprintf(full, sizeof full, "mtcnn.%s.input", name);
        const struct dump_row *in = dump_find(d, 0, full, 1, NULL, -2, i);
        snprintf(full, sizeof full, "mtcnn.%s.out", name);
        const struct dump_row *out = dump_find(d, 0, full, 1, NULL, -2, i);
        CHECK(in && out);
        if (!in || !out)
            return;
        sampler_set(&s, img, net->side, net->side, (int)c[i].x - 1, (int)c[i].y - 1, (int)c[i].w + 1, (int)c[i].h + 1);
        check_input(full, &s, net->side, net->side, dump_f32(in));
        float got[16] = { 0 };
        CHECK(detect_crop(&det, net, img, &c[i], got));
        check_f32_abs(full, got, dump_f32(out), out->n, 1e-5);
    }
}

static void sequence_of(const char *name)
{
    struct dump d;
    struct fa_err e;
    if (!setup(&d, name))
        return;
    enum { CAP = 8192 };
    struct fa_img8 img = frame_of(&d);
    struct cand *a = malloc(2 * CAP * sizeof *a), *b = a + CAP;
    void *mem = malloc(nms_room_bytes(CAP));
    struct nms_room room;
    nms_room_place(&room, CAP, mem);
    detect_prepare(&det, &img, NULL, &e);
    detect_pnet(&det, NULL);
    int n = 0;
    for (int i = 0; i < detect_level_count(&det); i++)
        n += nms(a + n, b, detect_proposals(b, detect_level(&det, i), det.cascade.threshold[0]), 0.5f, NMS_UNION, &room);
    check_list(&d, "mtcnn.pnet_nms05", -2, a, n, 0);
    n = nms(b, a, n, 0.7f, NMS_UNION, &room);
    check_list(&d, "mtcnn.pnet_nms07", -2, b, n, 0);
    for (int i = 0; i < n; i++) {
        box_correct(&b[i], 0);
        box_square(&b[i]);
    }
    check_list(&d, "mtcnn.rnet_in", -2, b, n, 0);
    check_crops(&d, &det.rnet, "rnet", &img, b, n);
    n = detect_refine(&det, &det.rnet, &img, b, b, n, 0.7f, NULL);
    check_list(&d, "mtcnn.rnet_out", -2, b, n, 0);
    n = nms(a, b, n, 0.7f, NMS_UNION, &room);
    check_list(&d, "mtcnn.rnet_nms07", -2, a, n, 0);
    for (int i = 0; i < n; i++) {
        box_correct(&a[i], 0);
        box_square(&a[i]);
    }
    check_list(&d, "mtcnn.onet_in", -2, a, n, 0);
    check_crops(&d, &det.onet, "onet", &img, a, n);
    n = detect_refine(&det, &det.onet, &img, a, a, n, 0.7f, NULL);
    check_list(&d, "mtcnn.onet_out", -2, a, n, 0);
    for (int i = 0; i < n; i++)
        box_correct(&a[i], 1);
    check_list(&d, "mtcnn.onet_corrected", -2, a, n, 1e-4);
    n = nms(b, a, n, 0.7f, NMS_MIN, &room);
    check_list(&d, "mtcnn.onet_nms07", -2, b, n, 1e-4);
    free(a);
    free(mem);
    dump_close(&d);
}

static void every_list_of_the_cascade_matches_the_reference(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        sequence_of(cases[i]);
}

static void final_box_of_the_dumped_candidates_is_exact(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dump d;
        if (!setup(&d, cases[i]))
            return;
        const struct dump_row *from = dump_find(&d, 0, "mtcnn.onet_nms07.boxes", 1, NULL, -2, -2);
        const struct dump_row *to = dump_find(&d, 0, "mtcnn.final.boxes", 1, NULL, -2, -2);
        CHECK(from && to && from->n == to->n);
        for (int k = 0; from && to && k < from->dim[0]; k++) {
            struct cand c = { 0 };
            memcpy(&c.x, dump_f32(from) + 4 * k, 4 * sizeof(float));
            box_to_landmarks(&c, det.cascade.box);
            check_f32_bits("final", &c.x, dump_f32(to) + 4 * k, 4);
        }
        dump_close(&d);
    }
}

static void faces_of_whole_frames_match_the_reference(void)
{
    static struct fa_face_list f;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dump d;
        struct fa_err e;
        if (!setup(&d, cases[i]))
            return;
        struct fa_img8 img = frame_of(&d);
        check_int("detect", fa_detect(&det, &img, &f, NULL, &e), FA_OK);
        const struct dump_row *r = dump_find(&d, 0, "mtcnn.final.boxes", 1, NULL, -2, -2);
        const struct dump_row *chosen = dump_find(&d, 0, "state.chosen_box", 1, NULL, -2, -2);
        check_int("faces", f.n, r ? r->dim[0] : -1);
        for (int k = 0; r && k < f.n; k++)
            check_f32_abs("final", &f.box[k].x, dump_f32(r) + 4 * k, 4, 1e-3);
        if (chosen && f.n)
            check_f32_abs("chosen", &f.box[fa_face_widest(f.box, f.n)].x, dump_f32(chosen), 4, 1e-3);
        dump_close(&d);
    }
}

/* A smaller frame in between changes the scratch. */
static void same_faces_for_any_threads_kernels_and_earlier_frames(void)
{
    static struct fa_face_list want, got;
    struct dump d;
    struct fa_err e;
    if (!setup(&d, "default_wmv"))
        return;
    struct fa_img8 img = frame_of(&d);
    CHECK(fa_detect(&det, &img, &want, NULL, &e) == FA_OK && want.n == 1);
    static const unsigned masks[] = { ~0u, FA_CPU_AVX2, 0 };
    for (int i = 0; i < 3; i++) {
        struct fa_img8 cut = { img.px + 3, img.stride, 333, 77, 3 };
        fa_kern_select(masks[i]);
        for (int threads = 1; threads <= (masks[i] ? 3 : 1); threads++) {
            struct fa_team *team = test_team(threads);
            CHECK(fa_detect(&det, &cut, &got, team, &e) == FA_OK);
            CHECK(fa_detect(&det, &img, &got, team, &e) == FA_OK && got.n == want.n);
            fa_team_close(team);
            check_bytes("faces", got.box, want.box, sizeof *want.box * (size_t)want.n);
        }
    }
    fa_kern_select(~0u);
    dump_close(&d);
}

static void a_gray_frame_is_a_colour_frame_of_equal_channels(void)
{
    static struct fa_face_list a, b;
    struct dump d;
    struct fa_err e;
    if (!setup(&d, "default_wmv"))
        return;
    const struct dump_row *r = dump_find(&d, 0, "image.gray", 1, NULL, -2, -2);
    int h = r->dim[0], w = r->dim[1];
    uint8_t *bgr = malloc(3 * r->n);
    for (size_t i = 0; i < r->n; i++)
        memset(bgr + 3 * i, dump_u8(r)[i], 3);
    struct fa_img8 gray = { (uint8_t *)r->data, w, w, h, 1 }, colour = { bgr, 3 * (ptrdiff_t)w, w, h, 3 };
    CHECK(fa_detect(&det, &gray, &a, NULL, &e) == FA_OK && a.n >= 1);
    CHECK(fa_detect(&det, &colour, &b, NULL, &e) == FA_OK && b.n == a.n);
    check_bytes("faces", a.box, b.box, sizeof *a.box * (size_t)a.n);
    free(bgr);
    dump_close(&d);
}

static void small_and_flat_frames_have_no_face(void)
{
    static const struct { int w, h; } t[] = { { 1, 1 }, { 16, 16 }, { 42, 42 }, { 59, 400 }, { 400, 59 }, { 60, 60 }, { 61, 67 }, { 1001, 60 } };
    static struct fa_face_list f;
    struct fa_err e;
    if (!have_model) {
        test_skip("no models");
        return;
    }
    uint8_t *px = calloc(1, 1001 * 400 * 3);
    struct fa_team *team = test_team(2);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fa_img8 img = { px, (ptrdiff_t)t[i].w * 3, t[i].w, t[i].h, 3 };
        check_int("detect", fa_detect(&det, &img, &f, team, &e), FA_OK);
        check_int("faces", f.n, 0);
    }
    fa_team_close(team);
    free(px);
}

int main(void)
{
    struct fa_err e;
    have_model = test_model(&pack, "clnf");
    if (have_model && fa_detector_open(&det, &pack, &e) != FA_OK) {
        printf("FAIL detector_opens: %s\n", e.text);
        return 1;
    }
    RUN(pyramid_inputs_maps_and_proposals_match_the_reference);
    RUN(every_list_of_the_cascade_matches_the_reference);
    RUN(final_box_of_the_dumped_candidates_is_exact);
    RUN(faces_of_whole_frames_match_the_reference);
    RUN(same_faces_for_any_threads_kernels_and_earlier_frames);
    RUN(a_gray_frame_is_a_colour_frame_of_equal_channels);
    RUN(small_and_flat_frames_have_no_face);
    if (have_model) {
        fa_detector_close(&det);
        fa_pack_close(&pack);
    }
    return test_done();
}
