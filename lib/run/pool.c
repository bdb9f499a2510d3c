/* SPDX-License-Identifier: BSD-2-Clause
 * The pool: a pipe of stages for each clip, some of them at a time, all served by one poll loop. Clips begin in the order given. A clip
 * that fails harms no other; what it said is told at once, and again in the last lines. */
#include "run_internal.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fa_place.h"

enum { TICK_MS = 200, KILL_AFTER = 5 /* seconds from SIGTERM to SIGKILL */ };

/* --- One clip ----------------------------------------------------------------------------------------------------------------- */

static void put_log(struct run *r, const struct fa_job *job, double since, double clock, const struct run_ending *end)
{
    struct stat st;
    struct fa_err e;
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return;
    int n;
    const struct fa_pass *pass = fa_pass_table(&n);
    fputs("fa", f);
    for (int k = 0; k < n; k++)
        if (r->o->ask.value[k]) {
            fprintf(f, " --%s", pass[k].name);
            if (pass[k].arg) {
                fputc('=', f);
                fa_quote(f, r->o->ask.value[k]);
            }
        }
    if (r->jobs->out) {
        fputs(" -o ", f);
        fa_quote(f, r->jobs->out);
    }
    if (r->jobs->tree) {
        fputs(" --tree ", f);
        fa_quote(f, r->jobs->tree);
    }
    fputs(" -- ", f);
    fa_quote(f, job->input);
    fprintf(f, "  # %lu frames", job->frames);
    if (end->reason)
        fprintf(f, "; %s", end->reason);
    fclose(f);
    for (char *p = text; *p; p++)
        if (*p == '\n' || *p == '\t')
            *p = ' ';
    const struct fa_joblog_entry entry = { .seq = (int)(job - r->jobs->job) + 1, .status = end->signal ? 0 : end->status, .signal = end->signal,
        .start = clock, .seconds = fa_now() - since, .command = text,
        .received = !end->status && job->csv && stat(job->csv, &st) == 0 ? (unsigned long long)st.st_size : 0 };
    if (fa_joblog_put(r->o->joblog, &entry, &e) != FA_OK)
        run_say(r->to, FA_SAY_ERROR, "%s", e.text);
    free(text);
}

void run_close_job(struct run *r, struct fa_job *job, double since, double clock, struct run_ending end)
{
    r->count.frames += job->frames;
    if (end.status && r->kill_at > 0) { /* ended by us: not the clip's fault */
        job->state = FA_JOB_DROPPED;
        free(end.reason);
        return;
    }
    if (end.status == 0) {
        char *partial = NULL;           /* of an earlier failure */
        job->state = FA_JOB_DONE;
        r->count.done++;
        if (job->csv && asprintf(&partial, "%s.partial", job->csv) > 0)
            unlink(partial);
        free(partial);
    } else {
        job->state = FA_JOB_FAILED;
        job->status = end.status;
        r->count.failed++;
        r->worst = end.status > r->worst ? end.status : r->worst;
        r->closed |= r->o->fail_fast || end.status == 2;
    }
    if (r->o->joblog)
        put_log(r, job, since, clock, &end);
    job->reason = end.reason;
}

void run_row_free(struct row *row)
{
    for (int s = 0; s < FA_N_STAGE; s++)
        fa_args_close(&row->args[s]);
    row->job = NULL;
    row->cut = NULL;
}

int run_row_start(struct run *r, struct row *row, struct fa_job *job, int n, const struct fa_pipeline_ends *ends, struct fa_err *e)
{
    struct timespec t;
    char *const *argv[FA_N_STAGE];
    int failed = 0;
    clock_gettime(CLOCK_REALTIME, &t);
    row->since = fa_now();
    row->clock = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    for (int s = 0; s < n; s++) {
        argv[s] = row->args[s].v;
        failed |= row->args[s].failed;
    }
    if (failed)
        fa_fail(e, FA_E_MEM, "out of memory, or too many options");
    else if (fa_pipeline_start(&row->pipe, argv, n, ends, e) == FA_OK) {
        row->job = job;
        r->running++;
        return FA_OK;
    } else
        run_clear_up(&row->pipe, row->args);
    run_row_free(row);
    return e->code;
}

static void begin(struct run *r, struct row *row, struct fa_job *job)
{
    struct fa_err e = { 0 };
    const struct fa_pipeline_ends ends = { strcmp(job->input, "-") == 0 ? 0 : -1, -1, FA_LANDMARKS };
    struct fa_ask ask = r->o->ask;
    ask.node = *row->node ? row->node : NULL;
    job->state = FA_JOB_RUNS;
    fa_clip_args(row->args, &ask, job->input, job->name, job->csv, r->o->request, 1);
    if (run_row_start(r, row, job, FA_N_STAGE, &ends, &e) == FA_OK)
        return;
    run_say(r->to, FA_SAY_ERROR, "%s: %s", job->input, e.text);
    run_close_job(r, job, row->since, row->clock, (struct run_ending){ .status = fa_err_status(e.code), .reason = strdup(e.text) });
}

