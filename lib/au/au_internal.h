/* SPDX-License-Identifier: BSD-2-Clause
 * Inside the room: the .hog file. */
#ifndef FA_AU_INTERNAL_H
#define FA_AU_INTERNAL_H

#include "fa_au.h"
#include "fa_file.h"

/* OpenFace's .hog file (spec/aus 9): a record a row, no header. */
struct hog_file { struct fa_out out; int open, n_file; };
/* where: a file, which takes one clip only, or a folder (there already, or with a slash at its end) that gets NAME.hog after the
 * clip's input. FA_OK, FA_E_IO, FA_E_ARG (a second clip for one file). */
int hog_file_open(struct hog_file *h, const char *where, const char *clip_name, struct fa_err *e);
int hog_file_put(struct hog_file *h, const float hog[FA_N_HOG], int success, struct fa_err *e);
int hog_file_commit(struct hog_file *h, struct fa_err *e);
void hog_file_abandon(struct hog_file *h);

#endif
