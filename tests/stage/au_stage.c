/* SPDX-License-Identifier: BSD-2-Clause
 * The action-unit stage on made-up streams: failed frames, clips beyond the re-predicted 3000 frames and beyond what stays in
 * memory, stills, several clips, unknown records, and every way a stream can be wrong. Needs the models, no clip. */
#include "fa_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fa_au.h"
#include "fa_au_stage.h"
#include "fa_shape.h"
#include "test_models.h"

enum { N = 68, M = 34, FACES = 12, FACE = 3 * FA_AU_SIDE * FA_AU_SIDE, STRANGE = 77 };

static struct fa_pack pack;
static uint8_t face[FACES][FACE];
static float local[FACES][M];

static int temp_file(void)
{
    char path[] = "/tmp/fa-au.XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    return fd;
}

static struct fa_writer *begin(int fd)
{
    struct fa_writer *w;
    struct fa_err e;
    check_int("writer", fa_writer_open(&w, fd, 0, &e), FA_OK);
    return w;
}

static void put_clip(struct fa_writer *w, uint32_t clip, enum fa_clip_kind kind)
{
    const struct fa_clip c = { .kind = kind, .w = 64, .h = 48, .fps_num = 30, .fps_den = 1, .name = "made/up.avi" };
    check_int("clip", fa_put_clip(w, clip, &c, NULL), FA_OK);
}

static void put_frame(struct fa_writer *w, uint32_t clip, uint64_t f)
{
    check_int("frame", fa_put_frame(w, clip, f, &(struct fa_frame){ .w = 64, .h = 48, .name = "" }, NULL), FA_OK);
}

static void put_marks(struct fa_writer *w, uint32_t clip, uint64_t f, int id, int good)
{
    static const float xyz[3 * N];
    const struct fa_marks m = { .n = N, .success = good != 0, .accepted = good != 0, .xy = xyz, .xyz = xyz };
    check_int("marks", fa_put_marks(w, clip, f, id, &m, NULL), FA_OK);
}

static void put_crop(struct fa_writer *w, uint32_t clip, uint64_t f, int id, int k, int good)
{
    struct fa_crop c = { .size = FA_AU_SIDE, .ch = 3, .valid = good != 0, .scale = 0.7f, .m = M, .local = local[k], .px = good ? face[k] : NULL };
    check_int("crop", fa_put_crop(w, clip, f, id, &c, NULL), FA_OK);
}

static void finish(struct fa_writer *w, int fd)
{
    check_int("close", fa_writer_close(w, NULL), FA_OK);
    lseek(fd, 0, SEEK_SET);
}

/* Status; *out rewound, e as the stage left it. */
static int run_stage(int in, int *out, struct fa_au_options opt, struct fa_err *e)
{
    struct fa_au_stage *s;
    struct fa_reader *r;
    struct fa_writer *w;
    *out = temp_file();
    *e = (struct fa_err){ 0 };
    opt.program = "test";
    check_int("stage", fa_au_stage_open(&s, &pack, &opt, e), FA_OK);
    check_int("reader", fa_reader_open(&r, in, "input", e), FA_OK);
    w = begin(*out);
    const struct fa_stage stage = fa_au_stage(s);
    int status = fa_stage_run(&stage, r, w, e);
    finish(w, *out);
    fa_reader_close(r);
    fa_au_stage_close(s);
    close(in);
    return status;
}

/* "C F1 L1.0 A1.0 E0": the records of a stream in short; faces and frames by number, END by its status. */
static void describe(char *text, size_t max, int fd)
{
    struct fa_reader *r;
    struct fa_rec rec;
    size_t n = 0;
    fa_reader_open(&r, fd, "result", NULL);
    text[0] = '\0';
    while (fa_reader_next(r, &rec, NULL) == FA_OK && n + 40 < max) {
        struct fa_end end = { 0 };
        switch (rec.type) {
        case FA_REC_CLIP: n += (size_t)snprintf(text + n, max - n, "C "); break;
        case FA_REC_FRAME: n += (size_t)snprintf(text + n, max - n, "F%d ", (int)rec.frame); break;
        case FA_REC_END:
            fa_get_end(&end, &rec, NULL);
            n += (size_t)snprintf(text + n, max - n, "E%d ", (int)end.status);
            break;
        default:
            n += (size_t)snprintf(text + n, max - n, "%c%d.%d ", rec.type == FA_REC_LANDMARKS ? 'L' : rec.type == FA_REC_AUS ? 'A' : rec.type == FA_REC_CROP ? 'K' : '?',
                                  (int)rec.frame, rec.face);
        }
    }
    fa_reader_close(r);
    close(fd);
}

