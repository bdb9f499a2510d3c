/* SPDX-License-Identifier: BSD-2-Clause
 * Zero level of the intensities while a clip runs (spec/aus 7.3): the 10 % quantile of what was predicted so far. */
#include "fa_au.h"

void fa_au_online_correct(double *r, int n, struct fa_au_online *o, int success)
{
    enum { BINS = FA_AU_ONLINE_BINS, MIN_FRAMES = 10 };
    if (success) {
        o->n++;
        for (int k = 0; k < n; k++) {
            double bin = (r[k] + 3) * BINS / 8;
            o->count[k][bin >= BINS - 1 ? BINS - 1 : bin > 0 ? (int)bin : 0]++;
        }
    }
    const uint32_t cut = (uint32_t)(0.10 * o->n);
    for (int k = 0; k < n; k++) {
        double zero = 0;
        if (success && o->n >= MIN_FRAMES) {
            uint32_t sum = 0;
            int j = 0;
            while (j < BINS - 1 && (sum += o->count[k][j]) <= cut)
                j++;
            zero = -3 + j * (8.0 / BINS);
        }
        double v = r[k] - zero;
        r[k] = v < 0 ? 0 : v > 5 ? 5 : v;
    }
}
