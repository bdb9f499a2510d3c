/* SPDX-License-Identifier: BSD-2-Clause
 * detect, image: resize, boxes and pyramid, without any model file (spec/detection 2, 3). */
#include "fa_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect_internal.h"

/* Channel c (B, G, R) of Q(w, h), spec 9.1. */
static float formula(int x, int y, int c)
{
    int v = c == 0 ? 7 * x + 13 * y + 30 : c == 1 ? 11 * x + 3 * y + 5 * (x * y % 17) + 90 : 17 * x + 5 * y + 150;
    return (float)(v % 256);
}

static void resize_matches_the_vectors(void)
{
    static const struct { int w, h; double first[3], mid[3], last[3], sum[3]; } t[] = {
        { 128, 96, { 70, 138, 194 }, { 54, 71, 178 }, { 194, 120, 52 }, { 1566720, 1562034, 1566208 } },
        { 91, 69, { 89.8327789, 177.035477, 216.171539 }, { 68, 29.75, 123 }, { 174.167114, 66.6426163, 29.8284912 }, { 800584.0743, 800625.1412, 801003.9742 } },
        { 33, 25, { 212.678802, 83.3001099, 95.8484955 }, { 68, 29.75, 123 }, { 51.3211975, 73.7209244, 150.151642 }, { 105209.7344, 105593.0023, 105187.8052 } },
        { 24, 24, { 243.333328, 60.7499847, 159.666656 }, { 227.333405, 174.749832, 143.66684 }, { 20.6668091, 172.91275, 86.3336792 }, { 73151.98602, 74692.40346, 73450.66838 } },
        { 320, 240, { 40, 98.25, 161 }, { 24, 38.75, 145 }, { 224, 134.75, 85 }, { 9792192, 9787757.75, 9792320 } },
        { 640, 480, { 30, 90, 150 }, { 22, 69, 246 }, { 234, 173, 96 }, { 39168768, 39151031, 39169280 } },
    };
    float *src = malloc(640 * 480 * sizeof *src), *dst = malloc(640 * 480 * sizeof *dst);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (int c = 0; c < 3; c++) {
            int w = t[i].w, h = t[i].h;
            for (int k = 0; k < 640 * 480; k++)
                src[k] = formula(k % 640, k / 640, c);
            struct fa_imgf s = { src, 640, 640, 480 }, d = { dst, w, w, h };
            fa_resize_linear(&d, &s);
            double sum = 0;
            for (int k = 0; k < w * h; k++)
                sum += dst[k];
            check_near("first", dst[0], t[i].first[c], 1e-5);
            if (w < 640)                         /* the spec lists no middle of the copy */
                check_near("middle", dst[h / 2 * w + w / 2], t[i].mid[c], 1e-5);
            check_near("last", dst[w * h - 1], t[i].last[c], 1e-5);
            check_near("sum", sum, t[i].sum[c], 1e-3);
        }
    free(src);
    free(dst);
}

/* A crop built by hand, zeros outside, resized plane by plane, is what the sampler gives without building it. */
static void sampler_equals_a_padded_crop_that_is_resized(void)
{
    static const int boxes[][4] = { { -5, -7, 41, 41 }, { 40, 30, 30, 30 }, { 3, 4, 24, 24 }, { 0, 0, 48, 48 }, { -20, -20, 100, 90 }, { 60, 40, 1, 1 } };
    enum { W = 61, H = 43, N = 24 };
    uint8_t *px = malloc(W * H * 3);
    uint64_t seed = 5;
    for (int i = 0; i < W * H * 3; i++)
        px[i] = (uint8_t)test_rand(&seed);
    struct fa_img8 img = { px, W * 3, W, H, 3 };
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        const int *b = boxes[i];
        _Alignas(64) unsigned char mem[1024];
        struct sampler s;
        float row[3 * N], *patch = malloc((size_t)(b[2] * b[3]) * sizeof *patch), out[N * N];
        CHECK(sampler_bytes(N, N) <= sizeof mem);
        sampler_place(&s, N, N, mem);
        sampler_set(&s, &img, N, N, b[0], b[1], b[2], b[3]);
        for (int c = 0; c < 3; c++) {
            for (int k = 0; k < b[2] * b[3]; k++) {
                int x = b[0] + k % b[2], y = b[1] + k / b[2];
                patch[k] = x >= 0 && y >= 0 && x < W && y < H ? px[(y * W + x) * 3 + c] : 0;
            }
            struct fa_imgf from = { patch, b[2], b[2], b[3] }, to = { out, N, N, N };
            fa_resize_linear(&to, &from);
            for (int y = 0; y < N; y++) {
                sampler_row(&s, row, y);
                for (int x = 0; x < N; x++) {
                    float want = out[y * N + x] * 0.0078125f - 0.99609375f;
                    check_f32_bits("sample", &row[3 * x + 2 - c], &want, 1);
                }
            }
        }
        free(patch);
    }
    free(px);
}

