/* SPDX-License-Identifier: BSD-2-Clause
 * The plan of workers: a pure function of the machine's shape, so that it can be tested without the machine. */
#include "fa_place.h"

void fa_place_plan(struct fa_place_slot *slot, int n_worker, const struct fa_topology *t)
{
    int count[FA_MAX_NODE] = { 0 }, share[FA_MAX_NODE] = { 0 }, given[FA_MAX_NODE] = { 0 };
    for (int i = 0; i < t->n; i++)
        count[i] = fa_cpus_count(&t->node[i].cpus);
    /* cpus / (workers + 1) is largest: compared crosswise, without division. */
    for (int w = 0; w < n_worker; w++) {
        int best = 0;
        for (int i = 1; i < t->n; i++)
            if ((long)count[i] * (share[best] + 1) > (long)count[best] * (share[i] + 1))
                best = i;
        slot[w].node = best;
        share[best]++;
    }
    for (int w = 0; w < n_worker; w++) {
        const int i = slot[w].node, k = given[i]++, n = count[i], m = share[i];
        slot[w].node = t->node[i].id;
        if (m > n)
            slot[w].cpus = t->node[i].cpus;
        else
            fa_cpus_slice(&slot[w].cpus, &t->node[i].cpus, (int)((long)k * n / m), (int)((long)(k + 1) * n / m));
    }
}
