/* SPDX-License-Identifier: BSD-2-Clause
 * Placement: CPU lists, machines made up as trees of files (up to 256 CPUs), plans of workers, and binding of real processes. */
#include "fa_test.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fa_place.h"

static struct fa_cpus cpus(const char *list)
{
    struct fa_cpus s = { { 0 } };
    struct fa_err e = { 0 };
    if (*list && fa_cpus_parse(&s, list, &e) != FA_OK)
        test_fail(__FILE__, __LINE__, "%s", e.text);
    return s;
}

static void check_cpus(const char *why, const struct fa_cpus *s, const char *want)
{
    char text[400];
    check_str(why, fa_cpus_print(text, sizeof text, s), want);
}

/* --- Machines made up ------------------------------------------------------------------------------------------------------ */

static void put(const char *root, const char *file, const char *text)
{
    char path[400];
    snprintf(path, sizeof path, "%s/devices/system/node/%s", root, file);
    for (char *p = path + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        mkdir(path, 0777);
        *p = '/';
    }
    FILE *f = fopen(path, "w");
    if (!f || fprintf(f, "%s\n", text) < 0 || fclose(f) != 0)
        test_fail(__FILE__, __LINE__, "%s: cannot be written", path);
}

/* A tree with n nodes; list[i]: node i's CPUs. */
static const char *machine(const char *online, int n, const char *const *list)
{
    static char root[200];
    snprintf(root, sizeof root, "%s/place.XXXXXX", getenv("FA_TMP") ? getenv("FA_TMP") : "/tmp");
    if (!mkdtemp(root))
        test_fail(__FILE__, __LINE__, "%s: cannot be made", root);
    put(root, "online", online);
    for (int i = 0; i < n; i++) {
        char file[40];
        snprintf(file, sizeof file, "node%d/cpulist", i);
        put(root, file, list[i]);
    }
    return root;
}

static void remove_machine(const char *root)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    CHECK(system(command) == 0);
}

/* 8 nodes of 32 CPUs, threads of a core 128 apart, as such machines number them: node 1 has 16-31,144-159. */
static const char *big_machine(void)
{
    static char text[8][40];
    const char *list[8];
    for (int i = 0; i < 8; i++) {
        snprintf(text[i], sizeof text[i], "%d-%d,%d-%d", 16 * i, 16 * i + 15, 128 + 16 * i, 128 + 16 * i + 15);
        list[i] = text[i];
    }
    return machine("0-7", 8, list);
}

/* --- Tests ------------------------------------------------------------------------------------------------------------------ */

static void cpu_lists_are_read_and_written(void)
{
    static const struct { const char *in, *out; int n; } good[] = {
        { "0", "0", 1 }, { "0-3,8", "0-3,8", 5 }, { "8,0-3", "0-3,8", 5 }, { "1,2,3", "1-3", 3 }, { "5-5", "5", 1 },
        { "63,64", "63-64", 2 }, { "0-255", "0-255", 256 }, { "4095", "4095", 1 }, { "1,1,1", "1", 1 },
    };
    static const char *const bad[] = { "", ",", "1,", "-1", "1-", "3-1", "a", "1 2", "0x1", "4096", "99999999999", "1--2", "1-2-3" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const struct fa_cpus s = cpus(good[i].in);
        check_cpus(good[i].in, &s, good[i].out);
        check_int(good[i].in, fa_cpus_count(&s), good[i].n);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fa_cpus s;
        check_int(bad[i], fa_cpus_parse(&s, bad[i], NULL), FA_E_ARG);
    }
    char small[6];
    const struct fa_cpus s = cpus("10-19,30");
    check_str("cut between numbers", fa_cpus_print(small, sizeof small, &s), "10-19");
}

static void nodes_have_the_cpus_that_may_be_used(void)
{
    static const char *const two[] = { "0-1", "2-3" };
    struct fa_topology t;
    const char *root = machine("0-1", 2, two);
    struct fa_cpus mask = cpus("0-3");
    fa_topology_read_at(&t, root, &mask);
    check_int("two nodes", t.n, 2);
    check_cpus("node 0", &t.node[0].cpus, "0-1");
    check_cpus("node 1", &t.node[1].cpus, "2-3");
    mask = cpus("1,2-3");
    fa_topology_read_at(&t, root, &mask);
    check_cpus("cut by a mask", &t.node[0].cpus, "1");
    mask = cpus("3");
    fa_topology_read_at(&t, root, &mask);
    check_int("a node without CPUs of ours is left out", t.n, 1);
    check_int("the other keeps its number", t.node[0].id, 1);
    mask = cpus("2-3,7");
    fa_topology_read_at(&t, root, &mask);
    check_cpus("CPUs of no node join the first", &t.node[0].cpus, "2-3,7");
    remove_machine(root);
}

