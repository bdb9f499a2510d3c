/* SPDX-License-Identifier: BSD-2-Clause
 * Sets of CPUs: counting, cutting, and the kernel's list form "0-3,8". */
#include "fa_place.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fa_cpus_count(const struct fa_cpus *s)
{
    int n = 0;
    for (int i = 0; i < FA_MAX_CPU / 64; i++)
        n += __builtin_popcountll(s->bit[i]);
    return n;
}

void fa_cpus_and(struct fa_cpus *s, const struct fa_cpus *other)
{
    for (int i = 0; i < FA_MAX_CPU / 64; i++)
        s->bit[i] &= other->bit[i];
}

int fa_cpus_within(const struct fa_cpus *s, const struct fa_cpus *all)
{
    for (int i = 0; i < FA_MAX_CPU / 64; i++)
        if (s->bit[i] & ~all->bit[i])
            return 0;
    return 1;
}

/* A CPU number at *p, which moves past it; -1: none, or too large. */
static int number(const char **p)
{
    int v = 0, digits = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++, digits++)
        if ((v = v * 10 + (**p - '0')) >= FA_MAX_CPU)
            return -1;
    return digits ? v : -1;
}

int fa_cpus_parse(struct fa_cpus *s, const char *text, struct fa_err *e)
{
    const char *p = text;
    *s = (struct fa_cpus){ { 0 } };
    for (;; p++) {
        int first = number(&p), last = first;
        if (first >= 0 && *p == '-') {
            p++;
            last = number(&p);
        }
        if (first < 0 || last < first || (*p && *p != ','))
            return fa_fail(e, FA_E_ARG, "'%s' is not a list of CPUs such as 0-3,8 (numbers below %d)", text, FA_MAX_CPU);
        for (int c = first; c <= last; c++)
            fa_cpus_add(s, c);
        if (!*p)
            return FA_OK;
    }
}

char *fa_cpus_print(char *text, size_t size, const struct fa_cpus *s)
{
    size_t at = 0;
    text[0] = '\0';
    for (int c = 0; c < FA_MAX_CPU; c++) {
        char one[32];
        int last = c;
        if (!fa_cpus_has(s, c))
            continue;
        while (last + 1 < FA_MAX_CPU && fa_cpus_has(s, last + 1))
            last++;
        int n = last > c ? snprintf(one, sizeof one, "%s%d-%d", at ? "," : "", c, last) : snprintf(one, sizeof one, "%s%d", at ? "," : "", c);
        if (at + (size_t)n >= size)
            break;
        memcpy(text + at, one, (size_t)n + 1);
        at += (size_t)n;
        c = last;
    }
    return text;
}

void fa_cpus_slice(struct fa_cpus *out, const struct fa_cpus *s, int from, int to)
{
    struct fa_cpus r = { { 0 } };
    for (int c = 0, k = 0; c < FA_MAX_CPU && k < to; c++)
        if (fa_cpus_has(s, c) && k++ >= from)
            fa_cpus_add(&r, c);
    *out = r;
}

int fa_cpus_allowed(struct fa_cpus *s, struct fa_err *e)
{
    cpu_set_t *mask = CPU_ALLOC(FA_MAX_CPU);
    const size_t size = CPU_ALLOC_SIZE(FA_MAX_CPU);
    *s = (struct fa_cpus){ { 0 } };
    if (!mask)
        return fa_fail(e, FA_E_MEM, "out of memory");
    CPU_ZERO_S(size, mask);
    int r = sched_getaffinity(0, size, mask) == 0 ? FA_OK : fa_fail_errno(e, FA_E_IO, "sched_getaffinity");
    for (int c = 0; r == FA_OK && c < FA_MAX_CPU; c++)
        if (CPU_ISSET_S((size_t)c, size, mask))
            fa_cpus_add(s, c);
    CPU_FREE(mask);
    return r;
}
