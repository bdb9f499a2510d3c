/* SPDX-License-Identifier: BSD-2-Clause
 * import: the packed sets hold the numbers that the spec lists for OpenFace's files. */
#include "test_models.h"

#include <math.h>
#include <string.h>

#include "fa_kern_ccnf.h"
#include "fa_sigma.h"

static struct fa_pack clnf, clm;

static const void *need(const struct fa_pack *p, enum fa_dtype type, int ndim, int *dim, const char *name)
{
    struct fa_err e = { 0 };
    const void *d = fa_pack_need(p, &e, type, ndim, dim, "%s", name);
    if (!d)
        test_fail(__FILE__, __LINE__, "%s", e.text);
    return d;
}

static const float *f32(const struct fa_pack *p, const char *name)
{
    struct fa_tensor t;
    CHECK(fa_pack_find(p, &t, "%s", name) && t.type == FA_F32);
    return fa_pack_find(p, &t, "%s", name) && t.type == FA_F32 ? t.data : NULL;
}

static double sum(const struct fa_pack *p, const char *name)
{
    struct fa_tensor t;
    double s = 0;
    if (!fa_pack_find(p, &t, "%s", name) || t.type != FA_F32)
        return NAN;
    for (size_t i = 0; i < t.n; i++)
        s += ((const float *)t.data)[i];
    return s;
}

static int have(void)
{
    if (clnf.n && clm.n)
        return 1;
    test_skip("no OpenFace model files");
    return 0;
}

static void shape_models_have_the_listed_sizes_and_variances(void)
{
    static const struct { const char *prefix; int n, m; float first, last; } t[] = {
        { "main", 68, 34, 826.213804f, 0.58266f }, { "au", 68, 34, 826.213804f, 0.58266f }, { "part/0", 51, 32, 440.568563f, 0.307398f },
        { "part/1", 28, 10, 111.570907f, 0.4228f }, { "part/2", 28, 10, 111.570907f, 0.4228f },
    };
    if (!have())
        return;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char name[64];
        int np = (t[i].n + 15) / 16 * 16;
        snprintf(name, sizeof name, "%s/pdm/points", t[i].prefix);
        const int32_t *n = need(&clnf, FA_I32, 1, (int[]){ 1 }, name);
        snprintf(name, sizeof name, "%s/pdm/variances", t[i].prefix);
        const float *v = need(&clnf, FA_F32, 1, (int[]){ t[i].m }, name);
        snprintf(name, sizeof name, "%s/pdm/mean", t[i].prefix);
        const float *mean = need(&clnf, FA_F32, 2, (int[]){ 3, np }, name);
        snprintf(name, sizeof name, "%s/pdm/modes", t[i].prefix);
        const float *modes = need(&clnf, FA_F32, 3, (int[]){ t[i].m, 3, np }, name);
        if (!n || !v || !mean || !modes)
            continue;
        check_int(t[i].prefix, n[0], t[i].n);
        check_near(t[i].prefix, v[0], t[i].first, 1e-4);
        check_near(t[i].prefix, v[t[i].m - 1], t[i].last, 1e-5);
        /* Means are centred, modes orthonormal to the printed precision, the padding is 0 (LM 2.1). */
        for (int a = 0; a < 3; a++) {
            double s = 0;
            for (int k = 0; k < t[i].n; k++)
                s += mean[a * np + k];
            check_near("centre", s / t[i].n, 0, 1e-6);
            for (int k = t[i].n; k < np; k++)
                CHECK(mean[a * np + k] == 0 && modes[a * np + k] == 0);
        }
        for (int j = 0; j < t[i].m; j++) {
            double dot0 = 0, dotj = 0;
            for (int k = 0; k < 3 * np; k++) {
                dot0 += (double)modes[k] * modes[j * 3 * np + k];
                dotj += (double)modes[j * 3 * np + k] * modes[j * 3 * np + k];
            }
            check_near("norm", dotj, 1, 4e-6);
            check_near("orthogonal", dot0, j == 0, 4e-6);
        }
    }
    const float *m = f32(&clnf, "au/pdm/mean");
    check_near("M[0]", m[0], -73.393523, 1e-5);
    check_near("M[68]", m[80], -29.801432, 1e-5);
    check_near("M[136]", m[160], 47.667534, 1e-5);
}

