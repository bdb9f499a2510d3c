/* SPDX-License-Identifier: BSD-2-Clause
 * table: provenance files. What is written is read back, what is not a provenance file is refused, and a CSV is trusted only while its
 * bytes, its clip's and what was asked for are those of its file. */
#include "fa_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fa_prov.h"

static char dir[256];
static char *in_dir(const char *name)
{
    static char path[4][400];
    static int turn;
    char *p = path[turn = (turn + 1) % 4];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static void fill(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void what_is_written_is_read_back(void)
{
    static const char odd[] = "quote \" back \\ line\nend \x01 \xc3\xbc";
    struct fa_prov p = { 0 }, q;
    struct fa_err e = { 0 };
    fa_prov_text(&p, "clip", odd);
    fa_prov_number(&p, "frames", "%d", 7);
    fa_prov_number(&p, "frames", "%d", 8);
    fa_prov_stages(&p, "fa-decode version=1 a=b\nfa-detect\n\nfa-aus model=x");
    check_int("write", fa_prov_write(&p, in_dir("a.json"), &e), FA_OK);
    check_int("read", fa_prov_read(&q, in_dir("a.json"), &e), FA_OK);
    check_int("entries", q.n, 5);
    check_str("odd bytes", fa_prov_get(&q, "clip"), odd);
    check_str("the later value", fa_prov_get(&q, "frames"), "8");
    check_str("stage", fa_prov_get(&q, "fa-decode"), "version=1 a=b");
    check_str("stage without options", fa_prov_get(&q, "fa-detect"), "");
    check_str("last line without an end", fa_prov_get(&q, "fa-aus"), "model=x");
    CHECK(fa_prov_get(&q, "none") == NULL);
    check_int("same", fa_prov_differ(stderr, &p, &q, 1), 0);
    fa_prov_close(&p);
    fa_prov_close(&q);
}

static void what_is_no_flat_object_is_refused(void)
{
    static const char *const bad[] = { "", "{", "[]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{\"a\":{}}", "{\"a\":[1]}", "{\"a\":\"x}",
        "{\"a\":\"\\q\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\\", "{\"a\":1,\"a\":2}", "{\"a\":1} x", "{a:1}" };
    struct fa_prov p;
    struct fa_err e;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        check_int(bad[i], fa_prov_parse(&p, bad[i], &e), FA_E_FORMAT);
        fa_prov_close(&p);
    }
    check_int("empty", fa_prov_parse(&p, " { } ", &e), FA_OK);
    check_int("nothing in it", p.n, 0);
    check_int("escapes", fa_prov_parse(&p, "{\"\\u00fc\":\"\\u20ac\\n\"}", &e), FA_OK);
    check_str("as UTF-8", fa_prov_get(&p, "\xc3\xbc"), "\xe2\x82\xac\n");
    fa_prov_close(&p);
    char many[4096] = "{\"k\":0";
    for (int i = 0; i < FA_PROV_ENTRIES; i++)
        sprintf(many + strlen(many), ",\"%d\":1", i);
    strcat(many, "}");
    check_int("one key too many", fa_prov_parse(&p, many, &e), FA_E_FORMAT);
    fa_prov_close(&p);
}

static void every_cut_is_noticed(void)
{
    static const char text[] = "{\n \"clip\": \"a\\u00e4\\\"b\",\n \"frames\": 12\n}";
    char part[sizeof text];
    struct fa_prov p;
    for (size_t n = 0; n + 1 < sizeof text; n++) {
        memcpy(part, text, n);
        part[n] = '\0';
        check_int("cut", fa_prov_parse(&p, part, NULL), FA_E_FORMAT);
        fa_prov_close(&p);
    }
}

static void only_what_decides_on_the_numbers_counts(void)
{
    struct fa_prov a = { 0 }, b = { 0 };
    fa_prov_text(&a, "host", "n0");
    fa_prov_text(&b, "host", "n1");
    fa_prov_number(&a, "seconds", "1");
    check_int("where and when", fa_prov_differ(stderr, &a, &b, 0), 0);
    fa_prov_text(&a, "fa-aus", "model=1 mode=a");
    fa_prov_text(&b, "fa-aus", "model=2 mode=a");
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    check_int("model", fa_prov_differ(f, &a, &b, 0), 1);
    fclose(f);
    check_str("the words of one side", text, "fa-aus: -model=1 +model=2\n");
    free(text);
    fa_prov_text(&b, "request", "x");
    check_int("and a key of one side", fa_prov_differ(stderr, &a, &b, 0), 2);
    fa_prov_close(&a);
    fa_prov_close(&b);
}

static int current(const struct fa_prov *p, const char *request)
{
    struct fa_err e = { 0 };
    const int yes = fa_prov_current(p, in_dir("c.csv"), in_dir("clip"), request, &e);
    CHECK(yes || e.text[0]);
    return yes;
}

static void a_csv_is_trusted_only_while_everything_is_as_recorded(void)
{
    struct fa_prov p = { 0 };
    struct fa_err e = { 0 };
    fill(in_dir("clip"), "pixels");
    fill(in_dir("c.csv"), "frame\n1\n");
    fa_prov_text(&p, "request", "--wild");
    check_int("clip", fa_prov_file(&p, "clip", in_dir("clip"), &e), FA_OK);
    check_int("csv", fa_prov_file(&p, "csv", in_dir("c.csv"), &e), FA_OK);
    check_int("no status", current(&p, "--wild"), 0);
    fa_prov_number(&p, "status", "1");
    check_int("failed", current(&p, "--wild"), 0);
    fa_prov_number(&p, "status", "0");
    check_int("all as recorded", current(&p, "--wild"), 1);
    check_int("other options", current(&p, ""), 0);
    fill(in_dir("c.csv"), "frame\n2\n");
    check_int("a CSV of the same length", current(&p, "--wild"), 0);
    fill(in_dir("c.csv"), "frame\n");
    check_int("a cut CSV", current(&p, "--wild"), 0);
    fill(in_dir("c.csv"), "frame\n1\n");
    fill(in_dir("clip"), "pixelz");
    check_int("another clip", current(&p, "--wild"), 0);
    unlink(in_dir("clip"));
    check_int("no clip", current(&p, "--wild"), 0);
    fill(in_dir("clip"), "pixels");
    check_int("back again", current(&p, "--wild"), 1);
    unlink(in_dir("c.csv"));
    check_int("no CSV", current(&p, "--wild"), 0);
    fa_prov_close(&p);
}

static void a_folder_is_its_files_and_their_names(void)
{
    struct fa_prov p = { 0 };
    char was[32];
    mkdir(in_dir("d"), 0777);
    fill(in_dir("d/1.png"), "a");
    fa_prov_file(&p, "clip", in_dir("d"), NULL);
    check_str("bytes", fa_prov_get(&p, "clip_bytes"), "1");
    snprintf(was, sizeof was, "%s", fa_prov_get(&p, "clip_xxh3"));
    rename(in_dir("d/1.png"), in_dir("d/2.png"));
    fa_prov_file(&p, "clip", in_dir("d"), NULL);
    CHECK(strcmp(was, fa_prov_get(&p, "clip_xxh3")) != 0);
    rename(in_dir("d/2.png"), in_dir("d/1.png"));
    fa_prov_file(&p, "clip", in_dir("d"), NULL);
    check_str("as before", fa_prov_get(&p, "clip_xxh3"), was);
    unlink(in_dir("d/1.png"));
    rmdir(in_dir("d"));
    fa_prov_close(&p);
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%s/prov.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir))
        return 1;
    RUN(what_is_written_is_read_back);
    RUN(what_is_no_flat_object_is_refused);
    RUN(every_cut_is_noticed);
    RUN(only_what_decides_on_the_numbers_counts);
    RUN(a_csv_is_trusted_only_while_everything_is_as_recorded);
    RUN(a_folder_is_its_files_and_their_names);
    unlink(in_dir("a.json"));
    unlink(in_dir("clip"));
    rmdir(dir);
    return test_done();
}
