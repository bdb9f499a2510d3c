/* SPDX-License-Identifier: BSD-2-Clause
 * The stages of a clip's pipe, the options that fa passes on to them, and their command lines. */
#ifndef FA_STAGES_H
#define FA_STAGES_H

#include <stdio.h>

enum fa_stage_no { FA_DECODE, FA_DETECT, FA_LANDMARKS, FA_AUS, FA_CSV, FA_N_STAGE };
extern const char *const fa_stage_name[FA_N_STAGE];

/* How an option that is passed on counts in the request: as it is; as a number; as the contents of the file; only that it was given (a
 * place where something is written); not at all. */
enum fa_counts { FA_AS_IS, FA_NUMBER, FA_CONTENTS, FA_GIVEN, FA_NOT };
/* An option: --name of fa goes on as "to" to the stages of the mask (bit 1 << FA_DECODE ...), with its argument, or, with a suffix,
 * with ARGUMENT/NAME + suffix. */
struct fa_pass { const char *name, *to; int arg; unsigned stages; const char *suffix; enum fa_counts counts; };
enum { FA_PASS_MAX = 64 };
/* The table, *n rows; the first is --model. */
const struct fa_pass *fa_pass_table(int *n);
enum { FA_PASS_MODEL = 0 };

/* What is asked of the stages. value[i]: the argument of row i of the table, "" if it takes none; NULL: not given. */
struct fa_ask {
    const char *value[FA_PASS_MAX];
    int threads, decode_threads;        /* of each stage; of ffmpeg, 0: its own choice */
    int level;                          /* enum fa_msg_level */
    long segment_ms;                    /* cut long clips into segments of this length; 0: never */
    const char *node;                   /* number of the NUMA node to stay on; NULL: free */
};

/* The argument of the option called name; NULL: not given. */
const char *fa_ask_value(const struct fa_ask *ask, const char *name);

/* A command line that owns its words; v ends with NULL. failed: no memory at some point. */
enum { FA_ARGS_MAX = 96 };
struct fa_args { int n, failed; char *v[FA_ARGS_MAX + 1]; };
void fa_args_add(struct fa_args *a, const char *word);
void fa_args_close(struct fa_args *a);
/* Program and options that this stage gets for a clip called name; what is particular to one run is the caller's to add. */
void fa_stage_args(struct fa_args *a, enum fa_stage_no stage, const struct fa_ask *ask, const char *name);
/* The program beside the one that runs, or its plain name, for PATH, when there is none. */
void fa_args_program(struct fa_args *a, const char *program);

/* The three that track a segment of a clip (fa_segments.h), and the three that make a CSV of the segments' streams. */
void fa_segment_args(struct fa_args a[3], const struct fa_ask *ask, const char *input, const char *name, int k, int n);
void fa_join_args(struct fa_args a[3], const struct fa_ask *ask, const char *name, const char *csv, const char *request);

/* A word as a shell reads it, without a raw newline. */
void fa_quote(FILE *f, const char *word);
/* "a b | c d" and a newline. */
void fa_args_print(FILE *f, const struct fa_args *a, int n);
/* The five command lines of a whole clip. csv NULL: standard output; request NULL: no provenance; report: fa-landmarks tells progress. */
void fa_clip_args(struct fa_args a[FA_N_STAGE], const struct fa_ask *ask, const char *input, const char *name, const char *csv, const char *request,
                  int report);

#endif
