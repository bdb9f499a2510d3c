/* SPDX-License-Identifier: BSD-2-Clause
 * run: the canonical request, command lines and quoting, the jobs' outputs, the job log, the rule of segments. */
#include "fa_test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fa_run.h"
#include "fa_segments.h"

static char folder[] = "/tmp/fa-run.XXXXXX";

static const char **value_of(struct fa_ask *ask, const char *name)
{
    int n;
    const struct fa_pass *t = fa_pass_table(&n);
    for (int i = 0; i < n; i++)
        if (strcmp(t[i].name, name) == 0)
            return &ask->value[i];
    abort();
}

static void put_file(const char *path, const char *text, size_t n)
{
    FILE *f = fopen(path, "w");
    CHECK(f && fwrite(text, 1, n, f) == n && fclose(f) == 0);
}

/* --- The request ------------------------------------------------------------------------------------------------------------- */

static char *request(const char *name, const char *value)
{
    struct fa_ask ask = { .threads = 1 };
    struct fa_err e;
    if (name)
        *value_of(&ask, name) = value;
    return fa_request(&ask, 0x123, &e);
}

static void one_meaning_has_one_request(void)
{
    static const struct { const char *why, *name, *a, *b; int same; } t[] = {
        { "numbers by value", "start", "5", "05.0", 1 },
        { "numbers by value, exponent", "duration", "1e1", "10", 1 },
        { "another number", "start", "5", "5.0001", 0 },
        { "the smallest difference", "start", "0.1", "0.10000000000000002", 0 },
        { "what is no number stays", "frames", "x", "y", 0 },
        { "words as they are", "color", "tag", "bt601", 0 },
        { "folders do not count", "hog", "a", "b", 1 },
        { "nor do they for pictures", "aligned", "a", "/b/c", 1 },
        { "models by hash, not name", "model", "clnf", "other", 1 },
        { "flushing is no option", "line-buffered", "", NULL, 1 },
        { "a flag is one", "wild", "", NULL, 0 },
        { "that there is a folder counts", "hog", "a", NULL, 0 },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char *a = request(t[i].name, t[i].a), *b = request(t[i].b ? t[i].name : NULL, t[i].b);
        CHECK(a && b);
        check_int(t[i].why, a && b && strcmp(a, b) == 0, t[i].same);
        free(a);
        free(b);
    }
}

static void the_request_does_not_know_threads_and_workers(void)
{
    struct fa_ask a = { .threads = 1 }, b = { .threads = 9, .decode_threads = 3, .level = 1, .node = "1" };
    struct fa_err e;
    char *x = fa_request(&a, 7, &e), *y = fa_request(&b, 7, &e), *z = fa_request(&a, 8, &e);
    check_str("same", y, x);
    check_str("in full", x, "fa " FA_VERSION " model=0000000000000007");
    CHECK(strcmp(x, z) != 0);
    a.segment_ms = 61500;
    char *s = fa_request(&a, 7, &e);
    check_str("segments", s, "fa " FA_VERSION " model=0000000000000007 --segments=61.5");
    free(x);
    free(y);
    free(z);
    free(s);
}

static void the_request_holds_every_option_that_decides(void)   /* a new row of the table is seen here until its counts is chosen */
{
    int n;
    const struct fa_pass *t = fa_pass_table(&n);
    for (int i = 0; i < n; i++) {
        char *a = request(NULL, NULL), *b = request(t[i].name, t[i].counts == FA_CONTENTS ? "/dev/null" : t[i].arg ? "1" : "");
        check_int(t[i].name, a && b && strcmp(a, b) == 0, t[i].counts == FA_NOT);
        check_int(t[i].name, t[i].counts == FA_NOT, strcmp(t[i].name, "model") == 0 || strcmp(t[i].name, "line-buffered") == 0);
        free(a);
        free(b);
    }
}

static void a_file_counts_by_its_contents(void)
{
    char p[3][64];
    for (int i = 0; i < 3; i++) {
        snprintf(p[i], sizeof p[i], "%s/m%d", folder, i);
        put_file(p[i], i < 2 ? "same" : "else", 4);
    }
    char *a = request("median", p[0]), *b = request("median", p[1]), *c = request("median", p[2]);
    check_str("same bytes", b, a);
    CHECK(a && c && strcmp(a, c) != 0);
    free(a);
    free(b);
    free(c);
}

/* --- Command lines -------------------------------------------------------------------------------------------------------------- */

static void quoting_survives_a_shell(void)
{
    static const char *const words[] = { "plain", "", "two words", "quo'te", "new\nline", "tab\tand 'both'\n", "back\\slash", "back\\slash\n", "$HOME `x` \"y\"", "-dash", "*?[" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char *text = NULL, got[256] = "";
        size_t len;
        FILE *f = open_memstream(&text, &len);
        fputs("exec bash -c 'printf %s \"$1\"' x ", f);
        fa_quote(f, words[i]);
        fclose(f);
        CHECK(strchr(text, '\n') == NULL);
        char *line = NULL;
        CHECK(asprintf(&line, "bash -c \"$(cat <<'END'\n%s\nEND\n)\"", text) > 0);
        FILE *p = popen(line, "r");
        size_t n = p ? fread(got, 1, sizeof got - 1, p) : 0;
        got[n] = '\0';
        check_int(words[i], p ? pclose(p) : -1, 0);
        check_str("through the shell", got, words[i]);
        free(line);
        free(text);
    }
}

