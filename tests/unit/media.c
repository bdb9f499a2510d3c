/* SPDX-License-Identifier: BSD-2-Clause
 * media: the readers of what ffprobe, ffmpeg and picture files say; 16-bit pictures; times; sequences of unlike pictures. Inputs are
 * made by ffmpeg's own test sources; without ffmpeg those tests skip. */
#include "fa_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_child.h"
#include "fa_file.h"
#include "fa_media.h"
#include "media_internal.h"

/* Header of a JPEG: SOI, EXIF with an orientation (0: none), SOF0 of w x h with n components. Returns its length. */
static size_t make_jpeg(unsigned char *b, int orientation, int big, int w, int h, int n)
{
    static const unsigned char le[] = { 0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', '*', 0, 8, 0, 0, 0,
                                        1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    static const unsigned char be[] = { 0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, '*', 0, 0, 0, 8,
                                        0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
    const unsigned char sof[] = { 0xff, 0xff, 0xc0, 0, 11, 8, (unsigned char)(h >> 8), (unsigned char)h,
                                  (unsigned char)(w >> 8), (unsigned char)w, (unsigned char)n, 1, 0x11, 0 };
    size_t at = 2;
    memcpy(b, "\xff\xd8", 2);
    if (orientation) {
        memcpy(b + at, big ? be : le, sizeof le);
        b[at + (big ? 29 : 28)] = (unsigned char)orientation;
        at += sizeof le;
    }
    memcpy(b + at, sof, sizeof sof);
    return at + sizeof sof;
}

static void picture_headers_give_size_depth_and_orientation(void)
{
    unsigned char b[128] = { 0 };
    for (int o = 0; o <= 8; o++)
        for (int big = 0; big < 2; big++) {
            size_t n = make_jpeg(b, o, big, 640, 481, o % 2 ? 1 : 3);
            struct fa_picture p = fa_picture_header(b, n);
            check_int("jpeg", p.format, FA_PIC_JPEG);
            check_int("w", p.w, 640);
            check_int("h", p.h, 481);
            check_int("gray", p.gray, o % 2);
            check_int("orientation", p.orientation, o ? o : 1);
        }
    static const unsigned char png[26] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R',
                                           0, 0, 1, 2, 0, 0, 0, 7, 16, 4 };
    struct fa_picture p = fa_picture_header(png, sizeof png);
    CHECK(p.format == FA_PIC_PNG && p.w == 258 && p.h == 7 && p.deep && p.gray);
    unsigned char bmp[26] = { 'B', 'M' };
    bmp[14] = 40;
    bmp[18] = 5;
    memset(bmp + 22, 0xff, 4);              /* height -1: one row, top down */
    p = fa_picture_header(bmp, sizeof bmp);
    CHECK(p.format == FA_PIC_BMP && p.w == 5 && p.h == 1 && !p.deep);
    check_int("text", fa_picture_header((const unsigned char *)"hello", 5).format, FA_PIC_OTHER);
}

static void cut_or_flipped_picture_headers_are_no_pictures(void)
{
    unsigned char b[128], c[128];
    size_t n = make_jpeg(b, 6, 0, 640, 480, 3);
    for (size_t cut = 0; cut < n; cut++) {
        unsigned char *exact = malloc(cut + 1);
        if (!exact)
            abort();
        memcpy(exact, b, cut);
        struct fa_picture p = fa_picture_header(exact, cut);
        check_int("cut", p.format, FA_PIC_OTHER);
        free(exact);
    }
    for (size_t i = 0; i < n * 8; i++) {
        memcpy(c, b, n);
        c[i / 8] ^= (unsigned char)(1 << i % 8);
        struct fa_picture p = fa_picture_header(c, n);
        CHECK(p.orientation >= 1 && p.orientation <= 8 && (p.format == FA_PIC_OTHER || (p.w >= 1 && p.h >= 1)));
    }
}

static void probe_text_is_understood(void)
{
    static const char text[] =
        "program_version.version=\"5.1.9\"\n"
        "frames.frame.0.stream_index=1\nframes.frame.0.best_effort_timestamp=9\nframes.frame.0.width=480\nframes.frame.0.height=640\n"
        "streams.stream.0.index=1\nstreams.stream.0.width=481\nstreams.stream.0.height=641\nstreams.stream.0.pix_fmt=\"yuv420p\"\n"
        "streams.stream.0.r_frame_rate=\"15/1\"\nstreams.stream.0.avg_frame_rate=\"1350/113\"\nstreams.stream.0.time_base=\"1/1000\"\n"
        "streams.stream.0.start_pts=7\nstreams.stream.0.nb_frames=\"N/A\"\nstreams.stream.0.disposition.default=0\n"
        "streams.stream.0.side_data_list.side_data.0.rotation=-90\nformat.format_name=\"asf\"\nformat.start_time=\"0.002000\"\n";
    struct fa_probe p;
    struct fa_err e;
    check_int("parse", fa_probe_parse(&p, text, 1, &e), FA_OK);
    CHECK(p.stream == 1 && p.w == 640 && p.h == 480 && p.rotation == 90);
    CHECK(p.fps_num == 1350 && p.fps_den == 113 && p.n_frame == 0);
    CHECK(p.tb_num == 1 && p.tb_den == 1000 && p.first_pts == 7);
    check_str("version", p.version, "5.1.9");
    check_int("as stored", fa_probe_parse(&p, text, 0, &e), FA_OK);
    CHECK(p.w == 480 && p.h == 640 && p.rotation == 0);

#define S0 "streams.stream.0."
    static const struct { const char *why, *text; int code; } t[] = {
        { "nothing", "", FA_E_INPUT },
        { "no size", S0 "index=0\n", FA_E_INPUT },
        { "too large", S0 "index=0\n" S0 "width=16385\n" S0 "height=4\n", FA_E_INPUT },
        { "overflow", S0 "index=0\n" S0 "width=99999999999999999999\n" S0 "height=4\n", FA_E_INPUT },
        { "largest", S0 "index=0\n" S0 "width=16384\n" S0 "height=16384\n", FA_OK },
        { "text art", S0 "index=0\n" S0 "width=640\n" S0 "height=4\nformat.format_name=\"tty\"\n", FA_E_INPUT },
        { "rate 0/0", S0 "index=0\n" S0 "width=64\n" S0 "height=4\n" S0 "avg_frame_rate=\"0/0\"\n", FA_OK },
    };
#undef S0
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        check_int(t[i].why, fa_probe_parse(&p, t[i].text, 1, &e), t[i].code);
    CHECK(p.fps_den == 0 && p.tb_num == 0);
}

static void default_stream_wins_over_the_first(void)
{
    struct fa_probe p;
    struct fa_err e;
    check_int("parse", fa_probe_parse(&p, "streams.stream.0.index=0\nstreams.stream.0.width=64\nstreams.stream.0.height=4\n"
        "streams.stream.1.index=3\nstreams.stream.1.width=32\nstreams.stream.1.height=8\nstreams.stream.1.disposition.default=1\n"
        "frames.frame.0.stream_index=0\nframes.frame.0.width=64\n", 1, &e), FA_OK);
    CHECK(p.stream == 3 && p.w == 32 && p.h == 8);
}

static void times_survive_any_cutting_of_their_lines(void)
{
    static const char text[] = "frame:0    pts:9       pts_time:0.009\nfa=1\nframe:1    pts:NOPTS   pts_time:NOPTS\nfa=1\n"
                               "frame:2    pts:-25     pts_time:-1\nfa=1\nframe:3    pts:99999999999999999999 pts_time:1\n";
    struct fa_times *t = calloc(1, sizeof *t);
    struct fa_time v;
    if (!t)
        abort();
    for (size_t step = 1; step < sizeof text; step++) {
        for (size_t at = 0; at < sizeof text - 1; at += step)
            fa_times_feed(t, text + at, step < sizeof text - 1 - at ? step : sizeof text - 1 - at);
        check_int("waiting", t->n, 4);
        CHECK(fa_times_take(t, &v) && v.pts == 9 && v.s == 0.009);
        CHECK(fa_times_take(t, &v) && v.pts == FA_NOPTS);
        CHECK(fa_times_take(t, &v) && v.pts == -25 && v.s == -1);
        CHECK(fa_times_take(t, &v) && v.pts == FA_NOPTS);
        CHECK(!fa_times_take(t, &v));
    }
    while (fa_times_room(t, 4096))
        for (int i = 0; i < 100; i++)
            fa_times_feed(t, "frame:0 pts:0 pts_time:0\n", 25);
    CHECK(t->n <= FA_TIMES_CAP && t->n > 11000);
    free(t);
}

static void words_are_short_and_without_addresses(void)
{
    struct fa_words w = { .len = 0 };
    char out[400];
    const char *text = "[h264 @ 0x5581c0f2] bad\x1b thing\n    Last message repeated 3 times\n\nConversion failed!\n";
    fa_words_feed(&w, text, strlen(text), 7);
    fa_words_text(&w, out, sizeof out);
    check_str("one line", out, "h264: bad? thing");
    check_int("frame", w.frame, 7);
    fa_words_feed(&w, "worse", 5, 9);
    fa_words_text(&w, out, sizeof out);
    check_str("two lines", out, "h264: bad? thing (last of 2 lines: worse)");
    check_int("frame of the first", w.frame, 7);
    for (int i = 0; i < 100000; i++)
        fa_words_feed(&w, "x[", 2, 9);
    fa_words_text(&w, out, 20);
    CHECK(strlen(out) == 19);
}

static void patterns_are_told_from_names(void)
{
    static const struct { const char *name; int want; } t[] = { { "a%d.png", 1 }, { "a%04d.png", 1 }, { "a%4d.png", 0 },
        { "100%.mp4", 0 }, { "%d%d", 0 }, { "%s", 0 }, { "%%d", 0 }, { "a.png", 0 }, { "%0d", 0 }, { "%n", 0 }, { "%*d", 0 }, { "%00004d", 0 } };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        check_int(t[i].name, fa_is_pattern(t[i].name), t[i].want);
}

/* --- With ffmpeg ------------------------------------------------------------------------------------------------------------- */

static char tmp[64];

static const char *in_tmp(const char *name)
{
    static char buf[8][256];
    static int k;
    char *p = buf[k++ % 8];
    snprintf(p, sizeof buf[0], "%s/%s", tmp, name);
    return p;
}

/* sh -c with the temporary folder as $T. 1 when it succeeded. */
static int shell(const char *script)
{
    char *argv[] = { "sh", "-c", (char *)script, NULL };
    int st = -1;
    char *err = NULL;
    setenv("T", tmp, 1);
    char *out = fa_child_output(argv, 1 << 16, &st, &err, NULL);
    if (!out || st != 0)
        test_fail(__FILE__, __LINE__, "%s: status %d: %s", script, st, err ? err : "");
    free(out);
    free(err);
    return out && st == 0;
}

static int no_ffmpeg(void)
{
    char *argv[] = { "ffmpeg", "-version", NULL };
    int st = -1;
    char *out = fa_child_output(argv, 1 << 16, &st, NULL, NULL);
    free(out);
    if (!out)
        test_skip("no ffmpeg");
    return !out;
}

static struct fa_media *open_or_fail(const char *input, const struct fa_media_options *o)
{
    struct fa_media *m = NULL;
    struct fa_err e = { 0 };
    if (fa_media_open(&m, input, o, &e) != FA_OK)
        test_fail(__FILE__, __LINE__, "%s: %s", input, e.text);
    return m;
}

static void sixteen_bit_pictures_give_their_high_bytes(void)
{
    enum { W = 37, H = 23 };
    static const struct { const char *pix; int ch, order[3]; } t[] = { { "rgb48be", 3, { 2, 1, 0 } }, { "rgba64be", 4, { 2, 1, 0 } },
        { "gray16be", 1, { 0, 0, 0 } }, { "ya16be", 2, { 0, 0, 0 } } };
    struct fa_media_options o = { 0 };
    if (no_ffmpeg())
        return;
    for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
        uint64_t seed = 16 + k;
        char cmd[512];
        size_t n = (size_t)W * H * 2 * (size_t)t[k].ch;
        unsigned char *raw = malloc(n);
        FILE *f = fopen(in_tmp("raw"), "wb");
        if (!raw || !f)
            abort();
        for (size_t i = 0; i < n; i++)
            raw[i] = (unsigned char)test_rand(&seed);
        fwrite(raw, 1, n, f);
        fclose(f);
        snprintf(cmd, sizeof cmd, "rm -rf $T/s16; mkdir $T/s16; "
                 "ffmpeg -nostdin -v error -y -f rawvideo -pix_fmt %s -s 37x23 -i $T/raw $T/s16/a.png", t[k].pix);
        if (!shell(cmd)) {
            free(raw);
            continue;
        }
        for (int folder = 0; folder < 2; folder++) {
            struct fa_media *m = open_or_fail(in_tmp(folder ? "s16" : "s16/a.png"), &o);
            struct fa_media_frame fr;
            size_t bad = 0;
            if (!m)
                continue;
            check_int("kind", fa_media_info(m)->kind, folder ? FA_MEDIA_SEQUENCE : FA_MEDIA_STILL);
            check_int("frame", fa_media_next(m, &fr, NULL), FA_OK);
            for (size_t p = 0; p < (size_t)W * H; p++)
                for (int c = 0; c < 3; c++)
                    bad += fr.px[3 * p + (size_t)c] != raw[2 * (p * (size_t)t[k].ch + (size_t)t[k].order[c])];
            check_int(t[k].pix, bad, 0);
            check_int("end", fa_media_next(m, &fr, NULL), FA_EOF);
            fa_media_close(m);
        }
        free(raw);
    }
}

