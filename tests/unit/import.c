/* SPDX-License-Identifier: BSD-2-Clause
 * import: every reader takes what its format says, turns it row-major, and refuses what is cut, corrupt or impossible.
 * usage: import [--seeds DIR]   the latter writes the seeds of the fuzzers into DIR/NAME/. */
#include "test_models.h"

#include <dirent.h>
#include <locale.h>
#include <sys/stat.h>

#include "import_files.h"
#include "import_internal.h"
#include "sha256_internal.h"

enum kind { PDM, TRIANGLES, CCNF, SVR, NET, VALIDATOR, PREDICTOR };

/* Runs one reader on bytes; the builder's tensors are thrown away unless kept. n: points or side. */
static int read_as(enum kind kind, const void *data, size_t len, int n, struct fa_pack_builder *keep, struct fa_err *e)
{
    struct fa_in in;
    struct fa_pack_builder own, *b = keep ? keep : &own;
    struct fa_ccnf_experts x = { 0 };
    struct fa_components c = { 0 };
    struct fa_au_predictor p;
    int text = kind == PDM || kind == TRIANGLES || kind == SVR;
    fa_pack_begin(b);
    fa_in_mem(&in, "FILE", data, len, e);
    switch (kind) {
    case PDM: fa_read_pdm(&in, b, "x"); break;
    case TRIANGLES: fa_read_triangles(&in, b, n, "t"); break;
    case CCNF: fa_read_ccnf(&in, b, "x", 0, n, &x, &c); break;
    case SVR: fa_read_svr(&in, b, "x", 0, n); break;
    case NET: fa_read_net(&in, b, 0, 3, n, "x"); break;
    case VALIDATOR: fa_read_validator(&in, b); break;
    case PREDICTOR: fa_read_predictor(&in, &p); break;
    }
    int r = text ? fa_in_close_text(&in) : fa_in_close(&in);
    fa_ccnf_experts_free(&x);
    fa_components_free(&c);
    if (!keep)
        fa_pack_discard(b);
    return r;
}

static struct bytes made(enum kind kind)
{
    struct bytes b = { 0 };
    switch (kind) {
    case PDM: make_pdm(&b, 5, 2); break;
    case TRIANGLES: make_triangles(&b); break;
    case CCNF: make_ccnf(&b, 3, 2, 3, 2, 0.5); break;
    case SVR: make_svr(&b, 2); break;
    case NET: make_net(&b); break;
    case VALIDATOR: make_validator(&b); break;
    case PREDICTOR: make_predictor(&b, 1, 0.5); break;
    }
    return b;
}

static int param(enum kind kind)
{
    return kind == CCNF ? 3 : kind == SVR ? 2 : kind == NET ? 6 : kind == TRIANGLES ? 4 : 0;
}

/* Reads a made file and opens what came out. */
static struct fa_pack pack_of(enum kind kind)
{
    struct bytes f = made(kind);
    struct fa_pack_builder b;
    struct fa_pack p = { 0 };
    struct fa_err e = { 0 };
    size_t len;
    int r = read_as(kind, f.p, f.n, param(kind), &b, &e);
    check_int("read", r, FA_OK);
    if (r != FA_OK)
        test_fail(__FILE__, __LINE__, "%s", e.text);
    void *mem = fa_pack_finish(&b, &len, &e);
    check_int("open", fa_pack_open_mem(&p, mem, len, mem, &e), FA_OK);
    free(f.p);
    return p;
}

static const float *get(const struct fa_pack *p, const char *name)
{
    struct fa_tensor t = { 0 };
    CHECK(fa_pack_find(p, &t, "%s", name) && t.type == FA_F32);
    return t.data;
}