/* detection 9.2: first four weights of K[0][0], of the bias, and the sum of all weights. */
static void network_weights_are_those_of_the_files(void)
{
    static const struct { const char *layer; double w[4], b[4], sum; } t[] = {
        { "mtcnn/pnet/0", { -0.08164716, 0.8359154, 1.246497, -0.01504125 }, { -0.08283687, 0.91978, 1.18867, 0.08680683 }, 2.348767 },
        { "mtcnn/pnet/3", { -0.1165013, 0.3188821, -0.3413529, -0.3835636 }, { 1.020537, 2.487584, 2.362585, 0.4210994 }, -38.56579 },
        { "mtcnn/pnet/5", { 0.0660219, 0.4602042, 0.3904002, 0.1341147 }, { -0.08974096, 1.731508, 1.294244, -1.777201 }, -43.27973 },
        { "mtcnn/rnet/0", { -0.5031552, 0.01886993, 0.3806793, -0.4088854 }, { -0.353076, 0.05681254, -0.3700019, 0.01082284 }, 0.2354865 },
        { "mtcnn/rnet/3", { 0.05701504, -0.08085082, -0.1029659, -0.0579447 }, { 0.09402923, 0.3272887, 0.1725837, 0.02908564 }, -81.35157 },
        { "mtcnn/rnet/6", { 0.007674135, 0.02350486, 0.01186146, -0.03245375 }, { -0.04456285, 0.05089237, 0.03704355, 0.02229048 }, -32.82775 },
        { "mtcnn/onet/0", { 0.4814697, 0.453283, 0.2120883, 0.3020113 }, { 0.09100506, -0.1805993, 0.1242997, 0.6446357 }, -0.9298089 },
        { "mtcnn/onet/3", { -0.035384, -0.07499761, -0.09375463, 0.04902752 }, { 0.06126148, -0.0005784601, 0.03734187, 0.3781272 }, -118.8728 },
        { "mtcnn/onet/6", { -0.01149567, -0.01444016, 0.007782515, 0.004794469 }, { -0.01962495, -0.07412364, 0.03388201, 0.04565346 }, -52.35706 },
        { "mtcnn/onet/9", { 0.0366054, 0.05212935, 0.02799333, 0.01861837 }, { 0.1703422, 0.04938541, 0.1242615, 0.06835245 }, -56.9071 },
        { "validator/0/0", { 0.009304002, -0.0002859189, 0.008071982, -0.0008162336 }, { -0.002390869, 0.0001380306, -0.001311988, -0.005271569 }, -0.2924623 },
        { "validator/0/3", { -0.03150602, -0.03766047, -0.05813152, -0.06423698 }, { 0.004446551, 0.00231257, 0.002341971, 0.003179745 }, -11.67267 },
    };
    /* Fully connected: the first row of the file's W (n_in x n_out) is the first column of ours; column 0 of the file's input 1 is
     * pixel (x 0, y 1) of map 0, that is our input `side` (detection 2.4). */
    static const struct { const char *layer; double w[4], b[4], sum; } fc[] = {
        { "mtcnn/pnet/7", { 0.07251091, -0.3428839, -0.00586978, -0.008644244 }, { 0.0005302674, -0.000507684, 0.0215605, -0.04285 }, -0.4431067 },
        { "mtcnn/rnet/8", { 0.01665089, 0.02434653, -0.004933311, 0.002615759 }, { 0.02815165, 0.1853105, 0.1119007, 0.06803709 }, -73.59475 },
        { "mtcnn/rnet/10", { 0.1534318, -0.1544223, -0.1337862, -0.09544778 }, { -0.09449352, 0.09449355, 0.02007521, -0.1086969 }, -0.05740806 },
        { "mtcnn/onet/11", { 0.01219501, -0.009408721, 0.01513999, -0.001136 }, { 0.102012, 0.03312144, 0.02357673, 0.08161698 }, -147.4867 },
        { "mtcnn/onet/13", { 0.02931743, -0.02972862, 0.043694, 0.01791007 }, { -0.1747724, 0.1747726, 0.09993825, 0.02774118 }, 0.9408279 },
        { "validator/0/6", { -0.02402073, 0.003277934, -0.006394206, -0.03129467 }, { 0.003069413, -0.0002534148, 0.001355231, 0.0009830703 }, -68.44746 },
        { "validator/0/8", { -0.03172166, -0.03682159, -0.017011, -0.01544541 }, { 0.01241527, -0.02862377, -0.01432965, 0.0557007 }, 0.2421303 },
    };
    char name[64];
    if (!have())
        return;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        snprintf(name, sizeof name, "%s/weight", t[i].layer);
        const float *w = f32(&clnf, name);
        check_near(t[i].layer, sum(&clnf, name), t[i].sum, 2e-5 * (1 + fabs(t[i].sum)));
        snprintf(name, sizeof name, "%s/bias", t[i].layer);
        const float *b = f32(&clnf, name);
        for (int j = 0; w && b && j < 4; j++) {
            check_near(t[i].layer, w[j], t[i].w[j], 1e-6 * (0.1 + fabs(t[i].w[j])));
            check_near(t[i].layer, b[j], t[i].b[j], 1e-6 * (0.1 + fabs(t[i].b[j])));
        }
    }
    for (size_t i = 0; i < sizeof fc / sizeof *fc; i++) {
        int dim[2] = { -1, -1 };
        snprintf(name, sizeof name, "%s/weight", fc[i].layer);
        const float *w = need(&clnf, FA_F32, 2, dim, name);
        check_near(fc[i].layer, sum(&clnf, name), fc[i].sum, 2e-5 * (1 + fabs(fc[i].sum)));
        snprintf(name, sizeof name, "%s/bias", fc[i].layer);
        const float *b = f32(&clnf, name);
        for (int j = 0; w && b && j < 4; j++) {
            check_near(fc[i].layer, w[j * dim[1]], fc[i].w[j], 1e-6 * (0.1 + fabs(fc[i].w[j])));
            check_near(fc[i].layer, b[j], fc[i].b[j], 1e-6 * (0.1 + fabs(fc[i].b[j])));
        }
    }
    const float *k = f32(&clnf, "mtcnn/pnet/0/weight");     /* [10, 3, 3, 3]: K[in 0][out 1], K[in 1][out 0] */
    check_near("K[0][1]", k[27], 0.4879007, 1e-6);
    check_near("K[0][1]", k[28], -0.874864, 1e-6);
    check_near("K[1][0]", k[9], -0.2663099, 1e-6);
    check_near("K[1][0]", k[10], 0.8521554, 1e-6);
    check_near("W row 1", f32(&clnf, "mtcnn/pnet/7/weight")[1], 0.117792, 1e-6);
    check_near("slopes", f32(&clnf, "mtcnn/rnet/1/weight")[0], 1.29573, 1e-5);
    check_near("slopes", sum(&clnf, "mtcnn/onet/12/weight"), -10.84062, 1e-4);
}

