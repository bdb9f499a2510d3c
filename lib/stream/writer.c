/* SPDX-License-Identifier: BSD-2-Clause
 * Writer of the record stream: one writev a record straight from the caller's memory, or the same pieces through one zstd
 * frame. No stdio: a record is in the kernel's hands when its put returns, so the next stage works while we do. */
#include "stream_internal.h"
#include "ring_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "fa_file.h"

struct fa_writer {
    int fd, in_clip, live;               /* live: a pipe or socket, where someone waits for each record */
    uint64_t n_frame;
    struct pipe_id pipe;                 /* what fd is; ino 0: references cannot go there */
    struct ring_map *sent;               /* ring of the first reference that went out, until the reader has attached to it */
    int known, ticks;                    /* it has; how long the pipe is empty and it has not */
    struct fa_hold *hold;                /* takes what fa_put_rec would write; NULL: nothing does */
    XXH3_state_t *sum;
    ZSTD_CCtx *z;                        /* NULL: plain */
    unsigned char *out;                  /* compressed bytes not yet written: used of cap */
    size_t used, cap;
    struct fa_err failed;                /* code < 0: the first failure to write */
};

enum { PIPE_SIZE = 1 << 20 };            /* a 640x480 frame without waiting for the reader half-way */

int writer_in_clip(const struct fa_writer *w) { return w->in_clip; }
uint64_t fa_writer_frames(const struct fa_writer *w) { return w->n_frame; }
void fa_writer_hold(struct fa_writer *w, struct fa_hold *h) { w->hold = h; }
struct fa_hold *writer_hold(const struct fa_writer *w) { return w->hold; }

int writer_fd(const struct fa_writer *w) { return w->fd; }
int fa_writer_by_reference(const struct fa_writer *w) { return w->pipe.ino != 0; }
struct pipe_id writer_pipe(const struct fa_writer *w) { return w->pipe; }

void writer_sent(struct fa_writer *w, struct ring_map *m)
{
    if (!w->known && !w->sent)
        w->sent = ring_map_use(m);
}

int writer_expects(struct fa_writer *w)
{
    if (!w->sent || !ring_signed_in(w->sent, w->pipe.ino))
        return w->sent != NULL;
    ring_map_leave(w->sent);             /* it may be busy for long before it looks at the next generation: once is enough */
    w->sent = NULL;
    w->known = 1;
    return 0;
}

int writer_watch(struct fa_writer *w, struct fa_err *e)
{
    struct pollfd p = { w->fd, 0, 0 };
    int unread = 0;
    if (poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLHUP | POLLNVAL))) {
        fa_fail(&w->failed, FA_E_PIPE, "the reader is gone");
        return fa_fail(e, FA_E_PIPE, "the reader is gone");
    }
    int taken = writer_expects(w) && ioctl(w->fd, FIONREAD, &unread) == 0 && unread == 0;
    w->ticks = taken ? w->ticks + 1 : 0;
    if (w->ticks <= RING_PATIENCE)
        return FA_OK;
    return fa_fail(e, FA_E_ARG, "what reads the output (cat, tee, another program) does not take frames by reference: they need a direct pipe "
                   "to the program that uses them (leave out -S)");
}

static void writer_free(struct fa_writer *w)
{
    ring_map_leave(w->sent);
    XXH3_freeState(w->sum);
    ZSTD_freeCCtx(w->z);
    free(w->out);
    free(w);
}

int fa_writer_open(struct fa_writer **out, int fd, int level, struct fa_err *e)
{
    struct stat st;
    *out = NULL;
    if (level < 0 || level > 19)
        return fa_fail(e, FA_E_ARG, "compression level %d is not one of 0 to 19", level);
    if (isatty(fd))
        return fa_fail(e, FA_E_ARG, "the output is a terminal and a record stream is not text: use a pipe or a file, or fa-view to look at it");
    struct fa_writer *w = calloc(1, sizeof *w);
    if (!w)
        return fa_fail(e, FA_E_MEM, "out of memory");
    w->fd = fd;
    w->pipe = level ? (struct pipe_id){ 0, 0 } : pipe_of(fd);
    w->live = fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
    w->sum = XXH3_createState();
    int ok = w->sum != NULL;
    if (ok && level > 0) {
        w->cap = ZSTD_CStreamOutSize();
        w->out = malloc(w->cap);
        w->z = ZSTD_createCCtx();
        ok = w->out && w->z && !ZSTD_isError(ZSTD_CCtx_setParameter(w->z, ZSTD_c_compressionLevel, level));
    }
    if (!ok) {
        writer_free(w);
        return fa_fail(e, FA_E_MEM, "out of memory");
    }
#ifdef F_SETPIPE_SZ
    if (w->live && S_ISFIFO(st.st_mode))
        (void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);    /* a wish: above the user's limit the pipe stays as it is */
#endif
    *out = w;
    return FA_OK;
}

