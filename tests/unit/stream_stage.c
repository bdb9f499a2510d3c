/* SPDX-License-Identifier: BSD-2-Clause
 * stream: the loop of the filter stages. Whatever happens to the input or the stage, what leaves is a whole stream whose ENDs
 * say how each clip went, and the exit status is the worst of them. */
#include "stream_sample.h"

#include <fcntl.h>
#include <signal.h>

#include "fa_hold.h"

/* A stage that passes everything on, holds AUS back until the clip's end, and fails when told to. */
struct toy {
    unsigned fail_type;                  /* 0: never */
    uint64_t fail_frame;
    int fail_code, fail_end, n_end;
    uint32_t end_status;
    struct { struct fa_rec rec; unsigned char data[256]; } held[16];
    int n_held;
};

static int toy_record(void *self, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    struct toy *t = self;
    if (t->fail_type && rec->type == t->fail_type && rec->frame >= t->fail_frame)
        return fa_fail(e, t->fail_code, "frame %llu: toy broke", (unsigned long long)rec->frame);
    if (rec->type != FA_REC_AUS)
        return fa_put_rec(w, rec, e);
    t->held[t->n_held].rec = *rec;
    memcpy(t->held[t->n_held].data, rec->data, rec->len);
    t->held[t->n_held].rec.data = t->held[t->n_held].data;
    t->n_held++;
    return FA_OK;
}

static int toy_clip_end(void *self, struct fa_writer *w, uint32_t clip, const struct fa_end *end, struct fa_err *e)
{
    struct toy *t = self;
    (void)clip;
    t->n_end++;
    t->end_status = end->status;
    if (t->fail_end)
        return fa_fail(e, FA_E_MEM, "toy cannot end");
    int code = FA_OK;
    for (int i = 0; i < t->n_held && code == FA_OK; i++)
        code = fa_put_rec(w, &t->held[i].rec, e);
    t->n_held = 0;
    return code;
}

/* Runs the toy over p; *out is what it wrote. */
static int run_toy(struct toy *t, const void *p, size_t n, struct bytes *out, struct fa_err *e)
{
    struct fa_stage s = { "fa-toy", t, toy_record, toy_clip_end };
    struct fa_err close_err;
    int in = fd_of(p, n), fd = tmp_fd();
    struct fa_reader *r = open_reader(in);
    struct fa_writer *w = open_writer(fd, 0);
    int status = fa_stage_run(&s, r, w, e);
    check_int("close", fa_writer_close(w, &close_err), FA_OK);
    fa_reader_close(r);
    close(in);
    *out = take_bytes(fd);
    return status;
}

/* The stream must be whole; its last END, and how many clips and records there are. */
static void look(struct bytes b, int *n_clip, int *n_rec, struct fa_end *end, char words[400])
{
    int fd = fd_of(b.p, b.n), code;
    struct fa_reader *r = open_reader(fd);
    struct fa_rec rec;
    struct fa_err e;
    *n_clip = *n_rec = 0;
    while ((code = fa_reader_next(r, &rec, &e)) == FA_OK && (code = fa_rec_check(&rec, &e)) == FA_OK) {
        ++*n_rec;
        if (rec.type == FA_REC_END) {
            ++*n_clip;
            check_int("END", fa_get_end(end, &rec, &e), FA_OK);
            snprintf(words, 400, "%s|%s", end->stage, end->words);
        }
    }
    if (code != FA_EOF)
        test_fail(__FILE__, __LINE__, "what left is not whole: %s", e.text);
    fa_reader_close(r);
    close(fd);
}