static void layer_tables_follow_the_files(void)
{
    static const int32_t pnet[8][8] = { { 0, 3, 10, 3, 3, 1, 1, 0 }, { 3, 10, 10 }, { 1, 10, 10, 2, 2, 2, 2, 0 }, { 0, 10, 16, 3, 3, 1, 1, 0 },
                                        { 3, 16, 16 }, { 0, 16, 32, 3, 3, 1, 1, 0 }, { 3, 32, 32 }, { 2, 32, 6 } };
    static const int32_t cnn[9][8] = { { 0, 1, 10, 9, 9, 1, 1, 0 }, { 3, 10, 10 }, { 1, 10, 10, 2, 2, 2, 2, 0 }, { 0, 10, 10, 7, 7, 1, 1, 0 },
                                       { 3, 10, 10 }, { 1, 10, 10, 2, 2, 2, 2, 0 }, { 2, 1000, 50 }, { 3, 50, 50 }, { 2, 50, 30 } };
    if (!have())
        return;
    const void *p = need(&clnf, FA_I32, 2, (int[]){ 8, 8 }, "mtcnn/pnet/layers"), *v = need(&clnf, FA_I32, 2, (int[]){ 9, 8 }, "validator/6/layers");
    need(&clnf, FA_I32, 2, (int[]){ 11, 8 }, "mtcnn/rnet/layers");
    need(&clnf, FA_I32, 2, (int[]){ 14, 8 }, "mtcnn/onet/layers");
    if (p && v) {
        check_bytes("pnet", p, pnet, sizeof pnet);
        check_bytes("cnn", v, cnn, sizeof cnn);
    }
}

