/* SPDX-License-Identifier: BSD-2-Clause
 * Where a process runs and where its memory lies: CPU sets, NUMA nodes, the plan that spreads workers over a machine.
 *
 * What may be used is what sched_getaffinity says: a mask set from outside (taskset, a cgroup's cpuset, Slurm) is respected,
 * never widened. A machine without NUMA, or USE_NUMA=0, is a machine with one node; nothing here fails because of that.
 * Placement never changes results. */
#ifndef FA_PLACE_H
#define FA_PLACE_H

#include <stddef.h>
#include <stdint.h>
#include "fa_err.h"

enum { FA_MAX_CPU = 4096, FA_MAX_NODE = 64 };

/* --- Sets of CPUs -------------------------------------------------------------------------------------------------------- */

struct fa_cpus { uint64_t bit[FA_MAX_CPU / 64]; };

static inline int fa_cpus_has(const struct fa_cpus *s, int cpu) { return (int)(s->bit[cpu / 64] >> (cpu % 64) & 1); }
static inline void fa_cpus_add(struct fa_cpus *s, int cpu) { s->bit[cpu / 64] |= UINT64_C(1) << (cpu % 64); }
int fa_cpus_count(const struct fa_cpus *s);
void fa_cpus_and(struct fa_cpus *s, const struct fa_cpus *other);
/* 1 if every CPU of s is in all. */
int fa_cpus_within(const struct fa_cpus *s, const struct fa_cpus *all);
/* "0-3,8": numbers and ranges, in any order, at least one. FA_OK or FA_E_ARG. */
int fa_cpus_parse(struct fa_cpus *s, const char *text, struct fa_err *e);
/* The same form, ascending; cut (never in the middle of a number) where size ends. Returns text. */
char *fa_cpus_print(char *text, size_t size, const struct fa_cpus *s);
/* CPUs from (0 <= from) up to but not including to, counted within s in ascending order. */
void fa_cpus_slice(struct fa_cpus *out, const struct fa_cpus *s, int from, int to);
/* The CPUs that this process may use. FA_OK or FA_E_IO. */
int fa_cpus_allowed(struct fa_cpus *s, struct fa_err *e);

/* --- The machine, as far as this process may use it ---------------------------------------------------------------------- */

/* Nodes that have CPUs for us, ascending by id; cpus are only those that may be used. */
struct fa_topology { int n; struct fa_node { int id; struct fa_cpus cpus; } node[FA_MAX_NODE]; };

/* At least one node with at least one CPU. FA_OK or FA_E_IO. */
int fa_topology_read(struct fa_topology *t, struct fa_err *e);
/* The same for given CPUs and a given tree in place of /sys (NULL: a machine without nodes); never fails. Nodes without an allowed
 * CPU are left out, allowed CPUs that no node claims join the first one. */
void fa_topology_read_at(struct fa_topology *t, const char *root, const struct fa_cpus *allowed);
/* 1 unless USE_NUMA=0 or the system has no NUMA. */
int fa_numa_enabled(void);
/* The id of the node that this process belongs to: that of all its CPUs, else that of the CPU it runs on now; 0 without NUMA. */
int fa_place_node(void);

/* --- Binding a program --------------------------------------------------------------------------------------------------- */

/* What --node N and --cpus LIST said; node -1 and cpus NULL: nothing (the process stays where it is). */
struct fa_place_options { int node; const char *cpus; };
/* Binds this process and what it starts: to the node's CPUs that may be used, or to the listed ones. When all of them are of
 * one node, memory comes from there as long as it has some. Called first in main, before memory is taken or a thread started.
 * FA_E_ARG: no such CPU or node, or it may not be used. */
int fa_place_bind(const struct fa_place_options *o, struct fa_err *e);
/* Size of a team that was wanted: never more than the CPUs given, at least 1. */
int fa_place_threads(int wanted);

/* --- Spreading workers ----------------------------------------------------------------------------------------------------- */

struct fa_place_slot { int node; struct fa_cpus cpus; };
/* A node and CPUs for each of n_worker >= 1 workers (slot: n_worker of them). Each node gets workers in proportion to its CPUs
 * (the next worker goes where a worker then has most CPUs; ties to the first node); a node's CPUs are cut into equal runs
 * among its workers, or, when there are more workers than CPUs, all of them share all. The same machine and mask always give the same plan.
 * A worker passes its slot to its stages as --cpus (or --node, if it shall be free within the node). */
void fa_place_plan(struct fa_place_slot *slot, int n_worker, const struct fa_topology *t);

/* --- Memory ---------------------------------------------------------------------------------------------------------------- */

/* Nodes with CPUs and with memory that this process may use: ids into node[0..max-1], ascending; returns how many (1, id 0,
 * without NUMA). */
int fa_memory_nodes(int *node, int max);
/* Pages of a mapping that are touched from now on come from the node while it has some. Best effort. */
void fa_memory_prefer(void *start, size_t len, int node);
/* Share of a mapping's pages, 0 to 1, that lie on the node (pages never touched count as not); 1 without NUMA or where the
 * kernel does not tell. */
double fa_memory_share(const void *start, size_t len, int node);

#endif
