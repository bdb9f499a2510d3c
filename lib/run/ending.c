/* SPDX-License-Identifier: BSD-2-Clause
 * How a row of programs ended: whose fault it was, in whose words, and what is left to clear away. */
#include "run_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program(const struct fa_args *a)
{
    const char *slash = a->n ? strrchr(a->v[0], '/') : NULL;
    return slash ? slash + 1 : a->n ? a->v[0] : "";
}

/* The last line of a stage's words, where programs of ours put the reason; behind it only a hint at -h. */
static char *last_line(const struct fa_pipeline_stage *s)
{
    const char *text = s->text;
    for (size_t end = s->len, start; end > 0; end = start) {
        end -= text[end - 1] == '\n';
        const char *before = end ? memrchr(text, '\n', end) : NULL;
        start = before ? (size_t)(before - text) + 1 : 0;
        if (start < end && !memmem(text + start, end - start, ": try '", 7))
            return strndup(text + start, end - start);
    }
    return strdup("");
}

struct run_ending run_end(const struct fa_pipeline *p, const struct fa_args *args, int verbose, const struct fa_listener *to)
{
    struct run_ending end = { 0 };
    int culprit;
    end.status = fa_pipeline_verdict(p, &culprit);
    for (int i = 0; i < p->n; i++) {
        const struct fa_pipeline_stage *s = &p->stage[i];
        if (to && s->len && (end.status == 0 || i == culprit || s->status == 0 || verbose))
            to->say(to->self, FA_SAY_WORDS, s->text);
    }
    if (end.status && culprit < 0) {
        if (asprintf(&end.reason, "a stage failed with status %d", end.status) < 0)
            end.reason = NULL;
    } else if (end.status && p->stage[culprit].status > 255) {
        end.signal = p->stage[culprit].status - 256;
        if (asprintf(&end.reason, "%s was killed by signal %d (%s)", program(&args[culprit]), end.signal, strsignal(end.signal)) < 0)
            end.reason = NULL;
    } else if (end.status) {
        end.reason = last_line(&p->stage[culprit]);
        end.told = 1;
    }
    return end;
}

static void take_away(const char *path, pid_t pid)
{
    char *tmp = NULL;
    if (asprintf(&tmp, "%s.tmp%ld", path, (long)pid) > 0)
        unlink(tmp);
    free(tmp);
}

/* "x.csv" -> "x" + suffix, as the files beside a CSV are called. */
static void take_away_beside(const char *csv, const char *suffix, pid_t pid)
{
    const size_t n = strlen(csv);
    char *path = NULL;
    if (asprintf(&path, "%.*s%s", (int)(n > 4 && strcmp(csv + n - 4, ".csv") == 0 ? n - 4 : n), csv, suffix) > 0)
        take_away(path, pid);
    free(path);
}

void run_clear_up(const struct fa_pipeline *p, const struct fa_args *args)
{
    for (int i = 0; i < p->n; i++) {
        if (p->stage[i].status <= 255)
            continue;
        for (int k = 1; k + 1 < args[i].n; k++) {
            if (strcmp(args[i].v[k], "-o") == 0) {
                take_away(args[i].v[k + 1], p->stage[i].was);
                take_away_beside(args[i].v[k + 1], ".json", p->stage[i].was);
                take_away_beside(args[i].v[k + 1], "_of_details.txt", p->stage[i].was);
            } else if (strcmp(args[i].v[k], "--hog") == 0 || strcmp(args[i].v[k], "--save-median") == 0) {
                take_away(args[i].v[k + 1], p->stage[i].was);
            }
        }
    }
}
