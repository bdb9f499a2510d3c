/* SPDX-License-Identifier: BSD-2-Clause
 * The whole action-unit chain on a clip: frames decoded by ffmpeg, landmarks from the gold with full decimals, aligned
 * faces, HOG file and the final values of the stage against the reference's files (README rows 33 to 38). The gold's landmarks
 * have six decimals, so a face may differ by a few grey levels and the values after it accordingly (spec/aus 10). */
#include "fa_test.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dump.h"
#include "fa_align.h"
#include "fa_au.h"
#include "fa_au_stage.h"
#include "fa_compare.h"
#include "fa_le.h"
#include "test_models.h"

enum { W = 640, H = 480, N = 68, NP = 80, FIRST = 20, FACE = 3 * FA_AU_SIDE * FA_AU_SIDE, BMP = 54 + FACE, HOG_RECORD = 16 + 4 * FA_N_HOG };
enum { MAX_FRAMES = 400 };

static uint8_t (*face)[FACE];                    /* aligned faces of the clip */
static int n_face;

static int temp_file(void)
{
    char path[] = "/tmp/fa-au.XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    return fd;
}

static void put_row(struct fa_writer *w, const struct fa_csv *csv, int i, struct fa_aligner *a, const struct fa_img8 *frame)
{
    struct fa_err e = { 0 };
    struct fa_crop crop;
    const double *row = csv->cell + (size_t)i * (size_t)csv->n_col;
    const int x0 = fa_csv_column(csv, "x_0"), y0 = fa_csv_column(csv, "y_0");
    float xy[2 * NP] = { 0 }, tight[2 * N], xyz[3 * N] = { 0 };
    for (int k = 0; k < N; k++) {
        tight[k] = xy[k] = (float)row[x0 + k];
        tight[N + k] = xy[NP + k] = (float)row[y0 + k];
    }
    const struct fa_frame bare = { .w = W, .h = H, .t = i, .name = "" };
    const struct fa_marks m = { .n = N, .success = 1, .accepted = 1, .xy = tight, .xyz = xyz };
    check_int("frame", fa_put_frame(w, 0, (uint64_t)i + 1, &bare, &e), FA_OK);
    check_int("marks", fa_put_marks(w, 0, (uint64_t)i + 1, 0, &m, &e), FA_OK);
    check_int("align", fa_align_crop(&crop, a, frame, xy, &e), FA_OK);
    check_int("crop", fa_put_crop(w, 0, (uint64_t)i + 1, 0, &crop, &e), FA_OK);
    memcpy(face[i], crop.px, FACE);
}

/* The stream that fa-landmarks would write if it found the gold's landmarks; rewound. 1 when the pixels could be had. */
static int make_stream(int fd, const struct fa_csv *csv, const struct fa_pack *pack)
{
    char cmd[1100];
    struct fa_err e = { 0 };
    struct fa_aligner a;
    struct fa_writer *w;
    static uint8_t px[W * H * 3];
    const struct fa_img8 frame = { px, 3 * W, W, H, 3 };
    const struct fa_clip clip = { .kind = FA_CLIP_VIDEO, .w = W, .h = H, .fps_num = 30, .fps_den = 1, .name = "default.wmv" };
    snprintf(cmd, sizeof cmd, "ffmpeg -nostdin -v quiet -i '%s' -vsync passthrough -f rawvideo -pix_fmt bgr24 -", shared_path("videos/default.wmv"));
    FILE *f = popen(cmd, "r");
    if (!f)
        return 0;
    check_int("open", fa_aligner_open(&a, pack, &e), FA_OK);
    check_int("open", fa_writer_open(&w, fd, 0, &e), FA_OK);
    check_int("clip", fa_put_clip(w, 0, &clip, &e), FA_OK);
    face = calloc(MAX_FRAMES, sizeof *face);
    int i = 0;
    for (; i < (int)csv->n_row && i < MAX_FRAMES && fread(px, 1, sizeof px, f) == sizeof px; i++)
        put_row(w, csv, i, &a, &frame);
    pclose(f);
    n_face = i;
    check_int("end", fa_put_end(w, 0, &(struct fa_end){ .n_frame = (uint64_t)i }, &e), FA_OK);
    check_int("close", fa_writer_close(w, &e), FA_OK);
    fa_aligner_close(&a);
    lseek(fd, 0, SEEK_SET);
    return i > 0;
}

