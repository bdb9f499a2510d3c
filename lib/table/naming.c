/* SPDX-License-Identifier: BSD-2-Clause
 * Names of a clip's outputs, and the text of its details file (spec/output 1, 9). */
#include "fa_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *fa_table_name(const char *input, int is_folder)
{
    char *real = is_folder ? realpath(input, NULL) : NULL;     /* "clip/." and "../clip" are named by what they are */
    char *path = real ? real : strdup(input);
    if (!path)
        return NULL;
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
        path[n - 1] = '\0';
    char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path, *dot = strrchr(last, '.');
    const int pattern = is_folder && !real && strchr(last, '%');       /* img%04d.png */
    if ((!is_folder || pattern) && dot && dot != last)
        *dot = '\0';
    if (*last == '\0' || strcmp(last, "-") == 0)
        last = "stdin";
    char *name = strdup(last);
    free(path);
    return name;
}

char *fa_table_details(const char *input, const float k[4], const char *csv, unsigned groups)
{
    char *full = input[0] == '/' ? NULL : realpath(input, NULL), *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    if (!f) {
        free(full);
        return NULL;
    }
    fprintf(f, "Input:%s\nInput full path:%s\n", input, full ? full : input);
    fprintf(f, "Camera parameters:%g,%g,%g,%g\n", (double)k[0], (double)k[1], (double)k[2], (double)k[3]);
    if (csv)
        fprintf(f, "Output csv:%s\nGaze: %d\nAUs: %d\nLandmarks 2D: %d\nLandmarks 3D: %d\nPose: %d\nShape parameters: %d\n", csv,
                !!(groups & FA_TABLE_GAZE), !!(groups & FA_TABLE_AUS), !!(groups & FA_TABLE_2D), !!(groups & FA_TABLE_3D),
                !!(groups & FA_TABLE_POSE), !!(groups & FA_TABLE_PDM));
    int bad = ferror(f);
    if (fclose(f) != 0 || bad) {
        free(text);
        text = NULL;
    }
    free(full);
    return text;
}