static void validator_tables_are_those_of_the_file(void)
{
    static const int n[7] = { 2642, 2469, 1665, 1491, 2494, 1690, 1536 }, tri[7] = { 97, 97, 36, 31, 97, 36, 31 };
    static const double yaw[7] = { 0, -20, -45, -70, 20, 45, 70 };
    static const double min_x[7] = { -29.763987446501343, -35.51286312552035, -36.642817514871666, -30.906478579861925, -20.803360808446044,
                                     -12.637546732588717, -15.612191450478864 };
    char name[64];
    if (!have())
        return;
    const double *views = need(&clnf, FA_F64, 2, (int[]){ 7, 3 }, "validator/views");
    for (int v = 0; views && v < 7; v++) {
        check_near("yaw", views[3 * v + 1], yaw[v] * acos(-1) / 180, 1e-15);
        snprintf(name, sizeof name, "validator/%d/mean", v);
        need(&clnf, FA_F32, 1, (int[]){ n[v] }, name);
        snprintf(name, sizeof name, "validator/%d/alpha", v);
        need(&clnf, FA_F32, 2, (int[]){ tri[v], 3 }, name);
        snprintf(name, sizeof name, "validator/%d/min", v);
        const float *min = need(&clnf, FA_F32, 1, (int[]){ 2 }, name);
        if (min) {
            check_near("min_x", min[0], min_x[v], 2e-6);
            check_near("min_y", min[1], -25.129874326651368, 2e-6);
        }
    }
    /* The first mask pixel of the file's column order is in the leftmost column: find it in our row order. */
    const int32_t *px = need(&clnf, FA_I32, 2, (int[]){ 60, 60 }, "validator/0/pixels");
    const float *mean = f32(&clnf, "validator/0/mean"), *std = f32(&clnf, "validator/0/std");
    static const double file_mean[4] = { -0.3216186, -0.2919378, -0.2697105, -0.2496000 };
    static const double file_std[4] = { 0.004929294, 0.004827825, 0.004773025, 0.004734884 };
    int row_index[3600], k = 0, found = 0, first = -1;
    for (int i = 0; i < 3600; i++) {
        row_index[i] = px[i] >= 0 ? k++ : -1;
        if (px[i] >= 0 && first < 0)
            first = i;
    }
    for (int x = 0; x < 60 && found < 4; x++)
        for (int y = 0; y < 60 && found < 4; y++)
            if (px[y * 60 + x] >= 0) {
                check_near("mean", mean[row_index[y * 60 + x]], file_mean[found], 1e-7);
                check_near("std", std[row_index[y * 60 + x]], file_std[found], 1e-9);
                found++;
            }
    check_near("sum of std", sum(&clnf, "validator/0/std"), 10.05766, 1e-5);
    check_int("first mask pixel", first, 60 + 12);
    check_int("its triangle", px[60 + 12], 20);
    check_int("triangle at (30,30)", px[30 * 60 + 30], 57);
    CHECK(px[30 * 60 + 1] < 0 && px[30 * 60 + 2] >= 0 && px[30 * 60 + 57] >= 0 && px[30 * 60 + 58] < 0);
    const int32_t *px2 = need(&clnf, FA_I32, 2, (int[]){ 60, 60 }, "validator/2/pixels");
    check_int("view 2", px2[60 + 24], 7);
    CHECK(px2[30 * 60 + 3] < 0 && px2[30 * 60 + 4] >= 0 && px2[30 * 60 + 40] >= 0 && px2[30 * 60 + 41] < 0 && px2[30 * 60 + 30] == 29);
    const float *alpha = f32(&clnf, "validator/0/alpha"), *beta = f32(&clnf, "validator/0/beta"), *dest = f32(&clnf, "validator/0/dest");
    check_f32_abs("alpha", alpha, ((float[]){ -3.238224831f, 0.118036492f, 0.287505179f }), 3, 1e-6);
    check_f32_abs("beta", beta, ((float[]){ -0.547952990f, -0.235534778f, -0.011941317f }), 3, 1e-6);
    check_f32_abs("dest x", dest, ((float[]){ -29.763987447f, -29.655109096f, -28.822598478f }), 3, 1e-5);
    check_f32_abs("dest y", dest + 68, ((float[]){ -12.099255328f, -4.617064254f, 3.027175557f }), 3, 1e-5);
    const int32_t *t = need(&clnf, FA_I32, 2, (int[]){ 97, 3 }, "validator/0/triangles");
    check_bytes("triangles", t, ((int32_t[]){ 67, 58, 59, 49, 60, 48, 59, 58, 6 }), 36);
}

