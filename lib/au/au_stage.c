/* SPDX-License-Identifier: BSD-2-Clause
 * The action-unit stage: see fa_au_stage.h. One face a frame in videos; its rows are counted as OpenFace counts frames. */
#include "fa_au_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "au_internal.h"
#include "fa_hold.h"
#include "fa_model.h"
#include "fa_shape.h"

enum mode { WHOLE_CLIP, ONLINE, IMAGE };
enum set { STATIC, DYNAMIC, N_SET };
static const char *const set_name[N_SET] = { "static", "dynamic" };
enum { MARK = 0 };                           /* type of a held record, which no stream can have: AUS go here */

struct fa_au_stage {
    struct fa_au_options opt;
    uint64_t model;                          /* hash */
    struct fa_pdm pdm;
    struct fa_au_set set[N_SET];
    struct fa_map median_file;               /* empty: none */
    struct fa_au_medians medians;
    struct fa_au_clip *history[N_SET];
    struct fa_hold hold;
    struct fa_au_online online;
    struct hog_file hog;
    uint64_t n_clip, n_face, n_rejected;     /* of the whole stream */
    /* The clip. */
    enum mode mode;
    const struct fa_au_set *use;
    struct fa_au_clip *rows;
    uint64_t n_row;
    int medians_used;
    int shift_stale;                         /* the medians moved on since shift was made of them */
    double shift[2 * FA_AU_MAX];
    /* LANDMARKS that wait for their CROP. */
    int pending, success, accepted, face;
    uint64_t frame, last_frame;              /* last_frame: of the last row */
    /* Scratch. */
    float descriptor[FA_N_HOG];
    double x[FA_N_DESCRIPTOR_PADDED], median[FA_N_DESCRIPTOR_PADDED];
};

/* The medians as a clip finds them: none yet, or those of the file. Opened when first needed: stills never do. */
static int begin_medians(struct fa_au_stage *s, struct fa_err *e)
{
    int r = s->medians.hog.count ? FA_OK : fa_au_medians_open(&s->medians, e);
    if (r != FA_OK || !s->opt.median) {
        if (r == FA_OK)
            fa_au_medians_reset(&s->medians);
        return r;
    }
    r = fa_au_medians_parse(&s->medians, s->median_file.data, s->median_file.len, e);
    return r == FA_OK ? FA_OK : fa_err_prefix(e, "%s", s->opt.median);
}

int fa_au_stage_open(struct fa_au_stage **out, const struct fa_pack *pack, const struct fa_au_options *options, struct fa_err *e)
{
    *out = NULL;
    struct fa_au_stage *s = calloc(1, sizeof *s);
    if (!s)
        return fa_fail(e, FA_E_MEM, "out of memory");
    s->opt = *options;
    s->model = pack->hash;
    s->hold.spool.fd = -1;
    int r = fa_pdm_attach(&s->pdm, pack, "au", e);
    if (r == FA_OK && 3 * s->pdm.n + s->pdm.m != FA_N_GEOM)
        r = fa_fail(e, FA_E_MODEL, "au/pdm: %d points, %d modes", s->pdm.n, s->pdm.m);
    for (int i = 0; r == FA_OK && i < N_SET; i++) {
        r = fa_au_set_open(&s->set[i], pack, set_name[i], e);
        if (r == FA_OK)
            r = fa_au_clip_open(&s->history[i], &s->set[i], e);
    }
    if (r == FA_OK)
        r = fa_hold_open(&s->hold, e);
    if (r == FA_OK && s->opt.median && (r = fa_map_open(&s->median_file, s->opt.median, e)) == FA_OK)
        r = begin_medians(s, e);                  /* says now what is wrong with the file */
    if (r != FA_OK) {
        fa_au_stage_close(s);
        return r;
    }
    *out = s;
    return FA_OK;
}

void fa_au_stage_close(struct fa_au_stage *s)
{
    if (!s)
        return;
    hog_file_abandon(&s->hog);
    fa_hold_close(&s->hold);
    fa_au_medians_close(&s->medians);
    fa_map_close(&s->median_file);
    for (int i = 0; i < N_SET; i++) {
        fa_au_clip_close(s->history[i]);
        fa_au_set_close(&s->set[i]);
    }
    free(s);
}

static int put_aus(const struct fa_au_stage *s, struct fa_writer *w, uint32_t clip, uint64_t frame, int face, const double *r,
                   const double *presence, const double *distance, struct fa_err *e)
{
    static const enum fa_au_kind kind[] = { [WHOLE_CLIP] = FA_AU_WHOLE_CLIP, [ONLINE] = FA_AU_ONLINE, [IMAGE] = FA_AU_IMAGE };
    const struct fa_au_set *u = s->use;
    struct fa_aus a = { .kind = kind[s->mode], .n_r = u->n_r, .n_c = u->n_c, .name_r = u->name_r, .name_c = u->name_c,
                        .r = r, .c = presence, .distance = distance };
    return fa_put_aus(w, clip, frame, face, &a, e);
}