static int ready(void)
{
    static int tried, have;
    if (!tried) {
        uint64_t seed = 6;
        tried = 1;
        have = test_model(&pack, "clnf");
        for (int k = 0; k < FACES; k++) {
            for (int i = 0; i < FACE; i++)           /* smooth shapes with a little noise */
                face[k][i] = (uint8_t)(120 + 60 * sin(0.01 * (k + 3) * (i / 336)) * cos(0.05 * (i / 3 % 112) + k) + 8 * test_randf(&seed) + i % 3 * 5);
            for (int i = 0; i < M; i++)
                local[k][i] = 8 * test_randf(&seed) / (float)(1 + i / 4);
        }
    }
    if (!have)
        test_skip("no models");
    return have;
}

/* --- The whole clip, written plainly once more ------------------------------------------------------------------------ */

static int good_frame(int f) { return f > 3 && f % 97 != 5 && (f < 500 || f > 520); }
static int face_of(int f) { return (f * f / 7 + f / 50) % FACES; }

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Raw values of each frame as spec/aus 7.2 and 8.1 have them. */
static void plain_history(double (*v)[2 * FA_AU_MAX], int n, const struct fa_au_set *s)
{
    static double x[FACES][FA_N_DESCRIPTOR_PADDED], part[FACES][2 * FA_AU_MAX], median[FA_N_DESCRIPTOR_PADDED], zero[FA_N_DESCRIPTOR_PADDED];
    double shift[2 * FA_AU_MAX];
    struct fa_au_medians m;
    struct fa_pdm pdm;
    int n_good = 0;
    check_int("medians", fa_au_medians_open(&m, NULL), FA_OK);
    check_int("pdm", fa_pdm_attach(&pdm, &pack, "au", NULL), FA_OK);
    for (int k = 0; k < FACES; k++) {
        float hog[FA_N_HOG];
        fa_fhog(hog, &(struct fa_img8){ face[k], 3 * FA_AU_SIDE, FA_AU_SIDE, FA_AU_SIDE, 3 });
        for (int i = 0; i < FA_N_HOG; i++)
            x[k][i] = hog[i];
        fa_au_geometry(x[k] + FA_N_HOG, &pdm, local[k]);
        fa_au_static_part(part[k], s, x[k]);
    }
    for (int f = 1; f <= n; f++) {
        int good = good_frame(f);
        if (f % 2)
            fa_au_medians_update(&m, good ? x[face_of(f)] : zero, good);
        fa_au_medians_get(median, &m);
        if (good)
            fa_au_shift(shift, s, median);
        for (int k = 0; k < s->n_r + s->n_c; k++)
            v[f - 1][k] = good ? part[face_of(f)][k] - shift[k] : 0;
    }
    fa_au_shift(shift, s, median);
    for (int f = 1; f <= n && n_good < FA_AU_RESTATED; f++)
        if (good_frame(f)) {
            n_good++;
            for (int k = 0; k < s->n_r + s->n_c; k++)
                v[f - 1][k] = part[face_of(f)][k] - shift[k];
        }
    fa_au_medians_close(&m);
}

static void plain_intensity(double *out, double *v, int n, double cutoff)
{
    double *sorted = malloc((size_t)n * sizeof *sorted), offset;
    int m = 0;
    for (int i = 0; i < n; i++)
        if (good_frame(i + 1))
            sorted[m++] = v[i];
    qsort(sorted, (size_t)m, sizeof *sorted, by_value);
    offset = cutoff == -1 ? 0 : sorted[(int)(m * cutoff)];
    for (int i = 0; i < n; i++)
        v[i] = good_frame(i + 1) ? fmin(fmax(v[i] - offset, 0), 5) : 0;
    for (int i = 0; i < n; i++)
        out[i] = i > 0 && i < n - 1 ? ((v[i - 1] + v[i]) + v[i + 1]) / 3 : v[i];
    free(sorted);
}

