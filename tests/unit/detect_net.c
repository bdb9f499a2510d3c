/* SPDX-License-Identifier: BSD-2-Clause
 * detect: a small network of random weights against its definition in double (spec/detection 2), its rows pulled from anywhere,
 * and layer tables that do not fit. */
#include "fa_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa_detect.h"
#include "fa_model.h"
#include "fa_net.h"

enum { IN_C = 2, SIDE = 13 };
struct layer { int code, n_in, n_out, kh, kw, sy, sx, prelu; };
/* conv 3x2, PReLU, pool 3/2 (cuts its last column), conv 2x2, ReLU, full over 4 x 4, PReLU, full. */
static const struct layer layers[] = { { 0, 2, 5, 3, 2, 1, 1, 0 }, { 3, 0, 5, 0, 0, 0, 0, 1 }, { 1, 0, 0, 3, 3, 2, 2, 0 }, { 0, 5, 18, 2, 2, 1, 1, 0 },
                                       { 3, 0, 18, 0, 0, 0, 0, 0 }, { 2, 18 * 4 * 5, 7, 0, 0, 0, 0, 0 }, { 3, 0, 7, 0, 0, 0, 0, 1 }, { 2, 7, 3, 0, 0, 0, 0, 0 } };
enum { N_LAYERS = sizeof layers / sizeof *layers };
static float weight[N_LAYERS][4000], bias[N_LAYERS][32];

/* A pack with the network "net"; change > 0 spoils the table: field change of layer `at`. */
static int random_pack(struct fa_pack *p, int at, int change, int by)
{
    struct fa_pack_builder b;
    struct fa_err e;
    int table[N_LAYERS][8] = { { 0 } };
    uint64_t seed = 77;
    size_t len;
    fa_pack_begin(&b);
    for (int i = 0; i < N_LAYERS; i++) {
        const struct layer *l = &layers[i];
        int t[8] = { l->code, l->n_in, l->n_out, l->kh, l->kw, l->sy, l->sx, 0 };
        memcpy(table[i], t, sizeof t);
        int n = l->code == 0 ? l->n_in * l->n_out * l->kh * l->kw : l->code == 2 ? l->n_in * l->n_out : l->n_out;
        for (int k = 0; k < n; k++)
            weight[i][k] = test_randf(&seed) / 3;
        for (int k = 0; k < l->n_out; k++)
            bias[i][k] = test_randf(&seed);
        if (l->code == 0)
            fa_pack_add(&b, FA_F32, 4, (int[]){ l->n_out, l->n_in, l->kh, l->kw }, weight[i], "net/%d/weight", i);
        if (l->code == 2)
            fa_pack_add(&b, FA_F32, 2, (int[]){ l->n_out, l->n_in }, weight[i], "net/%d/weight", i);
        if (l->code == 3 && l->prelu)
            fa_pack_add(&b, FA_F32, 1, &l->n_out, weight[i], "net/%d/weight", i);
        if (l->code == 0 || l->code == 2)
            fa_pack_add(&b, FA_F32, 1, &l->n_out, bias[i], "net/%d/bias", i);
    }
    if (at >= 0)
        table[at][change] += by;
    fa_pack_add(&b, FA_I32, 2, (int[]){ N_LAYERS, 8 }, table, "net/layers");
    void *mem = fa_pack_finish(&b, &len, &e);
    return mem && fa_pack_open_mem(p, mem, len, mem, &e) == FA_OK;
}

struct input { int w; uint64_t seed; };

static double input_at(const struct input *in, int x, int y, int c)
{
    uint64_t s = in->seed + (uint64_t)((y * in->w + x) * IN_C + c) * 7919;
    test_rand(&s);
    return test_randf(&s);
}

static void input_row(const void *source, float *row, int y)
{
    const struct input *in = source;
    for (int i = 0; i < in->w * IN_C; i++)
        row[i] = (float)input_at(in, i / IN_C, y, i % IN_C);
}

static double relu(double v, int layer, int o)
{
    return v >= 0 ? v : layers[layer].prelu ? v * (double)weight[layer][o] : 0;
}

static void plain_conv(double *out, const double *in, int w, int h, int i)
{
    const struct layer *l = &layers[i];
    int wo = w - l->kw + 1, ho = h - l->kh + 1;
    for (int o = 0; o < l->n_out; o++)
        for (int p = 0; p < wo * ho; p++) {
            double s = bias[i][o];
            for (int k = 0; k < l->n_in * l->kh * l->kw; k++) {
                int c = k / (l->kh * l->kw), r = k / l->kw % l->kh, x = k % l->kw;
                s += (double)weight[i][o * l->n_in * l->kh * l->kw + k] * in[(c * h + p / wo + r) * w + p % wo + x];
            }
            out[o * wo * ho + p] = relu(s, i + 1, o);
        }
}

/* The network in double and in planes, from the definitions of spec 2. */
static void plain_net(double out[3], const struct input *in)
{
    static double a[4000], b[4000];
    for (int k = 0; k < IN_C * SIDE * SIDE; k++)
        a[k] = input_at(in, k % SIDE, k / SIDE % SIDE, k / SIDE / SIDE);
    plain_conv(b, a, SIDE, SIDE, 0);             /* 5 maps, 12 wide, 11 high */
    for (int k = 0; k < 5 * 6 * 5; k++) {        /* pool: 6 wide (the last window is cut), 5 high */
        int c = k / 30, y = k / 6 % 5, x = k % 6;
        double m = -1e30;
        for (int r = 2 * y; r < 2 * y + 3 && r < 11; r++)
            for (int q = 2 * x; q < 2 * x + 3 && q < 12; q++)
                m = fmax(m, b[(c * 11 + r) * 12 + q]);
        a[k] = m;
    }
    plain_conv(b, a, 6, 5, 3);                   /* 18 maps, 5 wide, 4 high */
    for (int o = 0; o < 7; o++) {
        double s = bias[5][o];
        for (int k = 0; k < 360; k++)
            s += (double)weight[5][o * 360 + k] * b[k];
        a[o] = relu(s, 6, o);
    }
    for (int o = 0; o < 3; o++) {
        out[o] = bias[7][o];
        for (int k = 0; k < 7; k++)
            out[o] += (double)weight[7][o * 7 + k] * a[k];
    }
}

