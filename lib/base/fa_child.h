/* SPDX-License-Identifier: BSD-2-Clause
 * Child processes by posix_spawn, never through a shell: ffmpeg, ffprobe, curl, sha256sum, and the stages that fa starts. */
#ifndef FA_CHILD_H
#define FA_CHILD_H

#include <sys/types.h>
#include "fa_err.h"

/* A descriptor of ours that the child gets as another number; from < 0: /dev/null opened there. */
struct fa_child_fd { int from, to; };

/* Starts argv[0] (searched in PATH) with just the listed descriptors besides 0, 1, 2 (those are inherited unless listed).
 * SIGPIPE is back at its default in the child. FA_OK (pid set) or FA_E_CHILD ("ffmpeg: not found; install ..." is the caller's to say). */
int fa_child_start(pid_t *pid, char *const argv[], const struct fa_child_fd *fds, int n_fd, struct fa_err *e);
/* Waits. FA_OK and *status = exit status 0..255, or 256 + signal when it was killed; FA_E_CHILD when it cannot be waited for. */
int fa_child_wait(pid_t pid, int *status, struct fa_err *e);
/* pipe2 with both ends close-on-exec. */
int fa_pipe(int fd[2], struct fa_err *e);
/* Runs argv to its end and returns its standard output (at most max bytes, NUL-terminated, to be freed) and *status as above.
 * NULL and e filled when it cannot be started or prints more. err_text (may be NULL): its standard error likewise, cut at 4 KiB. */
char *fa_child_output(char *const argv[], size_t max, int *status, char **err_text, struct fa_err *e);
/* The same for a child that also gets our descriptor from as to (>= 3); from < 0: none. watch > 0: a pipe that we write into; when its reader
 * is gone the child is killed (NULL, FA_E_PIPE). */
char *fa_child_output_fd(char *const argv[], int from, int to, int watch, size_t max, int *status, char **err_text, struct fa_err *e);

#endif
