/* SPDX-License-Identifier: BSD-2-Clause
 * One ffmpeg child and its three pipes: 1 pixels, 2 complaints, 3 times (spec/output 15, 16). All three are drained together: a full
 * pipe that nobody reads would stop ffmpeg and us for good. Pixels are read straight into the frame that the caller gets, in memory of
 * ours or of the caller's.
 *
 * The scale filter is given the size that we expect, so every frame has it whatever the stream does: at the right size it only
 * converts the colours (the reference's bytes), and a size change inside a clip is scaled to the first size, as ffmpeg itself would.
 *
 * Frames before a start are decoded and dropped, from a place that the caller chooses (media.c). What ffmpeg says of them is not held
 * against the clip.
 *
 * When we die, by whatever signal, our ends of the pipes close and ffmpeg ends with its next write. */
#include "media_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_child.h"

enum { PX, ERR, TIME, N_PIPE, PIPE_BYTES = 1 << 20, READ_BYTES = 4096 };

struct fa_decoder {
    pid_t pid;                    /* 0: waited for */
    int fd[N_PIPE];               /* our ends; -1: at its end */
    size_t frame_b, raw_b, have;  /* bytes of a frame out, of a frame as ffmpeg writes it, of it read so far */
    uint8_t *own, *wide;          /* memory of ours: for a frame out, unless the caller has room; for a raw frame of 16 bits a sample */
    uint8_t *px;                  /* where the frame out goes: own, or what room gave for this one */
    const struct fa_media_options *o;
    enum fa_raw raw;
    uint64_t n, frame0;           /* frames handed out; frames of the clip before */
    int preroll;                  /* frames before the first are decoded and dropped */
    struct fa_times times;
    struct fa_words words;
    struct fa_err end;            /* how it ended, once it has */
};

static int start(struct fa_decoder *d, const struct fa_decoder_args *a, const struct fa_child_fd *fds, int n_fd, struct fa_err *e)
{
    static const char *const pix[] = { [FA_RAW_BGR24] = "bgr24", [FA_RAW_BGR48] = "bgr48le", [FA_RAW_GRAY16] = "gray16le" };
    char *argv[48], seek_s[40], threads_s[16], frames_s[24], map_s[24], trim[80] = "", filter[360];
    int n = 0;

    snprintf(seek_s, sizeof seek_s, "%.6f", a->seek);
    /* Not -t: counted from where a seek landed, it is too long in mpeg-ts. */
    if (a->duration > 0)
        snprintf(trim, sizeof trim, "trim=start=%.6f:end=%.6f,", a->start - a->seek, a->start - a->seek + a->duration);
    else if (a->start > 0)
        snprintf(trim, sizeof trim, "trim=start=%.6f,", a->start - a->seek);
    snprintf(threads_s, sizeof threads_s, "%d", a->threads);
    snprintf(frames_s, sizeof frames_s, "%llu", (unsigned long long)a->frames);
    snprintf(map_s, sizeof map_s, "0:%d", a->stream);
    snprintf(filter, sizeof filter, "%sscale=w=%d:h=%d%s,metadata=add:key=fa:value=1,metadata=print:key=fa:direct=1:file=pipe\\\\:3",
             trim, a->w, a->h, a->color_tag ? "" : ":in_color_matrix=bt601");
#define ARG(s) (argv[n++] = (char *)(s))
    ARG("ffmpeg"), ARG("-nostdin"), ARG("-hide_banner"), ARG("-nostats"), ARG("-v"), ARG("error");
    if (!a->autorotate)
        ARG("-noautorotate");
    if (a->threads > 0)
        ARG("-threads"), ARG(threads_s);
    if (a->seek > 0)
        ARG("-ss"), ARG(seek_s);
    if (a->format)
        ARG("-f"), ARG(a->format);
    if (a->format && strcmp(a->format, "concat") == 0)
        ARG("-safe"), ARG("0");
    ARG("-i"), ARG(a->src->arg), ARG("-map"), ARG(map_s), ARG("-vsync"), ARG("passthrough"), ARG("-vf"), ARG(filter);
    if (a->frames > 0)
        ARG("-frames:v"), ARG(frames_s);
    ARG("-f"), ARG("rawvideo"), ARG("-pix_fmt"), ARG(pix[a->raw]), ARG("pipe:1"), ARG(NULL);
#undef ARG
    return fa_child_start(&d->pid, argv, fds, n_fd, e);
}

