/* SPDX-License-Identifier: BSD-2-Clause
 * Reader of the record stream. One window of bytes slides over the input:
 *
 *      buf              start           end            cap
 *      | used up ...... | bytes read .. | free ....... |
 *
 * buf is 64-byte aligned and every record a multiple of 64 long, so each header and payload is aligned where it lies and nothing
 * is copied but the few bytes after a record when the window moves back to the front. The window grows only when it is full of
 * bytes that did arrive: a length in a header costs no memory by itself. */
#include "stream_internal.h"
#include "ring_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "fa_le.h"

enum { WINDOW = 256 << 10, AHEAD = 64 << 10 };   /* first size; bytes read beyond what a record needs */
enum { ZSTD_WINDOW_LOG = 27 };                   /* 128 MiB: what zstd itself accepts without being told otherwise */

struct fa_reader {
    int fd, begun, eof;
    char name[200], clip_name[104];
    unsigned char *buf;
    size_t cap, start, end, taken;               /* taken: bytes of the record given out last */
    uint64_t offset;                             /* of buf[start] in the (uncompressed) stream */
    ZSTD_DCtx *z;                                /* NULL: plain */
    unsigned char *in;                           /* compressed bytes: in_at .. in_len */
    size_t in_at, in_len, in_cap;
    int z_open, z_more;                          /* inside a zstd frame; it may hold more output without more input */
    struct ref_reader refs;
    struct fa_writer *watch;                     /* whose reader we look after while waiting; NULL: nobody's */
    struct rec_order order;
    struct fa_err failed;                        /* code < 0: done */
};

const char *reader_clip_name(const struct fa_reader *r) { return r->clip_name; }
void fa_reader_watch(struct fa_reader *r, struct fa_writer *w) { r->watch = w; }

/* Fails for good, with the place in front: "saved.fas: clip 0 (a.mp4): frame 118: REASON (byte 4711)". rec: the record's header
 * as far as it is trusted, or NULL. */