/* Frames at 0, 1/30, 2/30, then 1 s apart: the times must say so; with a start they count from the clip's first frame all the same. */
static void times_are_presentation_times(void)
{
    if (no_ffmpeg() || !shell("ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=s=64x48:r=30:d=1 "
                              "-vf \"trim=end_frame=6,settb=1/90000,setpts='(5+if(lt(N,3),N/30,N-2))/TB'\" -c:v ffv1 -vsync passthrough -enc_time_base 1:90000 $T/vfr.mkv"))
        return;
    static const double want[] = { 0, 1.0 / 30, 2.0 / 30, 1, 2, 3 };
    struct fa_media_frame f;
    for (int start = 0; start < 3; start++) {
        struct fa_media_options o = { .start = start == 2 ? 1.5 : 0, .cfr = start == 1 };
        struct fa_media *m = open_or_fail(in_tmp("vfr.mkv"), &o);
        int n = start == 2 ? 4 : 0, first = n;
        if (!m)
            return;
        const struct fa_media_info *i = fa_media_info(m);
        check_int("true", i->true_times, start != 1);
        while (fa_media_next(m, &f, NULL) == FA_OK && n < 6) {
            double cfr = (double)n * (1.0 / ((double)i->fps_num / i->fps_den));
            check_near("t", f.t, start == 1 ? cfr : want[n], start == 1 ? 0 : 0.0011);    /* matroska: milliseconds */
            CHECK(f.pts != INT64_MIN);
            n++;
        }
        check_int("frames", n - first, 6 - first);
        fa_media_close(m);
    }
}

