/* SPDX-License-Identifier: BSD-2-Clause
 * Inside the place room: what the kernel lists (sysfs.c) and what it does with memory (numa.c). */
#ifndef PLACE_INTERNAL_H
#define PLACE_INTERNAL_H

#include "fa_place.h"

#define PLACE_ROOT "/sys"

/* Every node with its CPUs, allowed or not, ascending by id; n 0 where the kernel knows no nodes. */
void place_read_nodes(struct fa_topology *t, const char *root);
/* Ids of the nodes with memory and CPUs, allowed or not; 0 where the kernel knows no nodes. */
int place_memory_nodes(int *node, int max, const char *root);
/* This process's memory, and that of what it starts, comes from the node as long as it has some. Best effort. */
void place_prefer(int node);

#endif
