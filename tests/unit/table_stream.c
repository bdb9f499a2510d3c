/* SPDX-License-Identifier: BSD-2-Clause
 * table: the queue and the timeline of fa-csv. With arguments this program is not a test but a maker of streams for
 * tests/cli/csv.sh: it writes to standard output a stream described by words,
 *
 *     gold=FILE    values of a CSV of the reference (else synthetic ones)       frames=N clips=N faces=N   counts
 *     kind=video|sequence|still     aus=now|late|none      fa-aus=0: no word of fa-aus in CLIP     name=NAME
 *     skip=K: no LANDMARKS in frame K     noaus=K: no AUS in frame K     modes=K: other modes from frame K on
 *     status=S words=W: END     cut=N: stop N bytes before the end */
#include "fa_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_compare.h"
#include "fa_queue.h"
#include "fa_stream.h"
#include "fa_timeline.h"

/* --- The maker -------------------------------------------------------------------------------------------------------- */

enum { N = 68, EYE = 56, M = 34, NR = 17, NC = 18 };
static const char name_r[NR][8] = { "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU14", "AU15", "AU17", "AU20", "AU23",
                                    "AU25", "AU26", "AU45" };
static const char name_c[NC][8] = { "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU14", "AU15", "AU17", "AU20", "AU23",
                                    "AU25", "AU26", "AU28", "AU45" };

static const char *word(int argc, char **argv, const char *key, const char *absent)
{
    size_t n = strlen(key);
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], key, n) == 0 && argv[i][n] == '=')
            return argv[i] + n + 1;
    return absent;
}

static long count(int argc, char **argv, const char *key, long absent)
{
    const char *s = word(argc, argv, key, NULL);
    return s ? atol(s) : absent;
}

static void must(int r, const struct fa_err *e)
{
    if (r == FA_OK)
        return;
    fprintf(stderr, "table_stream: %s\n", e->text);
    exit(3);
}

/* 709 values of one face in the order of the CSV's columns after those of the frame: from a gold's row, or made up. */
static void values(double v[709], const struct fa_csv *gold, size_t row, int skip)
{
    uint64_t seed = 1000 + row;
    for (int k = 0; k < 709; k++)
        v[k] = gold ? gold->cell[row * (size_t)gold->n_col + (size_t)(skip + k)] : (double)test_randf(&seed) * 300;
    for (int k = 691; k < 709 && !gold; k++)
        v[k] = test_rand(&seed) & 1;
}

static void put_marks(struct fa_writer *w, unsigned clip, uint64_t frame, int face, const double v[709], double certainty, int success, int m)
{
    struct fa_err e;
    float f[674];
    for (int k = 0; k < 674; k++)
        f[k] = (float)v[k];
    struct fa_marks marks = { .n = N, .m = m, .n_eye = EYE, .success = (uint32_t)success, .accepted = (uint32_t)success,
        .certainty = (float)certainty, .local = f + 640, .xy = f + 294, .xyz = f + 430, .eye_xy = f + 8, .eye_xyz = f + 120 };
    memcpy(marks.gaze, f, 24);
    memcpy(marks.gaze_angle, f + 6, 8);
    memcpy(marks.pose, f + 288, 24);
    memcpy(marks.global, f + 634, 24);
    must(fa_put_marks(w, clip, frame, face, &marks, &e), &e);
}

static void put_aus(struct fa_writer *w, unsigned clip, uint64_t frame, int face, const double v[709])
{
    struct fa_err e;
    double distance[NC];
    for (int k = 0; k < NC; k++)
        distance[k] = v[691 + k] - 0.5;
    const struct fa_aus a = { .n_r = NR, .n_c = NC, .name_r = name_r, .name_c = name_c, .r = v + 674, .c = v + 691, .distance = distance };
    must(fa_put_aus(w, clip, frame, face, &a, &e), &e);
}