/* A row has ended whose clip is whole. */
static void finish(struct run *r, struct row *row)
{
    struct fa_job *job = row->job;
    struct run_ending end = run_end(&row->pipe, row->args, r->o->ask.level > 0, r->kill_at > 0 ? NULL : r->to);
    job->frames = run_frames(&row->pipe).done;
    if (end.reason && !end.told && r->kill_at <= 0)
        run_say(r->to, FA_SAY_ERROR, "%s: %s", job->input, end.reason);
    run_clear_up(&row->pipe, row->args);
    run_close_job(r, job, row->since, row->clock, end);
    run_row_free(row);
}

/* --- Which clip next ------------------------------------------------------------------------------------------------------------- */

/* 1 if the job was done before, and stays. */
static int keep(struct run *r, struct fa_job *job)
{
    struct fa_err e;
    if (!r->o->resume)
        return 0;
    if (fa_job_current(job, r->o->request, &e)) {
        job->state = FA_JOB_KEPT;
        r->count.kept++;
        return 1;
    }
    if (e.code != FA_OK)
        run_say(r->to, r->stale++ ? FA_SAY_NOTE : FA_SAY_WARN, "%s: done again", e.text);
    return 0;
}

static struct row *free_row(struct run *r, int from, int to)
{
    for (int i = from; i < to; i++)
        if (!r->row[i].job)
            return &r->row[i];
    return NULL;
}

/* Begins the next segment, or looks at one job: keeps or begins it. 0: nothing can be begun now. */
static int take_next(struct run *r)
{
    if (!r->closed && r->o->deadline > 0 && fa_now() - r->count.since >= r->o->deadline)
        r->closed = r->late = 1;
    if (*r->o->stop)
        r->closed = 1;
    struct row *row = free_row(r, 0, r->n_worker), *join = free_row(r, r->n_worker, r->n_row);
    if (!row || r->kill_at > 0)
        return 0;
    if (cut_next(r, row))
        return 1;
    if (r->closed || r->next == r->jobs->n || (r->n_row > r->n_worker && !join))
        return 0;
    struct fa_job *job = &r->jobs->job[r->next++];
    if (keep(r, job))
        return 1;
    const int n = join ? cut_count(&r->o->ask, job->input) : 1;
    if (n > 1)
        cut_open(r, job, n, join);
    else
        begin(r, row, job);
    return 1;
}

/* --- The loop -------------------------------------------------------------------------------------------------------------------- */

static void serve(struct run *r, int timeout_ms)
{
    nfds_t n = 0;
    for (int i = 0; i < r->n_row; i++)
        if (r->row[i].job)
            n += (nfds_t)fa_pipeline_watch(&r->row[i].pipe, r->fds + n);
    if (poll(r->fds, n, timeout_ms) < 0)
        return;
    n = 0;
    for (int i = 0; i < r->n_row; i++) {
        struct row *row = &r->row[i];
        if (!row->job)
            continue;
        const int still = fa_pipeline_serve(&row->pipe, r->fds + n);
        n += (nfds_t)row->pipe.n + 1;
        if (still)
            continue;
        r->running--;
        if (r->to->progress)
            run_say(r->to, FA_SAY_PROGRESS, "%s", "");
        if (row->cut)
            cut_ended(r, row);
        else
            finish(r, row);
    }
}

static void signal_all(struct run *r, int sig)
{
    for (int i = 0; i < r->n_row; i++)
        if (r->row[i].job)
            fa_pipeline_signal(&r->row[i].pipe, sig);
}

/* After SIGINT running clips are dropped at once, after SIGTERM when their grace is over. */
static void heed_stop(struct run *r)
{
    const int sig = *r->o->stop;
    const double t = fa_now();
    if (!sig)
        return;
    if (r->drop_at <= 0)
        r->drop_at = t + r->o->grace;
    if (r->kill_at <= 0 && (sig != SIGTERM || t >= r->drop_at)) {
        signal_all(r, SIGTERM);
        r->kill_at = t + KILL_AFTER;
    } else if (r->kill_at > 0 && t >= r->kill_at) {
        signal_all(r, SIGKILL);
        r->kill_at = t + KILL_AFTER;
    }
}

