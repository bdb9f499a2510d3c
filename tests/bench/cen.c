/* SPDX-License-Identifier: BSD-2-Clause
 * bench: CEN networks of the production shapes (spec/landmark-models 3.4), for each kernel: every layer by itself with its weights in
 * the cache, then as many experts as the frontal view has, whose weights come from memory as they do in a run. No input of a layer by
 * itself is zero, so nothing is skipped; between the layers of a network with random weights some are. GFLOP/s counts the layer's own
 * multiply-adds, not padding; percent is of the peak of multiply-adds from registers with the same vectors, measured in the same run.
 * Best of several rounds. Lines: name value unit.
 */
#include <string.h>
#include <sys/mman.h>

#include "fa_kern_ccnf.h"
#include "fa_kern_cen.h"
#include "fa_test.h"
#include "peak.h"

/* Two landmarks go through one expert in the frontal view (29 pairs), one elsewhere. */
static const struct net { const char *scale; int w, size[5]; } nets[] = {
    { "0.25", 11, { FA_CEN_TAPS, 300, 100, 50, 1 } },
    { "0.35", 9, { FA_CEN_TAPS, 300, 100, 50, 1 } },
    { "0.50", 7, { FA_CEN_TAPS, 500, 200, 100, 1 } },
    { "1.00", 5, { FA_CEN_TAPS, 500, 200, 100, 1 } },
};
enum { N_NET = sizeof nets / sizeof *nets, N_LAYER = 4, MAX_ROWS = 120, MAX_WIDTH = 512, EXPERTS = 39 };
static const enum fa_cen_act acts[N_LAYER] = { FA_CEN_RELU, FA_CEN_RELU, FA_CEN_LOGISTIC, FA_CEN_LOGISTIC };

static uint64_t seed = 1;
static const struct fa_kern_cen *kern;
static const char *isa;
static double peak;

/* Zeros; in pages of 2 MB if it is much, as a pack is mapped. */
static void *take(size_t floats)
{
    const size_t page = floats > 1 << 20 ? 2 << 20 : 64, bytes = (floats * sizeof(float) + page - 1) / page * page;
    void *p = aligned_alloc(page, bytes);
    if (!p)
        abort();
    if (page > 64)
        madvise(p, bytes, MADV_HUGEPAGE);
    return memset(p, 0, bytes);
}

/* Random weights as for a rectifier: spread 1 / sqrt(inputs). */
static void fill_layer(float *out, int n_in, int n_out)
{
    float *w = take((size_t)n_in * (size_t)n_out), *bias = take((size_t)n_out), spread = 2.4f / __builtin_sqrtf((float)n_in);
    for (int i = 0; i < n_in * n_out; i++)
        w[i] = spread * test_randf(&seed);
    fa_cen_pack_layer(out, w, bias, n_in, n_out);
    free(w);
    free(bias);
}

static size_t net_floats(const struct net *net)
{
    size_t n = 0;
    for (int i = 0; i < N_LAYER; i++)
        n += fa_cen_layer_floats(net->size[i], net->size[i + 1]);
    return n;
}

static void report(const char *name, double flop, double seconds)
{
    printf("%s_%s %.1f GFLOP/s\n%s_%s_of_peak %.1f %%\n", name, isa, 1e-9 * flop / seconds, name, isa, 1e-7 * flop / seconds / peak);
}

static void bench_layer(const struct net *net, int i, int rows)
{
    const int n_in = net->size[i], n_out = net->size[i + 1], ldx = i ? fa_cen_outputs(n_in) : FA_CEN_PANEL, ldy = fa_cen_outputs(n_out);
    float *data = take(fa_cen_layer_floats(n_in, n_out)), *x = take((size_t)rows * (size_t)ldx), *y = take((size_t)rows * (size_t)ldy);
    double best = 1e9;
    char name[64];
    fill_layer(data, n_in, n_out);
    for (int k = 0; k < rows * ldx; k++)
        x[k] = 1.1f + test_randf(&seed);
    const struct fa_cen_layer l = { n_in, n_out, acts[i], i == 1 || i == 2, data };
    const int calls = 1 + (int)(4e6 / ((double)rows * n_in * n_out));
    for (int round = 0; round < 30; round++) {
        const double t = cpu_seconds();
        for (int c = 0; c < calls; c++)
            kern->layer(y, ldy, x, ldx, rows, &l);
        const double each = (cpu_seconds() - t) / calls;
        best = each < best ? each : best;
    }
    snprintf(name, sizeof name, "cen_%s_layer_%dx%d_rows_%d", net->scale, n_in, n_out, rows);
    report(name, 2.0 * rows * n_in * n_out, best);
    free(data), free(x), free(y);
}

