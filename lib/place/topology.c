/* SPDX-License-Identifier: BSD-2-Clause
 * The machine as far as this process may use it, and binding to a part of it. */
#include "place_internal.h"

#include <sched.h>
#include <string.h>

/* Leaves what is allowed: nodes that are left without a CPU go, CPUs that no node claims join the first one. */
static void restrict_to(struct fa_topology *t, const struct fa_cpus *allowed)
{
    struct fa_cpus left = *allowed;
    int n = 0;
    for (int i = 0; i < t->n; i++) {
        struct fa_node *node = &t->node[i];
        fa_cpus_and(&node->cpus, &left);
        for (int k = 0; k < FA_MAX_CPU / 64; k++)
            left.bit[k] &= ~node->cpus.bit[k];
        if (fa_cpus_count(&node->cpus))
            t->node[n++] = *node;
    }
    if (n == 0)
        t->node[n++] = (struct fa_node){ .id = 0 };
    for (int k = 0; k < FA_MAX_CPU / 64; k++)
        t->node[0].cpus.bit[k] |= left.bit[k];
    t->n = n;
}

void fa_topology_read_at(struct fa_topology *t, const char *root, const struct fa_cpus *allowed)
{
    t->n = 0;
    if (root)
        place_read_nodes(t, root);
    restrict_to(t, allowed);
}

int fa_topology_read(struct fa_topology *t, struct fa_err *e)
{
    struct fa_cpus allowed;
    int r = fa_cpus_allowed(&allowed, e);
    if (r == FA_OK)
        fa_topology_read_at(t, fa_numa_enabled() ? PLACE_ROOT : NULL, &allowed);
    return r;
}

/* The node that holds all of s; -1: several do. */
static int only_node(const struct fa_topology *t, const struct fa_cpus *s)
{
    for (int i = 0; i < t->n; i++)
        if (fa_cpus_within(s, &t->node[i].cpus))
            return t->node[i].id;
    return -1;
}

int fa_place_node(void)
{
    struct fa_topology t;
    struct fa_cpus allowed, here = { { 0 } };
    if (!fa_numa_enabled() || fa_cpus_allowed(&allowed, NULL) != FA_OK)
        return 0;
    fa_topology_read_at(&t, PLACE_ROOT, &allowed);
    int node = only_node(&t, &allowed), cpu = sched_getcpu();
    if (node < 0 && cpu >= 0 && cpu < FA_MAX_CPU) {
        fa_cpus_add(&here, cpu);
        node = only_node(&t, &here);
    }
    return node < 0 ? 0 : node;
}

static int set_affinity(const struct fa_cpus *s, struct fa_err *e)
{
    cpu_set_t *mask = CPU_ALLOC(FA_MAX_CPU);
    const size_t size = CPU_ALLOC_SIZE(FA_MAX_CPU);
    if (!mask)
        return fa_fail(e, FA_E_MEM, "out of memory");
    CPU_ZERO_S(size, mask);
    for (int c = 0; c < FA_MAX_CPU; c++)
        if (fa_cpus_has(s, c))
            CPU_SET_S((size_t)c, size, mask);
    int r = sched_setaffinity(0, size, mask) == 0 ? FA_OK : fa_fail_errno(e, FA_E_IO, "sched_setaffinity");
    CPU_FREE(mask);
    return r;
}

/* The CPUs that the options ask for, all of which may be used. */
static int choose(struct fa_cpus *s, const struct fa_place_options *o, const struct fa_topology *all, const struct fa_cpus *allowed, struct fa_err *e)
{
    char text[200];
    *s = *allowed;
    if (o->node >= 0) {
        int i = 0;
        while (i < all->n && all->node[i].id != o->node)
            i++;
        if (i == all->n)
            return fa_fail(e, FA_E_ARG, "--node %d: no such node, or none of its CPUs may be used (may be used: %s)", o->node,
                           fa_cpus_print(text, sizeof text, allowed));
        *s = all->node[i].cpus;
    }
    if (o->cpus) {
        struct fa_cpus listed;
        int r = fa_cpus_parse(&listed, o->cpus, e);
        if (r != FA_OK)
            return fa_err_prefix(e, "--cpus");
        if (!fa_cpus_within(&listed, s))
            return fa_fail(e, FA_E_ARG, "--cpus %s: not all of them may be used (may be used: %s)", o->cpus, fa_cpus_print(text, sizeof text, s));
        *s = listed;
    }
    return FA_OK;
}

int fa_place_bind(const struct fa_place_options *o, struct fa_err *e)
{
    struct fa_topology all;                      /* options win over USE_NUMA: the nodes that are there, not those in use */
    struct fa_cpus allowed, chosen;
    if (o->node < 0 && !o->cpus)
        return FA_OK;
    int r = fa_cpus_allowed(&allowed, e);
    if (r != FA_OK)
        return r;
    fa_topology_read_at(&all, PLACE_ROOT, &allowed);
    if ((r = choose(&chosen, o, &all, &allowed, e)) != FA_OK || (r = set_affinity(&chosen, e)) != FA_OK)
        return r;
    const int node = only_node(&all, &chosen);
    if (node >= 0 && (o->node >= 0 || fa_numa_enabled()))
        place_prefer(node);
    return FA_OK;
}

int fa_place_threads(int wanted)
{
    struct fa_cpus allowed;
    const int n = fa_cpus_allowed(&allowed, NULL) == FA_OK ? fa_cpus_count(&allowed) : 1;
    return wanted < 1 || n < 1 ? 1 : wanted < n ? wanted : n;
}
