/* SPDX-License-Identifier: BSD-2-Clause
 * fa-csv: a record stream to OpenFace's CSV. Rows are LANDMARKS records in their order; the AUS record of a row may come
 * at once or only at the end of the clip, so rows wait in a queue until theirs is there. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_msg.h"
#include "fa_queue.h"
#include "fa_stream.h"
#include "fa_table.h"
#include "fa_timeline.h"

static const char usage[] =
    "usage: fa-csv [options] [FILE]\n"
    "Reads a record stream from FILE or standard input and writes OpenFace 2.2's CSV.\n"
    "  -o, --output FILE|DIR  a file, or a folder (DIR/ is made) that gets NAME.csv for each clip (default standard output)\n"
    "  -2Dfp -3Dfp -pdmparams -pose -aus -gaze   groups of columns (default all)\n"
    "      --of21             \", \" between cells, as OpenFace 2.0 and 2.1\n"
    "      --precision N      decimals of all columns but frame, face, success, AUxx_c: 0..15 (default OpenFace's)\n"
    "      --distance         columns AUxx_d at the end: decision values of the presences\n"
    "      --pts              column pts_time at the end: presentation time in seconds\n"
    "      --clip-column      column clip at the end, and all clips of the stream in one table\n"
    "      --details          also NAME_of_details.txt (needs -o)\n"
    "      --provenance       also NAME.json: clip, models, options, frames, success (needs -o)\n"
    "      --request TEXT     the same, with TEXT kept in it: what was asked for, for programs that resume\n"
    "      --line-buffered    write out each row at once\n"
    "  -q, --quiet   -v, --verbose   -h, --help   --version\n"
    "Exit status: 0 done, 1 bad input, 2 wrong use, 3 this machine, or what the stream's END says.\n";

enum { O_GROUP = 256, O_OF21 = O_GROUP + FA_TABLE_ALL + 1, O_PRECISION, O_DISTANCE, O_PTS, O_CLIP, O_DETAILS, O_PROV, O_REQUEST, O_LINE, O_VERSION };
static const struct option options[] = {
    { "2Dfp", no_argument, 0, O_GROUP + FA_TABLE_2D }, { "3Dfp", no_argument, 0, O_GROUP + FA_TABLE_3D },
    { "pdmparams", no_argument, 0, O_GROUP + FA_TABLE_PDM }, { "pose", no_argument, 0, O_GROUP + FA_TABLE_POSE },
    { "aus", no_argument, 0, O_GROUP + FA_TABLE_AUS }, { "gaze", no_argument, 0, O_GROUP + FA_TABLE_GAZE },
    { "output", required_argument, 0, 'o' }, { "of21", no_argument, 0, O_OF21 }, { "precision", required_argument, 0, O_PRECISION },
    { "distance", no_argument, 0, O_DISTANCE }, { "pts", no_argument, 0, O_PTS }, { "clip-column", no_argument, 0, O_CLIP },
    { "details", no_argument, 0, O_DETAILS }, { "provenance", no_argument, 0, O_PROV }, { "request", required_argument, 0, O_REQUEST },
    { "line-buffered", no_argument, 0, O_LINE }, { "quiet", no_argument, 0, 'q' },
    { "verbose", no_argument, 0, 'v' }, { "help", no_argument, 0, 'h' }, { "version", no_argument, 0, O_VERSION }, { 0 }
};

struct row { struct fa_rec rec; struct fa_tick at; };      /* a LANDMARKS record that waits, and its frame */
enum aus { AUS_OFF, AUS_ON, AUS_UNKNOWN };     /* unknown: the first face tells, if its AUS record comes next */

struct csv {
    struct fa_sheet sheet;
    struct fa_timeline frames;
    struct fa_queue rows;
    char *name, *stages;
    struct fa_story story;
    enum aus aus;
    int aus_wanted, single, in_clip;           /* single: one face, so every frame has its row */
    uint64_t n_rows;
};

