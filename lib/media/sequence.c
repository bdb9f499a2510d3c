/* SPDX-License-Identifier: BSD-2-Clause
 * Many pictures, few ffmpegs. Neighbours of one format, size, depth and orientation make a run, and one ffmpeg decodes a run through its
 * concat reader: a list in memory that gives picture i the times i .. i+1 seconds. So a frame's time says which picture it is, and one that
 * could not be decoded is noticed, not skipped. A picture that is an odd one (none of the three formats, or a name that the list or
 * ffmpeg's image reader would misread) makes a run of its own. Like the reference, the first unreadable picture ends the sequence. */
#include "media_internal.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fa_file.h"

enum { RUN_MAX = 1000 };

struct fa_sequence {
    struct fa_names l;
    struct fa_media_options o;
    size_t next;                  /* picture to hand out next */
    size_t run, run_end;          /* the pictures that d decodes */
    int w, h, rotation;           /* of the run, upright */
    struct fa_decoder *d;         /* NULL between runs */
    struct fa_err complaint;      /* of ffmpeg about pictures that it decoded all the same; told at the end */
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "frame 5: 005.png: words" */
static int bad_picture(const struct fa_sequence *s, size_t i, struct fa_err *e)
{
    return fa_err_prefix(e, "frame %zu: %s", i + 1, base_name(s->l.path[i]));
}

static struct fa_picture header_of(const char *path)
{
    struct fa_map m;
    struct fa_err e;
    struct fa_picture p = { .format = FA_PIC_OTHER, .orientation = 1 };
    if (fa_map_open(&m, path, &e) == FA_OK) {
        p = fa_picture_header(m.data, m.len);
        fa_map_close(&m);
    }
    return p;
}

static int alike(const struct fa_picture *a, const struct fa_picture *b)
{
    return a->format == b->format && a->w == b->w && a->h == b->h && a->deep == b->deep && a->gray == b->gray &&
           a->orientation == b->orientation;
}

static int is_plain(const char *path) { return strpbrk(path, "%*?{\r\n") == NULL; }

/* The concat list of pictures run .. run_end as a source: file 'file:NAME', quotes doubled the shell's way. */
static int list_open(struct fa_source *src, const struct fa_sequence *s, struct fa_err *e)
{
    *src = (struct fa_source){ strdup("file:/dev/fd/4" /* FA_SOURCE_FD */), memfd_create("fa-pictures", MFD_CLOEXEC), 0 };
    if (!src->arg || src->fd < 0)
        return fa_fail_errno(e, FA_E_IO, "list of pictures");
    int fd = fcntl(src->fd, F_DUPFD_CLOEXEC, 0);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) {
        int r = fa_fail_errno(e, FA_E_IO, "list of pictures");
        if (fd >= 0)
            close(fd);
        return r;
    }
    for (size_t i = s->run; i < s->run_end; i++) {
        fputs("file 'file:", f);
        for (const char *p = s->l.path[i]; *p; p++)
            if (*p == '\'')
                fputs("'\\''", f);
            else
                putc(*p, f);
        fputs("'\nduration 1\n", f);
    }
    return fclose(f) == 0 ? FA_OK : fa_fail_errno(e, FA_E_IO, "list of pictures");
}

