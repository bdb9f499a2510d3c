/* SPDX-License-Identifier: BSD-2-Clause
 * table: number formats, header, rows, names, details file. */
#include "fa_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dump.h"
#include "fa_compare.h"
#include "fa_table.h"

/* --- Numbers ---------------------------------------------------------------------------------------------------------- */

static int as_printf(double v, int decimals)
{
    char want[400], got[FA_FIXED_MAX + 1];
    int n = snprintf(want, sizeof want, "%.*f", decimals, v);
    size_t m = fa_fixed(got, v, decimals);
    got[m] = '\0';
    if ((size_t)n == m && strcmp(got, want) == 0)
        return 1;
    test_fail(__FILE__, __LINE__, "%a with %d decimals: got '%s', want '%s'", v, decimals, got, want);
    return 0;
}

static void numbers_of_the_spec_print_as_printf_prints_them(void)
{
    static const struct { float v; int decimals; const char *want; } t[] = {
        { -0.04f, 1, "-0.0" }, { -0.05f, 1, "-0.1" }, { 0.05f, 1, "0.1" }, { 0.15f, 1, "0.2" }, { 0.25f, 1, "0.2" }, { 0.75f, 1, "0.8" },
        { 0.125f, 2, "0.12" }, { 0.375f, 2, "0.38" }, { 1e-7f, 6, "0.000000" }, { 12345.678f, 1, "12345.7" }, { 0.5f, 0, "0" },
        { 1.5f, 0, "2" }, { 2.5f, 0, "2" }, { -0.0f, 3, "-0.000" }, { 9.96f, 1, "10.0" }, { 0.99999994f, 6, "1.000000" },
        { -19616704.0f, 1, "-19616704.0" }, { 0, 2, "0.00" }, { 99.95f, 1, "99.9" } };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char got[FA_FIXED_MAX + 1];
        got[fa_fixed(got, (double)t[i].v, t[i].decimals)] = '\0';
        check_str("float", got, t[i].want);
    }
}

static void adversarial_numbers_print_as_printf_prints_them(void)
{
    static const double v[] = { 0.0, -0.0, 0.5, 1.5, 2.5, 0.05, 0.15, 0.25, 0.35, 1e15, 1e16, 1e17, 9007199254740991.0, 9007199254740992.0,
        9007199254740994.0, 4503599627370495.5, 4503599627370496.5, 2251799813685247.75, 1.8446744073709552e19, 1.8446744073709550e19, 9.2e18,
        3.7e19, 1e22, 1e100, 1.7976931348623157e308, 5e-324, 2.2250738585072014e-308, 4.9e-16, 5e-16, 5.0000000000000001e-16, 1e-15, 0.9999999999999999,
        0.99999999999999994, 999.9999999999999, 0.001, 0.0005, 0.00049999999999999999, 1.0000000000000002, 123456789.123456789, 1e-20,
        3.4028234663852886e38, 1.1754943508222875e-38, 7.450580596923828e-09, 0.0009765625, 0.00048828125, 1.0009765625 };
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        for (int d = 0; d <= FA_FIXED_DECIMALS; d++)
            if (!as_printf(v[i], d) || !as_printf(-v[i], d) || !as_printf(nextafter(v[i], INFINITY), d) || !as_printf(nextafter(v[i], 0), d))
                return;
    for (int d = 0; d < 2; d++) {
        as_printf(INFINITY, d);
        as_printf(-INFINITY, d);
        as_printf(NAN, d);
        as_printf(-(double)NAN, d);
    }
}

/* Exact ties k / 2^j, every float near decimal ties, random bits, and random numbers of the sizes in a CSV: two million in all. */
static void two_million_numbers_print_as_printf_prints_them(void)
{
    uint64_t seed = 20;
    for (int i = 0; i < 400000; i++) {
        int d = (int)(test_rand(&seed) % 7);
        double tie = (double)(int32_t)test_rand(&seed) / (double)(1 << test_rand(&seed) % 24);
        float near = (float)((double)(test_rand(&seed) % 2000000) / 20 * (i & 1 ? 0.01 : 1));
        uint64_t bits = (uint64_t)test_rand(&seed) << 32 | test_rand(&seed);
        uint32_t small = test_rand(&seed);
        double any;
        float anyf;
        memcpy(&any, &bits, 8);
        memcpy(&anyf, &small, 4);
        float size = test_randf(&seed) * powf(10, (float)(test_rand(&seed) % 6));
        if (!as_printf(tie, d) || !as_printf((double)near, d) || !as_printf(i % 8 ? (double)anyf : any, d % 4) || !as_printf((double)size, d)
            || !as_printf((double)size * 1.1, (int)(test_rand(&seed) % 16)))
            return;
    }
}