static void long_clip_with_failures_equals_a_plain_computation(void)
{
    enum { LEN = 3300 };
    static double v[LEN][2 * FA_AU_MAX], got[FA_AU_MAX][LEN], column[LEN], want[LEN];
    struct fa_au_set s;
    struct fa_err e;
    struct fa_reader *r;
    struct fa_rec rec;
    int in = temp_file(), out, n = 0;
    if (!ready())
        return;
    struct fa_writer *w = begin(in);
    put_clip(w, 0, FA_CLIP_VIDEO);
    for (int f = 1; f <= LEN; f++) {
        put_frame(w, 0, (uint64_t)f);
        put_marks(w, 0, (uint64_t)f, 0, good_frame(f));
        put_crop(w, 0, (uint64_t)f, 0, face_of(f), good_frame(f));
    }
    fa_put_end(w, 0, &(struct fa_end){ .n_frame = LEN }, NULL);
    finish(w, in);
    check_int("status", run_stage(in, &out, (struct fa_au_options){ 0 }, &e), 0);

    check_int("set", fa_au_set_open(&s, &pack, "dynamic", &e), FA_OK);
    plain_history(v, LEN, &s);
    fa_reader_open(&r, out, "result", &e);
    while (fa_reader_next(r, &rec, &e) == FA_OK)
        if (rec.type == FA_REC_AUS) {
            struct fa_aus a;
            check_int("AUS", fa_get_aus(&a, &rec, &e), FA_OK);
            check_int("frame", rec.frame, ++n);
            for (int k = 0; k < a.n_r; k++)
                got[k][n - 1] = a.r[k];
            for (int k = 0; k < a.n_c; k++)
                check_near("decision", a.distance[k], v[n - 1][s.n_r + k], 1e-12 * fmax(1, fabs(a.distance[k])));
        }
    check_int("frames", n, LEN);
    for (int k = 0; k < s.n_r; k++) {
        for (int i = 0; i < LEN; i++)
            column[i] = v[i][k];
        plain_intensity(want, column, LEN, s.dynamic[k] ? s.cutoff[k] : -1);
        check_f64_abs(s.name_r[k], got[k], want, LEN, 1e-12);
    }
    fa_reader_close(r);
    fa_au_set_close(&s);
    close(out);
}

