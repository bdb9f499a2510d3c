/* SPDX-License-Identifier: BSD-2-Clause
 * CEN response maps and early termination against the reference's (shared/cen-test/fixtures; spec/README row 17, fit 7.2). */
#include "fa_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "expert_internal.h"
#include "fa_import.h"
#include "fa_kern_ccnf.h"
#include "fa_model.h"

static struct fa_pack pack;
static struct fa_experts experts;
static float *bin;
static long n_bin;

struct item { char id[16], name[48]; long offset; int rows, cols; };
static struct item items[400];
static int n_item;

static int setup(void)
{
    struct fa_err e;
    setenv("OPENFACE_MODELS_DIR", "build/models-cache", 0);
    const char *list = shared_path("cen-test/model/main_ceclm_general.txt");
    FILE *f = list ? fopen(shared_path("cen-test/fixtures/fixtures.tsv"), "r") : NULL;
    if (!f)
        return 0;
    char line[200];
    while (fgets(line, sizeof line, f)) {
        struct item *i = &items[n_item];
        if (sscanf(line, "%15s %47s %ld %d %d", i->id, i->name, &i->offset, &i->rows, &i->cols) == 5 && n_item < 399)
            n_item++;
    }
    fclose(f);
    f = fopen(shared_path("cen-test/fixtures/fixtures.bin"), "rb");
    fseek(f, 0, SEEK_END);
    n_bin = ftell(f) / 4;
    rewind(f);
    bin = malloc((size_t)n_bin * 4);
    if (!bin || fread(bin, 4, (size_t)n_bin, f) != (size_t)n_bin || fa_model_open(&pack, list, &e) != FA_OK || fa_experts_open(&experts, &pack, "main", &e) != FA_OK) {
        printf("FAIL setup: %s\n", e.text);
        exit(1);
    }
    fclose(f);
    return 1;
}

static const float *get(const char *id, const char *name, const struct item **item)
{
    for (int i = 0; i < n_item; i++)
        if (strcmp(items[i].id, id) == 0 && strcmp(items[i].name, name) == 0) {
            if (item)
                *item = &items[i];
            return bin + items[i].offset;
        }
    return NULL;
}

/* head: landmark, view, scale index, window, view and landmark of the expert, flipped, joint, column. */
static void maps_equal_the_references(void)
{
    int n = 0;
    double worst = 0;
    for (int c = 0; c <= 13; c++) {
        char id[16];
        snprintf(id, sizeof id, "%02d", c);
        const struct item *area, *response;
        const float *head = get(id, "head", NULL), *aoi = get(id, "aoi", &area), *want = get(id, "response", &response);
        if (!head || !aoi || !want) {
            test_fail(__FILE__, __LINE__, "case %s is incomplete", id);
            continue;
        }
        const int lmk = (int)head[0], view = (int)head[1], k = (int)head[2], w = (int)head[3], side = w + 10;
        check_int("area", area->rows, side);
        struct fa_err e;
        CHECK(fa_experts_reserve(&experts, k, w, 1, &e) == FA_OK);
        float in[32 * FA_AOI_STRIDE] = { 0 }, map[FA_CCNF_MAX_MAP];
        for (int y = 0; y < side; y++)
            memcpy(in + y * FA_AOI_STRIDE, aoi + y * side, (size_t)side * sizeof *in);
        const struct fa_expert_scale *s = &experts.per_scale[k];
        float *scratch = aligned_alloc(64, (experts.kind->scratch(s, w) + 15) / 16 * 64);
        const struct fa_expert_job job = { .n = 1, .landmark = { lmk }, .aoi = { in }, .map = { map }, .scratch = scratch };
        experts.kind->maps(&job, s, view, w);
        free(scratch);
        check_int("map", response->rows * response->cols, w * w);
        worst = fmax(worst, check_f32_rel("map", map, want, (size_t)(w * w), 1e-5));
        n++;
    }
    check_int("cases", n, 14);
    test_note("worst, of the map's maximum", worst, "");
}

static void pairs_share_a_job_in_the_frontal_view_only(void)
{
    const struct fa_expert_scale *s = &experts.per_scale[0];
    check_int("0", experts.kind->partner(s, 0, 0), 16);
    check_int("16", experts.kind->partner(s, 0, 16), 0);
    check_int("30", experts.kind->partner(s, 0, 30), -1);
    check_int("view 1", experts.kind->partner(s, 1, 0), -1);
}

int main(void)
{
    if (!setup()) {
        printf("SKIP cen: no CE-CLM test set beside the project\n");
        return 0;
    }
    RUN(maps_equal_the_references);
    RUN(pairs_share_a_job_in_the_frontal_view_only);
    fa_experts_close(&experts);
    fa_pack_close(&pack);
    return test_done();
}
