/* SPDX-License-Identifier: BSD-2-Clause
 * table: the CSV reader, sums and percentiles, known noise, whole texts. The figures themselves are tested against the judge in
 * tests/cli/compare.sh. */
#include "fa_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "fa_compare.h"

static const char good[] = "frame,face_id,timestamp,confidence,success,x_0,y_0,AU01_r,AU01_c\n1,0,0.000,0.98,1,10.5,-3.0,0.60,1.00\n"
                           "2,0,0.033,0.97,1,10.6,-3.1,0.10,0.00\n\n3,0,0.067,0.02,0,99.0,nan,0.00,0.00\n";

static void blanks_crlf_and_empty_lines_are_tolerated(void)
{
    static const char text[] = " frame, face_id , x_0\r\n\r\n 1, 0,\t-2.5 \r\n  \n+2,0,1e3\r\n3,0,-.5";
    struct fa_csv c;
    struct fa_err e = { 0 };
    check_int("parse", fa_csv_parse(&c, text, strlen(text), &e), FA_OK);
    check_int("columns", c.n_col, 3);
    check_int("rows", (long long)c.n_row, 3);
    if (c.n_row == 3) {
        check_str("name", c.name[1], "face_id");
        check_int("by name", fa_csv_column(&c, "x_0"), 2);
        check_int("no such", fa_csv_column(&c, "X_0"), -1);
        static const double want[9] = { 1, 0, -2.5, 2, 0, 1000, 3, 0, -0.5 };
        check_f64_abs("cells", c.cell, want, 9, 0);
        check_int("line of the last row", (long long)c.line[2], 6);
    }
    fa_csv_close(&c);
}

static void numbers_are_read_as_strtod_reads_them(void)
{
    uint64_t seed = 3;
    char text[200], num[64];
    for (int i = 0; i < 200000; i++) {
        double x = (double)test_randf(&seed) * pow(10, (double)(test_rand(&seed) % 9));
        snprintf(num, sizeof num, i % 10 == 9 ? "%.*e" : "%.*f", (int)(test_rand(&seed) % 12), x);
        int n = snprintf(text, sizeof text, "a\n%s\n", num);
        struct fa_csv c;
        struct fa_err e = { 0 };
        if (fa_csv_parse(&c, text, (size_t)n, &e) != FA_OK || c.n_row != 1 || memcmp(c.cell, &(double){ strtod(num, NULL) }, 8) != 0) {
            test_fail(__FILE__, __LINE__, "'%s': %s", num, e.text);
            return;
        }
        fa_csv_close(&c);
    }
}

static void what_is_not_a_number_is_refused_by_line_and_column(void)
{
    static const char *const t[] = { "0x10", "nan(1)", "1_000", "", "1.2.3", "--1", "1e", ".", "-", "e5", "infinit", "1 2", "\"1\"", "\x80" };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char text[100];
        struct fa_csv c;
        struct fa_err e = { 0 };
        int n = snprintf(text, sizeof text, "a,b\n1,2\n3,%s\n", t[i]);
        check_int(t[i], fa_csv_parse(&c, text, (size_t)n, &e), FA_E_FORMAT);
        CHECK(strncmp(e.text, "line 3, column b: '", 19) == 0);
    }
    struct fa_csv c;
    struct fa_err e = { 0 };
    static const char nul[] = "a,b\n1,2\0003\n";
    check_int("a NUL", fa_csv_parse(&c, nul, sizeof nul - 1, &e), FA_E_FORMAT);
}