static int write_row(struct csv *c, const struct row *row, const void *payload, const struct fa_aus *au, struct fa_err *e)
{
    struct fa_rec rec = row->rec;
    struct fa_marks m;
    rec.data = payload;
    int r = fa_get_marks(&m, &rec, e);
    if (r != FA_OK)
        return r;
    struct fa_table_shape shape = { .n = m.n, .n_eye = m.n_eye, .m = m.m };
    struct fa_table_row cells = { .frame = rec.frame, .face = rec.face, .success = m.success != 0, .timestamp = row->at.t,
        .confidence = (double)m.certainty, .gaze = m.gaze[0], .gaze_angle = m.gaze_angle, .eye_xy = m.eye_xy, .eye_xyz = m.eye_xyz,
        .pose = m.pose, .xy = m.xy, .xyz = m.xyz, .global = m.global, .local = m.local, .pts = row->at.pts, .clip = c->name };
    if (au) {
        shape.n_r = au->n_r;
        shape.n_c = au->n_c;
        shape.name_r = au->name_r;
        shape.name_c = au->name_c;
        cells.au_r = au->r;
        cells.au_c = au->c;
        cells.distance = au->distance;
    }
    r = fa_sheet_row(&c->sheet, &shape, &cells, e);
    c->n_rows += r == FA_OK;
    return r == FA_E_FORMAT ? fa_err_prefix(e, "frame %llu", (unsigned long long)rec.frame) : r;
}

/* The oldest row that waits, with its action units or without; 0 when none waits. */
static int take_row(struct csv *c, const struct fa_rec *aus_rec, const struct fa_aus *au, struct fa_err *e)
{
    const void *fixed, *payload;
    struct row row;
    size_t len;
    int r = fa_queue_get(&c->rows, &fixed, &payload, &len, e);
    if (r <= 0)
        return r;
    memcpy(&row, fixed, sizeof row);
    if (aus_rec && (aus_rec->frame != row.rec.frame || aus_rec->face != row.rec.face))
        return fa_fail(e, FA_E_FORMAT, "frame %llu face %d: no AUS record (the next is of frame %llu face %d)", (unsigned long long)row.rec.frame,
                       (int)row.rec.face, (unsigned long long)aus_rec->frame, (int)aus_rec->face);
    r = write_row(c, &row, payload, au, e);
    return r == FA_OK ? 1 : r;
}

/* The first face's AUS record did not follow it: this clip has none, and no row waits any longer. */
static int settle(struct csv *c, struct fa_err *e)
{
    int r;
    if (c->aus != AUS_UNKNOWN || fa_queue_empty(&c->rows))
        return FA_OK;
    if (c->aus_wanted)
        return fa_fail(e, FA_E_FORMAT, "no action units in this stream: it has not been through fa-aus");
    fa_note("%s: no action units in this stream, no AU columns", c->name);
    c->aus = AUS_OFF;
    while ((r = take_row(c, NULL, NULL, e)) > 0) { }
    return r;
}

static int take_clip(struct csv *c, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_clip clip;
    int r = fa_get_clip(&clip, rec, e);
    if (r != FA_OK)
        return r;
    const char *p = clip.provenance;
    const int has_aus = strncmp(p, "fa-aus ", 7) == 0 || strstr(p, "\nfa-aus ") != NULL;
    const int image = clip.kind == FA_CLIP_STILL;
    free(c->name);
    free(c->stages);
    c->name = strdup(clip.name);
    c->stages = strdup(p);
    c->story = (struct fa_story){ .input = c->name, .stages = c->stages, .w = clip.w, .h = clip.h, .rotation = clip.rotation,
        .true_times = (clip.flags & FA_CLIP_VFR) != 0, .fps_num = clip.fps_num, .fps_den = clip.fps_den, .promised = clip.n_frame };
    fa_timeline_reset(&c->frames);
    fa_queue_reset(&c->rows);
    c->n_rows = 0;
    c->single = !image && !strstr(p, " multi_face=");
    c->aus = !(c->sheet.form.groups & FA_TABLE_AUS) ? AUS_OFF : has_aus ? AUS_ON : AUS_UNKNOWN;
    if (!c->name || !c->stages)
        return fa_fail(e, FA_E_MEM, "out of memory");
    const float camera[4] = { clip.fx, clip.fy, clip.cx, clip.cy };
    r = fa_sheet_clip(&c->sheet, clip.name, clip.kind == FA_CLIP_SEQUENCE, image, camera, e);
    c->in_clip = r == FA_OK;
    return r;
}

