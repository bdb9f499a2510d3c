/* SPDX-License-Identifier: BSD-2-Clause
 * The common options of the stages (fa_stage_options.h): one table, one text, one switch. */
#include "fa_stage_options.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa_kern.h"
#include "fa_msg.h"

static const char usage_of_filters[] =
    "  --model M          ceclm, clnf, clm, starter, a pack, or an OpenFace main_*.txt list (default $FA_MODELS, then what is installed)\n"
    "  -t, --threads N    threads, never more than CPUs (default 1; the output does not depend on it)\n";
static const char usage_of_all[] =
    "  --node N           run on this NUMA node, memory too (default: anywhere allowed)\n"
    "  --cpus LIST        run on these CPUs, such as 0-3,8\n"
    "  -o, --output FILE  output (default standard output)\n"
    "  -z, --zstd LEVEL   compress the output, 1 fast .. 19 small (default 0: plain)\n"
    "  -q, --quiet        errors only\n"
    "  -v, --verbose      more messages\n"
    "  -h, --help         this text\n"
    "  --version          version and instruction set in use\n"
    "\n"
    "Exit status: 0 done, 1 bad input, 2 wrong use, 3 this machine.\n";

/* Values above those that stages use. */
enum { MODEL = 10000, NODE, CPUS, VERSION, N_OF_FILTERS = 2, MAX_OWN = 40, MAX_LETTERS = 40 };
static const struct option common[] = {
    { "model", 1, NULL, MODEL }, { "threads", 1, NULL, 't' },
    { "node", 1, NULL, NODE }, { "cpus", 1, NULL, CPUS }, { "output", 1, NULL, 'o' }, { "zstd", 1, NULL, 'z' },
    { "quiet", 0, NULL, 'q' }, { "verbose", 0, NULL, 'v' }, { "help", 0, NULL, 'h' }, { "version", 0, NULL, VERSION }, { 0 }
};

static _Noreturn void print_usage(const struct fa_stage_options *o)
{
    printf("%s%s%s", o->usage, o->is_source ? "" : usage_of_filters, usage_of_all);
    exit(fa_close_stdout(0));
}

/* The stage's own options, then ours. */
static void join(struct option all[MAX_OWN + sizeof common / sizeof *common], char letters[MAX_LETTERS], const struct fa_stage_options *o)
{
    int n = 0;
    const struct option *ours = common + (o->is_source ? N_OF_FILTERS : 0);
    while (o->own && o->own[n].name)
        n++;
    assert(n <= MAX_OWN);
    memcpy(all, o->own, (size_t)n * sizeof *all);
    memcpy(all + n, ours, sizeof common - (size_t)(ours - common) * sizeof *ours);
    int len = snprintf(letters, MAX_LETTERS, "%s%so:z:qvh", o->letters ? o->letters : "", o->is_source ? "" : "t:");
    assert(len < MAX_LETTERS);
    (void)len;
}

char **fa_stage_parse(struct fa_stage_options *o, int argc, char **argv)
{
    struct option all[MAX_OWN + sizeof common / sizeof *common];
    char letters[MAX_LETTERS];
    struct fa_err e = { 0 };

    join(all, letters, o);
    o->threads = 1;
    o->place.node = -1;
    for (int c; (c = getopt_long(argc, argv, letters, all, NULL)) != -1;)
        switch (c) {
        case MODEL: o->model = optarg; break;
        case 't': o->threads = (int)fa_opt_long("-t", optarg, 1, 1024); break;
        case NODE: o->place.node = (int)fa_opt_long("--node", optarg, 0, FA_MAX_CPU - 1); break;
        case CPUS: o->place.cpus = optarg; break;
        case 'o': o->output = optarg; break;
        case 'z': o->level = (int)fa_opt_long("-z", optarg, 0, 19); break;
        case 'q': fa_msg_level(FA_QUIET); break;
        case 'v': fa_msg_level(FA_VERBOSE); break;
        case 'h': print_usage(o);
        case VERSION: fa_print_version(fa_kern_name());
        case '?': fa_die_usage("wrong option");
        default: o->take(o->self, c, optarg);
        }
    if (!o->is_source && argc - optind > 1)
        fa_die_usage("one input at most");
    if (o->is_source && optind == argc)
        fa_die_usage("no input");
    if (fa_place_bind(&o->place, &e) != FA_OK)
        fa_die(fa_err_status(e.code), "%s", e.text);
    o->threads = fa_place_threads(o->threads);
    return argv + optind;
}