/* Runs the stage over the stream in fd; the result, rewound. */
static int run_stage(int fd, const struct fa_pack *pack, const struct fa_au_options *opt)
{
    struct fa_au_stage *s;
    struct fa_reader *r;
    struct fa_writer *w;
    struct fa_err e = { 0 };
    int out = temp_file();
    lseek(fd, 0, SEEK_SET);
    check_int("stage", fa_au_stage_open(&s, pack, opt, &e), FA_OK);
    check_int("reader", fa_reader_open(&r, fd, "test", &e), FA_OK);
    check_int("writer", fa_writer_open(&w, out, 0, &e), FA_OK);
    const struct fa_stage stage = fa_au_stage(s);
    check_int("status", fa_stage_run(&stage, r, w, &e), 0);
    check_str("words", e.text, "");
    check_int("close", fa_writer_close(w, &e), FA_OK);
    fa_reader_close(r);
    fa_au_stage_close(s);
    lseek(out, 0, SEEK_SET);
    return out;
}

/* Largest difference of an intensity, and number of presences that differ, from the gold's columns; AUS must follow each frame's LANDMARKS. */
static void compare_values(int fd, const struct fa_csv *csv, double *worst, double *mean, int *flips)
{
    struct fa_reader *r;
    struct fa_rec rec;
    struct fa_err e = { 0 };
    double sum = 0;
    int n = 0, rows = 0;
    uint16_t before = 0;
    check_int("reader", fa_reader_open(&r, fd, "result", &e), FA_OK);
    *worst = *flips = 0;
    while (fa_reader_next(r, &rec, &e) == FA_OK) {
        if (rec.type == FA_REC_AUS) {
            struct fa_aus a;
            check_int("AUS", fa_get_aus(&a, &rec, &e), FA_OK);
            check_int("after LANDMARKS", before, FA_REC_LANDMARKS);
            const double *row = csv->cell + (rec.frame - 1) * (size_t)csv->n_col;
            for (int k = 0; k < a.n_r + a.n_c; k++) {
                char name[16];
                snprintf(name, sizeof name, "%s%s", k < a.n_r ? a.name_r[k] : a.name_c[k - a.n_r], k < a.n_r ? "_r" : "_c");
                int col = fa_csv_column(csv, name);
                CHECK(col >= 0);
                double diff = fabs((k < a.n_r ? a.r[k] : a.c[k - a.n_r]) - row[col]);
                if (k < a.n_r) {
                    *worst = fmax(*worst, diff);
                    sum += diff;
                    n++;
                } else {
                    *flips += diff > 0.5;
                }
            }
            rows++;
        }
        before = rec.type;
    }
    check_int("rows", rows, csv->n_row);
    *mean = sum / (n ? n : 1);
    fa_reader_close(r);
}

static struct fa_pack pack;
static struct fa_csv gold, gold_static;
static int stream_fd = -1;

static int ready(void)
{
    if (stream_fd < 0)
        test_skip("no clip, gold, models or ffmpeg");
    return stream_fd >= 0;
}

static void prepare(void)
{
    struct fa_err e;
    if (!shared_dir() || !test_model(&pack, "clnf") || fa_csv_read(&gold, shared_path("gold/default/clnf.hp.csv.zst"), &e) != FA_OK ||
        fa_csv_read(&gold_static, shared_path("gold/default/clnf_static.hp.csv.zst"), &e) != FA_OK)
        return;
    int fd = temp_file();
    if (make_stream(fd, &gold, &pack))
        stream_fd = fd;
    else
        close(fd);
}

