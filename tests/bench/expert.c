/* SPDX-License-Identifier: BSD-2-Clause
 * bench: the steps of a landmark fit, ns per landmark or iteration, and a tracked frame's fits (main, inner, eyes) from the
 * dumped state of frame 2, ms. CPU time of this thread, best of several runs. Lines: name value unit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../stage/fit_dump.h"
#include "expert_internal.h"
#include "fa_kern.h"
#include "fa_kern_meanshift.h"
#include "fit_internal.h"
#include "test_models.h"

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

/* Best time of 7 rounds of n calls each (j counts them), ns a call. */
#define BEST(result, n, ...) \
    do { \
        result = 1e18; \
        for (int round_ = 0; round_ < 7; round_++) { \
            double t0_ = now_ns(); \
            for (int j = 0; j < (n); j++) \
                __VA_ARGS__; \
            double t_ = (now_ns() - t0_) / (n); \
            result = t_ < result ? t_ : result; \
        } \
    } while (0)

static struct fa_pack pack;
static struct dump dump;
static const char *isa;

static void report(const char *name, int w, double v, const char *unit)
{
    printf(w ? "%s_w%d_%s %.4g %s\n" : "%s%.0d_%s %.4g %s\n", name, w, isa, v, unit);
}

static void bench_steps(struct fa_fitter *f, const struct fit_block *b, const struct fa_img8 *gray, int runs)
{
    struct fa_params p;
    struct fa_err e;
    const int w = dump_i32(block_row(&dump, b, 0, "scale.window", -2))[0], k = b->scale, n = f->pdm.n, np = f->pdm.np;
    double t;
    params_of(&p, &dump.row[b->from], block_row(&dump, b, 0, "scale.params_local_in", -2));
    if (fa_experts_respond(&f->resp, &f->experts, &f->pdm, &p, k, w, gray, NULL, &e) != FA_OK)
        return;
    struct fa_expert_scale *s = &f->experts.per_scale[k];
    float *areas = calloc((size_t)n * 25 * FA_AOI_STRIDE, sizeof *areas), m[6], (*r)[FA_CCNF_MAX_MAP + 15] = calloc((size_t)n, sizeof *r);
    if (!areas || !r)
        abort();
#define AREA(a) (areas + (size_t)(a) * 25 * FA_AOI_STRIDE)
    BEST(t, runs * n, {
        struct fa_imgf area = { AREA(j % n), FA_AOI_STRIDE, w + 10, w + 10 };
        fa_expert_aoi_matrix(m, f->resp.sim_inv, f->resp.base[j % n], f->resp.base[np + j % n], w + 10);
        fa_warp_inverse_f32(&area, gray, m);
    });
    report("aoi", w, t, "ns/landmark");
    BEST(t, runs * n,
         f->experts.kind->maps(&(struct fa_expert_job){ .n = 1, .landmark = { j % n }, .aoi = { AREA(j % n) }, .map = { f->resp.maps + j % n * f->resp.stride } },
                               s, f->resp.view, w));
    report("map", w, t, "ns/landmark");
    BEST(t, runs, fa_experts_respond(&f->resp, &f->experts, &f->pdm, &p, k, w, gray, NULL, &e));
    report("respond", w, t / n, "ns/landmark");

    struct fa_tensor bias, alpha, weights;
    if (fa_pack_find(&pack, &weights, "main/experts/%d/weights", k) && fa_pack_find(&pack, &bias, "main/experts/%d/bias", k) &&
        fa_pack_find(&pack, &alpha, "main/experts/%d/alpha", k)) {
        /* Experts 0 .. n-1 are view 0's; any numbers of the right size do for alpha. */
        const int kp = weights.dim[2];
        float alpha2[8] = { 1, 1, 1, 1, 1, 1, 1, 0 }, *sigma = calloc(fa_ccnf_sigma_floats(w) * (size_t)n, sizeof *sigma);
        if (!sigma)
            abort();
        BEST(t, runs * n, {
            const struct fa_ccnf_neurons nn = { 7, kp, (const float *)weights.data + (size_t)(j % n) * FA_CCNF_TAPS * kp,
                                                (const float *)bias.data + j % n * kp, alpha2 };
            fa_kern_ccnf()->response(r[j % n], AREA(j % n), w, &nn);
        });
        report("normalise_neurons", w, t, "ns/landmark");
        BEST(t, runs * n, fa_kern_ccnf()->smooth(f->resp.maps + j % n * f->resp.stride, r[j % n], sigma + (size_t)(j % n) * fa_ccnf_sigma_floats(w), w));
        report("sigma", w, t, "ns/landmark");
        free(sigma);
    }
    const int *visible = fa_experts_visible(&f->experts, k, f->resp.view);
    const struct fa_kernel_table *table = NULL;
    for (int i = 0; i < f->n_table; i++)
        if (f->tables[i].w == w)
            table = &f->tables[i];
    fa_experts_respond(&f->resp, &f->experts, &f->pdm, &p, k, w, gray, NULL, &e);
    fa_rlms_offsets(f->scratch.dx, f->scratch.dy, f->resp.base, f->resp.base, f->resp.sim, w, n, np);
    BEST(t, 10 * runs, fa_rlms_mean_shift(f->scratch.shift_ref, f->scratch.dx, f->scratch.dy, &f->resp, visible, table, n, np));
    report("mean_shift", w, t / n, "ns/landmark");
    float lmk[FA_PDM_MAX_POINTS];
    BEST(t, 10 * runs, fa_rlms_likelihood(lmk, f->scratch.dx, f->scratch.dy, &f->resp, visible, table->sigma, n));
    report("likelihood", w, t / n, "ns/landmark");
    const struct fa_rlms run = { .pdm = &f->pdm, .resp = &f->resp, .kernel = table, .visible = visible, .n_iter = f->set.n_iter,
                                 .confidence = fa_experts_confidence(&f->experts, k, f->resp.view),
                                 .at = fa_fit_settings_at(&f->set, f->experts.scale, k) };
    int steps = 0;
    BEST(t, 10 * runs, { struct fa_params q = p; steps = fa_rlms_run(&q, &run, 1, &f->scratch); });
    report("rigid", w, t / steps * 1e-3, "us/iteration");
    BEST(t, 10 * runs, { struct fa_params q = p; steps = fa_rlms_run(&q, &run, 0, &f->scratch); });
    report("nonrigid", w, t / steps * 1e-3, "us/iteration");
    free(areas);
    free(r);
}