static void unlike_pictures_of_a_folder_come_in_order(void)
{
    static const struct { const char *name; int w, h; } want[] = { { "01.png", 64, 48 }, { "02.png", 64, 48 },
        { "03.jpg", 64, 48 }, { "04.bmp", 32, 24 }, { "05 % '{.png", 64, 48 }, { "06.png", 7, 5 }, { "10.png", 64, 48 }, { "9.png", 64, 48 } };
    struct fa_media_options o = { 0 };
    struct fa_media_frame f;
    if (no_ffmpeg() || !shell("set -e; mkdir -p $T/f; cd $T/f\n"
                              "g() { ffmpeg -nostdin -v error -y -f lavfi -i $3=s=$2 -frames:v 1 -update 1 file:\"$1\"; }\n"
                              "g 01.png 64x48 testsrc2; g 03.jpg 64x48 testsrc2; g 04.bmp 32x24 testsrc2; g 06.png 7x5 testsrc\n"
                              "for n in 02.png \"05 % '{.png\" 10.png 9.png 00.PNG x.gif; do cp 01.png \"$n\"; done"))
        return;
    struct fa_media *m = open_or_fail(in_tmp("f"), &o);
    if (!m)
        return;
    check_int("kind", fa_media_info(m)->kind, FA_MEDIA_SEQUENCE);
    check_int("promised", fa_media_info(m)->n_frame, 8);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        check_int("next", fa_media_next(m, &f, NULL), FA_OK);
        check_str("name", f.name, want[i].name);
        check_int("w", f.w, want[i].w);
        check_int("h", f.h, want[i].h);
        CHECK(f.t == 0 && f.pts == INT64_MIN);
    }
    check_int("end", fa_media_next(m, &f, NULL), FA_EOF);
    check_int("end again", fa_media_next(m, &f, NULL), FA_EOF);
    fa_media_close(m);
}