static int take_frame(struct csv *c, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_frame f;
    int r = fa_get_frame(&f, rec, e);
    if (r != FA_OK || (r = settle(c, e)) != FA_OK)
        return r;
    const double pts = f.pts == INT64_MIN || f.tb_den == 0 ? (double)NAN : (double)f.pts * ((double)f.tb_num / (double)f.tb_den);
    c->story.frames++;
    return fa_timeline_put(&c->frames, rec->frame, f.t, pts, e);
}

static int take_marks(struct csv *c, const struct fa_rec *rec, struct fa_err *e)
{
    int r = settle(c, e);
    c->single = c->single && rec->face == 0;
    if (r == FA_OK)
        r = fa_timeline_find(&c->frames, rec->frame, c->single, e);
    if (r != FA_OK)
        return r;
    const struct row row = { *rec, c->frames.at };
    if (c->aus == AUS_OFF)
        return write_row(c, &row, rec->data, NULL, e);
    return fa_queue_put(&c->rows, &row, sizeof row, rec->data, rec->len, e);
}

static int take_aus(struct csv *c, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_aus au;
    if (c->aus == AUS_OFF)
        return FA_OK;
    int r = fa_get_aus(&au, rec, e);
    if (r == FA_OK && (r = take_row(c, rec, &au, e)) == 0)
        r = fa_fail(e, FA_E_FORMAT, "frame %llu: AUS record without LANDMARKS", (unsigned long long)rec->frame);
    c->aus = AUS_ON;
    return r > 0 ? FA_OK : r;
}

/* What a complete clip must have. */
static int check_whole(struct csv *c, struct fa_err *e)
{
    int r = settle(c, e);
    if (r != FA_OK)
        return r;
    if (!fa_queue_empty(&c->rows))
        return fa_fail(e, FA_E_FORMAT, "faces without AUS records at the end of the clip");
    if (c->single && !fa_timeline_at_end(&c->frames))
        return fa_fail(e, FA_E_FORMAT, c->n_rows ? "no LANDMARKS record after frame %llu" :
                       "no landmarks in this stream: it has not been through fa-landmarks", (unsigned long long)c->frames.at.frame);
    if (c->single && c->n_rows == 0)
        return fa_fail(e, FA_E_FORMAT, "no frame in this clip, no CSV");
    if (c->n_rows == 0)
        fa_warn("%s: no face, no CSV", c->name);
    return FA_OK;
}

/* Closes the clip, complete (status 0) or not. Rows that still wait go to the partial file, without AUs, if it has no row yet. */
static int close_clip(struct csv *c, int status, const char *stage, const char *words, struct fa_err *e)
{
    struct fa_err second = { 0 };
    const int ok = status == 0;
    c->in_clip = 0;
    if (!ok && c->n_rows == 0) {
        c->aus = AUS_UNKNOWN;
        settle(c, &second);
    }
    c->story.status = status;
    c->story.stage = stage;
    c->story.words = words;
    int r = fa_sheet_story(&c->sheet, &c->story, e), end = fa_sheet_clip_end(&c->sheet, ok, r == FA_OK ? e : NULL);
    return r == FA_OK ? end : r;
}

/* Returns the clip's status; < 0: e is filled. */
static int take_end(struct csv *c, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_end end;
    int r = fa_get_end(&end, rec, e);
    if (r == FA_OK && end.status == 0)
        r = check_whole(c, e);
    if (r != FA_OK)
        return r;
    if (end.status != 0)
        fa_error("%s: %s: %s", c->name, end.stage, end.words);
    r = close_clip(c, (int)end.status, end.status ? end.stage : "", end.status ? end.words : "", e);
    return r == FA_OK ? (int)end.status : r;
}

