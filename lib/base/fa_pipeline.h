/* SPDX-License-Identifier: BSD-2-Clause
 * A row of child programs joined by pipes, as a shell would make it, but with each one's messages and end seen apart: what
 * fa needs to say which stage failed first, and to show one line of progress. Many rows can be served by one poll loop. */
#ifndef FA_PIPELINE_H
#define FA_PIPELINE_H

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>
#include "fa_err.h"

enum { FA_PIPELINE_MAX = 8, FA_PIPELINE_TEXT = 8192 };

struct fa_pipeline_stage {
    pid_t pid, was;                /* 0 once reaped; the same, kept */
    int status;                    /* exit status, 256 + signal, -1 while it runs */
    int err_fd;                    /* our end of its standard error, -1 once closed */
    char text[FA_PIPELINE_TEXT];   /* what it said, cut at the size; NUL-terminated */
    size_t len;
};
struct fa_pipeline {
    int n, running;
    struct fa_pipeline_stage stage[FA_PIPELINE_MAX];
    int report_fd;                 /* our end of the report pipe, -1 if none */
    char report[128];              /* last complete line read from it */
    char pending[128]; size_t n_pending;
};

/* What the row's ends are. in: descriptor that the first reads, -1: /dev/null; out: that the last writes, -1: our standard output. report:
 * the stage that gets the write end of a pipe as descriptor 3, for lines of progress; -1: none. The descriptors stay the caller's. */
struct fa_pipeline_ends { int in, out, report; };

/* Starts argv[0..n-1]. On failure everything already started is ended. FA_OK, FA_E_CHILD. */
int fa_pipeline_start(struct fa_pipeline *p, char *const *const argv[], int n, const struct fa_pipeline_ends *ends, struct fa_err *e);
/* For a caller's own poll: fills at most FA_PIPELINE_FDS entries, and returns how many; then, with what poll found in the same entries,
 * gathers text and reports, and reaps what ended. Serving returns the number of stages still running. */
enum { FA_PIPELINE_FDS = FA_PIPELINE_MAX + 1 };
int fa_pipeline_watch(const struct fa_pipeline *p, struct pollfd *pf);
int fa_pipeline_serve(struct fa_pipeline *p, const struct pollfd *pf);
/* Both with a poll of up to timeout_ms between, for a row by itself. */
int fa_pipeline_step(struct fa_pipeline *p, int timeout_ms);
/* Sends sig to every stage still running. */
void fa_pipeline_signal(struct fa_pipeline *p, int sig);
/* After the end. Exit status for the whole: 0; else 2 if any stage was used wrongly, 3 if any was killed or failed for this
 * machine's sake, else 1. culprit: the stage that explains it (the first one from the left that was killed by a signal other
 * than SIGPIPE, or that said something and failed), or -1. A stage that merely lost its reader (status 3 in silence) explains nothing. */
int fa_pipeline_verdict(const struct fa_pipeline *p, int *culprit);

#endif
