/* SPDX-License-Identifier: BSD-2-Clause
 * A clip of any kind as one row of frames with times: chooses what the input is, fills in the camera, and counts time. */
#include "media_internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct fa_media {
    struct fa_media_info info;
    struct fa_media_options o;
    struct fa_probe probe;
    struct fa_sequence *seq;      /* a sequence, or */
    struct fa_decoder *d;         /* a video or a still */
    char *name;
    uint64_t n;                   /* frames handed out */
    int64_t shift, base;          /* pts of ffmpeg + shift = ticks since the file's start; base: those of the clip's first frame */
    double last_t;
    struct fa_err end;
};

int fa_media_check_size(int w, int h, struct fa_err *e)
{
    if (w > FA_MEDIA_MAX_SIDE || h > FA_MEDIA_MAX_SIDE)
        return fa_fail(e, FA_E_INPUT, "%dx%d is larger than the limit of %d a side", w, h, FA_MEDIA_MAX_SIDE);
    return FA_OK;
}

/* Defaults in float and in this order of operations: spec/output 12; stills the same, spec/output 7. */
static void camera(struct fa_media_info *i, const struct fa_media_options *o)
{
    float a = 500.0f * ((float)i->w / 640.0f), b = 500.0f * ((float)i->h / 480.0f);
    i->fx = o->fx > 0 ? o->fx : (a + b) / 2.0f;
    i->fy = o->fx > 0 ? o->fy : (a + b) / 2.0f;
    i->cx = o->cx > 0 ? o->cx : (float)i->w / 2.0f;
    i->cy = o->cx > 0 ? o->cy : (float)i->h / 2.0f;
}

static double frame_time(const struct fa_media *m)
{
    return m->info.fps_den ? 1.0 / ((double)m->info.fps_num / (double)m->info.fps_den) : 1.0 / 30.0;
}

static int open_sequence(struct fa_media *m, int pattern, struct fa_err *e)
{
    struct fa_names l;
    m->info.kind = FA_MEDIA_SEQUENCE;
    int r = pattern ? fa_names_of_pattern(&l, m->name, e) : fa_names_of_folder(&l, m->name, e);
    if (r == FA_OK && (r = fa_probe_version(&m->probe, e)) != FA_OK)
        fa_names_free(&l);
    return r == FA_OK ? fa_sequence_open(&m->seq, &l, &m->o, &m->info, e) : r;
}

/* Where to begin decoding for a start: where a container has an index, a good while early, so that what leans on frames before the key
 * frame there (open groups of pictures) is past; else at the beginning, because seeking lands anywhere and what follows is damaged. */
static double seek_to(const struct fa_probe *p, double start)
{
    const double early = 12;
    return start > early && fa_probe_has_index(p) ? start - early : 0;
}

static int open_file(struct fa_media *m, struct fa_err *e)
{
    struct fa_source src;
    struct fa_probe *p = &m->probe;
    int r = fa_source_open(&src, m->name, m->o.watch, e);
    if (r == FA_OK)
        r = fa_probe_run(p, &src, !m->o.no_autorotate, e);
    if (r == FA_OK) {
        int still = fa_probe_is_still(p);
        struct fa_decoder_args a = { .src = &src, .stream = p->stream, .w = p->w, .h = p->h, .autorotate = !m->o.no_autorotate,
            .color_tag = m->o.color_tag, .o = &m->o, .threads = m->o.threads, .raw = still ? fa_probe_raw(p) : FA_RAW_BGR24, .start = m->o.start,
            .duration = m->o.duration, .seek = seek_to(p, m->o.start), .frames = still ? 1 : m->o.frames };
        m->info.kind = still ? FA_MEDIA_STILL : FA_MEDIA_VIDEO;
        m->info.w = p->w;
        m->info.h = p->h;
        m->info.rotation = p->rotation;
        m->info.n_frame = 1;
        if (!still) {
            m->info.fps_num = p->fps_num;
            m->info.fps_den = p->fps_den;
            m->info.tb_num = p->tb_num;
            m->info.tb_den = p->tb_den;
            m->info.true_times = !m->o.cfr && p->tb_num > 0;
            m->info.n_frame = m->o.start > 0 || m->o.duration > 0 ? 0 : p->n_frame;
            if (m->o.frames && m->info.n_frame > m->o.frames)
                m->info.n_frame = m->o.frames;
            m->shift = p->tb_num ? llrint(a.seek * (double)p->tb_den / (double)p->tb_num) : 0;
            m->base = p->first_pts;
        }
        r = fa_decoder_open(&m->d, &a, e);
    }
    fa_source_close(&src);
    return r;
}

static int check_options(const struct fa_media_options *o, struct fa_err *e)
{
    if ((o->fx > 0) != (o->fy > 0) || (o->cx > 0) != (o->cy > 0))
        return fa_fail(e, FA_E_ARG, "fx and fy, and cx and cy, are given together or not at all");
    if (!(o->start >= 0 && o->start <= 1e9 && o->duration >= 0 && o->duration <= 1e9))
        return fa_fail(e, FA_E_ARG, "start and duration are 0 .. 1e9 seconds");
    return FA_OK;
}

