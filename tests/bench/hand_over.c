/* SPDX-License-Identifier: BSD-2-Clause
 * bench: what it costs to move frames from one program to the next and the next: three processes that do nothing else, a source, a filter
 * that passes everything on, and a last reader; pixels are neither made nor looked at. Inline and by reference, by turns, the median of
 * several rounds. CPU time is user plus system time of each process, without its start. Lines: name value unit.
 * usage: hand_over [WIDTH HEIGHT]     (1920 1080) */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fa_ring.h"

enum { N_FRAME = 300, ROUNDS = 7, N_PART = 3 };
static const char *const part_name[N_PART] = { "source", "filter", "reader" };
static int w = 1920, h = 1080;

static double cpu_ms(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return 1e3 * (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-3 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void must(int code, const struct fa_err *e)
{
    if (code >= 0)
        return;
    fprintf(stderr, "hand_over: %s\n", e->text);
    _exit(1);
}

/* Frames first .. first + n - 1. Slots are touched once before, so that taking memory from the system is not in the figure. */
static void send_frames(struct fa_writer *out, struct fa_ring *ring, const uint8_t *px, uint64_t first, uint64_t n)
{
    struct fa_err e;
    for (uint64_t i = first; i < first + n; i++) {
        struct fa_frame f = { .w = w, .h = h, .format = FA_PIX_BGR24, .px = px };
        uint8_t *slot;
        if (ring) {
            must(fa_ring_slot(ring, (size_t)w * (size_t)h * 3, &slot, &e), &e);
            f.px = slot;
            if (i <= 16)
                memset(slot, (int)i, (size_t)w * (size_t)h * 3);
            must(fa_ring_put(ring, 0, i, &f, &e), &e);
        } else {
            must(fa_put_frame(out, 0, i, &f, &e), &e);
        }
    }
}

static void source(int out_fd, int by_ref, double *ms)
{
    struct fa_writer *out;
    struct fa_ring *ring = NULL;
    struct fa_err e;
    uint8_t *px = malloc((size_t)w * (size_t)h * 3);
    if (!px)
        _exit(1);
    memset(px, 7, (size_t)w * (size_t)h * 3);
    must(fa_writer_open(&out, out_fd, 0, &e), &e);
    if (by_ref)
        must(fa_ring_open(&ring, out, &e), &e);
    must(fa_put_clip(out, 0, &(struct fa_clip){ .w = w, .h = h, .name = "bench" }, &e), &e);
    send_frames(out, ring, px, 1, 16);
    *ms = cpu_ms();
    send_frames(out, ring, px, 17, N_FRAME);
    must(fa_put_end(out, 0, &(struct fa_end){ .n_frame = N_FRAME + 16 }, &e), &e);
    must(fa_ring_close(ring, &e), &e);
    *ms = cpu_ms() - *ms;
    fa_writer_close(out, NULL);
}

static int pass(void *self, struct fa_writer *out, const struct fa_rec *rec, struct fa_err *e)
{
    if (rec->frame == 17)
        *(double *)self = cpu_ms();
    return fa_put_rec(out, rec, e);
}

static void filter(int in_fd, int out_fd, double *ms)
{
    struct fa_stage s = { "bench", ms, pass, NULL };
    struct fa_reader *in;
    struct fa_writer *out;
    struct fa_err e;
    must(fa_reader_open(&in, in_fd, "-", &e), &e);
    must(fa_writer_open(&out, out_fd, 0, &e), &e);
    if (fa_stage_run(&s, in, out, &e) != 0)
        must(-1, &e);
    *ms = cpu_ms() - *ms;
    fa_writer_close(out, NULL);
    fa_reader_close(in);
}

static void reader(int in_fd, double *ms)
{
    struct fa_reader *in;
    struct fa_rec rec;
    struct fa_frame f;
    struct fa_err e;
    int code;
    must(fa_reader_open(&in, in_fd, "-", &e), &e);
    while ((code = fa_reader_next(in, &rec, &e)) == FA_OK) {
        if (rec.frame == 17)
            *ms = cpu_ms();
        if (rec.type == FA_REC_FRAME)
            must(fa_get_frame(&f, &rec, &e), &e);
    }
    must(code, &e);
    *ms = cpu_ms() - *ms;
    fa_reader_close(in);
}

/* ms[3]: CPU time of each for all frames. */
static void run(double *ms, int by_ref)
{
    int p[2][2], st = 0, bad = 0;
    if (pipe(p[0]) != 0 || pipe(p[1]) != 0)
        exit(1);
    for (int i = 0; i < N_PART; i++) {
        pid_t pid = fork();
        if (pid < 0)
            exit(1);
        if (pid > 0)
            continue;
        signal(SIGPIPE, SIG_IGN);
        for (int k = 0; k < 4; k++)                /* each keeps its own ends only */
            if (!((i == 0 && k == 1) || (i == 1 && (k == 0 || k == 3)) || (i == 2 && k == 2)))
                close(p[k / 2][k % 2]);
        if (i == 0)
            source(p[0][1], by_ref, &ms[0]);
        else if (i == 1)
            filter(p[0][0], p[1][1], &ms[1]);
        else
            reader(p[1][0], &ms[2]);
        _exit(0);
    }
    for (int k = 0; k < 4; k++)
        close(p[k / 2][k % 2]);
    while (wait(&st) > 0 || errno == EINTR)
        bad |= st;
    if (bad)
        exit(1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static double got[2][N_PART + 1][ROUNDS];
    double *ms = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (argc == 3) {
        w = atoi(argv[1]);
        h = atoi(argv[2]);
    }
    if (ms == MAP_FAILED || w < 1 || h < 1 || w > FA_MAX_SIDE || h > FA_MAX_SIDE)
        return 2;
    for (int round = 0; round < ROUNDS; round++)
        for (int by_ref = 0; by_ref < 2; by_ref++) {
            run(ms, by_ref);
            for (int i = 0; i < N_PART; i++) {
                got[by_ref][i][round] = ms[i] / N_FRAME;
                got[by_ref][N_PART][round] += ms[i] / N_FRAME;
            }
        }
    for (int by_ref = 0; by_ref < 2; by_ref++)
        for (int i = 0; i <= N_PART; i++) {
            qsort(got[by_ref][i], ROUNDS, sizeof(double), by_value);
            printf("hand_over_%dx%d_%s_%s %.4f ms/frame\n", w, h, by_ref ? "reference" : "inline", i < N_PART ? part_name[i] : "all", got[by_ref][i][ROUNDS / 2]);
        }
    return 0;
}
