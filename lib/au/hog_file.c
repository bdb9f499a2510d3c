/* SPDX-License-Identifier: BSD-2-Clause
 * OpenFace's .hog file (spec/aus 9): rows, columns, channels, success as +-1, then the descriptor; little-endian. */
#include "au_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fa_le.h"
#include "fa_table.h"

static int is_folder(const char *path)
{
    struct stat st;
    size_t n = strlen(path);
    return (n > 0 && path[n - 1] == '/') || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

int hog_file_open(struct hog_file *h, const char *where, const char *clip_name, struct fa_err *e)
{
    char *path = NULL, *name = NULL;
    int r = FA_OK;
    if (!is_folder(where)) {
        if (h->n_file > 0)
            return fa_fail(e, FA_E_ARG, "--hog %s: one file cannot take several clips; name a folder", where);
        path = strdup(where);
    } else if ((r = fa_mkdirs(where, e)) == FA_OK) {
        name = fa_table_name(clip_name, is_folder(clip_name));
        if (name && asprintf(&path, "%s/%s.hog", where, name) < 0)
            path = NULL;
    }
    if (r == FA_OK)
        r = path ? fa_out_open(&h->out, path, e) : fa_fail(e, FA_E_MEM, "out of memory");
    h->open = r == FA_OK;
    h->n_file += h->open;
    free(path);
    free(name);
    return r;
}

int hog_file_put(struct hog_file *h, const float hog[FA_N_HOG], int success, struct fa_err *e)
{
    unsigned char rec[16 + 4 * FA_N_HOG];
    fa_put_u32(rec, FA_AU_CELLS);
    fa_put_u32(rec + 4, FA_AU_CELLS);
    fa_put_u32(rec + 8, FA_N_HOG / (FA_AU_CELLS * FA_AU_CELLS));
    fa_put_f32(rec + 12, success ? 1 : -1);
    for (int i = 0; i < FA_N_HOG; i++)
        fa_put_f32(rec + 16 + 4 * i, hog[i]);
    return fwrite(rec, 1, sizeof rec, h->out.f) == sizeof rec ? FA_OK : fa_fail_errno(e, FA_E_IO, "%s", h->out.path);
}

int hog_file_commit(struct hog_file *h, struct fa_err *e)
{
    h->open = 0;
    return fa_out_commit(&h->out, e);
}

void hog_file_abandon(struct hog_file *h)
{
    if (h->open)
        fa_out_abandon(&h->out, 1);
    h->open = 0;
}