static void whole_clip_values_match_the_gold(void)
{
    double worst, mean;
    int flips;
    if (!ready())
        return;
    int out = run_stage(stream_fd, &pack, &(struct fa_au_options){ .program = "test" });
    compare_values(out, &gold, &worst, &mean, &flips);
    test_note("largest difference of an intensity", worst, "");
    test_note("mean difference of intensities", mean, "");
    test_note("presences that differ", flips, "");
    check_near("intensity", worst, 0, 1e-3);
    check_near("mean", mean, 0, 1e-4);
    check_int("presences", flips, 0);
    close(out);
}

static void static_values_match_the_gold(void)
{
    double worst, mean;
    int flips;
    if (!ready())
        return;
    int out = run_stage(stream_fd, &pack, &(struct fa_au_options){ .program = "test", .static_set = 1 });
    compare_values(out, &gold_static, &worst, &mean, &flips);
    test_note("largest difference of an intensity", worst, "");
    test_note("presences that differ", flips, "");
    check_near("intensity", worst, 0, 1e-3);
    check_int("presences", flips, 0);
    close(out);
}

/* The first half of the clip alone gives the same records as far as it goes: nothing later was looked at. */
static void online_values_are_causal(void)
{
    if (!ready())
        return;
    int out[2], cut = temp_file();
    out[0] = run_stage(stream_fd, &pack, &(struct fa_au_options){ .program = "test", .online = 1 });
    struct fa_reader *r;
    struct fa_writer *w;
    struct fa_rec rec;
    struct fa_err e = { 0 };
    lseek(stream_fd, 0, SEEK_SET);
    fa_reader_open(&r, stream_fd, "test", &e);
    fa_writer_open(&w, cut, 0, &e);
    while (fa_reader_next(r, &rec, &e) == FA_OK && rec.frame <= 100)
        fa_put_rec(w, &rec, &e);
    fa_put_end(w, 0, &(struct fa_end){ .n_frame = 100 }, &e);
    fa_writer_close(w, &e);
    fa_reader_close(r);
    out[1] = run_stage(cut, &pack, &(struct fa_au_options){ .program = "test", .online = 1 });
    struct fa_reader *half, *full;
    struct fa_rec a, b;
    int n = 0;
    fa_reader_open(&full, out[0], "full", &e);
    fa_reader_open(&half, out[1], "half", &e);
    while (fa_reader_next(half, &a, &e) == FA_OK && a.type != FA_REC_END && fa_reader_next(full, &b, &e) == FA_OK) {
        CHECK(a.type == b.type && a.frame == b.frame && a.len == b.len);
        check_bytes("record", a.data, b.data, a.len);
        n += a.type == FA_REC_AUS;
    }
    check_int("frames", n, 100);
    fa_reader_close(half);
    fa_reader_close(full);
    close(out[0]);
    close(out[1]);
    close(cut);
}