static long peak_kb(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

/* After a clip that filled every buffer, one three times as long needs no more. */
static void memory_does_not_grow_with_the_clip(void)
{
    static const int length[2] = { 16000, 48000 };
    long peak[2];
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    test_skip("a sanitizer keeps freed memory");
    return;
#endif
    if (!ready())
        return;
    for (int i = 0; i < 2; i++) {
        struct fa_err e;
        int in = temp_file(), out;
        struct fa_writer *w = begin(in);
        put_clip(w, 0, FA_CLIP_VIDEO);
        for (int f = 1; f <= length[i]; f++) {
            put_frame(w, 0, (uint64_t)f);
            put_marks(w, 0, (uint64_t)f, 0, f % 64 == 0);
            put_crop(w, 0, (uint64_t)f, 0, f % FACES, f % 64 == 0);
        }
        fa_put_end(w, 0, &(struct fa_end){ .n_frame = (uint64_t)length[i] }, NULL);
        finish(w, in);
        check_int("status", run_stage(in, &out, (struct fa_au_options){ 0 }, &e), 0);
        close(out);
        peak[i] = peak_kb();
    }
    test_note("peak memory of 48000 frames", (double)peak[1] / 1024, "MiB");
    CHECK(peak[1] < 100 * 1024);
    CHECK(peak[1] - peak[0] < 1024);
}

/* --- Order, kinds and faults ------------------------------------------------------------------------------------------ */

static void aus_follow_their_landmarks_and_the_rest_keeps_its_place(void)
{
    char text[2000];
    struct fa_err e;
    int in = temp_file(), out;
    if (!ready())
        return;
    struct fa_writer *w = begin(in);
    put_clip(w, 0, FA_CLIP_VIDEO);
    for (uint64_t f = 1; f <= 3; f++) {
        put_frame(w, 0, f);
        fa_put_faces(w, 0, f, &(struct fa_faces){ 0 }, NULL);
        put_marks(w, 0, f, 0, f != 2);
        put_crop(w, 0, f, 0, (int)f, f != 2);
        fa_put_rec(w, &(struct fa_rec){ .type = STRANGE, .frame = f, .face = -1, .data = (const unsigned char *)"what", .len = 4 }, NULL);
    }
    fa_put_end(w, 0, &(struct fa_end){ .n_frame = 3 }, NULL);
    put_clip(w, 1, FA_CLIP_STILL);
    put_frame(w, 1, 1);
    for (int id = 0; id < 2; id++) {
        put_marks(w, 1, 1, id, id);
        put_crop(w, 1, 1, id, id, 1);
    }
    fa_put_end(w, 1, &(struct fa_end){ .n_frame = 1 }, NULL);
    put_clip(w, 2, FA_CLIP_STILL);
    put_frame(w, 2, 1);
    fa_put_end(w, 2, &(struct fa_end){ .n_frame = 1 }, NULL);
    finish(w, in);
    check_int("status", run_stage(dup(in), &out, (struct fa_au_options){ 0 }, &e), 0);
    describe(text, sizeof text, out);
    check_str("whole clip", text, "C F1 ?1.-1 L1.0 A1.0 ?1.-1 F2 ?2.-1 L2.0 A2.0 ?2.-1 F3 ?3.-1 L3.0 A3.0 ?3.-1 E0 "
                                  "C F1 L1.0 A1.0 L1.1 A1.1 E0 C F1 E0 ");
    lseek(in, 0, SEEK_SET);
    check_int("status", run_stage(in, &out, (struct fa_au_options){ .online = 1, .keep_crops = 1 }, &e), 0);
    describe(text, sizeof text, out);
    check_str("online", text, "C F1 ?1.-1 L1.0 K1.0 A1.0 ?1.-1 F2 ?2.-1 L2.0 K2.0 A2.0 ?2.-1 F3 ?3.-1 L3.0 K3.0 A3.0 ?3.-1 E0 "
                              "C F1 L1.0 K1.0 A1.0 L1.1 K1.1 A1.1 E0 C F1 E0 ");
}

/* Faces of a still do not know of each other, and a face that the validator rejected is measured like any other. */
static void faces_of_a_still_are_independent(void)
{
    struct fa_err e;
    struct fa_reader *r;
    struct fa_rec rec;
    struct fa_au_set s;
    struct fa_pdm pdm;
    int in = temp_file(), out, n = 0;
    if (!ready())
        return;
    struct fa_writer *w = begin(in);
    put_clip(w, 0, FA_CLIP_STILL);
    put_frame(w, 0, 1);
    for (int id = 0; id < 4; id++) {
        put_marks(w, 0, 1, id, id % 2);
        put_crop(w, 0, 1, id, id / 2, 1);
    }
    fa_put_end(w, 0, &(struct fa_end){ .n_frame = 1 }, NULL);
    finish(w, in);
    check_int("status", run_stage(in, &out, (struct fa_au_options){ 0 }, &e), 0);
    check_int("set", fa_au_set_open(&s, &pack, "static", &e), FA_OK);
    check_int("pdm", fa_pdm_attach(&pdm, &pack, "au", &e), FA_OK);
    fa_reader_open(&r, out, "result", &e);
    while (fa_reader_next(r, &rec, &e) == FA_OK)
        if (rec.type == FA_REC_AUS) {
            static double x[FA_N_DESCRIPTOR_PADDED];
            double v[2 * FA_AU_MAX];
            float hog[FA_N_HOG];
            struct fa_aus a;
            check_int("AUS", fa_get_aus(&a, &rec, &e), FA_OK);
            check_int("kind", a.kind, FA_AU_IMAGE);
            fa_fhog(hog, &(struct fa_img8){ face[rec.face / 2], 3 * FA_AU_SIDE, FA_AU_SIDE, FA_AU_SIDE, 3 });
            for (int i = 0; i < FA_N_HOG; i++)
                x[i] = hog[i];
            fa_au_geometry(x + FA_N_HOG, &pdm, local[rec.face / 2]);
            fa_au_static_part(v, &s, x);
            for (int k = 0; k < a.n_r; k++)
                check_near("intensity", a.r[k], fmin(fmax(v[k], 0), 5), 0);
            for (int k = 0; k < a.n_c; k++)
                check_near("presence", a.c[k], fa_au_presence(&s, k, v[a.n_r + k]), 0);
            n++;
        }
    check_int("faces", n, 4);
    fa_reader_close(r);
    fa_au_set_close(&s);
    close(out);
}

static void wrong_streams_are_refused_with_words(void)
{
    static const struct { const char *why, *words; int status, n; char rec[12]; } t[] = {
        { "crops were dropped", "frame 1: no aligned faces in this stream; run fa-landmarks again", 1, 4, "FLFE" },
        { "crops were dropped, last frame", "no aligned faces", 1, 2, "FLE" },
        { "two faces in a video frame", "several faces in a frame of a video", 1, 5, "FLKMKE" },
        { "crop without landmarks", "does not follow its LANDMARKS", 1, 2, "FKE" },
        { "crop of another face", "does not follow its LANDMARKS", 1, 3, "FLOE" },
        { "crop of another size", "aligned face of 50 pixels", 1, 3, "FLSE" },
        { "input ends too early", "stops before END", 1, 3, "FLK" },
        { "input ends behind landmarks", "stops before END", 1, 3, "FLKFL" },
    };
    if (!ready())
        return;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        int in = temp_file(), out;
        uint64_t f = 0;
        struct fa_err e;
        char text[400];
        struct fa_writer *w = begin(in);
        put_clip(w, 0, FA_CLIP_VIDEO);
        for (const char *p = t[i].rec; *p; p++)
            switch (*p) {
            case 'F': put_frame(w, 0, ++f); break;
            case 'L': put_marks(w, 0, f, 0, 1); break;
            case 'M': put_marks(w, 0, f, 1, 1); break;
            case 'K': put_crop(w, 0, f, 0, 0, 1); break;
            case 'O': put_crop(w, 0, f, 1, 0, 1); break;
            case 'S': {
                struct fa_crop c = { .size = 50, .ch = 3, .valid = 1, .m = M, .local = local[0], .px = face[0] };
                fa_put_crop(w, 0, f, 0, &c, NULL);
                break;
            }
            default: fa_put_end(w, 0, &(struct fa_end){ .n_frame = f }, NULL);
            }
        finish(w, in);
        check_int(t[i].why, run_stage(in, &out, (struct fa_au_options){ 0 }, &e), t[i].status);
        if (!strstr(e.text, t[i].words))
            check_str(t[i].why, e.text, t[i].words);
        describe(text, sizeof text, out);
        size_t n = strlen(text);
        check_str("ends with END", n > 3 ? text + n - 3 : text, "E1 ");
        if (strcmp(t[i].rec, "FLKFL") == 0)
            check_str("what was whole", text, "C F1 L1.0 A1.0 F2 L2.0 E1 ");
    }
}

