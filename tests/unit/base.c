/* SPDX-License-Identifier: BSD-2-Clause
 * base: errors, arena, files, child processes. */
#include "fa_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fa_arena.h"
#include "fa_child.h"
#include "fa_err.h"
#include "fa_file.h"

static void error_codes_map_to_the_four_exit_statuses(void)
{
    static const struct { int code, want; } t[] = { { FA_OK, 0 }, { FA_EOF, 0 }, { FA_E_FORMAT, 1 }, { FA_E_TRUNC, 1 }, { FA_E_VERSION, 1 },
        { FA_E_INPUT, 1 }, { FA_E_ARG, 2 }, { FA_E_IO, 3 }, { FA_E_MEM, 3 }, { FA_E_MODEL, 3 }, { FA_E_CHILD, 3 }, { FA_E_PIPE, 3 } };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        check_int("status", fa_err_status(t[i].code), t[i].want);
}

static void arena_is_aligned_and_refuses_when_full(void)
{
    struct fa_arena a;
    struct fa_err e;
    check_int("open", fa_arena_open(&a, 1000, &e), FA_OK);
    unsigned char *p = fa_arena_take(&a, 1), *q = fa_arena_take(&a, 65);
    CHECK(p && q && (uintptr_t)q % 64 == 0 && q - p == 64);
    size_t mark = fa_arena_mark(&a);
    CHECK(fa_arena_take(&a, 2000) == NULL);
    CHECK(fa_arena_take(&a, SIZE_MAX) == NULL);
    CHECK(fa_arena_take(&a, 64) != NULL);
    fa_arena_release(&a, mark);
    check_int("released", fa_arena_mark(&a), mark);
    fa_arena_close(&a);
}

static void output_takes_its_name_only_when_committed(void)
{
    struct fa_out o;
    struct fa_err e;
    char dir[] = "/tmp/fa-test.XXXXXX", path[64], partial[80];
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/x", dir);
    snprintf(partial, sizeof partial, "%s.partial", path);
    check_int("open", fa_out_open(&o, path, &e), FA_OK);
    fputs("half", o.f);
    CHECK(access(path, F_OK) != 0);
    fa_out_abandon(&o, 1);
    CHECK(access(path, F_OK) != 0 && access(partial, F_OK) == 0);
    check_int("open", fa_out_open(&o, path, &e), FA_OK);
    fputs("whole", o.f);
    check_int("commit", fa_out_commit(&o, &e), FA_OK);
    struct fa_map m;
    check_int("map", fa_map_open(&m, path, &e), FA_OK);
    CHECK(m.len == 5 && memcmp(m.data, "whole", 5) == 0);
    fa_map_close(&m);
    unlink(path);
    unlink(partial);
    rmdir(dir);
    check_int("no folder", fa_out_open(&o, path, &e), FA_E_IO);
}

static void child_output_and_status_come_back(void)
{
    struct fa_err e;
    int st = -1;
    char *err = NULL;
    char *argv[] = { "sh", "-c", "echo out; echo err >&2; exit 7", NULL };
    char *out = fa_child_output(argv, 100, &st, &err, &e);
    check_str("stdout", out, "out\n");
    check_str("stderr", err, "err\n");
    check_int("status", st, 7);
    free(out);
    free(err);
    char *killed[] = { "sh", "-c", "kill -9 $$", NULL };
    free(fa_child_output(killed, 100, &st, NULL, &e));
    check_int("killed", st, 256 + 9);
    char *flood[] = { "head", "-c", "5000", "/dev/zero", NULL };
    CHECK(fa_child_output(flood, 100, &st, NULL, &e) == NULL);
    /* A source where others are parked: 10 and 11 were once overwritten. */
    int p[2], high = -1;
    CHECK(fa_pipe(p, &e) == FA_OK && write(p[1], "in", 2) == 2 && (high = fcntl(p[0], F_DUPFD_CLOEXEC, 11)) >= 11);
    close(p[0]);
    close(p[1]);
    char *reader[] = { "sh", "-c", "cat <&4", NULL };
    out = fa_child_output_fd(reader, high, 4, 0, 100, &st, NULL, &e);
    check_str("descriptor 4", out, "in");
    free(out);
    close(high);
    char *none[] = { "no-such-program-fa", NULL };
    CHECK(fa_child_output(none, 100, &st, NULL, &e) == NULL);
    check_int("missing", e.code, FA_E_CHILD);
}

static void a_child_ends_when_nobody_waits_for_us_any_more(void)
{
    struct fa_err e = { 0 };
    int st = 0, p[2];
    char *sleeper[] = { "sh", "-c", "exec sleep 20", NULL };
    const time_t t = time(NULL);
    CHECK(fa_pipe(p, &e) == FA_OK);
    close(p[0]);
    CHECK(fa_child_output_fd(sleeper, -1, 0, p[1], 100, &st, NULL, &e) == NULL);
    check_int("code", e.code, FA_E_PIPE);
    check_int("killed", st, 256 + 9);
    CHECK(time(NULL) - t < 5);
    close(p[1]);
}

int main(void)
{
    RUN(error_codes_map_to_the_four_exit_statuses);
    RUN(arena_is_aligned_and_refuses_when_full);
    RUN(output_takes_its_name_only_when_committed);
    RUN(child_output_and_status_come_back);
    RUN(a_child_ends_when_nobody_waits_for_us_any_more);
    return test_done();
}
