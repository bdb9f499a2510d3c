/* SPDX-License-Identifier: BSD-2-Clause
 * The clock for durations (fa_clock.h). */
#include "fa_clock.h"

#include <time.h>

double fa_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
