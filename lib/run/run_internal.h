/* SPDX-License-Identifier: BSD-2-Clause
 * Between the parts of a run: how a pipe ended (ending.c), what is shown of it (progress.c), the pool that runs many (pool.c). */
#ifndef RUN_INTERNAL_H
#define RUN_INTERNAL_H

#include "fa_clock.h"
#include "fa_pipeline.h"
#include "fa_run.h"

void run_say(const struct fa_listener *to, enum fa_say kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* How a row of programs ended: exit status (fa_pipeline_verdict), the signal that killed the culprit (0: none), and one line that says
 * why (fresh memory; NULL when it went well or memory is short), and whether that was among what the stages said. Their words go to
 * the listener (NULL: none): of a failure only the culprit's, unless verbose. */
struct run_ending { int status, signal, told; char *reason; };
struct run_ending run_end(const struct fa_pipeline *p, const struct fa_args *args, int verbose, const struct fa_listener *to);
/* What a program that was killed could not take away: every output named in its arguments, plus ".tmpPID". */
void run_clear_up(const struct fa_pipeline *p, const struct fa_args *args);

/* Frames done, and of how many (0: unknown), from a row's last report. */
struct run_frames { unsigned long done, all; };
struct run_frames run_frames(const struct fa_pipeline *p);

/* Numbers for the line of progress over many clips. part: sum over running clips of the part that is done. */
struct run_count { int done, kept, failed, total; unsigned long frames; double part, since; };
void run_progress_one(const struct fa_listener *to, const char *clip, struct run_frames f, double since);
void run_progress_many(const struct fa_listener *to, const struct run_count *c);

/* --- The pool ------------------------------------------------------------------------------------------------------------------ */

/* A pipe that runs, or a place for one (job NULL): a whole clip's, or of a clip that is cut (cut not NULL) segment k's, or, k < 0, the
 * one that joins them. */
struct row {
    struct fa_job *job;
    struct cut *cut;
    int k;
    struct fa_pipeline pipe;
    struct fa_args args[FA_N_STAGE];
    double since, clock;                /* of its start: monotonic, and of the day */
    char node[16];                      /* where its stages stay; "": anywhere */
};
struct run {
    struct fa_jobs *jobs;
    const struct fa_run_options *o;
    const struct fa_listener *to;
    struct row *row;                    /* n_worker of them for clips and segments, the others for joining */
    struct pollfd *fds;
    struct cut **cut;                   /* clips that are cut and run, in the order of their begin */
    int n_worker, n_row, n_cut, running;
    int next;                           /* job to be looked at */
    int stale, closed, late;            /* jobs that did not fit the request; no further job is begun; because of the deadline */
    int worst;
    double drop_at, kill_at, shown;     /* 0: not */
    struct run_count count;
};
/* Starts row->args[0..n-1] for a job. FA_OK, or e is filled and the row is free again. */
int run_row_start(struct run *r, struct row *row, struct fa_job *job, int n, const struct fa_pipeline_ends *ends, struct fa_err *e);
void run_row_free(struct row *row);
/* A job is at its end: counted, logged, its failure kept. Takes end.reason. */
void run_close_job(struct run *r, struct fa_job *job, double since, double clock, struct run_ending end);

/* --- One clip in segments (cut.c) -------------------------------------------------------------------------------------------------- */

/* In how many segments a clip goes; 1: it is not cut. */
int cut_count(const struct fa_ask *ask, const char *input);
/* Begins a clip in n segments: the pipe that joins them, in a free row. The job is closed if that fails. */
void cut_open(struct run *r, struct fa_job *job, int n, struct row *join);
/* Begins the next segment of some clip in a worker's free row; 0: none may begin now. */
int cut_next(struct run *r, struct row *row);
/* A row of a cut has ended. */
void cut_ended(struct run *r, struct row *row);
/* Lets go what has been joined. */
void cut_tend(struct run *r);
struct run_frames cut_frames(const struct run *r, const struct cut *cut);

#endif
