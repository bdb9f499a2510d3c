/* SPDX-License-Identifier: BSD-2-Clause
 * Models for tests: OpenFace's files in shared/openface-models, packed once into a cache below the build folder (never the
 * user's). Stage tests begin with
 *
 *     struct fa_pack pack;
 *     if (!test_model(&pack, "clnf")) { test_skip("no models"); return; } */
#ifndef TEST_MODELS_H
#define TEST_MODELS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dump.h"
#include "fa_import.h"
#include "fa_model.h"
#include "fa_test.h"

/* Opens the set "clnf" or "clm": 1 done, 0 absent (the caller skips). Files that are there but do not open end the program with a
 * failure, so that no test is skipped for a broken importer. */
static inline int test_model(struct fa_pack *pack, const char *set)
{
    char rel[200];
    struct fa_err e = { 0 };
    *pack = (struct fa_pack){ 0 };
    setenv("OPENFACE_MODELS_DIR", "build/models-cache", 0);
    snprintf(rel, sizeof rel, "openface-models/lib/local/LandmarkDetector/model/main_%s_general.txt", set);
    const char *list = shared_path(rel);
    if (!list || access(list, R_OK) != 0)
        return 0;
    if (fa_model_open(pack, list, &e) == FA_OK)
        return 1;
    printf("FAIL test_model: %s: %s\n", set, e.text);
    exit(1);
}

#endif
