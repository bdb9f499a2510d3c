/* SPDX-License-Identifier: BSD-2-Clause
 * bench: the steps of the action units on a dumped 640 x 480 frame; CPU time of this thread, best of several rounds.
 * Lines: name value unit. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dump.h"
#include "fa_align.h"
#include "fa_au.h"
#include "fa_kern.h"
#include "test_models.h"

enum { ROUNDS = 7, CALLS = 40 };

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

#define BENCH(name, work)                                              \
    do {                                                               \
        double best = 1e18;                                            \
        for (int round = 0; round < ROUNDS; round++) {                 \
            double t0 = now_us();                                      \
            for (int call = 0; call < CALLS; call++) { work; }         \
            double t = (now_us() - t0) / CALLS;                        \
            best = t < best ? t : best;                                \
        }                                                              \
        printf("au_%s_%s %.1f us\n", name, fa_kern_name(), best);      \
    } while (0)

static void run(const struct fa_pack *pack, const struct fa_img8 *frame, const float *xy)
{
    static float hog[FA_N_HOG];
    static double x[FA_N_DESCRIPTOR_PADDED], y[CALLS][FA_N_DESCRIPTOR_PADDED], median[FA_N_DESCRIPTOR_PADDED];
    static uint8_t px[3 * FA_AU_SIDE * FA_AU_SIDE];
    const struct fa_align_look look = fa_align_look_default();
    struct fa_aligner a;
    struct fa_au_set set;
    struct fa_au_medians m;
    struct fa_params p;
    struct fa_err e;
    double v[2 * FA_AU_MAX];
    float warp[6];
    if (fa_aligner_open(&a, pack, &e) != FA_OK || fa_au_set_open(&set, pack, "dynamic", &e) != FA_OK || fa_au_medians_open(&m, &e) != FA_OK)
        return;
    uint8_t *gray = malloc((size_t)(frame->w * frame->h));
    struct fa_img8 g = { gray, frame->w, frame->w, frame->h, 1 };
    struct fa_img8 face = { px, 3 * FA_AU_SIDE, FA_AU_SIDE, FA_AU_SIDE, 3 };
    BENCH("gray", fa_gray_from_bgr(&g, frame));
    BENCH("fit", fa_align_fit(&p, &a, xy));
    BENCH("face", fa_align_face(px, warp, &a, &look, frame, xy, &p, &e));
    BENCH("fhog", fa_fhog(hog, &face));
    for (int i = 0; i < FA_N_HOG; i++)
        x[i] = hog[i];
    BENCH("geometry", fa_au_geometry(x + FA_N_HOG, &a.pdm, p.q));
    uint64_t seed = 3;
    for (int t = 0; t < CALLS; t++)               /* a face that moves a little */
        for (int i = 0; i < FA_N_DESCRIPTOR; i++)
            y[t][i] = x[i] + (i < FA_N_HOG ? 0.02 : 1) * test_randf(&seed);
    BENCH("medians_update", fa_au_medians_update(&m, y[call], 1));
    BENCH("medians_read", fa_au_medians_get(median, &m));
    BENCH("predict", fa_au_static_part(v, &set, x));
    BENCH("shift", fa_au_shift(v, &set, median));
    free(gray);
    fa_au_medians_close(&m);
    fa_au_set_close(&set);
    fa_aligner_close(&a);
}

int main(void)
{
    static const unsigned masks[] = { 0, FA_CPU_AVX2, FA_CPU_AVX2 | FA_CPU_AVX512 };
    struct fa_pack pack;
    struct dump d;
    if (!test_model(&pack, "clnf") || !dump_open(&d, "default_wmv"))
        return 0;
    const struct dump_row *img = dump_find(&d, 0, "image.bgr", 1, NULL, -2, -2), *lm = dump_find(&d, 0, "out.landmarks", 1, "main", -2, -2);
    float xy[2 * FA_PDM_MAX_POINTS] = { 0 };
    for (int k = 0; k < 2; k++)
        memcpy(xy + k * FA_PDM_MAX_POINTS, dump_f32(lm) + 68 * k, 68 * sizeof *xy);
    struct fa_img8 frame = { (uint8_t *)dump_u8(img), (ptrdiff_t)img->dim[1] * 3, img->dim[1], img->dim[0], 3 };
    for (int i = 0; i < 3; i++)
        if (!(masks[i] & ~fa_cpu_detect())) {
            fa_kern_select(masks[i]);
            run(&pack, &frame, xy);
        }
    dump_close(&d);
    fa_pack_close(&pack);
    return 0;
}
