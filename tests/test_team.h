/* SPDX-License-Identifier: BSD-2-Clause
 * A team for tests; fa_team_close it. */
#ifndef TEST_TEAM_H
#define TEST_TEAM_H

#include <stdio.h>
#include <stdlib.h>

#include "fa_team.h"

static inline struct fa_team *test_team(int threads)
{
    struct fa_team *t;
    struct fa_err e = { 0 };
    if (fa_team_open(&t, threads, &e) == FA_OK)
        return t;
    printf("FAIL test_team: %s\n", e.text);
    exit(1);
}

#endif
