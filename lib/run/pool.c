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

enum { TICK_MS = 200, KILL_AFTER = 5 /* seconds from SIGTERM to SIGKILL */ };

/* A pipe that runs, or a place for one (job NULL). */
struct row {
    struct fa_job *job;
    struct fa_pipeline pipe;
    struct fa_args args[FA_N_STAGE];
    double since, clock;                /* of its start: monotonic, and of the day */
};
struct run {
    struct fa_jobs *jobs;
    const struct fa_run_options *o;
    const struct fa_listener *to;
    struct row *row;
    struct pollfd *fds;
    int n_row, running, next;           /* next: job to be looked at */
    int stale, closed, late;            /* jobs that did not fit the request; no further job is begun; because of the deadline */
    int worst;
    double drop_at, kill_at, shown;     /* 0: not */
    struct run_count count;
};

/* --- One clip ----------------------------------------------------------------------------------------------------------------- */

static void put_log(struct run *r, const struct row *row, const struct run_ending *end)
{
    struct stat st;
    struct fa_err e;
    char *text = NULL;
    size_t len;
    const struct fa_job *job = row->job;
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
        .start = row->clock, .seconds = run_now() - row->since, .command = text,
        .received = !end->status && job->csv && stat(job->csv, &st) == 0 ? (unsigned long long)st.st_size : 0 };
    if (fa_joblog_put(r->o->joblog, &entry, &e) != FA_OK)
        run_say(r->to, FA_SAY_ERROR, "%s", e.text);
    free(text);
}

/* A job is at its end: counted, logged, and its failure told. Takes end.reason. */
static void close_job(struct run *r, struct row *row, struct run_ending end)
{
    struct fa_job *job = row->job;
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
        put_log(r, row, &end);
    job->reason = end.reason;
    row->job = NULL;
}

static void close_args(struct row *row)
{
    for (int s = 0; s < FA_N_STAGE; s++)
        fa_args_close(&row->args[s]);
}

static void begin(struct run *r, struct row *row, struct fa_job *job)
{
    struct timespec t;
    struct fa_err e = { 0 };
    char *const *argv[FA_N_STAGE];
    const struct fa_pipeline_ends ends = { strcmp(job->input, "-") == 0 ? 0 : -1, -1, FA_LANDMARKS };
    int failed = 0;
    clock_gettime(CLOCK_REALTIME, &t);
    row->job = job;
    row->since = run_now();
    row->clock = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    job->state = FA_JOB_RUNS;
    fa_clip_args(row->args, &r->o->ask, job->input, job->name, job->csv, r->o->request, 1);
    for (int s = 0; s < FA_N_STAGE; s++) {
        argv[s] = row->args[s].v;
        failed |= row->args[s].failed;
    }
    if (failed)
        fa_fail(&e, FA_E_MEM, "out of memory, or too many options");
    else if (fa_pipeline_start(&row->pipe, argv, FA_N_STAGE, &ends, &e) == FA_OK) {
        r->running++;
        return;
    }
    run_clear_up(&row->pipe, row->args);
    close_args(row);
    run_say(r->to, FA_SAY_ERROR, "%s: %s", job->input, e.text);
    close_job(r, row, (struct run_ending){ .status = fa_err_status(e.code), .reason = strdup(e.text) });
}

static void finish(struct run *r, struct row *row)
{
    struct fa_job *job = row->job;
    int culprit;
    const int status = fa_pipeline_verdict(&row->pipe, &culprit);
    r->running--;
    job->frames = run_frames(&row->pipe).done;
    r->count.frames += job->frames;
    run_clear_up(&row->pipe, row->args);
    if (status && r->kill_at > 0) {     /* ended by us: not the clip's fault */
        job->state = FA_JOB_DROPPED;
        row->job = NULL;
    } else {
        if (r->to->progress)
            run_say(r->to, FA_SAY_PROGRESS, "%s", "");
        const struct run_ending end = run_end(&row->pipe, row->args, r->o->ask.level > 0, r->to);
        if (end.reason && (end.signal || culprit < 0))
            run_say(r->to, FA_SAY_ERROR, "%s: %s", job->input, end.reason);
        close_job(r, row, end);
    }
    close_args(row);
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

static struct row *free_row(struct run *r)
{
    for (int i = 0; i < r->n_row; i++)
        if (!r->row[i].job)
            return &r->row[i];
    return NULL;
}

/* Looks at one job: keeps or begins it. 0: nothing can be begun now. */
static int take_next(struct run *r)
{
    if (!r->closed && r->o->deadline > 0 && run_now() - r->count.since >= r->o->deadline)
        r->closed = r->late = 1;
    if (*r->o->stop)
        r->closed = 1;
    struct row *row = free_row(r);
    if (r->closed || !row || r->next == r->jobs->n)
        return 0;
    struct fa_job *job = &r->jobs->job[r->next++];
    if (!keep(r, job))
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
        if (!still)
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
    const double t = run_now();
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
    const double t = run_now();
    if (!r->to->progress || t - r->shown < TICK_MS / 1000.0)
        return;
    r->shown = t;
    for (int i = 0; i < r->n_row; i++) {
        const struct row *row = &r->row[i];
        if (!row->job)
            continue;
        const struct run_frames f = run_frames(&row->pipe);
        if (c.total == 1)
            run_progress_one(r->to, row->job->input, f, row->since);
        c.frames += f.done;
        c.part += f.all ? (double)f.done / (double)f.all : 0;
    }
    if (c.total > 1)
        run_progress_many(r->to, &c);
}

/* Descriptors for all pipes; where the system gives fewer, pipe2 will say so. */
static void raise_limit(int workers)
{
    const rlim_t need = (rlim_t)workers * FA_PIPELINE_FDS + 64;
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < need) {
        l.rlim_cur = l.rlim_max == RLIM_INFINITY || l.rlim_max > need ? need : l.rlim_max;
        setrlimit(RLIMIT_NOFILE, &l);
    }
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
            c->frames, (double)c->frames / (run_now() - c->since + 1e-9));
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

int fa_run(struct fa_jobs *jobs, const struct fa_run_options *o, const struct fa_listener *to)
{
    struct run r = { .jobs = jobs, .o = o, .to = to, .n_row = o->workers < jobs->n ? o->workers : jobs->n,
                     .count = { .total = jobs->n, .since = run_now() } };
    r.row = calloc((size_t)r.n_row + 1, sizeof *r.row);
    r.fds = calloc((size_t)r.n_row + 1, FA_PIPELINE_FDS * sizeof *r.fds);
    if (!r.row || !r.fds) {
        free(r.row);
        free(r.fds);
        run_say(to, FA_SAY_ERROR, "out of memory");
        return 3;
    }
    raise_limit(r.n_row);
    for (;;) {
        const int more = take_next(&r);
        if (!more && r.running == 0)
            break;
        if (r.running)
            serve(&r, more ? 0 : TICK_MS);
        heed_stop(&r);
        show(&r);
    }
    const struct run_count *c = &r.count;
    if (c->total > c->kept + c->done + c->failed && r.worst == 0)
        r.worst = 3;
    tell_end(&r);
    free(r.row);
    free(r.fds);
    return r.worst;
}