static void views_and_visibilities_of_the_experts(void)
{
    static const double yaw[7] = { 0, -20, -45, -70, 70, 45, 20 };
    static const int seen[7] = { 68, 68, 68, 35, 35, 68, 68 }, inner[7] = { 51, 51, 51, 26, 26, 51, 51 };
    static const double scale[3] = { 0.25, 0.35, 0.5 };
    char name[64];
    if (!have())
        return;
    for (int set = 0; set < 2; set++) {
        const struct fa_pack *p = set ? &clm : &clnf;
        const double *s = need(p, FA_F64, 1, (int[]){ 3 }, "main/experts/scales");
        check_f64_abs("scales", s, scale, 3, 1e-12);
        for (int k = 0; k < 3; k++) {
            snprintf(name, sizeof name, "main/experts/%d/centres", k);
            const double *c = need(p, FA_F64, 2, (int[]){ 7, 3 }, name);
            snprintf(name, sizeof name, "main/experts/%d/visible", k);
            const int32_t *v = need(p, FA_I32, 2, (int[]){ 7, 68 }, name);
            for (int i = 0; c && v && i < 7; i++) {
                int n = 0;
                for (int j = 0; j < 68; j++)
                    n += v[i * 68 + j];
                check_int("visible", n, seen[i]);
                check_near("yaw", c[3 * i + 1], yaw[i] * acos(-1) / 180, 1e-15);
            }
        }
    }
    const int32_t *v = need(&clnf, FA_I32, 2, (int[]){ 7, 51 }, "part/0/experts/0/visible");
    const int32_t *ix = need(&clnf, FA_I32, 2, (int[]){ 7, 51 }, "part/0/experts/0/index");
    for (int i = 0; v && ix && i < 7; i++) {
        int n = 0;
        for (int j = 0; j < 51; j++) {
            n += v[i * 51 + j];
            CHECK((ix[i * 51 + j] >= 0) == v[i * 51 + j]);      /* empty <=> invisible */
        }
        check_int("inner", n, inner[i]);
    }
}

/* LM 3.2, examples. Weights are tap-major, so neuron 0 of tap (y, x) stands at ((y * 11 + x) * 8). */
static void ccnf_experts_are_those_of_the_files(void)
{
    static const struct { const char *prefix; int view, n, lm; double norm, bias, alpha, w00, beta[3], confidence, alpha_sum; } t[] = {
        { "main", 0, 68, 36, 61.2155755499673, -17.09328146366487, 12.510763791444623, -0.0868496075, { 3.7318754815, 2.2900428527, 1.5076822974 }, 0.5172935295, 76.4654480636 },
        { "part/0", 0, 51, 20, 46.9443690611, -11.9428243037, 7.7817989607, 0.02552782, { 4.4725263273, 2.7644870118, 2.0739585654 }, 0.2402686964, 0 },
        { "part/1", 0, 28, 8, 67.5096617938, -16.4428222068, 6.8186437491, 0.137748301, { 0 }, 0.4930806218, 0 },
    };
    char name[64];
    if (!have())
        return;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
#define GET(what) (snprintf(name, sizeof name, "%s/experts/0/" what, t[i].prefix), name)
        struct fa_tensor ix, al, be;
        CHECK(fa_pack_find(&clnf, &ix, "%s", GET("index")) && fa_pack_find(&clnf, &al, "%s", GET("alpha")) && fa_pack_find(&clnf, &be, "%s", GET("betas")));
        int at = t[i].view * t[i].n + t[i].lm, q = ((const int32_t *)ix.data)[at];
        const float *w = f32(&clnf, GET("weights")) + q * 121 * 8;
        check_near("weight", w[0], t[i].w00 * t[i].norm, 1e-6 * t[i].norm);
        check_near("bias", f32(&clnf, GET("bias"))[q * 8], t[i].bias, 2e-6);
        check_near("alpha", ((const double *)al.data)[q * 8], 2 * t[i].alpha, 1e-9);
        check_near("confidence", f32(&clnf, GET("confidence"))[at], t[i].confidence, 1e-7);
        check_near("padding", w[7], 0, 0);
        for (int j = 0; j < be.dim[1]; j++)
            check_near("beta", ((const double *)be.data)[q * be.dim[1] + j], t[i].beta[j], 1e-9);
        double norm2 = 0;
        for (int k = 0; k < 121; k++)
            norm2 += (double)w[8 * k] * w[8 * k];
        check_near("weights have unit length", sqrt(norm2) / t[i].norm, 1, 1e-6);
        if (t[i].alpha_sum) {
            check_near("sum of alphas", f32(&clnf, GET("alpha_sum"))[q], t[i].alpha_sum, 1e-5);
            check_near("W[0][10]", w[8 * 10], 0.0462389626 * t[i].norm, 1e-5);
            check_near("W[10][0]", w[8 * 110], -0.0791906267 * t[i].norm, 1e-5);
        }
#undef GET
    }
    /* Neurons with alpha <= 1e-4 are switched off: 4 in general 0.25. */
    struct fa_tensor al, ne;
    int off = 0;
    CHECK(fa_pack_find(&clnf, &al, "main/experts/0/alpha") && fa_pack_find(&clnf, &ne, "main/experts/0/neurons"));
    check_int("experts", ne.dim[0], 410);
    for (int q = 0; q < ne.dim[0]; q++)
        for (int i = 0; i < ((const int32_t *)ne.data)[q]; i++)
            off += ((const double *)al.data)[q * 8 + i] == 0;
    check_int("neurons switched off", off, 4);
}

