/* SPDX-License-Identifier: BSD-2-Clause
 * stream: what goes in comes out, for every record type, plain and compressed; the writer's refusals and failures.
 * `stream --seeds DIR` writes the fuzzer's seeds (tests/fuzz/corpus/stream); a test holds them against the writer. */
#include "stream_sample.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "fa_le.h"
#include "ring_internal.h"
#include "stream_internal.h"

enum { N_MAX = 200 };

/* Random bits: NaN, infinities and denormals too. */
static void random_bits(void *p, size_t n, uint64_t *seed)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)p)[i] = (uint8_t)test_rand(seed);
}

static char *random_text(size_t n, uint64_t *seed)
{
    char *s = malloc(n + 1);
    if (!s)
        abort();
    for (size_t i = 0; i < n; i++)
        s[i] = (char)(1 + test_rand(seed) % 255);
    s[n] = '\0';
    return s;
}

/* A stream of one record (between CLIP and END, FRAME 7 before it where its type needs one) and its reader. */
struct trip { int fd; struct fa_writer *w; struct fa_reader *r; struct fa_err e; struct fa_rec rec; };

static void trip_begin(struct trip *t, int level, int frame)
{
    struct fa_clip c = { .name = "trip" };
    struct fa_frame f = { .w = 1, .h = 1 };
    *t = (struct trip){ .fd = tmp_fd() };
    t->w = open_writer(t->fd, level);
    check_int("clip", fa_put_clip(t->w, 3, &c, &t->e), FA_OK);
    if (frame)
        check_int("frame", fa_put_frame(t->w, 3, 7, &f, &t->e), FA_OK);
}

static void trip_turn(struct trip *t, int frame)
{
    struct fa_end end = { .n_frame = 1 };
    check_int("end", fa_put_end(t->w, 3, &end, &t->e), FA_OK);
    check_int("close", fa_writer_close(t->w, &t->e), FA_OK);
    lseek(t->fd, 0, SEEK_SET);
    t->r = open_reader(t->fd);
    for (int i = 0; i < (frame ? 3 : 2); i++)
        check_int("next", fa_reader_next(t->r, &t->rec, &t->e), FA_OK);
    CHECK((uintptr_t)t->rec.data % 64 == 0);
    check_int("clip", t->rec.clip, 3);
}

static void trip_end(struct trip *t)
{
    check_int("END", fa_reader_next(t->r, &t->rec, &t->e), FA_OK);
    check_int("type", t->rec.type, FA_REC_END);
    check_int("end of input", fa_reader_next(t->r, &t->rec, &t->e), FA_EOF);
    check_int("and again", fa_reader_next(t->r, &t->rec, &t->e), FA_EOF);
    fa_reader_close(t->r);
    close(t->fd);
}

static void a_clip_comes_back_with_its_texts_and_a_stage_appends_a_line(void)
{
    uint64_t seed = 11;
    static const size_t sizes[] = { 0, 1, 62, 63, 64, 65, 1000, 70000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *name = random_text(sizes[i], &seed), *prov = random_text(sizes[i] / 2, &seed);
        struct fa_clip c, d, in = { .kind = FA_CLIP_STILL, .flags = FA_CLIP_COLOR_TAG, .w = FA_MAX_SIDE, .h = 17, .fps_num = 30000, .fps_den = 1001,
            .fx = 500.5f, .fy = -0.0f, .cx = 320, .cy = 1e-40f, .rotation = -90, .n_frame = 1ull << 40, .name = name, .provenance = prov };
        struct fa_err e;
        struct fa_rec rec;
        int fd = tmp_fd(), fd2 = tmp_fd();
        struct fa_writer *w = open_writer(fd, 0);
        check_int("put", fa_put_clip(w, 0, &in, &e), FA_OK);
        fa_writer_close(w, &e);
        lseek(fd, 0, SEEK_SET);
        struct fa_reader *r = open_reader(fd);
        check_int("next", fa_reader_next(r, &rec, &e), FA_OK);
        check_int("get", fa_get_clip(&c, &rec, &e), FA_OK);
        check_str("name", c.name, name);
        check_str("provenance", c.provenance, prov);
        CHECK(c.kind == in.kind && c.flags == in.flags && c.w == in.w && c.h == in.h && c.fps_num == in.fps_num && c.fps_den == in.fps_den &&
              c.rotation == in.rotation && c.n_frame == in.n_frame);
        check_f32_bits("camera", &c.fx, &in.fx, 4);

        w = open_writer(fd2, 0);
        check_int("append", fa_put_clip_line(w, &rec, "fa-x version=1", &e), FA_OK);
        check_int("newline inside", fa_put_clip_line(w, &rec, "a\nb", &e), FA_E_ARG);
        fa_writer_close(w, &e);
        fa_reader_close(r);
        lseek(fd2, 0, SEEK_SET);
        r = open_reader(fd2);
        check_int("next", fa_reader_next(r, &rec, &e), FA_OK);
        check_int("get", fa_get_clip(&d, &rec, &e), FA_OK);
        check_str("name stays", d.name, name);
        CHECK(strncmp(d.provenance, prov, strlen(prov)) == 0);
        check_str("line", d.provenance + strlen(prov), "fa-x version=1\n");
        CHECK(d.w == in.w && d.n_frame == in.n_frame && d.rotation == in.rotation);
        fa_reader_close(r);
        close(fd);
        close(fd2);
        free(name);
        free(prov);
    }
}