/* --- Header and rows -------------------------------------------------------------------------------------------------- */

static const char name_r[17][8] = { "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU14", "AU15", "AU17", "AU20", "AU23",
                                    "AU25", "AU26", "AU45" };
static const char name_c[18][8] = { "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU14", "AU15", "AU17", "AU20", "AU23",
                                    "AU25", "AU26", "AU28", "AU45" };
static const struct fa_table_shape full = { 68, 56, 34, 17, 18, name_r, name_c };
#define FORM(g, ...) (&(struct fa_table_form){ .groups = (g), .precision = -1, __VA_ARGS__ })

/* The header as a string; freed by the caller. */
static char *header(const struct fa_table_form *form, const struct fa_table_shape *shape, int *columns)
{
    struct fa_table *t;
    struct fa_err e = { 0 };
    size_t len;
    if (fa_table_open(&t, form, shape, &e) != FA_OK) {
        test_fail(__FILE__, __LINE__, "open: %s", e.text);
        return strdup("");
    }
    const char *h = fa_table_header(t, &len);
    char *s = strndup(h, len);
    *columns = fa_table_columns(t);
    fa_table_close(t);
    return s;
}

static int commas(const char *s)
{
    int n = 0;
    for (; *s; s++)
        n += *s == ',';
    return n;
}

static void every_choice_of_groups_has_its_columns(void)
{
    static const struct { unsigned groups; int image, want; } t[] = { { 0, 0, 5 }, { FA_TABLE_GAZE, 0, 5 + 288 }, { FA_TABLE_POSE, 0, 5 + 6 },
        { FA_TABLE_2D, 0, 5 + 136 }, { FA_TABLE_3D, 0, 5 + 204 }, { FA_TABLE_PDM, 0, 5 + 40 }, { FA_TABLE_AUS, 0, 5 + 35 },
        { FA_TABLE_ALL, 0, 714 }, { FA_TABLE_ALL, 1, 711 }, { 0, 1, 2 } };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        int n;
        char *h = header(FORM(t[i].groups, .image = t[i].image), &full, &n);
        check_int("columns", n, t[i].want);
        check_int("commas", commas(h), t[i].want - 1);
        free(h);
    }
}

static void header_is_that_of_the_golds(void)
{
    static const struct { const char *gold; int image; } t[] = { { "gold/small320/clnf.csv.zst", 0 }, { "gold/images/sample1.csv.zst", 1 } };
    for (int i = 0; i < 2; i++) {
        const char *path = shared_path(t[i].gold);
        char *text;
        size_t len;
        struct fa_err e = { 0 };
        int n;
        if (!path) {
            test_skip("no shared folder");
            return;
        }
        check_int("read", fa_text_read(&text, &len, path, 1 << 28, &e), FA_OK);
        text[strcspn(text, "\n") + 1] = '\0';
        char *h = header(FORM(FA_TABLE_ALL, .image = t[i].image), &full, &n);
        check_str(t[i].gold, h, text);
        free(h);
        free(text);
    }
}

static void header_and_rows_of_21_have_blanks_after_the_commas(void)
{
    struct fa_table *t;
    struct fa_err e;
    size_t len;
    const float pose[6] = { 1, 2, 3, 0.1f, 0.2f, -0.3f };
    check_int("open", fa_table_open(&t, FORM(FA_TABLE_POSE, .of21 = 1), &full, &e), FA_OK);
    const char *s = fa_table_header(t, &len);
    check_str("header", strndupa(s, len), "frame, face_id, timestamp, confidence, success, pose_Tx, pose_Ty, pose_Tz, pose_Rx, pose_Ry, pose_Rz\n");
    s = fa_table_line(t, &(struct fa_table_row){ .frame = 7, .timestamp = 0.4, .confidence = 0.975, .success = 1, .pose = pose }, &len);
    check_str("row", strndupa(s, len), "7, 0, 0.400, 0.97, 1, 1.0, 2.0, 3.0, 0.100, 0.200, -0.300\n");
    fa_table_close(t);
}

