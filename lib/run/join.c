/* SPDX-License-Identifier: BSD-2-Clause
 * Cutting and joining: see fa_segments.h. */
#include "fa_segments.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa_media.h"
#include "fa_stream.h"

long fa_segment_length(const char *text)
{
    char *end;
    double s = strtod(text, &end);
    if (end == text || !isfinite(s))
        return -1;
    s *= *end == 'm' ? 60 : *end == 'h' ? 3600 : 1;
    end += *end == 's' || *end == 'm' || *end == 'h';
    return *end || s < FA_SEGMENT_SHORTEST || s > 1e6 ? -1 : (long)(s * 1000 + 0.5);
}

int fa_segments_count(double seconds, long length_ms)
{
    const double n = floor(seconds * 1000 / (double)length_ms + 0.5);
    return n < 1 ? 1 : n > FA_SEGMENT_MAX ? FA_SEGMENT_MAX : (int)n;
}

void fa_segment_span(int k, int n, long length_ms, double *start, double *duration)
{
    const double more = 0.001;          /* decode rounds to microseconds */
    const double begin = (double)k * (double)length_ms / 1000 - FA_SEGMENT_WARM_UP, end = (double)(k + 1) * (double)length_ms / 1000 + more;
    *start = k > 0 && begin > 0 ? begin : 0;
    *duration = k + 1 < n ? end - *start : 0;
}

int fa_segment_of(int64_t pts, int64_t tb_num, int64_t tb_den, long length_ms, int n)
{
    __int128 ms_num = (__int128)pts * tb_num * 1000, den = (__int128)tb_den * length_ms;
    if (pts < 0)
        return 0;
    const __int128 k = ms_num / den;
    return k >= n ? n - 1 : (int)k;
}

struct fa_join {
    struct fa_writer *w;
    long length_ms;
    int n, k;                           /* segments; the next one */
    /* The clip, from the first segment. */
    char *name;
    struct fa_clip clip;
    int has_clip, has_base;
    int64_t base;                       /* pts of the first frame */
    uint64_t frames;
    struct fa_end end;                  /* of the first segment that failed */
    char stage[64], words[512];
    /* The segment. */
    uint64_t own;                       /* number that the segment gave to the frame that is going out; 0: none is */
};

int fa_join_open(struct fa_join **out, struct fa_writer *w, long length_ms, int n, struct fa_err *e)
{
    struct fa_join *j = *out = calloc(1, sizeof *j);
    if (!j)
        return fa_fail(e, FA_E_MEM, "out of memory");
    j->w = w;
    j->length_ms = length_ms;
    j->n = n;
    return FA_OK;
}

/* Without the words that tell of the first segment only. Fresh memory; NULL: memory. */
static char *whole_provenance(const char *lines)
{
    static const char *const partial[] = { " start=", " duration=" };
    char *text = strdup(lines);
    for (size_t i = 0; text && i < sizeof partial / sizeof *partial; i++)
        for (char *at; (at = strstr(text, partial[i])) != NULL;) {
            const size_t n = 1 + strcspn(at + 1, " \n");
            memmove(at, at + n, strlen(at + n) + 1);
        }
    return text;
}

static int take_clip(struct fa_join *j, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_clip c;
    char line[200], *old = NULL, *all = NULL;
    int r = fa_get_clip(&c, rec, e);
    if (r != FA_OK)
        return r;
    if (j->has_clip) {
        const struct fa_clip *a = &j->clip;
        if (c.w != 0 && (strcmp(c.name, j->name) != 0 || c.kind != a->kind || c.flags != a->flags || c.w != a->w || c.h != a->h))
            return fa_fail(e, FA_E_FORMAT, "segment %d is of another clip (%s) than the first one", j->k, c.name);
        return FA_OK;
    }
    j->name = strdup(c.name);
    old = whole_provenance(c.provenance);
    snprintf(line, sizeof line, "fa-join version=%s segments=%.10g warm_up=%d of=%d", FA_VERSION, (double)j->length_ms / 1000, FA_SEGMENT_WARM_UP, j->n);
    if (!j->name || !old || asprintf(&all, "%s%s\n", old, line) < 0) {
        free(old);
        return fa_fail(e, FA_E_MEM, "out of memory");
    }
    free(old);
    c.provenance = all;
    r = fa_put_clip(j->w, 0, &c, e);
    free(all);
    c.name = j->name;
    c.provenance = NULL;
    j->clip = c;
    j->has_clip = 1;
    return r;
}

