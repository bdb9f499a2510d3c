/* SPDX-License-Identifier: BSD-2-Clause
 * Streams for tests: made by the library's writer into a temporary file, held as bytes, read back from bytes. */
#ifndef STREAM_SAMPLE_H
#define STREAM_SAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_file.h"
#include "fa_stream.h"
#include "fa_test.h"

struct bytes { unsigned char *p; size_t n; };

static inline int tmp_fd(void)
{
    struct fa_err e;
    int fd = fa_tmpfile(&e);
    if (fd < 0)
        abort();
    return fd;
}

/* All of a temporary file; closes it. */
static inline struct bytes take_bytes(int fd)
{
    struct bytes b = { NULL, (size_t)lseek(fd, 0, SEEK_END) };
    b.p = malloc(b.n + 1);
    if (!b.p || lseek(fd, 0, SEEK_SET) != 0 || fa_read_full(fd, b.p, b.n) != (long long)b.n)
        abort();
    close(fd);
    return b;
}

static inline int fd_of(const void *p, size_t n)
{
    int fd = tmp_fd();
    if (fa_write_full(fd, p, n, NULL) != FA_OK || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

static inline struct fa_writer *open_writer(int fd, int level)
{
    struct fa_writer *w;
    struct fa_err e;
    if (fa_writer_open(&w, fd, level, &e) != FA_OK)
        abort();
    return w;
}

static inline struct fa_reader *open_reader(int fd)
{
    struct fa_reader *r;
    struct fa_err e;
    if (fa_reader_open(&r, fd, "x.fas", &e) != FA_OK)
        abort();
    return r;
}

/* Reads to the end and decodes everything: FA_EOF, or the code of the first failure. n: records that were whole. */
static inline int read_all(const void *p, size_t n, int *n_rec, struct fa_err *e)
{
    int fd = fd_of(p, n), code, records = 0;
    struct fa_reader *r = open_reader(fd);
    struct fa_rec rec;
    while ((code = fa_reader_next(r, &rec, e)) == FA_OK && (code = fa_rec_check(&rec, e)) == FA_OK)
        records++;
    fa_reader_close(r);
    close(fd);
    if (n_rec)
        *n_rec = records;
    return code;
}

/* Numbers for one face; every float is a short binary fraction, so that it prints short. */
static inline void sample_floats(float *v, size_t n, int seed)
{
    for (size_t i = 0; i < n; i++)
        v[i] = (float)((int)((i * 37 + (size_t)seed * 11) % 1024) - 512) / 8.0f;
}

/* One clip: n_frame frames of w x h pixels, face_n faces in each, with every type of record. w 0: frames without pixels, 4 x 4. */
static inline void put_sample_clip(struct fa_writer *w, uint32_t clip, int n_frame, int n_face, int side, int points, uint32_t status)
{
    static const char r_names[2][8] = { "AU01", "AU12" }, c_names[1][8] = { "AU45" };
    struct fa_err e = { 0 };
    float v[64 * 11];
    uint8_t px[16 * 16 * 3];
    struct fa_clip c = { .kind = FA_CLIP_VIDEO, .flags = FA_CLIP_VFR, .w = 4, .h = 4, .fps_num = 30000, .fps_den = 1001, .fx = 500, .fy = 500,
                         .cx = 2, .cy = 2, .rotation = 90, .n_frame = (uint64_t)n_frame, .name = clip ? "b c.mp4" : "a.mp4",
                         .provenance = "fa-decode version=0.1.0\n" };
    int bad = points > 64 || side > 16 || fa_put_clip(w, clip, &c, &e) != FA_OK;
    for (size_t i = 0; i < sizeof px; i++)
        px[i] = (uint8_t)(i * 7 + clip);
    for (int i = 1; i <= n_frame; i++) {
        struct fa_frame f = { .w = side ? side : 4, .h = side ? side : 4, .format = side ? FA_PIX_BGR24 : FA_PIX_NONE, .t = (i - 1) * 0.03125,
                              .pts = i * 1001, .tb_num = 1, .tb_den = 30000, .px = side ? px : NULL, .name = i == 1 ? "one.png" : "" };
        struct fa_face_box box[4] = { { 1, 2, 3, 4, 0.875f }, { 5.5f, 6, 7, 8, 0.75f } };
        struct fa_faces faces = { n_face < 4 ? n_face : 4, box };
        bad |= fa_put_frame(w, clip, (uint64_t)i, &f, &e) != FA_OK || fa_put_faces(w, clip, (uint64_t)i, &faces, &e) != FA_OK;
        for (int k = 0; k < n_face; k++) {
            size_t n = (size_t)points;
            sample_floats(v, sizeof v / sizeof *v, i + k);
            struct fa_marks m = { .n = points, .m = points / 2, .n_eye = points / 3, .success = 1, .accepted = (uint32_t)(i & 1), .failures = k,
                .certainty = 0.5f + (float)i / 64.0f, .likelihood = -1.25f, .global = { 2, 0.25f, -0.5f, 0, 10, 20 }, .pose = { 1, 2, 500, 0, 0.5f, 0 },
                .gaze = { { 0, 0, -1 }, { 0.5f, 0, -0.5f } }, .gaze_angle = { 0.125f, -0.125f }, .local = v, .xy = v + n, .xyz = v + 3 * n,
                .eye_xy = v + 6 * n, .eye_xyz = v + 8 * n };
            struct fa_crop crop = { .size = side ? side : 8, .ch = 3, .valid = side != 0, .scale = 0.75f, .warp = { 1, 0, 2, 0, 1, 3 },
                .global = { 1, 0, 0, 0, 3, 4 }, .m = points / 4, .local = v, .px = px };
            double d[3] = { 0.1, 2.5 + i, -1.0 / 3 };
            struct fa_aus a = { FA_AU_ONLINE, 2, 1, r_names, c_names, d, d + 2, d + 1 };
            bad |= fa_put_marks(w, clip, (uint64_t)i, k, &m, &e) != FA_OK || fa_put_crop(w, clip, (uint64_t)i, k, &crop, &e) != FA_OK ||
                   fa_put_aus(w, clip, (uint64_t)i, k, &a, &e) != FA_OK;
        }
    }
    struct fa_end end = { status, fa_writer_frames(w), status ? "fa-detect" : "", status ? "no \"face\" model" : "" };
    bad |= fa_put_end(w, clip, &end, &e) != FA_OK;
    if (bad) {
        fprintf(stderr, "sample stream: %s\n", e.text);
        abort();
    }
}

/* n_clip clips of two frames and two faces each. */
static inline struct bytes sample_stream(int n_clip, int level, int side, int points)
{
    struct fa_err e;
    int fd = tmp_fd();
    struct fa_writer *w = open_writer(fd, level);
    for (int i = 0; i < n_clip; i++)
        put_sample_clip(w, (uint32_t)i, 2, 2, side, points, 0);
    if (fa_writer_close(w, &e) != FA_OK)
        abort();
    return take_bytes(fd);
}

#endif
