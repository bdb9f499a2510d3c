/* SPDX-License-Identifier: BSD-2-Clause
 * fa-view: looks at record streams (man/fa-view.1): as text or JSON lines, counted, checked, or cut to a smaller stream. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_file.h"
#include "fa_msg.h"
#include "fa_select.h"
#include "fa_show.h"
#include "fa_stream.h"

static const char USAGE[] =
    "usage: fa-view [-j [--pixels]] [-f A-B] [-r TYPE]... [-o FILE] [FILE]...\n"
    "       fa-view -c | -s | -k [-f A-B] [-r TYPE]... [-o FILE] [FILE]...\n"
    "       fa-view --cut [-f A-B] [-r TYPE]... [-z LEVEL] [-o FILE] [FILE]\n"
    "Shows the records of streams (standard input by default), one line each.\n"
    "  -j         JSON lines, with every number\n"
    "  --pixels   and pixels, in base64\n"
    "  -c         records of each type and the status, per clip\n"
    "  -s         records and bytes of each type\n"
    "  -k         check everything; say nothing when it is good\n"
    "  -f A-B     only frames A to B (also A, A-, -B)\n"
    "  -r TYPE    only clip, frame, faces, landmarks, crop, aus, end or other\n"
    "  --cut      write the chosen records as a stream again\n"
    "  -z LEVEL   zstd level of that stream, 0 (plain, default) to 19\n"
    "  -o FILE    output to FILE instead of standard output\n"
    "  -q, -v     fewer, more messages\n"
    "  -h, --version\n";

struct tally { uint64_t n[FA_SELECT_TYPES], bytes[FA_SELECT_TYPES]; };

struct view {
    int lines, count, sizes, cut, level;             /* lines: records as text, in this form */
    enum fa_show_how how;
    struct fa_select sel;
    struct fa_out out;
    struct fa_writer *w;
    char line[200];                                  /* provenance of a cut */
    struct tally all;
    int status, incomplete;                          /* incomplete: the output lacks something, so it keeps no final name */
};

/* The clip being read. */
struct clip { const char *input; int open; uint32_t number; char name[256]; uint64_t n_frame; struct tally tally; };

static void worsen(struct view *v, int status) { v->status = status > v->status ? status : v->status; }

static void fail(struct view *v, const struct fa_err *e)
{
    worsen(v, fa_error_status(e));
    v->incomplete = 1;
}

static void count(struct tally *t, const struct fa_rec *rec)
{
    int type = fa_select_type(rec);
    t->n[type]++;
    t->bytes[type] += FA_REC_HEADER + (rec->len + FA_REC_ALIGN - 1) / FA_REC_ALIGN * FA_REC_ALIGN;
}

/* end NULL: it is missing. */
static void print_counts(FILE *f, const struct clip *c, const struct fa_end *end)
{
    fputs("file=", f);
    fa_show_string(f, c->input);
    fprintf(f, " clip=%u name=", (unsigned)c->number);
    fa_show_string(f, c->name);
    if (end)
        fprintf(f, " status=%u", (unsigned)end->status);
    else
        fputs(" status=missing", f);
    for (int k = 1; k <= FA_SELECT_TYPES; k++)       /* "other" last */
        fprintf(f, " %s=%llu", fa_select_name(k % FA_SELECT_TYPES), (unsigned long long)c->tally.n[k % FA_SELECT_TYPES]);
    if (end && end->status) {
        fputs(" stage=", f);
        fa_show_string(f, end->stage);
        fputs(" words=", f);
        fa_show_string(f, end->words);
    }
    putc('\n', f);
}

static void print_sizes(FILE *f, const struct tally *t)
{
    uint64_t total = 0;
    for (int k = 0; k < FA_SELECT_TYPES; k++)
        total += t->bytes[k];
    for (int k = 1; k <= FA_SELECT_TYPES; k++) {
        int type = k % FA_SELECT_TYPES;
        if (t->n[type])
            fprintf(f, "%s records=%llu bytes=%llu percent=%.1f\n", fa_select_name(type), (unsigned long long)t->n[type],
                    (unsigned long long)t->bytes[type], 100.0 * (double)t->bytes[type] / (double)total);
    }
    fprintf(f, "total bytes=%llu\n", (unsigned long long)total);
}

