/* SPDX-License-Identifier: BSD-2-Clause
 * The landmark stage: see fa_landmark_stage.h. A frame waits until its FACES are there, or until whatever comes next shows that
 * there are none. */
#include "fa_landmark_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_detect.h"
#include "fa_model.h"
#include "fa_ring.h"
#include "fa_team.h"

struct fa_landmark_stage {
    struct fa_landmark_options opt;
    struct fa_detector detector;
    struct fa_face_model *model;
    struct fa_aligner aligner;
    char provenance[400];
    /* The clip. */
    struct fa_clip clip;
    struct fa_camera cam;
    struct fa_fit_state state;
    /* The frame waiting for its FACES, if any come. */
    int pending, has_faces;
    struct fa_frame frame;
    struct fa_face_list found;
    uint64_t frame_no, pix_cap, gray_cap;
    uint8_t *pix, *gray_px;
    struct fa_loan loan;          /* the frame is by reference: our hold on its pixels, looked at where they are */
    struct fa_img8 bgr, gray;
};

static int grow(uint8_t **p, uint64_t *cap, uint64_t need, struct fa_err *e)
{
    if (need <= *cap)
        return FA_OK;
    free(*p);
    *cap = 0;
    *p = malloc(need);
    if (!*p)
        return fa_fail(e, FA_E_MEM, "out of memory: %llu bytes", (unsigned long long)need);
    *cap = need;
    return FA_OK;
}

/* The detector's faces of the pending frame: those that came with it, else our own run. */
static int ensure_faces(struct fa_landmark_stage *l, struct fa_err *e)
{
    if (l->has_faces)
        return FA_OK;
    l->has_faces = 1;
    return fa_detect(&l->detector, &l->bgr, &l->found, l->opt.fit.team, e);
}

static void copy_box(float box[4], const struct fa_face_box *f)
{
    box[0] = f->x;
    box[1] = f->y;
    box[2] = f->w;
    box[3] = f->h;
}

static int widest_face(void *self, float box[4], struct fa_err *e)
{
    struct fa_landmark_stage *l = self;
    int r = ensure_faces(l, e);
    if (r != FA_OK)
        return r;
    int i = fa_face_widest(l->found.box, l->found.n);
    if (i < 0)
        return 0;
    copy_box(box, &l->found.box[i]);
    return 1;
}

/* Aligned face for the AU stage, and its picture where asked for. Video: black unless the model's own flag is set. */
static int put_crop(struct fa_landmark_stage *l, struct fa_writer *w, uint32_t clip, int face, int still, struct fa_err *e)
{
    const struct fa_fit_state *s = &l->state;
    const struct fa_img8 *frame = still || s->accepted ? &l->bgr : NULL;
    struct fa_crop crop;
    char path[4096];
    int r = fa_align_crop(&crop, &l->aligner, frame, s->main.xy, e);
    if (r == FA_OK)
        r = fa_put_crop(w, clip, l->frame_no, face, &crop, e);
    if (r != FA_OK || !l->opt.aligned || (l->opt.nobadaligned && !(still ? s->accepted : s->success)))
        return r;
    if (still)
        snprintf(path, sizeof path, "%s/face_det_%06d.bmp", l->opt.aligned, face);
    else
        snprintf(path, sizeof path, "%s/frame_det_%02d_%06llu.bmp", l->opt.aligned, face, (unsigned long long)l->frame_no);
    return fa_align_picture(&l->aligner, &l->opt.look, frame, s->main.xy, path, e);
}

static int put_face(struct fa_landmark_stage *l, struct fa_writer *w, uint32_t clip, int face, int still, struct fa_err *e)
{
    struct fa_measured out;
    fa_fit_measure(&out, l->model, &l->state, &l->cam, still);
    int r = fa_put_marks(w, clip, l->frame_no, face, &out.marks, e);
    return r == FA_OK ? put_crop(l, w, clip, face, still, e) : r;
}

static void report(const struct fa_landmark_stage *l)
{
    char line[64];
    if (l->opt.progress_fd < 0)
        return;
    int n = snprintf(line, sizeof line, "%llu %llu\n", (unsigned long long)l->frame_no, (unsigned long long)l->clip.n_frame);
    if (write(l->opt.progress_fd, line, (size_t)n) < 0) { }    /* nobody looks any more: no matter */
}

static int measure(struct fa_landmark_stage *l, struct fa_writer *w, uint32_t clip, struct fa_err *e)
{
    int r;
    if (l->clip.kind == FA_CLIP_STILL) {
        if ((r = ensure_faces(l, e)) != FA_OK)
            return r;
        for (int i = 0; i < l->found.n; i++) {
            float box[4];
            copy_box(box, &l->found.box[i]);
            if ((r = fa_fit_still(l->model, &l->state, &l->gray, box, e)) != FA_OK ||
                (r = put_face(l, w, clip, i, 1, e)) != FA_OK)
                return r;
        }
    } else {
        struct fa_box_source boxes = { widest_face, l };
        if ((r = fa_track(l->model, &l->state, &l->gray, &boxes, e)) != FA_OK || (r = put_face(l, w, clip, 0, 0, e)) != FA_OK)
            return r;
    }
    report(l);
    return FA_OK;
}

static int process_pending(struct fa_landmark_stage *l, struct fa_writer *w, uint32_t clip, struct fa_err *e)
{
    if (!l->pending)
        return FA_OK;
    l->pending = 0;
    int r = measure(l, w, clip, e);
    fa_loan_return(&l->loan);
    return r;
}