int fa_decoder_open(struct fa_decoder **out, const struct fa_decoder_args *a, struct fa_err *e)
{
    static const int raw_px[] = { [FA_RAW_BGR24] = 3, [FA_RAW_BGR48] = 6, [FA_RAW_GRAY16] = 2 };
    int p[N_PIPE][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
    int r = FA_E_MEM;
    *out = NULL;
    struct fa_decoder *d = calloc(1, sizeof *d);
    if (!d)
        return fa_fail(e, FA_E_MEM, "out of memory");
    for (int i = 0; i < N_PIPE; i++)
        d->fd[i] = -1;
    d->raw = a->raw;
    d->frame0 = a->frame0;
    d->preroll = a->start > 0;
    d->frame_b = (size_t)a->w * (size_t)a->h * 3;
    d->raw_b = (size_t)a->w * (size_t)a->h * (size_t)raw_px[a->raw];
    d->o = a->o;
    if (!d->o->room)
        d->px = d->own = aligned_alloc(64, (d->frame_b + 63) / 64 * 64);
    if (a->raw != FA_RAW_BGR24)
        d->wide = malloc(d->raw_b);
    if ((!d->o->room && !d->own) || (a->raw != FA_RAW_BGR24 && !d->wide)) {
        fa_fail(e, FA_E_MEM, "no memory for frames of %dx%d", a->w, a->h);
        goto out;
    }
    for (int i = 0; i < N_PIPE; i++) {
        if ((r = fa_pipe(p[i], e)) != FA_OK)
            goto out;
        d->fd[i] = p[i][0];
    }
#ifdef F_SETPIPE_SZ
    fcntl(p[PX][1], F_SETPIPE_SZ, (int)PIPE_BYTES);     /* best effort: fewer and larger reads */
#endif
    struct fa_child_fd fds[5] = { { -1, 0 }, { p[PX][1], 1 }, { p[ERR][1], 2 }, { p[TIME][1], 3 }, { a->src->fd, FA_SOURCE_FD } };
    r = start(d, a, fds, a->src->fd >= 0 ? 5 : 4, e);
out:
    for (int i = 0; i < N_PIPE; i++)
        if (p[i][1] >= 0)
            close(p[i][1]);
    if (r != FA_OK)
        fa_decoder_close(d);
    else
        *out = d;
    return r;
}

static void end_of(struct fa_decoder *d, int i)
{
    close(d->fd[i]);
    d->fd[i] = -1;
}

/* Pixels, some of a frame: read straight to where they go. The caller is asked for room only once there are any, for it may have to wait
 * until what it gave before is used up, which may have to wait for our saying that there are no more. Bytes read, 0 at the end, -1 with
 * errno, or a code of room's. */
static ssize_t read_px(struct fa_decoder *d, int there, int *code, struct fa_err *e)
{
    if (!there)
        return 0;
    if (d->have == 0 && d->o->room && (*code = d->o->room(d->o->room_self, d->frame_b, &d->px, e)) != FA_OK)
        return -1;
    return read(d->fd[PX], (d->wide ? d->wide : d->px) + d->have, d->raw_b - d->have);
}

/* Waits until a pipe that we want something from has it, and reads each such pipe once. */
static int pump(struct fa_decoder *d, struct fa_err *e)
{
    char b[READ_BYTES];
    struct pollfd pf[N_PIPE + 1];
    int code = FA_OK;
    for (int i = 0; i < N_PIPE; i++)
        pf[i] = (struct pollfd){ d->fd[i], POLLIN, 0 };
    if (d->have == d->raw_b)
        pf[PX].fd = -1;
    if (!fa_times_room(&d->times, sizeof b))
        pf[TIME].fd = -1;
    pf[N_PIPE] = (struct pollfd){ d->o->watch > 0 ? d->o->watch : -1, 0, 0 };
    if (poll(pf, N_PIPE + 1, -1) < 0)
        return errno == EINTR ? FA_OK : fa_fail_errno(e, FA_E_IO, "poll");
    if (pf[N_PIPE].revents)
        return fa_fail(e, FA_E_PIPE, "the reader is gone");
    for (int i = 0; i < N_PIPE; i++) {
        if (pf[i].fd < 0 || !pf[i].revents)
            continue;
        ssize_t n = i == PX ? read_px(d, pf[i].revents & POLLIN, &code, e) : read(d->fd[i], b, sizeof b);
        if (code != FA_OK)
            return code;
        if (n < 0 && errno != EINTR)
            return fa_fail_errno(e, FA_E_IO, "read from ffmpeg");
        if (n == 0)
            end_of(d, i);
        if (n <= 0)
            continue;
        if (i == PX)
            d->have += (size_t)n;
        else if (i == TIME)
            fa_times_feed(&d->times, b, (size_t)n);
        else
            fa_words_feed(&d->words, b, (size_t)n, d->frame0 + d->n + 1);
    }
    return FA_OK;
}

/* All pixels are read: hears ffmpeg out, waits for it and judges. */
static int finish(struct fa_decoder *d, struct fa_err *e)
{
    struct fa_time drop;
    int status = 0, r;
    char text[360];
    d->have = d->raw_b;                     /* pump: no more pixels */
    while (d->fd[ERR] >= 0 || d->fd[TIME] >= 0) {
        if ((r = pump(d, e)) != FA_OK)
            return r;
        while (fa_times_take(&d->times, &drop))
            ;
    }
    r = fa_child_wait(d->pid, &status, e);
    d->pid = 0;
    if (r != FA_OK)
        return r;
    fa_words_text(&d->words, text, sizeof text);
    if (status > 255)
        return fa_fail(e, FA_E_CHILD, "ffmpeg: killed by signal %d", status - 256);
    if (status == 126 || status == 127)
        return fa_fail(e, FA_E_CHILD, "ffmpeg: cannot be run (exit status %d)%s%s", status, *text ? ": " : "", text);
    if (status != 0 || d->words.n_line > 0) {
        uint64_t at = d->words.n_line > 0 ? d->words.frame : d->frame0 + d->n;
        fa_fail(e, FA_E_INPUT, "ffmpeg: %s", *text ? text : "failed without a word");
        return d->frame0 + d->n > 0 ? fa_err_prefix(e, "frame %llu", (unsigned long long)at) : FA_E_INPUT;
    }
    return fa_fail(e, FA_EOF, "end of clip");
}

/* 16 bits a sample to 8: the high byte, as the reference's reader does (spec/output 13). */
static void narrow(struct fa_decoder *d)
{
    uint8_t *px = d->px;
    if (!d->wide)
        return;
    const uint8_t *s = d->wide + 1;         /* high bytes of little-endian samples */
    if (d->raw == FA_RAW_BGR48)
        for (size_t i = 0; i < d->frame_b; i++)
            px[i] = s[2 * i];
    else if (d->raw == FA_RAW_GRAY16)
        for (size_t i = 0; i < d->frame_b / 3; i++)
            px[3 * i] = px[3 * i + 1] = px[3 * i + 2] = s[2 * i];
}

int fa_decoder_next(struct fa_decoder *d, const uint8_t **px, struct fa_time *t, struct fa_err *e)
{
    int r = FA_OK;
    if (d->end.code != FA_OK) {
        *e = d->end;
        return d->end.code;
    }
    while (r == FA_OK && d->fd[PX] >= 0 && (d->have < d->raw_b || (d->times.n == 0 && d->fd[TIME] >= 0)))
        r = pump(d, e);
    if (r == FA_OK && d->have == d->raw_b) {
        if (!fa_times_take(&d->times, t))
            *t = (struct fa_time){ FA_NOPTS, 0 };
        narrow(d);
        *px = d->px;
        d->have = 0;
        if (d->n++ == 0 && d->preroll)
            d->words = (struct fa_words){ .len = 0 };
        return FA_OK;
    }
    int part = d->have > 0;
    if (r == FA_OK)
        r = finish(d, e);
    if (r == FA_EOF && part)
        r = fa_fail(e, FA_E_CHILD, "ffmpeg: stopped inside frame %llu", (unsigned long long)(d->frame0 + d->n + 1));
    d->end = *e;
    return r;
}

void fa_decoder_words(struct fa_decoder *d, char *out, size_t size) { fa_words_text(&d->words, out, size); }

void fa_decoder_close(struct fa_decoder *d)
{
    int status;
    if (!d)
        return;
    for (int i = 0; i < N_PIPE; i++)
        if (d->fd[i] >= 0)
            close(d->fd[i]);
    if (d->pid > 0) {
        kill(d->pid, SIGKILL);
        fa_child_wait(d->pid, &status, NULL);
    }
    free(d->wide);
    free(d->own);
    free(d);
}
