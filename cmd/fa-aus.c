/* SPDX-License-Identifier: BSD-2-Clause
 * fa-aus - LANDMARKS and CROP in, AUS added: action-unit intensities, presences and decision values. */
#include <getopt.h>
#include <stdio.h>

#include "fa_au_stage.h"
#include "fa_import.h"
#include "fa_model.h"
#include "fa_msg.h"
#include "fa_stage_options.h"

static const char usage[] =
    "usage: fa-aus [options] [FILE]\n"
    "Reads a landmark stream (FILE or standard input), writes it with action units added.\n"
    "  default            whole clip, as OpenFace's final CSV: medians and zero levels of the whole clip; output at its end\n"
    "  --online           each frame at once, from the frames so far\n"
    "  --image            each face by itself with the static models, as stills always are\n"
    "  --au-static        the static models for videos too (no calibration to the person)\n"
    "  --median F         start each clip with the medians that F holds\n"
    "  --save-median F    leave the medians at the end of a clip in F\n"
    "  --hog F            write OpenFace's .hog file F; if F is a folder, F/NAME.hog for each clip\n"
    "  --keep-crops       pass the aligned faces on\n";

enum { ONLINE = 256, IMAGE, STATIC, MEDIAN, SAVE, HOG, KEEP };
static const struct option own[] = {
    { "online", 0, NULL, ONLINE }, { "image", 0, NULL, IMAGE }, { "au-static", 0, NULL, STATIC }, { "median", 1, NULL, MEDIAN },
    { "save-median", 1, NULL, SAVE }, { "hog", 1, NULL, HOG }, { "keep-crops", 0, NULL, KEEP }, { 0 }
};

static void take_option(void *self, int c, const char *arg)
{
    struct fa_au_options *o = self;
    switch (c) {
    case ONLINE: o->online = 1; break;
    case IMAGE: o->image = 1; break;
    case STATIC: o->static_set = 1; break;
    case MEDIAN: o->median = arg; break;
    case SAVE: o->save_median = arg; break;
    case HOG: o->hog = arg; break;
    case KEEP: o->keep_crops = 1; break;
    }
}

int main(int argc, char **argv)
{
    struct fa_au_options opt = { .program = "fa-aus" };
    struct fa_stage_options o = { .usage = usage, .own = own, .take = take_option, .self = &opt };
    struct fa_pack pack;
    struct fa_au_stage *au;
    struct fa_err e = { 0 };

    fa_msg_init(opt.program);
    char **input = fa_stage_parse(&o, argc, argv);
    if (opt.image && (opt.online || opt.median || opt.save_median))
        fa_die_usage("--image measures each face by itself: --online, --median and --save-median do not go with it");
    if (fa_model_open(&pack, o.model, &e) != FA_OK || fa_au_stage_open(&au, &pack, &opt, &e) != FA_OK)
        return fa_error_status(&e);
    fa_note("model %016llx from %s", (unsigned long long)pack.hash, pack.from);
    const struct fa_stage stage = fa_au_stage(au);
    int status = fa_stage_files(&stage, *input, o.output, o.level, &e);
    fa_error_status(&e);
    uint64_t clips, faces, rejected;
    fa_au_stage_counts(au, &clips, &faces, &rejected);
    fa_note("clips: %llu, faces: %llu, not accepted: %llu", (unsigned long long)clips, (unsigned long long)faces, (unsigned long long)rejected);
    fa_au_stage_close(au);
    fa_pack_close(&pack);
    return status;
}