/* Where the colour pixels of the frame are until it is measured: in place when somebody else keeps them for us, else in a copy. */
static int keep_pixels(struct fa_landmark_stage *l, const struct fa_rec *rec, struct fa_err *e)
{
    const uint64_t n = (uint64_t)l->frame.w * (uint64_t)l->frame.h;
    const uint8_t *px = l->frame.px;
    if (l->frame.format == FA_PIX_BGR24 && fa_loan_keep(&l->loan, rec)) {
        l->bgr.px = (uint8_t *)px;               /* only looked at */
        return FA_OK;
    }
    int r = grow(&l->pix, &l->pix_cap, n * 3, e);
    if (r != FA_OK)
        return r;
    if (l->frame.format == FA_PIX_BGR24)
        memcpy(l->pix, px, n * 3);
    else
        for (uint64_t i = 0; i < n; i++)
            l->pix[3 * i] = l->pix[3 * i + 1] = l->pix[3 * i + 2] = px[i];
    l->bgr.px = l->pix;
    return FA_OK;
}

static int take_frame(struct fa_landmark_stage *l, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    int r = fa_get_frame(&l->frame, rec, e);
    if (r != FA_OK)
        return r;
    if (l->frame.format == FA_PIX_NONE)
        return fa_fail(e, FA_E_FORMAT, "frame %llu: no pixels in this stream (it has been through fa-landmarks already)",
                       (unsigned long long)rec->frame);
    l->bgr = (struct fa_img8){ NULL, (ptrdiff_t)l->frame.w * 3, l->frame.w, l->frame.h, 3 };
    const uint64_t n = (uint64_t)l->frame.w * (uint64_t)l->frame.h;
    if ((r = grow(&l->gray_px, &l->gray_cap, n + 64, e)) != FA_OK || (r = keep_pixels(l, rec, e)) != FA_OK)
        return r;
    l->gray = (struct fa_img8){ l->gray_px, l->frame.w, l->frame.w, l->frame.h, 1 };
    fa_gray_from_bgr(&l->gray, &l->bgr);
    l->frame_no = rec->frame;
    l->pending = 1;
    l->has_faces = 0;
    if (l->opt.keep_frames)
        return fa_put_rec(w, rec, e);
    struct fa_frame bare = l->frame;
    bare.format = FA_PIX_NONE;
    bare.px = NULL;
    return fa_put_frame(w, rec->clip, rec->frame, &bare, e);
}

static int take_faces(struct fa_landmark_stage *l, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_faces f;
    int r = fa_get_faces(&f, rec, e);
    if (r == FA_OK)
        r = fa_put_rec(w, rec, e);
    if (r != FA_OK || !l->pending || rec->frame != l->frame_no)
        return r;
    l->has_faces = 1;
    l->found.n = f.n;
    memcpy(l->found.box, f.box, (size_t)f.n * sizeof *f.box);
    return FA_OK;
}

static int record(void *self, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_landmark_stage *l = self;
    int r;
    if (rec->type != FA_REC_FACES && (r = process_pending(l, w, rec->clip, e)) != FA_OK)
        return r;
    switch (rec->type) {
    case FA_REC_CLIP:
        if ((r = fa_get_clip(&l->clip, rec, e)) != FA_OK)
            return r;
        fa_fit_reset(&l->state);
        l->cam = (struct fa_camera){ l->clip.fx, l->clip.fy, l->clip.cx, l->clip.cy };
        return fa_put_clip_line(w, rec, l->provenance, e);
    case FA_REC_FRAME:
        return take_frame(l, w, rec, e);
    case FA_REC_FACES:
        if ((r = take_faces(l, w, rec, e)) != FA_OK)
            return r;
        return process_pending(l, w, rec->clip, e);
    default:                                      /* LANDMARKS, CROP, AUS of an earlier run: ours replace them */
        return FA_OK;
    }
}

static int clip_end(void *self, struct fa_writer *w, uint32_t clip, const struct fa_end *end, struct fa_err *e)
{
    (void)end;
    return process_pending(self, w, clip, e);
}

int fa_landmark_stage_open(struct fa_landmark_stage **out, const struct fa_pack *pack, const struct fa_landmark_options *options,
                           struct fa_err *e)
{
    *out = NULL;
    struct fa_landmark_stage *l = calloc(1, sizeof *l);
    if (!l)
        return fa_fail(e, FA_E_MEM, "out of memory");
    l->opt = *options;
    int r = fa_team_open(&l->opt.fit.team, l->opt.threads, e);
    if (r == FA_OK)
        r = fa_detector_open(&l->detector, pack, e);
    if (r == FA_OK)
        r = fa_face_model_open(&l->model, pack, &l->opt.fit, e);
    if (r == FA_OK)
        r = fa_aligner_open(&l->aligner, pack, e);
    if (r != FA_OK) {
        fa_landmark_stage_close(l);
        return r;
    }
    snprintf(l->provenance, sizeof l->provenance, "%s version=%s model=%016llx%s%s", l->opt.program, FA_VERSION, (unsigned long long)pack->hash,
             l->opt.fit.wild ? " wild=1" : "", l->opt.fit.multi_view ? " multi_view=1" : "");
    *out = l;
    return FA_OK;
}

void fa_landmark_stage_close(struct fa_landmark_stage *l)
{
    if (!l)
        return;
    fa_aligner_close(&l->aligner);
    fa_face_model_close(l->model);
    fa_detector_close(&l->detector);
    fa_loan_return(&l->loan);
    fa_team_close(l->opt.fit.team);
    free(l->pix);
    free(l->gray_px);
    free(l);
}

struct fa_stage fa_landmark_stage(struct fa_landmark_stage *l)
{
    return (struct fa_stage){ .program = l->opt.program, .self = l, .record = record, .clip_end = clip_end };
}