static void begin_clip(struct clip *c, const struct fa_rec *rec)
{
    struct fa_clip clip;
    *c = (struct clip){ .input = c->input, .open = 1, .number = rec->clip };
    if (fa_get_clip(&clip, rec, NULL) == FA_OK)
        snprintf(c->name, sizeof c->name, "%s", clip.name);
}

/* A clip that did not go well, or whose END does not fit, is bad news in every mode. */
static void end_clip(struct view *v, struct clip *c, const struct fa_rec *rec)
{
    struct fa_end end;
    c->open = 0;
    if (fa_get_end(&end, rec, NULL) != FA_OK)
        return;
    if (v->count)
        print_counts(v->out.f, c, &end);
    if (end.status) {
        fa_error("%s: clip %u (%s): ended with status %u by %s: %s", c->input, (unsigned)c->number, c->name, (unsigned)end.status,
                 end.stage, end.words);
        worsen(v, 1);
    }
    if (end.n_frame != c->n_frame) {
        fa_error("%s: clip %u (%s): END counts %llu frames, the stream has %llu", c->input, (unsigned)c->number, c->name,
                 (unsigned long long)end.n_frame, (unsigned long long)c->n_frame);
        worsen(v, 1);
    }
}

static int one_record(struct view *v, struct clip *c, const struct fa_rec *rec, struct fa_err *e)
{
    int code = fa_rec_check(rec, e);
    if (code != FA_OK) {
        fa_err_prefix(e, "%s", c->input);
        return code;
    }
    if (rec->type == FA_REC_CLIP)
        begin_clip(c, rec);
    c->n_frame += rec->type == FA_REC_FRAME;
    if (v->cut)
        code = fa_select_put(&v->sel, v->w, rec, v->line, e);
    if (fa_select_has(&v->sel, rec)) {
        count(&c->tally, rec);
        count(&v->all, rec);
        if (v->lines)
            code = fa_show(v->out.f, rec, v->how, e);
        if (ferror(v->out.f))
            code = fa_fail_errno(e, FA_E_IO, "write");
    }
    if (rec->type == FA_REC_END)
        end_clip(v, c, rec);
    return code;
}

/* What is left to say about a clip without its END. */
static void abandon_clip(struct view *v, const struct clip *c, const struct fa_err *e)
{
    if (!c->open)
        return;
    if (v->count)
        print_counts(v->out.f, c, NULL);
    if (v->cut) {
        struct fa_end end = { (uint32_t)fa_err_status(e->code), fa_writer_frames(v->w), fa_msg_program(), e->text };
        fa_put_end(v->w, c->number, &end, NULL);
    }
}

/* One input to its end; failures are printed. FA_OK, or the code of a failure of our output: then it is of no use to go on. */
static int one_input(struct view *v, const char *path)
{
    struct clip clip = { .input = strcmp(path, "-") ? path : "standard input" };
    struct fa_reader *r = NULL;
    struct fa_err e = { 0 };
    struct fa_rec rec;
    int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : 0, code = FA_OK, input;
    if (fd < 0)
        input = fa_fail_errno(&e, FA_E_INPUT, "%s", path);
    else
        input = fa_reader_open(&r, fd, path, &e);
    if (input == FA_OK && v->w)
        fa_reader_watch(r, v->w);
    while (input == FA_OK && code == FA_OK && (input = fa_reader_next(r, &rec, &e)) == FA_OK)
        code = one_record(v, &clip, &rec, &e);
    if (code == FA_E_FORMAT) {                       /* a payload that its decoder refused */
        input = code;
        code = FA_OK;
    }
    if (input < 0)
        abandon_clip(v, &clip, &e);
    if (input < 0 || code < 0)
        fail(v, &e);
    else
        fa_note("%s: whole", clip.input);
    fa_reader_close(r);
    if (fd > 0)
        close(fd);
    return code;
}