static void pyramid_has_the_references_levels(void)
{
    static const int w[] = { 128, 91, 65, 46, 33, 23, 17 }, h[] = { 96, 69, 49, 35, 25, 18, 13 };
    static const double scale[] = { 0.2, 0.1418, 0.10053619999999999, 0.071280165799999989, 0.05053763755219999, 0.035831185024509792, 0.025404310182377446 };
    static const struct { int w, h, n; } counts[] = { { 60, 60, 1 }, { 59, 2000, 0 }, { 43, 43, 0 }, { 42, 42, 0 }, { 1, 1, 0 }, { 640, 400, 6 },
                                                      { 2000, 61, 1 }, { 16384, 16384, 17 } };
    struct level l[MAX_LEVELS];
    check_int("640 x 480", pyramid(l, 60, 640, 480), 7);
    for (int i = 0; i < 7; i++) {
        CHECK(l[i].w == w[i] && l[i].h == h[i]);
        check_near("scale", l[i].scale, scale[i], 1e-17);
    }
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        check_int("levels", pyramid(l, 60, counts[i].w, counts[i].h), counts[i].n);
}

/* The rules of spec 3.6 in their plainest form. */
static int plain_nms(struct cand *out, const struct cand *in, int n, float threshold, enum nms_mode mode)
{
    int gone[512] = { 0 }, kept = 0;
    for (;;) {
        int best = -1;
        for (int i = 0; i < n; i++)
            if (!gone[i] && (best < 0 || in[i].score >= in[best].score))
                best = i;
        if (best < 0)
            return kept;
        gone[best] = 1;
        out[kept++] = in[best];
        int a[4] = { round_even(in[best].x), round_even(in[best].y), round_even(in[best].w), round_even(in[best].h) };
        for (int i = 0; i < n; i++) {
            int b[4] = { round_even(in[i].x), round_even(in[i].y), round_even(in[i].w), round_even(in[i].h) };
            int w = (a[0] + a[2] < b[0] + b[2] ? a[0] + a[2] : b[0] + b[2]) - (a[0] > b[0] ? a[0] : b[0]);
            int h = (a[1] + a[3] < b[1] + b[3] ? a[1] + a[3] : b[1] + b[3]) - (a[1] > b[1] ? a[1] : b[1]);
            float both = w > 0 && h > 0 ? (float)(w * h) : 0;
            int area_a = a[2] * a[3], area_b = b[2] * b[3];
            float base = mode == NMS_MIN ? (float)(area_a < area_b ? area_a : area_b) : (float)(area_a + area_b) - both;
            if (both / base > threshold)
                gone[i] = 1;
        }
    }
}

static void suppression_follows_the_plain_rules(void)
{
    enum { CAP = 512 };
    static struct cand in[CAP], got[CAP], want[CAP];
    static _Alignas(64) unsigned char mem[CAP * 24];
    struct nms_room room;
    uint64_t seed = 42;
    CHECK(nms_room_bytes(CAP) <= sizeof mem);
    nms_room_place(&room, CAP, mem);
    for (int round = 0; round < 200; round++) {
        int n = (int)(test_rand(&seed) % (round % 10 ? 60 : CAP));
        for (int i = 0; i < n; i++) {
            float size = 10 + 60 * fabsf(test_randf(&seed));
            in[i] = (struct cand){ .x = 50 * test_randf(&seed), .y = 50 * test_randf(&seed), .w = size, .h = size * (1 + 0.2f * test_randf(&seed)),
                                   .score = (float)(test_rand(&seed) % 9) / 8, .off = { (float)i } };
            if (i % 3 == 0) {                    /* halves, which round to even; now and then an empty box */
                in[i].x = floorf(in[i].x) + 0.5f;
                in[i].w = i % 30 ? floorf(in[i].w) + 0.5f : 0;
            }
        }
        for (int m = 0; m < 4; m++) {
            float threshold = m & 1 ? 0.5f : 0.7f;
            enum nms_mode mode = m & 2 ? NMS_MIN : NMS_UNION;
            int k = nms(got, in, n, threshold, mode, &room), p = plain_nms(want, in, n, threshold, mode);
            check_int("kept", k, p);
            if (k == p)
                check_bytes("order", got, want, sizeof *got * (size_t)k);
        }
    }
}

