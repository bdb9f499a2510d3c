/* SPDX-License-Identifier: BSD-2-Clause
 * fa-aus - LANDMARKS and CROP in, AUS added: action-unit intensities, presences and decision values. */
#include <getopt.h>
#include <stdio.h>

#include "fa_au_stage.h"
#include "fa_import.h"
#include "fa_kern.h"
#include "fa_model.h"
#include "fa_msg.h"

static const char usage[] =
    "usage: fa-aus [options] [FILE]\n"
    "Reads a landmark stream (FILE or standard input), writes it with action units added.\n"
    "  default            whole clip, as OpenFace's final CSV: medians and zero levels of the whole clip; output at its end\n"
    "      --online       each frame at once, from the frames so far\n"
    "      --image        each face by itself with the static models, as stills always are\n"
    "      --au-static    the static models for videos too (no calibration to the person)\n"
    "      --median F     start each clip with the medians that F holds\n"
    "      --save-median F  leave the medians at the end of a clip in F\n"
    "      --hog F        write OpenFace's .hog file F; if F is a folder, F/NAME.hog for each clip\n"
    "      --keep-crops   pass the aligned faces on\n"
    "      --model M      ceclm (default if installed), clnf, clm, starter, a pack, or an OpenFace main_*.txt list\n"
    "  -t, --threads N    accepted for uniformity: one thread does all\n"
    "  -o, --output FILE  output (default standard output)\n"
    "  -z, --zstd LEVEL   zstd level 1..19 (default 0: none)\n"
    "  -q, --quiet        errors only\n"
    "  -v, --verbose      more messages\n"
    "  -h, --help         this text\n"
    "      --version      version\n"
    "\n"
    "Exit status: 0 done, 1 bad input, 2 wrong use, 3 this machine.\n";

int main(int argc, char **argv)
{
    enum { ONLINE = 256, IMAGE, STATIC, MEDIAN, SAVE, HOG, KEEP, MODEL, VERSION };
    static const struct option options[] = {
        { "online", 0, NULL, ONLINE }, { "image", 0, NULL, IMAGE }, { "au-static", 0, NULL, STATIC }, { "median", 1, NULL, MEDIAN },
        { "save-median", 1, NULL, SAVE }, { "hog", 1, NULL, HOG }, { "keep-crops", 0, NULL, KEEP }, { "model", 1, NULL, MODEL },
        { "threads", 1, NULL, 't' }, { "output", 1, NULL, 'o' }, { "zstd", 1, NULL, 'z' }, { "quiet", 0, NULL, 'q' },
        { "verbose", 0, NULL, 'v' }, { "help", 0, NULL, 'h' }, { "version", 0, NULL, VERSION }, { 0 }
    };
    struct fa_au_options opt = { .program = "fa-aus" };
    const char *model = NULL, *out = NULL;
    int level = 0;
    struct fa_err e = { 0 };

    fa_msg_init(opt.program);
    for (int c; (c = getopt_long(argc, argv, "t:o:z:qvh", options, NULL)) != -1;)
        switch (c) {
        case ONLINE: opt.online = 1; break;
        case IMAGE: opt.image = 1; break;
        case STATIC: opt.static_set = 1; break;
        case MEDIAN: opt.median = optarg; break;
        case SAVE: opt.save_median = optarg; break;
        case HOG: opt.hog = optarg; break;
        case KEEP: opt.keep_crops = 1; break;
        case MODEL: model = optarg; break;
        case 't': fa_opt_long("-t", optarg, 1, 1024); break;
        case 'o': out = optarg; break;
        case 'z': level = (int)fa_opt_long("-z", optarg, 0, 19); break;
        case 'q': fa_msg_level(FA_QUIET); break;
        case 'v': fa_msg_level(FA_VERBOSE); break;
        case 'h': fputs(usage, stdout); return fa_close_stdout(0);
        case VERSION: fa_print_version(fa_kern_name());
        default: fa_die_usage("wrong option");
        }
    if (argc - optind > 1)
        fa_die_usage("one input at most");
    if (opt.image && (opt.online || opt.median || opt.save_median))
        fa_die_usage("--image measures each face by itself: --online, --median and --save-median do not go with it");

    struct fa_pack pack;
    struct fa_au_stage *au;
    if (fa_model_open(&pack, model, &e) != FA_OK || fa_au_stage_open(&au, &pack, &opt, &e) != FA_OK)
        return fa_error_status(&e);
    const struct fa_stage stage = fa_au_stage(au);
    int status = fa_stage_files(&stage, argv[optind], out, level, &e);
    fa_error_status(&e);
    uint64_t clips, faces, rejected;
    fa_au_stage_counts(au, &clips, &faces, &rejected);
    fa_note("clips: %llu, faces: %llu, not accepted: %llu", (unsigned long long)clips, (unsigned long long)faces, (unsigned long long)rejected);
    fa_au_stage_close(au);
    fa_pack_close(&pack);
    return status;
}