static void a_whole_stream_passes_with_status_0(void)
{
    struct toy t = { 0 };
    struct fa_err e;
    struct fa_end end;
    char words[400];
    int n_clip, n_rec, n_in;
    struct bytes in = sample_stream(3, 0, 4, 6), out;
    check_int("status", run_toy(&t, in.p, in.n, &out, &e), 0);
    check_int("e", e.code, FA_OK);
    check_int("as long", (long long)out.n, (long long)in.n);
    look(in, &n_clip, &n_in, &end, words);
    look(out, &n_clip, &n_rec, &end, words);
    CHECK(n_clip == 3 && n_rec == n_in && end.status == 0 && end.n_frame == 2 && t.n_end == 3);
    free(in.p);
    free(out.p);
}

static int pass_all(void *self, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    (void)self;
    return fa_put_rec(w, rec, e);
}

static void a_stage_that_only_passes_changes_no_byte(void)
{
    struct bytes in = sample_stream(2, 0, 4, 6), out;
    struct fa_stage s = { "fa-pass", NULL, pass_all, NULL };
    struct fa_err e;
    /* an unknown type stands right before the first END */
    static const struct fa_rec odd = { .type = 500, .version = 3, .flags = 1, .clip = 2, .face = -1, .data = (const unsigned char *)"odd", .len = 3 };
    int fd = tmp_fd(), fd_out = tmp_fd();
    CHECK(fa_write_full(fd, in.p, in.n, &e) == FA_OK);
    struct fa_writer *w = open_writer(fd, 0);
    fa_put_clip(w, 2, &(struct fa_clip){ .name = "odd" }, &e);
    fa_put_rec(w, &odd, &e);
    fa_put_end(w, 2, &(struct fa_end){ 0 }, &e);
    fa_writer_close(w, &e);
    free(in.p);
    in = take_bytes(fd);
    fd = fd_of(in.p, in.n);
    struct fa_reader *r = open_reader(fd);
    w = open_writer(fd_out, 0);
    check_int("status", fa_stage_run(&s, r, w, &e), 0);
    fa_writer_close(w, &e);
    fa_reader_close(r);
    close(fd);
    out = take_bytes(fd_out);
    check_int("length", (long long)out.n, (long long)in.n);
    if (out.n == in.n)
        check_bytes("bytes", out.p, in.p, in.n);
    free(in.p);
    free(out.p);
}

static void a_failed_end_of_upstream_passes_and_makes_the_status(void)
{
    static const uint32_t statuses[][3] = { { 0, 3, 1 }, { 1, 0, 0 }, { 0, 0, 2 }, { 1, 1, 1 } };
    static const int want[] = { 3, 1, 2, 1 };
    for (int i = 0; i < 4; i++) {
        struct toy t = { 0 };
        struct fa_err e;
        struct bytes in, out;
        int fd = tmp_fd();
        struct fa_writer *w = open_writer(fd, 0);
        for (uint32_t clip = 0; clip < 3; clip++)
            put_sample_clip(w, clip, 1, 1, 0, 2, statuses[i][clip]);
        fa_writer_close(w, &e);
        in = take_bytes(fd);
        check_int("status", run_toy(&t, in.p, in.n, &out, &e), want[i]);
        check_int("nothing failed here", e.code, FA_OK);
        check_bytes("passed on as it was", out.p, in.p, in.n < out.n ? in.n : out.n);
        check_int("clip_end saw it", t.end_status, statuses[i][2]);
        free(in.p);
        free(out.p);
    }
}

enum { CLIP = 192 };                    /* bytes of a sample CLIP */

