/* SPDX-License-Identifier: BSD-2-Clause
 * One input in a form that ffmpeg opens whatever it is called and wherever it comes from.
 * A file goes by "file:NAME": no dash, blank, newline or colon means anything there. Only its image reader gives % * ? { a meaning, so
 * such names, and standard input, go as an open descriptor. What cannot seek (pipe, FIFO) is copied to an unlinked temporary file
 * first: ffprobe and ffmpeg each want to read from the start, and many containers keep their index at the end. */
#include "media_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fa_file.h"

/* Some bytes; 0 at the end; -1 with e filled. */
static ssize_t read_some(int from, int watch, char *buf, size_t size, struct fa_err *e)
{
    for (;;) {
        struct pollfd p[2] = { { from, POLLIN, 0 }, { watch > 0 ? watch : -1, 0, 0 } };
        if (poll(p, 2, -1) > 0 && p[1].revents)
            return fa_fail(e, FA_E_PIPE, "the reader is gone"), -1;
        ssize_t n = p[0].revents ? read(from, buf, size) : -1;
        if (n >= 0)
            return n;
        if (errno != EINTR && errno != EAGAIN)
            return fa_fail_errno(e, FA_E_IO, "read"), -1;
    }
}

static int spool(int from, int watch, struct fa_err *e)
{
    enum { BLOCK = 1 << 16 };
    char *buf = malloc(BLOCK);
    if (!buf)
        return fa_fail(e, FA_E_MEM, "out of memory"), -1;
    int fd = fa_tmpfile(e);
    ssize_t n = 0;
    while (fd >= 0 && (n = read_some(from, watch, buf, BLOCK, e)) > 0)
        if (fa_write_full(fd, buf, (size_t)n, e) != FA_OK) {
            fa_err_prefix(e, "copy of the input in $TMPDIR");
            n = -1;
            break;
        }
    if (fd >= 0 && n < 0) {
        close(fd);
        fd = -1;
    }
    free(buf);
    return fd;
}

/* Takes fd over: keeps it when it is a file, replaces it by a copy when it is a pipe. */
static int use_descriptor(struct fa_source *s, int fd, struct fa_err *e)
{
    struct stat st;
    s->fd = fd;
    if (fstat(fd, &st) != 0)
        return fa_fail_errno(e, FA_E_INPUT, "fstat");
    if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) {
        s->fd = spool(fd, s->watch, e);
        close(fd);
        if (s->fd < 0)
            return e->code;
    } else if (!S_ISREG(st.st_mode)) {
        return fa_fail(e, FA_E_INPUT, "not a file or a pipe");
    }
    if (fstat(s->fd, &st) != 0)
        return fa_fail_errno(e, FA_E_INPUT, "fstat");
    return st.st_size > 0 ? FA_OK : fa_fail(e, FA_E_INPUT, "empty file");
}

int fa_source_open(struct fa_source *s, const char *input, int watch, struct fa_err *e)
{
    *s = (struct fa_source){ NULL, -1, watch };
    int from_stdin = strcmp(input, "-") == 0;
    if (from_stdin && isatty(0))
        return fa_fail(e, FA_E_ARG, "standard input is a terminal");
    int fd = from_stdin ? fcntl(0, F_DUPFD_CLOEXEC, 10) : open(input, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fa_fail(e, errno == EMFILE || errno == ENFILE ? FA_E_IO : FA_E_INPUT, "%s", strerror(errno));
    int r = use_descriptor(s, fd, e);
    size_t size = strlen(input) + 32;
    if (r == FA_OK && !(s->arg = malloc(size)))
        r = fa_fail(e, FA_E_MEM, "out of memory");
    if (r != FA_OK) {
        fa_source_close(s);
    } else if (from_stdin || s->fd != fd || strpbrk(input, "%*?{")) {
        snprintf(s->arg, size, "file:/dev/fd/%d", FA_SOURCE_FD);
    } else {
        snprintf(s->arg, size, "file:%s", input);
        close(s->fd);
        s->fd = -1;
    }
    return r;
}

void fa_source_close(struct fa_source *s)
{
    if (s->fd >= 0)
        close(s->fd);
    free(s->arg);
    *s = (struct fa_source){ NULL, -1, s->watch };
}
