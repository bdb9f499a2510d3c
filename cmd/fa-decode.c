/* SPDX-License-Identifier: BSD-2-Clause
 * fa-decode: videos, pictures and sequences of pictures as a record stream of frames. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa_file.h"
#include "fa_media.h"
#include "fa_msg.h"
#include "fa_ring.h"
#include "fa_shm.h"
#include "fa_stage_options.h"
#include "fa_stream.h"

static const char usage[] =
    "usage: fa-decode [-S] [-qv] [-o FILE] [-z LEVEL] [options] INPUT...\n"
    "       fa-decode --probe [-0] INPUT...\n"
    "\n"
    "Writes the frames of each INPUT as one clip of a record stream. INPUT is a video or a picture of any kind that ffmpeg reads,\n"
    "a folder of pictures (.jpg .jpeg .png .bmp), a printf pattern such as img%04d.png, or '-' for standard input.\n"
    "\n"
    "  -S, --shared       pixels stay in shared memory, the pipe carries references: for a direct pipe to fa-detect, fa-landmarks, fa-view\n"
    "  --start S          begin S seconds into the video (default 0)\n"
    "  --duration S       end S seconds later (default: to the end)\n"
    "  --frames N         end after N frames (default: all)\n"
    "  --cfr              times are (frame - 1) / frame rate, as OpenFace's (default: true presentation times)\n"
    "  --color HOW        bt601: convert as OpenFace does; tag: honour the matrix tag (default bt601)\n"
    "  --no-autorotate    do not turn the picture upright\n"
    "  --fx F, --fy F     focal lengths, pixels (default: from the frame size)\n"
    "  --cx C, --cy C     optical centre, pixels (default: the middle)\n"
    "  --threads N        ffmpeg's decoding threads (default: its own choice)\n"
    "  --probe            decode nothing; print of each INPUT: kind, width, height, frames/s, frames, seconds (0: unknown), name\n"
    "  -0, --null         with --probe: a NUL behind each name instead of a newline\n";

enum { O_START = 256, O_DURATION, O_FRAMES, O_CFR, O_COLOR, O_NO_ROTATE, O_FX, O_FY, O_CX, O_CY, O_THREADS, O_PROBE };
static const struct option own[] = {
    { "start", required_argument, 0, O_START }, { "duration", required_argument, 0, O_DURATION }, { "frames", required_argument, 0, O_FRAMES },
    { "cfr", no_argument, 0, O_CFR }, { "color", required_argument, 0, O_COLOR }, { "no-autorotate", no_argument, 0, O_NO_ROTATE },
    { "fx", required_argument, 0, O_FX }, { "fy", required_argument, 0, O_FY }, { "cx", required_argument, 0, O_CX },
    { "cy", required_argument, 0, O_CY }, { "threads", required_argument, 0, O_THREADS }, { "probe", no_argument, 0, O_PROBE },
    { "null", no_argument, 0, '0' }, { "shared", no_argument, 0, 'S' }, { 0 }
};

/* One line for each input, fields separated by tabs; end: what ends it. The worst status. */
static int probe(char *const *input, char end)
{
    static const char *const kind[] = { "video", "sequence", "still" };
    int status = 0;
    for (int i = 0; input[i]; i++) {
        struct fa_media_brief b;
        struct fa_err e = { 0 };
        if (fa_media_probe(&b, input[i], &e) == FA_OK) {
            printf("%s\t%d\t%d\t%.6g\t%llu\t%.3f\t%s%c", kind[b.kind], b.w, b.h, b.fps, (unsigned long long)b.n_frame, b.seconds, input[i], end);
        } else {
            fa_err_prefix(&e, "%s", input[i]);
            const int s = fa_error_status(&e);
            status = s > status ? s : status;
        }
    }
    return fa_close_stdout(status);
}

