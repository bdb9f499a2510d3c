/* SPDX-License-Identifier: BSD-2-Clause
 * detect: a cascade of other sizes than the reference's (mtcnn/cascade), made of random networks, and numbers that do not fit. */
#include "fa_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect_internal.h"
#include "fa_model.h"
#include "test_team.h"

enum { N = 11 };
static const double ours[N] = { 40, 0.2, 0.1, 0.1, 12, 20, 36, 0.1, 0.2, 1, 0.8 };

/* A layer: code, inputs, outputs, window, stride; its weights are random (small for offsets), its biases 0. */
static void layer(struct fa_pack_builder *b, const char *net, int i, int *t, uint64_t *seed)
{
    static float w[40000];
    int n = t[0] == 0 ? t[1] * t[2] * t[3] * t[4] : t[1] * t[2];
    if (t[0] == 1)
        return;
    for (int k = 0; k < n; k++)
        w[k] = (i == 2 && k >= n / 3 ? 0.02f : 4) * test_randf(seed) / sqrtf((float)n / (float)t[2]);
    if (t[0] == 0)
        fa_pack_add(b, FA_F32, 4, (int[]){ t[2], t[1], t[3], t[4] }, w, "mtcnn/%s/%d/weight", net, i);
    else
        fa_pack_add(b, FA_F32, 2, (int[]){ t[2], t[1] }, w, "mtcnn/%s/%d/weight", net, i);
    memset(w, 0, sizeof(float) * (size_t)t[2]);
    fa_pack_add(b, FA_F32, 1, &t[2], w, "mtcnn/%s/%d/bias", net, i);
}

/* Opens a detector with these numbers; n = 0: with none. */
static int open_with(struct fa_detector *d, const double *cascade, int n, struct fa_err *e)
{
    int pnet[][8] = { { 0, 3, 6, 3, 3, 1, 1, 0 }, { 1, 0, 6, 2, 2, 2, 2, 0 }, { 0, 6, 6, 5, 5, 1, 1, 0 } };
    int rnet[][8] = { { 0, 3, 4, 5, 5, 1, 1, 0 }, { 1, 0, 4, 4, 4, 4, 4, 0 }, { 2, 4 * 4 * 4, 6, 0, 0, 1, 1, 0 } };
    int onet[][8] = { { 0, 3, 4, 5, 5, 1, 1, 0 }, { 1, 0, 4, 4, 4, 4, 4, 0 }, { 2, 4 * 8 * 8, 6, 0, 0, 1, 1, 0 } };
    struct fa_pack_builder b;
    struct fa_pack p;
    uint64_t seed = 3;
    size_t len;
    *d = (struct fa_detector){ 0 };
    fa_pack_begin(&b);
    for (int i = 0; i < 3; i++) {
        layer(&b, "pnet", i, pnet[i], &seed);
        layer(&b, "rnet", i, rnet[i], &seed);
        layer(&b, "onet", i, onet[i], &seed);
    }
    fa_pack_add(&b, FA_I32, 2, (int[]){ 3, 8 }, pnet, "mtcnn/pnet/layers");
    fa_pack_add(&b, FA_I32, 2, (int[]){ 3, 8 }, rnet, "mtcnn/rnet/layers");
    fa_pack_add(&b, FA_I32, 2, (int[]){ 3, 8 }, onet, "mtcnn/onet/layers");
    if (n)
        fa_pack_add(&b, FA_F64, 1, &n, cascade, "mtcnn/cascade");
    void *mem = fa_pack_finish(&b, &len, e);
    if (!mem || fa_pack_open_mem(&p, mem, len, mem, e) != FA_OK)
        return FA_E_MEM;
    int r = fa_detector_open(d, &p, e);
    fa_pack_close(&p);
    return r;
}

static struct fa_img8 noise(int w, int h)
{
    uint64_t seed = 9;
    uint8_t *px = malloc((size_t)(w * h * 3));
    for (int i = 0; i < w * h * 3; i++)
        px[i] = (uint8_t)test_rand(&seed);
    return (struct fa_img8){ px, 3 * w, w, h, 3 };
}