static int take_frame(struct fa_join *j, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_frame f;
    int r = fa_get_frame(&f, rec, e);
    j->own = 0;
    if (r != FA_OK)
        return r;
    if (f.pts == INT64_MIN || f.tb_num <= 0 || f.tb_den <= 0)
        return fa_fail(e, FA_E_FORMAT, "frame %llu: no presentation time: such a clip cannot be cut", (unsigned long long)rec->frame);
    if (fa_segment_of(f.pts, f.tb_num, f.tb_den, j->length_ms, j->n) != j->k)
        return FA_OK;
    if (!j->has_base)
        j->base = f.pts;
    j->has_base = 1;
    j->own = rec->frame;
    j->frames++;
    /* As fa-decode counts them (lib/media/media.c). */
    f.t = j->clip.flags & FA_CLIP_VFR ? (double)(f.pts - j->base) * (double)f.tb_num / (double)f.tb_den
        : (double)(j->frames - 1) * (j->clip.fps_den ? 1.0 / ((double)j->clip.fps_num / (double)j->clip.fps_den) : 1.0 / 30.0);
    f.format = FA_PIX_NONE;
    f.px = NULL;
    return fa_put_frame(j->w, 0, j->frames, &f, e);
}

static int take_end(struct fa_join *j, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_end end;
    int r = fa_get_end(&end, rec, e);
    if (r != FA_OK || end.status == 0 || j->end.status != 0)
        return r;
    if (j->k > 0 && end.n_frame == 0 && strstr(end.words, FA_MEDIA_NO_FRAME))
        return FA_OK;                   /* the container promised more than there is, or nothing happens for so long */
    snprintf(j->stage, sizeof j->stage, "%s", end.stage);
    snprintf(j->words, sizeof j->words, "%s", end.words);
    j->end = (struct fa_end){ .status = end.status, .stage = j->stage, .words = j->words };
    return FA_OK;
}

static int take(struct fa_join *j, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_rec out = *rec;
    switch (rec->type) {
    case FA_REC_CLIP: return take_clip(j, rec, e);
    case FA_REC_FRAME: return take_frame(j, rec, e);
    case FA_REC_END: return take_end(j, rec, e);
    default:
        if (!j->own || rec->frame != j->own)
            return FA_OK;
        out.frame = j->frames;
        out.clip = 0;
        return fa_put_rec(j->w, &out, e);
    }
}

int fa_join_segment(struct fa_join *j, struct fa_reader *r, struct fa_err *e)
{
    struct fa_rec rec;
    int code;
    j->own = 0;
    while ((code = fa_reader_next(r, &rec, e)) == FA_OK)
        if ((code = take(j, &rec, e)) != FA_OK)
            return code;
    j->k++;
    return code == FA_EOF ? FA_OK : code;
}

int fa_join_close(struct fa_join *j, const struct fa_err *failure, struct fa_err *e)
{
    int status = (int)j->end.status;
    if (failure && failure->code < 0) {
        status = fa_err_status(failure->code);
        snprintf(j->words, sizeof j->words, "%s", failure->text);
        j->end = (struct fa_end){ .status = (uint32_t)status, .stage = "fa-join", .words = j->words };
    }
    j->end.n_frame = j->frames;
    j->end.stage = j->end.stage ? j->end.stage : "";
    j->end.words = j->end.words ? j->end.words : "";
    if (j->has_clip && !(failure && failure->code == FA_E_PIPE) && fa_put_end(j->w, 0, &j->end, e) != FA_OK)
        status = fa_err_status(e->code);
    free(j->name);
    free(j);
    return status;
}
