/* SPDX-License-Identifier: BSD-2-Clause
 * The outside of every filter stage: its input and output by name, the loop between them, and an output file that takes its
 * name only when the stream is whole and good. */
#include "fa_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fa_file.h"

static int is_standard(const char *path) { return !path || strcmp(path, "-") == 0; }

int fa_stage_files(const struct fa_stage *s, const char *in, const char *out, int level, struct fa_err *e)
{
    struct fa_reader *r = NULL;
    struct fa_writer *w = NULL;
    struct fa_out o = { 0 };
    struct fa_err second = { 0 };
    int fd = 0, status = 0;

    *e = (struct fa_err){ 0 };
    if (!is_standard(in) && (fd = open(in, O_RDONLY | O_CLOEXEC)) < 0) {
        fa_fail_errno(e, FA_E_INPUT, "%s", in);
        goto out;
    }
    if (fa_reader_open(&r, fd, is_standard(in) ? "-" : in, e) < 0 || fa_out_open(&o, out, e) < 0 ||
        fa_writer_open(&w, fileno(o.f), level, e) < 0)
        goto out;
    status = fa_stage_run(s, r, w, e);
    int closed = fa_writer_close(w, &second);
    w = NULL;
    if (closed < 0 && e->code == FA_OK)
        *e = second;
out:
    if (w)
        fa_writer_close(w, NULL);
    fa_reader_close(r);
    if (fd > 0)
        close(fd);
    if (e->code < 0 && fa_err_status(e->code) > status)
        status = fa_err_status(e->code);
    if (o.f && status == 0 && fa_out_commit(&o, e) < 0)
        status = fa_err_status(e->code);
    else if (status != 0)
        fa_out_abandon(&o, 1);
    return status;
}
