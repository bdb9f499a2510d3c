/* SPDX-License-Identifier: BSD-2-Clause
 * The spec's test vectors for CEN experts (LM 7.7, 7.9): networks by formula, read from a file by formula. The dense form of 7.7 is
 * not used by the reference's flow and not built. */
#include "cen_file.h"

#include <math.h>
#include <stdlib.h>

#include "expert_internal.h"
#include "fa_shape.h"
#include "fa_test.h"
#include "test_team.h"
#include "import_internal.h"
#include "test_models.h"

enum { W = 11, SIDE = W + 10, STRIDE = 256 };
static double worst;                                 /* of all vectors, relative to the largest value of the map or to the sum */

static void check_rel(const char *why, double got, double want, double most)
{
    check_near(why, got, want, 1e-5 * most);
    worst = fmax(worst, fabs(got - want) / most);
}

static int tri(int k, int p)
{
    const int r = k % (2 * p);
    return abs((r < 0 ? r + 2 * p : r) - p);
}

/* The file as the only scale of a model "main". */
static void open_file(struct fa_pack *pack, struct fa_experts *x, const struct bytes *f, int points)
{
    struct fa_pack_builder b;
    struct fa_in in;
    struct fa_err e = { 0 };
    size_t len;
    int views, one = 1;
    fa_pack_begin(&b);
    fa_in_mem(&in, "cen.dat", f->p, f->n, &e);
    const double scale = fa_read_cen(&in, &b, "main", 0, points, NULL, &views);
    check_int(e.text, fa_in_close(&in), FA_OK);
    fa_pack_add_text(&b, "cen", "main/experts/kind");
    fa_pack_add(&b, FA_F64, 1, &one, &scale, "main/experts/scales");
    void *mem = fa_pack_finish(&b, &len, &e);
    if (!mem || fa_pack_open_mem(pack, mem, len, mem, &e) != FA_OK || fa_experts_open(x, pack, "main", &e) != FA_OK) {
        printf("FAIL open_file: %s\n", e.text);
        exit(1);
    }
}

/* --- 7.7 ---------------------------------------------------------------------------------------------------------------- */

/* One view, two landmarks that mirror each other; the first has the network. */
static void make_pair(struct bytes *b)
{
    static const int size[] = { 122, 6, 4, 1 };
    put_f64(b, 0.25);
    put_i32(b, 1);
    put_mat(b, 3, 1, 6), put_f64(b, 0), put_f64(b, 0), put_f64(b, 0);
    put_mat(b, 2, 1, 4), put_i32(b, 1), put_i32(b, 1);
    put_mat(b, 2, 1, 4), put_i32(b, 1), put_i32(b, 0);
    put_mat(b, 1, 1, 4), put_i32(b, 0);
    put_cen_expert(b, 0, 0, 5, size, 3);
    put_cen_expert(b, 0, 1, 5, size, 0);
}

/* AOI image I of LM 7, moved. */
static void fill_area(float *aoi, int dx, int dy)
{
    for (int j = 0; j < SIDE; j++)
        for (int i = 0; i < SIDE; i++) {
            const int x = i + dx, y = j + dy;
            aoi[j * FA_AOI_STRIDE + i] = (float)(20 + 9 * tri(x + 2 * y, 9) + 5 * tri(3 * x - y, 7) + 2 * ((7 * x + 13 * y) % 11));
        }
}

static void check_map(const float *map, int k)
{
    static const struct { const char *name; double at[6]; int y, x; double sum; } t[2] = {
        { "as it is", { 0.509799004, 0.504957318, 0.506326675, 0.504101038, 0.508312881, 0.511072636 }, 1, 0, 61.3394951 },
        { "flipped", { 0.497366369, 0.49474135, 0.499436438, 0.505381405, 0.49181059, 0.537149251 }, 8, 9, 61.3151537 },
    };
    const double *want = t[k].at, most = want[5];
    static const int corner[5] = { 0, W - 1, W * (W - 1), W * W - 1, W * W / 2 };
    int top = 0;
    double sum = 0;
    for (int i = 0; i < 5; i++)
        check_rel(t[k].name, map[corner[i]], want[i], most);
    for (int i = 0; i < W * W; i++) {
        sum += map[i];
        top = map[i] > map[top] ? i : top;
    }
    check_rel(t[k].name, map[top], most, most);
    check_int("row of the maximum", top / W, t[k].y);
    check_int("column of the maximum", top % W, t[k].x);
    check_rel("sum", sum, t[k].sum, t[k].sum);
}

static void a_network_by_formula_gives_the_spec_values(void)
{
    struct bytes f = { 0 };
    struct fa_pack pack;
    struct fa_experts x;
    struct fa_err e;
    static float aoi[2][32 * FA_AOI_STRIDE];
    float map[2][W * W];
    make_pair(&f);
    open_file(&pack, &x, &f, 2);
    check_int("reserve", fa_experts_reserve(&x, 0, W, 1, &e), FA_OK);
    fill_area(aoi[0], 0, 0);
    fill_area(aoi[1], 5, 9);
    const struct fa_expert_scale *s = &x.per_scale[0];
    float *scratch = aligned_alloc(64, (x.kind->scratch(s, W) + 15) / 16 * 64);
    for (int k = 0; k < 2; k++) {
        const struct fa_expert_job one = { .n = 1, .landmark = { k }, .aoi = { aoi[k] }, .map = { map[k] }, .scratch = scratch };
        x.kind->maps(&one, s, 0, W);
        check_map(map[k], k);
    }
    const struct fa_expert_job both = { .n = 2, .landmark = { 0, 1 }, .aoi = { aoi[0], aoi[1] }, .map = { map[0], map[1] }, .scratch = scratch };
    memset(map, 0, sizeof map);
    x.kind->maps(&both, s, 0, W);
    for (int k = 0; k < 2; k++)
        check_map(map[k], k);
    free(scratch);
    fa_experts_close(&x);
    fa_pack_close(&pack);
    free(f.p);
}

