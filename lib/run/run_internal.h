/* SPDX-License-Identifier: BSD-2-Clause
 * Between the parts of a run: how a pipe ended (ending.c), what is shown of it (progress.c), the pool that runs many (pool.c). */
#ifndef RUN_INTERNAL_H
#define RUN_INTERNAL_H

#include "fa_pipeline.h"
#include "fa_run.h"

double run_now(void);
void run_say(const struct fa_listener *to, enum fa_say kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* How a row of programs ended: exit status (fa_pipeline_verdict), the signal that killed the culprit (0: none), and one line that says
 * why (fresh memory; NULL when it went well or memory is short). What its stages said goes to the listener: of a failure only the
 * culprit's words, unless verbose. name: argv[0] of each without its folder. */
struct run_ending { int status, signal; char *reason; };
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

#endif
