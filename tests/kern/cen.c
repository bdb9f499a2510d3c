/* SPDX-License-Identifier: BSD-2-Clause
 * The CEN kernels: every variant gives the twin's bits and writes nothing else; what the twin computes. */
#include "fa_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fa_kern.h"
#include "fa_kern_ccnf.h"
#include "fa_kern_cen.h"

static int variants(const struct fa_kern_cen *out[2])
{
    int n = 0;
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    if (fa_cpu_detect() & FA_CPU_AVX2)
        out[n++] = &fa_kern_cen_avx2;
    if (fa_cpu_detect() & FA_CPU_AVX512)
        out[n++] = &fa_kern_cen_avx512;
#endif
    return n;
}

enum { SIDE = FA_CEN_MAX_W + FA_CEN_SUPPORT - 1 };

static void windows_have_the_twins_bits(void)
{
    static float aoi[SIDE * FA_AOI_STRIDE], want[112 * FA_CEN_PANEL], got[112 * FA_CEN_PANEL];
    const struct fa_kern_cen *v[2];
    uint64_t seed = 7;
    const int n = variants(v);
    for (int round = 0; round < 4; round++)
        for (int w = 3; w <= FA_CEN_MAX_W; w += 2) {
            for (int i = 0; i < SIDE * FA_AOI_STRIDE; i++)
                aoi[i] = round == 0 ? 77 : round == 1 ? 68.3f : 128 + 127 * test_randf(&seed);
            fa_kern_cen_c.windows(want, aoi, w);
            for (int k = 0; k < n; k++) {
                v[k]->windows(got, aoi, w);
                for (int p = 0; p < fa_cen_windows(w); p++)
                    check_f32_bits("window", got + p * FA_CEN_PANEL, want + p * FA_CEN_PANEL, FA_CEN_TAPS);
            }
        }
}

static void windows_are_numbered_each_once_and_next_to_each_other(void)
{
    for (int w = 3; w <= FA_CEN_MAX_W; w += 2) {
        unsigned char seen[FA_CEN_MAX_W][FA_CEN_MAX_W] = { { 0 } };
        struct fa_cen_at last = fa_cen_at(w, 0);
        for (int k = 0; k < fa_cen_windows(w); k++) {
            const struct fa_cen_at at = fa_cen_at(w, k);
            CHECK(at.x >= 0 && at.x < w && at.y >= 0 && at.y < w && (at.x + at.y) % 2 == 1 && !seen[at.x][at.y]++);
            CHECK(abs(at.x - last.x) + abs(at.y - last.y) <= 3);
            last = at;
        }
    }
}

static void layers_have_the_twins_bits_and_stay_inside(void)
{
    static const int size[][2] = { { 121, 24 }, { 24, 16 }, { 16, 8 }, { 8, 1 }, { 121, 6 }, { 6, 4 }, { 121, 100 }, { 100, 50 }, { 50, 33 }, { 37, 200 }, { 33, 40 }, { 9, 47 } };
    const struct fa_kern_cen *v[2];
    uint64_t seed = 11;
    const int n = variants(v);
    for (size_t i = 0; i < sizeof size / sizeof *size; i++)
        for (int rows = 1; rows <= 100; rows += rows < 13 ? 1 : rows < 31 ? 6 : 17) {
            const int n_in = size[i][0], n_out = size[i][1], ldx = n_in + 3, ldy = fa_cen_outputs(n_out) + 5;
            const size_t floats = fa_cen_layer_floats(n_in, n_out), ny = (size_t)(rows + 1) * (size_t)ldy;
            float *data = aligned_alloc(64, (floats + 15) / 16 * 64), *w = malloc(sizeof *w * (size_t)(n_in * n_out)), bias[200];
            float *x = malloc(sizeof *x * (size_t)(rows * ldx)), *want = malloc(ny * sizeof *want), *got = malloc(ny * sizeof *got);
            memset(data, 0, floats * sizeof *data);
            for (int k = 0; k < n_in * n_out; k++)
                w[k] = test_randf(&seed);
            for (int k = 0; k < n_out; k++)
                bias[k] = test_randf(&seed);
            for (int k = 0; k < rows * ldx; k++) {                 /* zeros also by whole columns, as a rectifier leaves them */
                x[k] = test_randf(&seed);
                if (rows % 2 && (x[k] < 0.2f || k % ldx % 3 == 0))
                    x[k] = 0;
            }
            fa_cen_pack_layer(data, w, bias, n_in, n_out);
            for (int act = FA_CEN_LOGISTIC; act <= FA_CEN_RELU; act++) {
                const struct fa_cen_layer l = { n_in, n_out, (enum fa_cen_act)act, rows % 4 != 2, data };
                for (size_t k = 0; k < ny; k++)
                    want[k] = got[k] = 1234;
                fa_kern_cen_c.layer(want, ldy, x, ldx, rows, &l);
                double s = bias[n_out - 1];
                for (int k = 0; k < n_in; k++)
                    s += (double)w[(n_out - 1) * n_in + k] * x[k];
                s = act == FA_CEN_RELU ? fmax(s, 0) : act == FA_CEN_LOGISTIC ? 1 / (1 + exp(-s)) : s;
                check_near("twin", want[n_out - 1], s, 2e-5);
                for (int k = 0; k < n; k++) {
                    for (size_t j = 0; j < ny; j++)
                        got[j] = 1234;
                    v[k]->layer(got, ldy, x, ldx, rows, &l);
                    check_f32_bits("layer", got, want, ny);
                }
            }
            free(data), free(w), free(x), free(want), free(got);
        }
}

int main(void)
{
    RUN(windows_have_the_twins_bits);
    RUN(windows_are_numbered_each_once_and_next_to_each_other);
    RUN(layers_have_the_twins_bits_and_stay_inside);
    return test_done();
}
