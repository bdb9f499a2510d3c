/* SPDX-License-Identifier: BSD-2-Clause
 * A job log with GNU parallel's columns, which its readers (and --resume-failed) understand. */
#include "fa_run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fa_file.h"

static int no_memory(struct fa_err *e) { return fa_fail(e, FA_E_MEM, "out of memory"); }

int fa_joblog_put(const char *path, const struct fa_joblog_entry *j, struct fa_err *e)
{
    struct stat st;
    char host[256] = "", *text = NULL;
    size_t len;
    if (gethostname(host, sizeof host - 1) != 0 || !*host)
        strcpy(host, ":");
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return fa_fail_errno(e, FA_E_IO, "%s", path);
    FILE *f = open_memstream(&text, &len);
    if (!f) {
        close(fd);
        return no_memory(e);
    }
    flock(fd, LOCK_EX);                 /* where the file system has locks; elsewhere at worst a second head line */
    if (fstat(fd, &st) == 0 && st.st_size == 0)
        fputs("Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n", f);
    fprintf(f, "%d\t%s\t%.3f\t%10.3f\t0\t%llu\t%d\t%d\t%s\n", j->seq, host, j->start, j->seconds, j->received, j->status, j->signal, j->command);
    const int bad = ferror(f);
    int r = fclose(f) != 0 || bad ? no_memory(e) : fa_write_full(fd, text, len, e);
    if (r == FA_E_IO)
        fa_err_prefix(e, "%s", path);
    if (close(fd) != 0 && r == FA_OK)
        r = fa_fail_errno(e, FA_E_IO, "%s", path);
    free(text);
    return r;
}