static void parse_options(struct view *v, const char **path, int argc, char **argv)
{
    enum { O_CUT = 256, O_PIXELS, O_VERSION };
    static const struct option LONG[] = { { "cut", 0, 0, O_CUT }, { "pixels", 0, 0, O_PIXELS }, { "version", 0, 0, O_VERSION },
                                          { "help", 0, 0, 'h' }, { 0, 0, 0, 0 } };
    struct fa_err e;
    unsigned types = 0;
    int c, json = 0, pixels = 0, check = 0, level_given = 0;
    while ((c = getopt_long(argc, argv, "jcskf:r:o:z:qvh", LONG, NULL)) != -1)
        switch (c) {
        case 'j': json = 1; break;
        case 'c': v->count = 1; break;
        case 's': v->sizes = 1; break;
        case 'k': check = 1; break;
        case 'f':
            if (fa_select_range(&v->sel, optarg, &e) != FA_OK)
                fa_die_usage("-f: %s", e.text);
            break;
        case 'r':
            if (fa_select_find(optarg) < 0)
                fa_die_usage("-r: '%s' is not clip, frame, faces, landmarks, crop, aus, end or other", optarg);
            types |= 1u << fa_select_find(optarg);
            break;
        case 'o': *path = optarg; break;
        case 'z': v->level = (int)fa_opt_long("-z", optarg, 0, 19); level_given = 1; break;
        case 'q': fa_msg_level(FA_QUIET); break;
        case 'v': fa_msg_level(FA_VERBOSE); break;
        case 'h': fputs(USAGE, stdout); exit(fa_close_stdout(0));
        case O_CUT: v->cut = 1; break;
        case O_PIXELS: pixels = 1; break;
        case O_VERSION: fa_print_version("stream 1");
        default: fa_die_usage("wrong option");
        }
    int summary = v->count || v->sizes || check;
    if (json + v->cut + summary > 1)
        fa_die_usage("-j, --cut and the group -c -s -k exclude each other");
    if (pixels && !json)
        fa_die_usage("--pixels goes with -j");
    if (level_given && !v->cut)
        fa_die_usage("-z goes with --cut");
    if (v->cut && argc - optind > 1)
        fa_die_usage("--cut takes one input");
    if (types)
        v->sel.types = types;
    v->how = pixels ? FA_SHOW_JSON_PIXELS : json ? FA_SHOW_JSON : FA_SHOW_TEXT;
    v->lines = !summary && !v->cut;
    snprintf(v->line, sizeof v->line, "fa-view version=%s cut frames=%llu-%llu types=%#x", FA_VERSION,
             (unsigned long long)v->sel.first, (unsigned long long)v->sel.last, types);
}

int main(int argc, char **argv)
{
    struct view v = { .sel = FA_SELECT_ALL };
    struct fa_err e = { 0 };
    const char *path = NULL;
    fa_msg_init("fa-view");
    parse_options(&v, &path, argc, argv);
    int to_stdout = !path || strcmp(path, "-") == 0, code = fa_out_open(&v.out, path, &e);
    if (code == FA_OK && v.cut)
        code = fa_writer_open(&v.w, fileno(v.out.f), v.level, &e);
    if (code != FA_OK) {
        fa_out_abandon(&v.out, 0);
        return fa_error_status(&e);
    }
    if (optind == argc)
        code = one_input(&v, "-");
    for (int i = optind; i < argc && code == FA_OK; i++)
        code = one_input(&v, argv[i]);
    if (v.sizes && code == FA_OK)
        print_sizes(v.out.f, &v.all);
    if (fa_writer_close(v.w, &e) != FA_OK && code == FA_OK)
        fail(&v, &e);
    if (to_stdout)
        return fa_close_stdout(v.status);
    if (v.incomplete)
        fa_out_abandon(&v.out, 1);
    else if (fa_out_commit(&v.out, &e) != FA_OK)
        fail(&v, &e);
    return v.status;
}
