/* SPDX-License-Identifier: BSD-2-Clause
 * A few threads that share out the items of short loops (some 100 microseconds a loop), thousands of times. The caller works
 * too and never waits for a helper that has not begun: on a busy machine, where a helper may not run for milliseconds, the
 * loop simply takes as long as alone. OpenMP's barriers wait for every thread, spinning, which costs a loaded machine many times
 * the work itself. */
#ifndef FA_TEAM_H
#define FA_TEAM_H

#include "fa_err.h"

struct fa_team;

/* A program has one team at most and hands it down; NULL stands for the caller alone everywhere. Loops do not nest: what runs as an
 * item is handed NULL. */
/* A team of threads (the caller and threads - 1 helpers, which sleep until there is work), 1 .. 1024; *t is NULL for one.
 * FA_OK, FA_E_ARG, FA_E_MEM. */
int fa_team_open(struct fa_team **t, int threads, struct fa_err *e);
/* NULL is allowed. */
void fa_team_close(struct fa_team *t);
int fa_team_size(const struct fa_team *t);
/* item(arg, i, worker) for 0 <= i < n, each once, in any order; returns when all are done. worker, 0 .. size - 1, is the thread
 * that runs it, for working memory of its own. Not to be called by two threads at once, nor from an item. */
typedef void fa_team_item(void *arg, int i, int worker);
void fa_team_run(struct fa_team *t, fa_team_item *item, void *arg, int n);

#endif
