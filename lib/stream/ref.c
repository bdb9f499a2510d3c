/* SPDX-License-Identifier: BSD-2-Clause
 * References: what stands in the stream for a frame's pixels, how a reader gets from one to the pixels, and how a frame goes on.
 *
 * A reference names the pipe that it was written into. A reader compares that with its own input before it does anything else, so whatever
 * stood between (a file, tee, cat, another machine) is noticed at the first record, and nothing is ever opened on behalf of a stream that
 * is not a live pipe. Then /proc/PID/fd/N must be a ring's memfd with the reference's random token, and the slot in it must hold what the
 * reference says. */
#include "stream_internal.h"
#include "ring_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fa_le.h"

struct pipe_id pipe_of(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISFIFO(st.st_mode))
        return (struct pipe_id){ 0, 0 };
    return (struct pipe_id){ (uint64_t)st.st_dev, (uint64_t)st.st_ino };
}

void ref_pack(unsigned char p[REF_BYTES], const struct ref *r)
{
    memset(p, 0, REF_BYTES);
    fa_put_u32(p, r->pid);
    fa_put_u32(p + 4, (uint32_t)r->fd);
    fa_put_u64(p + 8, r->token);
    fa_put_u32(p + 16, r->slot);
    fa_put_u64(p + 24, r->use);
    fa_put_u64(p + 32, r->offset);
    fa_put_u64(p + 40, r->pipe.dev);
    fa_put_u64(p + 48, r->pipe.ino);
}

const char *ref_unpack(struct ref *r, const unsigned char p[REF_BYTES])
{
    *r = (struct ref){ .pid = fa_le_u32(p), .fd = fa_le_i32(p + 4), .token = fa_le_u64(p + 8), .slot = fa_le_u32(p + 16), .use = fa_le_u64(p + 24),
                       .offset = fa_le_u64(p + 32), .pipe = { fa_le_u64(p + 40), fa_le_u64(p + 48) } };
    if (fa_le_u32(p + 20) != 0 || fa_le_u64(p + 56) != 0)
        return "a reserved field of its reference is in use";
    if (r->pid < 1 || r->pid > INT32_MAX || r->fd < 0 || r->slot >= RING_SLOTS || r->pipe.ino == 0)
        return "a field of its reference is beyond its limits";
    return NULL;
}

const unsigned char *ref_at(const struct fa_rec *rec) { return rec->data + FIX_FRAME; }

int fa_get_ref(struct fa_ref_text *t, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_frame f;
    struct ref r;
    int code = fa_get_frame(&f, rec, e);
    if (code != FA_OK)
        return code;
    if (rec->version != FRAME_BY_REF)
        return fa_fail(e, FA_E_FORMAT, "not a frame by reference");
    ref_unpack(&r, ref_at(rec));
    *t = (struct fa_ref_text){ r.pid, r.fd, r.slot, r.use };
    return FA_OK;
}

/* /proc/PID/fd/N is asked what it is before it is opened: opening a device or a FIFO can do things. */
static int open_ring(struct ref_reader *rr, const struct ref *r, struct fa_err *e)
{
    char path[64], what[64];
    snprintf(path, sizeof path, "/proc/%u/fd/%d", (unsigned)r->pid, (int)r->fd);
    ssize_t n = readlink(path, what, sizeof what - 1);
    int fd = -1;
    what[n > 0 ? n : 0] = '\0';
    if (n > 0 && strncmp(what, "/memfd:" RING_NAME " ", sizeof "/memfd:" RING_NAME) == 0)
        fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    else if (n > 0)
        errno = ENOENT;
    if (fd < 0 && (errno == EACCES || errno == EPERM))
        return fa_fail(e, FA_E_IO, "the frames are in the memory of process %u, which is another user's: frames by reference stay with one user",
                       (unsigned)r->pid);
    if (fd < 0 && errno == ENOENT)
        return fa_fail(e, FA_E_TRUNC, "process %u, whose memory has the frames, is gone", (unsigned)r->pid);
    if (fd < 0)
        return fa_fail_errno(e, FA_E_IO, "%s", path);
    struct ring_map *m;
    int code = ring_map_open(&m, fd, 0, e);
    close(fd);
    if (code == FA_OK && m->token != r->token) {
        ring_map_leave(m);
        code = fa_fail(e, FA_E_TRUNC, "process %u, whose memory has the frames, is gone", (unsigned)r->pid);
    }
    if (code != FA_OK)
        return code;
    ring_map_leave(rr->map);
    rr->map = m;
    if (!ring_sign_in(m, rr->pipe.ino))
        return fa_fail(e, FA_E_FORMAT, "more than %d programs in one pipe cannot share frames", RING_READERS);
    return FA_OK;
}