static void frames_of_many_sizes_and_formats_come_back(void)
{
    static const struct { int w, h; } sizes[] = { { 1, 1 }, { 1, 63 }, { 64, 1 }, { 33, 7 }, { 640, 480 }, { 1921, 1081 }, { FA_MAX_SIDE, 3 } };
    uint64_t seed = 5;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint32_t format = FA_PIX_NONE; format <= FA_PIX_GRAY8; format++)
            for (int level = 0; level < 2; level++) {
                struct trip t;
                size_t n = (size_t)sizes[i].w * (size_t)sizes[i].h * (format == FA_PIX_BGR24 ? 3 : format == FA_PIX_GRAY8 ? 1 : 0);
                uint8_t *px = malloc(n + 1);
                random_bits(px, n, &seed);
                struct fa_frame g, f = { .w = sizes[i].w, .h = sizes[i].h, .format = format, .t = 1e-3 * (double)i, .pts = level ? INT64_MIN : -5,
                                         .tb_num = 1, .tb_den = 90000, .px = px, .name = level ? "f.png" : NULL };
                trip_begin(&t, level, 0);
                check_int("put", fa_put_frame(t.w, 3, 1ull << 40, &f, &t.e), FA_OK);
                trip_turn(&t, 0);
                check_int("get", fa_get_frame(&g, &t.rec, &t.e), FA_OK);
                CHECK(t.rec.frame == 1ull << 40 && t.rec.face == -1 && g.w == f.w && g.h == f.h && g.format == format && g.pts == f.pts &&
                      g.t == f.t && g.tb_num == 1 && g.tb_den == 90000);
                check_str("name", g.name, level ? "f.png" : "");
                if (n) {
                    CHECK((uintptr_t)g.px % 64 == 0);
                    check_bytes("pixels", g.px, px, n);
                } else {
                    CHECK(g.px == NULL);
                }
                trip_end(&t);
                free(px);
            }
}

static void faces_come_back_bit_for_bit(void)
{
    static struct fa_face_box box[FA_MAX_FACES];
    uint64_t seed = 9;
    static const int counts[] = { 0, 1, 2, 3, 4, 17, FA_MAX_FACES };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct trip t;
        struct fa_faces g, f = { counts[i], box };
        random_bits(box, sizeof box, &seed);
        trip_begin(&t, 0, 1);
        check_int("put", fa_put_faces(t.w, 3, 7, &f, &t.e), FA_OK);
        trip_turn(&t, 1);
        check_int("get", fa_get_faces(&g, &t.rec, &t.e), FA_OK);
        check_int("n", g.n, counts[i]);
        check_bytes("boxes", g.box, box, sizeof *box * (size_t)g.n);
        trip_end(&t);
    }
}