static int fail(struct fa_reader *r, int code, const struct fa_rec *rec, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static int fail(struct fa_reader *r, int code, const struct fa_rec *rec, const char *fmt, ...)
{
    char where[200] = "", text[300];
    uint32_t clip = rec && rec->type ? rec->clip : r->order.clip;
    uint64_t frame = rec && rec->type ? rec->frame : r->order.last;
    const char *type = rec && rec->type ? fa_rec_name(rec->type) : NULL;
    int n = 0;
    if (r->order.any || (rec && rec->type)) {
        int known = r->order.any && clip == r->order.clip && r->clip_name[0];
        n += snprintf(where, sizeof where, "clip %u%s%s%s: ", (unsigned)clip, known ? " (" : "", known ? r->clip_name : "", known ? ")" : "");
        if (frame)
            n += snprintf(where + n, sizeof where - (size_t)n, "frame %llu: ", (unsigned long long)frame);
        if (type)
            snprintf(where + n, sizeof where - (size_t)n, "%s record: ", type);
    }
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return fa_fail(&r->failed, code, "%s: %s%s (byte %llu)", r->name, where, text, (unsigned long long)r->offset);
}

int fa_reader_open(struct fa_reader **out, int fd, const char *name, struct fa_err *e)
{
    struct stat st;
    const char *shown = strcmp(name, "-") == 0 ? "standard input" : name;
    *out = NULL;
    if (isatty(fd))
        return fa_fail(e, FA_E_ARG, "%s: a terminal cannot give a record stream: use a pipe or name a file", shown);
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        return fa_fail(e, FA_E_INPUT, "%s: is a directory", shown);
    struct fa_reader *r = calloc(1, sizeof *r);
    unsigned char *buf = aligned_alloc(FA_REC_ALIGN, WINDOW);
    if (!r || !buf) {
        free(r);
        free(buf);
        return fa_fail(e, FA_E_MEM, "out of memory");
    }
    snprintf(r->name, sizeof r->name, "%s", shown);
    r->fd = fd;
    r->refs.pipe = pipe_of(fd);
    r->buf = buf;
    r->cap = WINDOW;
    *out = r;
    return FA_OK;
}

void fa_reader_close(struct fa_reader *r)
{
    if (!r)
        return;
    ref_close(&r->refs);
    ZSTD_freeDCtx(r->z);
    free(r->in);
    free(r->buf);
    free(r);
}

/* Until there is input, or nobody is left to work for: an input that stands still must not hide a reader that died. */
static int wait_input(struct fa_reader *r)
{
    struct fa_err e;
    struct pollfd p[2] = { { r->fd, POLLIN, 0 }, { writer_fd(r->watch), 0, 0 } };
    for (;;) {
        int n = poll(p, 2, writer_expects(r->watch) ? RING_TICK_MS : -1);
        if (n < 0 && errno != EINTR)
            return fail(r, FA_E_IO, NULL, "poll: %s", strerror(errno));
        if ((n == 0 || (n > 0 && p[1].revents)) && writer_watch(r->watch, &e) != FA_OK)
            return fa_fail(&r->failed, e.code, "%s", e.text);
        if (n > 0 && p[0].revents)
            return FA_OK;
    }
}

/* Some bytes of the input as it is: their number, 0 at the end of file, < 0 on failure. */
static long long read_some(struct fa_reader *r, void *p, size_t max)
{
    ssize_t n;
    if (r->watch && wait_input(r) < 0)
        return r->failed.code;
    do
        n = read(r->fd, p, max);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fail(r, FA_E_IO, NULL, "read: %s", strerror(errno));
    return n;
}

/* Some bytes of the records, uncompressed; as read_some. */
static long long read_records(struct fa_reader *r, void *p, size_t max)
{
    if (!r->z)
        return read_some(r, p, max);
    for (;;) {
        if (r->in_at == r->in_len && !r->z_more) {
            long long n = read_some(r, r->in, r->in_cap);
            if (n == 0 && r->z_open)
                return fail(r, FA_E_TRUNC, NULL, "the stream stops inside its zstd frame");
            if (n <= 0)
                return n;
            r->in_at = 0;
            r->in_len = (size_t)n;
        }
        ZSTD_inBuffer in = { r->in, r->in_len, r->in_at };
        ZSTD_outBuffer out = { p, max, 0 };
        size_t left = ZSTD_decompressStream(r->z, &out, &in);
        if (ZSTD_isError(left))
            return fail(r, FA_E_FORMAT, NULL, "zstd: %s", ZSTD_getErrorName(left));
        r->in_at = in.pos;
        r->z_open = left != 0;
        r->z_more = left != 0 && out.pos == max;
        if (out.pos)
            return (long long)out.pos;
    }
}

/* Room for more bytes of a record that needs `need` in all. */
static int make_room(struct fa_reader *r, size_t need)
{
    if (need > r->cap - r->start && r->start > 0) {
        memmove(r->buf, r->buf + r->start, r->end - r->start);
        r->end -= r->start;
        r->start = 0;
    }
    if (r->end < r->cap)
        return FA_OK;
    size_t want = rec_round(need + AHEAD), cap = 2 * r->cap < want ? 2 * r->cap : want;
    unsigned char *p = aligned_alloc(FA_REC_ALIGN, cap);
    if (!p)
        return fail(r, FA_E_MEM, NULL, "out of memory for a record of %zu bytes", need);
    memcpy(p, r->buf, r->end);
    free(r->buf);
    r->buf = p;
    r->cap = cap;
    return FA_OK;
}

/* At least `need` bytes from start on: FA_OK; FA_EOF when the input ends before; < 0. */
static int fill(struct fa_reader *r, size_t need)
{
    while (r->end - r->start < need) {
        int code = make_room(r, need);
        if (code != FA_OK)
            return code;
        size_t room = r->cap - r->end, want = need - (r->end - r->start) + AHEAD;
        long long n = r->eof ? 0 : read_records(r, r->buf + r->end, room < want ? room : want);
        if (n < 0)
            return (int)n;
        if (n == 0) {
            r->eof = 1;
            return FA_EOF;
        }
        r->end += (size_t)n;
    }
    return FA_OK;
}

/* Plain or zstd? Decided by the first bytes, which then go where they belong. */
static int begin(struct fa_reader *r)
{
    r->begun = 1;
    int code = fill(r, 4);
    if (code < 0)
        return code;
    uint32_t magic = r->end >= 4 ? fa_le_u32(r->buf) : 0;
    if (magic != ZSTD_MAGICNUMBER && (magic & ZSTD_MAGIC_SKIPPABLE_MASK) != ZSTD_MAGIC_SKIPPABLE_START)
        return FA_OK;
    r->in_cap = ZSTD_DStreamInSize() > WINDOW ? ZSTD_DStreamInSize() : WINDOW;
    r->in = malloc(r->in_cap);
    r->z = ZSTD_createDCtx();
    if (!r->in || !r->z || ZSTD_isError(ZSTD_DCtx_setParameter(r->z, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG)))
        return fail(r, FA_E_MEM, NULL, "out of memory");
    memcpy(r->in, r->buf, r->end);
    r->in_len = r->end;
    r->end = 0;
    return FA_OK;
}

static int at_end(struct fa_reader *r)
{
    size_t left = r->end - r->start;
    if (left)
        return fail(r, r->order.any || fa_le_u32(r->buf + r->start) == REC_MAGIC ? FA_E_TRUNC : FA_E_FORMAT, NULL,
                    r->order.any ? "the stream stops inside a record" : "not a record stream");
    if (r->order.open)
        return fail(r, FA_E_TRUNC, NULL, "the stream stops before END");
    if (!r->order.any)
        return fail(r, FA_E_TRUNC, NULL, "empty input");
    return FA_EOF;
}

static void keep_clip_name(struct fa_reader *r, const struct fa_rec *rec)
{
    struct fa_clip c;
    r->clip_name[0] = '\0';
    if (fa_get_clip(&c, rec, NULL) == FA_OK)
        snprintf(r->clip_name, sizeof r->clip_name, "%s", c.name);
}

/* Of a frame by reference. One that does not decode goes out as it is: its decoder says why. */
static int find_pixels(struct fa_reader *r, struct fa_rec *rec)
{
    struct fa_frame f;
    struct fa_err e;
    if (fa_get_frame(&f, rec, NULL) != FA_OK || ref_attach(&r->refs, rec, &f, &e) == FA_OK)
        return FA_OK;
    return fail(r, e.code, rec, "%s", e.text);
}

static int next(struct fa_reader *r, struct fa_rec *rec)
{
    uint64_t sum = 0;
    const char *why;
    int code = r->begun ? FA_OK : begin(r);
    if (code != FA_OK)
        return code;
    ref_release(&r->refs);
    r->start += r->taken;
    r->offset += r->taken;
    r->taken = 0;
    if (r->start == r->end)
        r->start = r->end = 0;
    if ((code = fill(r, FA_REC_HEADER)) != FA_OK)
        return code == FA_EOF ? at_end(r) : code;
    if ((code = rec_unpack(rec, &sum, r->buf + r->start, &why)) != FA_OK)
        return fail(r, code, rec, "%s", rec->type || r->order.any ? why : "not a record stream");
    size_t size = FA_REC_HEADER + rec_round(rec->len);
    if ((code = fill(r, size)) != FA_OK)
        return code == FA_EOF ? fail(r, FA_E_TRUNC, rec, "the stream stops inside a record") : code;
    rec->data = r->buf + r->start + FA_REC_HEADER;
    if (XXH3_64bits(rec->data, rec->len) != sum)
        return fail(r, FA_E_FORMAT, rec, "damaged payload (its check differs)");
    for (size_t i = rec->len; i < size - FA_REC_HEADER; i++)
        if (rec->data[i])
            return fail(r, FA_E_FORMAT, rec, "padding is not zero");
    if ((why = rec_follow(&r->order, rec)) != NULL)
        return fail(r, FA_E_FORMAT, rec, "out of order: %s", why);
    if (rec->type == FA_REC_CLIP)
        keep_clip_name(r, rec);
    r->taken = size;
    return rec->type == FA_REC_FRAME && rec->version == FRAME_BY_REF ? find_pixels(r, rec) : FA_OK;
}

int fa_reader_next(struct fa_reader *r, struct fa_rec *rec, struct fa_err *e)
{
    int code = r->failed.code < 0 ? r->failed.code : next(r, rec);
    if (code < 0)
        fa_fail(e, code, "%s", r->failed.text);
    return code;
}