static void a_machine_without_nodes_is_one_node(void)
{
    static const char *const memory_only[] = { "0-3", "" };
    struct fa_topology t;
    const struct fa_cpus mask = cpus("4-7");
    const char *const roots[] = { NULL, "/nonexistent" };
    for (int i = 0; i < 2; i++) {
        fa_topology_read_at(&t, roots[i], &mask);
        check_int("one node", t.n, 1);
        check_int("number 0", t.node[0].id, 0);
        check_cpus("all CPUs", &t.node[0].cpus, "4-7");
    }
    const char *root = machine("0-1", 2, memory_only);
    const struct fa_cpus all = cpus("0-3");
    fa_topology_read_at(&t, root, &all);
    check_int("a node with memory only runs nothing", t.n, 1);
    remove_machine(root);
    root = machine("rubbish", 0, NULL);
    fa_topology_read_at(&t, root, &all);
    check_int("unreadable lists", t.n, 1);
    check_cpus("unreadable lists", &t.node[0].cpus, "0-3");
    remove_machine(root);
}

/* Every worker's CPUs are of its node and allowed; those of a node's workers do not overlap and differ by one at most. */
static void check_plan(const struct fa_topology *t, int n_worker)
{
    static struct fa_place_slot slot[1100];
    struct fa_cpus taken = { { 0 } };
    int per_node[FA_MAX_NODE] = { 0 };
    fa_place_plan(slot, n_worker, t);
    for (int w = 0; w < n_worker; w++) {
        int i = 0;
        while (i < t->n && t->node[i].id != slot[w].node)
            i++;
        CHECK(i < t->n);
        per_node[i]++;
        CHECK(fa_cpus_count(&slot[w].cpus) > 0);
        CHECK(fa_cpus_within(&slot[w].cpus, &t->node[i].cpus));
    }
    for (int w = 0; w < n_worker; w++) {
        int i = 0;
        while (t->node[i].id != slot[w].node)
            i++;
        const int have = fa_cpus_count(&t->node[i].cpus), m = per_node[i], n = fa_cpus_count(&slot[w].cpus);
        if (m > have) {
            check_int("more workers than CPUs share all", n, have);
            continue;
        }
        CHECK(n == have / m || n == (have + m - 1) / m);
        struct fa_cpus both = taken;
        fa_cpus_and(&both, &slot[w].cpus);
        check_int("no CPU is given twice", fa_cpus_count(&both), 0);
        for (int c = 0; c < FA_MAX_CPU; c++)
            if (fa_cpus_has(&slot[w].cpus, c))
                fa_cpus_add(&taken, c);
    }
    for (int i = 0; i < t->n; i++)               /* in proportion: taking one worker elsewhere would not be fairer */
        for (int k = 0; k < t->n; k++)
            CHECK((long)fa_cpus_count(&t->node[i].cpus) * per_node[k] <= (long)fa_cpus_count(&t->node[k].cpus) * (per_node[i] + 1));
}

static void workers_are_spread_evenly_over_256_cpus(void)
{
    static const int workers[] = { 1, 2, 7, 8, 9, 64, 100, 255, 256, 257, 1024 };
    struct fa_topology t;
    struct fa_place_slot slot[64];
    const char *root = big_machine();
    struct fa_cpus mask = cpus("0-255");
    fa_topology_read_at(&t, root, &mask);
    check_int("eight nodes", t.n, 8);
    for (size_t i = 0; i < sizeof workers / sizeof *workers; i++)
        check_plan(&t, workers[i]);
    fa_place_plan(slot, 64, &t);
    check_cpus("64 workers, the first", &slot[0].cpus, "0-3");
    check_int("the second is on the next node", slot[1].node, 1);
    check_cpus("the second", &slot[1].cpus, "16-19");
    fa_place_plan(slot, 1, &t);
    check_int("one worker stays on one node", fa_cpus_count(&slot[0].cpus), 32);

    mask = cpus("5-20,130-140,255");             /* what a job scheduler left of it */
    fa_topology_read_at(&t, root, &mask);
    for (size_t i = 0; i < sizeof workers / sizeof *workers; i++)
        check_plan(&t, workers[i]);
    remove_machine(root);
}

