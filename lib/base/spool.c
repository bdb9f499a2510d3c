/* SPDX-License-Identifier: BSD-2-Clause
 * Bytes put aside: see fa_spool.h. The file holds [0, flushed), the block [flushed, flushed + used). */
#include "fa_spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_file.h"

int fa_spool_open(struct fa_spool *s, size_t block, struct fa_err *e)
{
    *s = (struct fa_spool){ .block = malloc(block), .cap = block, .fd = -1 };
    return s->block ? FA_OK : fa_fail(e, FA_E_MEM, "out of memory");
}

void fa_spool_close(struct fa_spool *s)
{
    if (s->block && s->fd >= 0)
        close(s->fd);
    free(s->block);
    *s = (struct fa_spool){ .fd = -1 };
}

void fa_spool_reset(struct fa_spool *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->used = 0;
    s->flushed = 0;
}

/* Appends to the file. */
static int to_file(struct fa_spool *s, const void *data, size_t len, struct fa_err *e)
{
    if (s->fd < 0 && (s->fd = fa_tmpfile(e)) < 0)
        return e ? e->code : FA_E_IO;
    int r = fa_write_full(s->fd, data, len, e);
    if (r != FA_OK)
        return fa_fail(e, FA_E_IO, "temporary file: cannot write %zu bytes (%s)", len, strerror(errno));
    s->flushed += len;
    return FA_OK;
}

int fa_spool_add(struct fa_spool *s, const void *data, size_t len, struct fa_err *e)
{
    int r;
    if (len > s->cap - s->used) {
        if ((r = to_file(s, s->block, s->used, e)) != FA_OK)
            return r;
        s->used = 0;
        if (len > s->cap)
            return to_file(s, data, len, e);
    }
    memcpy(s->block + s->used, data, len);
    s->used += len;
    return FA_OK;
}

int fa_spool_read(const struct fa_spool *s, uint64_t at, void *data, size_t len, struct fa_err *e)
{
    unsigned char *p = data;
    while (len > 0 && at < s->flushed) {
        uint64_t left = s->flushed - at;
        ssize_t n = pread(s->fd, p, left < len ? (size_t)left : len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? fa_fail_errno(e, FA_E_IO, "temporary file") : fa_fail(e, FA_E_IO, "temporary file: cut short");
        p += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    if (len > 0)
        memcpy(p, s->block + (at - s->flushed), len);
    return FA_OK;
}