static void lengths_have_limits(void)
{
    struct fa_csv c;
    struct fa_err e = { 0 };
    char *big = malloc(1 << 20);
    CHECK(big != NULL);
    if (!big)
        return;
    size_t n = 0;
    for (int k = 0; k <= FA_CSV_COLUMNS; k++)
        n += (size_t)sprintf(big + n, "%sc%d", k ? "," : "", k);
    check_int("columns", fa_csv_parse(&c, big, n, &e), FA_E_FORMAT);
    check_str("columns", e.text, "line 1: more than 4096 columns");
    n = (size_t)sprintf(big, "%0100d\n", 0);
    check_int("name", fa_csv_parse(&c, big, n, &e), FA_E_FORMAT);
    n = (size_t)sprintf(big, "a\n%0500d\n", 0);
    check_int("number", fa_csv_parse(&c, big, n, &e), FA_E_FORMAT);
    n = (size_t)sprintf(big, "a\n");
    memset(big + n, ',', 100000);
    big[n + 100000] = '\0';
    check_int("fields", fa_csv_parse(&c, big, n + 100000, &e), FA_E_FORMAT);
    check_str("fields", e.text, "line 2: over 4096 fields, the header has 1");
    free(big);
}

/* Every cut, and every byte changed to every fifth value: an error or a table, never more (the sanitizers look on). */
static void cuts_and_changed_bytes_never_do_harm(void)
{
    char text[sizeof good];
    struct fa_csv ref, c;
    struct fa_cmp cmp;
    struct fa_err e = { 0 };
    int n_bad = 0;
    check_int("good", fa_csv_parse(&ref, good, sizeof good - 1, &e), FA_OK);
    for (size_t n = 0; n < sizeof good; n++)
        for (int v = 0; v < 256; v += 5) {
            memcpy(text, good, sizeof good);
            if (v == 0)
                text[n] = '\0';
            else if (n < sizeof good - 1)
                text[n] = (char)v;
            const size_t len = v == 0 ? n : sizeof good - 1;
            e = (struct fa_err){ 0 };
            if (fa_csv_parse(&c, text, len, &e) == FA_OK) {
                int r = fa_compare(&cmp, &ref, &c, &e);
                n_bad += r != FA_OK;
                CHECK(r == FA_OK || (r == FA_E_FORMAT && e.text[0]));
                fa_cmp_close(&cmp);
                fa_csv_close(&c);
            } else {
                n_bad++;
                CHECK(e.code == FA_E_FORMAT && e.text[0]);
            }
        }
    CHECK(n_bad > 1000);
    fa_csv_close(&ref);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void percentile_equals_that_of_the_sorted_values(void)
{
    uint64_t seed = 11;
    for (int round = 0; round < 3000; round++) {
        double v[400], s[400];
        const size_t n = 1 + test_rand(&seed) % 400;
        const unsigned kinds = 1 + test_rand(&seed) % 50;
        for (size_t i = 0; i < n; i++)
            v[i] = round % 3 == 0 ? (double)(test_rand(&seed) % kinds) : round % 3 == 1 ? fabs((double)test_randf(&seed)) : (double)i;
        memcpy(s, v, sizeof s);
        qsort(s, n, sizeof *s, by_value);
        const double at = 0.95 * (double)(n - 1);
        const size_t k = (size_t)at;
        const double b = s[k + 1 < n ? k + 1 : k], t = at - (double)k, want = t < 0.5 ? s[k] + (b - s[k]) * t : b - (b - s[k]) * (1 - t);
        check_near("p95", fa_p95(v, n), want, 0);
    }
    double nan_in[3] = { 1, (double)NAN, 2 };
    CHECK(isnan(fa_p95(nan_in, 3)));
}

static void sum_is_that_of_the_judge(void)
{
    double v[1000];
    for (int i = 0; i < 1000; i++)
        v[i] = 0.1 * (i % 7) + 0.01;
    /* numpy.sum of the same numbers, by its own order of additions (numpy 1.24) */
    static const struct { size_t n; double want; } t[] = { { 0, 0 }, { 1, 0x1.47ae147ae147bp-7 }, { 7, 0x1.15c28f5c28f5dp+1 }, { 8, 0x1.170a3d70a3d71p+1 }, { 9, 0x1.251eb851eb852p+1 }, { 100, 0x1.e800000000001p+4 }, { 128, 0x1.3970a3d70a3d8p+5 }, { 129, 0x1.3b1eb851eb852p+5 }, { 1000, 0x1.35b3333333334p+8 } };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        check_near("sum", fa_sum(v, t[i].n, sizeof *v), t[i].want, 0);
}

static void known_noise_is_found_in_meta_json(void)
{
    static const struct { const char *json; int found, n; } t[] = {
        { "{\"runs\": {\"clm\": {\"rounding_noise_AU_c_rows\": {\"AU01_c\": 9}}, \"clnf\": {\"rows\": 3, \"rounding_noise_AU_c_rows\": {\"AU01_c\": 4, \"AU02_c\": 0}}}}", 1, 2 },
        { "{\"clip\": \"a\\\"b\", \"x\": [1, {\"runs\": 2}, null, true, false, -1.5e3], \"runs\": {\"clnf\": {\"rounding_noise_AU_c_rows\": {}}}}", 1, 0 },
        { "{\"runs\": {\"clm\": {\"rounding_noise_AU_c_rows\": {\"AU01_c\": 4}}}}", 0, 0 },
        { "{\"clnf\": {\"rounding_noise_AU_c_rows\": {\"AU01_c\": 4}}}", 0, 0 },
        { "{\"runs\": {\"clnf\": {\"rounding_noise_AU_c_rows\": {\"AU01_c\": 4}}}", 0, 0 },
        { "{\"runs\": {\"clnf\": {\"rounding_noise_AU_c_rows\": {\"AU01_c\": 4}}}} x", 0, 0 },
        { "{\"runs\": {\"clnf\": {\"rounding_noise_AU_c_rows\": {\"AU01_c\": }}}}", 0, 0 },
        { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 0, 0 }, { "", 0, 0 }, { "\"", 0, 0 }, { "{\"a\\", 0, 0 } };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fa_noise noise;
        check_int(t[i].json, fa_noise_parse(&noise, t[i].json, "clnf"), t[i].found);
        check_int("AUs", noise.n, t[i].n);
        if (noise.n == 2) {
            check_str("name", noise.au[0].name, "AU01_c");
            check_near("rows", noise.au[0].rows, 4, 0);
        }
        fa_noise_close(&noise);
    }
}

