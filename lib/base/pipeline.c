/* SPDX-License-Identifier: BSD-2-Clause
 * Child programs joined by pipes: see fa_pipeline.h. */
#include "fa_pipeline.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fa_child.h"

enum { REPORT_FD = 3 };

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int fa_pipeline_start(struct fa_pipeline *p, char *const *const argv[], int n, const struct fa_pipeline_ends *ends, struct fa_err *e)
{
    int in = -1, report[2] = { -1, -1 }, next[2] = { -1, -1 }, err[2] = { -1, -1 };

    memset(p, 0, sizeof *p);
    p->report_fd = -1;
    for (int i = 0; i < FA_PIPELINE_MAX; i++)
        p->stage[i] = (struct fa_pipeline_stage){ .status = -1, .err_fd = -1 };
    int r = ends->report >= 0 ? fa_pipe(report, e) : FA_OK;
    for (int i = 0; i < n && r == FA_OK; i++) {
        struct fa_pipeline_stage *s = &p->stage[i];
        if (i + 1 < n && (r = fa_pipe(next, e)) != FA_OK)
            break;
        if ((r = fa_pipe(err, e)) != FA_OK)
            break;
        struct fa_child_fd fds[4] = { { i ? in : ends->in, 0 }, { err[1], 2 } };
        int n_fd = 2;
        if (i + 1 < n || ends->out >= 0)
            fds[n_fd++] = (struct fa_child_fd){ i + 1 < n ? next[1] : ends->out, 1 };
        if (i == ends->report)
            fds[n_fd++] = (struct fa_child_fd){ report[1], REPORT_FD };
        r = fa_child_start(&s->pid, argv[i], fds, n_fd, e);
        close_fd(&in);
        close_fd(&next[1]);
        close_fd(&err[1]);
        in = next[0];
        next[0] = -1;
        if (r != FA_OK) {
            s->pid = 0;
            close_fd(&err[0]);
            break;
        }
        s->was = s->pid;
        s->err_fd = err[0];
        err[0] = -1;
        p->n = i + 1;
        p->running++;
    }
    close_fd(&in);
    close_fd(&next[0]);
    close_fd(&next[1]);
    close_fd(&err[0]);
    close_fd(&err[1]);
    close_fd(&report[1]);
    p->report_fd = report[0];
    if (r != FA_OK) {
        fa_pipeline_signal(p, SIGTERM);
        while (fa_pipeline_step(p, -1) > 0) { }
    }
    return r;
}

static void reap(struct fa_pipeline *p, struct fa_pipeline_stage *s)
{
    struct fa_err e;
    close_fd(&s->err_fd);
    if (fa_child_wait(s->pid, &s->status, &e) != FA_OK)
        s->status = 3;
    s->pid = 0;
    if (--p->running == 0)
        close_fd(&p->report_fd);
}

/* 0 at the end of file. Text beyond the buffer is read and dropped. */
static int gather(struct fa_pipeline_stage *s)
{
    char drop[1024];
    size_t room = sizeof s->text - 1 - s->len;
    ssize_t n = read(s->err_fd, room ? s->text + s->len : drop, room ? room : sizeof drop);
    if (n < 0)
        return errno == EINTR;
    if (room)
        s->len += (size_t)n;
    s->text[s->len] = '\0';
    return n > 0;
}

static int read_report(struct fa_pipeline *p)
{
    char buf[512];
    ssize_t n = read(p->report_fd, buf, sizeof buf);
    if (n < 0)
        return errno == EINTR;
    for (ssize_t i = 0; i < n; i++) {
        if (buf[i] == '\n') {
            memcpy(p->report, p->pending, p->n_pending);
            p->report[p->n_pending] = '\0';
            p->n_pending = 0;
        } else if (p->n_pending < sizeof p->pending - 1) {
            p->pending[p->n_pending++] = buf[i];
        }
    }
    return n > 0;
}

int fa_pipeline_watch(const struct fa_pipeline *p, struct pollfd *pf)
{
    for (int i = 0; i < p->n; i++)
        pf[i] = (struct pollfd){ p->stage[i].err_fd, POLLIN, 0 };
    pf[p->n] = (struct pollfd){ p->report_fd, POLLIN, 0 };
    return p->n + 1;
}

int fa_pipeline_serve(struct fa_pipeline *p, const struct pollfd *pf)
{
    if (pf[p->n].revents && p->report_fd >= 0 && !read_report(p))
        close_fd(&p->report_fd);
    for (int i = 0; i < p->n; i++)
        if (pf[i].revents && p->stage[i].err_fd >= 0 && !gather(&p->stage[i]))
            reap(p, &p->stage[i]);
    return p->running;
}

int fa_pipeline_step(struct fa_pipeline *p, int timeout_ms)
{
    struct pollfd pf[FA_PIPELINE_FDS];
    if (p->running == 0 || poll(pf, (nfds_t)fa_pipeline_watch(p, pf), timeout_ms) < 0)
        return p->running;
    return fa_pipeline_serve(p, pf);
}

void fa_pipeline_signal(struct fa_pipeline *p, int sig)
{
    for (int i = 0; i < p->n; i++)
        if (p->stage[i].pid > 0)
            kill(p->stage[i].pid, sig);
}

int fa_pipeline_verdict(const struct fa_pipeline *p, int *culprit)
{
    int worst = 0, killed = -1, spoke = -1;
    for (int i = 0; i < p->n; i++) {
        const struct fa_pipeline_stage *s = &p->stage[i];
        int st = s->status;
        if (st == 0 || st == 256 + SIGPIPE)
            continue;
        if (st > 255) {
            if (killed < 0)
                killed = i;
            st = 3;
        } else if (s->len && spoke < 0) {
            spoke = i;
        } else if (!s->len && st == 3) {
            st = 0;               /* lost its reader: somebody to the right knows why */
        }
        if (st == 2 || (worst != 2 && st > worst))
            worst = st;
    }
    *culprit = killed >= 0 ? killed : spoke;
    return worst;
}