static void show(struct run *r)
{
    struct run_count c = r->count;
    const double t = fa_now();
    if (!r->to->progress || t - r->shown < TICK_MS / 1000.0)
        return;
    r->shown = t;
    for (int i = 0; i < r->n_row; i++) {
        const struct row *row = &r->row[i];
        struct run_frames f = { 0, 0 };
        if (!row->job || (row->cut && row->k >= 0))
            continue;
        if (row->cut)
            f = cut_frames(r, row->cut);
        else
            f = run_frames(&row->pipe);
        if (c.total == 1)
            run_progress_one(r->to, row->job->input, f, c.since);
        c.frames += f.done;
        c.part += f.all ? (double)f.done / (double)f.all : 0;
    }
    if (c.total > 1)
        run_progress_many(r->to, &c);
}

/* Descriptors for all pipes; where the system gives fewer, pipe2 will say so. */
static void raise_limit(int rows)
{
    const rlim_t need = (rlim_t)rows * (FA_PIPELINE_FDS + 4) + 64;
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < need) {
        l.rlim_cur = l.rlim_max == RLIM_INFINITY || l.rlim_max > need ? need : l.rlim_max;
        setrlimit(RLIMIT_NOFILE, &l);
    }
}

/* On a machine with several nodes all stages of a clip stay on one, free among its CPUs. */
static int spread(struct run *r)
{
    struct fa_topology *t = malloc(sizeof *t);
    struct fa_place_slot *slot = calloc((size_t)r->n_row + 1, sizeof *slot);
    struct fa_err e;
    const int ok = t && slot;
    if (ok && fa_topology_read(t, &e) == FA_OK && t->n > 1) {
        fa_place_plan(slot, r->n_worker, t);
        for (int i = 0; i < r->n_worker; i++)
            snprintf(r->row[i].node, sizeof r->row[i].node, "%d", slot[i].node);
    }
    free(t);
    free(slot);
    return ok;
}

static void tell_end(struct run *r)
{
    const struct run_count *c = &r->count;
    const struct fa_jobs *jobs = r->jobs;
    const int left = c->total - c->kept - c->done - c->failed;
    if (r->to->progress)
        run_say(r->to, FA_SAY_PROGRESS, "%s", "");
    if (c->total == 1)
        return;
    run_say(r->to, FA_SAY_NOTE, "%d clips: %d done, %d were done before, %d failed; %lu frames, %.1f per second", c->total, c->done, c->kept, c->failed,
            c->frames, (double)c->frames / (fa_now() - c->since + 1e-9));
    if (r->stale > 1)
        run_say(r->to, FA_SAY_WARN, "%d outputs did not fit their clip, options or models, and were asked for again", r->stale);
    if (c->failed)
        run_say(r->to, FA_SAY_ERROR, "%d of %d clips failed:", c->failed, c->total);
    for (int i = 0; i < jobs->n; i++)
        if (jobs->job[i].state == FA_JOB_FAILED)
            run_say(r->to, FA_SAY_ERROR, "  %s (status %d): %s", jobs->job[i].input, jobs->job[i].status, jobs->job[i].reason ? jobs->job[i].reason : "");
    if (left)
        run_say(r->to, FA_SAY_ERROR, r->late ? "%d clips left at the deadline" : "%d clips not done", left);
}

static int make_room(struct run *r)
{
    const int cuts = r->o->ask.segment_ms > 0 ? r->n_worker + 1 : 0;
    r->n_row = r->n_worker + cuts;
    r->row = calloc((size_t)r->n_row + 1, sizeof *r->row);
    r->fds = calloc((size_t)r->n_row + 1, FA_PIPELINE_FDS * sizeof *r->fds);
    r->cut = calloc((size_t)cuts + 1, sizeof(void *));
    return r->row && r->fds && r->cut && spread(r);
}

int fa_run(struct fa_jobs *jobs, const struct fa_run_options *o, const struct fa_listener *to)
{
    struct run r = { .jobs = jobs, .o = o, .to = to, .n_worker = o->workers, .count = { .total = jobs->n, .since = fa_now() } };
    if (make_room(&r)) {
        raise_limit(r.n_row);
        for (;;) {
            const int more = take_next(&r);
            if (!more && r.running == 0)
                break;
            if (r.running)
                serve(&r, more ? 0 : TICK_MS);
            cut_tend(&r);
            heed_stop(&r);
            show(&r);
        }
        const struct run_count *c = &r.count;
        if (c->total > c->kept + c->done + c->failed && r.worst == 0)
            r.worst = 3;
        tell_end(&r);
    } else {
        run_say(to, FA_SAY_ERROR, "out of memory");
        r.worst = 3;
    }
    free(r.row);
    free(r.fds);
    free((void *)r.cut);
    return r.worst;
}
