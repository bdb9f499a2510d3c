/* SPDX-License-Identifier: BSD-2-Clause
 * Fuzzer: model lists. The input stands for every list a plan may lead to: main list, second level, a part's and MTCNN's. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "import_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64];

static void clean(void)
{
    static const char *const name[] = { "mtcnn_detector/MTCNN_detector.txt", "mtcnn_detector", "list.txt", "" };
    char path[160];
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, name[i]);
        if (unlink(path) != 0)
            rmdir(path);
    }
}

static void put(const char *name, const uint8_t *data, size_t size)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fa_plan p;
    struct fa_err e;
    char path[160];
    if (!dir[0]) {
        snprintf(dir, sizeof dir, "/tmp/fa-fuzz-lists.%ld", (long)getpid());
        snprintf(path, sizeof path, "%s/mtcnn_detector", dir);
        if (fa_mkdirs(path, &e) != FA_OK)
            abort();
        atexit(clean);
    }
    put("list.txt", data, size);
    put("mtcnn_detector/MTCNN_detector.txt", data, size);
    snprintf(path, sizeof path, "%s/list.txt", dir);
    fa_plan_read(&p, path, &e);
    fa_plan_free(&p);
    return 0;
}