/* Two halves of a clip with the medians carried are what the whole is, as far as the medians go. */
static void medians_carry_from_clip_to_clip(void)
{
    char path[] = "/tmp/fa-median.XXXXXX", other[] = "/tmp/fa-median.XXXXXX";
    struct fa_au_medians a, b;
    struct fa_err e;
    static double x[FA_N_DESCRIPTOR_PADDED], y[FA_N_DESCRIPTOR_PADDED];
    if (!ready())
        return;
    close(mkstemp(path));
    close(mkstemp(other));
    for (int part = 0; part < 3; part++) {
        int in = temp_file(), out;
        struct fa_writer *w = begin(in);
        put_clip(w, 0, FA_CLIP_VIDEO);
        for (int f = 1; f <= (part == 2 ? 60 : 30); f++) {
            put_frame(w, 0, (uint64_t)f);
            put_marks(w, 0, (uint64_t)f, 0, 1);
            put_crop(w, 0, (uint64_t)f, 0, face_of(part == 1 ? f + 30 : f), 1);
        }
        fa_put_end(w, 0, &(struct fa_end){ .n_frame = 30 }, NULL);
        finish(w, in);
        check_int("status", run_stage(in, &out, (struct fa_au_options){ .median = part == 1 ? path : NULL, .save_median = part == 2 ? other : path }, &e), 0);
        close(out);
    }
    check_int("open", fa_au_medians_open(&a, &e), FA_OK);
    check_int("open", fa_au_medians_open(&b, &e), FA_OK);
    check_int("load", fa_au_medians_load(&a, path, &e), FA_OK);
    check_int("load", fa_au_medians_load(&b, other, &e), FA_OK);
    fa_au_medians_get(x, &a);
    fa_au_medians_get(y, &b);
    check_int("updates", a.hog.n, 30);
    check_bytes("medians", x, y, sizeof x);
    fa_au_medians_close(&a);
    fa_au_medians_close(&b);
    unlink(path);
    unlink(other);
}

int main(void)
{
    RUN(memory_does_not_grow_with_the_clip);
    RUN(long_clip_with_failures_equals_a_plain_computation);
    RUN(aus_follow_their_landmarks_and_the_rest_keeps_its_place);
    RUN(faces_of_a_still_are_independent);
    RUN(wrong_streams_are_refused_with_words);
    RUN(medians_carry_from_clip_to_clip);
    return test_done();
}