static void svr_experts_are_those_of_the_files(void)
{
    if (!have())
        return;
    const int32_t *type = need(&clm, FA_I32, 3, (int[]){ 7, 68, 2 }, "main/experts/0/svr/type");
    const double *p = need(&clm, FA_F64, 4, (int[]){ 7, 68, 2, 3 }, "main/experts/0/svr/params");
    const float *w = need(&clm, FA_F32, 4, (int[]){ 7, 68, 2, 121 }, "main/experts/0/svr/weights");
    const float *c = need(&clm, FA_F32, 2, (int[]){ 7, 68 }, "main/experts/0/confidence");
    if (!type || !p || !w || !c)
        return;
    check_f64_abs("parameters", p + 36 * 6, ((double[]){ 0.311781, 17.949984, -5.845307, 0.095325, 10.844483, -4.951048 }), 6, 1e-12);
    CHECK(type[72] == 0 && type[73] == 1);
    check_near("W[0][0]", w[36 * 242], -0.340829f, 0);
    check_near("file[0][1] is W[1][0]", w[36 * 242 + 11], 0.083817f, 0);
    check_near("type 1", w[36 * 242 + 121], -0.009492f, 0);
    check_near("type 1", w[36 * 242 + 121 + 11], 0.030723f, 0);
    check_near("confidence", c[36], 0.311781 + 0.095325, 1e-7);
}

/* LM 7.5. */
static void sigma_matrices_match_the_spec(void)
{
    static const struct { const char *prefix; int k, lm, w; double s00, s01, sum; } t[] = {
        { "main", 0, 36, 11, 0.005275134, 0.000206031254, 0.639502334 },
        { "main", 2, 8, 7, 0.00764024677, 0.000593418139, 0.495900679 },
        { "part/0", 0, 20, 9, 0.00681597926, 0.000412266789, 0.600141137 },
    };
    if (!have())
        return;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fa_tensor ix, s;
        CHECK(fa_pack_find(&clnf, &ix, "%s/experts/%d/index", t[i].prefix, t[i].k));
        CHECK(fa_pack_find(&clnf, &s, "%s/experts/%d/sigma/%d", t[i].prefix, t[i].k, t[i].w));
        const int w = t[i].w, n = w * w;
        check_int("floats an expert", s.dim[1], (long long)fa_ccnf_sigma_floats(w));
        const float *parts = (const float *)s.data + (size_t)((const int32_t *)ix.data)[t[i].lm] * fa_ccnf_sigma_floats(w);
        double total = 0;
        for (int r = 0; r < n; r++)
            for (int c = 0; c < n; c++) {
                total += fa_sigma_entry(parts, w, r, c);
                check_near("symmetric", fa_sigma_entry(parts, w, r, c), fa_sigma_entry(parts, w, c, r), 1e-9);
            }
        check_near("[0][0]", fa_sigma_entry(parts, w, 0, 0), t[i].s00, 3e-7 * t[i].s00);
        check_near("[0][1]", fa_sigma_entry(parts, w, 0, 1), t[i].s01, 1e-6 * t[i].s01);
        check_near("sum", total, t[i].sum, 3e-7 * t[i].sum);
        test_note("sigma [0][0] relative to the spec's figure", fa_sigma_entry(parts, w, 0, 0) / t[i].s00 - 1, "");
    }
}