static void an_undecodable_picture_ends_the_sequence(void)
{
    struct fa_media_options o = { 0 };
    struct fa_media_frame f;
    struct fa_err e;
    if (no_ffmpeg() || !shell("set -e; mkdir -p $T/b; cd $T/b; ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=s=64x48 -frames:v 5 %d.png\n"
                              "head -c 60 3.png >x; mv x 3.png"))
        return;
    struct fa_media *m = open_or_fail(in_tmp("b"), &o);
    if (!m)
        return;
    check_int("1", fa_media_next(m, &f, &e), FA_OK);
    check_int("2", fa_media_next(m, &f, &e), FA_OK);
    check_int("3", fa_media_next(m, &f, &e), FA_E_INPUT);
    CHECK(strncmp(e.text, "frame 3: 3.png: cannot be decoded", 33) == 0);
    check_int("stays", fa_media_next(m, &f, &e), FA_E_INPUT);
    fa_media_close(m);
}

/* 3 bytes a frame: far more frames fit into ffmpeg's buffers than times into a pipe. */
static void tiny_frames_do_not_deadlock(void)
{
    struct fa_media_options o = { 0 };
    struct fa_media_frame f;
    if (no_ffmpeg() || !shell("ffmpeg -nostdin -v error -y -f lavfi -i testsrc=s=1x1:r=1000:d=15 -c:v rawvideo -pix_fmt bgr24 $T/tiny.avi"))
        return;
    struct fa_media *m = open_or_fail(in_tmp("tiny.avi"), &o);
    int n = 0, r;
    if (!m)
        return;
    while ((r = fa_media_next(m, &f, NULL)) == FA_OK)
        check_near("t", f.t, 0.001 * n++, 1e-9);
    check_int("end", r, FA_EOF);
    check_int("frames", n, 15000);
    fa_media_close(m);
}