/* --- 7.9 ---------------------------------------------------------------------------------------------------------------- */

/* [0][0], [4][4], sum of landmarks 8, 36, 45 with window 9; 0: not visible, no map. */
static const struct { struct fa_global g; int view; double want[3][3]; } poses[] = {
    { { 0.9f, 0.05f, -0.1f, 0.08f, 300, 230 }, 0,
      { { 0.514385283, 0.515675247, 41.8645441 }, { 0.54283452, 0.543356061, 43.7164249 }, { 0.554899573, 0.534783065, 43.5677987 } } },
    { { 1.7f, -0.1f, 0.75f, -0.2f, 330, 250 }, 5,
      { { 0.563950121, 0.580665469, 46.5697031 }, { 0.633148253, 0.626799107, 51.0347834 }, { 0.597744882, 0.616429865, 49.5466308 } } },
    { { 1.1f, 0, -0.9f, 0.3f, 260, 270 }, 2,
      { { 0.575726509, 0.581085205, 46.7385356 }, { 0.607308745, 0.609854043, 49.2156954 }, { 0.630469501, 0.633629322, 51.0736644 } } },
    { { 1.1f, 0, 1.2f, 0.1f, 260, 270 }, 4,
      { { 0.646941662, 0.638349414, 51.8529275 }, { 0 }, { 0.434263825, 0.429809213, 34.9766949 } } },
};

static struct fa_img8 spec_image(void)
{
    static uint8_t g[640 * 480];
    for (int y = 0; y < 480; y++)
        for (int x = 0; x < 640; x++)
            g[y * 640 + x] = (uint8_t)(40 + 3 * tri(x + y, 35) + 2 * tri(2 * x - y, 25) + 4 * tri(y, 13));
    return (struct fa_img8){ g, 640, 640, 480, 1 };
}

static void respond(struct fa_experts *x, const struct fa_pdm *pdm, struct fa_team *team)
{
    static const int landmark[3] = { 8, 36, 45 };
    static float maps[FA_PDM_MAX_POINTS * STRIDE], base[2 * FA_PDM_MAX_POINTS];
    const struct fa_img8 gray = spec_image();
    for (size_t i = 0; i < sizeof poses / sizeof *poses; i++) {
        struct fa_responses r = { .maps = maps, .stride = STRIDE, .base = base };
        struct fa_params p = { .g = poses[i].g };
        struct fa_err e = { 0 };
        for (int j = 0; j < pdm->m; j++)
            p.q[j] = (float)(0.3 * sqrt((double)pdm->variances[j]) * ((5 * j) % 7 - 3) / 3);
        check_int(e.text, fa_experts_respond(&r, x, pdm, &p, 0, 9, &gray, team, &e), FA_OK);
        check_int("view", r.view, poses[i].view);
        for (int k = 0; k < 3; k++) {
            const double *want = poses[i].want[k];
            const float *map = maps + landmark[k] * STRIDE;
            double sum = 0;
            check_int("visible", fa_experts_visible(x, 0, r.view)[landmark[k]] != 0, want[2] > 0);
            if (!(want[2] > 0))
                continue;
            for (int c = 0; c < 81; c++)
                sum += map[c];
            check_rel("[0][0]", map[0], want[0], want[0]);
            check_rel("[4][4]", map[40], want[1], want[1]);
            check_rel("sum", sum, want[2], want[2]);
        }
    }
}

static void a_file_by_formula_gives_the_spec_values(void)
{
    struct fa_pack clnf, pack;
    struct fa_experts ccnf, x;
    struct fa_pdm pdm;
    struct fa_err e = { 0 };
    int visible[7 * 68];
    if (!test_model(&clnf, "clnf")) {
        test_skip("no OpenFace model files");
        return;
    }
    check_int("PDM", fa_pdm_attach(&pdm, &clnf, "main", &e), FA_OK);
    check_int("CCNF", fa_experts_open(&ccnf, &clnf, "main", &e), FA_OK);
    check_int("views", fa_experts_views(&ccnf, 0), 7);
    for (int v = 0; v < 7; v++)
        memcpy(visible + 68 * v, fa_experts_visible(&ccnf, 0, v), 68 * sizeof *visible);
    for (int type = 5; type <= 6; type++) {
        struct bytes f = { 0 };
        make_cen(&f, visible, type);
        check_int("size of the file", f.n, type == 5 ? 566720 : 1101800);
        open_file(&pack, &x, &f, 68);
        struct fa_tensor t;
        CHECK(fa_pack_find(&pack, &t, "main/experts/0/networks"));
        check_int("networks", t.dim[0], 210);
        struct fa_team *team = test_team(3);
        respond(&x, &pdm, NULL);
        respond(&x, &pdm, team);
        fa_team_close(team);
        check_near("confidence", fa_experts_confidence(&x, 0, 0)[8], 0.508, 1e-6);
        check_near("confidence of a mirrored one", fa_experts_confidence(&x, 0, 0)[16], 0.25, 0);
        fa_experts_close(&x);
        fa_pack_close(&pack);
        free(f.p);
    }
    fa_experts_close(&ccnf);
    fa_pack_close(&clnf);
}

int main(void)
{
    RUN(a_network_by_formula_gives_the_spec_values);
    RUN(a_file_by_formula_gives_the_spec_values);
    test_note("worst relative error", worst, "");
    return test_done();
}
