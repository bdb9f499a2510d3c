/* SPDX-License-Identifier: BSD-2-Clause
 * The landmark stage with teams of 1, 2 and 8 threads, more than most machines that test have CPUs: detection, start rotations, tracked
 * frames, part models, and stills with all rotations give the same bytes. */
#include "fa_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_landmark_stage.h"
#include "test_models.h"

enum { VIDEO_FRAMES = 6 };

static int temp_file(void)
{
    char path[] = "/tmp/fa-threads.XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    return fd;
}

/* A video of the dumped frame, which drifts by two pixels a frame, and the same picture as a still. */
static int make_input(void)
{
    struct dump d;
    struct fa_err e = { 0 };
    struct fa_writer *w;
    if (!dump_open(&d, "default_wmv"))
        return -1;
    const struct dump_row *img = dump_find(&d, 0, "image.bgr", 1, NULL, -2, -2);
    const int height = img->dim[0], width = img->dim[1], fd = temp_file();
    const size_t size = (size_t)height * (size_t)width * 3;
    uint8_t *px = malloc(size);
    check_int("writer", fa_writer_open(&w, fd, 0, &e), FA_OK);
    for (uint32_t clip = 0; clip < 2; clip++) {
        const struct fa_clip c = { .kind = clip ? FA_CLIP_STILL : FA_CLIP_VIDEO, .w = width, .h = height, .fps_num = 30, .fps_den = 1, .fx = 500, .fy = 500,
                                   .cx = 320, .cy = 240, .name = "made.avi" };
        const uint64_t n = clip ? 1 : VIDEO_FRAMES;
        check_int("clip", fa_put_clip(w, clip, &c, &e), FA_OK);
        for (uint64_t f = 1; f <= n; f++) {
            const size_t shift = 6 * (size_t)(f - 1);
            memcpy(px, dump_u8(img) + shift, size - shift);
            memset(px + size - shift, 0, shift);
            check_int("frame", fa_put_frame(w, clip, f, &(struct fa_frame){ .w = width, .h = height, .format = FA_PIX_BGR24, .px = px, .name = "" }, &e), FA_OK);
        }
        check_int("end", fa_put_end(w, clip, &(struct fa_end){ .n_frame = n, .stage = "", .words = "" }, &e), FA_OK);
    }
    check_int("close", fa_writer_close(w, &e), FA_OK);
    free(px);
    dump_close(&d);
    return fd;
}

/* What the stage makes of the input; *len bytes, to be freed. */
static unsigned char *landmarks(const struct fa_pack *pack, int in, int threads, size_t *len)
{
    const struct fa_landmark_options o = { .program = "fa-landmarks", .fit = { .multi_view = 1 }, .threads = threads, .look = fa_align_look_default(), .progress_fd = -1 };
    struct fa_landmark_stage *l = NULL;
    struct fa_reader *r = NULL;
    struct fa_writer *w = NULL;
    struct fa_err e = { 0 };
    const int out = temp_file();
    CHECK(lseek(in, 0, SEEK_SET) == 0);
    CHECK(fa_landmark_stage_open(&l, pack, &o, &e) == FA_OK && fa_reader_open(&r, in, "made", &e) == FA_OK && fa_writer_open(&w, out, 0, &e) == FA_OK);
    const struct fa_stage stage = fa_landmark_stage(l);
    check_int("run", fa_stage_run(&stage, r, w, &e), 0);
    check_int("close", fa_writer_close(w, &e), FA_OK);
    fa_reader_close(r);
    fa_landmark_stage_close(l);
    *len = (size_t)lseek(out, 0, SEEK_END);
    unsigned char *bytes = malloc(*len + 1);
    if (!bytes || pread(out, bytes, *len, 0) != (ssize_t)*len)
        test_fail(__FILE__, __LINE__, "output cannot be read");
    close(out);
    return bytes;
}

static void same_bytes_with_any_team(const char *set)
{
    static const int threads[] = { 2, 8 };
    struct fa_pack pack;
    size_t n, len;
    const int in = test_model(&pack, set) ? make_input() : -1;
    if (in < 0) {
        test_skip("no models or dumps");
        return;
    }
    unsigned char *want = landmarks(&pack, in, 1, &n);
    CHECK(n > VIDEO_FRAMES * 10000);
    for (int i = 0; i < 2; i++) {
        unsigned char *got = landmarks(&pack, in, threads[i], &len);
        check_int("length", len, n);
        if (len == n)
            check_bytes("stream", got, want, n);
        free(got);
    }
    free(want);
    close(in);
    fa_pack_close(&pack);
}

static void ccnf_landmarks_are_the_same_with_1_2_and_8_threads(void) { same_bytes_with_any_team("clnf"); }
static void svr_landmarks_are_the_same_with_1_2_and_8_threads(void) { same_bytes_with_any_team("clm"); }

int main(void)
{
    RUN(ccnf_landmarks_are_the_same_with_1_2_and_8_threads);
    RUN(svr_landmarks_are_the_same_with_1_2_and_8_threads);
    return test_done();
}
