/* SPDX-License-Identifier: BSD-2-Clause
 * detect: networks, crops and the cascade on formula images against the spec's vectors (spec/detection 9). */
#include "fa_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect_internal.h"
#include "test_models.h"

static struct fa_pack pack;
static struct fa_detector det;
static int have_model;

/* Q(w, h) of spec 9.1. */
static struct fa_img8 formula(int w, int h)
{
    uint8_t *px = malloc((size_t)w * (size_t)h * 3), *p = px;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            *p++ = (uint8_t)(7 * x + 13 * y + 30);
            *p++ = (uint8_t)(11 * x + 3 * y + 5 * (x * y % 17) + 90);
            *p++ = (uint8_t)(17 * x + 5 * y + 150);
        }
    return (struct fa_img8){ .px = px, .stride = (ptrdiff_t)w * 3, .w = w, .h = h, .ch = 3 };
}

static struct sampler whole(const struct fa_img8 *img, void *mem)
{
    struct sampler s;
    sampler_place(&s, img->w, img->h, mem);
    sampler_set(&s, img, img->w, img->h, 0, 0, img->w, img->h);
    return s;
}

/* Sums over the output of each layer, spec 9.4: how many layers of the file, the first three values of map 0, row 0, the sum. */
static void network_layers_match_the_vectors(void)
{
    static const struct { const char *net; int side, layers; double v[3], sum; } t[] = {
        { "pnet", 12, 1, { -0.6055508, -0.6867369, -0.7679231 }, 612.6709 },  { "pnet", 12, 2, { 0.3787153, 0.4294896, 0.480264 }, 1197.003 },
        { "pnet", 12, 3, { 0.4639416, 0.5701366, 2.921777 }, 491.2454 },      { "pnet", 12, 4, { -13.16279, -11.55411, 3.259471 }, -767.8143 },
        { "pnet", 12, 5, { -0.8819383, -0.7741531, 3.259471 }, 40.88411 },    { "pnet", 12, 6, { 7.772329, -3.813572, -17.19303 }, -168.2039 },
        { "pnet", 12, 7, { 7.772329, 0.1948441, -1.584465 }, 25.80821 },      { "rnet", 24, 1, { 0.2439833, 0.2420185, 0.2400535 }, -211.8172 },
        { "rnet", 24, 2, { 0.2439833, 0.2420185, 0.2400535 }, 3295.781 },     { "rnet", 24, 3, { 0.3667152, 0.3275382, -0.6034513 }, 2235.898 },
        { "rnet", 24, 4, { -1.006804, -2.157311, -1.816525 }, -3910.136 },    { "rnet", 24, 6, { -0.1879739, -0.1624951, -0.0827565 }, 306.9188 },
        { "rnet", 24, 8, { 0.02993484, 0.007079618, 0.03245813 }, 161.4513 }, { "onet", 48, 1, { -0.5933856, -0.6658485, -0.7383114 }, -4737.910 },
        { "onet", 48, 3, { -0.03571647, 1.123309, 1.260895 }, 8425.985 },     { "onet", 48, 4, { -1.397157, -0.1911753, -0.0769535 }, -23221.69 },
        { "onet", 48, 6, { 0.4531469, 1.128653, 1.128653 }, 2719.255 },       { "onet", 48, 9, { 0.3357016, 0.2738288, 0.3653857 }, 298.4071 },
        { "onet", 48, 11, { 0.2009575, 0.6821177, 0.07659926 }, 196.1335 },
    };
    if (!have_model) {
        test_skip("no models");
        return;
    }
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char prefix[32];
        struct fa_net net;
        struct fa_net_run run;
        struct fa_err e;
        _Alignas(64) static unsigned char mem[8192];
        snprintf(prefix, sizeof prefix, "mtcnn/%s", t[i].net);
        if (fa_net_open(&net, &pack, prefix, 3, t[i].side, t[i].layers, &e) != FA_OK) {
            test_fail(__FILE__, __LINE__, "%s", e.text);
            return;
        }
        struct fa_img8 img = formula(t[i].side, t[i].side);
        struct sampler s = whole(&img, mem);
        void *scratch = aligned_alloc(64, (fa_net_run_bytes(&net, t[i].side) + 63) / 64 * 64);
        float *f = malloc((size_t)net.n_feature * sizeof *f);
        fa_net_run_place(&run, &net, t[i].side, scratch);
        fa_net_features(&run, f, sampler_row, &s);
        int c = run.map[net.n_spatial].c, w = run.map[net.n_spatial].w;
        double sum = 0, size = 0;
        for (int k = 0; k < net.n_feature; k++) {
            sum += f[k];
            size += fabs(f[k]);
        }
        check_near(prefix, sum, t[i].sum, 2e-6 * size + 1e-4);
        for (int k = 0; k < 3; k++)              /* a 1 x 1 map: the values are maps 0, 1, 2 */
            check_near(prefix, f[w > 1 ? k * c : k], t[i].v[k], 1e-5);
        free(f);
        free(scratch);
        free(img.px);
        fa_net_close(&net);
    }
}