/* aus 12.4: descriptors by formula, values of the 17 + 18 predictors of both sets. */
static void action_unit_models_predict_the_listed_values(void)
{
    static const struct { const char *au; double reg[2], dec[2]; int class[2]; } t[] = {
        { "AU01", { 1.89099282409, 2.94221583943 }, { -0.82388497483, -0.259551941356 }, { 1, 1 } },
        { "AU02", { 0.685186533904, 1.93363582295 }, { -1.11680728459, -1.06625133296 }, { 1, 1 } },
        { "AU04", { -1.12110581004, -1.12110581004 }, { -1.2000660637, -1.2000660637 }, { 1, 1 } },
        { "AU05", { 3.12667803507, 4.140924548 }, { -4.78159519595, -4.78159519595 }, { 1, 1 } },
        { "AU06", { 0.0250124345692, 0.0250124345692 }, { 2.61530112757, 2.61530112757 }, { 0, 0 } },
        { "AU07", { 1.18279883058, 1.18279883058 }, { 3.66710186606, 3.66710186606 }, { 0, 0 } },
        { "AU09", { 2.68960548473, 10.2697091957 }, { 10.0835549715, 31.197371739 }, { 0, 0 } },
        { "AU10", { -29.8887120198, -29.8887120198 }, { -15.2364501721, -15.2364501721 }, { 0, 0 } },
        { "AU12", { -14.5027342246, -14.5027342246 }, { -28.1492567323, -28.1492567323 }, { 0, 0 } },
        { "AU14", { -31.2081198582, -31.2081198582 }, { 15.0838515213, 15.0838515213 }, { 0, 0 } },
        { "AU15", { 55.1461898715, 35.1097641627 }, { 1.46335522609, -0.297014547552 }, { 0, 1 } },
        { "AU17", { -7.25953351233, -10.7276641295 }, { 6.55681700775, -3.12250204342 }, { 0, 1 } },
        { "AU20", { -1.29733569184, -47.6641567845 }, { 3.33856392522, 23.3192881992 }, { 0, 0 } },
        { "AU23", { 3.36410254852, 19.6181162172 }, { -90.700973618, -90.700973618 }, { 1, 1 } },
        { "AU25", { -2.84880848413, 2.56721196765 }, { -2.71910854226, 3.69088900323 }, { 0, 1 } },
        { "AU26", { -10.8899094741, -13.062577802 }, { 2.41226504211, 3.34323318596 }, { 0, 0 } },
        { "AU28", { NAN, NAN }, { 2.45599708676, -2.42897158857 }, { 0, 1 } },
        { "AU45", { 2.15978429069, 0.265066806191 }, { 0.282675533263, 0.88979593602 }, { 0, 0 } },
    };
    double x[4704] = { 0 }, median[4704] = { 0 }, worst = 0;
    static const char *const set[2] = { "dynamic", "static" }, *const kind[2] = { "reg", "class" };
    char name[64];
    if (!have())
        return;
    for (int i = 0; i < 4464; i++) {
        x[i] = 0.2 + 0.2 * sin(0.37 * i);
        median[i] = 0.2 + 0.1 * sin(0.05 * i);
    }
    for (int i = 0; i < 238; i++) {
        x[4464 + i] = 10 * cos(0.11 * i);
        median[4464 + i] = 3 * sin(0.2 * i);
    }
    for (int s = 0; s < 2; s++)
        for (int c = 0; c < 2; c++) {
            int n = c ? 18 : 17, seen = 0;
#define GET(what) (snprintf(name, sizeof name, "au/%s/%s/" what, set[s], kind[c]), name)
            const char(*names)[8] = need(&clnf, FA_U8, 2, (int[]){ n, 8 }, GET("names"));
            const double *w = need(&clnf, FA_F64, 2, (int[]){ n, 4704 }, GET("weights"));
            const double *bias = need(&clnf, FA_F64, 1, (int[]){ n }, GET("bias"));
            const int32_t *dyn = need(&clnf, FA_I32, 1, (int[]){ n }, GET("dynamic"));
            const double *values = c ? need(&clnf, FA_F64, 2, (int[]){ n, 2 }, GET("values")) : NULL;
#undef GET
            if (!names || !w || !bias || !dyn)
                continue;
            for (int i = 0; i < n; i++) {
                double v = bias[i];
                for (int j = 0; j < 4704; j++)
                    v += (x[j] - (dyn[i] ? median[j] : 0)) * w[(size_t)i * 4704 + (size_t)j];
                for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
                    if (strncmp(names[i], t[k].au, 8) != 0)
                        continue;
                    double want = c ? t[k].dec[s] : t[k].reg[s];
                    check_near(t[k].au, v, want, 1e-9);
                    worst = fmax(worst, fabs(v - want));
                    if (values)
                        check_int(t[k].au, values[2 * i + (v > 0 ? 0 : 1)], t[k].class[s]);
                    seen++;
                }
            }
            check_int("predictors", seen, n);
        }
    test_note("largest difference of a prediction", worst, "");
}