static void put_clip(struct fa_writer *w, unsigned clip, int argc, char **argv, const struct fa_csv *gold)
{
    const char *kind = word(argc, argv, "kind", "video"), *aus = word(argc, argv, "aus", "now");
    const int still = strcmp(kind, "still") == 0, late = strcmp(aus, "late") == 0, none = strcmp(aus, "none") == 0;
    const int faces = (int)count(argc, argv, "faces", 1), skip = still ? 2 : 5;
    const size_t frames = gold && !still ? gold->n_row : (size_t)count(argc, argv, "frames", still ? 1 : 3);
    struct fa_err e;
    char name[256], provenance[300];
    snprintf(name, sizeof name, "%s", word(argc, argv, "name", clip ? "in/clip1.mp4" : "in/clip0.mp4"));
    snprintf(provenance, sizeof provenance, "fa-decode version=0\nfa-landmarks version=0%s\n%s", faces > 1 && !still ? " multi_face=1" : "",
             none || count(argc, argv, "fa-aus", 1) == 0 ? "" : "fa-aus version=0\n");
    const struct fa_clip c = { .kind = still ? FA_CLIP_STILL : strcmp(kind, "sequence") == 0 ? FA_CLIP_SEQUENCE : FA_CLIP_VIDEO, .w = 640, .h = 480,
        .fps_num = 30, .fps_den = 1, .fx = 500, .fy = 500, .cx = 320, .cy = 240, .name = name, .provenance = provenance };
    must(fa_put_clip(w, clip, &c, &e), &e);
    for (int pass = 0; pass < 1 + late; pass++)
        for (size_t i = 0; i < frames; i++) {
            const double t = gold && !still ? gold->cell[i * (size_t)gold->n_col + 2] : (double)i / 30;
            const struct fa_frame f = { .w = 640, .h = 480, .t = t, .pts = (int64_t)i * 512 + 9, .tb_num = 1, .tb_den = 15360 };
            if (pass == 0)
                must(fa_put_frame(w, clip, i + 1, &f, &e), &e);
            for (int k = 0; k < faces; k++) {
                const size_t row = i * (size_t)faces + (size_t)k;
                const double *g = gold ? gold->cell + row * (size_t)gold->n_col : NULL;
                double v[709];
                values(v, gold, row, skip);
                if (pass == 0 && count(argc, argv, "skip", 0) != (long)i + 1)
                    put_marks(w, clip, i + 1, k, v, g ? g[still ? 1 : 3] : 0.975, g && !still ? g[4] != 0 : 1,
                              count(argc, argv, "modes", 1 << 30) <= (long)i + 1 ? M - 1 : M);
                if (!none && pass == late && count(argc, argv, "noaus", 0) != (long)i + 1)
                    put_aus(w, clip, i + 1, k, v);
            }
        }
    const struct fa_end end = { .status = (uint32_t)count(argc, argv, "status", 0), .n_frame = frames, .stage = "fa-decode", .words = word(argc, argv, "words", "") };
    must(fa_put_end(w, clip, &end, &e), &e);
}

static int make(int argc, char **argv)
{
    const char *gold_path = word(argc, argv, "gold", NULL);
    const long cut = count(argc, argv, "cut", 0);
    struct fa_csv gold = { 0 };
    struct fa_writer *w;
    struct fa_err e;
    FILE *whole = tmpfile();
    if (!whole)
        return 3;
    if (gold_path)
        must(fa_csv_read(&gold, gold_path, &e), &e);
    must(fa_writer_open(&w, fileno(whole), 0, &e), &e);
    for (unsigned clip = 0; clip < (unsigned)count(argc, argv, "clips", 1); clip++)
        put_clip(w, clip, argc, argv, gold_path ? &gold : NULL);
    must(fa_writer_close(w, &e), &e);
    long n = (long)lseek(fileno(whole), 0, SEEK_END) - cut;
    rewind(whole);
    for (; n > 0; n--)
        putchar(getc(whole));
    fa_csv_close(&gold);
    fclose(whole);
    return fclose(stdout) == 0 ? 0 : 3;
}