static void aus_are_sorted_and_extra_columns_come_last(void)
{
    static const char r[2][8] = { "AU12", "AU04" }, c[3][8] = { "AU45", "AU12", "AU28" };
    struct fa_table *t;
    struct fa_err e;
    size_t len;
    const double au_r[2] = { 1.2, 0.4 }, au_c[3] = { 1, 0, 1 }, d[3] = { 0.45, -0.12, 0.28 };
    struct fa_table_shape shape = { .n_r = 2, .n_c = 3, .name_r = r, .name_c = c };
    struct fa_table_form form = { .groups = FA_TABLE_AUS, .extra = FA_TABLE_DISTANCE | FA_TABLE_PTS | FA_TABLE_CLIP, .precision = -1 };
    struct fa_table_row row = { .frame = 1, .au_r = au_r, .au_c = au_c, .distance = d, .pts = 1.5, .clip = "a \"b\", c.mp4" };
    check_int("open", fa_table_open(&t, &form, &shape, &e), FA_OK);
    const char *s = fa_table_header(t, &len);
    check_str("header", strndupa(s, len), "frame,face_id,timestamp,confidence,success,AU04_r,AU12_r,AU12_c,AU28_c,AU45_c,AU12_d,AU28_d,AU45_d,pts_time,clip\n");
    s = fa_table_line(t, &row, &len);
    check_str("row", strndupa(s, len), "1,0,0.000,0.00,0,0.40,1.20,0.00,1.00,1.00,-0.120000,0.280000,0.450000,1.500000,\"a \"\"b\"\", c.mp4\"\n");
    row.clip = "plain.mp4";
    s = fa_table_line(t, &row, &len);
    CHECK(len > 10 && memcmp(s + len - 11, ",plain.mp4\n", 11) == 0);
    fa_table_close(t);
    form = (struct fa_table_form){ .groups = FA_TABLE_AUS, .image = 1, .precision = 5 };
    check_int("open", fa_table_open(&t, &form, &shape, &e), FA_OK);
    row.confidence = 0.5;
    s = fa_table_line(t, &row, &len);
    check_str("image row, precision 5", strndupa(s, len), "0,0.50000,0.40000,1.20000,0.0,1.0,1.0\n");
    fa_table_close(t);
}

static void counts_beyond_the_limit_are_refused(void)
{
    struct fa_table *t;
    struct fa_err e;
    check_int("many", fa_table_open(&t, FORM(FA_TABLE_ALL, .image = 0), &(struct fa_table_shape){ .n = FA_TABLE_MAX_COUNT + 1 }, &e), FA_E_FORMAT);
    check_int("negative", fa_table_open(&t, FORM(FA_TABLE_ALL, .image = 0), &(struct fa_table_shape){ .m = -1 }, &e), FA_E_FORMAT);
}

/* Reads a gold, writes it again from numbers, and wants the same bytes. Returns microseconds a row. */
static double rewritten(const char *rel, int image)
{
    struct fa_csv c;
    struct fa_table *t;
    struct fa_err e = { 0 };
    const char *path = shared_path(rel);
    char *text;
    size_t len, n;
    if (fa_text_read(&text, &len, path, 1 << 28, &e) != FA_OK || fa_csv_parse(&c, text, len, &e) != FA_OK
        || fa_table_open(&t, FORM(FA_TABLE_ALL, .image = image), &full, &e) != FA_OK) {
        test_fail(__FILE__, __LINE__, "%s: %s", rel, e.text);
        return 0;
    }
    const char *at = text, *s = fa_table_header(t, &n);
    CHECK(n <= len && memcmp(at, s, n) == 0);
    at += n;
    const int meta = image ? 2 : 5;
    double spent = 0;
    for (size_t i = 0; i < c.n_row; i++) {
        const double *v = c.cell + i * (size_t)c.n_col, *w = v + meta;
        float f[674];
        for (int k = 0; k < 674; k++)
            f[k] = (float)w[k];
        struct fa_table_row row = { .frame = (uint64_t)v[0], .face = (int)v[image ? 0 : 1], .timestamp = v[2], .confidence = v[image ? 1 : 3],
            .success = v[4] != 0, .gaze = f, .gaze_angle = f + 6, .eye_xy = f + 8, .eye_xyz = f + 120, .pose = f + 288, .xy = f + 294,
            .xyz = f + 430, .global = f + 634, .local = f + 640, .au_r = w + 674, .au_c = w + 691 };
        struct timespec a, b;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
        s = fa_table_line(t, &row, &n);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
        spent += (double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) * 1e-3;
        if (n > len - (size_t)(at - text) || memcmp(at, s, n) != 0) {
            test_fail(__FILE__, __LINE__, "%s: row %zu differs", rel, i + 1);
            break;
        }
        at += n;
    }
    CHECK((size_t)(at - text) == len);
    spent /= c.n_row ? (double)c.n_row : 1;
    fa_table_close(t);
    fa_csv_close(&c);
    free(text);
    return spent;
}