static void landmarks_come_back_bit_for_bit(void)
{
    static float v[12 * N_MAX];
    static const struct { int n, m, n_eye; } counts[] = { { 0, 0, 0 }, { 68, 34, 56 }, { 68, 34, 0 }, { 1, 1, 1 }, { 199, 33, 3 }, { 5, 0, 200 } };
    uint64_t seed = 21;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct trip t;
        struct fa_marks g, m;
        random_bits(v, sizeof v, &seed);
        random_bits(&m, sizeof m, &seed);
        m.n = counts[i].n; m.m = counts[i].m; m.n_eye = counts[i].n_eye;
        m.success = 1;
        m.accepted = 0;
        m.local = v; m.xy = v + N_MAX; m.xyz = v + 3 * N_MAX; m.eye_xy = v + 6 * N_MAX; m.eye_xyz = v + 8 * N_MAX;
        trip_begin(&t, (int)i % 2, 1);
        check_int("put", fa_put_marks(t.w, 3, 7, 12, &m, &t.e), FA_OK);
        trip_turn(&t, 1);
        check_int("get", fa_get_marks(&g, &t.rec, &t.e), FA_OK);
        CHECK(t.rec.face == 12 && g.n == m.n && g.m == m.m && g.n_eye == m.n_eye && g.success == 1 && g.accepted == 0 && g.failures == m.failures);
        check_f32_bits("certainty", &g.certainty, &m.certainty, 1);
        check_f32_bits("likelihood", &g.likelihood, &m.likelihood, 1);
        check_f32_bits("global", g.global, m.global, 6);
        check_f32_bits("pose", g.pose, m.pose, 6);
        check_f32_bits("gaze", &g.gaze[0][0], &m.gaze[0][0], 6);
        check_f32_bits("gaze angle", g.gaze_angle, m.gaze_angle, 2);
        check_f32_bits("local", g.local, m.local, (size_t)m.m);
        check_f32_bits("xy", g.xy, m.xy, 2 * (size_t)m.n);
        check_f32_bits("xyz", g.xyz, m.xyz, 3 * (size_t)m.n);
        check_f32_bits("eye_xy", g.eye_xy, m.eye_xy, 2 * (size_t)m.n_eye);
        check_f32_bits("eye_xyz", g.eye_xyz, m.eye_xyz, 3 * (size_t)m.n_eye);
        trip_end(&t);
    }
}

static void crops_come_back_bit_for_bit(void)
{
    static uint8_t px[112 * 112 * 3];
    static float local[N_MAX];
    static const struct { int size, ch, valid, m; } cases[] = { { 112, 3, 1, 34 }, { 112, 3, 0, 34 }, { 1, 1, 1, 0 }, { 7, 3, 1, 1 }, { 96, 1, 1, 16 }, { 0, 3, 1, 3 } };
    uint64_t seed = 33;
    random_bits(px, sizeof px, &seed);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trip t;
        struct fa_crop g, c;
        random_bits(local, sizeof local, &seed);
        random_bits(&c, sizeof c, &seed);
        c.size = cases[i].size; c.ch = cases[i].ch; c.valid = (uint32_t)cases[i].valid; c.m = cases[i].m;
        c.local = local; c.px = px;
        trip_begin(&t, 0, 1);
        check_int("put", fa_put_crop(t.w, 3, 7, 0, &c, &t.e), FA_OK);
        trip_turn(&t, 1);
        check_int("get", fa_get_crop(&g, &t.rec, &t.e), FA_OK);
        CHECK(g.size == c.size && g.ch == c.ch && g.valid == c.valid && g.m == c.m);
        check_f32_bits("scale", &g.scale, &c.scale, 1);
        check_f32_bits("warp", g.warp, c.warp, 6);
        check_f32_bits("global", g.global, c.global, 6);
        check_f32_bits("local", g.local, local, (size_t)c.m);
        if (c.valid) {
            CHECK((uintptr_t)g.px % 64 == 0);
            check_bytes("pixels", g.px, px, (size_t)(c.size * c.size * c.ch));
        } else {
            CHECK(g.px == NULL);
        }
        trip_end(&t);
    }
}

static void action_units_come_back_bit_for_bit(void)
{
    static char names[FA_MAX_AU][8];
    static double v[3][FA_MAX_AU];
    static const struct { int n_r, n_c; } cases[] = { { 17, 18 }, { 0, 0 }, { 1, 0 }, { 0, 1 }, { FA_MAX_AU, FA_MAX_AU } };
    uint64_t seed = 41;
    for (int i = 0; i < FA_MAX_AU; i++)
        snprintf(names[i], 8, "AU%03d_r", i);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trip t;
        random_bits(v, sizeof v, &seed);
        struct fa_aus g, a = { FA_AU_IMAGE, cases[i].n_r, cases[i].n_c, (const char(*)[8])names, (const char(*)[8])names, v[0], v[1], v[2] };
        trip_begin(&t, 0, 1);
        check_int("put", fa_put_aus(t.w, 3, 7, 1, &a, &t.e), FA_OK);
        trip_turn(&t, 1);
        check_int("get", fa_get_aus(&g, &t.rec, &t.e), FA_OK);
        CHECK(g.kind == FA_AU_IMAGE && g.n_r == a.n_r && g.n_c == a.n_c && (uintptr_t)g.r % 8 == 0);
        check_bytes("names r", g.name_r, names, 8 * (size_t)a.n_r);
        check_bytes("names c", g.name_c, names, 8 * (size_t)a.n_c);
        check_bytes("r", g.r, v[0], 8 * (size_t)a.n_r);
        check_bytes("c", g.c, v[1], 8 * (size_t)a.n_c);
        check_bytes("distance", g.distance, v[2], 8 * (size_t)a.n_c);
        trip_end(&t);
    }
}

