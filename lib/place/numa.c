/* SPDX-License-Identifier: BSD-2-Clause
 * The only file that knows libnuma, and of it only the system calls. Policies are preferences, never strict: a node that runs
 * out of memory gets its neighbour's instead of having the kernel kill someone. Where they may not be set (containers often
 * forbid it), memory still comes from the node of the CPU that first touches it. */
#include "place_internal.h"

#include <numaif.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MASK_BITS = 1024, LONG_BITS = 8 * sizeof(unsigned long), MASK_LONGS = MASK_BITS / LONG_BITS };

int fa_numa_enabled(void)
{
    const char *use = getenv("USE_NUMA");
    return !(use && strcmp(use, "0") == 0) && access(PLACE_ROOT "/devices/system/node/online", R_OK) == 0;
}

static int set_bit(unsigned long mask[MASK_LONGS], int node)
{
    if (node < 0 || node >= MASK_BITS)
        return 0;
    memset(mask, 0, MASK_LONGS * sizeof *mask);
    mask[node / LONG_BITS] = 1UL << (node % LONG_BITS);
    return 1;
}

void place_prefer(int node)
{
    unsigned long mask[MASK_LONGS];
    if (set_bit(mask, node))
        set_mempolicy(MPOL_PREFERRED, mask, MASK_BITS + 1);
}

int fa_memory_nodes(int *node, int max)
{
    unsigned long mask[MASK_LONGS];
    int found = fa_numa_enabled() ? place_memory_nodes(node, max, PLACE_ROOT) : 0, n = 0;
    if (get_mempolicy(NULL, mask, MASK_BITS, NULL, MPOL_F_MEMS_ALLOWED) != 0)
        memset(mask, 0xff, sizeof mask);         /* not told: then whatever there is */
    for (int i = 0; i < found; i++)
        if (node[i] < MASK_BITS && (mask[node[i] / LONG_BITS] >> (node[i] % LONG_BITS) & 1))
            node[n++] = node[i];
    if (n == 0 && max > 0)
        node[n++] = 0;
    return n;
}

void fa_memory_prefer(void *start, size_t len, int node)
{
    unsigned long mask[MASK_LONGS];
    if (fa_numa_enabled() && set_bit(mask, node))
        mbind(start, len, MPOL_PREFERRED, mask, MASK_BITS + 1, 0);
}

double fa_memory_share(const void *start, size_t len, int node)
{
    enum { BATCH = 512 };
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), n = (len + page - 1) / page;
    size_t here = 0;
    if (!fa_numa_enabled() || n == 0)
        return 1;
    for (size_t i = 0; i < n; i += BATCH) {
        void *at[BATCH];
        int where[BATCH];
        size_t k = n - i < BATCH ? n - i : BATCH;
        for (size_t j = 0; j < k; j++)
            at[j] = (char *)start + (i + j) * page;
        if (move_pages(0, k, at, NULL, where, 0) != 0)
            return 1;
        for (size_t j = 0; j < k; j++)
            here += where[j] == node;
    }
    return (double)here / (double)n;
}
