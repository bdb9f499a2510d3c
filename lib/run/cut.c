/* SPDX-License-Identifier: BSD-2-Clause
 * One clip in segments (rule: fa_segments.h). Each segment is tracked by a pipe of its own into an unlinked temporary file; one pipe more,
 * fa-join | fa-aus | fa-csv, runs beside them, gets the files' names in order as they are complete, and does the action units over the
 * whole. How far segments may run ahead of the joining is limited, so temporary files take no more room than a few segments. */
#include "run_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_child.h"
#include "fa_file.h"
#include "fa_media.h"
#include "fa_segments.h"

struct cut {
    struct fa_job *job;
    int n, next, fed, joined;           /* segments: in all, to begin, told to fa-join, and that it is done with */
    int *file; unsigned char *done;     /* of each segment: descriptor, -1; its pipe has ended well */
    int list;                           /* what fa-join reads names from; -1: closed */
    int rows;                           /* pipes that run, the joining one included */
    int given_up;
    struct run_ending end;              /* of the clip, as far as known */
    double since, clock;
    unsigned long frames, promised;     /* tracked by pipes that have ended; in the clip, 0 unknown */
};

int cut_count(const struct fa_ask *ask, const char *input)
{
    struct fa_media_brief b;
    struct fa_err e;
    if (!ask->segment_ms || strcmp(input, "-") == 0 || fa_media_probe(&b, input, &e) != FA_OK || b.kind != FA_MEDIA_VIDEO)
        return 1;                       /* what is wrong with it the stages will say */
    return fa_segments_count(b.seconds, ask->segment_ms);
}