static void end_says_status_stage_and_words(void)
{
    struct bytes b;
    struct fa_err e;
    struct fa_rec rec;
    struct fa_end end;
    int fd = tmp_fd();
    struct fa_writer *w = open_writer(fd, 0);
    put_sample_clip(w, 0, 3, 0, 0, 1, 3);
    fa_writer_close(w, &e);
    b = take_bytes(fd);
    fd = fd_of(b.p, b.n);
    struct fa_reader *r = open_reader(fd);
    do
        check_int("next", fa_reader_next(r, &rec, &e), FA_OK);
    while (rec.type != FA_REC_END);
    check_int("get", fa_get_end(&end, &rec, &e), FA_OK);
    check_int("status", end.status, 3);
    check_int("frames", (long long)end.n_frame, 3);
    check_str("stage", end.stage, "fa-detect");
    check_str("words", end.words, "no \"face\" model");
    fa_reader_close(r);
    close(fd);
    free(b.p);
}

static void compressed_streams_hold_the_same_records(void)
{
    struct bytes plain = sample_stream(3, 0, 16, 30);
    struct fa_err e;
    static const int levels[] = { 1, 3, 9, 19 };
    for (size_t i = 0; i < 4; i++) {
        struct bytes z = sample_stream(3, levels[i], 16, 30);
        struct fa_rec a, b;
        int fa = fd_of(plain.p, plain.n), fb = fd_of(z.p, z.n), ca, cb;
        struct fa_reader *ra = open_reader(fa), *rb = open_reader(fb);
        CHECK(z.n < plain.n && fa_le_u32(z.p) == 0xFD2FB528u);
        do {
            ca = fa_reader_next(ra, &a, &e);
            cb = fa_reader_next(rb, &b, &e);
            check_int("code", cb, ca);
            if (ca == FA_OK && cb == FA_OK) {
                CHECK(a.type == b.type && a.clip == b.clip && a.frame == b.frame && a.face == b.face && a.len == b.len);
                check_bytes("payload", b.data, a.data, a.len < b.len ? a.len : b.len);
            }
        } while (ca == FA_OK && cb == FA_OK);
        fa_reader_close(ra);
        fa_reader_close(rb);
        close(fa);
        close(fb);
        free(z.p);
    }
    free(plain.p);
}

/* Clips 0, 1, 2, each in a zstd frame of its own, an empty skippable frame between. */
static void concatenated_zstd_frames_are_one_stream(void)
{
    static const unsigned char skip[8] = { 0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0 };
    struct fa_err e = { 0 };
    int fd = tmp_fd(), n;
    for (uint32_t clip = 0; clip < 3; clip++) {
        struct fa_writer *w = open_writer(fd, 3);
        put_sample_clip(w, clip, 2, 1, 4, 6, 0);
        check_int("close", fa_writer_close(w, &e), FA_OK);
        check_int("skip", fa_write_full(fd, skip, sizeof skip, &e), FA_OK);
    }
    struct bytes b = take_bytes(fd);
    check_int("whole", read_all(b.p, b.n, &n, &e), FA_EOF);
    check_int("records", n, 3 * (2 + 2 * 5));
    check_int("cut in the last frame", read_all(b.p, b.n - 3, &n, &e), FA_E_TRUNC);
    memcpy(b.p + b.n - 8, "garbage", 8);
    check_int("garbage behind", read_all(b.p, b.n, &n, &e), FA_E_FORMAT);
    free(b.p);
}

/* Bytes come in portions of every small size, as a slow pipe gives them. */
struct feed { int fd; const unsigned char *p; size_t n, portion; };