static void equal_scores_keep_the_later_box(void)
{
    struct cand in[3] = { { 0, 0, 10, 10, 0.9f, { 0 } }, { 1, 0, 10, 10, 0.9f, { 1 } }, { 50, 0, 10, 10, 0.95f, { 2 } } }, out[3];
    _Alignas(64) unsigned char mem[256];
    struct nms_room room;
    nms_room_place(&room, 3, mem);
    check_int("kept", nms(out, in, 3, 0.5f, NMS_UNION, &room), 2);
    CHECK(out[0].off[0] == 2 && out[1].off[0] == 1);
    in[0] = (struct cand){ 0, 0, 10, 10, 0.5f, { 0 } };
    in[1] = (struct cand){ 2, 2, 5, 5, 0.6f, { 0 } };      /* inside: union 0.25, smaller area 1 */
    check_int("union", nms(out, in, 2, 0.7f, NMS_UNION, &room), 2);
    check_int("smaller area", nms(out, in, 2, 0.7f, NMS_MIN, &room), 1);
    in[1] = (struct cand){ 0, 0, 10, 7, 0.6f, { 0 } };     /* overlap exactly 0.7 stays */
    check_int("strict", nms(out, in, 2, 0.7f, NMS_UNION, &room), 2);
    check_int("none", nms(out, in, 0, 0.7f, NMS_UNION, &room), 0);
}

static void boxes_are_corrected_and_squared_as_specified(void)
{
    struct cand c = { 98, 98, 218, 218, 0, { 0.2270112f, -0.008463629f, -0.03222172f, -0.1038366f } };
    box_correct(&c, 0);
    box_square(&c);
    CHECK(c.x == 129 && c.y == 96 && c.w == 197 && c.h == 197);
    c = (struct cand){ -3.7f, -8.5f, 10, 4, 0, { 0 } };
    box_square(&c);                              /* y = -8.5 - 3: towards zero, -11 */
    CHECK(c.x == -3 && c.y == -11 && c.w == 10 && c.h == 10);
    c = (struct cand){ 2.5f, 3.5f, 9.5f, 10.5f, 0, { 0, 0, 0, 0 } };
    box_correct(&c, 1);                          /* to even, then one pixel more */
    CHECK(c.x == 2 && c.y == 4 && c.w == 11 && c.h == 11);
    CHECK(truncate_zero(-1.9f) == -1 && truncate_zero(1e30f) == 0 && truncate_zero(NAN) == 0);
    CHECK(round_even(2.5f) == 2 && round_even(-3.5f) == -4 && round_even(-INFINITY) == 0);
}

static void scores_are_the_softmax_of_two(void)
{
    uint64_t seed = 9;
    for (int i = 0; i < 10000; i++) {
        float no = 20 * test_randf(&seed), yes = 20 * test_randf(&seed);
        double want = 1 / (1 + exp((double)(no - yes)));
        check_near("first network", score_pnet(no, yes), want, 2e-7);
        check_near("other networks", score_crop(no, yes), want, 6e-8);
    }
    CHECK(score_pnet(-500, 500) == 1 && score_pnet(500, -500) < 1e-30f && score_crop(500, -500) < 1e-30f);
    CHECK(!(score_crop(NAN, 0) >= 0.7f));
}

static void the_widest_face_is_chosen_and_the_first_of_equals(void)
{
    static const struct fa_face_box b[] = { { 0, 0, 9, 20, 0.9f }, { 0, 0, 10, 9, 0.8f }, { 5, 0, 10, 30, 0.7f }, { 0, 0, 3, 99, 0.6f } };
    check_int("widest", fa_face_widest(b, 4), 1);
    check_int("one", fa_face_widest(b, 1), 0);
    check_int("none", fa_face_widest(b, 0), -1);
}

int main(void)
{
    RUN(resize_matches_the_vectors);
    RUN(sampler_equals_a_padded_crop_that_is_resized);
    RUN(pyramid_has_the_references_levels);
    RUN(suppression_follows_the_plain_rules);
    RUN(equal_scores_keep_the_later_box);
    RUN(boxes_are_corrected_and_squared_as_specified);
    RUN(scores_are_the_softmax_of_two);
    RUN(the_widest_face_is_chosen_and_the_first_of_equals);
    return test_done();
}