/* --- The tests -------------------------------------------------------------------------------------------------------- */

static void queue_gives_back_what_it_got_in_order(void)
{
    static unsigned char big[50000], want[50000];
    uint64_t put_seed = 7, get_seed = 7;
    struct fa_queue s;
    struct fa_err e = { 0 };
    size_t n_put = 0, n_get = 0;
    int was_in_file = 0;
    check_int("open", fa_queue_open(&s, &e), FA_OK);
    CHECK(fa_queue_empty(&s));
    while (n_get < 2000) {                      /* waves: fill far beyond one block, then drain, sometimes to the end */
        for (size_t i = 0; i < 120 && n_put < 2000; i++, n_put++) {
            size_t n = test_rand(&put_seed) % sizeof big;
            memset(big, (int)n_put, n);
            check_int("put", fa_queue_put(&s, &n_put, sizeof n_put, big, n, &e), FA_OK);
        }
        was_in_file |= s.spool.fd >= 0;
        for (size_t i = 0; i < (n_put % 240 ? 140 : 90) && n_get < n_put; i++, n_get++) {
            const void *fixed, *more;
            size_t n, number, m = test_rand(&get_seed) % sizeof big;
            check_int("get", fa_queue_get(&s, &fixed, &more, &n, &e), 1);
            memcpy(&number, fixed, sizeof number);
            memset(want, (int)number, m);
            CHECK(number == n_get && n == m && memcmp(more, want, n) == 0 && (uintptr_t)more % 64 == 0);
        }
    }
    CHECK(was_in_file);
    CHECK(fa_queue_empty(&s));
    const void *fixed, *more;
    size_t n;
    check_int("empty", fa_queue_get(&s, &fixed, &more, &n, &e), 0);
    fa_queue_close(&s);
}

static void queue_stays_in_memory_while_the_reader_keeps_up(void)
{
    struct fa_queue s;
    struct fa_err e = { 0 };
    const void *fixed, *more;
    char row[4000] = "";
    size_t n;
    check_int("open", fa_queue_open(&s, &e), FA_OK);
    for (int i = 0; i < 5000; i++) {
        check_int("put", fa_queue_put(&s, &i, sizeof i, row, sizeof row, &e), FA_OK);
        check_int("get", fa_queue_get(&s, &fixed, &more, &n, &e), 1);
    }
    check_int("no file", s.spool.fd, -1);
    fa_queue_close(&s);
}

static void frame_without_a_row_is_an_error_where_there_is_one_face(void)
{
    for (int gapless = 0; gapless < 2; gapless++) {
        struct fa_timeline l;
        struct fa_err e = { 0 };
        check_int("open", fa_timeline_open(&l, &e), FA_OK);
        for (uint64_t i = 1; i <= 5; i++)
            check_int("put", fa_timeline_put(&l, i, (double)i, 0, &e), FA_OK);
        check_int("first", fa_timeline_find(&l, 1, gapless, &e), FA_OK);
        check_int("again", fa_timeline_find(&l, 1, gapless, &e), FA_OK);
        check_int("next", fa_timeline_find(&l, 2, gapless, &e), FA_OK);
        check_int("over one", fa_timeline_find(&l, 4, gapless, &e), gapless ? FA_E_FORMAT : FA_OK);
        if (gapless)
            check_str("which", e.text, "frame 3: no LANDMARKS record");
        else
            check_int("back", fa_timeline_find(&l, 3, gapless, &e), FA_E_FORMAT);
        fa_timeline_close(&l);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return make(argc, argv);
    RUN(queue_gives_back_what_it_got_in_order);
    RUN(queue_stays_in_memory_while_the_reader_keeps_up);
    RUN(frame_without_a_row_is_an_error_where_there_is_one_face);
    return test_done();
}