static int begin_clip(struct fa_au_stage *s, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    static const char *const name[] = { [WHOLE_CLIP] = "whole-clip", [ONLINE] = "online", [IMAGE] = "image" };
    struct fa_clip clip;
    char line[300];
    int r = fa_get_clip(&clip, rec, e);
    if (r != FA_OK)
        return r;
    s->mode = clip.kind == FA_CLIP_STILL || s->opt.image ? IMAGE : s->opt.online ? ONLINE : WHOLE_CLIP;
    const int set = s->mode == IMAGE || s->opt.static_set ? STATIC : DYNAMIC;
    s->use = &s->set[set];
    s->rows = s->history[set];
    s->medians_used = s->mode != IMAGE && (set == DYNAMIC || s->opt.save_median);
    s->shift_stale = 1;
    s->n_row = s->last_frame = 0;
    s->pending = 0;
    s->n_clip++;
    fa_au_clip_reset(s->rows);
    fa_hold_reset(&s->hold);
    memset(&s->online, 0, sizeof s->online);
    memset(s->shift, 0, sizeof s->shift);
    hog_file_abandon(&s->hog);

    int n = snprintf(line, sizeof line, "%s version=%s model=%016llx mode=%s set=%s", s->opt.program, FA_VERSION, (unsigned long long)s->model,
                     name[s->mode], set_name[set]);
    if (s->medians_used) {
        if ((r = begin_medians(s, e)) != FA_OK)
            return r;
        if (s->opt.median)
            snprintf(line + n, sizeof line - (size_t)n, " median=%016llx", (unsigned long long)XXH3_64bits(s->median_file.data, s->median_file.len));
    }
    if (s->opt.hog && (r = hog_file_open(&s->hog, s->opt.hog, clip.name, e)) != FA_OK)
        return r;
    r = fa_put_clip_line(w, rec, line, e);
    fa_writer_hold(w, s->mode == WHOLE_CLIP ? &s->hold : NULL);
    return r;
}

static int no_crop(const struct fa_au_stage *s, struct fa_err *e)
{
    return fa_fail(e, FA_E_FORMAT, "frame %llu: no aligned faces in this stream; run fa-landmarks again", (unsigned long long)s->frame);
}

static int take_marks(struct fa_au_stage *s, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_marks m;
    int r = fa_get_marks(&m, rec, e);
    if (r != FA_OK)
        return r;
    if (s->mode != IMAGE && rec->frame <= s->last_frame)
        return fa_fail(e, FA_E_FORMAT, "frame %llu: several faces in a frame of a video; --image measures each by itself",
                       (unsigned long long)rec->frame);
    s->pending = 1;
    s->success = m.success != 0;
    s->accepted = m.accepted != 0;
    s->frame = s->last_frame = rec->frame;
    s->face = rec->face;
    return fa_put_rec(w, rec, e);
}

/* Descriptors of the face: x, and the FHOG part once more as float. A black face has zeros in both. */
static int describe(struct fa_au_stage *s, const struct fa_crop *crop, struct fa_err *e)
{
    memset(s->x, 0, sizeof s->x);
    memset(s->descriptor, 0, sizeof s->descriptor);
    if (!crop->valid)
        return FA_OK;
    if (crop->size != FA_AU_SIDE || crop->m != s->pdm.m)
        return fa_fail(e, FA_E_FORMAT, "frame %llu: aligned face of %d pixels with %d parameters, want %d and %d", (unsigned long long)s->frame,
                       (int)crop->size, (int)crop->m, FA_AU_SIDE, s->pdm.m);
    struct fa_img8 face = { (uint8_t *)crop->px, (ptrdiff_t)crop->size * crop->ch, crop->size, crop->size, crop->ch };
    fa_fhog(s->descriptor, &face);
    for (int i = 0; i < FA_N_HOG; i++)
        s->x[i] = s->descriptor[i];
    fa_au_geometry(s->x + FA_N_HOG, &s->pdm, crop->local);
    return FA_OK;
}

/* What the medians of now take away. */
static const double *shift_now(struct fa_au_stage *s)
{
    if (s->shift_stale && s->use == &s->set[DYNAMIC]) {
        fa_au_medians_get(s->median, &s->medians);
        fa_au_shift(s->shift, s->use, s->median);
        s->shift_stale = 0;
    }
    return s->shift;
}

/* Values of this frame by itself: image mode, and online mode with the medians of now. */
static int predict_now(struct fa_au_stage *s, struct fa_writer *w, const struct fa_rec *rec, int success, struct fa_err *e)
{
    const struct fa_au_set *u = s->use;
    double v[2 * FA_AU_MAX], presence[FA_AU_MAX] = { 0 };
    const double *shift = shift_now(s);
    fa_au_static_part(v, u, s->x);
    for (int k = 0; k < u->n_r + u->n_c; k++)
        v[k] = success ? v[k] - shift[k] : 0;
    for (int k = 0; k < u->n_c && success; k++)
        presence[k] = fa_au_presence(u, k, v[u->n_r + k]);
    if (s->mode == ONLINE)
        fa_au_online_correct(v, u->n_r, &s->online, success);
    for (int k = 0; k < u->n_r; k++)
        v[k] = v[k] < 0 ? 0 : v[k] > 5 ? 5 : v[k];
    return put_aus(s, w, rec->clip, rec->frame, rec->face, v, presence, v + u->n_r, e);
}

