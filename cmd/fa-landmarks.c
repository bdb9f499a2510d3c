/* SPDX-License-Identifier: BSD-2-Clause
 * fa-landmarks - FRAME and FACES in, LANDMARKS and CROP out: options of the landmark stage (lib/fit/fa_landmark_stage.h). */
#include <getopt.h>
#include <stdio.h>

#include "fa_file.h"
#include "fa_import.h"
#include "fa_landmark_stage.h"
#include "fa_model.h"
#include "fa_msg.h"
#include "fa_stage_options.h"

static const char usage[] =
    "usage: fa-landmarks [options] [FILE]\n"
    "Reads a frame stream (FILE or standard input), writes landmarks, pose, eyes, gaze and aligned faces.\n"
    "  --keep-frames      pass the pixels on\n"
    "  --multi-view       stills: try 11 start rotations, as video always does\n"
    "  --wild             OpenFace's settings for difficult faces (larger windows, more iterations)\n"
    "  --aligned DIR      write aligned faces as BMP: DIR/frame_det_00_000001.bmp, stills DIR/face_det_000000.bmp\n"
    "  --nomask --gray --simscale S --simsize N    look of those pictures (default masked, colour, 0.7, 112)\n"
    "  --nobadaligned     none for frames without success\n"
    "  --progress-fd N    write \"frame frames\\n\" to this descriptor after each frame\n";

struct settings { struct fa_landmark_options o; int scale_given; };
enum { KEEP = 256, MULTI, WILD, ALIGNED, NOMASK, GRAY, SCALE, SIZE, NOBAD, PROGRESS };
static const struct option own[] = {
    { "keep-frames", 0, NULL, KEEP }, { "multi-view", 0, NULL, MULTI }, { "wild", 0, NULL, WILD }, { "aligned", 1, NULL, ALIGNED },
    { "nomask", 0, NULL, NOMASK }, { "gray", 0, NULL, GRAY }, { "simscale", 1, NULL, SCALE }, { "simsize", 1, NULL, SIZE },
    { "nobadaligned", 0, NULL, NOBAD }, { "progress-fd", 1, NULL, PROGRESS }, { 0 }
};

static void take_option(void *self, int c, const char *arg)
{
    struct settings *s = self;
    struct fa_landmark_options *o = &s->o;
    switch (c) {
    case KEEP: o->keep_frames = 1; break;
    case MULTI: o->fit.multi_view = 1; break;
    case WILD: o->fit.wild = 1; break;
    case ALIGNED: o->aligned = arg; break;
    case NOMASK: o->look.mask = 0; break;
    case GRAY: o->look.gray = 1; break;
    case SCALE: o->look.scale = fa_opt_double("--simscale", arg, 0.01, 100); s->scale_given = 1; break;
    case SIZE: o->look.size = (int)fa_opt_long("--simsize", arg, 8, FA_MAX_CROP); break;
    case NOBAD: o->nobadaligned = 1; break;
    case PROGRESS: o->progress_fd = (int)fa_opt_long("--progress-fd", arg, 3, 1 << 20); break;
    }
}

int main(int argc, char **argv)
{
    struct settings s = { .o = { .program = "fa-landmarks", .look = fa_align_look_default(), .progress_fd = -1 } };
    struct fa_stage_options o = { .usage = usage, .own = own, .take = take_option, .self = &s };
    struct fa_landmark_stage *stage = NULL;
    struct fa_pack pack = { 0 };
    struct fa_err e = { 0 };
    int status = 0;

    fa_msg_init("fa-landmarks");
    char **input = fa_stage_parse(&o, argc, argv);
    s.o.threads = o.threads;
    if (!s.scale_given)
        s.o.look.scale = s.o.look.size * (0.7 / 112);
    if (fa_model_open(&pack, o.model, &e) == FA_OK && fa_landmark_stage_open(&stage, &pack, &s.o, &e) == FA_OK &&
        (!s.o.aligned || fa_mkdirs(s.o.aligned, &e) == FA_OK)) {
        const struct fa_stage run = fa_landmark_stage(stage);
        fa_note("model %016llx from %s", (unsigned long long)pack.hash, pack.from);
        if (fa_model_fallback(o.model))  /* of the stages, this one says it */
            fa_warn("%s", fa_model_fallback_note(fa_model_fallback(o.model)));
        status = fa_stage_files(&run, *input, o.output, o.level, &e);
    }
    int failed = fa_error_status(&e);
    fa_landmark_stage_close(stage);
    fa_pack_close(&pack);
    return failed > status ? failed : status;
}