static void close_file(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void free_cut(struct cut *cut)
{
    for (int k = 0; cut->file && k < cut->n; k++)
        close_file(&cut->file[k]);
    close_file(&cut->list);
    free(cut->file);
    free(cut->done);
    free(cut);
}

static void fail_to_begin(struct run *r, struct fa_job *job, double since, double clock, const struct fa_err *e)
{
    run_say(r->to, FA_SAY_ERROR, "%s: %s", job->input, e->text);
    run_close_job(r, job, since, clock, (struct run_ending){ .status = fa_err_status(e->code), .reason = strdup(e->text) });
}

void cut_open(struct run *r, struct fa_job *job, int n, struct row *join)
{
    struct fa_err e = { 0 };
    struct fa_media_brief b;
    char count[16];
    int names[2] = { -1, -1 };
    struct cut *cut = calloc(1, sizeof *cut);
    job->state = FA_JOB_RUNS;
    if (!cut || !(cut->file = malloc((size_t)n * sizeof *cut->file)) || !(cut->done = calloc((size_t)n, 1))) {
        fa_fail(&e, FA_E_MEM, "out of memory");
        fail_to_begin(r, job, fa_now(), 0, &e);
        if (cut)
            free(cut->file);
        free(cut);
        return;
    }
    *cut = (struct cut){ .job = job, .n = n, .file = cut->file, .done = cut->done, .list = -1 };
    for (int k = 0; k < n; k++)
        cut->file[k] = -1;
    if (fa_media_probe(&b, job->input, &e) == FA_OK)
        cut->promised = (unsigned long)b.n_frame;
    fa_join_args(join->args, &r->o->ask, job->name, job->csv, r->o->request);
    snprintf(count, sizeof count, "%d", n);
    fa_args_add(&join->args[0], "--files-from");
    fa_args_add(&join->args[0], count);
    fa_args_add(&join->args[0], "--progress-fd");
    fa_args_add(&join->args[0], "3");
    join->cut = cut;
    join->k = -1;
    int ok = fa_pipe(names, &e) == FA_OK;
    cut->list = names[1];
    const struct fa_pipeline_ends ends = { names[0], -1, 0 };
    ok = ok && run_row_start(r, join, job, 3, &ends, &e) == FA_OK;
    close_file(&names[0]);
    if (!ok) {
        run_row_free(join);
        fail_to_begin(r, job, fa_now(), 0, &e);
        free_cut(cut);
        return;
    }
    cut->since = join->since;
    cut->clock = join->clock;
    cut->rows = 1;
    r->cut[r->n_cut++] = cut;
}

/* The clip has failed: nothing of it shall go on. Takes end.reason. */
static void give_up(struct run *r, struct cut *cut, struct run_ending end)
{
    if (cut->given_up) {
        free(end.reason);
        return;
    }
    cut->given_up = 1;
    free(cut->end.reason);
    cut->end = end;
    close_file(&cut->list);
    for (int i = 0; i < r->n_row; i++)
        if (r->row[i].cut == cut && r->row[i].pipe.running)
            fa_pipeline_signal(&r->row[i].pipe, SIGTERM);
}

static int begin_segment(struct run *r, struct cut *cut, struct row *row)
{
    struct fa_err e = { 0 };
    const int k = cut->next++;
    struct fa_ask ask = r->o->ask;
    ask.node = *row->node ? row->node : NULL;
    fa_segment_args(row->args, &ask, cut->job->input, cut->job->name, k, cut->n);
    fa_args_add(&row->args[FA_LANDMARKS], "--progress-fd");
    fa_args_add(&row->args[FA_LANDMARKS], "3");
    row->cut = cut;
    row->k = k;
    cut->file[k] = fa_tmpfile(&e);
    const struct fa_pipeline_ends ends = { -1, cut->file[k], FA_LANDMARKS };
    if (cut->file[k] >= 0 && run_row_start(r, row, cut->job, 3, &ends, &e) == FA_OK) {
        cut->rows++;
        return 1;
    }
    run_row_free(row);
    run_say(r->to, FA_SAY_ERROR, "%s: %s", cut->job->input, e.text);
    give_up(r, cut, (struct run_ending){ .status = fa_err_status(e.code), .reason = strdup(e.text) });
    return 1;
}

int cut_next(struct run *r, struct row *row)
{
    for (int i = 0; i < r->n_cut; i++) {
        struct cut *cut = r->cut[i];
        if (!cut->given_up && cut->next < cut->n && cut->next - cut->joined < 2 * r->n_worker + 2)
            return begin_segment(r, cut, row);
    }
    return 0;
}

/* Tells fa-join of the segments that are complete, in order. When it is gone, that will be seen at its end. */
static void feed(struct cut *cut)
{
    char name[64];
    struct fa_err e;
    while (cut->list >= 0 && cut->fed < cut->n && cut->done[cut->fed]) {
        const int n = snprintf(name, sizeof name, "/proc/%ld/fd/%d\n", (long)getpid(), cut->file[cut->fed]);
        if (fa_write_full(cut->list, name, (size_t)n, &e) != FA_OK)
            close_file(&cut->list);
        cut->fed++;
    }
    if (cut->fed == cut->n)
        close_file(&cut->list);
}

static void segment_ended(struct run *r, struct row *row)
{
    struct cut *cut = row->cut;
    int culprit;
    const int status = fa_pipeline_verdict(&row->pipe, &culprit), killed = culprit >= 0 && row->pipe.stage[culprit].status > 255;
    const int verbose = r->o->ask.level > 0;
    cut->frames += run_frames(&row->pipe).done;
    /* A bad part of the clip is in the segment's END: fa-csv will tell, at the end of the clip. */
    const int mute = r->kill_at > 0 || cut->given_up || (status == 1 && !verbose);
    struct run_ending end = run_end(&row->pipe, row->args, verbose, mute ? NULL : r->to);
    if (status <= 1 && !killed) {
        free(end.reason);
        cut->done[row->k] = 1;
        feed(cut);
    } else {
        if (end.reason && !end.told && !mute)
            run_say(r->to, FA_SAY_ERROR, "%s: %s", cut->job->input, end.reason);
        give_up(r, cut, end);
    }
}

static void join_ended(struct run *r, struct row *row)
{
    struct cut *cut = row->cut;
    const int mute = r->kill_at > 0 || cut->given_up;
    struct run_ending end = run_end(&row->pipe, row->args, r->o->ask.level > 0, mute ? NULL : r->to);
    if (end.reason && !end.told && !mute)
        run_say(r->to, FA_SAY_ERROR, "%s: %s", cut->job->input, end.reason);
    cut->job->frames = run_frames(&row->pipe).done;
    run_clear_up(&row->pipe, row->args);
    if (end.status)
        give_up(r, cut, end);
}

void cut_ended(struct run *r, struct row *row)
{
    struct cut *cut = row->cut;
    if (row->k < 0)
        join_ended(r, row);
    else
        segment_ended(r, row);
    run_row_free(row);
    if (--cut->rows > 0)
        return;
    run_close_job(r, cut->job, cut->since, cut->clock, cut->end);
    int i = 0;
    while (r->cut[i] != cut)
        i++;
    memmove(r->cut + i, r->cut + i + 1, (size_t)(--r->n_cut - i) * sizeof(void *));
    free_cut(cut);
}

void cut_tend(struct run *r)
{
    for (int i = 0; i < r->n_row; i++) {
        const struct row *row = &r->row[i];
        unsigned long frames, segments;
        if (!row->cut || row->k >= 0 || sscanf(row->pipe.report, "%lu %lu", &frames, &segments) != 2)
            continue;
        struct cut *cut = row->cut;
        for (; cut->joined < (int)segments && cut->joined < cut->fed; cut->joined++)
            close_file(&cut->file[cut->joined]);
    }
}

struct run_frames cut_frames(const struct run *r, const struct cut *cut)
{
    struct run_frames f = { cut->frames, cut->promised };
    for (int i = 0; i < r->n_row; i++)
        if (r->row[i].cut == cut && r->row[i].k >= 0)
            f.done += run_frames(&r->row[i].pipe).done;
    f.done = f.all && f.done > f.all ? f.all : f.done;
    return f;
}