/* Every piece to fd, through signals and short counts. The pieces are used up. */
static int write_all(int fd, struct iovec *v, int n, struct fa_err *e)
{
    for (int i = 0; i < n;) {
        if (v[i].iov_len == 0) {
            i++;
            continue;
        }
        ssize_t done = writev(fd, v + i, n - i);
        if (done < 0) {
            if (errno == EINTR)
                continue;
            return fa_fail_errno(e, FA_E_IO, "write");
        }
        for (size_t left = (size_t)done; left > 0 && i < n; i += left > 0) {
            size_t k = left < v[i].iov_len ? left : v[i].iov_len;
            v[i].iov_base = (char *)v[i].iov_base + k;
            v[i].iov_len -= k;
            left -= k;
        }
    }
    return FA_OK;
}

/* len bytes through the compressor; mode flush or end empties it to fd. */
static int squeeze(struct fa_writer *w, const void *p, size_t len, ZSTD_EndDirective mode, struct fa_err *e)
{
    ZSTD_inBuffer in = { p, len, 0 };
    for (;;) {
        ZSTD_outBuffer out = { w->out, w->cap, w->used };
        size_t left = ZSTD_compressStream2(w->z, &out, &in, mode);
        if (ZSTD_isError(left))
            return fa_fail(e, FA_E_MEM, "zstd: %s", ZSTD_getErrorName(left));
        w->used = out.pos;
        int done = mode == ZSTD_e_continue ? in.pos == in.size : left == 0;
        if (w->used == w->cap || (done && mode != ZSTD_e_continue)) {
            int code = fa_write_full(w->fd, w->out, w->used, e);
            if (code != FA_OK)
                return code;
            w->used = 0;
        }
        if (done)
            return FA_OK;
    }
}

int writer_put(struct fa_writer *w, const struct fa_rec *rec, const struct iovec *piece, int n, struct fa_err *e)
{
    static const unsigned char zero[FA_REC_ALIGN];
    unsigned char head[FA_REC_HEADER];
    struct iovec v[REC_PIECES + 2];
    struct fa_rec r = *rec;
    assert(n <= REC_PIECES);
    if (w->failed.code < 0)
        return fa_fail(e, w->failed.code, "%s", w->failed.text);
    XXH3_64bits_reset(w->sum);
    r.len = 0;
    for (int i = 0; i < n; i++) {
        if (piece[i].iov_len)
            XXH3_64bits_update(w->sum, piece[i].iov_base, piece[i].iov_len);
        r.len += piece[i].iov_len;
        v[i + 1] = piece[i];
    }
    rec_pack(head, &r, XXH3_64bits_digest(w->sum));
    v[0] = (struct iovec){ head, sizeof head };
    v[n + 1] = (struct iovec){ (void *)zero, rec_round(r.len) - r.len };

    int code = FA_OK;
    if (!w->z)
        code = write_all(w->fd, v, n + 2, &w->failed);
    for (int i = 0; w->z && code == FA_OK && i < n + 2; i++)
        if (v[i].iov_len)
            code = squeeze(w, v[i].iov_base, v[i].iov_len, ZSTD_e_continue, &w->failed);
    if (w->z && code == FA_OK && w->live)
        code = squeeze(w, NULL, 0, ZSTD_e_flush, &w->failed);
    if (code != FA_OK)
        return fa_fail(e, code, "%s", w->failed.text);
    if (rec->type == FA_REC_CLIP) {
        w->in_clip = 1;
        w->n_frame = 0;
    }
    w->n_frame += rec->type == FA_REC_FRAME;
    if (rec->type == FA_REC_END)
        w->in_clip = 0;
    return FA_OK;
}

int fa_writer_close(struct fa_writer *w, struct fa_err *e)
{
    if (!w)
        return FA_OK;
    if (w->failed.code == FA_OK && w->z)
        squeeze(w, NULL, 0, ZSTD_e_end, &w->failed);
    int code = w->failed.code;
    if (code < 0)
        fa_fail(e, code, "%s", w->failed.text);
    writer_free(w);
    return code;
}