/* What made the pixels and times, for CLIP's provenance. */
static void provenance(char *line, size_t size, const struct fa_media_info *i, const struct fa_media_options *o)
{
    const char *ffmpeg = i && *i->ffmpeg ? i->ffmpeg : "unknown";
    int n = snprintf(line, size, "fa-decode version=%s ffmpeg=%.*s matrix=%s times=%s rotate=%s", FA_VERSION,
                     (int)strcspn(ffmpeg, " \n"), ffmpeg, o->color_tag ? "tag" : "bt601", i && i->true_times ? "pts" : "cfr", o->no_autorotate ? "no" : "auto");
    if (o->start > 0)
        n += snprintf(line + n, size - (size_t)n, " start=%.9g", o->start);
    if (o->duration > 0)
        n += snprintf(line + n, size - (size_t)n, " duration=%.9g", o->duration);
    if (o->frames)
        n += snprintf(line + n, size - (size_t)n, " frames=%llu", (unsigned long long)o->frames);
    snprintf(line + n, size - (size_t)n, "\n");
}

/* i NULL: the input could not be opened; a clip of unknown size (0 x 0) whose END then says why. */
static int put_clip(struct fa_writer *w, uint32_t clip, const char *input, const struct fa_media_info *i, const struct fa_media_options *o,
                    struct fa_err *e)
{
    char line[512];
    struct fa_clip c = { .name = input, .provenance = line };
    provenance(line, sizeof line, i, o);
    if (i) {
        c.kind = (uint32_t)i->kind;
        c.flags = (i->true_times ? FA_CLIP_VFR : 0) | (o->color_tag ? FA_CLIP_COLOR_TAG : 0);
        c.w = i->w, c.h = i->h, c.rotation = i->rotation;
        c.fps_num = i->fps_num, c.fps_den = i->fps_den, c.n_frame = i->n_frame;
        c.fx = i->fx, c.fy = i->fy, c.cx = i->cx, c.cy = i->cy;
    }
    return fa_put_clip(w, clip, &c, e);
}

/* The output, and where pixels wait for its readers when they go by reference (else NULL). */
struct output { struct fa_writer *w; struct fa_ring *ring; };

static int room(void *ring, size_t bytes, uint8_t **px, struct fa_err *e) { return fa_ring_slot(ring, bytes, px, e); }

static int put_frames(const struct output *out, uint32_t clip, struct fa_media *m, struct fa_err *write_e, struct fa_err *e)
{
    const struct fa_media_info *i = fa_media_info(m);
    struct fa_media_frame f;
    int r;
    for (uint64_t n = 1; (r = fa_media_next(m, &f, e)) == FA_OK; n++) {
        struct fa_frame rec = { .w = f.w, .h = f.h, .format = FA_PIX_BGR24, .t = f.t, .pts = f.pts,
                                .tb_num = i->tb_num, .tb_den = i->tb_den, .px = f.px, .name = f.name };
        if ((out->ring ? fa_ring_put(out->ring, clip, n, &rec, write_e) : fa_put_frame(out->w, clip, n, &rec, write_e)) != FA_OK)
            break;
    }
    if (r == FA_E_PIPE || r == FA_E_ARG)         /* of the ring, of the pipe: nobody takes what we write */
        *write_e = *e;
    return r;
}

/* One input, one clip, with an END in any case. Returns the input's exit status; write_e is filled when the output fails. */
static int decode(const struct output *out, uint32_t clip, const char *input, const struct fa_media_options *o, struct fa_err *write_e)
{
    struct fa_err e = { 0 };
    struct fa_media *m = NULL;
    const char *name = strcmp(input, "-") == 0 ? "standard input" : input;
    int r = fa_media_open(&m, input, o, &e), status = 0;
    if (r == FA_OK)
        fa_note("%s: %dx%d, %u/%u frames/s, rotation %d", name, fa_media_info(m)->w, fa_media_info(m)->h, fa_media_info(m)->fps_num,
                fa_media_info(m)->fps_den, fa_media_info(m)->rotation);
    if (put_clip(out->w, clip, input, m ? fa_media_info(m) : NULL, o, write_e) == FA_OK && r == FA_OK)
        r = put_frames(out, clip, m, write_e, &e);
    fa_media_close(m);
    if (r < 0) {
        fa_err_prefix(&e, "%s", name);
        status = fa_error_status(&e);
    }
    if (write_e->code == FA_OK) {
        struct fa_end end = { .status = (uint32_t)status, .n_frame = fa_writer_frames(out->w), .stage = status ? "fa-decode" : "",
                              .words = status ? e.text : "" };
        fa_put_end(out->w, clip, &end, write_e);
        fa_note("%s: %llu frames", name, (unsigned long long)end.n_frame);
    }
    return status;
}

static int worse(int a, int b) { return a > b ? a : b; }