static void packed_text_has_a_limit_too(void)
{
    char path[] = "/tmp/fa-test.XXXXXX", *zeros = calloc(1, 1 << 20), packed[4096], *text;
    int fd = mkstemp(path);
    size_t n = ZSTD_compress(packed, sizeof packed, zeros, 1 << 20, 3), len;
    struct fa_err e = { 0 };
    CHECK(fd >= 0 && !ZSTD_isError(n) && write(fd, packed, n) == (ssize_t)n);
    check_int("a bomb", fa_text_read(&text, &len, path, 100000, &e), FA_E_FORMAT);
    CHECK(text == NULL);
    check_int("whole", fa_text_read(&text, &len, path, 1 << 20, &e), FA_OK);
    check_int("length", (long long)len, 1 << 20);
    free(text);
    CHECK(ftruncate(fd, (off_t)n - 1) == 0);
    check_int("cut", fa_text_read(&text, &len, path, 1 << 20, &e), FA_E_TRUNC);
    CHECK(pwrite(fd, "\xff\xff\xff", 3, 5) == 3);
    CHECK(fa_text_read(&text, &len, path, 1 << 20, &e) < 0);
    close(fd);
    unlink(path);
    free(zeros);
}

int main(void)
{
    RUN(blanks_crlf_and_empty_lines_are_tolerated);
    RUN(numbers_are_read_as_strtod_reads_them);
    RUN(what_is_not_a_number_is_refused_by_line_and_column);
    RUN(lengths_have_limits);
    RUN(cuts_and_changed_bytes_never_do_harm);
    RUN(percentile_equals_that_of_the_sorted_values);
    RUN(sum_is_that_of_the_judge);
    RUN(known_noise_is_found_in_meta_json);
    RUN(packed_text_has_a_limit_too);
    return test_done();
}