static void *feed_main(void *arg)
{
    struct feed *f = arg;
    for (size_t at = 0; at < f->n; at += f->portion) {
        size_t left = f->n - at;
        if (fa_write_full(f->fd, f->p + at, left < f->portion ? left : f->portion, NULL) != FA_OK)
            break;
    }
    close(f->fd);
    return NULL;
}

static void portions_of_any_size_give_the_same_stream(void)
{
    static const size_t portions[] = { 1, 3, 63, 64, 65, 127, 4096, 70000 };
    for (int level = 0; level <= 3; level += 3) {
        struct bytes b = sample_stream(2, level, 16, 40);
        for (size_t i = 0; i < sizeof portions / sizeof *portions; i++) {
            int p[2], n = 0, code;
            pthread_t thread;
            struct fa_rec rec;
            struct fa_err e;
            CHECK(pipe(p) == 0);
            struct feed f = { p[1], b.p, b.n, portions[i] };
            CHECK(pthread_create(&thread, NULL, feed_main, &f) == 0);
            struct fa_reader *r = open_reader(p[0]);
            while ((code = fa_reader_next(r, &rec, &e)) == FA_OK && fa_rec_check(&rec, &e) == FA_OK)
                n++;
            check_int("to the end", code, FA_EOF);
            check_int("records", n, 2 * (2 + 2 * 8));
            fa_reader_close(r);
            close(p[0]);
            pthread_join(thread, NULL);
        }
        free(b.p);
    }
}

/* The other end has the record before the next one is written. */
static void each_record_leaves_at_once_through_a_pipe(void)
{
    for (int level = 0; level <= 3; level += 3) {
        int p[2];
        struct fa_err e;
        struct fa_rec rec;
        struct fa_clip c = { .name = "live" };
        CHECK(pipe(p) == 0);
        struct fa_writer *w = open_writer(p[1], level);
        struct fa_reader *r = open_reader(p[0]);
        check_int("put", fa_put_clip(w, 0, &c, &e), FA_OK);
        alarm(60);                       /* a record held back would wait for ever */
        check_int("next", fa_reader_next(r, &rec, &e), FA_OK);
        alarm(0);
        check_int("type", rec.type, FA_REC_CLIP);
        fa_writer_close(w, &e);
        fa_reader_close(r);
        close(p[0]);
        close(p[1]);
    }
}

static void the_writer_refuses_what_no_reader_takes(void)
{
    struct fa_err e;
    int fd = tmp_fd();
    struct fa_writer *w = open_writer(fd, 0);
    char *huge = malloc(FA_MAX_TEXT + 2);
    memset(huge, 'x', FA_MAX_TEXT + 1);
    huge[FA_MAX_TEXT + 1] = '\0';
    check_int("name too long", fa_put_clip(w, 0, &(struct fa_clip){ .name = huge }, &e), FA_E_ARG);
    check_int("kind", fa_put_clip(w, 0, &(struct fa_clip){ .kind = 9 }, &e), FA_E_ARG);
    check_int("no pixels", fa_put_frame(w, 0, 1, &(struct fa_frame){ .w = 2, .h = 2, .format = FA_PIX_GRAY8 }, &e), FA_E_ARG);
    check_int("no size", fa_put_frame(w, 0, 1, &(struct fa_frame){ .w = 0, .h = 2 }, &e), FA_E_ARG);
    check_int("time NaN", fa_put_frame(w, 0, 1, &(struct fa_frame){ .w = 1, .h = 1, .t = (double)(0.0f / 0.0f) }, &e), FA_E_ARG);
    check_int("faces", fa_put_faces(w, 0, 1, &(struct fa_faces){ FA_MAX_FACES + 1, NULL }, &e), FA_E_ARG);
    check_int("points", fa_put_marks(w, 0, 1, 0, &(struct fa_marks){ .n = -1 }, &e), FA_E_ARG);
    check_int("channels", fa_put_crop(w, 0, 1, 0, &(struct fa_crop){ .ch = 2 }, &e), FA_E_ARG);
    check_int("AU name", fa_put_aus(w, 0, 1, 0, &(struct fa_aus){ .n_r = 1, .name_r = &(const char[8]){ "AU01_abc" } }, &e), FA_E_ARG);
    check_int("status", fa_put_end(w, 0, &(struct fa_end){ .status = 4 }, &e), FA_E_ARG);
    check_int("and wrote nothing", lseek(fd, 0, SEEK_END), 0);
    check_int("close", fa_writer_close(w, &e), FA_OK);
    check_int("level", fa_writer_open(&w, fd, 20, &e), FA_E_ARG);
    CHECK(w == NULL);
    close(fd);
    free(huge);
}

