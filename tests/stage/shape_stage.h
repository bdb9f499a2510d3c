/* SPDX-License-Identifier: BSD-2-Clause
 * What the stage tests of shapes and poses share: the models, the dumps, and dumped arrays as padded planes. */
#ifndef SHAPE_STAGE_H
#define SHAPE_STAGE_H

#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "fa_shape.h"
#include "fa_test.h"
#include "test_models.h"

static const char *const dump_case[] = { "default_wmv", "avi_2015", "image_sample3" };
enum { N_DUMP = 3, N_PART = 5, PAD_POINTS = FA_PDM_MAX_POINTS };
static const struct { const char *part, *prefix; } part_model[N_PART] = {
    { "main", "main" }, { "inner", "part/0" }, { "left_eye_28", "part/1" }, { "right_eye_28", "part/2" }, { "au", "au" },
};

static struct fa_pack shape_pack;
static struct fa_pdm shape_pdm[N_PART];
static struct dump shape_dump[N_DUMP];

/* 1 when models and all dumps are there; otherwise the running test is skipped. */
static int shape_open(void)
{
    static int is_open;
    struct fa_err e = { 0 };
    if (is_open)
        return 1;
    if (!test_model(&shape_pack, "clnf")) {
        test_skip("no models");
        return 0;
    }
    for (int i = 0; i < N_PART; i++)
        check_int(part_model[i].prefix, fa_pdm_attach(&shape_pdm[i], &shape_pack, part_model[i].prefix, &e), FA_OK);
    for (int i = 0; i < N_DUMP; i++)
        if (!dump_open(&shape_dump[i], dump_case[i])) {
            test_skip("no dumps");
            return 0;
        }
    is_open = 1;
    return 1;
}

static inline const struct fa_pdm *pdm_of(const struct dump_row *r)
{
    for (int i = 0; i < N_PART; i++)
        if (strcmp(part_model[i].part, r->part) == 0)
            return &shape_pdm[i];
    return NULL;
}

/* Whether a row's name ends with this word after any prefixes ("face0.h00.rigid.J" ends with "J"). */
static inline int row_is(const struct dump_row *r, const char *word)
{
    const size_t n = strlen(r->name), k = strlen(word);
    return n >= k && strcmp(r->name + n - k, word) == 0 && (n == k || r->name[n - k - 1] == '.');
}

/* x0.. y0.. (z0..) of n points as planes of np, and back. */
static inline void to_planes(float *out, const float *in, int n, int np, int planes)
{
    memset(out, 0, (size_t)(np * planes) * sizeof *out);
    for (int k = 0; k < planes; k++)
        memcpy(out + k * np, in + k * n, (size_t)n * sizeof *out);
}
static inline void from_planes(float *out, const float *in, int n, int np, int planes)
{
    for (int k = 0; k < planes; k++)
        memcpy(out + k * n, in + k * np, (size_t)n * sizeof *out);
}

static inline struct fa_params params_of(const struct dump_row *global, const struct dump_row *local)
{
    struct fa_params p = { 0 };
    memcpy(&p.g, dump_f32(global), sizeof p.g);
    if (local)
        memcpy(p.q, dump_f32(local), local->n * sizeof *p.q);
    return p;
}

/* How many arrays were compared, how many were equal to the last bit, and the largest error seen. */
struct tally { int n, exact; double worst; };
static inline void tally_add(struct tally *t, int exact, double error)
{
    t->n++;
    t->exact += exact;
    if (error > t->worst)
        t->worst = error;
}
static inline int same_bits(const float *a, const float *b, size_t n) { return memcmp(a, b, n * sizeof *a) == 0; }
static inline void tally_note(const struct tally *t, const char *what, const char *unit)
{
    char text[120];
    snprintf(text, sizeof text, "%s: bit-exact of %d", what, t->n);
    test_note(text, t->exact, "arrays");
    snprintf(text, sizeof text, "%s: largest error", what);
    test_note(text, t->worst, unit);
}

#endif
