/* SPDX-License-Identifier: BSD-2-Clause
 * bench: opening the model that $FA_MODELS names as every program does, from its staged image or from its file: median and worst of
 * many, wall time. Lines: name value unit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fa_import.h"
#include "fa_model.h"
#include "fa_shm.h"

enum { N = 201 };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(void)
{
    static double ms[N];
    const char *how = "file";
    for (int i = 0; i < N; i++) {
        struct fa_pack p;
        struct fa_err e = { 0 };
        const double t0 = now_ms();
        if (fa_model_open(&p, NULL, &e) != FA_OK) {
            fprintf(stderr, "attach: no model: skipped\n");
            return 0;
        }
        ms[i] = now_ms() - t0;
        if (strncmp(p.from, fa_shm_dir(), strlen(fa_shm_dir())) == 0)
            how = "image";
        fa_pack_close(&p);
    }
    qsort(ms, N, sizeof *ms, ascending);
    printf("open_%s_median %.3f ms\nopen_%s_worst_of_%d %.3f ms\n", how, ms[N / 2], how, N, ms[N - 1]);
    return 0;
}
