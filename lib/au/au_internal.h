/* SPDX-License-Identifier: BSD-2-Clause
 * Inside the room: counters of the medians, the .hog file. */
#ifndef FA_AU_INTERNAL_H
#define FA_AU_INTERNAL_H

#include "fa_au.h"
#include "fa_file.h"

/* Counter i, which is value * bins + bin; wide: m->wide, or a constant that is the same. */
static inline uint32_t median_count(const struct fa_median *m, size_t i, int wide)
{
    return wide ? ((const uint32_t *)m->count)[i] : ((const uint16_t *)m->count)[i];
}
static inline void median_put_count(struct fa_median *m, size_t i, int wide, uint32_t n)
{
    if (wide)
        ((uint32_t *)m->count)[i] = n;
    else
        ((uint16_t *)m->count)[i] = (uint16_t)n;
}
/* From now on a counter may be as large as n. */
void median_make_room(struct fa_median *m, uint32_t n);

/* OpenFace's .hog file (spec/aus 9): a record a row, no header. */
struct hog_file { struct fa_out out; int open, n_file; };
/* where: a file, which takes one clip only, or a folder (there already, or with a slash at its end) that gets NAME.hog after the
 * clip's input. FA_OK, FA_E_IO, FA_E_ARG (a second clip for one file). */
int hog_file_open(struct hog_file *h, const char *where, const char *clip_name, struct fa_err *e);
int hog_file_put(struct hog_file *h, const float hog[FA_N_HOG], int success, struct fa_err *e);
int hog_file_commit(struct hog_file *h, struct fa_err *e);
void hog_file_abandon(struct hog_file *h);

#endif
