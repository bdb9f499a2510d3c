/* SPDX-License-Identifier: BSD-2-Clause
 * base: a row of children, and who is to blame. The stages are shell one-liners. */
#include "fa_test.h"

#include <signal.h>
#include <string.h>

#include "fa_pipeline.h"

static const struct fa_pipeline_ends none = { -1, -1, -1 }, first_reports = { -1, -1, 0 };

static char *sh(char *argv[4], const char *cmd)
{
    argv[0] = "sh";
    argv[1] = "-c";
    argv[2] = (char *)cmd;
    argv[3] = NULL;
    return argv[0];
}

static void the_stage_that_explains_a_failure_is_found(void)
{
    static const struct { const char *why, *cmd[3]; int status, culprit; } t[] = {
        { "all well", { "echo a", "cat", "cat >/dev/null" }, 0, -1 },
        { "bad input is told by the first, repeated by the others", { "echo bad >&2; exit 1", "exit 1", "exit 1" }, 1, 0 },
        { "wrong use in the last beats the lost readers", { "exit 3", "exit 3", "echo use >&2; exit 2" }, 2, 2 },
        { "silent 3 is a lost reader", { "exit 3", "echo no model >&2; exit 3", "echo empty >&2; exit 1" }, 3, 1 },
        { "a killed stage is the cause", { "exec sleep 0.1", "kill -9 $$", "cat >/dev/null; echo cut >&2; exit 1" }, 3, 1 },
        { "SIGPIPE is not a cause", { "exec yes", "head -1", "cat >/dev/null" }, 0, -1 },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        static struct fa_pipeline p;
        struct fa_err e;
        char *argv[3][4];
        char *const *row[3];
        int culprit;
        for (int k = 0; k < 3; k++) {
            sh(argv[k], t[i].cmd[k]);
            row[k] = argv[k];
        }
        check_int(t[i].why, fa_pipeline_start(&p, row, 3, &none, &e), FA_OK);
        while (fa_pipeline_step(&p, -1) > 0) { }
        check_int(t[i].why, fa_pipeline_verdict(&p, &culprit), t[i].status);
        check_int(t[i].why, culprit, t[i].culprit);
    }
}

static void reports_and_messages_are_gathered(void)
{
    static struct fa_pipeline p;
    struct fa_err e;
    char *a[4], *b[4];
    char *const row_a[] = { sh(a, "echo 1 10 >&3; echo 2 10 >&3; head -c 20000 /dev/zero | tr '\\0' x >&2"), a[1], a[2], NULL };
    char *const row_b[] = { sh(b, "cat"), b[1], b[2], NULL };
    char *const *row[] = { row_a, row_b };
    check_int("start", fa_pipeline_start(&p, row, 2, &first_reports, &e), FA_OK);
    while (fa_pipeline_step(&p, -1) > 0) { }
    check_str("last report", p.report, "2 10");
    check_int("text is cut, not blocking", p.stage[0].len, FA_PIPELINE_TEXT - 1);
}

static void a_stage_that_cannot_start_ends_the_others(void)
{
    static struct fa_pipeline p;
    struct fa_err e;
    char *a[4];
    char *const row_a[] = { sh(a, "exec sleep 100"), a[1], a[2], NULL };
    char *const row_b[] = { "no-such-program-fa", NULL };
    char *const *row[] = { row_a, row_b };
    check_int("start", fa_pipeline_start(&p, row, 2, &none, &e), FA_E_CHILD);
    check_int("none left", p.running, 0);
    check_int("ended", p.stage[0].status, 256 + SIGTERM);
}

int main(void)
{
    RUN(the_stage_that_explains_a_failure_is_found);
    RUN(reports_and_messages_are_gathered);
    RUN(a_stage_that_cannot_start_ends_the_others);
    return test_done();
}