/* The whole stream. Returns the exit status. */
static int run(struct csv *c, struct fa_reader *in)
{
    struct fa_err e = { 0 }, second = { 0 };
    struct fa_rec rec;
    int r, s, status = 0;
    while ((r = fa_reader_next(in, &rec, &e)) == FA_OK) {
        switch (rec.type) {
        case FA_REC_CLIP: r = take_clip(c, &rec, &e); break;
        case FA_REC_FRAME: r = take_frame(c, &rec, &e); break;
        case FA_REC_LANDMARKS: r = take_marks(c, &rec, &e); break;
        case FA_REC_AUS: r = take_aus(c, &rec, &e); break;
        case FA_REC_END: r = take_end(c, &rec, &e); break;
        default: break;
        }
        if (r == FA_E_FORMAT && c->name)        /* the reader's own errors say where; these do not yet */
            fa_err_prefix(&e, "%s", c->name);
        if (r < 0)
            break;
        status = r > status ? r : status;
    }
    if (r < 0) {
        if (c->in_clip)
            close_clip(c, fa_err_status(e.code), "fa-csv", e.text, &second);
        s = fa_error_status(&e);
        status = s > status ? s : status;
    }
    second = (struct fa_err){ 0 };
    if (fa_sheet_close(&c->sheet, r >= 0, &second) != FA_OK && status == 0)
        status = fa_error_status(&second);
    return status;
}

int main(int argc, char **argv)
{
    struct csv c = { .sheet.form.precision = -1 };
    struct fa_table_form *form = &c.sheet.form;
    struct fa_reader *in;
    struct fa_err e = { 0 };
    int o, fd = 0;
    fa_msg_init("fa-csv");
    while ((o = getopt_long_only(argc, argv, "o:qvh", options, NULL)) != -1)
        switch (o) {
        case 'o': c.sheet.out = optarg; break;
        case O_OF21: form->of21 = 1; break;
        case O_PRECISION: form->precision = (int)fa_opt_long("--precision", optarg, 0, FA_FIXED_DECIMALS); break;
        case O_DISTANCE: form->extra |= FA_TABLE_DISTANCE; break;
        case O_PTS: form->extra |= FA_TABLE_PTS; break;
        case O_CLIP: form->extra |= FA_TABLE_CLIP; break;
        case O_DETAILS: c.sheet.details = 1; break;
        case O_PROV: c.sheet.request = c.sheet.request ? c.sheet.request : ""; break;
        case O_REQUEST: c.sheet.request = optarg; break;
        case O_LINE: c.sheet.line_buffered = 1; break;
        case 'q': fa_msg_level(FA_QUIET); break;
        case 'v': fa_msg_level(FA_VERBOSE); break;
        case 'h': fputs(usage, stdout); return fa_close_stdout(0);
        case O_VERSION: fa_print_version(NULL);
        case '?': fa_die_usage("wrong option");
        default: form->groups |= (unsigned)(o - O_GROUP); break;
        }
    if (argc - optind > 1)
        fa_die_usage("one stream at most, not %d", argc - optind);
    if ((c.sheet.details || c.sheet.request) && (!c.sheet.out || strcmp(c.sheet.out, "-") == 0))
        fa_die_usage("--details and --provenance need -o");
    if (c.sheet.request && form->extra & FA_TABLE_CLIP)
        fa_die_usage("--provenance is of one clip's CSV, --clip-column makes one of many");
    c.aus_wanted = (form->groups & FA_TABLE_AUS) != 0;
    if (form->extra & FA_TABLE_DISTANCE && form->groups && !c.aus_wanted)
        fa_die_usage("--distance goes with -aus");
    if (form->groups == 0)
        form->groups = FA_TABLE_ALL;
    const char *path = optind < argc ? argv[optind] : "-";
    if (strcmp(path, "-") != 0 && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        fa_die(1, "%s: %s", path, strerror(errno));
    if (fa_timeline_open(&c.frames, &e) != FA_OK || fa_queue_open(&c.rows, &e) != FA_OK || fa_sheet_open(&c.sheet, &e) != FA_OK
        || fa_reader_open(&in, fd, path, &e) != FA_OK)
        return fa_close_stdout(fa_error_status(&e));
    int status = run(&c, in);
    fa_reader_close(in);
    fa_timeline_close(&c.frames);
    fa_queue_close(&c.rows);
    free(c.name);
    free(c.stages);
    return fa_close_stdout(status);
}
