/* SPDX-License-Identifier: BSD-2-Clause
 * What a finished clip looks like in one line: frames, success, confidence, active AUs, and what a reader should be warned of. */
#ifndef FA_CLIP_REPORT_H
#define FA_CLIP_REPORT_H

#include <stddef.h>
#include "fa_err.h"

enum fa_clip_warning {
    FA_WARN_FAILED = 1,             /* its provenance says that the clip failed; words says why */
    FA_WARN_NO_FACE = 2,            /* no row with success */
    FA_WARN_CONFIDENCE = 4,         /* mean confidence of the rows with success below 0.75 */
    FA_WARN_DROPPED = 8,            /* fewer frames than the container promises, or a step of time above 1.5 times the median */
    FA_WARN_VFR = 16,               /* steps of time that differ from the median by more than a tenth (and by 1.5 ms) */
    FA_WARN_CHANGED = 32,           /* the CSV is not the file that its provenance describes */
    FA_WARN_NO_PROVENANCE = 64      /* nothing is known but the CSV */
};
enum { FA_CLIP_WARNINGS = 7 };

struct fa_clip_report {
    char *clip;                     /* as it was given; without provenance the CSV's path */
    char *words;                    /* of a failure, else "" */
    size_t frames, success;         /* rows; rows with success 1 */
    double confidence;              /* mean over rows with success, 0 without any */
    int n_active; char active[512]; /* AUs with presence 1 in some row with success: "AU01 AU12" */
    unsigned warnings;
};

/* "no face", ... of bit i, 0 <= i < FA_CLIP_WARNINGS. */
const char *fa_clip_warning_text(int i);
/* csv need not exist when its .json does (a failed clip). FA_OK; FA_E_INPUT (neither is there), FA_E_FORMAT, FA_E_IO, FA_E_MEM. Close also
 * after an error. */
int fa_clip_report(struct fa_clip_report *r, const char *csv, struct fa_err *e);
void fa_clip_report_close(struct fa_clip_report *r);
/* The CSVs below a folder, each once: names that end in .csv, or in .json where that is a provenance file without a CSV (a failed clip); in the
 * order of their names. *list: n strings and the list, to be freed. FA_OK, FA_E_INPUT (no such folder), FA_E_MEM. */
int fa_clip_report_find(char ***list, size_t *n, const char *folder, struct fa_err *e);

#endif