static void options_reach_their_stages(void)
{
    struct fa_ask ask = { .threads = 3, .level = -1, .node = "1" };
    struct fa_args a[FA_N_STAGE];
    char *text = NULL;
    size_t len;
    *value_of(&ask, "wild") = "";
    *value_of(&ask, "hog") = "h/";
    *value_of(&ask, "start") = "2";
    *value_of(&ask, "model") = "m";
    fa_clip_args(a, &ask, "-in.mp4", "in", "out/in.csv", "what", 0);
    FILE *f = open_memstream(&text, &len);
    for (int s = 0; s < FA_N_STAGE; s++) {      /* the folder of the programs does not matter here */
        free(a[s].v[0]);
        a[s].v[0] = strdup(fa_stage_name[s]);
    }
    fa_args_print(f, a, FA_N_STAGE);
    fclose(f);
    check_str("pipe", text, "fa-decode -S --start 2 --node 1 -q -- -in.mp4 | fa-detect --model m -t 3 --node 1 -q | fa-landmarks --model m --wild -t 3 --node 1 -q | "
              "fa-aus --model m --hog h/in.hog --node 1 -q | fa-csv -q -o out/in.csv --request what\n");
    for (int s = 0; s < FA_N_STAGE; s++)
        fa_args_close(&a[s]);
    free(text);
}

/* --- Jobs ----------------------------------------------------------------------------------------------------------------------- */

static void lists_are_cut_into_names(void)
{
    static const struct { const char *why, *text; size_t len; int nul, n; const char *last; } t[] = {
        { "lines", "a.mp4\nb.mp4\n", 12, 0, 2, "b.mp4" },
        { "no newline at the end, empty lines", "a\n\n\nb c", 7, 0, 2, "b c" },
        { "NULs", "a\nb\0c\0", 6, 1, 2, "c" },
        { "nothing", "\n\n", 2, 0, 0, NULL },
        { "nothing at all", "", 0, 1, 0, NULL },
        { "a NUL among lines", "a\0b\n", 4, 0, -1, NULL },
    };
    char path[64];
    snprintf(path, sizeof path, "%s/list", folder);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fa_jobs jobs;
        struct fa_err e = { 0 };
        put_file(path, t[i].text, t[i].len);
        int r = fa_jobs_open(&jobs, NULL, 0, path, t[i].nul, folder, NULL, &e);
        check_int(t[i].why, r == FA_OK ? jobs.n : -1, t[i].n);
        if (r == FA_OK && jobs.n)
            check_str(t[i].why, jobs.job[jobs.n - 1].input, t[i].last);
        fa_jobs_close(&jobs);
    }
}

static void outputs_are_placed(void)
{
    char sub[64], deep[80], clip[96];
    snprintf(sub, sizeof sub, "%s/in", folder);
    snprintf(deep, sizeof deep, "%s/in/x", folder);
    mkdir(sub, 0777);
    mkdir(deep, 0777);
    snprintf(clip, sizeof clip, "%s/c.v1.mp4", deep);
    const struct { const char *why, *input[2]; int n; const char *out, *tree; int code; const char *csv; } t[] = {
        { "a folder by its slash", { "a/b.mp4" }, 1, "o/", NULL, FA_OK, "o/b.csv" },
        { "a folder that is there", { "b.c.mp4" }, 1, sub, NULL, FA_OK, NULL },
        { "a file", { "b.mp4" }, 1, "o.csv", NULL, FA_OK, "o.csv" },
        { "standard output", { "b.mp4" }, 1, NULL, NULL, FA_OK, NULL },
        { "two and a file", { "a.mp4", "b.mp4" }, 2, "o.csv", NULL, FA_E_ARG, NULL },
        { "two and standard output", { "a.mp4", "b.mp4" }, 2, NULL, NULL, FA_E_ARG, NULL },
        { "two of one name", { "x/a.mp4", "y/a.avi" }, 2, "o/", NULL, FA_E_ARG, NULL },
        { "a tree", { clip }, 1, "o/", sub, FA_OK, "o/x/c.v1.csv" },
        { "a tree that is the clip's folder", { clip }, 1, "o/", deep, FA_OK, "o/c.v1.csv" },
        { "the root is a tree", { "/no-such-clip" }, 1, "o/", "/", FA_OK, "o/no-such-clip.csv" },
        { "not below the tree", { "/no-such-clip" }, 1, "o/", sub, FA_E_ARG, NULL },
        { "a tree and a file", { clip }, 1, "o.csv", sub, FA_E_ARG, NULL },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fa_jobs jobs;
        struct fa_err e = { 0 };
        check_int(t[i].why, fa_jobs_open(&jobs, t[i].input, t[i].n, NULL, 0, t[i].out, t[i].tree, &e), t[i].code);
        if (t[i].csv)
            check_str(t[i].why, jobs.job[0].csv, t[i].csv);
        fa_jobs_close(&jobs);
    }
}

