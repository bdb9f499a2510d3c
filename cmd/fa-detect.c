/* SPDX-License-Identifier: BSD-2-Clause
 * fa-detect: frames in, frames and FACES out. Runs the face detector on the frames on which the reference's tracker would ask
 * for a first face (spec/landmark-fit 8.1), or on those that the user names. */
#include <getopt.h>
#include <stdio.h>

#include "fa_detect.h"
#include "fa_import.h"
#include "fa_model.h"
#include "fa_msg.h"
#include "fa_stage_options.h"
#include "fa_stream.h"
#include "fa_team.h"

static const char usage[] =
    "usage: fa-detect [options] [FILE]\n"
    "Reads a frame stream (FILE or standard input) and adds a FACES record to each frame that it looks at: in videos and sequences\n"
    "frames 1, 13, 25, ... until a face is found (then fa-landmarks follows it), in stills every frame.\n"
    "  -a, --all          look at every frame\n"
    "  -n, --every N      look at every Nth frame: 1, N+1, 2N+1, ...\n";

enum { START_EVERY = 12 };                       /* frames between two looks for a first face */

struct detect {
    struct fa_pack pack;
    struct fa_detector detector;
    struct fa_face_list faces;
    char provenance[200];
    long every;                                  /* 0: until the first face */
    struct fa_team *team;
    /* The clip. */
    char name[256];
    int is_still, found;
    uint64_t n_frame;                            /* seen so far */
};

static int is_due(const struct detect *d)
{
    if (d->every)
        return d->n_frame % (uint64_t)d->every == 0;
    return d->is_still || (!d->found && d->n_frame % START_EVERY == 0);
}

static int look(struct detect *d, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_frame f;
    int r = fa_get_frame(&f, rec, e);
    if (r != FA_OK)
        return r;
    if (f.format == FA_PIX_NONE)
        return fa_fail(e, FA_E_FORMAT, "frame %llu: no pixels in this stream (it has been through fa-landmarks already)",
                       (unsigned long long)rec->frame);
    int ch = f.format == FA_PIX_GRAY8 ? 1 : 3;
    struct fa_img8 img = { (uint8_t *)f.px, (ptrdiff_t)f.w * ch, f.w, f.h, ch };
    if ((r = fa_detect(&d->detector, &img, &d->faces, d->team, e)) != FA_OK)
        return r;
    d->found |= d->faces.n > 0;
    fa_note("%s: frame %llu: %d face%s", d->name, (unsigned long long)rec->frame, d->faces.n, d->faces.n == 1 ? "" : "s");
    struct fa_faces faces = { d->faces.n, d->faces.box };
    return fa_put_faces(w, rec->clip, rec->frame, &faces, e);
}

static int record(void *self, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    struct detect *d = self;
    struct fa_clip clip;
    int r;
    switch (rec->type) {
    case FA_REC_CLIP:
        if ((r = fa_get_clip(&clip, rec, e)) != FA_OK)
            return r;
        snprintf(d->name, sizeof d->name, "%s", clip.name);
        d->is_still = clip.kind == FA_CLIP_STILL;
        d->found = 0;
        d->n_frame = 0;
        return fa_put_clip_line(w, rec, d->provenance, e);
    case FA_REC_FRAME:
        if ((r = fa_put_rec(w, rec, e)) == FA_OK && is_due(d))
            r = look(d, w, rec, e);
        d->n_frame++;
        return r;
    case FA_REC_FACES:                           /* of an earlier run: ours replace them */
        return FA_OK;
    default:
        return fa_put_rec(w, rec, e);
    }
}

static void take_option(void *self, int c, const char *arg)
{
    ((struct detect *)self)->every = c == 'a' ? 1 : fa_opt_long("-n", arg, 1, 1000000000);
}

int main(int argc, char **argv)
{
    static const struct option own[] = { { "all", 0, NULL, 'a' }, { "every", 1, NULL, 'n' }, { 0 } };
    static struct detect d;
    struct fa_stage_options o = { .usage = usage, .letters = "an:", .own = own, .take = take_option, .self = &d };
    const struct fa_stage stage = { "fa-detect", &d, record, NULL };
    struct fa_err e = { 0 };

    fa_msg_init("fa-detect");
    char **input = fa_stage_parse(&o, argc, argv);
    if (fa_model_open(&d.pack, o.model, &e) != FA_OK || fa_detector_open(&d.detector, &d.pack, &e) != FA_OK ||
        fa_team_open(&d.team, o.threads, &e) != FA_OK)
        return fa_error_status(&e);
    fa_note("model %016llx from %s", (unsigned long long)d.pack.hash, d.pack.from);
    int n = snprintf(d.provenance, sizeof d.provenance, "fa-detect version=%s model=%016llx", FA_VERSION, (unsigned long long)d.pack.hash);
    if (d.every)
        snprintf(d.provenance + n, sizeof d.provenance - (size_t)n, " every=%ld", d.every);
    int status = fa_stage_files(&stage, *input, o.output, o.level, &e);
    fa_error_status(&e);
    fa_detector_close(&d.detector);
    fa_team_close(d.team);
    fa_pack_close(&d.pack);
    return status;
}