/* Cuts at every 16th byte: the first clip's records that were whole leave, then an END of the stage's own. */
static void a_cut_input_ends_with_an_end_of_our_own(void)
{
    struct bytes in = sample_stream(2, 0, 0, 3), one = sample_stream(1, 0, 0, 3);
    for (size_t cut = 16; cut < in.n; cut += 16) {
        struct toy t = { 0 };
        struct fa_err e;
        struct fa_end end = { 0 };
        char words[400] = "";
        int n_clip, n_rec, status;
        struct bytes out;
        status = run_toy(&t, in.p, cut, &out, &e);
        if (cut == one.n) {
            check_int("whole", status, 0);
        } else {
            check_int("status", status, 1);
            check_int("code", e.code, FA_E_TRUNC);
            if (out.n)
                look(out, &n_clip, &n_rec, &end, words);
            if (cut >= CLIP) {
                CHECK(t.n_end == (cut < one.n ? 1 : cut >= one.n + CLIP ? 2 : 1));
                if (cut < one.n || cut >= one.n + CLIP) {
                    check_int("END status", end.status, 1);
                    CHECK(strncmp(words, "fa-toy|x.fas: clip ", 19) == 0 && strstr(words, e.text) && strstr(words, "stops"));
                }
            } else {
                check_int("nothing", (long long)out.n, 0);
            }
        }
        free(out.p);
    }
    free(in.p);
    free(one.p);
}

static void garbage_in_is_nothing_out_and_status_1(void)
{
    struct toy t = { 0 };
    struct fa_err e;
    struct bytes out;
    check_int("status", run_toy(&t, "no stream at all", 16, &out, &e), 1);
    check_int("code", e.code, FA_E_FORMAT);
    check_int("out", (long long)out.n, 0);
    check_int("clip_end", t.n_end, 0);
    free(out.p);
    check_int("status", run_toy(&t, "", 0, &out, &e), 1);
    check_int("code", e.code, FA_E_TRUNC);
    free(out.p);
}

static void damage_in_the_middle_keeps_what_was_whole(void)
{
    struct bytes in = sample_stream(1, 0, 0, 3), out;
    struct toy t = { 0 };
    struct fa_err e;
    struct fa_end end = { 0 };
    char words[400];
    int n_clip, n_rec;
    in.p[in.n / 2] ^= 1;
    check_int("status", run_toy(&t, in.p, in.n, &out, &e), 1);
    look(out, &n_clip, &n_rec, &end, words);
    CHECK(n_clip == 1 && n_rec > 4 && end.status == 1 && end.n_frame >= 1 && t.n_end == 1 && t.end_status == 1);
    CHECK(strstr(words, "check differs"));
    free(in.p);
    free(out.p);
}

static void a_failing_stage_ends_the_clip_with_its_words(void)
{
    static const struct { const char *why; unsigned type; uint64_t frame; int code, status, n_frame; const char *words; } c[] = {
        { "on CLIP", FA_REC_CLIP, 0, FA_E_MODEL, 3, 0, "fa-toy|a.mp4: frame 0: toy broke" },
        { "on FRAME 1", FA_REC_FRAME, 1, FA_E_MEM, 3, 0, "fa-toy|a.mp4: frame 1: toy broke" },
        { "on FRAME 2", FA_REC_FRAME, 2, FA_E_FORMAT, 1, 1, "fa-toy|a.mp4: frame 2: toy broke" },
        { "on LANDMARKS", FA_REC_LANDMARKS, 2, FA_E_INPUT, 1, 2, "fa-toy|a.mp4: frame 2: toy broke" },
        { "wrong use", FA_REC_CROP, 1, FA_E_ARG, 2, 1, "fa-toy|a.mp4: frame 1: toy broke" },
    };
    struct bytes in = sample_stream(2, 0, 0, 3);
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        struct toy t = { .fail_type = c[i].type, .fail_frame = c[i].frame, .fail_code = c[i].code };
        struct fa_err e;
        struct fa_end end = { 0 };
        char words[400];
        int n_clip, n_rec;
        struct bytes out;
        check_int(c[i].why, run_toy(&t, in.p, in.n, &out, &e), c[i].status);
        check_int("code", e.code, c[i].code);
        look(out, &n_clip, &n_rec, &end, words);
        check_int("clips", n_clip, 1);
        check_int("END status", end.status, c[i].status);
        check_int("frames", (long long)end.n_frame, c[i].n_frame);
        check_str("words", words, c[i].words);
        check_str("printed", e.text, c[i].words + strlen("fa-toy|"));
        check_int("clip_end is not asked", t.n_end, 0);
        free(out.p);
    }
    free(in.p);
}

