/* SPDX-License-Identifier: BSD-2-Clause
 * fit: the landmark validator against the reference's dumps (spec/README test plan, rows 28, 29) and the vectors on formula
 * images (spec/detection 9.7). */
#include "fa_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "fa_kern.h"
#include "test_models.h"
#include "validator_internal.h"

enum { N = 68 };
static const char *const cases[] = { "default_wmv", "avi_2015", "image_sample3" };
static struct fa_pack pack;
static struct fa_validator val;
static int have_model;

/* The last row named PREFIX+name of part main before index at. */
static const struct dump_row *last_before(const struct dump *d, int at, const char *prefix, const char *name, int frame)
{
    char full[96];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    for (int i = at; i >= 0; i--) {
        const struct dump_row *r = &d->row[i];
        if (r->frame == frame && strcmp(r->part, "main") == 0 && strcmp(r->name, full) == 0)
            return r;
    }
    return NULL;
}

/* The next row with this name before the next validator call. */
static const struct dump_row *next_of(const struct dump *d, int at, const char *prefix, const char *name, int iter)
{
    char full[96];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    for (int i = at + 1; i < d->n; i++) {
        const struct dump_row *r = &d->row[i];
        if (strstr(r->name, "validator.view"))
            return NULL;
        if (strcmp(r->name, full) == 0 && strcmp(r->part, "main") == 0 && (iter < 0 || r->iter == iter))
            return r;
    }
    return NULL;
}

/* What each layer of the file gives, from networks cut after it. */
static int check_layers(const struct dump *d, int at, const char *prefix, int view, const float *image)
{
    int n = 0;
    const struct dump_row *want;
    for (int layer = 0; (want = next_of(d, at, prefix, "validator.layer_out", layer)); layer++, n++) {
        struct fa_net net;
        struct fa_net_run run;
        struct fa_err e;
        char name[32];
        snprintf(name, sizeof name, "validator/%d", view);
        if (fa_net_open(&net, &pack, name, 1, VALIDATOR_SIDE, layer + 1, &e) != FA_OK) {
            test_fail(__FILE__, __LINE__, "%s", e.text);
            return n;
        }
        void *mem = aligned_alloc(64, (fa_net_run_bytes(&net, VALIDATOR_SIDE) + 63) / 64 * 64);
        float *feature = calloc((size_t)net.n_feature, sizeof *feature), *hidden = calloc(fa_net_dense_floats(&net, 1) + 1, sizeof *hidden);
        float *out = calloc((size_t)net.n_out, sizeof *out), *maps = calloc((size_t)net.n_out, sizeof *maps);
        fa_net_run_place(&run, &net, VALIDATOR_SIDE, mem);
        fa_net_features(&run, feature, validator_row, image);
        fa_net_dense(&net, out, feature, 1, hidden);
        const struct fa_net_map *m = &run.map[net.n_spatial];
        int area = net.n_dense ? 1 : m->w * m->h, c = net.n_out / area;      /* dumps: one map after the other */
        for (int i = 0; i < net.n_out; i++)
            maps[i % c * area + i / c] = out[i];
        check_int("layer size", net.n_out, want->n);
        if ((size_t)net.n_out == want->n)
            check_f32_rel("layer", maps, dump_f32(want), want->n, 2e-6);
        free(mem); free(feature); free(hidden); free(out); free(maps);
        fa_net_close(&net);
    }
    return n;
}