static void network_outputs_match_the_vectors(void)
{
    static const double p12[6] = { 2.519420, -3.920167, -0.1914262, -0.2348544, -0.4057977, 0.01842894 };
    static const double p18_0[12] = { 2.519421, 3.926370, 3.592225, 4.302495, 3.250636, 4.426384, 4.726725, 4.580219, 3.850975, 3.525007, 4.309375, 3.673934 };
    static const double p18_5[12] = { 0.01842908, -0.03312202, 0.03738117, -0.05243323, -0.1228413, -0.08686949, 0.04344336, -0.005904229, -0.06037135, -0.08241260, -0.05866677, -0.1141311 };
    static const double r24[6] = { 3.223946, -3.223210, -0.03364495, 6e-07, -0.08831222, 0.3684575 };
    static const double o48[16] = { 2.405223, -2.404036, 0.1307800, -0.08424352, -0.1242135, -0.04219558, 0.2887807, 0.6181151, 0.3849933, 0.2957975, 0.5605309, 0.3214088, 0.2446994, 0.5755312, 0.7456177, 0.6856743 };
    _Alignas(64) static unsigned char mem[8192], rows[1 << 18];
    struct fa_net_run run;
    if (!have_model) {
        test_skip("no models");
        return;
    }
    fa_net_run_place(&run, &det.pnet, 18, rows);
    struct fa_img8 q = formula(12, 12);
    struct sampler s = whole(&q, mem);
    fa_net_start(&run, 12, 12, 0, sampler_row, &s);
    for (int k = 0; k < 6; k++)
        check_near("PNet 12", fa_net_row(&run, 0)[k], p12[k], 1e-5);
    free(q.px);
    q = formula(18, 15);
    s = whole(&q, mem);
    fa_net_start(&run, 18, 15, 0, sampler_row, &s);
    for (int y = 0; y < 3; y++) {
        const float *o = fa_net_row(&run, y);
        for (int x = 0; x < 4; x++) {
            check_near("PNet 18x15 map 0", o[6 * x], p18_0[4 * y + x], 1e-5);
            check_near("PNet 18x15 map 5", o[6 * x + 5], p18_5[4 * y + x], 1e-5);
        }
    }
    free(q.px);
    struct fa_err e;
    float o[16];
    struct fa_img8 big = formula(640, 480);
    detect_prepare(&det, &big, NULL, &e);
    q = formula(24, 24);
    CHECK(detect_crop(&det, &det.rnet, &q, &(struct cand){ .x = 1, .y = 1, .w = 23, .h = 23 }, o));
    for (int k = 0; k < 6; k++)
        check_near("RNet 24", o[k], r24[k], 1e-5);
    free(q.px);
    q = formula(48, 48);
    CHECK(detect_crop(&det, &det.onet, &q, &(struct cand){ .x = 1, .y = 1, .w = 47, .h = 47 }, o));
    for (int k = 0; k < 16; k++)
        check_near("ONet 48", o[k], o48[k], 1e-5);
    free(q.px);
    free(big.px);
}