static void a_full_disk_and_a_closed_pipe_are_reported(void)
{
    struct fa_clip c = { .name = "x" };
    for (int level = 0; level <= 3; level += 3) {
        struct fa_err e = { 0 };
        int fd = open("/dev/full", O_WRONLY), p[2];
        if (fd < 0) {
            test_skip("no /dev/full");
            return;
        }
        struct fa_writer *w = open_writer(fd, level);
        check_int("full", fa_put_clip(w, 0, &c, &e), FA_E_IO);
        CHECK(strstr(e.text, "No space left") != NULL);
        check_int("still", fa_put_end(w, 0, &(struct fa_end){ 0 }, &e), FA_E_IO);
        check_int("close", fa_writer_close(w, &e), FA_E_IO);
        close(fd);
        CHECK(pipe(p) == 0);
        close(p[0]);
        w = open_writer(p[1], level);
        check_int("pipe", fa_put_clip(w, 0, &c, &e), FA_E_PIPE);
        check_int("close", fa_writer_close(w, &e), FA_E_PIPE);
        close(p[1]);
    }
}

static void a_directory_is_no_stream(void)
{
    struct fa_reader *r;
    struct fa_err e;
    int fd = open("/", O_RDONLY);
    check_int("open", fa_reader_open(&r, fd, "/", &e), FA_E_INPUT);
    close(fd);
}

/* Not a limit, a figure: MB/s of 640x480 frames through a pipe, checks made on both sides. */
static void frames_pass_a_pipe_fast(void)
{
    static uint8_t px[640 * 480 * 3];
    struct fa_frame f = { .w = 640, .h = 480, .format = FA_PIX_BGR24, .px = px };
    struct fa_err e;
    struct fa_rec rec;
    int fd = tmp_fd(), p[2], n = 0;
    struct fa_writer *w = open_writer(fd, 0);
    fa_put_clip(w, 0, &(struct fa_clip){ .name = "speed" }, &e);
    for (uint64_t i = 1; i <= 100; i++)
        fa_put_frame(w, 0, i, &f, &e);
    fa_put_end(w, 0, &(struct fa_end){ .n_frame = 100 }, &e);
    fa_writer_close(w, &e);
    struct bytes b = take_bytes(fd);
    pthread_t thread;
    struct timespec t0, t1;
    CHECK(pipe(p) == 0);
    struct feed feed = { p[1], b.p, b.n, 1 << 20 };
    clock_gettime(CLOCK_MONOTONIC, &t0);
    CHECK(pthread_create(&thread, NULL, feed_main, &feed) == 0);
    struct fa_reader *r = open_reader(p[0]);
    while (fa_reader_next(r, &rec, &e) == FA_OK)
        n++;
    clock_gettime(CLOCK_MONOTONIC, &t1);
    pthread_join(thread, NULL);
    check_int("records", n, 102);
    test_note("read", (double)b.n / 1e6 / ((double)(t1.tv_sec - t0.tv_sec) + 1e-9 * (double)(t1.tv_nsec - t0.tv_nsec)), "MB/s");
    fa_reader_close(r);
    close(p[0]);
    free(b.p);
}

/* --- Seeds of the fuzzer -------------------------------------------------------------------------------------------- */

struct seed { const char *name; int level; void (*make)(struct fa_writer *w); int reads; };

