/* SPDX-License-Identifier: BSD-2-Clause
 * Records held back: see fa_hold.h. In the spool: struct fa_rec as it is (its data pointer means nothing there), then the payload. */
#include "fa_hold.h"
#include "ring_internal.h"
#include "stream_internal.h"

#include <stdlib.h>

enum { IN_MEMORY = 1 << 20 };

int fa_hold_open(struct fa_hold *h, struct fa_err *e)
{
    *h = (struct fa_hold){ 0 };
    return fa_spool_open(&h->spool, IN_MEMORY, e);
}

void fa_hold_close(struct fa_hold *h)
{
    fa_spool_close(&h->spool);
    free(h->data);
    h->data = NULL;
    h->cap = 0;
}

void fa_hold_reset(struct fa_hold *h)
{
    fa_spool_reset(&h->spool);
    h->at = 0;
}

int fa_hold_add(struct fa_hold *h, const struct fa_rec *rec, struct fa_err *e)
{
    unsigned char fixed[FIX_FRAME];
    struct fa_rec put = *rec;
    struct iovec v[3] = { { (void *)rec->data, rec->len } };
    int n = 1;
    if (rec->type == FA_REC_FRAME && rec->version == FRAME_BY_REF) {     /* a slot held so long would stop the pipe */
        if (ref_inline(v, fixed, &put) != FA_OK)
            return fa_fail(e, FA_E_FORMAT, "frame %llu: a reference without its pixels", (unsigned long long)rec->frame);
        n = 3;
        put.len = v[0].iov_len + v[1].iov_len + v[2].iov_len;
    }
    put.loan = NULL;
    int r = fa_spool_add(&h->spool, &put, sizeof put, e);
    for (int i = 0; i < n && r == FA_OK; i++)
        if (v[i].iov_len)
            r = fa_spool_add(&h->spool, v[i].iov_base, v[i].iov_len, e);
    return r;
}

int fa_hold_next(struct fa_hold *h, struct fa_rec *rec, struct fa_err *e)
{
    if (h->at == fa_spool_size(&h->spool))
        return FA_EOF;
    int r = fa_spool_read(&h->spool, h->at, rec, sizeof *rec, e);
    if (r != FA_OK)
        return r;
    h->at += sizeof *rec;
    if (rec->len > h->cap) {
        size_t cap = (rec->len + FA_REC_ALIGN - 1) / FA_REC_ALIGN * FA_REC_ALIGN;
        free(h->data);
        h->data = aligned_alloc(FA_REC_ALIGN, cap);
        h->cap = h->data ? cap : 0;
        if (!h->data)
            return fa_fail(e, FA_E_MEM, "out of memory for a record of %zu bytes", rec->len);
    }
    rec->data = h->data;
    r = fa_spool_read(&h->spool, h->at, h->data, rec->len, e);
    h->at += rec->len;
    return r;
}