static void nodes_of_unequal_size_get_workers_in_proportion(void)
{
    static const char *const list[] = { "0-5", "6-7" };
    const char *root = machine("0-1", 2, list);
    const struct fa_cpus mask = cpus("0-7");
    struct fa_place_slot slot[4];
    struct fa_topology t;
    fa_topology_read_at(&t, root, &mask);
    fa_place_plan(slot, 4, &t);
    int small = 0;
    for (int w = 0; w < 4; w++)
        small += slot[w].node == 1;
    check_int("one of four", small, 1);
    remove_machine(root);
}

/* What a child bound by o has: its number of CPUs, or minus the error's code. */
static int bound(const char *first, int node, const char *list)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        struct fa_err e = { 0 };
        struct fa_cpus now = { { 0 } };
        if (first && fa_place_bind(&(struct fa_place_options){ -1, first }, &e) != FA_OK)
            _exit(99);
        int r = fa_place_bind(&(struct fa_place_options){ node, list }, &e);
        if (r == FA_OK && fa_cpus_allowed(&now, &e) == FA_OK)
            _exit(fa_cpus_count(&now) < 90 && fa_place_threads(1000) == fa_cpus_count(&now) ? fa_cpus_count(&now) : 98);
        _exit(100 - r);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status) > 100 ? -(WEXITSTATUS(status) - 100) : WEXITSTATUS(status);
}

static void binding_narrows_and_never_widens(void)
{
    char one[16], other[16], both[40];
    struct fa_cpus mine;
    struct fa_err e = { 0 };
    check_int("allowed", fa_cpus_allowed(&mine, &e), FA_OK);
    int first = 0, second;
    while (!fa_cpus_has(&mine, first))
        first++;
    snprintf(one, sizeof one, "%d", first);
    check_int("one CPU", bound(NULL, -1, one), 1);
    check_int("nothing asked", bound(one, -1, NULL), 1);
    check_int("not a list", bound(NULL, -1, "many"), FA_E_ARG);
    check_int("no such CPU", bound(NULL, -1, "4095"), FA_E_ARG);
    check_int("no such node", bound(NULL, 63, NULL), FA_E_ARG);
    for (second = first + 1; second < FA_MAX_CPU && !fa_cpus_has(&mine, second); second++) { }
    if (second == FA_MAX_CPU)
        return;
    snprintf(other, sizeof other, "%d", second);
    snprintf(both, sizeof both, "%d,%d", first, second);
    check_int("both", bound(NULL, -1, both), 2);
    check_int("outside of a mask set before", bound(one, -1, other), FA_E_ARG);
    check_int("partly outside", bound(one, -1, both), FA_E_ARG);
}

static void a_team_is_never_larger_than_the_cpus(void)
{
    struct fa_cpus mine;
    check_int("allowed", fa_cpus_allowed(&mine, NULL), FA_OK);
    const int n = fa_cpus_count(&mine);
    check_int("one", fa_place_threads(1), 1);
    check_int("all", fa_place_threads(n), n);
    check_int("more", fa_place_threads(n + 1), n);
    check_int("nonsense", fa_place_threads(-3), 1);
}

static void use_numa_0_makes_one_node(void)
{
    struct fa_topology t;
    struct fa_err e = { 0 };
    int node[FA_MAX_NODE];
    setenv("USE_NUMA", "0", 1);
    check_int("off", fa_numa_enabled(), 0);
    check_int("read", fa_topology_read(&t, &e), FA_OK);
    check_int("one node", t.n, 1);
    check_int("one memory", fa_memory_nodes(node, FA_MAX_NODE), 1);
    check_int("ours", fa_place_node(), 0);
    unsetenv("USE_NUMA");
    check_int("read", fa_topology_read(&t, &e), FA_OK);
    CHECK(t.n >= 1);
    CHECK(fa_memory_nodes(node, FA_MAX_NODE) >= 1);
}

int main(void)
{
    RUN(cpu_lists_are_read_and_written);
    RUN(nodes_have_the_cpus_that_may_be_used);
    RUN(a_machine_without_nodes_is_one_node);
    RUN(workers_are_spread_evenly_over_256_cpus);
    RUN(nodes_of_unequal_size_get_workers_in_proportion);
    RUN(binding_narrows_and_never_widens);
    RUN(a_team_is_never_larger_than_the_cpus);
    RUN(use_numa_0_makes_one_node);
    return test_done();
}