static int color_tag(const char *how)
{
    if (strcmp(how, "bt601") != 0 && strcmp(how, "tag") != 0)
        fa_die_usage("--color: '%s' is neither bt601 nor tag", how);
    return how[0] == 't';
}

struct settings { struct fa_media_options o; int probing, shared; char end; };

static void take_option(void *self, int c, const char *arg)
{
    struct settings *s = self;
    struct fa_media_options *o = &s->o;
    switch (c) {
    case O_START: o->start = fa_opt_double("--start", arg, 0, 1e9); break;
    case O_DURATION: o->duration = fa_opt_double("--duration", arg, 1e-6, 1e9); break;
    case O_FRAMES: o->frames = (uint64_t)fa_opt_long("--frames", arg, 1, 1000000000); break;
    case O_CFR: o->cfr = 1; break;
    case O_COLOR: o->color_tag = color_tag(arg); break;
    case O_NO_ROTATE: o->no_autorotate = 1; break;
    case O_FX: o->fx = (float)fa_opt_double("--fx", arg, 1e-3, 1e6); break;
    case O_FY: o->fy = (float)fa_opt_double("--fy", arg, 1e-3, 1e6); break;
    case O_CX: o->cx = (float)fa_opt_double("--cx", arg, 1e-3, 1e6); break;
    case O_CY: o->cy = (float)fa_opt_double("--cy", arg, 1e-3, 1e6); break;
    case O_THREADS: o->threads = (int)fa_opt_long("--threads", arg, 0, 1024); break;
    case O_PROBE: s->probing = 1; break;
    case 'S': s->shared = 1; break;
    case '0': s->end = '\0'; break;
    }
}

/* Frames by reference from now on, where they can go so; else as ever. */
static int share(struct output *out, struct fa_media_options *o, struct fa_err *e)
{
    const int r = fa_ring_open(&out->ring, out->w, e);
    if (r == FA_OK) {
        o->room = room;
        o->room_self = out->ring;
    } else if (r == FA_E_ARG) {
        fa_note("%s: pixels go through the pipe", e->text);
        *e = (struct fa_err){ 0 };
        return FA_OK;
    }
    return r;
}

int main(int argc, char **argv)
{
    struct settings s = { .end = '\n' };
    struct fa_stage_options common = { .usage = usage, .letters = "S0", .own = own, .take = take_option, .self = &s, .is_source = 1 };
    struct fa_err e = { 0 };
    struct fa_out file = { 0 };
    struct output out = { 0 };
    int status = 0;

    fa_msg_init("fa-decode");
    char **input = fa_stage_parse(&common, argc, argv);
    const char *path = common.output;
    struct fa_media_options *o = &s.o;
    if (s.probing)
        return probe(input, s.end);
    if ((o->fx > 0) != (o->fy > 0) || (o->cx > 0) != (o->cy > 0))
        fa_die_usage("--fx and --fy, and --cx and --cy, go together");
    if (s.shared && common.level)
        fa_die_usage("-S and -z exclude each other: references cannot be compressed");

    if (fa_out_open(&file, path, &e) != FA_OK)
        return fa_error_status(&e);
    o->watch = fileno(file.f);
    int r = fa_writer_open(&out.w, o->watch, common.level, &e);
    if (r == FA_OK && s.shared && fa_shm_enabled())
        r = share(&out, o, &e);
    if (r != FA_OK) {
        fa_writer_close(out.w, NULL);
        fa_out_abandon(&file, 0);
        fa_err_prefix(&e, "%s", path ? path : "standard output");
        return fa_error_status(&e);
    }
    for (int i = 0; input[i] && e.code == FA_OK; i++)
        status = worse(status, decode(&out, (uint32_t)i, input[i], o, &e));
    struct fa_err last = { 0 };
    if (fa_ring_close(out.ring, &last) != FA_OK && e.code == FA_OK)
        status = worse(status, fa_error_status(&last));
    if (fa_writer_close(out.w, &e) != FA_OK) {
        fa_err_prefix(&e, "%s", path ? path : "standard output");
        status = fa_error_status(&e);
    }
    if (status != 0 && path)
        fa_out_abandon(&file, 1);
    else if (fa_out_commit(&file, &e) != FA_OK)
        status = fa_error_status(&e);
    return fa_close_stdout(status);
}
