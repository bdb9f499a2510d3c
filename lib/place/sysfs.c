/* SPDX-License-Identifier: BSD-2-Clause
 * The machine's nodes as the kernel lists them below ROOT/devices/system/node. Read here and not by libnuma, which knows one
 * root only (/sys) and calls a machine without the right to set policies (most containers) one without nodes. */
#include "place_internal.h"

#include <stdio.h>
#include <string.h>

/* A list such as "0-3,8" from a file, as a set of numbers below FA_MAX_CPU. 0: no such file, or an empty list. */
static int read_list(struct fa_cpus *s, const char *root, const char *file)
{
    char path[4096], text[4096];
    *s = (struct fa_cpus){ { 0 } };
    snprintf(path, sizeof path, "%s/devices/system/node/%s", root, file);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return fa_cpus_parse(s, text, NULL) == FA_OK;
}

void place_read_nodes(struct fa_topology *t, const char *root)
{
    struct fa_cpus online;
    t->n = 0;
    if (!read_list(&online, root, "online"))
        return;
    for (int id = 0; id < FA_MAX_CPU && t->n < FA_MAX_NODE; id++) {
        char file[32];
        if (!fa_cpus_has(&online, id))
            continue;
        snprintf(file, sizeof file, "node%d/cpulist", id);
        t->node[t->n].id = id;
        read_list(&t->node[t->n].cpus, root, file);      /* empty: memory only */
        t->n++;
    }
}

int place_memory_nodes(int *node, int max, const char *root)
{
    struct fa_cpus memory, cpu;
    int n = 0;
    if (!read_list(&memory, root, "has_memory") || !read_list(&cpu, root, "has_cpu"))
        return 0;
    fa_cpus_and(&memory, &cpu);
    for (int id = 0; id < FA_MAX_CPU && n < max; id++)
        if (fa_cpus_has(&memory, id))
            node[n++] = id;
    return n;
}
