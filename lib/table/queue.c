/* SPDX-License-Identifier: BSD-2-Clause
 * The queue: a spool, and how far it has been read. Where the reader keeps up the spool is emptied after each string and never
 * leaves memory. */
#include "fa_queue.h"

#include <stdlib.h>

enum { BLOCK = 1 << 20, ALIGN = 64 };

struct sizes { size_t fixed, more; };                   /* before each string */

static size_t padded(size_t n) { return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1); }

int fa_queue_open(struct fa_queue *q, struct fa_err *e)
{
    *q = (struct fa_queue){ 0 };
    return fa_spool_open(&q->spool, BLOCK, e);
}

void fa_queue_close(struct fa_queue *q)
{
    fa_spool_close(&q->spool);
    free(q->item);
    *q = (struct fa_queue){ 0 };
}

void fa_queue_reset(struct fa_queue *q)
{
    fa_spool_reset(&q->spool);
    q->at = 0;
}

int fa_queue_put(struct fa_queue *q, const void *fixed, size_t n_fixed, const void *more, size_t n_more, struct fa_err *e)
{
    const struct sizes n = { n_fixed, n_more };
    if (q->at > 0 && fa_queue_empty(q))
        fa_queue_reset(q);
    int r = fa_spool_add(&q->spool, &n, sizeof n, e);
    if (r == FA_OK)
        r = fa_spool_add(&q->spool, fixed, n_fixed, e);
    if (r == FA_OK && n_more)
        r = fa_spool_add(&q->spool, more, n_more, e);
    return r;
}

int fa_queue_get(struct fa_queue *q, const void **fixed, const void **more, size_t *n_more, struct fa_err *e)
{
    struct sizes n;
    if (fa_queue_empty(q))
        return 0;
    int r = fa_spool_read(&q->spool, q->at, &n, sizeof n, e);
    if (r != FA_OK)
        return r;
    const size_t need = padded(n.fixed) + padded(n.more) + ALIGN;
    if (need > q->cap) {
        free(q->item);
        q->item = aligned_alloc(ALIGN, need);
        q->cap = q->item ? need : 0;
        if (!q->item)
            return fa_fail(e, FA_E_MEM, "out of memory");
    }
    unsigned char *behind = q->item + padded(n.fixed);
    if ((r = fa_spool_read(&q->spool, q->at + sizeof n, q->item, n.fixed, e)) != FA_OK
        || (r = fa_spool_read(&q->spool, q->at + sizeof n + n.fixed, behind, n.more, e)) != FA_OK)
        return r;
    q->at += sizeof n + n.fixed + n.more;
    *fixed = q->item;
    *more = behind;
    *n_more = n.more;
    return 1;
}