static void a_failing_clip_end_ends_the_clip_too(void)
{
    struct bytes in = sample_stream(2, 0, 0, 3), out;
    struct toy t = { .fail_end = 1 };
    struct fa_err e;
    struct fa_end end = { 0 };
    char words[400];
    int n_clip, n_rec;
    check_int("status", run_toy(&t, in.p, in.n, &out, &e), 3);
    look(out, &n_clip, &n_rec, &end, words);
    CHECK(n_clip == 1 && end.status == 3 && end.n_frame == 2);
    check_str("words", words, "fa-toy|a.mp4: toy cannot end");
    free(in.p);
    free(out.p);
}

static void a_clip_that_breaks_after_a_bad_one_keeps_both_statuses(void)
{
    struct toy t = { 0 };
    struct fa_err e;
    struct bytes in, out;
    struct fa_end end = { 0 };
    char words[400];
    int n_clip, n_rec, fd = tmp_fd();
    struct fa_writer *w = open_writer(fd, 0);
    put_sample_clip(w, 0, 1, 1, 0, 2, 3);
    put_sample_clip(w, 1, 1, 1, 0, 2, 0);
    fa_writer_close(w, &e);
    in = take_bytes(fd);
    check_int("status", run_toy(&t, in.p, in.n - 64, &out, &e), 3);
    check_int("code", e.code, FA_E_TRUNC);
    look(out, &n_clip, &n_rec, &end, words);
    CHECK(n_clip == 2 && end.status == 1);
    free(in.p);
    free(out.p);
}

static void a_reader_that_went_away_ends_silently_with_status_3(void)
{
    struct bytes in = sample_stream(1, 0, 0, 3);
    struct toy t = { 0 };
    struct fa_stage s = { "fa-toy", &t, toy_record, toy_clip_end };
    struct fa_err e;
    int p[2], fd = fd_of(in.p, in.n);
    CHECK(pipe(p) == 0);
    close(p[0]);
    struct fa_reader *r = open_reader(fd);
    struct fa_writer *w = open_writer(p[1], 0);
    check_int("status", fa_stage_run(&s, r, w, &e), 3);
    check_int("code", e.code, FA_E_PIPE);
    check_int("close", fa_writer_close(w, &e), FA_E_PIPE);
    fa_reader_close(r);
    close(p[1]);
    close(fd);
    free(in.p);
}

static void a_full_disk_ends_with_status_3(void)
{
    struct bytes in = sample_stream(1, 0, 0, 3);
    struct toy t = { 0 };
    struct fa_stage s = { "fa-toy", &t, toy_record, toy_clip_end };
    struct fa_err e;
    int full = open("/dev/full", O_WRONLY), fd = fd_of(in.p, in.n);
    if (full < 0) {
        test_skip("no /dev/full");
        return;
    }
    struct fa_reader *r = open_reader(fd);
    struct fa_writer *w = open_writer(full, 0);
    check_int("status", fa_stage_run(&s, r, w, &e), 3);
    check_int("code", e.code, FA_E_IO);
    CHECK(strstr(e.text, "No space left on device"));
    check_int("close", fa_writer_close(w, &e), FA_E_IO);
    fa_reader_close(r);
    close(full);
    close(fd);
    free(in.p);
}

/* A stage that holds everything behind CLIP, marks each frame, and fails on the second FRAME. */
static int hold_record(void *self, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_hold *h = self;
    int code = FA_OK;
    if (rec->type == FA_REC_FRAME && rec->frame == 2)
        return fa_fail(e, FA_E_FORMAT, "frame 2: enough");
    if (rec->type == FA_REC_FRAME)
        code = fa_hold_add(h, &(struct fa_rec){ .type = 0, .frame = rec->frame }, e);
    if (code == FA_OK)
        code = fa_put_rec(w, rec, e);
    fa_writer_hold(w, h);
    return code;
}