/* Starts ffmpeg on the run that begins at s->next. */
static int run_open(struct fa_sequence *s, struct fa_err *e)
{
    static const int turn[9] = { [3] = 180, [5] = 90, [6] = 90, [7] = 270, [8] = 270 };     /* EXIF orientation, degrees clockwise */
    const char *path = s->l.path[s->next];
    struct fa_picture p = header_of(path);
    struct fa_source src = { NULL, -1, 0 };
    struct fa_decoder_args a = { .color_tag = s->o.color_tag, .threads = s->o.threads, .frame0 = s->next, .src = &src, .o = &s->o };
    int r;

    s->run = s->next;
    s->run_end = s->run + 1;
    if (p.format != FA_PIC_OTHER) {
        /* Told not to turn where there is nothing to turn, ffmpeg cannot see an orientation that we do not. */
        a.autorotate = !s->o.no_autorotate && p.orientation != 1;
        int turned = a.autorotate && p.orientation >= 5;
        s->w = turned ? p.h : p.w;
        s->h = turned ? p.w : p.h;
        s->rotation = a.autorotate ? turn[p.orientation] : 0;
        a.raw = !p.deep ? FA_RAW_BGR24 : p.gray ? FA_RAW_GRAY16 : FA_RAW_BGR48;
    }
    if (p.format != FA_PIC_OTHER && is_plain(path)) {
        for (; s->run_end < s->l.n && s->run_end - s->run < RUN_MAX && is_plain(s->l.path[s->run_end]); s->run_end++) {
            struct fa_picture q = header_of(s->l.path[s->run_end]);
            if (!alike(&p, &q))
                break;
        }
        a.format = "concat";
        r = list_open(&src, s, e);
    } else {
        a.frames = 1;
        r = fa_source_open(&src, path, s->o.watch, e);
        if (r == FA_OK && p.format == FA_PIC_OTHER) {
            struct fa_probe q;
            a.autorotate = !s->o.no_autorotate;
            r = fa_probe_run(&q, &src, a.autorotate, e);
            s->w = q.w;
            s->h = q.h;
            s->rotation = q.rotation;
            a.stream = q.stream;
            a.raw = fa_probe_raw(&q);
        }
        if (r != FA_OK)
            bad_picture(s, s->next, e);
    }
    if (r == FA_OK && (r = fa_media_check_size(s->w, s->h, e)) != FA_OK)
        bad_picture(s, s->next, e);
    a.w = s->w;
    a.h = s->h;
    if (r == FA_OK)
        r = fa_decoder_open(&s->d, &a, e);
    fa_source_close(&src);
    return r;
}

int fa_sequence_open(struct fa_sequence **out, struct fa_names *l, const struct fa_media_options *o,
                     struct fa_media_info *info, struct fa_err *e)
{
    *out = NULL;
    struct fa_sequence *s = calloc(1, sizeof *s);
    if (!s) {
        fa_names_free(l);
        return fa_fail(e, FA_E_MEM, "out of memory");
    }
    s->l = *l;
    s->o = *o;
    *l = (struct fa_names){ 0 };
    while (o->frames && s->l.n > o->frames)
        free(s->l.path[--s->l.n]);
    int r = run_open(s, e);
    if (r != FA_OK) {
        fa_sequence_close(s);
        return r;
    }
    info->w = s->w;
    info->h = s->h;
    info->rotation = s->rotation;
    info->n_frame = s->l.n;
    *out = s;
    return FA_OK;
}

/* Picture s->next did not come out of ffmpeg: the sequence ends here. */
static int lost(struct fa_sequence *s, struct fa_err *e)
{
    char words[330];
    fa_decoder_words(s->d, words, sizeof words);
    fa_fail(e, FA_E_INPUT, "cannot be decoded%s%s", *words ? ": ffmpeg: " : "", words);
    return bad_picture(s, s->next, e);
}

int fa_sequence_next(struct fa_sequence *s, struct fa_media_frame *f, struct fa_err *e)
{
    const uint8_t *px;
    struct fa_time t;
    while (s->next < s->l.n || s->d) {
        int r;
        if (!s->d && (r = run_open(s, e)) != FA_OK)
            return r;
        r = fa_decoder_next(s->d, &px, &t, e);
        if (r == FA_OK) {
            size_t i = s->run_end - s->run > 1 && t.pts != FA_NOPTS ? s->run + (size_t)fmax(rint(t.s), 0) : s->next;
            if (i != s->next || i >= s->run_end)
                return s->next < s->run_end ? lost(s, e) : fa_fail(e, FA_E_CHILD, "ffmpeg: more frames than pictures");
            s->next++;
            *f = (struct fa_media_frame){ .w = s->w, .h = s->h, .px = px, .pts = FA_NOPTS, .name = base_name(s->l.path[i]) };
            return FA_OK;
        }
        if (r != FA_EOF && r != FA_E_INPUT)
            return r;
        if (s->next < s->run_end)
            return lost(s, e);
        if (r == FA_E_INPUT && s->complaint.code == FA_OK)
            s->complaint = *e;
        fa_decoder_close(s->d);
        s->d = NULL;
    }
    if (s->complaint.code == FA_OK)
        return fa_fail(e, FA_EOF, "end of sequence");
    *e = s->complaint;
    return e->code;
}

void fa_sequence_close(struct fa_sequence *s)
{
    if (!s)
        return;
    fa_decoder_close(s->d);
    fa_names_free(&s->l);
    free(s);
}
