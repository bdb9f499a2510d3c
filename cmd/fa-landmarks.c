/* SPDX-License-Identifier: BSD-2-Clause
 * fa-landmarks - FRAME and FACES in, LANDMARKS and CROP out: follows the face of each clip (every face of a still), measures
 * landmarks, pose, eyes and gaze, cuts the aligned face for the action units, and lets the pixels go. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_align.h"
#include "fa_detect.h"
#include "fa_file.h"
#include "fa_fit.h"
#include "fa_import.h"
#include "fa_kern.h"
#include "fa_model.h"
#include "fa_msg.h"
#include "fa_stream.h"

static const char usage[] =
    "usage: fa-landmarks [options] [FILE]\n"
    "Reads a frame stream (FILE or standard input), writes landmarks, pose, eyes, gaze and aligned faces.\n"
    "  --model M          ceclm (default if installed), clnf, clm, a pack, or an OpenFace main_*.txt list\n"
    "  --keep-frames      pass the pixels on\n"
    "  --multi-view       stills: try 11 start rotations, as video always does\n"
    "  --wild             OpenFace's settings for difficult faces (larger windows, more iterations)\n"
    "  --aligned DIR      write aligned faces as BMP: DIR/frame_det_00_000001.bmp, stills DIR/face_det_000000.bmp\n"
    "  --nomask --gray --simscale S --simsize N    look of those pictures (default masked, colour, 0.7, 112)\n"
    "  --nobadaligned     none for frames without success\n"
    "  -t N               threads (default 1; the output does not depend on it)\n"
    "  -o FILE -z LEVEL   output (default standard output); zstd level 1..19 (default 0: none)\n"
    "  -q -v -h --version\n";

struct landmarks {
    struct fa_pack pack;
    struct fa_detector detector;
    struct fa_face_model *model;
    struct fa_aligner aligner;
    struct fa_face_list found;
    struct fa_fit_state state;
    struct fa_clip clip;
    struct fa_camera cam;
    /* The frame waiting for its FACES, if any come. */
    int pending, has_faces;
    struct fa_frame frame;
    uint64_t frame_no, pix_cap, gray_cap;
    uint8_t *pix, *gray_px;
    struct fa_img8 bgr, gray;
    char provenance[400], *aligned_dir;
    struct fa_align_look look;
    int keep_frames, nobadaligned, threads, progress_fd;
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
static int ensure_faces(struct landmarks *l, struct fa_err *e)
{
    if (l->has_faces)
        return FA_OK;
    l->has_faces = 1;
    return fa_detect(&l->detector, &l->bgr, &l->found, l->threads, e);
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
    struct landmarks *l = self;
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
static int put_crop(struct landmarks *l, struct fa_writer *w, uint32_t clip, int face, int still, struct fa_err *e)
{
    const struct fa_fit_state *s = &l->state;
    const struct fa_img8 *frame = still || s->accepted ? &l->bgr : NULL;
    struct fa_crop crop;
    char path[4096];
    int r = fa_align_crop(&crop, &l->aligner, frame, s->main.xy, e);
    if (r == FA_OK)
        r = fa_put_crop(w, clip, l->frame_no, face, &crop, e);
    if (r != FA_OK || !l->aligned_dir || (l->nobadaligned && !(still ? s->accepted : s->success)))
        return r;
    if (still)
        snprintf(path, sizeof path, "%s/face_det_%06d.bmp", l->aligned_dir, face);
    else
        snprintf(path, sizeof path, "%s/frame_det_%02d_%06llu.bmp", l->aligned_dir, face, (unsigned long long)l->frame_no);
    return fa_align_picture(&l->aligner, &l->look, frame, s->main.xy, path, e);
}

static int put_face(struct landmarks *l, struct fa_writer *w, uint32_t clip, int face, int still, struct fa_err *e)
{
    struct fa_measured out;
    fa_fit_measure(&out, l->model, &l->state, &l->cam, still);
    int r = fa_put_marks(w, clip, l->frame_no, face, &out.marks, e);
    return r == FA_OK ? put_crop(l, w, clip, face, still, e) : r;
}

static void report(const struct landmarks *l)
{
    char line[64];
    if (l->progress_fd < 0)
        return;
    int n = snprintf(line, sizeof line, "%llu %llu\n", (unsigned long long)l->frame_no, (unsigned long long)l->clip.n_frame);
    if (write(l->progress_fd, line, (size_t)n) < 0) { }    /* nobody looks any more: no matter */
}

static int process_pending(struct landmarks *l, struct fa_writer *w, uint32_t clip, struct fa_err *e)
{
    int r;
    if (!l->pending)
        return FA_OK;
    l->pending = 0;
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

static int take_frame(struct landmarks *l, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    int r = fa_get_frame(&l->frame, rec, e);
    if (r != FA_OK)
        return r;
    if (l->frame.format == FA_PIX_NONE)
        return fa_fail(e, FA_E_FORMAT, "frame %llu: no pixels in this stream (it has been through fa-landmarks already)",
                       (unsigned long long)rec->frame);
    const int ch = l->frame.format == FA_PIX_GRAY8 ? 1 : 3;
    const uint64_t n = (uint64_t)l->frame.w * (uint64_t)l->frame.h;
    if ((r = grow(&l->pix, &l->pix_cap, n * 3, e)) != FA_OK || (r = grow(&l->gray_px, &l->gray_cap, n + 64, e)) != FA_OK)
        return r;
    if (ch == 3)
        memcpy(l->pix, l->frame.px, n * 3);
    else
        for (uint64_t i = 0; i < n; i++)
            l->pix[3 * i] = l->pix[3 * i + 1] = l->pix[3 * i + 2] = l->frame.px[i];
    l->bgr = (struct fa_img8){ l->pix, (ptrdiff_t)l->frame.w * 3, l->frame.w, l->frame.h, 3 };
    l->gray = (struct fa_img8){ l->gray_px, l->frame.w, l->frame.w, l->frame.h, 1 };
    fa_gray_from_bgr(&l->gray, &l->bgr);
    l->frame_no = rec->frame;
    l->pending = 1;
    l->has_faces = 0;
    if (l->keep_frames)
        return fa_put_rec(w, rec, e);
    struct fa_frame bare = l->frame;
    bare.format = FA_PIX_NONE;
    bare.px = NULL;
    return fa_put_frame(w, rec->clip, rec->frame, &bare, e);
}

static int take_faces(struct landmarks *l, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
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
    struct landmarks *l = self;
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

static int open_models(struct landmarks *l, const char *model, const struct fa_fit_options *opt, struct fa_err *e)
{
    int r = fa_model_open(&l->pack, model, e);
    if (r == FA_OK)
        r = fa_detector_open(&l->detector, &l->pack, e);
    if (r == FA_OK)
        r = fa_face_model_open(&l->model, &l->pack, opt, e);
    if (r == FA_OK)
        r = fa_aligner_open(&l->aligner, &l->pack, e);
    return r;
}

static void close_models(struct landmarks *l)
{
    fa_aligner_close(&l->aligner);
    fa_face_model_close(l->model);
    fa_detector_close(&l->detector);
    fa_pack_close(&l->pack);
    free(l->pix);
    free(l->gray_px);
}

int main(int argc, char **argv)
{
    enum { MODEL = 256, KEEP, MULTI, WILD, ALIGNED, NOMASK, GRAY, SCALE, SIZE, NOBAD, PROGRESS, VERSION };
    static const struct option lo[] = {
        { "model", 1, NULL, MODEL }, { "keep-frames", 0, NULL, KEEP }, { "multi-view", 0, NULL, MULTI }, { "wild", 0, NULL, WILD },
        { "aligned", 1, NULL, ALIGNED }, { "nomask", 0, NULL, NOMASK }, { "gray", 0, NULL, GRAY }, { "simscale", 1, NULL, SCALE },
        { "simsize", 1, NULL, SIZE }, { "nobadaligned", 0, NULL, NOBAD }, { "progress-fd", 1, NULL, PROGRESS },
        { "help", 0, NULL, 'h' }, { "version", 0, NULL, VERSION }, { 0 },
    };
    static struct landmarks l = { .threads = 1, .progress_fd = -1 };
    struct fa_fit_options opt = { 0 };
    const struct fa_stage stage = { "fa-landmarks", &l, record, clip_end };
    const char *model = NULL, *out = NULL;
    int c, level = 0, zlevel = 0, scale_given = 0;
    struct fa_err e = { 0 };

    fa_msg_init("fa-landmarks");
    l.look = fa_align_look_default();
    while ((c = getopt_long(argc, argv, "t:o:z:qvh", lo, NULL)) != -1)
        switch (c) {
        case MODEL: model = optarg; break;
        case KEEP: l.keep_frames = 1; break;
        case MULTI: opt.multi_view = 1; break;
        case WILD: opt.wild = 1; break;
        case ALIGNED: l.aligned_dir = optarg; break;
        case NOMASK: l.look.mask = 0; break;
        case GRAY: l.look.gray = 1; break;
        case SCALE: l.look.scale = fa_opt_double("--simscale", optarg, 0.01, 100); scale_given = 1; break;
        case SIZE: l.look.size = (int)fa_opt_long("--simsize", optarg, 8, FA_MAX_CROP); break;
        case NOBAD: l.nobadaligned = 1; break;
        case PROGRESS: l.progress_fd = (int)fa_opt_long("--progress-fd", optarg, 3, 1 << 20); break;
        case 't': l.threads = (int)fa_opt_long("-t", optarg, 1, 1024); break;
        case 'o': out = optarg; break;
        case 'z': zlevel = (int)fa_opt_long("-z", optarg, 0, 19); break;
        case 'q': level = FA_QUIET; break;
        case 'v': level = FA_VERBOSE; break;
        case 'h': fputs(usage, stdout); return fa_close_stdout(0);
        case VERSION: fa_print_version(fa_kern_name());
        default: fa_die_usage("wrong use");
        }
    fa_msg_level(level);
    if (argc - optind > 1)
        fa_die_usage("one input at most");
    if (!scale_given)
        l.look.scale = l.look.size * (0.7 / 112);
    opt.threads = l.threads;
    if (open_models(&l, model, &opt, &e) != FA_OK || (l.aligned_dir && fa_mkdirs(l.aligned_dir, &e) != FA_OK))
        return fa_error_status(&e);
    if (fa_model_fallback(model))      /* of the stages, this one says it */
        fa_warn("using the model %s: OpenFace's default, ceclm, is not installed (fa-models get ceclm)", fa_model_fallback(model));
    snprintf(l.provenance, sizeof l.provenance, "fa-landmarks version=%s model=%016llx%s%s", FA_VERSION,
             (unsigned long long)l.pack.hash, opt.wild ? " wild=1" : "", opt.multi_view ? " multi_view=1" : "");
    int status = fa_stage_files(&stage, argv[optind], out, zlevel, &e);
    fa_error_status(&e);
    close_models(&l);
    return status;
}