static void what_a_failing_stage_held_goes_out(void)
{
    struct bytes in = sample_stream(1, 0, 4, 6), out;
    struct fa_hold h;
    struct fa_err e;
    struct fa_end end = { 0 };
    char words[400];
    int n_clip, n_rec, fd = fd_of(in.p, in.n), fd_out = tmp_fd();
    check_int("open", fa_hold_open(&h, &e), FA_OK);
    struct fa_stage s = { "fa-hold", &h, hold_record, NULL };
    struct fa_reader *r = open_reader(fd);
    struct fa_writer *w = open_writer(fd_out, 0);
    check_int("status", fa_stage_run(&s, r, w, &e), 1);
    check_int("close", fa_writer_close(w, &e), FA_OK);
    fa_reader_close(r);
    close(fd);
    fa_hold_close(&h);
    out = take_bytes(fd_out);
    look(out, &n_clip, &n_rec, &end, words);
    CHECK(n_clip == 1 && n_rec == 2 + 8 && end.status == 1 && end.n_frame == 1);
    check_str("words", words, "fa-hold|a.mp4: frame 2: enough");
    /* all of frame 1, in its place: only END differs */
    size_t n = out.n;
    while (memcmp(out.p + n - 64, "FAR1", 4) != 0)
        n -= 64;
    check_bytes("held records", out.p, in.p, n - 64);
    free(in.p);
    free(out.p);
}

/* fa_stage_files: the output takes its name only when the stream is whole and good. */
static void an_output_file_takes_its_name_only_when_all_went_well(void)
{
    struct bytes in = sample_stream(1, 0, 0, 3);
    char dir[] = "/tmp/fa-stage.XXXXXX", src[64], dst[64], partial[80];
    CHECK(mkdtemp(dir) != NULL);
    snprintf(src, sizeof src, "%s/in.fas", dir);
    snprintf(dst, sizeof dst, "%s/out.fas", dir);
    snprintf(partial, sizeof partial, "%s.partial", dst);
    for (int cut = 0; cut < 2; cut++) {
        struct fa_stage s = { "fa-pass", NULL, pass_all, NULL };
        struct fa_err e;
        FILE *f = fopen(src, "wb");
        CHECK(f && fwrite(in.p, 1, in.n - (cut ? 64 : 0), f) > 0 && fclose(f) == 0);
        check_int("status", fa_stage_files(&s, src, dst, 0, &e), cut);
        check_int("code", e.code, cut ? FA_E_TRUNC : FA_OK);
        CHECK((access(dst, F_OK) == 0) == !cut && (access(partial, F_OK) == 0) == cut);
        check_int("no input", fa_stage_files(&s, "/no/such", dst, 0, &e), 1);
        check_int("no folder", fa_stage_files(&s, src, "/no/such/file", 0, &e), 3);
        unlink(dst);
    }
    unlink(partial);
    unlink(src);
    CHECK(rmdir(dir) == 0);
    free(in.p);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    alarm(120);
    RUN(a_whole_stream_passes_with_status_0);
    RUN(a_stage_that_only_passes_changes_no_byte);
    RUN(a_failed_end_of_upstream_passes_and_makes_the_status);
    RUN(a_cut_input_ends_with_an_end_of_our_own);
    RUN(garbage_in_is_nothing_out_and_status_1);
    RUN(damage_in_the_middle_keeps_what_was_whole);
    RUN(a_failing_stage_ends_the_clip_with_its_words);
    RUN(a_failing_clip_end_ends_the_clip_too);
    RUN(a_clip_that_breaks_after_a_bad_one_keeps_both_statuses);
    RUN(a_reader_that_went_away_ends_silently_with_status_3);
    RUN(a_full_disk_ends_with_status_3);
    RUN(what_a_failing_stage_held_goes_out);
    RUN(an_output_file_takes_its_name_only_when_all_went_well);
    return test_done();
}