int ref_attach(struct ref_reader *rr, struct fa_rec *rec, const struct fa_frame *f, struct fa_err *e)
{
    struct ref r;
    int code;
    ref_unpack(&r, ref_at(rec));
    if (r.pipe.ino != rr->pipe.ino || r.pipe.dev != rr->pipe.dev)
        return fa_fail(e, FA_E_FORMAT, "frames by reference need a direct pipe from the program that writes them (process %u's frames): no file, "
                       "tee, cat or other machine between (leave out -S)", (unsigned)r.pid);
    if ((!rr->map || rr->map->token != r.token) && (code = open_ring(rr, &r, e)) != FA_OK)
        return code;
    const struct ring_map *m = rr->map;
    uint64_t need = (uint64_t)f->w * (uint64_t)f->h * (uint64_t)pix_bytes(f->format);
    if (r.slot >= m->n_slot || r.offset != RING_DATA + r.slot * m->slot_b || need > m->slot_b)
        return fa_fail(e, FA_E_FORMAT, "the reference is to no slot of the ring");
    if (atomic_load(&m->head->slot[r.slot].holds) == 0 || atomic_load(&m->head->slot[r.slot].use) != r.use)
        return fa_fail(e, FA_E_FORMAT, "the slot of the reference has another frame by now");
    rr->loan = (struct fa_loan){ rr->map, r.slot, ring_px(m, r.slot) };
    rec->loan = &rr->loan;
    return FA_OK;
}

void ref_release(struct ref_reader *rr)
{
    if (rr->loan.map)
        ring_give_back(rr->loan.map, rr->loan.slot);
    rr->loan = (struct fa_loan){ 0 };
}

void ref_close(struct ref_reader *rr)
{
    ref_release(rr);
    ring_map_leave(rr->map);
    rr->map = NULL;
}

int fa_loan_keep(struct fa_loan *l, const struct fa_rec *rec)
{
    *l = (struct fa_loan){ 0 };
    if (!rec->loan)
        return 0;
    *l = *rec->loan;
    ring_map_use(l->map);
    ring_hold(l->map, l->slot);
    return 1;
}

void fa_loan_return(struct fa_loan *l)
{
    if (l->map) {
        ring_give_back(l->map, l->slot);
        ring_map_leave(l->map);
    }
    *l = (struct fa_loan){ 0 };
}

int ref_inline(struct iovec v[3], unsigned char *p, struct fa_rec *rec)
{
    struct fa_frame f;
    int code = fa_get_frame(&f, rec, NULL);
    if (code != FA_OK || !rec->loan)
        return code != FA_OK ? code : FA_E_FORMAT;
    const size_t after = FIX_FRAME + REF_BYTES;
    memcpy(p, rec->data, FIX_FRAME);
    v[0] = (struct iovec){ p, FIX_FRAME };
    v[1] = (struct iovec){ (void *)f.px, (size_t)f.w * (size_t)f.h * (size_t)pix_bytes(f.format) };
    v[2] = (struct iovec){ (void *)(rec->data + after), rec->len - after };
    rec->version = FA_STREAM_VERSION;
    return FA_OK;
}

int ref_put(struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    unsigned char p[FIX_FRAME + REF_BYTES];
    struct iovec v[3];
    struct fa_rec out = *rec;
    struct ref r;
    if (!fa_writer_by_reference(w)) {
        if (ref_inline(v, p, &out) != FA_OK)
            return fa_fail(e, FA_E_FORMAT, "frame %llu: a reference without its pixels", (unsigned long long)rec->frame);
        return writer_put(w, &out, v, 3, e);
    }
    int code = fa_get_frame(&(struct fa_frame){ 0 }, rec, e);
    if (code != FA_OK || !rec->loan)
        return code != FA_OK ? code : fa_fail(e, FA_E_FORMAT, "frame %llu: a reference without its pixels", (unsigned long long)rec->frame);
    ref_unpack(&r, ref_at(rec));
    r.pipe = writer_pipe(w);
    memcpy(p, rec->data, FIX_FRAME);
    ref_pack(p + FIX_FRAME, &r);
    v[0] = (struct iovec){ p, sizeof p };
    v[1] = (struct iovec){ (void *)(rec->data + sizeof p), rec->len - sizeof p };
    ring_hold(rec->loan->map, rec->loan->slot);          /* the hold that travels with it */
    code = writer_put(w, rec, v, 2, e);
    if (code == FA_OK)
        writer_sent(w, rec->loan->map);
    else
        ring_give_back(rec->loan->map, rec->loan->slot);
    return code;
}