static int calls_of(const char *name, int *n_layer)
{
    struct dump d;
    int calls = 0;
    if (!dump_open(&d, name))
        return 0;
    for (int i = 0; i < d.n; i++) {
        char prefix[96];
        const char *tail = strstr(d.row[i].name, "validator.view");
        if (!tail)
            continue;
        int frame = d.row[i].frame;
        snprintf(prefix, sizeof prefix, "%.*s", (int)(tail - d.row[i].name), d.row[i].name);
        const struct dump_row *g = last_before(&d, i, prefix, "merge.params_global", frame);
        const struct dump_row *xy = last_before(&d, i, prefix, "merge.landmarks", frame);
        const struct dump_row *image = dump_find(&d, 0, "image.gray", frame, NULL, -2, -2);
        const struct dump_row *roi = next_of(&d, i, prefix, "validator.roi", -1), *warped = next_of(&d, i, prefix, "validator.warped", -1);
        const struct dump_row *normal = next_of(&d, i, prefix, "validator.normalised", -1), *out = next_of(&d, i, prefix, "validator.cnn_out", -1);
        const struct dump_row *certainty = next_of(&d, i, prefix, "certainty", -1), *success = next_of(&d, i, prefix, "success", -1);
        CHECK(g && xy && image && roi && warped && normal && out && certainty);
        if (!g || !xy || !image || !roi || !warped || !normal || !out || !certainty)
            break;
        struct fa_img8 gray = { (uint8_t *)image->data, image->dim[1], image->dim[1], image->dim[0], 1 };
        float got = fa_validate(&val, dump_f32(g)[1], dump_f32(g)[2], dump_f32(g)[3], dump_f32(xy), N, &gray);
        check_f32_bits("certainty", &got, dump_f32(certainty), 1);
        if (success)
            check_int("accepted", fa_certainty_accepts(got), success->type == 'i' ? dump_i32(success)[0] : dump_f32(success)[0] != 0);
        int view = validator_nearest(&val, dump_f32(g)[1], dump_f32(g)[2], dump_f32(g)[3]);
        check_int("view", view, dump_i32(&d.row[i])[0]);
        struct validator_region r;
        CHECK(validator_find_region(&r, dump_f32(xy), N, &gray));
        check_int("x0", r.x0, dump_i32(roi)[0]);
        check_int("x1", r.x1, dump_i32(roi)[1]);
        check_int("y0", r.y0, dump_i32(roi)[2]);
        check_int("y1", r.y1, dump_i32(roi)[3]);
        for (int k = 0; k < val.view[view].n_pixel; k++) {
            float v = (float)val.work->value[k] / 1024;
            check_f32_bits("warped", &v, dump_f32(warped) + val.view[view].pixel[k], 1);
        }
        check_f32_bits("normalised", val.work->image, dump_f32(normal), VALIDATOR_PIXELS);
        check_f32_abs("outputs", val.work->out, dump_f32(out), out->n, 2e-5);
        *n_layer += check_layers(&d, i, prefix, view, dump_f32(normal));
        calls++;
    }
    dump_close(&d);
    return calls;
}