/* A stream that kept its crops is input again, and the old values make way for the new ones. */
static void kept_crops_can_be_run_again(void)
{
    if (!ready())
        return;
    int once = run_stage(stream_fd, &pack, &(struct fa_au_options){ .program = "test", .keep_crops = 1 });
    int twice = run_stage(once, &pack, &(struct fa_au_options){ .program = "test", .keep_crops = 1 });
    struct fa_reader *r[2];
    struct fa_rec a, b;
    struct fa_err e = { 0 };
    int n = 0;
    lseek(once, 0, SEEK_SET);
    fa_reader_open(&r[0], once, "once", &e);
    fa_reader_open(&r[1], twice, "twice", &e);
    while (fa_reader_next(r[0], &a, &e) == FA_OK && fa_reader_next(r[1], &b, &e) == FA_OK) {
        CHECK(a.type == b.type && a.frame == b.frame);
        if (a.type != FA_REC_CLIP)                  /* the second run added its line there */
            CHECK(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
        n += a.type == FA_REC_AUS;
    }
    check_int("frames", n, n_face);
    for (int i = 0; i < 2; i++)
        fa_reader_close(r[i]);
    close(once);
    close(twice);
}

/* aligned.tar: ustar headers of 512 bytes, files padded to 512. */
static void aligned_pictures_match_the_gold(void)
{
    char *tar;
    size_t len;
    struct fa_err e;
    int n = 0, off_by_more = 0, differ = 0;
    if (!ready())
        return;
    if (fa_text_read(&tar, &len, shared_path("gold/default/first20/aligned.tar.zst"), 64u << 20, &e) != FA_OK) {
        test_skip("no gold");
        return;
    }
    for (size_t at = 0; at + 512 <= len && tar[at];) {
        size_t size = strtoul(tar + at + 124, NULL, 8);
        const char *digits = strstr(tar + at, "frame_det_00_");
        if (digits && size == BMP && at + 512 + size <= len) {
            int f = atoi(digits + 13) - 1;
            char path[] = "/tmp/fa-bmp.XXXXXX";
            close(mkstemp(path));
            check_int("write", fa_bmp_write(path, &(struct fa_img8){ face[f], 3 * FA_AU_SIDE, FA_AU_SIDE, FA_AU_SIDE, 3 }, &e), FA_OK);
            uint8_t got[BMP + 1];
            FILE *b = fopen(path, "rb");
            check_int("size", fread(got, 1, sizeof got, b), BMP);
            fclose(b);
            unlink(path);
            const uint8_t *want = (const uint8_t *)tar + at + 512;
            check_bytes("header", got, want, 54);
            for (int i = 54; i < BMP; i++) {
                differ += got[i] != want[i];
                off_by_more += abs(got[i] - want[i]) > 1;
            }
            n++;
        }
        at += 512 + (size + 511) / 512 * 512;
    }
    check_int("pictures", n, FIRST);
    test_note("bytes that differ by one, of 752640", differ, "");
    check_int("bytes that differ by more", off_by_more, 0);
    CHECK(differ < 100);
    free(tar);
}

static void hog_file_matches_the_gold(void)
{
    char *want, *got, path[] = "/tmp/fa-hog.XXXXXX";
    size_t len, got_len;
    struct fa_err e;
    int whole = 0;
    double worst = 0;
    if (!ready())
        return;
    if (fa_text_read(&want, &len, shared_path("gold/default/first20/default.hog.zst"), 64u << 20, &e) != FA_OK) {
        test_skip("no gold");
        return;
    }
    close(mkstemp(path));
    close(run_stage(stream_fd, &pack, &(struct fa_au_options){ .program = "test", .hog = path }));
    check_int("read", fa_text_read(&got, &got_len, path, 64u << 20, &e), FA_OK);
    check_int("gold's size", len, FIRST * HOG_RECORD);
    check_int("size", got_len, n_face * HOG_RECORD);
    for (int i = 0; i < FIRST; i++) {
        const char *a = got + i * HOG_RECORD, *b = want + i * HOG_RECORD;
        check_bytes("head", a, b, 16);
        whole += memcmp(a, b, HOG_RECORD) == 0;
        for (int k = 4; k < HOG_RECORD / 4; k++)
            worst = fmax(worst, fabs(fa_le_f32(a + 4 * k) - fa_le_f32(b + 4 * k)));
    }
    test_note("records equal in every bit, of 20", whole, "");
    test_note("largest difference of a feature", worst, "");
    CHECK(whole >= 15);
    check_near("feature", worst, 0, 0.03);
    free(want);
    free(got);
    unlink(path);
}

int main(void)
{
    prepare();
    RUN(whole_clip_values_match_the_gold);
    RUN(static_values_match_the_gold);
    RUN(online_values_are_causal);
    RUN(kept_crops_can_be_run_again);
    RUN(aligned_pictures_match_the_gold);
    RUN(hog_file_matches_the_gold);
    return test_done();
}