static void shape_model_becomes_padded_planes(void)
{
    struct fa_pack p = pack_of(PDM);
    const float *mean = get(&p, "x/pdm/mean"), *modes = get(&p, "x/pdm/modes"), *var = get(&p, "x/pdm/variances");
    for (int a = 0; mean && modes && a < 3; a++)
        for (int i = 0; i < 16; i++) {
            int k = a * 5 + i;
            check_near("mean", mean[a * 16 + i], i < 5 ? 10 * cos(0.7 * k) + 0.1 * k : 0, 1e-6);
            for (int j = 0; j < 2; j++)
                check_near("mode", modes[(j * 3 + a) * 16 + i], i < 5 ? sin(0.3 * k + j) * 0.1 : 0, 1e-7);
        }
    check_near("variance", var[1], 8.9f, 0);
    fa_pack_close(&p);
}

static void text_numbers_do_not_depend_on_the_locale(void)
{
    struct bytes f = made(PDM);
    struct fa_err e = { 0 };
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
        printf("NOTE no locale with a decimal comma here; the C locale is tested\n");
    check_int("read", read_as(PDM, f.p, f.n, 0, NULL, &e), FA_OK);
    setlocale(LC_NUMERIC, "C");
    free(f.p);
}

static void ccnf_weights_become_tap_major_and_scaled(void)
{
    struct fa_pack p = pack_of(CCNF);
    const float *w = get(&p, "x/experts/0/weights"), *bias = get(&p, "x/experts/0/bias"), *sum = get(&p, "x/experts/0/alpha_sum");
    const float *conf = get(&p, "x/experts/0/confidence");
    struct fa_tensor t;
    for (int i = 0; i < 2; i++)                /* expert i of 2; norm 2 + i */
        for (int tap = 0; tap < 9; tap++)
            for (int j = 0; j < 8; j++)
                check_near("weight", w[(i * 9 + tap) * 8 + j], j < 2 ? (100 * i + 10 * j + 0.125 * tap) * (2 + i) : 0, 0);
    check_f32_abs("bias", bias, ((float[]){ -1.5f, -0.5f, 0, 0, 0, 0, 0, 0, -1.5f }), 9, 0);
    CHECK(fa_pack_find(&p, &t, "x/experts/0/alpha"));
    check_f64_abs("alpha", t.data, ((double[]){ 20, 0, 0, 0, 0, 0, 0, 0, 22, 0 }), 10, 0);
    check_near("sum of alphas", sum[1], 11 + 1e-4, 1e-6);
    check_f32_abs("confidence", conf, ((float[]){ 0.25f, 1.25f, 0 }), 3, 0);
    CHECK(fa_pack_find(&p, &t, "x/experts/0/index"));
    check_bytes("index", t.data, ((int32_t[]){ 0, 1, -1 }), 12);
    CHECK(fa_pack_find(&p, &t, "x/experts/0/visible"));
    check_bytes("visible", t.data, ((int32_t[]){ 1, 1, 0 }), 12);
    CHECK(fa_pack_find(&p, &t, "x/experts/0/centres"));
    check_near("radians", ((const double *)t.data)[1], acos(-1) / 9, 1e-16);
    fa_pack_close(&p);
}

static void svr_weights_are_transposed(void)
{
    struct fa_pack p = pack_of(SVR);
    const float *w = get(&p, "x/experts/0/svr/weights"), *c = get(&p, "x/experts/0/confidence");
    for (int y = 0; y < 11; y++)
        for (int x = 0; x < 11; x++) {
            check_near("modality 0", w[242 + y * 11 + x], 0.5 * (x * 11 + y), 0);
            check_near("modality 1", w[363 + y * 11 + x], 0.5 * (x * 11 + y) + 1, 0);
        }
    check_f32_abs("confidence is the sum", c, ((float[]){ 0.625f, 2.625f }), 2, 1e-6);
    fa_pack_close(&p);
}

