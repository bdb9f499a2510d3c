/* SPDX-License-Identifier: BSD-2-Clause
 * Clips to CSVs, many at once on one machine: what fa runs.
 *
 *      fa_jobs_open    which clips, and where the outputs of each go
 *      fa_request      what is asked of each clip, as one canonical text: kept in the provenance, compared when a run is resumed
 *      fa_run          a pipe of stages for each clip, N of them at a time, served by one poll loop
 *
 * Nothing here prints: words, warnings and progress go to a listener. */
#ifndef FA_RUN_H
#define FA_RUN_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include "fa_err.h"
#include "fa_stages.h"

/* --- What is wanted ------------------------------------------------------------------------------------------------------- */

enum fa_say {
    FA_SAY_WORDS,      /* what a clip's stages said, lines as they are */
    FA_SAY_ERROR, FA_SAY_WARN, FA_SAY_NOTE,
    FA_SAY_PROGRESS    /* the line of progress, to be rewritten in place; "" takes it away */
};
/* Who hears: text is without a newline but for FA_SAY_WORDS. progress 0: no line of progress is made. */
struct fa_listener { void (*say)(void *self, enum fa_say kind, const char *text); void *self; int progress; };

struct fa_run_options {
    struct fa_ask ask;                  /* what every clip's stages are asked */
    int workers;                        /* clips at a time, >= 1 */
    int fail_fast;                      /* no new clip after one that failed */
    int resume;                         /* leave clips alone whose CSV fits clip and request */
    double deadline, grace;             /* seconds after the start from which no new clip is taken, 0: none; that running clips get after SIGTERM */
    const char *joblog;                 /* file that gets a line a clip; NULL: none */
    const char *request;                /* fa_request's; NULL: no provenance */
    const volatile sig_atomic_t *stop;  /* the signal that came, 0: none */
};

/* --- Clips ---------------------------------------------------------------------------------------------------------------- */

enum fa_job_state { FA_JOB_WAITS, FA_JOB_RUNS, FA_JOB_DONE, FA_JOB_KEPT /* was done before */, FA_JOB_FAILED, FA_JOB_DROPPED };
struct fa_job {
    const char *input;
    char *name, *csv;                   /* of its outputs ("sub/clip" below a tree); csv NULL: standard output */
    enum fa_job_state state;
    int status;                         /* exit status, when it failed */
    char *reason;                       /* one line, when it failed */
    unsigned long frames;
};
struct fa_jobs { struct fa_job *job; int n, in_folder; const char *out, *tree; char *list; };

/* Where clips and their outputs are. inputs: n_input names; list: a file of more names ("-": standard input), one a line, or ended by
 * a NUL each with nul set; NULL: none. out: NULL (standard output, one clip), a file (one clip), or a folder (exists, or ends in /).
 * tree: NULL, or the folder below which a clip's own folder is kept below out. FA_OK; FA_E_ARG (two clips would write one file, several
 * clips and no folder, a clip not below tree), FA_E_INPUT (the list), FA_E_MEM. Close also after a failure. */
int fa_jobs_open(struct fa_jobs *jobs, const char *const *inputs, int n_input, const char *list, int nul, const char *out, const char *tree,
                 struct fa_err *e);
void fa_jobs_close(struct fa_jobs *jobs);
/* Makes the folders of the outputs (those of ask's --hog too), and sees that files can be made there. FA_OK, FA_E_IO. */
int fa_jobs_folders(const struct fa_jobs *jobs, const struct fa_ask *ask, struct fa_err *e);

/* --- Resuming ------------------------------------------------------------------------------------------------------------- */

/* "fa VERSION model=HASH --option=value ...": everything that decides on a clip's outputs, in one order and spelling, and nothing else
 * (no folder, thread, worker or placement). Fresh memory; NULL and e filled: FA_E_INPUT (--median's file), FA_E_MEM. */
char *fa_request(const struct fa_ask *ask, uint64_t model_hash, struct fa_err *e);
/* 1: the job's outputs are complete and fit clip and request. 0: not; e says what does not fit (FA_E_INPUT), or is FA_OK when there
 * is nothing yet. */
int fa_job_current(const struct fa_job *job, const char *request, struct fa_err *e);
/* Takes away what killed runs left beside the outputs of these jobs: NAME.csv.tmpPID and the like. Returns the number of files. */
int fa_jobs_sweep(const struct fa_jobs *jobs);

/* --- Job log: GNU parallel's columns ----------------------------------------------------------------------------------------- */

struct fa_joblog_entry { int seq, status, signal; double start, seconds; unsigned long long received; const char *command; };
/* Appends a line, and the head line to an empty file, as one write under a lock: several programs may share a log. received: bytes of
 * the CSV. A newline in command stays inside quotes ($'..'). FA_OK, FA_E_IO, FA_E_MEM. */
int fa_joblog_put(const char *path, const struct fa_joblog_entry *entry, struct fa_err *e);

/* --- Running ---------------------------------------------------------------------------------------------------------------- */

/* All jobs. Returns the worst exit status: 0, 1 a clip is bad, 2 wrong use (then no further clip is begun, they would all end so), 3
 * this machine, also for clips that a deadline left. After stop: whatever; the jobs tell what was dropped. */
int fa_run(struct fa_jobs *jobs, const struct fa_run_options *o, const struct fa_listener *to);

#endif
