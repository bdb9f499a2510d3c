/* SPDX-License-Identifier: BSD-2-Clause
 * stream: numbers and texts as fa-view shows them, and choices of records. */
#include "stream_sample.h"

#include <math.h>

#include "fa_select.h"
#include "fa_show.h"

/* What fa_show prints for rec, to be freed. */
static char *shown(const struct fa_rec *rec, enum fa_show_how how)
{
    char *s = NULL;
    size_t n;
    struct fa_err e = { 0 };
    FILE *f = open_memstream(&s, &n);
    int code = fa_show(f, rec, how, &e);
    fclose(f);
    if (code != FA_OK)
        test_fail(__FILE__, __LINE__, "%s", e.text);
    return s;
}

/* The nth record of what w wrote to fd; the reader is to be closed. */
static struct fa_reader *record_of(struct fa_writer *w, int fd, int nth, struct fa_rec *rec)
{
    struct fa_err e;
    fa_writer_close(w, &e);
    lseek(fd, 0, SEEK_SET);
    struct fa_reader *r = open_reader(fd);
    for (int i = 0; i < nth; i++)
        check_int("next", fa_reader_next(r, rec, &e), FA_OK);
    return r;
}

static void numbers_read_back_as_the_same_bits(void)
{
    enum { N = 2000 };
    static float v[5 * N];
    uint64_t seed = 1;
    for (int i = 0; i < 5 * N; i++) {
        uint32_t u = test_rand(&seed);
        do
            memcpy(&v[i], &u, 4);
        while (!isfinite(v[i]) && (u = test_rand(&seed), 1));
    }
    v[0] = -0.0f; v[1] = 0.1f; v[2] = 1e-45f; v[3] = 3.4028235e38f; v[4] = 16777216;
    struct fa_err e;
    struct fa_rec rec;
    int fd = tmp_fd();
    struct fa_writer *w = open_writer(fd, 0);
    struct fa_marks m = { .n = N, .xy = v, .xyz = v + 2 * N };
    fa_put_clip(w, 0, &(struct fa_clip){ .name = "x" }, &e);
    fa_put_frame(w, 0, 1, &(struct fa_frame){ .w = 1, .h = 1 }, &e);
    check_int("put", fa_put_marks(w, 0, 1, 0, &m, &e), FA_OK);
    struct fa_reader *r = record_of(w, fd, 3, &rec);
    char *s = shown(&rec, FA_SHOW_JSON), *p = strstr(s, "\"xy\":[");
    CHECK(strncmp(p, "\"xy\":[-0,0.1,1e-45,3.4028235e+38,16777216,", 42) == 0);
    p += 6;
    for (int i = 0; i < 5 * N; i++) {
        float back = strtof(p, &p);
        check_f32_bits("number", &back, &v[i], 1);
        p += i == 2 * N - 1 ? strlen("],\"xyz\":[") : 1;
    }
    free(s);
    fa_reader_close(r);
    close(fd);
}

