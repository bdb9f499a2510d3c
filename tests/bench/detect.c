/* SPDX-License-Identifier: BSD-2-Clause
 * bench: one detector call on a synthetic 640 x 480 frame and on the first dumped frame, and one validator call; CPU time of
 * this thread, best of several runs. Lines: name value unit. An argument names another pack than OpenFace's; its detector alone is
 * timed then. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dump.h"
#include "fa_detect.h"
#include "fa_kern.h"
#include "fa_validator.h"
#include "test_models.h"

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static void bench_frame(const char *name, struct fa_detector *d, const struct fa_img8 *img, int runs)
{
    static struct fa_face_list f;
    struct fa_err e;
    double best = 1e9;
    for (int i = 0; i < runs; i++) {
        double t0 = now_ms();
        if (fa_detect(d, img, &f, NULL, &e) != FA_OK)
            return;
        double t = now_ms() - t0;
        best = t < best ? t : best;
    }
    printf("detect_%s_%dx%d_%s %.3f ms\n", name, img->w, img->h, fa_kern_name(), best);
}

/* The reference points of the frontal view, twice their size, on gray noise. */
static void bench_validator(const struct fa_pack *pack, const uint8_t *px)
{
    struct fa_validator v;
    struct fa_err e;
    struct fa_img8 gray = { (uint8_t *)px, 640, 640, 480, 1 };
    float xy[136];
    const float *dest = fa_pack_need(pack, &e, FA_F32, 2, (int[]){ 2, 68 }, "validator/0/dest");
    if (!dest || fa_validator_open(&v, pack, &e) != FA_OK)
        return;
    for (int i = 0; i < 136; i++)
        xy[i] = 2 * dest[i] + (i < 68 ? 320 : 240);
    double best = 1e9;
    for (int i = 0; i < 50; i++) {
        double t0 = now_ms();
        for (int k = 0; k < 10; k++)
            fa_validate(&v, 0, 0, 0, xy, 68, &gray);
        double t = (now_ms() - t0) / 10;
        best = t < best ? t : best;
    }
    printf("validate_%s %.4f ms\n", fa_kern_name(), best);
    fa_validator_close(&v);
}

int main(int argc, char **argv)
{
    struct fa_pack pack;
    struct fa_detector d;
    struct fa_err e;
    struct dump dump;
    if (!(argc > 1 ? fa_model_open(&pack, argv[1], &e) == FA_OK : test_model(&pack, "clnf")) || fa_detector_open(&d, &pack, &e) != FA_OK)
        return 0;
    static const unsigned masks[] = { 0, FA_CPU_AVX2, FA_CPU_AVX2 | FA_CPU_AVX512 };
    uint8_t *px = malloc(640 * 480 * 3);
    uint64_t seed = 1;
    for (int i = 0; i < 640 * 480 * 3; i++)
        px[i] = (uint8_t)test_rand(&seed);
    struct fa_img8 noise = { px, 640 * 3, 640, 480, 3 };
    int have = dump_open(&dump, "default_wmv");
    for (int i = 0; i < 3; i++) {
        if (masks[i] & ~fa_cpu_detect())
            continue;
        fa_kern_select(masks[i]);
        bench_frame("noise", &d, &noise, masks[i] ? 20 : 1);
        if (masks[i] && argc == 1)
            bench_validator(&pack, px);
        const struct dump_row *r = have ? dump_find(&dump, 0, "image.bgr", 1, NULL, -2, -2) : NULL;
        if (!r)
            continue;
        struct fa_img8 img = { (uint8_t *)r->data, (ptrdiff_t)r->dim[1] * 3, r->dim[1], r->dim[0], 3 };
        bench_frame("face", &d, &img, masks[i] ? 20 : 1);
    }
    free(px);
    if (have)
        dump_close(&dump);
    fa_detector_close(&d);
    fa_pack_close(&pack);
    return 0;
}
