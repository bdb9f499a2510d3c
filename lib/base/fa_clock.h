/* SPDX-License-Identifier: BSD-2-Clause
 * The clock for durations. */
#ifndef FA_CLOCK_H
#define FA_CLOCK_H

/* Seconds since some moment; never runs backwards. */
double fa_now(void);

#endif
