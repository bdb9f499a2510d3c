/* SPDX-License-Identifier: BSD-2-Clause
 * posix_spawn wrapped for our use: see fa_child.h. */
#include "fa_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int fa_pipe(int fd[2], struct fa_err *e)
{
    return pipe2(fd, O_CLOEXEC) == 0 ? FA_OK : fa_fail_errno(e, FA_E_IO, "pipe");
}

int fa_child_start(pid_t *pid, char *const argv[], const struct fa_child_fd *fds, int n_fd, struct fa_err *e)
{
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t at;
    sigset_t def;

    posix_spawn_file_actions_init(&fa);
    posix_spawnattr_init(&at);
    sigemptyset(&def);
    sigaddset(&def, SIGPIPE);
    sigaddset(&def, SIGXFSZ);
    sigaddset(&def, SIGINT);
    sigaddset(&def, SIGTERM);
    posix_spawnattr_setsigdefault(&at, &def);
    posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGDEF);
    /* First park every source above all sources and targets, so that no dup2 overwrites one still needed. */
    int high = 10;
    for (int i = 0; i < n_fd; i++) {
        high = fds[i].to >= high ? fds[i].to + 1 : high;
        high = fds[i].from >= high ? fds[i].from + 1 : high;
    }
    int r = 0;
    for (int i = 0; i < n_fd && !r; i++)
        if (fds[i].from >= 0)
            r = posix_spawn_file_actions_adddup2(&fa, fds[i].from, high + i);
    for (int i = 0; i < n_fd && !r; i++) {
        if (fds[i].from < 0) {
            r = posix_spawn_file_actions_addopen(&fa, fds[i].to, "/dev/null", O_RDWR, 0);
        } else {
            r = posix_spawn_file_actions_adddup2(&fa, high + i, fds[i].to);
            if (!r)
                r = posix_spawn_file_actions_addclose(&fa, high + i);
        }
    }
    if (!r)
        r = posix_spawnp(pid, argv[0], &fa, &at, argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    posix_spawnattr_destroy(&at);
    if (r) {
        errno = r;
        return fa_fail(e, r == ENOMEM ? FA_E_MEM : FA_E_CHILD, "%s: %s", argv[0], r == ENOENT ? "program not found" : strerror(r));
    }
    return FA_OK;
}

int fa_child_wait(pid_t pid, int *status, struct fa_err *e)
{
    int st;
    while (waitpid(pid, &st, 0) < 0)
        if (errno != EINTR)
            return fa_fail_errno(e, FA_E_CHILD, "waitpid");
    *status = WIFEXITED(st) ? WEXITSTATUS(st) : 256 + WTERMSIG(st);
    return FA_OK;
}

struct sink { int fd; char *buf; size_t len, max; int cut; };

/* Reads once; returns 0 at the end of file. What does not fit is read and dropped. */
static int sink_read(struct sink *s)
{
    char drop[4096];
    size_t room = s->max - s->len;
    ssize_t n = room ? read(s->fd, s->buf + s->len, room) : read(s->fd, drop, sizeof drop);
    if (n < 0)
        return errno == EINTR;
    if (room)
        s->len += (size_t)n;
    else if (n > 0)
        s->cut = 1;
    return n > 0;
}

char *fa_child_output(char *const argv[], size_t max, int *status, char **err_text, struct fa_err *e)
{
    return fa_child_output_fd(argv, -1, 0, 0, max, status, err_text, e);
}

char *fa_child_output_fd(char *const argv[], int from, int to, int watch, size_t max, int *status, char **err_text, struct fa_err *e)
{
    enum { ERR_MAX = 4096 };
    struct sink s[2] = { { -1, NULL, 0, max, 0 }, { -1, NULL, 0, ERR_MAX, 0 } };
    int p[2][2] = { { -1, -1 }, { -1, -1 } };
    pid_t pid = -1;
    int ok = 0, lost = 0;

    for (int i = 0; i < 2; i++) {
        s[i].buf = malloc(s[i].max + 1);
        if (!s[i].buf) {
            fa_fail(e, FA_E_MEM, "out of memory");
            goto out;
        }
        if (fa_pipe(p[i], e) != FA_OK)
            goto out;
        s[i].fd = p[i][0];
    }
    struct fa_child_fd fds[4] = { { -1, 0 }, { p[0][1], 1 }, { p[1][1], 2 }, { from, to } };
    if (fa_child_start(&pid, argv, fds, from >= 0 ? 4 : 3, e) != FA_OK)
        goto out;
    close(p[0][1]);
    close(p[1][1]);
    p[0][1] = p[1][1] = -1;
    for (int open_n = 2; open_n > 0 && !lost;) {
        struct pollfd pf[3] = { { s[0].fd, POLLIN, 0 }, { s[1].fd, POLLIN, 0 }, { watch > 0 ? watch : -1, 0, 0 } };
        if (poll(pf, 3, -1) < 0 && errno != EINTR)
            break;
        lost = pf[2].revents != 0;
        for (int i = 0; i < 2; i++)
            if (s[i].fd >= 0 && (pf[i].revents & (POLLIN | POLLHUP | POLLERR)) && !sink_read(&s[i])) {
                s[i].fd = -1;
                open_n--;
            }
    }
    if (lost)
        kill(pid, SIGKILL);
    if (fa_child_wait(pid, status, e) != FA_OK)
        goto out;
    if (lost) {
        fa_fail(e, FA_E_PIPE, "the reader is gone");
        goto out;
    }
    if (s[0].cut) {
        fa_fail(e, FA_E_CHILD, "%s: more than %zu bytes of output", argv[0], max);
        goto out;
    }
    s[0].buf[s[0].len] = s[1].buf[s[1].len] = '\0';
    ok = 1;
out:
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            if (p[i][j] >= 0)
                close(p[i][j]);
    if (err_text)
        *err_text = ok ? s[1].buf : NULL;
    if (!ok || !err_text)
        free(s[1].buf);
    if (!ok)
        free(s[0].buf);
    return ok ? s[0].buf : NULL;
}
