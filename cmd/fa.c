/* SPDX-License-Identifier: BSD-2-Clause
 * fa - a clip, or many, to CSV: runs fa-decode | fa-detect | fa-landmarks | fa-aus | fa-csv for each (lib/run), passes options on,
 * shows progress, and ends with the status and the words of the stage that failed. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_file.h"
#include "fa_import.h"
#include "fa_model.h"
#include "fa_msg.h"
#include "fa_place.h"
#include "fa_run.h"
#include "fa_segments.h"

static const char usage[] =
    "usage: fa [options] CLIP... > out.csv\n"
    "       fa [options] -o FILE|DIR CLIP...\n"
    "Measures the face in each clip (video, image, folder of images, '-') and writes OpenFace 2.2's CSV.\n"
    "  -o FILE|DIR        output; a folder (or a name ending in /) takes NAME.csv, and NAME.json that says how it was made, for each clip;\n"
    "                     default: standard output, one clip\n"
    "  -j N               clips at a time (default $N_WORKERS, else 1; 0: as many as CPUs given)\n"
    "      --resume       leave clips alone whose output is complete and fits clip, models and options\n"
    "      --list-left    print the names of the other clips, one a line (-0: each ended by a NUL), and run nothing\n"
    "      --files-from F more clips from a list, one a line ('-': standard input); -0, --null: each ended by a NUL\n"
    "      --tree DIR     keep the folders of clips below DIR in the output folder\n"
    "      --segments S   cut clips into segments of S seconds (60, 60s, 2m), tracked side by side by -j N (default: never cut)\n"
    "      --fail-fast    begin no clip after one that failed (-k, --keep-going, the default: go on)\n"
    "      --deadline S   begin no clip S seconds after the start; --grace S: running clips get S seconds after SIGTERM (default 0)\n"
    "      --joblog F     a line for each clip, in GNU parallel's columns\n"
    "      --node N, --cpus LIST   stay on this NUMA node, on these CPUs (0-3,8)\n"
    "      --provenance, --no-provenance   NAME.json for -o FILE too; none for a folder either\n"
    "      --profile P    accurate, optimized, fast, video ($CONVERGENCE_PROFILE): all mean OpenFace's own iterations here\n"
    "  -n, --dry-run      print the pipes that would run\n"
    "  -t N               threads of each stage (default 1; the output does not depend on it)\n"
    "  -q, -v             quiet; verbose\n"
    "  -h, --version\n"
    "passed on: --model M (ceclm, clnf, clm, starter, a pack or a main_*.txt list)\n"
    "  decode:    --cfr --start S --duration S --frames N --color bt601|tag --no-autorotate --fx F --fy F --cx C --cy C\n"
    "  detect:    --detect-all, --detect-every N\n"
    "  landmarks: --wild --multi-view --aligned DIR (NAME_aligned/ in it) --nomask --gray --simscale S --simsize N --nobadaligned\n"
    "  aus:       --au-static --online --hog DIR (NAME.hog in it) --median F --save-median F\n"
    "  csv:       -2Dfp -3Dfp -pdmparams -pose -aus -gaze --of21 --precision N --distance --pts --details --line-buffered\n"
    "Each stage's manual page has the details.\n";

enum { RESUME = 256, FILES, SEGMENTS, TREE, FAIL_FAST, DEADLINE, GRACE, JOBLOG, PROV, NO_PROV, LIST_LEFT, NODE, CPUS, PROFILE, VERSION, PASS };
static const struct option own[] = {
    { "output", 1, NULL, 'o' }, { "keep-going", 0, NULL, 'k' }, { "dry-run", 0, NULL, 'n' }, { "help", 0, NULL, 'h' }, { "version", 0, NULL, VERSION },
    { "resume", 0, NULL, RESUME }, { "files-from", 1, NULL, FILES }, { "null", 0, NULL, '0' }, { "segments", 1, NULL, SEGMENTS }, { "tree", 1, NULL, TREE },
    { "fail-fast", 0, NULL, FAIL_FAST }, { "deadline", 1, NULL, DEADLINE }, { "grace", 1, NULL, GRACE }, { "joblog", 1, NULL, JOBLOG },
    { "node", 1, NULL, NODE }, { "cpus", 1, NULL, CPUS }, { "provenance", 0, NULL, PROV }, { "no-provenance", 0, NULL, NO_PROV }, { "list-left", 0, NULL, LIST_LEFT },
    { "profile", 1, NULL, PROFILE },
};
enum { N_OWN = sizeof own / sizeof *own };

struct asked { struct fa_run_options run; const char *out, *list, *tree, *profile; int nul, dry_run, list_left, provenance, workers; struct fa_place_options place; };

static volatile sig_atomic_t stop_signal;
static void on_signal(int sig) { stop_signal = sig; }

static int cpus_given(void)
{
    struct fa_cpus cpus;
    struct fa_err e;
    return fa_cpus_allowed(&cpus, &e) == FA_OK ? fa_cpus_count(&cpus) : 1;
}

/* -j, else $N_WORKERS (there at most the CPUs given), else 1. */
static int workers(int asked)
{
    const char *env = getenv("N_WORKERS");
    const int cpus = cpus_given();
    if (asked < 0 && env && *env) {
        asked = (int)fa_opt_long("N_WORKERS", env, 0, 1 << 20);
        asked = asked > cpus ? cpus : asked;
    }
    return asked < 0 ? 1 : asked == 0 ? cpus : asked;
}

