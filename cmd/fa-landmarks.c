/* SPDX-License-Identifier: BSD-2-Clause
 * fa-landmarks - FRAME and FACES in, LANDMARKS and CROP out: options of the landmark stage (lib/fit/fa_landmark_stage.h). */
#include <getopt.h>
#include <stdio.h>

#include "fa_file.h"
#include "fa_import.h"
#include "fa_kern.h"
#include "fa_landmark_stage.h"
#include "fa_model.h"
#include "fa_msg.h"

static const char usage[] =
    "usage: fa-landmarks [options] [FILE]\n"
    "Reads a frame stream (FILE or standard input), writes landmarks, pose, eyes, gaze and aligned faces.\n"
    "  --model M          ceclm (default if installed), clnf, clm, starter, a pack, or an OpenFace main_*.txt list\n"
    "  --keep-frames      pass the pixels on\n"
    "  --multi-view       stills: try 11 start rotations, as video always does\n"
    "  --wild             OpenFace's settings for difficult faces (larger windows, more iterations)\n"
    "  --aligned DIR      write aligned faces as BMP: DIR/frame_det_00_000001.bmp, stills DIR/face_det_000000.bmp\n"
    "  --nomask --gray --simscale S --simsize N    look of those pictures (default masked, colour, 0.7, 112)\n"
    "  --nobadaligned     none for frames without success\n"
    "  -t N               threads (default 1; the output does not depend on it)\n"
    "  -o FILE -z LEVEL   output (default standard output); zstd level 1..19 (default 0: none)\n"
    "  -q -v -h --version\n";

int main(int argc, char **argv)
{
    enum { MODEL = 256, KEEP, MULTI, WILD, ALIGNED, NOMASK, GRAY, SCALE, SIZE, NOBAD, PROGRESS, VERSION };
    static const struct option lo[] = {
        { "model", 1, NULL, MODEL }, { "keep-frames", 0, NULL, KEEP }, { "multi-view", 0, NULL, MULTI }, { "wild", 0, NULL, WILD },
        { "aligned", 1, NULL, ALIGNED }, { "nomask", 0, NULL, NOMASK }, { "gray", 0, NULL, GRAY }, { "simscale", 1, NULL, SCALE },
        { "simsize", 1, NULL, SIZE }, { "nobadaligned", 0, NULL, NOBAD }, { "progress-fd", 1, NULL, PROGRESS },
        { "help", 0, NULL, 'h' }, { "version", 0, NULL, VERSION }, { 0 },
    };
    struct fa_landmark_options o = { .program = "fa-landmarks", .fit = { .threads = 1 }, .look = fa_align_look_default(), .progress_fd = -1 };
    struct fa_landmark_stage *stage = NULL;
    struct fa_pack pack = { 0 };
    const char *model = NULL, *out = NULL;
    int c, level = 0, zlevel = 0, scale_given = 0;
    struct fa_err e = { 0 };

    fa_msg_init("fa-landmarks");
    while ((c = getopt_long(argc, argv, "t:o:z:qvh", lo, NULL)) != -1)
        switch (c) {
        case MODEL: model = optarg; break;
        case KEEP: o.keep_frames = 1; break;
        case MULTI: o.fit.multi_view = 1; break;
        case WILD: o.fit.wild = 1; break;
        case ALIGNED: o.aligned = optarg; break;
        case NOMASK: o.look.mask = 0; break;
        case GRAY: o.look.gray = 1; break;
        case SCALE: o.look.scale = fa_opt_double("--simscale", optarg, 0.01, 100); scale_given = 1; break;
        case SIZE: o.look.size = (int)fa_opt_long("--simsize", optarg, 8, FA_MAX_CROP); break;
        case NOBAD: o.nobadaligned = 1; break;
        case PROGRESS: o.progress_fd = (int)fa_opt_long("--progress-fd", optarg, 3, 1 << 20); break;
        case 't': o.fit.threads = (int)fa_opt_long("-t", optarg, 1, 1024); break;
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
        o.look.scale = o.look.size * (0.7 / 112);
    int status = 0;
    if (fa_model_open(&pack, model, &e) == FA_OK && fa_landmark_stage_open(&stage, &pack, &o, &e) == FA_OK &&
        (!o.aligned || fa_mkdirs(o.aligned, &e) == FA_OK)) {
        const struct fa_stage run = fa_landmark_stage(stage);
        if (fa_model_fallback(model))  /* of the stages, this one says it */
            fa_warn("%s", fa_model_fallback_note(fa_model_fallback(model)));
        status = fa_stage_files(&run, argv[optind], out, zlevel, &e);
    }
    int failed = fa_error_status(&e);
    fa_landmark_stage_close(stage);
    fa_pack_close(&pack);
    return failed > status ? failed : status;
}
