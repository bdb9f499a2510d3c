/* SPDX-License-Identifier: BSD-2-Clause
 * fa - a clip, or many, to CSV: spawns fa-decode | fa-detect | fa-landmarks | fa-aus | fa-csv for each, passes options on,
 * shows progress, and ends with the status and the words of the stage that failed. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fa_file.h"
#include "fa_import.h"
#include "fa_msg.h"
#include "fa_pipeline.h"
#include "fa_table.h"

static const char usage[] =
    "usage: fa [options] CLIP... > out.csv\n"
    "       fa [options] -o FILE|DIR CLIP...\n"
    "Measures the face in each clip (video, image, folder of images, '-') and writes OpenFace 2.2's CSV.\n"
    "  -o FILE|DIR        output; a folder (or a name ending in /) takes NAME.csv for each clip; default: standard output, one clip\n"
    "  -k, --keep-going   with several clips: go on after one that fails (the exit status is the worst one)\n"
    "  -n, --dry-run      print the pipe that would run\n"
    "  -t N               threads of each stage (default 1; the output does not depend on it)\n"
    "  -q, -v             quiet; verbose\n"
    "  -h, --version\n"
    "passed on: --model M (ceclm, clnf, clm, starter, a pack or a main_*.txt list)\n"
    "  decode:    --cfr --start S --duration S --frames N --color bt601|tag --no-autorotate --fx F --fy F --cx C --cy C\n"
    "  detect:    --detect-all, --detect-every N\n"
    "  landmarks: --wild --multi-view --aligned DIR (NAME_aligned/ in it) --nomask --gray --simscale S --simsize N --nobadaligned\n"
    "  aus:       --au-static --online --hog DIR (NAME.hog in it) --median F --save-median F\n"
    "  csv:       -2Dfp -3Dfp -pdmparams -pose -aus -gaze --of21 --precision N --distance\n"
    "Each stage's manual page has the details.\n";

enum { DECODE, DETECT, LANDMARKS, AUS, CSV, N_STAGE };
static const char *const stage_name[N_STAGE] = { "fa-decode", "fa-detect", "fa-landmarks", "fa-aus", "fa-csv" };

enum { D = 1 << DECODE, T = 1 << DETECT, L = 1 << LANDMARKS, A = 1 << AUS, C = 1 << CSV };
/* An option that goes on to the stages in its mask, there under the name to; per_clip: its argument is a folder, and what
 * is passed is FOLDER/NAME + suffix. */
static const struct pass { const char *name, *to; int arg; unsigned stages; const char *suffix; } pass[] = {
    { "model", "--model", 1, T | L | A, NULL },
    { "cfr", "--cfr", 0, D, NULL },          { "start", "--start", 1, D, NULL },       { "duration", "--duration", 1, D, NULL },
    { "frames", "--frames", 1, D, NULL },    { "color", "--color", 1, D, NULL },       { "no-autorotate", "--no-autorotate", 0, D, NULL },
    { "fx", "--fx", 1, D, NULL },            { "fy", "--fy", 1, D, NULL },             { "cx", "--cx", 1, D, NULL },
    { "cy", "--cy", 1, D, NULL },            { "detect-all", "-a", 0, T, NULL },       { "detect-every", "-n", 1, T, NULL },
    { "wild", "--wild", 0, L, NULL },        { "multi-view", "--multi-view", 0, L, NULL }, { "aligned", "--aligned", 1, L, "_aligned" },
    { "nomask", "--nomask", 0, L, NULL },    { "gray", "--gray", 0, L, NULL },         { "simscale", "--simscale", 1, L, NULL },
    { "simsize", "--simsize", 1, L, NULL },  { "nobadaligned", "--nobadaligned", 0, L, NULL },
    { "au-static", "--au-static", 0, A, NULL }, { "online", "--online", 0, A, NULL },  { "hog", "--hog", 1, A, ".hog" },
    { "median", "--median", 1, A, NULL },    { "save-median", "--save-median", 1, A, NULL },
    { "2Dfp", "-2Dfp", 0, C, NULL },         { "3Dfp", "-3Dfp", 0, C, NULL },          { "pdmparams", "-pdmparams", 0, C, NULL },
    { "pose", "-pose", 0, C, NULL },         { "aus", "-aus", 0, C, NULL },            { "gaze", "-gaze", 0, C, NULL },
    { "of21", "--of21", 0, C, NULL },        { "precision", "--precision", 1, C, NULL }, { "distance", "--distance", 0, C, NULL },
};
enum { MODEL = 0 /* the first row */, N_PASS = sizeof pass / sizeof *pass, MAX_ARG = 80 };

struct job { const char *input; char *name, *csv; char *made[4]; int n_made; };    /* csv NULL: standard output; made: names in argv */
struct opts { const char *value[N_PASS]; const char *threads; int dry_run, level, keep_going; };

static volatile sig_atomic_t stop_signal;
static void on_signal(int sig) { stop_signal = sig; }