static void golds_read_and_written_again_are_the_same_bytes(void)
{
    static const char *const clips[] = { "gold/default/clnf.csv.zst", "gold/2015-10-15-15-14/clnf.csv.zst", "gold/face_then_none_vfr/clnf.csv.zst",
                                         "gold/hd1080/clnf.csv.zst", "gold/image_sequence/clnf.csv.zst", "gold/multi_face/clnf.csv.zst" };
    if (!shared_path("gold/default/clnf.csv.zst")) {
        test_skip("no shared folder");
        return;
    }
    double worst = 0;
    for (size_t i = 0; i < sizeof clips / sizeof *clips; i++)
        worst = fmax(worst, rewritten(clips[i], 0));
    rewritten("gold/images/sample1.csv.zst", 1);
    rewritten("gold/images/sample6.csv.zst", 1);
    test_note("time to format a row of 714 cells", worst, "us");
}

/* --- Names ------------------------------------------------------------------------------------------------------------ */

static void outputs_are_named_by_the_input(void)
{
    static const struct { const char *input; int folder; const char *want; } t[] = { { "a/b/clip.mp4", 0, "clip" }, { "clip", 0, "clip" },
        { "x.tar.gz", 0, "x.tar" }, { ".hidden", 0, ".hidden" }, { "/no/such/dir.d/", 1, "dir.d" }, { "/tmp/.", 1, "tmp" }, { "a/img%04d.png", 1, "img%04d" }, { "-", 0, "stdin" },
        { "", 0, "stdin" }, { "dir.v2/clip", 0, "clip" } };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char *s = fa_table_name(t[i].input, t[i].folder);
        check_str(t[i].input, s, t[i].want);
        free(s);
    }
}

static void details_file_has_the_lines_of_the_spec(void)
{
    const float k[4] = { 458.333344f, 458.333344f, 320, 200 };
    char *s = fa_table_details("/no/such/clip.mp4", k, "clip.csv", FA_TABLE_GAZE | FA_TABLE_2D);
    check_str("with rows", s, "Input:/no/such/clip.mp4\nInput full path:/no/such/clip.mp4\nCamera parameters:458.333,458.333,320,200\nOutput csv:clip.csv\n"
              "Gaze: 1\nAUs: 0\nLandmarks 2D: 1\nLandmarks 3D: 0\nPose: 0\nShape parameters: 0\n");
    free(s);
    s = fa_table_details("nowhere.png", (const float[4]){ 1511.4583f, 1511.4583f, 1024, 683 }, NULL, FA_TABLE_ALL);
    check_str("no rows", s, "Input:nowhere.png\nInput full path:nowhere.png\nCamera parameters:1511.46,1511.46,1024,683\n");
    free(s);
}

int main(void)
{
    RUN(numbers_of_the_spec_print_as_printf_prints_them);
    RUN(adversarial_numbers_print_as_printf_prints_them);
    RUN(two_million_numbers_print_as_printf_prints_them);
    RUN(every_choice_of_groups_has_its_columns);
    RUN(header_is_that_of_the_golds);
    RUN(header_and_rows_of_21_have_blanks_after_the_commas);
    RUN(aus_are_sorted_and_extra_columns_come_last);
    RUN(counts_beyond_the_limit_are_refused);
    RUN(golds_read_and_written_again_are_the_same_bytes);
    RUN(outputs_are_named_by_the_input);
    RUN(details_file_has_the_lines_of_the_spec);
    return test_done();
}
