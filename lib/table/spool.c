/* SPDX-License-Identifier: BSD-2-Clause
 * The queue: a block being read, blocks in the file, a block being written. Where the reader keeps up, the two blocks in memory
 * change places and no file is made. */
#include "fa_spool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_file.h"

enum { BLOCK = 1 << 20, ALIGN = 64 };

/* Before each string. */
struct entry { size_t n_fixed, n_more; };

static size_t padded(size_t n) { return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1); }

void fa_spool_open(struct fa_spool *s) { *s = (struct fa_spool){ .fd = -1 }; }

void fa_spool_close(struct fa_spool *s)
{
    free(s->head.p);
    free(s->tail.p);
    if (s->fd >= 0)
        close(s->fd);
    fa_spool_open(s);
}

int fa_spool_empty(const struct fa_spool *s) { return s->head.at == s->head.len && !s->in_file && s->tail.len == 0; }

static int reserve(struct fa_spool_block *b, size_t need, struct fa_err *e)
{
    if (b->cap >= need)
        return FA_OK;
    size_t cap = need < BLOCK ? BLOCK : padded(need);
    unsigned char *p = aligned_alloc(ALIGN, cap);
    if (!p)
        return fa_fail(e, FA_E_MEM, "out of memory");
    if (b->len)
        memcpy(p, b->p, b->len);
    free(b->p);
    b->p = p;
    b->cap = cap;
    return FA_OK;
}

static int write_tail(struct fa_spool *s, struct fa_err *e)
{
    uint64_t n = s->tail.len;
    if (s->fd < 0 && (s->fd = fa_tmpfile(e)) < 0)
        return FA_E_IO;
    if (lseek(s->fd, s->to, SEEK_SET) < 0)
        return fa_fail_errno(e, FA_E_IO, "temporary file");
    int r = fa_write_full(s->fd, &n, sizeof n, e);
    if (r == FA_OK)
        r = fa_write_full(s->fd, s->tail.p, s->tail.len, e);
    if (r != FA_OK)
        return fa_err_prefix(e, "temporary file");
    s->to += (off_t)(sizeof n + n);
    s->in_file++;
    s->tail.len = 0;
    return FA_OK;
}

int fa_spool_put(struct fa_spool *s, const void *fixed, size_t n_fixed, const void *more, size_t n_more, struct fa_err *e)
{
    const size_t need = ALIGN + padded(n_fixed) + padded(n_more);
    int r = FA_OK;
    if (s->tail.len && s->tail.len + need > BLOCK)
        r = write_tail(s, e);
    if (r == FA_OK)
        r = reserve(&s->tail, s->tail.len + need, e);
    if (r != FA_OK)
        return r;
    unsigned char *p = s->tail.p + s->tail.len;
    memset(p, 0, need);
    memcpy(p, &(struct entry){ n_fixed, n_more }, sizeof(struct entry));
    memcpy(p + ALIGN, fixed, n_fixed);
    if (n_more)
        memcpy(p + ALIGN + padded(n_fixed), more, n_more);
    s->tail.len += need;
    return FA_OK;
}

/* The next block of the file, or the tail, becomes the head. */
static int next_block(struct fa_spool *s, struct fa_err *e)
{
    s->head.at = s->head.len = 0;
    if (!s->in_file) {
        struct fa_spool_block b = s->head;
        s->head = s->tail;
        s->tail = b;
        return FA_OK;
    }
    uint64_t n;
    if (lseek(s->fd, s->from, SEEK_SET) < 0 || fa_read_full(s->fd, &n, sizeof n) != (long long)sizeof n)
        return fa_fail_errno(e, FA_E_IO, "temporary file");
    int r = reserve(&s->head, (size_t)n, e);
    if (r != FA_OK)
        return r;
    if (fa_read_full(s->fd, s->head.p, (size_t)n) != (long long)n)
        return fa_fail_errno(e, FA_E_IO, "temporary file");
    s->head.len = (size_t)n;
    s->from += (off_t)(sizeof n + n);
    if (--s->in_file == 0)
        s->from = s->to = 0;
    return FA_OK;
}

int fa_spool_get(struct fa_spool *s, const void **fixed, const void **more, size_t *n_more, struct fa_err *e)
{
    if (fa_spool_empty(s))
        return 0;
    if (s->head.at == s->head.len) {
        int r = next_block(s, e);
        if (r != FA_OK)
            return r;
    }
    struct entry at;
    const unsigned char *p = s->head.p + s->head.at;
    memcpy(&at, p, sizeof at);
    *fixed = p + ALIGN;
    *more = p + ALIGN + padded(at.n_fixed);
    *n_more = at.n_more;
    s->head.at += ALIGN + padded(at.n_fixed) + padded(at.n_more);
    return 1;
}