static void cutoffs_are_the_doubles_of_the_files(void)
{
    static const double want[17] = { 0.55, 0.75, -1, 0.8, -1, -1, 0.7000000000000001, -1, -1, -1, 0.55, 0.2, 0.65, 0.65, 0.30000000000000004,
                                     0.30000000000000004, 0.6000000000000001 };
    if (!have())
        return;
    const double *c = need(&clnf, FA_F64, 1, (int[]){ 17 }, "au/dynamic/reg/cutoff"), *s = need(&clnf, FA_F64, 1, (int[]){ 17 }, "au/static/reg/cutoff");
    if (c && s) {
        check_bytes("dynamic", c, want, sizeof want);
        for (int i = 0; i < 17; i++)
            check_near("static", s[i], -1, 0);
    }
}

static void parts_and_triangles_are_there(void)
{
    static const char *const name[3] = { "inner", "left_eye_28", "right_eye_28" };
    if (!have())
        return;
    for (int i = 0; i < 3; i++) {
        struct fa_tensor t, q;
        CHECK(fa_pack_find(&clnf, &t, "part/%d/name", i) && t.n == strlen(name[i]) && memcmp(t.data, name[i], t.n) == 0);
        CHECK(fa_pack_find(&clnf, &q, "part/%d/pairs", i));
        for (int k = 0; k < q.dim[0]; k++) {
            const int32_t *pair = (const int32_t *)q.data + 2 * k;
            if (i == 0)
                CHECK(pair[0] == 17 + k && pair[1] == k);
            else
                CHECK(pair[0] == (i == 1 ? 36 : 42) + k && pair[1] == 8 + 2 * k);
        }
    }
    struct fa_tensor t;
    CHECK(!fa_pack_find(&clm, &t, "part/2/name") && fa_pack_find(&clm, &t, "part/1/name") && memcmp(t.data, name[2], t.n) == 0);
    const int32_t *tri = need(&clnf, FA_I32, 2, (int[]){ 111, 3 }, "au/triangles");
    if (tri) {
        check_bytes("first", tri, ((int32_t[]){ 58, 67, 59 }), 12);
        check_bytes("last", tri + 330, ((int32_t[]){ 64, 65, 63 }), 12);
    }
    CHECK(fa_pack_find(&clnf, &t, "meta/set") && t.n == 17 && memcmp(t.data, "main_clnf_general", 17) == 0);
}

int main(void)
{
    if (test_model(&clnf, "clnf"))
        test_model(&clm, "clm");
    RUN(shape_models_have_the_listed_sizes_and_variances);
    RUN(network_weights_are_those_of_the_files);
    RUN(layer_tables_follow_the_files);
    RUN(validator_tables_are_those_of_the_file);
    RUN(views_and_visibilities_of_the_experts);
    RUN(ccnf_experts_are_those_of_the_files);
    RUN(svr_experts_are_those_of_the_files);
    RUN(sigma_matrices_match_the_spec);
    RUN(action_unit_models_predict_the_listed_values);
    RUN(cutoffs_are_the_doubles_of_the_files);
    RUN(parts_and_triangles_are_there);
    fa_pack_close(&clnf);
    fa_pack_close(&clm);
    return test_done();
}