static void refuse_what_cannot_be_cut(const struct fa_ask *ask)
{
    static const char *const no[] = { "start", "duration", "frames", "aligned" };
    for (size_t i = 0; ask->segment_ms && i < sizeof no / sizeof *no; i++)
        if (fa_ask_value(ask, no[i]))
            fa_die_usage("--segments does not go with --%s", no[i]);
}

/* PyFaceAU's convergence profiles: each allows an error that OpenFace's own settings keep below, and here nothing is faster than those
 * (NOTES.md), so all names mean them. */
static void check_profile(const char *name)
{
    static const char *const names[] = { "accurate", "optimized", "fast", "video" };
    const char *from = name ? "--profile" : "CONVERGENCE_PROFILE";
    name = name ? name : getenv("CONVERGENCE_PROFILE");
    for (size_t i = 0; name && *name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return;
    if (name && *name)
        fa_die_usage("%s: '%s' is none of accurate, optimized, fast, video", from, name);
}

static void parse(struct asked *a, int argc, char **argv)
{
    struct option lo[FA_PASS_MAX + N_OWN + 1];
    struct fa_ask *ask = &a->run.ask;
    int n, c;
    const struct fa_pass *pass = fa_pass_table(&n);
    for (int k = 0; k < n; k++)
        lo[k] = (struct option){ pass[k].name, pass[k].arg, NULL, PASS + k };
    memcpy(lo + n, own, sizeof own);
    lo[n + N_OWN] = (struct option){ 0 };
    while ((c = getopt_long_only(argc, argv, "o:j:0knt:qvh", lo, NULL)) != -1)
        switch (c) {
        case 'o': a->out = optarg; break;
        case 'j': a->workers = (int)fa_opt_long("-j", optarg, 0, 4096); break;
        case '0': a->nul = 1; break;
        case 'k': a->run.fail_fast = 0; break;
        case 'n': a->dry_run = 1; break;
        case 't': ask->threads = (int)fa_opt_long("-t", optarg, 1, 1024); break;
        case 'q': ask->level = FA_QUIET; break;
        case 'v': ask->level = FA_VERBOSE; break;
        case RESUME: a->run.resume = 1; break;
        case LIST_LEFT: a->run.resume = a->list_left = 1; break;
        case FILES: a->list = optarg; break;
        case SEGMENTS:
            if ((ask->segment_ms = fa_segment_length(optarg)) < 0)
                fa_die_usage("--segments: '%s' is not a length from 4 to 1000000 seconds, such as 60, 60s, 2m or 1h", optarg);
            break;
        case TREE: a->tree = optarg; break;
        case FAIL_FAST: a->run.fail_fast = 1; break;
        case DEADLINE: a->run.deadline = fa_opt_double("--deadline", optarg, 0.001, 1e9); break;
        case GRACE: a->run.grace = fa_opt_double("--grace", optarg, 0, 1e9); break;
        case JOBLOG: a->run.joblog = optarg; break;
        case NODE: a->place.node = (int)fa_opt_long("--node", optarg, 0, FA_MAX_NODE - 1); break;
        case CPUS: a->place.cpus = optarg; break;
        case PROFILE: a->profile = optarg; break;
        case PROV: a->provenance = 1; break;
        case NO_PROV: a->provenance = 0; break;
        case 'h': fputs(usage, stdout); exit(fa_close_stdout(0));
        case VERSION: fa_print_version(NULL);
        default:
            if (c < PASS)
                fa_die_usage("wrong use");
            ask->value[c - PASS] = optarg ? optarg : "";
        }
    refuse_what_cannot_be_cut(ask);
    check_profile(a->profile);
    if (a->out && !*a->out)
        fa_die_usage("-o: empty name");
    if (a->run.resume && (!a->out || a->provenance == 0))
        fa_die_usage("--resume needs -o, and the provenance that it decides by");
    if (a->provenance > 0 && !a->out)
        fa_die_usage("--provenance needs -o");
    if (a->nul && !a->list && !a->list_left)
        fa_die_usage("-0 is for --files-from and --list-left");
}

static void say(void *self, enum fa_say kind, const char *text)
{
    static int shown;                   /* a line of progress stands */
    (void)self;
    if (shown && kind != FA_SAY_PROGRESS)
        fputs("\r\033[K", stderr);
    switch (kind) {
    case FA_SAY_WORDS: fputs(text, stderr); break;
    case FA_SAY_ERROR: fa_error("%s", text); break;
    case FA_SAY_WARN: fa_warn("%s", text); break;
    case FA_SAY_NOTE: fa_note("%s", text); break;
    case FA_SAY_PROGRESS: fprintf(stderr, "\r\033[K%s", text); fflush(stderr); break;
    }
    shown = kind == FA_SAY_PROGRESS && *text;
}

/* The names of the clips that a resumed run would begin, each ended by a newline, or by a NUL with -0. */
static void print_left(const struct fa_jobs *jobs, const struct asked *a)
{
    int stale = 0;
    for (int i = 0; i < jobs->n && !ferror(stdout); i++) {
        struct fa_err e;
        if (fa_job_current(&jobs->job[i], a->run.request, &e))
            continue;
        if (e.code != FA_OK && stale++)
            fa_note("%s: to be done again", e.text);
        else if (e.code != FA_OK)
            fa_warn("%s: to be done again", e.text);
        printf("%s%c", jobs->job[i].input, a->nul ? '\0' : '\n');
    }
    if (stale > 1)
        fa_warn("%d results in all do not fit clip, models and options (-v names them)", stale);
}

static void print_pipes(const struct fa_jobs *jobs, const struct asked *a)
{
    for (int i = 0; i < jobs->n; i++) {
        const struct fa_job *job = &jobs->job[i];
        struct fa_args args[FA_N_STAGE];
        fa_clip_args(args, &a->run.ask, job->input, job->name, job->csv, a->run.request, 0);
        fa_args_print(stdout, args, FA_N_STAGE);
        for (int s = 0; s < FA_N_STAGE; s++)
            fa_args_close(&args[s]);
    }
}

/* The model is opened here too: packed once for all stages if it must be, and its hash belongs to the request. Returns 0 or a status. */
static int find_request(struct asked *a, int in_folder, char **request)
{
    struct fa_pack pack = { 0 };
    struct fa_err e = { 0 };
    const char *model = a->run.ask.value[FA_PASS_MODEL], *instead = fa_model_fallback(model);
    if (instead) {                      /* named for the stages, so that it is said once and holds for all clips */
        a->run.ask.value[FA_PASS_MODEL] = instead;
        if (!a->dry_run)
            fa_warn("%s", fa_model_fallback_note(instead));
    }
    if (a->dry_run)
        return 0;
    if (fa_model_open(&pack, a->run.ask.value[FA_PASS_MODEL], &e) != FA_OK)
        return fa_error_status(&e);
    if (a->run.resume || a->provenance > 0 || (a->provenance < 0 && in_folder)) {
        a->run.request = *request = fa_request(&a->run.ask, pack.hash, &e);
        fa_note("asked: %s", *request ? *request : e.text);
    }
    fa_pack_close(&pack);
    return fa_error_status(&e);
}

int main(int argc, char **argv)
{
    struct asked a = { .run = { .ask.threads = 1, .stop = &stop_signal }, .provenance = -1, .workers = -1, .place.node = -1 };
    struct fa_jobs jobs;
    struct fa_err e = { 0 };
    char *request = NULL;

    fa_msg_init("fa");
    parse(&a, argc, argv);
    fa_msg_level(a.run.ask.level);
    if (fa_place_bind(&a.place, &e) != FA_OK)
        fa_die_usage("%s", e.text);
    a.run.workers = workers(a.workers);
    if (optind == argc && !a.list)
        fa_die_usage("no clip given");
    int status = fa_jobs_open(&jobs, (const char *const *)argv + optind, argc - optind, a.list, a.nul, a.out, a.tree, &e);
    if (status == FA_E_ARG)
        fa_die_usage("%s", e.text);
    if (jobs.n > 1 && fa_ask_value(&a.run.ask, "save-median"))
        fa_die_usage("--save-median is of one clip");
    if (status == FA_OK && jobs.n == 0)
        fa_fail(&e, FA_E_INPUT, "%s: no clip in the list", a.list);
    status = fa_error_status(&e);
    if (status == 0)
        status = find_request(&a, jobs.in_folder, &request);
    if (status == 0 && a.dry_run)
        print_pipes(&jobs, &a);
    else if (status == 0 && a.list_left)
        print_left(&jobs, &a);
    else if (status == 0) {
        const struct fa_listener to = { say, NULL, isatty(2) && a.run.ask.level == FA_NORMAL };
        if (a.run.workers > jobs.n && !a.run.ask.segment_ms)
            a.run.workers = jobs.n;
        if (a.run.workers > 1)           /* ffmpeg would start a thread for each CPU, for each clip */
            a.run.ask.decode_threads = cpus_given() > a.run.workers ? cpus_given() / a.run.workers : 1;
        char self[24];
        snprintf(self, sizeof self, "%ld", (long)getpid());
        setenv(FA_PARENT, self, 1);
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        if (fa_jobs_folders(&jobs, &a.run.ask, &e) == FA_OK) {
            if (a.run.resume)
                fa_jobs_sweep(&jobs);
            status = fa_run(&jobs, &a.run, &to);
        }
        if (e.code != FA_OK)
            status = fa_error_status(&e);
    }
    fa_jobs_close(&jobs);
    free(request);
    if (stop_signal) {
        signal(stop_signal, SIG_DFL);
        raise(stop_signal);
    }
    return fa_close_stdout(status);
}
