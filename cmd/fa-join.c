/* SPDX-License-Identifier: BSD-2-Clause
 * fa-join: landmark streams of the segments of one clip in, the landmark stream of the clip out. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_file.h"
#include "fa_msg.h"
#include "fa_segments.h"
#include "fa_stream.h"

static const char usage[] =
    "usage: fa-join --segments S [options] FILE...\n"
    "Joins the landmark streams of a clip's segments, all of them in order, into the stream of the clip. The manual page says how a\n"
    "segment is made; fa does all this by itself.\n"
    "  --segments S       length of a segment, seconds, as it was cut\n"
    "  --files-from N     N segments, whose files are named by standard input, one a line, each when it is complete\n"
    "  --progress-fd N    a line \"FRAMES SEGMENTS\" after each segment, of all so far, goes to this descriptor\n"
    "  -o, --output FILE  output (default standard output)\n"
    "  -z, --zstd LEVEL   zstd level 1..19 (default 0: none)\n"
    "  -q, --quiet   -v, --verbose   -h, --help   --version\n"
    "Exit status: 0 done, 1 bad input, 2 wrong use, 3 this machine, or what the segments' ENDs say.\n";

struct asked { long length_ms; int listed, progress_fd, level; const char *out; };

static int join_file(struct fa_join *j, const char *path, struct fa_err *e)
{
    struct fa_reader *r = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fa_fail(e, FA_E_INPUT, "%s: %s", path, strerror(errno));
    int code = fa_reader_open(&r, fd, path, e);
    if (code == FA_OK)
        code = fa_join_segment(j, r, e);
    fa_reader_close(r);
    close(fd);
    return code;
}

static void report(const struct asked *a, uint64_t frames, int segments)
{
    char line[48];
    if (a->progress_fd < 0)
        return;
    int len = snprintf(line, sizeof line, "%llu %d\n", (unsigned long long)frames, segments);
    if (write(a->progress_fd, line, (size_t)len) < 0) { }     /* nobody looks any more: no matter */
}

/* The next name: from the operands, or from standard input. NULL at its end. */
static const char *next_name(const struct asked *a, char *const *operand, int k)
{
    static char line[4096];
    if (!a->listed)
        return operand[k];
    if (!fgets(line, sizeof line, stdin))
        return NULL;
    line[strcspn(line, "\n")] = '\0';
    return line;
}

static int join(const struct asked *a, struct fa_writer *w, char *const *operand, int n)
{
    struct fa_err e = { 0 }, second = { 0 };
    struct fa_join *j;
    int r = fa_join_open(&j, w, a->length_ms, n, &e);
    if (r != FA_OK)
        return fa_error_status(&e);
    for (int k = 0; k < n && r == FA_OK; k++) {
        const char *name = next_name(a, operand, k);
        r = name ? join_file(j, name, &e) : fa_fail(&e, FA_E_TRUNC, "segment %d of %d did not come", k, n);
        if (r == FA_OK)
            report(a, fa_writer_frames(w), k + 1);
    }
    int status = fa_join_close(j, &e, &second);
    fa_error_status(&e);
    fa_error_status(&second);
    return status;
}

static void parse(struct asked *a, int argc, char **argv)
{
    enum { SEGMENTS = 256, FILES, PROGRESS, VERSION };
    static const struct option lo[] = {
        { "segments", 1, NULL, SEGMENTS }, { "files-from", 1, NULL, FILES }, { "progress-fd", 1, NULL, PROGRESS }, { "output", 1, NULL, 'o' },
        { "zstd", 1, NULL, 'z' }, { "quiet", 0, NULL, 'q' }, { "verbose", 0, NULL, 'v' }, { "help", 0, NULL, 'h' }, { "version", 0, NULL, VERSION }, { 0 },
    };
    int c;
    while ((c = getopt_long(argc, argv, "o:z:qvh", lo, NULL)) != -1)
        switch (c) {
        case SEGMENTS:
            if ((a->length_ms = fa_segment_length(optarg)) < 0)
                fa_die_usage("--segments: '%s' is not a length from 4 to 1000000 seconds, such as 60, 60s, 2m or 1h", optarg);
            break;
        case FILES: a->listed = (int)fa_opt_long("--files-from", optarg, 1, FA_SEGMENT_MAX); break;
        case PROGRESS: a->progress_fd = (int)fa_opt_long("--progress-fd", optarg, 3, 1 << 20); break;
        case 'o': a->out = optarg; break;
        case 'z': a->level = (int)fa_opt_long("-z", optarg, 0, 19); break;
        case 'q': fa_msg_level(FA_QUIET); break;
        case 'v': fa_msg_level(FA_VERBOSE); break;
        case 'h': fputs(usage, stdout); exit(fa_close_stdout(0));
        case VERSION: fa_print_version("stream 1");
        default: fa_die_usage("wrong option");
        }
    if (!a->length_ms)
        fa_die_usage("--segments says how the clip was cut");
    if (a->listed ? argc > optind : argc == optind)
        fa_die_usage(a->listed ? "--files-from, or files, not both" : "no segment");
}

int main(int argc, char **argv)
{
    struct asked a = { .progress_fd = -1 };
    struct fa_out out = { 0 };
    struct fa_writer *w = NULL;
    struct fa_err e = { 0 };

    fa_msg_init("fa-join");
    parse(&a, argc, argv);
    if (fa_out_open(&out, a.out, &e) != FA_OK)
        return fa_error_status(&e);
    if (fa_writer_open(&w, fileno(out.f), a.level, &e) != FA_OK) {
        fa_out_abandon(&out, 0);
        return fa_error_status(&e);
    }
    int status = join(&a, w, argv + optind, a.listed ? a.listed : argc - optind);
    if (fa_writer_close(w, &e) != FA_OK && status == 0) {
        fa_err_prefix(&e, "%s", a.out ? a.out : "standard output");
        status = fa_error_status(&e);
    }
    if (status != 0 && a.out)
        fa_out_abandon(&out, 1);
    else if (fa_out_commit(&out, &e) != FA_OK)
        status = fa_error_status(&e);
    return fa_close_stdout(status);
}