/* Name of a clip's outputs, as fa-csv has it. */
static char *clip_name(const char *input)
{
    struct stat st;
    const int sequence = stat(input, &st) == 0 ? S_ISDIR(st.st_mode) : strchr(input, '%') != NULL;
    char *name = fa_table_name(input, sequence);
    if (!name)
        fa_die(3, "out of memory");
    return name;
}

/* "DIR/NAME.suffix"; DIR may end in a slash. */
static char *file_in(const char *dir, const char *name, const char *suffix)
{
    char *s = NULL;
    size_t n = strlen(dir);
    if (asprintf(&s, "%s%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name, suffix) < 0)
        fa_die(3, "out of memory");
    return s;
}

/* The folder that holds this program holds the stages too; when it cannot be told, PATH is searched. */
static const char *stage_path(int i)
{
    static char path[N_STAGE][4096];
    if (!path[i][0]) {
        ssize_t n = readlink("/proc/self/exe", path[i], sizeof path[i] - 32);
        char *slash = n > 0 ? memrchr(path[i], '/', (size_t)n) : NULL;
        strcpy(slash ? slash + 1 : path[i], stage_name[i]);
        if (access(path[i], X_OK) != 0)
            strcpy(path[i], stage_name[i]);
    }
    return path[i];
}

/* Fills argv of every stage for one job, which keeps the strings made here. */
static void build(char *argv[N_STAGE][MAX_ARG], const struct opts *o, struct job *job)
{
    for (int s = 0; s < N_STAGE; s++) {
        int n = 0;
        argv[s][n++] = (char *)stage_path(s);
        for (int k = 0; k < N_PASS; k++) {
            if (!(pass[k].stages >> s & 1) || !o->value[k])
                continue;
            argv[s][n++] = (char *)pass[k].to;
            if (pass[k].suffix)
                argv[s][n++] = job->made[job->n_made++] = file_in(o->value[k], job->name, pass[k].suffix);
            else if (pass[k].arg)
                argv[s][n++] = (char *)o->value[k];
        }
        if (s == DETECT || s == LANDMARKS) {
            argv[s][n++] = "-t";
            argv[s][n++] = (char *)o->threads;
        }
        if (s == LANDMARKS && !o->dry_run) {
            argv[s][n++] = "--progress-fd";
            argv[s][n++] = "3";
        }
        if (o->level)
            argv[s][n++] = o->level < 0 ? "-q" : "-v";
        if (s == CSV && job->csv) {
            argv[s][n++] = "-o";
            argv[s][n++] = job->csv;
        }
        if (s == DECODE) {
            argv[s][n++] = "--";
            argv[s][n++] = (char *)job->input;
        }
        argv[s][n] = NULL;
    }
}

static void print_quoted(const char *s)
{
    if (*s && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%") == strlen(s)) {
        fputs(s, stdout);
        return;
    }
    putchar('\'');
    for (; *s; s++)
        if (*s == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*s);
    putchar('\'');
}

static void print_pipe(char *argv[N_STAGE][MAX_ARG])
{
    for (int s = 0; s < N_STAGE; s++) {
        if (s)
            fputs(" | ", stdout);
        for (int i = 0; argv[s][i]; i++) {
            if (i)
                putchar(' ');
            print_quoted(argv[s][i]);
        }
    }
    putchar('\n');
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* "clip.mp4  118/288 frames  61.2 fps  3 s left", rewritten in place. */
static void show_progress(const struct fa_pipeline *p, const struct job *job, double since)
{
    unsigned long frame = 0, total = 0;
    if (sscanf(p->report, "%lu %lu", &frame, &total) < 1)
        return;
    double rate = (double)frame / (now() - since + 1e-9);
    fprintf(stderr, "\r\033[K%s  %lu", job->input, frame);
    if (total >= frame && total)
        fprintf(stderr, "/%lu frames  %.1f fps  %.0f s left", total, rate, (double)(total - frame) / (rate + 1e-9));
    else
        fprintf(stderr, " frames  %.1f fps", rate);
    fflush(stderr);
}

/* What the stages said: when one failed, its words alone (what the others saw is its consequence) unless verbose. */
static void show_messages(const struct fa_pipeline *p, int status, int culprit)
{
    for (int i = 0; i < p->n; i++) {
        const struct fa_pipeline_stage *s = &p->stage[i];
        if (s->len && (status == 0 || i == culprit || s->status == 0 || fa_msg_verbose()))
            fputs(s->text, stderr);
        if (i == culprit && s->status > 255)
            fa_error("%s was killed by signal %d (%s)", stage_name[i], s->status - 256, strsignal(s->status - 256));
    }
}

static int run(const struct opts *o, struct job *job)
{
    static char *argv[N_STAGE][MAX_ARG];
    static struct fa_pipeline p;
    char *const *row[N_STAGE];
    struct fa_err e;
    int tty = isatty(2) && o->level == 0, culprit;
    double since = now(), shown = 0;

    build(argv, o, job);
    if (o->dry_run) {
        print_pipe(argv);
        return 0;
    }
    for (int s = 0; s < N_STAGE; s++)
        row[s] = argv[s];
    if (fa_pipeline_start(&p, row, N_STAGE, LANDMARKS, &e) != FA_OK)
        return fa_error_status(&e);
    pid_t csv_pid = p.stage[CSV].pid;
    for (int told = 0; fa_pipeline_step(&p, 200) > 0;) {
        if (stop_signal && !told++)
            fa_pipeline_signal(&p, SIGTERM);
        if (tty && now() - shown > 0.2) {
            show_progress(&p, job, since);
            shown = now();
        }
    }
    if (tty)
        fputs("\r\033[K", stderr);
    int status = fa_pipeline_verdict(&p, &culprit);
    show_messages(&p, status, culprit);
    if (p.stage[CSV].status > 255 && job->csv) {      /* killed: it could not clear up itself */
        char *tmp = NULL;
        if (asprintf(&tmp, "%s.tmp%ld", job->csv, (long)csv_pid) > 0)
            unlink(tmp);
        free(tmp);
    }
    if (status && culprit < 0)
        fa_error("%s: a stage failed with status %d", job->input, status);
    return status;
}

/* Where each clip's CSV goes. Two clips of one name in one folder would overwrite each other: wrong use. */
static void plan(struct job *jobs, int n, const char *out, const char *const *inputs)
{
    struct stat st;
    int is_dir = out && (out[strlen(out) - 1] == '/' || (stat(out, &st) == 0 && S_ISDIR(st.st_mode)));
    if (n > 1 && !is_dir)
        fa_die_usage("%d clips need -o DIR (an existing folder, or a name ending in /)", n);
    for (int i = 0; i < n; i++) {
        jobs[i].input = inputs[i];
        jobs[i].name = clip_name(inputs[i]);
        jobs[i].csv = is_dir ? file_in(out, jobs[i].name, ".csv") : out ? strdup(out) : NULL;
        for (int k = 0; k < i; k++)
            if (strcmp(jobs[k].name, jobs[i].name) == 0)
                fa_die_usage("'%s' and '%s' would both write %s", jobs[k].input, jobs[i].input, jobs[i].csv);
    }
}

static void forget(struct job *jobs, int n)
{
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < jobs[i].n_made; k++)
            free(jobs[i].made[k]);
        free(jobs[i].name);
        free(jobs[i].csv);
    }
    free(jobs);
}

int main(int argc, char **argv)
{
    enum { PASS = 1000 };
    struct opts o = { .threads = "1" };
    struct option lo[N_PASS + 6];
    const char *out = NULL;
    struct fa_err e;
    int c, worst = 0;

    fa_msg_init("fa");
    for (int k = 0; k < N_PASS; k++)
        lo[k] = (struct option){ pass[k].name, pass[k].arg, NULL, PASS + k };
    lo[N_PASS] = (struct option){ "dry-run", 0, NULL, 'n' };
    lo[N_PASS + 1] = (struct option){ "keep-going", 0, NULL, 'k' };
    lo[N_PASS + 2] = (struct option){ "output", 1, NULL, 'o' };
    lo[N_PASS + 3] = (struct option){ "help", 0, NULL, 'h' };
    lo[N_PASS + 4] = (struct option){ "version", 0, NULL, 'V' };
    lo[N_PASS + 5] = (struct option){ 0 };
    while ((c = getopt_long_only(argc, argv, "o:knt:qvh", lo, NULL)) != -1) {
        if (c >= PASS) {
            o.value[c - PASS] = optarg ? optarg : "";
            continue;
        }
        switch (c) {
        case 'o': out = optarg; break;
        case 'k': o.keep_going = 1; break;
        case 'n': o.dry_run = 1; break;
        case 't': fa_opt_long("-t", optarg, 1, 1024); o.threads = optarg; break;
        case 'q': o.level = FA_QUIET; break;
        case 'v': o.level = FA_VERBOSE; break;
        case 'h': fputs(usage, stdout); return fa_close_stdout(0);
        case 'V': fa_print_version(NULL);
        default: fa_die_usage("wrong use");
        }
    }
    fa_msg_level(o.level);
    int n = argc - optind;
    if (n < 1)
        fa_die_usage("no clip given");
    if (out && !*out)
        fa_die_usage("-o: empty name");
    struct job *jobs = calloc((size_t)n, sizeof *jobs);
    if (!jobs)
        fa_die(3, "out of memory");
    plan(jobs, n, out, (const char *const *)argv + optind);
    if (!o.dry_run && out && out[strlen(out) - 1] == '/' && fa_mkdirs(out, &e) != FA_OK) {
        forget(jobs, n);
        return fa_error_status(&e);
    }
    if (fa_model_fallback(o.value[MODEL])) {     /* named for the stages, so that it is said once and holds for all clips */
        o.value[MODEL] = fa_model_fallback(NULL);
        if (!o.dry_run)
            fa_warn("%s", fa_model_fallback_note(o.value[MODEL]));
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    for (int i = 0; i < n && !stop_signal; i++) {
        int st = run(&o, &jobs[i]);
        worst = st > worst ? st : worst;
        if (st && !o.keep_going)
            break;
    }
    forget(jobs, n);
    if (stop_signal) {
        signal(stop_signal, SIG_DFL);
        raise(stop_signal);
    }
    return fa_close_stdout(worst);
}