static void the_job_log_has_one_head_and_a_line_a_job(void)
{
    char path[64], got[600] = "", host[256] = "", want[700];
    struct fa_err e;
    snprintf(path, sizeof path, "%s/log", folder);
    gethostname(host, sizeof host - 1);
    const struct fa_joblog_entry one = { .seq = 1, .start = 1447084150.3204, .seconds = 1.009, .received = 12, .command = "fa a" },
                                 two = { .seq = 2, .status = 1, .signal = 0, .start = 1447084151, .seconds = 1234.5, .command = "fa b" };
    check_int("first", fa_joblog_put(path, &one, &e), FA_OK);
    check_int("second", fa_joblog_put(path, &two, &e), FA_OK);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(got, 1, sizeof got - 1, f) : 0;
    got[n] = '\0';
    if (f)
        fclose(f);
    snprintf(want, sizeof want, "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"
             "1\t%s\t1447084150.320\t     1.009\t0\t12\t0\t0\tfa a\n2\t%s\t1447084151.000\t  1234.500\t0\t0\t1\t0\tfa b\n", host, host);
    check_str("log", got, want);
    check_int("no folder", fa_joblog_put("/nowhere/log", &one, &e), FA_E_IO);
}

/* --- Segments ------------------------------------------------------------------------------------------------------------------- */

static void lengths_have_units(void)
{
    static const struct { const char *text; long ms; } t[] = {
        { "60", 60000 }, { "60s", 60000 }, { "1.5m", 90000 }, { "1h", 3600000 }, { "4", 4000 }, { "6.1234s", 6123 }, { "3.999", -1 }, { "0.05m", -1 }, { "", -1 },
        { "s", -1 }, { "60x", -1 }, { "60ss", -1 }, { "-60", -1 }, { "inf", -1 }, { "nan", -1 }, { "1e7", -1 }, { "60 s", -1 },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        check_int(t[i].text, fa_segment_length(t[i].text), t[i].ms);
}

static void clips_are_cut_by_length_alone(void)
{
    static const struct { double seconds; long ms; int n; } t[] = {
        { 0, 60000, 1 }, { 59, 60000, 1 }, { 89.9, 60000, 1 }, { 90, 60000, 2 }, { 120, 60000, 2 }, { 149.9, 60000, 2 }, { 7200, 60000, 120 }, { 1e12, 4000, FA_SEGMENT_MAX },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        check_int("segments", fa_segments_count(t[i].seconds, t[i].ms), t[i].n);
}

/* Every time has one segment, and that segment's decode covers it, with two seconds before all but the first. */
static void each_frame_lies_in_the_span_of_its_segment(void)
{
    static const struct { int64_t num, den; } tb[] = { { 1, 15 }, { 1001, 30000 }, { 1, 1000 }, { 1, 12800 }, { 1, 90000 } };
    const int n = 7;
    for (long ms = 4000; ms <= 9999; ms += 1333)
        for (size_t b = 0; b < sizeof tb / sizeof *tb; b++) {
            const int64_t last = (int64_t)(7.4 * (double)ms / 1000 * (double)tb[b].den / (double)tb[b].num);
            int before = 0;
            for (int64_t pts = -3; pts <= last; pts += tb[b].den > 1000 ? 97 : 1) {
                double start, duration;
                const double t = (double)pts * (double)tb[b].num / (double)tb[b].den;
                const int k = fa_segment_of(pts, tb[b].num, tb[b].den, ms, n);
                fa_segment_span(k, n, ms, &start, &duration);
                const double begin = k ? (double)k * (double)ms / 1000 : -1, end = k + 1 < n ? (double)(k + 1) * (double)ms / 1000 : 1e9;
                if (k < before || k > before + 1 || t < begin - 1e-9 || t >= end || (k && start > begin - 1.999) || (k + 1 < n && start + duration < t + 0.0005) || (k + 1 == n && duration > 0)) {
                    test_fail(__FILE__, __LINE__, "ms %ld, time %.6f: segment %d", ms, t, k);
                    return;
                }
                before = k;
            }
            check_int("all segments", before, n - 1);
        }
    check_int("before the start", fa_segment_of(INT64_MIN + 1, 1, 15, 4000, 7), 0);
    check_int("far behind the end", fa_segment_of(INT64_MAX, INT32_MAX, 1, 4000, 7), 6);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    RUN(one_meaning_has_one_request);
    RUN(the_request_does_not_know_threads_and_workers);
    RUN(the_request_holds_every_option_that_decides);
    RUN(a_file_counts_by_its_contents);
    RUN(quoting_survives_a_shell);
    RUN(options_reach_their_stages);
    RUN(lists_are_cut_into_names);
    RUN(outputs_are_placed);
    RUN(the_job_log_has_one_head_and_a_line_a_job);
    RUN(lengths_have_units);
    RUN(clips_are_cut_by_length_alone);
    RUN(each_frame_lies_in_the_span_of_its_segment);
    char line[64];
    snprintf(line, sizeof line, "rm -r %s", folder);
    return system(line) == 0 ? test_done() : 1;
}
