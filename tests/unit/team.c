/* SPDX-License-Identifier: BSD-2-Clause
 * The thread team: every item once, whatever the number of threads, through many loops of all lengths. */
#include "fa_test.h"

#include <stdatomic.h>
#include <string.h>

#include "fa_team.h"

enum { MOST = 300 };
struct counts { atomic_int n[MOST]; int sum[MOST], size; atomic_flag busy[8]; atomic_int strange; };      /* busy: a worker is one thread */

static void count(void *arg, int i, int worker)
{
    struct counts *c = arg;
    if (worker < 0 || worker >= c->size || atomic_flag_test_and_set(&c->busy[worker]))
        atomic_fetch_add(&c->strange, 1);
    int s = 0;
    for (int k = 0; k < 100 + 37 * (i % 5); k++)
        s += k ^ i;
    c->sum[i] = s;
    atomic_fetch_add(&c->n[i], 1);
    atomic_flag_clear(&c->busy[worker]);
}

static void every_item_runs_exactly_once(void)
{
    static const int threads[] = { 1, 2, 3, 8 };
    for (int k = 0; k < 4; k++) {
        struct fa_team *t;
        struct fa_err e;
        check_int("open", fa_team_open(&t, threads[k], &e), FA_OK);
        check_int("size", fa_team_size(t), threads[k]);
        for (int loop = 0; loop < 3000; loop++) {
            struct counts c;
            const int n = loop % 7 == 0 ? 0 : loop % 11 == 0 ? 1 : loop % MOST;
            memset(&c, 0, sizeof c);
            c.size = threads[k];
            fa_team_run(t, count, &c, n);
            for (int i = 0; i < MOST; i++)
                if (c.n[i] != (i < n))
                    test_fail(__FILE__, __LINE__, "%d threads, loop %d: item %d of %d ran %d times", threads[k], loop, i, n, c.n[i]);
            check_int("one thread a worker", c.strange, 0);
        }
        fa_team_close(t);
    }
}

static void teams_may_be_closed_unused(void)
{
    struct fa_err e;
    for (int i = 0; i < 50; i++) {
        struct fa_team *t;
        check_int("open", fa_team_open(&t, 4, &e), FA_OK);
        fa_team_close(t);
    }
    fa_team_close(NULL);
}

static void a_team_of_one_is_no_team(void)
{
    struct fa_team *t;
    struct fa_err e;
    check_int("one", fa_team_open(&t, 1, &e), FA_OK);
    CHECK(t == NULL);
    check_int("none", fa_team_open(&t, 0, &e), FA_E_ARG);
    check_int("too many", fa_team_open(&t, 1025, &e), FA_E_ARG);
    CHECK(t == NULL);
}

int main(void)
{
    RUN(every_item_runs_exactly_once);
    RUN(teams_may_be_closed_unused);
    RUN(a_team_of_one_is_no_team);
    return test_done();
}
