/* SPDX-License-Identifier: BSD-2-Clause
 * fa-report: one line a clip over folders of results, and whether they are good enough. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fa_clip_report.h"
#include "fa_compare.h"
#include "fa_msg.h"

static const char usage[] =
    "usage: fa-report [options] FOLDER|CSV...\n"
    "Prints a line for each clip: frames, success, mean confidence, active AUs, warnings. Uses the .json beside a CSV where there is one.\n"
    "      --tsv                 tab-separated, with the AUs' names\n"
    "      --json                a JSON object a line\n"
    "      --min-success P       exit 1 if a clip has less than P percent of its frames with success\n"
    "      --min-confidence C    exit 1 if a clip's mean confidence is below C (0..1)\n"
    "      --strict              exit 1 if a clip has any warning\n"
    "  -q, --quiet   -v, --verbose   -h, --help   --version\n"
    "Exit status: 0 done, 1 a threshold is not met, a clip failed or a file is bad, 2 wrong use, 3 this machine.\n";

enum form { TABLE, TSV, JSON };
struct opts { enum form form; double min_success, min_confidence; int strict; };
struct sum { size_t clips, frames, success, poor; };

static double percent(size_t part, size_t whole) { return whole ? 100.0 * (double)part / (double)whole : 0; }

/* Tabs and line ends in a name would make another table. */
static void put_name(const char *s)
{
    for (; *s; s++)
        putchar((unsigned char)*s < 0x20 ? '?' : *s);
}

static void put_warnings(const struct fa_clip_report *r, const char *none)
{
    int n = 0;
    for (int i = 0; i < FA_CLIP_WARNINGS; i++)
        if (r->warnings >> i & 1)
            printf("%s%s", n++ ? ", " : "", fa_clip_warning_text(i));
    if (n == 0)
        fputs(none, stdout);
    if (*r->words) {
        fputs(": ", stdout);
        put_name(r->words);
    }
}

static void put_json(const struct fa_clip_report *r)
{
    int n = 0;
    fputs("{\"clip\": ", stdout);
    fa_string_json(stdout, r->clip);
    printf(", \"frames\": %zu, \"success\": %zu, \"confidence\": %.4f, \"active\": ", r->frames, r->success, r->confidence);
    fa_string_json(stdout, r->active);
    fputs(", \"warnings\": [", stdout);
    for (int i = 0; i < FA_CLIP_WARNINGS; i++)
        if (r->warnings >> i & 1)
            printf("%s\"%s\"", n++ ? ", " : "", fa_clip_warning_text(i));
    fputs("], \"words\": ", stdout);
    fa_string_json(stdout, r->words);
    puts("}");
}

static void put_line(const struct fa_clip_report *r, enum form form)
{
    if (form == JSON) {
        put_json(r);
        return;
    }
    if (form == TSV) {
        put_name(r->clip);
        printf("\t%zu\t%.2f\t%.4f\t%s\t", r->frames, percent(r->success, r->frames), r->confidence, r->active);
        put_warnings(r, "");
        putchar('\n');
        return;
    }
    printf("%8zu  %8.1f  %10.3f  %3d  ", r->frames, percent(r->success, r->frames), r->confidence, r->n_active);
    put_name(r->clip);
    if (r->warnings) {
        fputs("  ! ", stdout);
        put_warnings(r, "");
    }
    putchar('\n');
}

/* Says on stderr what is not met. Returns whether. */
static int poor(const struct fa_clip_report *r, const struct opts *o)
{
    const double success = percent(r->success, r->frames);
    if (r->warnings & FA_WARN_FAILED)
        fa_warn("%s: failed: %s", r->clip, r->words);
    else if (success < o->min_success)
        fa_warn("%s: success %.1f %%, below %g", r->clip, success, o->min_success);
    else if (r->confidence < o->min_confidence)
        fa_warn("%s: mean confidence %.3f, below %g", r->clip, r->confidence, o->min_confidence);
    else
        return o->strict && r->warnings;
    return 1;
}

/* Returns the exit status. */
static int one(struct sum *sum, const char *csv, const struct opts *o)
{
    struct fa_clip_report r;
    struct fa_err e = { 0 };
    int status = 0;
    if (fa_clip_report(&r, csv, &e) == FA_OK) {
        put_line(&r, o->form);
        status = poor(&r, o);
        sum->frames += r.frames;
        sum->success += r.success;
    } else {
        status = fa_error_status(&e);
    }
    sum->clips++;
    sum->poor += status != 0;
    fa_clip_report_close(&r);
    return status;
}

static int folder(struct sum *sum, const char *path, const struct opts *o)
{
    char **list = NULL;
    size_t n = 0;
    struct fa_err e = { 0 };
    int worst = 0;
    if (fa_clip_report_find(&list, &n, path, &e) != FA_OK)
        worst = fa_error_status(&e);
    else if (n == 0)
        fa_error("%s: no results in it", path), worst = 1;
    for (size_t i = 0; i < n; i++) {
        const int status = worst == 3 ? 3 : one(sum, list[i], o);
        worst = status > worst ? status : worst;
        free(list[i]);
    }
    free(list);
    return worst;
}

int main(int argc, char **argv)
{
    enum { O_TSV = 256, O_JSON, O_SUCCESS, O_CONFIDENCE, O_STRICT, O_VERSION };
    static const struct option options[] = {
        { "tsv", no_argument, 0, O_TSV }, { "json", no_argument, 0, O_JSON }, { "min-success", required_argument, 0, O_SUCCESS },
        { "min-confidence", required_argument, 0, O_CONFIDENCE }, { "strict", no_argument, 0, O_STRICT }, { "quiet", no_argument, 0, 'q' },
        { "verbose", no_argument, 0, 'v' }, { "help", no_argument, 0, 'h' }, { "version", no_argument, 0, O_VERSION }, { 0 }
    };
    struct opts o = { 0 };
    struct sum sum = { 0 };
    struct stat st;
    int c, worst = 0;
    fa_msg_init("fa-report");
    while ((c = getopt_long(argc, argv, "qvh", options, NULL)) != -1)
        switch (c) {
        case O_TSV: o.form = TSV; break;
        case O_JSON: o.form = JSON; break;
        case O_SUCCESS: o.min_success = fa_opt_double("--min-success", optarg, 0, 100); break;
        case O_CONFIDENCE: o.min_confidence = fa_opt_double("--min-confidence", optarg, 0, 1); break;
        case O_STRICT: o.strict = 1; break;
        case 'q': fa_msg_level(FA_QUIET); break;
        case 'v': fa_msg_level(FA_VERBOSE); break;
        case 'h': fputs(usage, stdout); return fa_close_stdout(0);
        case O_VERSION: fa_print_version(NULL);
        default: fa_die_usage("wrong option");
        }
    if (optind == argc)
        fa_die_usage("no folder given");
    if (o.form == TSV)
        puts("clip\tframes\tsuccess_percent\tconfidence\taus_active\twarnings");
    if (o.form == TABLE)
        puts("  frames  success%  confidence  AUs  clip");
    for (int i = optind; i < argc; i++) {
        const int is_folder = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
        const int status = is_folder ? folder(&sum, argv[i], &o) : one(&sum, argv[i], &o);
        worst = status > worst ? status : worst;
    }
    if (o.form == TABLE)
        printf("%8zu  %8.1f  in %zu clips, %zu not as wanted\n", sum.frames, percent(sum.success, sum.frames), sum.clips, sum.poor);
    return fa_close_stdout(worst);
}