/* 1 an existing name or "-", 2 a folder, 3 a pattern, 0 none of these. */
static int look(const char *input)
{
    struct stat st;
    if (strcmp(input, "-") == 0)
        return 1;
    if (stat(input, &st) == 0)
        return S_ISDIR(st.st_mode) ? 2 : 1;
    return errno == ENOENT && fa_is_pattern(input) ? 3 : 0;
}

static int probe_sequence(struct fa_media_brief *b, const char *input, int pattern, struct fa_err *e)
{
    struct fa_names l;
    const int r = pattern ? fa_names_of_pattern(&l, input, e) : fa_names_of_folder(&l, input, e);
    if (r == FA_OK) {
        b->kind = FA_MEDIA_SEQUENCE;
        b->n_frame = l.n;
        b->seconds = (double)l.n / 30.0;
        fa_names_free(&l);
    }
    return r;
}

int fa_media_probe(struct fa_media_brief *b, const char *input, struct fa_err *e)
{
    struct fa_err own = { 0 };
    struct fa_source src;
    struct fa_probe p = { 0 };
    const int what = look(input);
    e = e ? e : &own;
    *b = (struct fa_media_brief){ 0 };
    if (what >= 2)
        return probe_sequence(b, input, what == 3, e);
    int r = fa_source_open(&src, input, 0, e);
    if (r == FA_OK)
        r = fa_probe_run(&p, &src, 1, e);
    fa_source_close(&src);
    if (r != FA_OK)
        return r;
    b->kind = fa_probe_is_still(&p) ? FA_MEDIA_STILL : FA_MEDIA_VIDEO;
    b->w = p.w;
    b->h = p.h;
    b->n_frame = b->kind == FA_MEDIA_STILL ? 1 : p.n_frame;
    if (b->kind == FA_MEDIA_VIDEO) {
        b->fps = p.fps_den ? (double)p.fps_num / (double)p.fps_den : 0;
        b->seconds = p.duration > 0 ? p.duration : b->fps > 0 ? (double)p.n_frame / b->fps : 0;
    }
    return FA_OK;
}

int fa_media_open(struct fa_media **out, const char *input, const struct fa_media_options *o, struct fa_err *e)
{
    struct fa_err own = { 0 };
    e = e ? e : &own;
    *out = NULL;
    int r = check_options(o, e);
    if (r != FA_OK)
        return r;
    struct fa_media *m = calloc(1, sizeof *m);
    if (!m || !(m->name = strdup(input))) {
        free(m);
        return fa_fail(e, FA_E_MEM, "out of memory");
    }
    m->o = *o;
    m->info = (struct fa_media_info){ .tb_den = 1, .name = m->name, .ffmpeg = m->probe.version };
    const int what = look(input);
    r = what >= 2 ? open_sequence(m, what == 3, e) : open_file(m, e);
    if (r == FA_OK && m->info.kind != FA_MEDIA_VIDEO && (o->start > 0 || o->duration > 0))
        r = fa_fail(e, FA_E_ARG, "start and duration are for videos; pictures have no times");
    if (r != FA_OK) {
        fa_media_close(m);
        return r;
    }
    camera(&m->info, o);
    *out = m;
    return FA_OK;
}

const struct fa_media_info *fa_media_info(const struct fa_media *m) { return &m->info; }

/* Seconds of the frame just taken (the m->n-th); ticks: its presentation time or FA_NOPTS. */
static double seconds(struct fa_media *m, int64_t ticks)
{
    if (m->info.kind != FA_MEDIA_VIDEO)
        return 0;
    if (m->o.cfr || !m->info.tb_num)
        return (double)(m->n - 1) * frame_time(m);
    if (ticks == FA_NOPTS)
        return m->n == 1 ? 0 : m->last_t + frame_time(m);
    if (m->n == 1 && m->o.start <= 0)
        m->base = ticks;
    return (double)(ticks - m->base) * (double)m->info.tb_num / (double)m->info.tb_den;
}

static int next_of_file(struct fa_media *m, struct fa_media_frame *f, struct fa_err *e)
{
    struct fa_time t;
    *f = (struct fa_media_frame){ .w = m->info.w, .h = m->info.h, .pts = FA_NOPTS, .name = "" };
    int r = fa_decoder_next(m->d, &f->px, &t, e);
    if (r == FA_OK) {
        m->n++;
        if (m->info.kind == FA_MEDIA_VIDEO && t.pts != FA_NOPTS)
            f->pts = t.pts + m->shift;
        f->t = m->last_t = seconds(m, f->pts);
    } else if (r == FA_EOF && m->n == 0) {
        r = fa_fail(e, FA_E_INPUT, m->o.start > 0 ? FA_MEDIA_NO_FRAME : "no frame in it");
    }
    return r;
}

int fa_media_next(struct fa_media *m, struct fa_media_frame *f, struct fa_err *e)
{
    struct fa_err own = { 0 };
    e = e ? e : &own;
    if (m->end.code != FA_OK) {
        *e = m->end;
        return e->code;
    }
    int r = m->seq ? fa_sequence_next(m->seq, f, e) : next_of_file(m, f, e);
    if (r != FA_OK)
        m->end = *e;
    return r;
}

void fa_media_close(struct fa_media *m)
{
    if (!m)
        return;
    fa_sequence_close(m->seq);
    fa_decoder_close(m->d);
    free(m->name);
    free(m);
}