static void crops_across_the_border_match_the_vectors(void)
{
    static const struct { struct cand c; int onet; double sum[3], out[6], p; } t[] = {
        { { .x = -5, .y = -7, .w = 40, .h = 40 }, 0, { -180.3053, -171.7383, -184.8824 }, { 1.662189, -1.660774, 0.1033914, 0.2315269, -0.1159409, 0.2505885 }, 0.0347917 },
        { { .x = 610, .y = 450, .w = 50, .h = 50 }, 1, { -1468.335, -1504.004, -1450.505 }, { 3.897338, -3.895292, 0.08084431, -0.08960535, -0.1317351, 0.03330803 }, 0.000412597 },
        { { .x = 100, .y = 120, .w = 60, .h = 60 }, 0, { -2.995661, 8.495690, 3.252600 }, { 1.829150, -1.827937, 0.01250732, 0.03993848, -0.1495476, 0.1850231 }, 0.0251583 },
    };
    if (!have_model) {
        test_skip("no models");
        return;
    }
    struct fa_img8 img = formula(640, 480);
    struct fa_err e;
    detect_prepare(&det, &img, NULL, &e);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        const struct fa_net *net = t[i].onet ? &det.onet : &det.rnet;
        _Alignas(64) static unsigned char mem[4 * 2 * 48 * sizeof(float)];
        struct sampler s;
        const struct cand *c = &t[i].c;
        double sum[3] = { 0 };
        float row[3 * 48], o[16];
        sampler_place(&s, net->side, net->side, mem);
        sampler_set(&s, &img, net->side, net->side, (int)c->x - 1, (int)c->y - 1, (int)c->w + 1, (int)c->h + 1);
        for (int y = 0; y < net->side; y++) {
            sampler_row(&s, row, y);
            for (int x = 0; x < 3 * net->side; x++)
                sum[2 - x % 3] += row[x];
        }
        for (int k = 0; k < 3; k++)
            check_near("crop sum", sum[k], t[i].sum[k], 1e-3);
        CHECK(detect_crop(&det, net, &img, c, o));
        for (int k = 0; k < 6; k++)
            check_near("crop output", o[k], t[i].out[k], 1e-5);
        check_near("crop score", score_crop(o[0], o[1]), t[i].p, 1e-6);
    }
    CHECK(!detect_crop(&det, &det.rnet, &img, &(struct cand){ .x = -80, .y = 10, .w = 40, .h = 40 }, (float[16]){ 0 }));
    CHECK(!detect_crop(&det, &det.rnet, &img, &(struct cand){ .x = 10, .y = 700, .w = 40, .h = 40 }, (float[16]){ 0 }));
    CHECK(!detect_crop(&det, &det.rnet, &img, &(struct cand){ .x = 10, .y = 70, .w = -3, .h = -3 }, (float[16]){ 0 }));
    free(img.px);
}

static void the_formula_image_has_one_proposal_and_no_face(void)
{
    static struct fa_face_list f;
    struct fa_err e;
    if (!have_model) {
        test_skip("no models");
        return;
    }
    struct fa_img8 img = formula(640, 480);
    check_int("detect", fa_detect(&det, &img, &f, NULL, &e), FA_OK);
    check_int("faces", f.n, 0);
    struct cand *c = malloc(8192 * sizeof *c);
    for (int i = 0; i < detect_level_count(&det); i++)
        check_int("proposals", detect_proposals(c, detect_level(&det, i), 0.6f), i == 4);
    detect_proposals(c, detect_level(&det, 4), 0.6f);
    CHECK(c->x == 98 && c->y == 98 && c->w == 218 && c->h == 218);
    check_near("score", c->score, 0.7144164, 1e-6);
    box_correct(c, 0);
    box_square(c);
    CHECK(c->x == 129 && c->y == 96 && c->w == 197 && c->h == 197);
    free(c);
    free(img.px);
}

int main(void)
{
    struct fa_err e;
    have_model = test_model(&pack, "clnf");
    if (have_model && fa_detector_open(&det, &pack, &e) != FA_OK) {
        printf("FAIL detector_opens: %s\n", e.text);
        return 1;
    }
    RUN(network_layers_match_the_vectors);
    RUN(network_outputs_match_the_vectors);
    RUN(crops_across_the_border_match_the_vectors);
    RUN(the_formula_image_has_one_proposal_and_no_face);
    if (have_model) {
        fa_detector_close(&det);
        fa_pack_close(&pack);
    }
    return test_done();
}
