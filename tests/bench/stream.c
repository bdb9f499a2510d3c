/* SPDX-License-Identifier: BSD-2-Clause
 * bench: what a record costs a stage that only passes it on: read, both checks, decode, check again, write. Input from memory,
 * output to /dev/null, so the pipe itself is not in it. CPU time of this thread, best of several runs. Lines: name value unit. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fa_stream.h"

enum { N_FRAME = 60, RUNS = 5 };

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static int pass(void *self, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    (void)self;
    int code = fa_rec_check(rec, e);
    return code == FA_OK ? fa_put_rec(w, rec, e) : code;
}

/* A clip of frames with pixels, or of frames without but with landmarks and an aligned face each. */
static int make(int pixels, int level)
{
    static uint8_t px[640 * 480 * 3];
    static float v[1000];
    struct fa_err e;
    struct fa_writer *w;
    int fd = memfd_create("bench", 0), bad = fd < 0 || fa_writer_open(&w, fd, level, &e) != FA_OK;
    for (size_t i = 0; i < sizeof px; i++)
        px[i] = (uint8_t)(i * i >> 7);
    bad = bad || fa_put_clip(w, 0, &(struct fa_clip){ .w = 640, .h = 480, .name = "bench" }, &e) != FA_OK;
    for (uint64_t i = 1; i <= N_FRAME && !bad; i++) {
        struct fa_frame f = { .w = 640, .h = 480, .format = pixels ? FA_PIX_BGR24 : FA_PIX_NONE, .px = pixels ? px : NULL };
        struct fa_marks m = { .n = 68, .m = 34, .n_eye = 56, .local = v, .xy = v, .xyz = v, .eye_xy = v, .eye_xyz = v };
        struct fa_crop c = { .size = 112, .ch = 3, .valid = 1, .m = 34, .local = v, .px = px };
        bad = fa_put_frame(w, 0, i, &f, &e) != FA_OK;
        if (!pixels)
            bad = bad || fa_put_marks(w, 0, i, 0, &m, &e) != FA_OK || fa_put_crop(w, 0, i, 0, &c, &e) != FA_OK;
    }
    if (bad || fa_put_end(w, 0, &(struct fa_end){ .n_frame = N_FRAME }, &e) != FA_OK || fa_writer_close(w, &e) != FA_OK)
        abort();
    return fd;
}

static void bench(const char *name, int pixels, int level)
{
    struct fa_stage s = { "bench", NULL, pass, NULL };
    int in = make(pixels, level), out = open("/dev/null", O_WRONLY);
    double best = 1e30;
    for (int k = 0; k < RUNS; k++) {
        struct fa_reader *r;
        struct fa_writer *w;
        struct fa_err e;
        double t = cpu_us();
        if (lseek(in, 0, SEEK_SET) != 0 || fa_reader_open(&r, in, "bench", &e) != FA_OK || fa_writer_open(&w, out, 0, &e) != FA_OK ||
            fa_stage_run(&s, r, w, &e) != 0)
            abort();
        fa_writer_close(w, &e);
        fa_reader_close(r);
        t = cpu_us() - t;
        best = t < best ? t : best;
    }
    printf("%s %.1f us/frame\n", name, best / N_FRAME);
    close(in);
    close(out);
}

int main(void)
{
    bench("stream_pass_640x480", 1, 0);
    bench("stream_pass_640x480_zstd", 1, 1);
    bench("stream_pass_landmarks_crop", 0, 0);
    return 0;
}