static void a_network_computes_its_definition(void)
{
    struct fa_pack p;
    struct fa_net net;
    struct fa_net_run run;
    struct fa_err e = { 0 };
    CHECK(random_pack(&p, -1, 0, 0));
    if (fa_net_open(&net, &p, "net", IN_C, SIDE, 0, &e) != FA_OK) {
        test_fail(__FILE__, __LINE__, "%s", e.text);
        return;
    }
    fa_pack_close(&p);                           /* weights were copied */
    check_int("features", net.n_feature, 360);
    check_int("outputs", net.n_out, 3);
    void *mem = aligned_alloc(64, fa_net_run_bytes(&net, SIDE));
    fa_net_run_place(&run, &net, SIDE, mem);
    enum { N = 7 };
    float *feature = malloc(N * 360 * sizeof *feature), *hidden = malloc(fa_net_dense_floats(&net, N) * sizeof *hidden), out[N * 3], one[3];
    for (int i = 0; i < N; i++)
        fa_net_features(&run, feature + i * 360, input_row, &(struct input){ SIDE, (uint64_t)i + 1 });
    fa_net_dense(&net, out, feature, N, hidden);
    for (int i = 0; i < N; i++) {
        double want[3];
        plain_net(want, &(struct input){ SIDE, (uint64_t)i + 1 });
        for (int k = 0; k < 3; k++)
            check_near("output", out[3 * i + k], want[k], 2e-5);
        fa_net_dense(&net, one, feature + i * 360, 1, hidden);
        check_f32_bits("alone as in a batch", one, out + 3 * i, 3);
    }
    free(mem); free(feature); free(hidden);
    fa_net_close(&net);
}

static void rows_do_not_depend_on_where_a_run_starts(void)
{
    struct fa_pack p;
    struct fa_net net;
    struct fa_net_run run;
    struct fa_err e;
    int w = 40, h = 31;
    struct input in = { w, 5 };
    CHECK(random_pack(&p, -1, 0, 0));
    CHECK(fa_net_open(&net, &p, "net", IN_C, SIDE, 5, &e) == FA_OK);
    void *mem = aligned_alloc(64, fa_net_run_bytes(&net, w));
    fa_net_run_place(&run, &net, w, mem);
    int wo = w, ho = h;
    fa_net_size(&net, &wo, &ho);
    check_int("width", wo, 18);
    check_int("height", ho, 13);
    size_t pitch = (size_t)wo * 18;
    float *whole = malloc(pitch * (size_t)ho * sizeof *whole);
    fa_net_start(&run, w, h, 0, input_row, &in);
    for (int y = 0; y < ho; y++)
        memcpy(whole + (size_t)y * pitch, fa_net_row(&run, y), pitch * sizeof *whole);
    for (int y0 = 1; y0 < ho; y0 += 3) {
        fa_net_start(&run, w, h, y0, input_row, &in);
        for (int y = y0; y < ho && y < y0 + 4; y++)
            check_f32_bits("row", fa_net_row(&run, y), whole + (size_t)y * pitch, pitch);
    }
    int tiny_w = 3, tiny_h = 50;
    fa_net_size(&net, &tiny_w, &tiny_h);
    CHECK(tiny_w == 0 && tiny_h == 0);
    free(mem);
    free(whole);
    fa_net_close(&net);
    fa_pack_close(&p);
}

static void layers_that_do_not_fit_are_refused(void)
{
    static const struct { const char *why; int layer, field, by; } t[] = {
        { "inputs of the first layer", 0, 1, 1 },   { "outputs", 0, 2, -1 },          { "a window of 0 rows", 0, 3, -3 },
        { "a window beyond the map", 0, 4, 40 },    { "a sigmoid", 1, 0, 1 },         { "an unknown layer", 3, 0, 9 },
        { "a pool without stride", 2, 5, -2 },      { "a negative stride", 2, 6, -9 }, { "a pool wider than its map", 2, 4, 30 },
        { "inputs of a full layer", 5, 1, 1 },      { "a convolution after it", 7, 0, -2 }, { "an activation first", 0, 0, 3 },
        { "an activation after a pool", 3, 0, 3 },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fa_pack p;
        struct fa_net net;
        struct fa_err e = { 0 };
        CHECK(random_pack(&p, t[i].layer, t[i].field, t[i].by));
        check_int(t[i].why, fa_net_open(&net, &p, "net", IN_C, SIDE, 0, &e), FA_E_MODEL);
        CHECK(e.text[0]);
        check_int("no such network", fa_net_open(&net, &p, "other", IN_C, SIDE, 0, &e), FA_E_MODEL);
        struct fa_detector d;
        check_int("no detector", fa_detector_open(&d, &p, &e), FA_E_MODEL);
        fa_pack_close(&p);
    }
}

int main(void)
{
    RUN(a_network_computes_its_definition);
    RUN(rows_do_not_depend_on_where_a_run_starts);
    RUN(layers_that_do_not_fit_are_refused);
    return test_done();
}