static void make_all(struct fa_writer *w) { put_sample_clip(w, 0, 1, 1, 4, 6, 0); }
static void make_pixels(struct fa_writer *w) { put_sample_clip(w, 0, 2, 0, 16, 1, 0); }
static void make_clips(struct fa_writer *w)
{
    put_sample_clip(w, 0, 1, 2, 0, 2, 0);
    put_sample_clip(w, 5, 1, 0, 0, 1, 1);
}
static void make_unknown(struct fa_writer *w)
{
    struct fa_err e;
    fa_put_clip(w, 0, &(struct fa_clip){ .name = "odd" }, &e);
    fa_put_rec(w, &(struct fa_rec){ .type = 99, .version = 7, .face = -1, .data = (const unsigned char *)"news", .len = 4 }, &e);
    fa_put_end(w, 0, &(struct fa_end){ 0 }, &e);
}
/* References of a process that was never there, in a file, where no reader follows one. */
static void make_references(struct fa_writer *w)
{
    struct fa_err e;
    unsigned char p[REF_BYTES];
    fa_put_clip(w, 0, &(struct fa_clip){ .name = "ref" }, &e);
    for (uint64_t i = 1; i <= 2; i++) {
        struct fa_frame f = { .w = 640, .h = 480, .format = FA_PIX_BGR24, .px = p, .name = i == 1 ? "a.png" : "" };
        ref_pack(p, &(struct ref){ .pid = 4194303, .fd = 5, .token = 0x0123456789abcdefull, .slot = 1, .use = i, .offset = RING_DATA + 925696,
                                   .pipe = { 13, 4711 } });
        frame_put(w, 0, i, &f, p, &e);
    }
    fa_put_end(w, 0, &(struct fa_end){ .n_frame = 2 }, &e);
}
static const struct seed SEEDS[] = { { "all.fas", 0, make_all, FA_EOF }, { "pixels.fas", 0, make_pixels, FA_EOF }, { "clips.fas", 0, make_clips, FA_EOF },
                                     { "unknown.fas", 0, make_unknown, FA_EOF }, { "clips.fas.zst", 3, make_clips, FA_EOF },
                                     { "references.fas", 0, make_references, FA_E_FORMAT } };
enum { N_SEED = sizeof SEEDS / sizeof *SEEDS };

static struct bytes seed_bytes(const struct seed *s)
{
    struct fa_err e;
    int fd = tmp_fd();
    struct fa_writer *w = open_writer(fd, s->level);
    s->make(w);
    if (fa_writer_close(w, &e) != FA_OK)
        abort();
    return take_bytes(fd);
}

static int write_seeds(const char *dir)
{
    for (int i = 0; i < N_SEED; i++) {
        char path[400];
        struct bytes b = seed_bytes(&SEEDS[i]);
        snprintf(path, sizeof path, "%s/%s", dir, SEEDS[i].name);
        FILE *f = fopen(path, "wb");
        if (!f || fwrite(b.p, 1, b.n, f) != b.n || fclose(f) != 0) {
            perror(path);
            return 1;
        }
        free(b.p);
    }
    return 0;
}

/* The format is what these files hold: a change that breaks saved streams shows here. */
static void saved_seeds_are_what_the_writer_writes(void)
{
    for (int i = 0; i < N_SEED; i++) {
        char path[400];
        struct fa_map m;
        struct fa_err e;
        struct bytes b = seed_bytes(&SEEDS[i]);
        snprintf(path, sizeof path, "tests/fuzz/corpus/stream/%s", SEEDS[i].name);
        int code = fa_map_open(&m, path, &e);
        check_int(path, code, FA_OK);
        if (code == FA_OK && SEEDS[i].level == 0 && m.len == b.n)   /* compressed bytes depend on zstd's version */
            check_bytes(path, m.data, b.p, b.n);
        if (code == FA_OK) {
            check_int("reads", read_all(m.data, m.len, NULL, &e), SEEDS[i].reads);
            check_int("size", SEEDS[i].level == 0 ? (long long)m.len : 0, SEEDS[i].level == 0 ? (long long)b.n : 0);
            fa_map_close(&m);
        }
        free(b.p);
    }
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0)
        return write_seeds(argv[2]);
    RUN(a_clip_comes_back_with_its_texts_and_a_stage_appends_a_line);
    RUN(frames_of_many_sizes_and_formats_come_back);
    RUN(faces_come_back_bit_for_bit);
    RUN(landmarks_come_back_bit_for_bit);
    RUN(crops_come_back_bit_for_bit);
    RUN(action_units_come_back_bit_for_bit);
    RUN(end_says_status_stage_and_words);
    RUN(compressed_streams_hold_the_same_records);
    RUN(concatenated_zstd_frames_are_one_stream);
    RUN(portions_of_any_size_give_the_same_stream);
    RUN(each_record_leaves_at_once_through_a_pipe);
    RUN(the_writer_refuses_what_no_reader_takes);
    RUN(a_full_disk_and_a_closed_pipe_are_reported);
    RUN(a_directory_is_no_stream);
    RUN(frames_pass_a_pipe_fast);
    RUN(saved_seeds_are_what_the_writer_writes);
    return test_done();
}