static void every_dumped_call_is_reproduced(void)
{
    int calls = 0, layers = 0;
    if (!have_model || !shared_path("dumps")) {
        test_skip("no models or dumps");
        return;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        calls += calls_of(cases[i], &layers);
    check_int("calls", calls, 30);
    CHECK(layers >= 27);
}

static const float *dest_of(int view)
{
    struct fa_err e;
    return fa_pack_need(&pack, &e, FA_F32, 2, (int[]){ 2, N }, "validator/%d/dest", view);
}

/* Landmarks of spec 9.7, cases A, B, C. */
static void formula_landmarks(float *xy, char which)
{
    const float *dest = dest_of(0);
    for (int n = 0; n < N; n++) {
        double x = 160 + 2.0 * dest[n], y = 120 + 2.0 * dest[N + n];
        if (which == 'B') {
            x += 1.5 * ((7 * n) % 5 - 2);
            y += 1.25 * ((3 * n) % 7 - 3);
        }
        if (which == 'C') {
            x -= 150;
            y += 90;
        }
        xy[n] = (float)x;
        xy[N + n] = (float)y;
    }
}

static uint8_t *formula_gray(void)
{
    uint8_t *px = malloc(320 * 240);
    for (int y = 0; y < 240; y++)
        for (int x = 0; x < 320; x++)
            px[y * 320 + x] = (uint8_t)(7 * x + 13 * y + 5 * (x * y % 17));
    return px;
}

static void formula_faces_match_the_vectors(void)
{
    static const struct { char which; float r[3]; int view, roi[4]; float w30_30, w10_25, w30_31; double g[4], last, out0, top; int bin; float certainty; } t[] = {
        { 'A', { 0, 0, 0 }, 0, { 97, 66, 221, 185 }, 59.59375f, 196.9141f, 62.09375f, { 192.7245, 301.5411, 83.51181, 82.47083 }, 296.8507, -4.381764, 4.193991, 28, 0.05f },
        { 'B', { 0.1f, 0.3f, -0.1f }, 4, { 94, 64, 221, 186 }, 125.6875f, 90.24121f, 153.2012f, { -185.5267, -97.48991, -118.6941, -61.32791 }, 175.9407, -8.043365, 15.91546, 29, 0.016666668f },
        { 'C', { 0, 0, 0 }, 0, { 0, 156, 71, 239 }, 154.8516f, 58.88281f, 156.3516f, { -95.43321, -103.5868, -109.4330, -114.5618 }, 16.74865, -4.056303, 3.639385, 29, 0.016666668f },
    };
    if (!have_model) {
        test_skip("no models");
        return;
    }
    uint8_t *px = formula_gray();
    struct fa_img8 gray = { px, 320, 320, 240, 1 };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        float xy[2 * N];
        struct validator_region r;
        formula_landmarks(xy, t[i].which);
        check_int("view", validator_nearest(&val, t[i].r[0], t[i].r[1], t[i].r[2]), t[i].view);
        CHECK(validator_find_region(&r, xy, N, &gray));
        CHECK(r.x0 == t[i].roi[0] && r.y0 == t[i].roi[1] && r.x1 == t[i].roi[2] && r.y1 == t[i].roi[3]);
        float c = fa_validate(&val, t[i].r[0], t[i].r[1], t[i].r[2], xy, N, &gray);
        const struct validator_view *w = &val.view[t[i].view];
        const struct validator_work *k = val.work;
        check_f32_bits("certainty", &c, &t[i].certainty, 1);
        for (int n = 0; n < w->n_pixel; n++) {
            double v = k->value[n] / 1024.0;
            if (w->pixel[n] == 30 * 60 + 30)
                check_near("warp (30,30)", v, t[i].w30_30, 1e-4);
            if (w->pixel[n] == 10 * 60 + 25)
                check_near("warp (10,25)", v, t[i].w10_25, 1e-4);
            if (w->pixel[n] == 30 * 60 + 31)
                check_near("warp (30,31)", v, t[i].w30_31, 1e-4);
        }
        int seen = 0;                            /* g runs column by column in the spec */
        double last = 0;
        for (int x = 0; x < 60; x++)
            for (int y = 0; y < 60; y++)
                for (int n = 0; n < w->n_pixel; n++)
                    if (w->pixel[n] == y * 60 + x) {
                        last = k->image[y * 60 + x];
                        if (seen < 4)
                            check_near("normalised", last, t[i].g[seen], 1e-4);
                        seen++;
                    }
        check_near("last normalised", last, t[i].last, 1e-4);
        check_near("output 0", k->out[0], t[i].out0, 2e-5);
        check_near("largest output", k->out[t[i].bin], t[i].top, 2e-5);
    }
    free(px);
}

/* A face across each border of the frame: the region ends before the frame's last column and row, and what lies behind counts
 * as 0 even where the frame has a pixel. */
static void taps_outside_the_region_count_as_zero(void)
{
    static const float shift[][2] = { { 150, 0 }, { 151, 0 }, { -150, 0 }, { -151, 0 }, { 0, 110 }, { 0, 111 }, { 0, -110 }, { 0, -111 }, { 140, 100 } };
    if (!have_model) {
        test_skip("no models");
        return;
    }
    uint8_t *px = malloc(320 * 240);
    memset(px, 200, 320 * 240);
    struct fa_img8 gray = { px, 320, 320, 240, 1 };
    const struct validator_view *view = &val.view[0];
    int across = 0;
    for (size_t i = 0; i < sizeof shift / sizeof *shift; i++) {
        float xy[2 * N];
        struct validator_region r;
        formula_landmarks(xy, 'A');
        for (int n = 0; n < N; n++) {
            xy[n] += shift[i][0] + 0.3f;
            xy[N + n] += shift[i][1] + 0.3f;
        }
        CHECK(validator_find_region(&r, xy, N, &gray));
        validator_warp(val.work, view, &r, xy, N, &gray);
        for (int n = 0; n < view->n_pixel; n++) {
            const float *c = val.work->coef[view->triangle[n]];
            float x = (float)(view->pixel[n] % 60) + view->min_x, y = (float)(view->pixel[n] / 60) + view->min_y;
            int qx = (int)lrintf(((c[0] + c[1] * x) + c[2] * y) * 32), qy = (int)lrintf(((c[3] + c[4] * x) + c[5] * y) * 32), want = 0, taps = 0;
            for (int t = 0; t < 4; t++) {
                int tx = (qx >> 5) + (t & 1), ty = (qy >> 5) + (t >> 1);
                if (tx < 0 || ty < 0 || tx >= r.x1 - r.x0 || ty >= r.y1 - r.y0)
                    continue;
                want += 200 * (t & 1 ? qx & 31 : 32 - (qx & 31)) * (t >> 1 ? qy & 31 : 32 - (qy & 31));
                taps++;
            }
            across += taps > 0 && taps < 4;
            check_int("value", val.work->value[n], want);
        }
    }
    CHECK(across >= 50);
    free(px);
}