static void a_set_brings_its_own_numbers(void)
{
    struct fa_detector d;
    struct fa_err e = { 0 };
    check_int("open", open_with(&d, ours, N, &e), FA_OK);
    CHECK(d.rnet.side == 20 && d.onet.side == 36 && d.cascade.smallest == 40);
    struct fa_img8 img = noise(100, 80);
    check_int("prepare", detect_prepare(&d, &img, NULL, &e), FA_OK);
    check_int("levels", detect_level_count(&d), 3);
    CHECK(detect_level(&d, 0)->w == 30 && detect_level(&d, 0)->h == 24);
    struct cand c = { .x = 10, .y = 20, .w = 100, .h = 50 };
    box_to_landmarks(&c, d.cascade.box);
    CHECK(c.x == 20 && c.y == 30 && c.w == 100 && c.h == 40);
    free(img.px);
    fa_detector_close(&d);
}

static void thresholds_below_one_half_hold(void)
{
    struct fa_detector d;
    struct fa_err e = { 0 };
    check_int("open", open_with(&d, ours, N, &e), FA_OK);
    struct fa_img8 img = noise(100, 80);
    detect_prepare(&d, &img, NULL, &e);
    detect_pnet(&d, NULL);
    const struct level *l = detect_level(&d, 0);
    struct cand *c = malloc((size_t)(l->map_w * l->map_h) * sizeof *c);
    int n[3] = { 0 };
    const float at[3] = { 0.2f, 0.5f, 0.8f };
    for (int i = 0; i < l->map_w * l->map_h; i++)
        for (int k = 0; k < 3; k++)
            n[k] += score_pnet(l->map[i * PNET_OUT], l->map[i * PNET_OUT + 1]) >= at[k];
    CHECK(n[0] > n[1] && n[1] > n[2] && n[2] > 0);
    for (int k = 0; k < 3; k++)
        check_int("proposals", detect_proposals(c, l, at[k]), n[k]);
    free(c);
    free(img.px);
    fa_detector_close(&d);
}

static void the_number_of_threads_changes_nothing(void)
{
    struct fa_detector d;
    struct fa_err e = { 0 };
    static struct fa_face_list one, three;
    check_int("open", open_with(&d, ours, N, &e), FA_OK);
    struct fa_img8 img = noise(160, 120), small = noise(39, 200);
    check_int("one", fa_detect(&d, &img, &one, NULL, &e), FA_OK);
    for (int threads = 2; threads <= 8; threads += 3) {
        struct fa_team *team = test_team(threads);
        check_int("team", fa_detect(&d, &img, &three, team, &e), FA_OK);
        CHECK(one.n > 0 && one.n == three.n && !memcmp(one.box, three.box, (size_t)one.n * sizeof one.box[0]));
        fa_team_close(team);
    }
    check_int("small", fa_detect(&d, &small, &one, NULL, &e), FA_OK);
    check_int("none in a frame below the smallest window", one.n, 0);
    free(img.px);
    free(small.px);
    fa_detector_close(&d);
}

static void without_numbers_they_are_the_references(void)
{
    struct fa_detector d;
    struct fa_err e = { 0 };
    CHECK(open_with(&d, NULL, 0, &e) == FA_E_MODEL);        /* these networks are not for 24 and 48 pixels */
    CHECK(strstr(e.text, "rnet"));
}

static void numbers_that_do_not_fit_are_refused(void)
{
    static const struct { const char *why; int at; double v; } t[] = {
        { "smallest window below the network's", 0, 11 }, { "endless window", 0, INFINITY }, { "no window", 0, NAN },
        { "threshold 0", 1, 0 }, { "threshold 1", 2, 1 }, { "no threshold", 3, NAN }, { "another side of the first", 4, 16 },
        { "tiny side", 5, 2 }, { "large side", 6, 4096 }, { "no side", 6, NAN }, { "wild box", 7, 1e9 }, { "no box", 10, NAN },
    };
    struct fa_detector d;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fa_err e = { 0 };
        double v[N];
        memcpy(v, ours, sizeof v);
        v[t[i].at] = t[i].v;
        check_int(t[i].why, open_with(&d, v, N, &e), FA_E_MODEL);
        CHECK(strstr(e.text, "cascade") != NULL);
    }
    struct fa_err e = { 0 };
    check_int("too few", open_with(&d, ours, N - 1, &e), FA_E_MODEL);
}

int main(void)
{
    RUN(a_set_brings_its_own_numbers);
    RUN(thresholds_below_one_half_hold);
    RUN(the_number_of_threads_changes_nothing);
    RUN(without_numbers_they_are_the_references);
    RUN(numbers_that_do_not_fit_are_refused);
    return test_done();
}