static void network_weights_become_output_major_and_row_major(void)
{
    static const int32_t layers[6][8] = { { 0, 3, 2, 3, 3, 1, 1, 0 }, { 3, 2, 2 }, { 1, 2, 2, 2, 2, 2, 2, 0 }, { 2, 8, 4 }, { 3, 4, 4 }, { 2, 4, 6 } };
    struct fa_pack p = pack_of(NET);
    struct fa_tensor t;
    const float *k = get(&p, "x/0/weight"), *w = get(&p, "x/3/weight"), *v = get(&p, "x/5/weight");
    for (int o = 0; o < 2; o++)
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 9; j++)
                check_near("kernel", k[(o * 3 + i) * 9 + j], (i * 2 + o) * 9 + j, 0);
    for (int o = 0; o < 4; o++)                /* file input m*4 + x*2 + y -> ours m*4 + y*2 + x */
        for (int m = 0; m < 2; m++)
            for (int y = 0; y < 2; y++)
                for (int x = 0; x < 2; x++)
                    check_near("flattened", w[o * 8 + m * 4 + y * 2 + x], (m * 4 + x * 2 + y) * 4 + o, 0);
    for (int o = 0; o < 6; o++)
        for (int i = 0; i < 4; i++)
            check_near("vector", v[o * 4 + i], i * 6 + o, 0);
    CHECK(fa_pack_find(&p, &t, "x/layers"));
    check_bytes("layers", t.data, layers, sizeof layers);
    fa_pack_close(&p);
}

static void validator_pixels_become_row_major(void)
{
    struct fa_pack p = pack_of(VALIDATOR);
    const float *mean = get(&p, "validator/0/mean"), *std = get(&p, "validator/0/std"), *w = get(&p, "validator/0/4/weight");
    check_f32_abs("mean: (1,5) (2,4) (2,5)", mean, ((float[]){ 2, 1, 3 }), 3, 0);
    check_f32_abs("std", std, ((float[]){ 3, 2, 4 }), 3, 0);
    for (int o = 0; o < 3; o++)
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 8; x++)
                check_near("fc", w[o * 64 + y * 8 + x], (x * 8 + y) * 3 + o, 0);
    fa_pack_close(&p);
}

/* --- Bad input ---------------------------------------------------------------------------------------------------------- */

/* Cuts of a text file inside its last number cannot be told from another number. */
static void cut_everywhere(enum kind kind, const unsigned char *p, size_t n, int arg, size_t step, const char *what)
{
    struct fa_err e = { 0 };
    int text = kind == PDM || kind == TRIANGLES || kind == SVR;
    size_t end = n;
    while (text && end && (p[end - 1] <= ' '))
        end--;
    while (text && end && (p[end - 1] > ' '))
        end--;
    for (size_t i = 0; i < end; i += i < 300 ? 1 + step / 1000 : step) {
        unsigned char *copy = malloc(i ? i : 1);       /* exactly i bytes, so that a sanitizer sees one too far */
        memcpy(copy, p, i);
        int r = read_as(kind, copy, i, arg, NULL, &e);
        if (r != FA_E_MODEL || strncmp(e.text, "FILE: byte ", 11) != 0)
            test_fail(__FILE__, __LINE__, "%s cut to %zu bytes: %d '%s'", what, i, r, e.text);
        free(copy);
    }
}

static void files_cut_short_are_refused_everywhere(void)
{
    for (enum kind k = PDM; k <= PREDICTOR; k++) {
        struct bytes f = made(k);
        cut_everywhere(k, f.p, f.n, param(k), k == VALIDATOR || k == PREDICTOR ? 997 : 7, "made file");
        free(f.p);
    }
}

static void trailing_bytes_are_refused(void)
{
    struct fa_err e;
    for (enum kind k = PDM; k <= PREDICTOR; k++) {
        struct bytes f = made(k);
        check_int("whole", read_as(k, f.p, f.n, param(k), NULL, &e), FA_OK);
        put(&f, "7", 1);
        check_int("one byte more", read_as(k, f.p, f.n, param(k), NULL, &e), FA_E_MODEL);
        free(f.p);
    }
}