static int remember(struct fa_au_stage *s, const struct fa_rec *rec, int success, struct fa_err *e)
{
    double part[2 * FA_AU_MAX];
    const struct fa_rec mark = { .type = MARK, .clip = rec->clip, .frame = rec->frame, .face = rec->face };
    if (success)
        fa_au_static_part(part, s->use, s->x);
    int r = fa_au_clip_add(s->rows, part, fa_au_clip_needs_shift(s->rows) ? shift_now(s) : NULL, success, e);
    return r == FA_OK ? fa_hold_add(&s->hold, &mark, e) : r;
}

static int take_crop(struct fa_au_stage *s, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_crop crop;
    int r = fa_get_crop(&crop, rec, e);
    if (r != FA_OK)
        return r;
    if (!s->pending || rec->frame != s->frame || rec->face != s->face)
        return fa_fail(e, FA_E_FORMAT, "frame %llu: a CROP record that does not follow its LANDMARKS", (unsigned long long)rec->frame);
    s->pending = 0;
    if ((s->opt.keep_crops && (r = fa_put_rec(w, rec, e)) != FA_OK) || (r = describe(s, &crop, e)) != FA_OK)
        return r;
    const int success = crop.valid != 0, flag = s->mode == IMAGE ? s->accepted : s->success;
    if (s->hog.open && (r = hog_file_put(&s->hog, s->descriptor, flag, e)) != FA_OK)
        return r;
    /* QUIRK aus-03: the medians look at odd frames only, failed ones counted. */
    if (s->medians_used && s->n_row % 2 == 0) {
        fa_au_medians_update(&s->medians, s->x, success);
        s->shift_stale = 1;
    }
    s->n_row++;
    s->n_face++;
    s->n_rejected += !success;
    return s->mode == WHOLE_CLIP ? remember(s, rec, success, e) : predict_now(s, w, rec, success, e);
}

static int record(void *self, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_au_stage *s = self;
    if (s->pending && rec->type != FA_REC_CROP && rec->type < FA_REC_END)
        return no_crop(s, e);
    switch (rec->type) {
    case FA_REC_CLIP: return begin_clip(s, w, rec, e);
    case FA_REC_LANDMARKS: return take_marks(s, w, rec, e);
    case FA_REC_CROP: return take_crop(s, w, rec, e);
    case FA_REC_AUS: return FA_OK;           /* of an earlier run: ours replace them */
    default: return fa_put_rec(w, rec, e);     /* held until the end of the clip, or out */
    }
}

void fa_au_stage_counts(const struct fa_au_stage *s, uint64_t *clips, uint64_t *faces, uint64_t *rejected)
{
    *clips = s->n_clip;
    *faces = s->n_face;
    *rejected = s->n_rejected;
}

/* What was held, with each frame's values in its place. */
static int replay(struct fa_au_stage *s, struct fa_writer *w, struct fa_err *e)
{
    double r[FA_AU_MAX], presence[FA_AU_MAX], distance[FA_AU_MAX];
    struct fa_rec rec;
    int code;
    while ((code = fa_hold_next(&s->hold, &rec, e)) == FA_OK) {
        if (rec.type == MARK) {
            if ((code = fa_au_clip_next(s->rows, r, presence, distance, e)) == FA_OK)
                code = put_aus(s, w, rec.clip, rec.frame, rec.face, r, presence, distance, e);
        } else {
            code = fa_put_rec(w, &rec, e);
        }
        if (code != FA_OK)
            return code;
    }
    return code == FA_EOF ? FA_OK : code;
}

static int clip_end(void *self, struct fa_writer *w, uint32_t clip, const struct fa_end *end, struct fa_err *e)
{
    struct fa_au_stage *s = self;
    int r = FA_OK;
    (void)clip;
    /* Landmarks whose crop was cut off with the input go out without action units. */
    if (s->pending && end->status == 0)
        return no_crop(s, e);
    s->pending = 0;
    if (s->mode == WHOLE_CLIP) {
        fa_writer_hold(w, NULL);
        if ((r = fa_au_clip_finish(s->rows, shift_now(s), s->use == &s->set[DYNAMIC], e)) != FA_OK || (r = replay(s, w, e)) != FA_OK)
            return r;
        fa_hold_reset(&s->hold);
    }
    if (s->hog.open && end->status == 0)
        r = hog_file_commit(&s->hog, e);
    hog_file_abandon(&s->hog);
    if (r == FA_OK && s->opt.save_median && s->medians_used && end->status == 0)
        r = fa_au_medians_save(&s->medians, s->opt.save_median, e);
    return r;
}

struct fa_stage fa_au_stage(struct fa_au_stage *s)
{
    return (struct fa_stage){ .program = s->opt.program, .self = s, .record = record, .clip_end = clip_end };
}