static void bench_models(int runs)
{
    struct fa_fitter f[4];
    struct fa_params start[4];
    struct fit_block b = { 0 };
    struct fa_err e;
    double total = 0;
    struct fa_img8 gray = gray_of(&dump, 2);
    int have[4] = { 0 };
    for (int i = 0; i < 4; i++) {
        struct fa_fit_settings set;
        if (i)
            fa_fit_settings_part(&set, fit_part[i]);
        else
            fa_fit_settings_main(&set, "main_clnf_general");
        double t0 = now_ns();
        if (fa_fitter_open(&f[i], &pack, fit_prefix[i], &set, &e) != FA_OK)
            return;
        printf("open_%s_%s %.3f ms\n", i ? fit_part[i] : "main", isa, (now_ns() - t0) * 1e-6);
    }
    while (next_block(&b, &dump, b.to))
        if (b.frame == 2) {
            const int i = part_index(b.part);
            if (!have[i]) {
                params_of(&start[i], &dump.row[b.from], block_row(&dump, &b, 0, "scale.params_local_in", -2));
                have[i] = 1;
            }
            if (i < 3)
                bench_steps(&f[i], &b, &gray, runs);
        }
    for (int i = 0; i < 4; i++) {
        double t;
        const int *window = i ? f[i].set.window_init : f[i].set.window_small;
        struct fa_fit_out out = { 0 };
        BEST(t, runs, { struct fa_params p = start[i]; fa_fit_scales(&f[i], &p, window, &gray, NULL, &out, &e); });
        printf("fit_%s_%s %.3f ms\n", i ? fit_part[i] : "main", isa, t * 1e-6);
        total += t * 1e-6;
        fa_fitter_close(&f[i]);
    }
    printf("fit_tracked_frame_%s %.3f ms\n", isa, total);
}

/* The main fits of a detection, all 11 dumped starts of frame 1: the first time Sigma is made for every view that comes up. */
static void bench_detection(void)
{
    struct fa_fitter f;
    struct fa_fit_settings set;
    struct fa_err e;
    struct fa_img8 gray = gray_of(&dump, 1);
    fa_fit_settings_main(&set, "main_clnf_general");
    if (fa_fitter_open(&f, &pack, "main", &set, &e) != FA_OK)
        return;
    for (int pass = 0; pass < 2; pass++) {
        double t0 = now_ns();
        struct fit_block b = { 0 };
        while (next_block(&b, &dump, b.to)) {
            struct fa_params p;
            struct fa_fit_out out;
            if (b.frame != 1 || b.scale != 0 || part_index(b.part) != 0)
                continue;
            params_of(&p, &dump.row[b.from], block_row(&dump, &b, 0, "scale.params_local_in", -2));
            fa_fit_scales(&f, &p, set.window_init, &gray, NULL, &out, &e);
        }
        printf("fit_main_11_starts_%s_%s %.3f ms\n", pass ? "again" : "first", isa, (now_ns() - t0) * 1e-6);
    }
    fa_fitter_close(&f);
}

int main(int argc, char **argv)
{
    static const unsigned masks[] = { 0, FA_CPU_AVX2, FA_CPU_AVX2 | FA_CPU_AVX512 };
    if (!test_model(&pack, argc > 1 ? argv[1] : "clnf") || !dump_open(&dump, "default_wmv"))
        return 0;
    for (int i = 0; i < 3; i++) {
        if (masks[i] & ~fa_cpu_detect())
            continue;
        fa_kern_select(masks[i]);
        isa = fa_kern_name();
        bench_models(masks[i] ? 20 : 1);
        bench_detection();
    }
    dump_close(&dump);
    fa_pack_close(&pack);
    return 0;
}