static void landmarks_without_a_region_have_no_certainty(void)
{
    if (!have_model) {
        test_skip("no models");
        return;
    }
    uint8_t *px = formula_gray();
    struct fa_img8 gray = { px, 320, 320, 240, 1 }, tiny = { px, 1, 1, 1, 1 };
    float xy[2 * N], c;
    static const float far[][2] = { { -5000, 0 }, { 5000, 0 }, { 0, -9e9f }, { 0, 9e9f } };
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        formula_landmarks(xy, 'A');
        for (int n = 0; n < N; n++) {
            xy[n] += far[i][0];
            xy[N + n] += far[i][1];
        }
        c = fa_validate(&val, 0, 0, 0, xy, N, &gray);
        check_near("outside", c, 0, 0);
    }
    formula_landmarks(xy, 'A');
    check_near("1 x 1 frame", fa_validate(&val, 0, 0, 0, xy, N, &tiny), 0, 0);
    for (int n = 0; n < 2 * N; n++)
        xy[n] = NAN;
    check_near("not numbers", fa_validate(&val, 0, 0, 0, xy, N, &gray), 0, 0);
    formula_landmarks(xy, 'A');
    xy[40] = INFINITY;                           /* one infinite landmark: any certainty, no crash */
    c = fa_validate(&val, 0, 0, 0, xy, N, &gray);
    CHECK(c >= 0 && c < 1);
    memset(px, 77, 320 * 240);                   /* a flat face has deviation 0: divided by 1 */
    formula_landmarks(xy, 'A');
    c = fa_validate(&val, 0, 0, 0, xy, N, &gray);
    CHECK(c > 0 && c < 1);
    free(px);
}

static void acceptance_is_strictly_above_0_725(void)
{
    for (int k = 0; k < 30; k++) {
        double step = 2.0 / 30, q = -1 + step / 2 + k * step;
        check_int("30 bins", fa_certainty_accepts((float)(0.5 * (1 - q))), k <= 7);
    }
    for (int k = 0; k < 20; k++) {
        double step = 2.0 / 20, q = -1 + step / 2 + k * step;
        check_int("20 bins", fa_certainty_accepts((float)(0.5 * (1 - q))), k <= 4);
    }
}

static void same_outputs_for_any_kernels(void)
{
    if (!have_model) {
        test_skip("no models");
        return;
    }
    static const unsigned masks[] = { 0, FA_CPU_AVX2, ~0u };
    uint8_t *px = formula_gray();
    struct fa_img8 gray = { px, 320, 320, 240, 1 };
    float xy[2 * N], want[64];
    formula_landmarks(xy, 'B');
    for (int i = 0; i < 3; i++) {
        fa_kern_select(masks[i]);
        fa_validate(&val, 0.1f, 0.3f, -0.1f, xy, N, &gray);
        if (i == 0)
            memcpy(want, val.work->out, 30 * sizeof(float));
        check_f32_bits("outputs", val.work->out, want, 30);
    }
    free(px);
}

int main(void)
{
    struct fa_err e;
    have_model = test_model(&pack, "clnf");
    if (have_model && fa_validator_open(&val, &pack, &e) != FA_OK) {
        printf("FAIL validator_opens: %s\n", e.text);
        return 1;
    }
    RUN(every_dumped_call_is_reproduced);
    RUN(formula_faces_match_the_vectors);
    RUN(taps_outside_the_region_count_as_zero);
    RUN(landmarks_without_a_region_have_no_certainty);
    RUN(acceptance_is_strictly_above_0_725);
    RUN(same_outputs_for_any_kernels);
    if (have_model) {
        fa_validator_close(&val);
        fa_pack_close(&pack);
    }
    return test_done();
}