static void camera_is_given_whole_or_defaulted(void)
{
    static const struct fa_media_options bad[] = { { .fx = 500 }, { .fy = 500 }, { .cx = 5 }, { .start = -1 }, { .duration = NAN } };
    struct fa_media *m;
    struct fa_err e;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_int("bad", fa_media_open(&m, "none", &bad[i], &e), FA_E_ARG);
    check_int("missing", fa_media_open(&m, "none", &(struct fa_media_options){ .fx = 1, .fy = 1 }, &e), FA_E_INPUT);
    CHECK(m == NULL);
}

int main(void)
{
    snprintf(tmp, sizeof tmp, "%s", "/tmp/fa-media.XXXXXX");
    if (!mkdtemp(tmp))
        return 1;
    RUN(picture_headers_give_size_depth_and_orientation);
    RUN(cut_or_flipped_picture_headers_are_no_pictures);
    RUN(probe_text_is_understood);
    RUN(default_stream_wins_over_the_first);
    RUN(times_survive_any_cutting_of_their_lines);
    RUN(words_are_short_and_without_addresses);
    RUN(patterns_are_told_from_names);
    RUN(sixteen_bit_pictures_give_their_high_bytes);
    RUN(times_are_presentation_times);
    RUN(unlike_pictures_of_a_folder_come_in_order);
    RUN(an_undecodable_picture_ends_the_sequence);
    RUN(tiny_frames_do_not_deadlock);
    RUN(camera_is_given_whole_or_defaulted);
    shell("rm -rf $T");
    return test_done();
}