/* Any 4 bytes replaced by numbers that sizes should not be: an error or another valid file, never a crash. */
static void corrupt_numbers_never_crash(void)
{
    static const uint32_t bad[] = { 0, 0xffffffffu, 0x7fffffffu, 0x80000000u, 0x10000u, 0x7f800000u, 0x7fc00000u };
    int refused = 0;
    for (enum kind k = PDM; k <= PREDICTOR; k++) {
        struct bytes f = made(k);
        struct fa_err e;
        size_t step = f.n > 4000 ? 257 : 1;
        for (size_t i = 0; i + 4 <= f.n; i += i < 200 ? 1 : step)
            for (size_t j = 0; j < sizeof bad / sizeof *bad; j++) {
                unsigned char old[4];
                memcpy(old, f.p + i, 4);
                fa_put_u32(f.p + i, bad[j]);
                int r = read_as(k, f.p, f.n, param(k), NULL, &e);
                CHECK(r == FA_OK || r == FA_E_MODEL);
                refused += r != FA_OK;
                memcpy(f.p + i, old, 4);
            }
        free(f.p);
    }
    test_note("corrupt files refused", refused, "");
    CHECK(refused > 1000);
}

/* 32-bit value v at byte i of a made file must be refused with these words. */
static void wrong_fields_are_named(void)
{
    static const struct { const char *why; enum kind kind; size_t at; uint32_t v; const char *words; } t[] = {
        { "network: no layers", NET, 0, 0, "layers 0" },
        { "network: a million layers", NET, 0, 1000000, "layers 1000000" },
        { "network: unknown layer", NET, 4, 9, "layer code 9" },
        { "network: wrong number of maps", NET, 8, 4, "convolution of 4 maps" },
        { "network: bias is infinite", NET, 16, 0x7f800000, "not finite" },
        { "network: kernel of doubles", NET, 32, 6, "matrix of type 6" },
        { "network: weight is NaN", NET, 36, 0x7fc00000, "not finite" },
        { "network: kernels differ", NET, 24 + 48, 4, "matrix of 4 x 3" },
        { "ccnf: no views", CCNF, 8, 0, "views 0" },
        { "ccnf: centre is no vector", CCNF, 12, 2, "matrix of 2 x 1" },
        { "ccnf: other number of landmarks", CCNF, 48, 4, "matrix of 4 x 1" },
        { "ccnf: visibility 2", CCNF, 60, 2, "visibility 2" },
        { "ccnf: window sizes", CCNF, 72, 99, "window sizes 99" },
        { "ccnf: components", CCNF, 80, 17, "components 17" },
        { "ccnf: component of another size", CCNF, 84, 9, "matrix of 9 x 4" },
        { "ccnf: not an expert", CCNF, 160, 6, "tag 5" },
        { "ccnf: neurons", CCNF, 172, 100, "neurons 100" },
        { "ccnf: neuron type", CCNF, 180, 3, "type other than 0" },
        { "validator: type", VALIDATOR, 0, 2, "type 2" },
        { "validator: views", VALIDATOR, 4, 0, "views 0" },
        { "predictor: type", PREDICTOR, 0, 2, "type 2" },
        { "predictor: means", PREDICTOR, 16, 4701, "matrix of 1 x 4701" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct bytes f = made(t[i].kind);
        struct fa_err e = { 0 };
        fa_put_u32(f.p + t[i].at, t[i].v);
        check_int(t[i].why, read_as(t[i].kind, f.p, f.n, param(t[i].kind), NULL, &e), FA_E_MODEL);
        if (!strstr(e.text, t[i].words))
            test_fail(__FILE__, __LINE__, "%s: '%s' lacks '%s'", t[i].why, e.text, t[i].words);
        free(f.p);
    }
}

static void wrong_texts_are_named(void)
{
    static const struct { enum kind kind; const char *from, *to, *words; } t[] = {
        { PDM, "15\n1\n6", "16\n1\n6", "" },
        { PDM, "15\n1\n6", "15\n2\n6", "expected" },
        { PDM, "15\n1\n6", "15\n1\n5", "type 5" },
        { PDM, "15\n1\n6", "-3\n1\n6", "-3" },
        { PDM, "15\n1\n6", "9e5\n9e5\n6", "9" },
        { PDM, "9.0000", "-9.000", "variance 0 is not positive" },
        { PDM, "9.0000", "nan   ", "not a number" },
        { PDM, "9.0000", "1e9999", "bad number" },
        { PDM, "9.0000", "0x1p3 ", "not a number" },
        { PDM, "9.0000", "1.2.3 ", "bad number" },
        { SVR, "3 11 11 2", "4 11 11 2", "tag 4" },
        { SVR, "3 11 11 2", "3 11 11 1", "modalities 1" },
        { SVR, "3 11 11 2", "3 13 11 2", "width 13" },
        { SVR, "11\n11\n5", "11\n12\n5", "expected 11 x 11" },
        { TRIANGLES, "1 2 3", "1 2 9", "landmark 9 of 4" },
        { TRIANGLES, "1 2 3", "1 2.5", "" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct bytes f = made(t[i].kind);
        struct fa_err e = { 0 };
        put(&f, "", 1);
        char *at = strstr((char *)f.p, t[i].from);
        CHECK(at != NULL);
        struct bytes g = { 0 };
        put(&g, f.p, (size_t)(at - (char *)f.p));
        put(&g, t[i].to, strlen(t[i].to));
        put(&g, at + strlen(t[i].from), f.n - 1 - (size_t)(at - (char *)f.p) - strlen(t[i].from));
        check_int(t[i].to, read_as(t[i].kind, g.p, g.n, param(t[i].kind), NULL, &e), FA_E_MODEL);
        if (!strstr(e.text, t[i].words))
            test_fail(__FILE__, __LINE__, "%s: '%s' lacks '%s'", t[i].to, e.text, t[i].words);
        free(f.p);
        free(g.p);
    }
}

/* --- OpenFace's files --------------------------------------------------------------------------------------------------- */

/* Every file of the two sets: whole it is used up to the last byte (or fa_plan_import fails), cut it is refused. */
static void openface_files_are_consumed_exactly_and_refused_when_cut(void)
{
    const char *dir = shared_path("openface-models/lib/local/LandmarkDetector/model");
    static const struct { const char *path; enum kind kind; int arg; size_t step; } t[] = {
        { "pdms/In-the-wild_aligned_PDM_68.txt", PDM, 0, 2003 },
        { "model_inner/pdms/pdm_51_inner.txt", PDM, 0, 2003 },
        { "model_eye/pdms/pdm_28_eye_3D_closed.txt", PDM, 0, 503 },
        { "model_eye/pdms/pdm_28_l_eye_3D_closed.txt", PDM, 0, 503 },
        { "mtcnn_detector/PNet.dat", NET, 12, 501 },
        { "mtcnn_detector/RNet.dat", NET, 24, 10007 },
        { "mtcnn_detector/ONet.dat", NET, 48, 50021 },
        { "detection_validation/validator_cnn.txt", VALIDATOR, 0, 100003 },
        { "detection_validation/validator_cnn_68.txt", VALIDATOR, 0, 100003 },
        { "patch_experts/ccnf_patches_0.25_general.txt", CCNF, 68, 100003 },
        { "patch_experts/ccnf_patches_0.35_general.txt", CCNF, 68, 300007 },
        { "patch_experts/ccnf_patches_0.5_general.txt", CCNF, 68, 300007 },
        { "model_inner/patch_experts/ccnf_patches_1.00_inner.txt", CCNF, 51, 200003 },
        { "model_eye/patch_experts/ccnf_patches_1.00_synth_lid_.txt", CCNF, 28, 3001 },
        { "model_eye/patch_experts/ccnf_patches_1.50_synth_lid_.txt", CCNF, 28, 3001 },
        { "model_eye/patch_experts/left_ccnf_patches_1.00_synth_lid_.txt", CCNF, 28, 3001 },
        { "model_eye/patch_experts/left_ccnf_patches_1.50_synth_lid_.txt", CCNF, 28, 3001 },
        { "patch_experts/svr_patches_0.25_general.txt", SVR, 68, 200003 },
        { "patch_experts/svr_patches_0.35_general.txt", SVR, 68, 400009 },
        { "patch_experts/svr_patches_0.5_general.txt", SVR, 68, 400009 },
        { "../../FaceAnalyser/AU_predictors/svr_combined/AU_12_static_intensity_comb.dat", PREDICTOR, 0, 4001 },
        { "../../FaceAnalyser/AU_predictors/svr_combined/AU_20_dynamic_intensity.dat", PREDICTOR, 0, 4001 },
        { "../../FaceAnalyser/AU_predictors/svm_combined/AU_12_static.dat", PREDICTOR, 0, 4001 },
        { "../../FaceAnalyser/AU_predictors/svm_combined/AU_28_dynamic.dat", PREDICTOR, 0, 4001 },
        { "../../FaceAnalyser/AU_predictors/tris_68_full.txt", TRIANGLES, 68, 31 },
    };
    if (!dir || access(dir, R_OK) != 0) {
        test_skip("no OpenFace model files");
        return;
    }
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char path[1200];
        struct fa_map m;
        struct fa_err e = { 0 };
        snprintf(path, sizeof path, "%s/%s", dir, t[i].path);
        check_int(t[i].path, fa_map_open(&m, path, &e), FA_OK);
        e.text[0] = '\0';
        check_int(t[i].path, read_as(t[i].kind, m.data, m.len, t[i].arg, NULL, &e), FA_OK);
        if (e.text[0])
            test_fail(__FILE__, __LINE__, "%s: %s", t[i].path, e.text);
        cut_everywhere(t[i].kind, m.data, m.len, t[i].arg, t[i].step, t[i].path);
        fa_map_close(&m);
    }
}

static void sha256_gives_the_standard_digests(void)
{
    static const struct { const char *text, *hex; } t[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        { "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
          "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
    };
    char hex[65];
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        fa_sha256_hex(hex, t[i].text, strlen(t[i].text));
        check_str("digest", hex, t[i].hex);
    }
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    fa_sha256_hex(hex, million, 1000000);
    check_str("a million a", hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

/* --- Seeds -------------------------------------------------------------------------------------------------------------- */

static const struct { const char *name; enum kind kind; } seeds[] = { { "pdm/small", PDM }, { "ccnf/small", CCNF }, { "svr/small", SVR },
                                                                      { "nets/small", NET }, { "validator/small", VALIDATOR }, { "aupred/small", PREDICTOR } };

static void committed_seeds_are_the_ones_made_here(void)
{
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        struct bytes f = made(seeds[i].kind);
        struct fa_map m;
        struct fa_err e = { 0 };
        char path[300];
        snprintf(path, sizeof path, "tests/fuzz/corpus/%s", seeds[i].name);
        check_int(path, fa_map_open(&m, path, &e), FA_OK);
        check_int(path, m.len, f.n);
        if (m.len == f.n)
            check_bytes(path, m.data, f.p, f.n);
        fa_map_close(&m);
        free(f.p);
    }
}

static int write_seed(const char *dir, const char *name, const struct bytes *f)
{
    char path[400];
    struct fa_err e;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    *strrchr(path, '/') = '\0';
    if (fa_mkdirs(path, &e) != FA_OK)
        return 1;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *out = fopen(path, "wb");
    return !out || fwrite(f->p, 1, f->n, out) != f->n || fclose(out) != 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0) {
        struct bytes pack = { 0 };
        make_pack(&pack);
        int bad = write_seed(argv[2], "pack/small", &pack);
        for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
            struct bytes f = made(seeds[i].kind);
            bad |= write_seed(argv[2], seeds[i].name, &f);
        }
        return bad;
    }
    RUN(sha256_gives_the_standard_digests);
    RUN(shape_model_becomes_padded_planes);
    RUN(text_numbers_do_not_depend_on_the_locale);
    RUN(ccnf_weights_become_tap_major_and_scaled);
    RUN(svr_weights_are_transposed);
    RUN(network_weights_become_output_major_and_row_major);
    RUN(validator_pixels_become_row_major);
    RUN(files_cut_short_are_refused_everywhere);
    RUN(trailing_bytes_are_refused);
    RUN(corrupt_numbers_never_crash);
    RUN(wrong_fields_are_named);
    RUN(wrong_texts_are_named);
    RUN(openface_files_are_consumed_exactly_and_refused_when_cut);
    RUN(committed_seeds_are_the_ones_made_here);
    return test_done();
}