/* As many experts as the frontal view has, one after the other. */
static void bench_net(const struct net *net, int rows)
{
    const size_t each = (net_floats(net) + 15) / 16 * 16;
    float *weights = take(each * EXPERTS), *a = take(MAX_ROWS * MAX_WIDTH), *b = take(MAX_ROWS * MAX_WIDTH), *panel = take(MAX_ROWS * FA_CEN_PANEL);
    double flop = 0, best = 1e9;
    char name[64];
    for (int k = 0; k < EXPERTS; k++) {
        float *at = weights + (size_t)k * each;
        for (int i = 0; i < N_LAYER; at += fa_cen_layer_floats(net->size[i], net->size[i + 1]), i++)
            fill_layer(at, net->size[i], net->size[i + 1]);
    }
    for (int i = 0; i < N_LAYER; i++)
        flop += 2.0 * EXPERTS * rows * net->size[i] * net->size[i + 1];
    for (int i = 0; i < MAX_ROWS * FA_CEN_PANEL; i++)
        panel[i] = 0.15f * test_randf(&seed);
    for (int round = 0; round < 12; round++) {
        const double t = cpu_seconds();
        for (int k = 0; k < EXPERTS; k++) {
            const float *at = weights + (size_t)k * each, *in = panel;
            int ld = FA_CEN_PANEL;
            for (int i = 0; i < N_LAYER; i++) {
                const struct fa_cen_layer l = { net->size[i], net->size[i + 1], acts[i], i == 1 || i == 2, at };
                float *out = in == a ? b : a;
                kern->layer(out, fa_cen_outputs(l.n_out), in, ld, rows, &l);
                at += fa_cen_layer_floats(l.n_in, l.n_out);
                ld = fa_cen_outputs(l.n_out);
                in = out;
            }
        }
        const double all = cpu_seconds() - t;
        best = all < best ? all : best;
    }
    snprintf(name, sizeof name, "cen_%s_experts_from_memory_rows_%d", net->scale, rows);
    report(name, flop, best);
    free(weights), free(a), free(b), free(panel);
}

static void bench_windows(const struct net *net)
{
    enum { SIDE = FA_CEN_MAX_W + FA_CEN_SUPPORT - 1, CALLS = 200 };
    float *aoi = take(SIDE * FA_AOI_STRIDE), *panel = take(MAX_ROWS * FA_CEN_PANEL);
    double best = 1e9;
    for (int i = 0; i < SIDE * FA_AOI_STRIDE; i++)
        aoi[i] = 128 + 127 * test_randf(&seed);
    for (int round = 0; round < 30; round++) {
        const double t = cpu_seconds();
        for (int c = 0; c < CALLS; c++)
            kern->windows(panel, aoi, net->w);
        const double each = (cpu_seconds() - t) / CALLS;
        best = each < best ? each : best;
    }
    printf("cen_%s_windows_%s %.2f us\n", net->scale, isa, 1e6 * best);
    free(aoi), free(panel);
}

int main(void)
{
    static const struct { const char *name; const struct fa_kern_cen *kern; unsigned cpu; } t[] = {
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
        { "avx2", &fa_kern_cen_avx2, FA_CPU_AVX2 }, { "avx512", &fa_kern_cen_avx512, FA_CPU_AVX512 },
#endif
        { "", NULL, 0 },
    };
    const double sgemm = peak_sgemm();
    if (sgemm > 0)
        printf("peak_sgemm %.1f GFLOP/s\n", sgemm);
    for (int k = 0; t[k].kern; k++) {
        kern = t[k].kern;
        isa = t[k].name;
        peak = peak_fma(t[k].cpu);
        if (peak <= 0)
            continue;
        printf("peak_fma_%s %.1f GFLOP/s\n", isa, peak);
        for (int i = 0; i < N_NET; i++) {
            const int one = fa_cen_windows(nets[i].w);
            bench_windows(&nets[i]);
            for (int pair = 1; pair <= 2; pair++) {
                for (int j = 0; j < N_LAYER; j++)
                    bench_layer(&nets[i], j, pair * one);
                bench_net(&nets[i], pair * one);
            }
        }
    }
    return 0;
}
