/* SPDX-License-Identifier: BSD-2-Clause
 * The thread team: every item once, whatever the number of threads, through many loops of all lengths. */
#include "fa_test.h"

#include <stdatomic.h>
#include <string.h>

#include "fa_team.h"

enum { MOST = 300 };
struct counts { atomic_int n[MOST]; int sum[MOST]; };

static void count(void *arg, int i)
{
    struct counts *c = arg;
    int s = 0;
    for (int k = 0; k < 100 + 37 * (i % 5); k++)
        s += k ^ i;
    c->sum[i] = s;
    atomic_fetch_add(&c->n[i], 1);
}

static void every_item_runs_exactly_once(void)
{
    static const int threads[] = { 2, 3, 8 };
    for (int k = 0; k < 3; k++) {
        struct fa_team *t;
        struct fa_err e;
        check_int("open", fa_team_open(&t, threads[k], &e), FA_OK);
        for (int loop = 0; loop < 3000; loop++) {
            struct counts c;
            const int n = loop % 7 == 0 ? 0 : loop % 11 == 0 ? 1 : loop % MOST;
            memset(&c, 0, sizeof c);
            fa_team_run(t, count, &c, n);
            for (int i = 0; i < MOST; i++)
                if (c.n[i] != (i < n))
                    test_fail(__FILE__, __LINE__, "%d threads, loop %d: item %d of %d ran %d times", threads[k], loop, i, n, c.n[i]);
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

static void a_team_has_two_threads_or_more(void)
{
    struct fa_team *t;
    struct fa_err e;
    check_int("one", fa_team_open(&t, 1, &e), FA_E_ARG);
    check_int("none", fa_team_open(&t, 0, &e), FA_E_ARG);
    check_int("too many", fa_team_open(&t, 1025, &e), FA_E_ARG);
    CHECK(t == NULL);
}

int main(void)
{
    RUN(every_item_runs_exactly_once);
    RUN(teams_may_be_closed_unused);
    RUN(a_team_has_two_threads_or_more);
    return test_done();
}