static void texts_are_escaped_for_terminals_and_json(void)
{
    static const struct { const char *in, *want; } t[] = {
        { "", "\"\"" }, { "a b.mp4", "\"a b.mp4\"" }, { "q\"b\\", "\"q\\\"b\\\\\"" }, { "l1\nl2\t", "\"l1\\nl2\\u0009\"" },
        { "\x1b[31m\x7f", "\"\\u001b[31m\\u007f\"" }, { "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9d\x84\x9e", "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9d\x84\x9e\"" },
        { "\xff\xc3", "\"\\udcff\\udcc3\"" }, { "\xc3(", "\"\\udcc3(\"" }, { "\xc2\x9b" "31m", "\"\\u009b31m\"" }, { "\xed\xa0\x80", "\"\\udced\\udca0\\udc80\"" },
        { "\xc0\xaf", "\"\\udcc0\\udcaf\"" }, { "\xe0\x80\xaf", "\"\\udce0\\udc80\\udcaf\"" }, { "\xf4\x90\x80\x80", "\"\\udcf4\\udc90\\udc80\\udc80\"" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char *s = NULL;
        size_t n;
        FILE *f = open_memstream(&s, &n);
        fa_show_string(f, t[i].in);
        fclose(f);
        check_str(t[i].in, s, t[i].want);
        free(s);
    }
}

static void what_is_not_a_number_is_named(void)
{
    struct fa_err e;
    struct fa_rec rec;
    int fd = tmp_fd();
    struct fa_writer *w = open_writer(fd, 0);
    fa_put_clip(w, 0, &(struct fa_clip){ .name = "x", .fx = NAN, .fy = INFINITY, .cx = -INFINITY, .cy = 2.5f }, &e);
    struct fa_reader *r = record_of(w, fd, 1, &rec);
    char *s = shown(&rec, FA_SHOW_JSON), *t = shown(&rec, FA_SHOW_TEXT);
    CHECK(strstr(s, "\"camera\":[\"nan\",\"inf\",\"-inf\",2.5]") && strstr(t, " camera=nan,inf,-inf,2.5 "));
    free(s);
    free(t);
    fa_reader_close(r);
    close(fd);
}

static void ranges_of_frames_are_parsed(void)
{
    static const struct { const char *text; int want; uint64_t first, last; } t[] = {
        { "10-20", FA_OK, 10, 20 }, { "7", FA_OK, 7, 7 }, { "7-", FA_OK, 7, UINT64_MAX }, { "-7", FA_OK, 1, 7 }, { "3-3", FA_OK, 3, 3 },
        { "18446744073709551615", FA_OK, UINT64_MAX, UINT64_MAX }, { "18446744073709551616", FA_E_ARG, 0, 0 }, { "", FA_E_ARG, 0, 0 },
        { "-", FA_E_ARG, 0, 0 }, { "0", FA_E_ARG, 0, 0 }, { "0-4", FA_E_ARG, 0, 0 }, { "5-4", FA_E_ARG, 0, 0 }, { "a-4", FA_E_ARG, 0, 0 },
        { "4-b", FA_E_ARG, 0, 0 }, { "1-2-3", FA_E_ARG, 0, 0 }, { "+1", FA_E_ARG, 0, 0 }, { " 1", FA_E_ARG, 0, 0 }, { "--5", FA_E_ARG, 0, 0 },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fa_select s = FA_SELECT_ALL;
        struct fa_err e;
        check_int(t[i].text, fa_select_range(&s, t[i].text, &e), t[i].want);
        if (t[i].want == FA_OK)
            CHECK(s.first == t[i].first && s.last == t[i].last);
        else
            CHECK(s.first == 0 && s.last == UINT64_MAX);
    }
    check_int("find", fa_select_find("Landmarks"), FA_REC_LANDMARKS);
    check_int("find", fa_select_find("other"), FA_SELECT_OTHER);
    check_int("find", fa_select_find("nose"), -1);
}

/* Any choice of types and frames of a stream with all types gives a whole stream again. */
static void every_choice_makes_a_whole_stream(void)
{
    struct bytes in = sample_stream(2, 0, 4, 6);
    for (unsigned types = 1; types < 1u << FA_SELECT_TYPES; types += 3)
        for (uint64_t first = 1; first <= 3; first++) {
            struct fa_select sel = { first, 2, types };
            struct fa_err e;
            struct fa_rec rec;
            int fd = fd_of(in.p, in.n), out = tmp_fd(), code, n;
            struct fa_reader *r = open_reader(fd);
            struct fa_writer *w = open_writer(out, 0);
            while ((code = fa_reader_next(r, &rec, &e)) == FA_OK)
                check_int("put", fa_select_put(&sel, w, &rec, "cut", &e), FA_OK);
            check_int("end", code, FA_EOF);
            fa_writer_close(w, &e);
            fa_reader_close(r);
            close(fd);
            struct bytes b = take_bytes(out);
            check_int("whole", read_all(b.p, b.n, &n, &e), FA_EOF);
            int frames = first <= 2 ? 3 - (int)first : 0, per_frame = 1 + (types >> FA_REC_FACES & 1) +
                2 * ((types >> FA_REC_LANDMARKS & 1) + (types >> FA_REC_CROP & 1) + (types >> FA_REC_AUS & 1));
            check_int("records", n, 2 * (2 + frames * per_frame));
            free(b.p);
        }
    free(in.p);
}

int main(void)
{
    RUN(numbers_read_back_as_the_same_bits);
    RUN(texts_are_escaped_for_terminals_and_json);
    RUN(what_is_not_a_number_is_named);
    RUN(ranges_of_frames_are_parsed);
    RUN(every_choice_makes_a_whole_stream);
    return test_done();
}
