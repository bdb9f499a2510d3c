/* SPDX-License-Identifier: BSD-2-Clause
 * stream: damaged, cut, disordered and hostile input. Nothing of it may read as whole, crash or hang; texts say where. */
#include "stream_sample.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <xxhash.h>

#include "fa_le.h"

/* Makes both checks of the record at p right again after its bytes were changed. */
static void reseal(unsigned char *p)
{
    fa_put_u64(p + 40, XXH3_64bits(p + FA_REC_HEADER, (size_t)fa_le_u64(p + 16)));
    fa_put_u64(p + 56, XXH3_64bits(p, 56));
}

static size_t size_of(const unsigned char *p) { return FA_REC_HEADER + ((size_t)fa_le_u64(p + 16) + 63) / 64 * 64; }

/* The first record of this type in b. */
static unsigned char *find(struct bytes b, unsigned type)
{
    for (size_t at = 0; at < b.n; at += size_of(b.p + at))
        if (fa_le_u16(b.p + at + 4) == type)
            return b.p + at;
    abort();
}

static void check_text(const char *why, const struct fa_err *e, const char *part)
{
    if (!strstr(e->text, part))
        test_fail(__FILE__, __LINE__, "%s: '%s' lacks '%s'", why, e->text, part);
}

static void a_stream_cut_at_any_byte_is_never_whole(void)
{
    for (int level = 0; level <= 3; level += 3) {
        struct bytes b = sample_stream(1, level, 4, 6);
        struct fa_err e;
        int n;
        check_int("whole", read_all(b.p, b.n, &n, &e), FA_EOF);
        for (size_t cut = 0; cut < b.n; cut++) {
            int code = read_all(b.p, cut, &n, &e);
            if (code != FA_E_TRUNC && !(code == FA_E_FORMAT && cut < 4))
                test_fail(__FILE__, __LINE__, "level %d, cut at %zu of %zu: code %d", level, cut, b.n, code);
        }
        free(b.p);
    }
}

static void a_cut_between_two_clips_is_the_only_whole_one(void)
{
    struct bytes one = sample_stream(1, 0, 0, 3), two = sample_stream(2, 0, 0, 3);
    struct fa_err e;
    for (size_t cut = 64; cut <= two.n; cut += 64)
        check_int("cut", read_all(two.p, cut, NULL, &e), cut == one.n || cut == two.n ? FA_EOF : FA_E_TRUNC);
    check_int("empty", read_all("", 0, NULL, &e), FA_E_TRUNC);
    check_text("empty", &e, "empty input");
    free(one.p);
    free(two.p);
}

static void any_flipped_bit_is_detected(void)
{
    struct bytes b = sample_stream(1, 0, 4, 6);
    struct fa_err e;
    for (size_t i = 0; i < b.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            b.p[i] ^= (unsigned char)(1 << bit);
            int code = read_all(b.p, b.n, NULL, &e);
            if (code >= 0)
                test_fail(__FILE__, __LINE__, "byte %zu bit %d: code %d", i, bit, code);
            b.p[i] ^= (unsigned char)(1 << bit);
        }
    free(b.p);
}

/* zstd's own header has bits without effect: then the records must be the same, else there must be an error. */
static void a_flipped_bit_in_zstd_never_changes_a_record(void)
{
    struct bytes plain = sample_stream(1, 0, 4, 6), b = sample_stream(1, 3, 4, 6);
    struct fa_err e;
    int n = 0, want = 0;
    read_all(plain.p, plain.n, &want, &e);
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] ^= (unsigned char)(1 << i % 8);
        int code = read_all(b.p, b.n, &n, &e);
        if (code >= 0 && n != want)
            test_fail(__FILE__, __LINE__, "byte %zu: code %d with %d of %d records", i, code, n, want);
        b.p[i] ^= (unsigned char)(1 << i % 8);
    }
    free(plain.p);
    free(b.p);
}

static void garbage_is_not_a_record_stream(void)
{
    static const char *const text[] = { "x", "hello", "frame,face_id,timestamp,confidence,success,gaze_0_x,gaze_0_y,gaze_0_z,gaze_1_x,gaze_1_y\n" };
    struct fa_err e;
    unsigned char noise[5000];
    uint64_t seed = 77;
    for (size_t i = 0; i < 3; i++) {
        check_int(text[i], read_all(text[i], strlen(text[i]), NULL, &e), FA_E_FORMAT);
        check_text(text[i], &e, "x.fas: not a record stream");
    }
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (unsigned char)test_rand(&seed);
    check_int("noise", read_all(noise, sizeof noise, NULL, &e), FA_E_FORMAT);
    memcpy(noise, "\x28\xb5\x2f\xfd", 4);
    check_int("zstd noise", read_all(noise, sizeof noise, NULL, &e), FA_E_FORMAT);
    memset(noise, 0, sizeof noise);
    check_int("zeros", read_all(noise, sizeof noise, NULL, &e), FA_E_FORMAT);
}

static void texts_name_input_clip_and_frame(void)
{
    struct bytes b = sample_stream(2, 0, 0, 3);
    struct fa_err e;
    unsigned char *marks = find(b, FA_REC_LANDMARKS);
    marks[FA_REC_HEADER + 30] ^= 4;
    check_int("payload", read_all(b.p, b.n, NULL, &e), FA_E_FORMAT);
    check_text("payload", &e, "x.fas: clip 0 (a.mp4): frame 1: LANDMARKS record: damaged payload");
    marks[FA_REC_HEADER + 30] ^= 4;
    check_int("cut", read_all(b.p, b.n - 300, NULL, &e), FA_E_TRUNC);
    check_text("cut", &e, "x.fas: clip 1 (b c.mp4): frame 2: ");
    fa_put_u32(marks + FA_REC_HEADER, 9);
    reseal(marks);
    check_int("counts", read_all(b.p, b.n, NULL, &e), FA_E_FORMAT);
    check_text("counts", &e, "clip 0: frame 1: LANDMARKS record: its length does not fit its counts");
    free(b.p);
}

/* Builds streams of bare records in the given order: T type, C clip, F frame, face id. */
struct step { unsigned type; uint32_t clip; uint64_t frame; int32_t face; };

static int read_steps(const struct step *s, int n, struct fa_err *e)
{
    int fd = tmp_fd(), code = FA_OK;
    struct fa_writer *w = open_writer(fd, 0);
    for (int i = 0; i < n && code == FA_OK; i++) {
        struct fa_rec rec = { .type = (uint16_t)s[i].type, .version = 1, .clip = s[i].clip, .frame = s[i].frame, .face = s[i].face };
        code = fa_put_rec(w, &rec, e);
    }
    fa_writer_close(w, e);
    struct bytes b = take_bytes(fd);
    fd = fd_of(b.p, b.n);
    struct fa_reader *r = open_reader(fd);
    struct fa_rec rec;
    while ((code = fa_reader_next(r, &rec, e)) == FA_OK)
        ;
    fa_reader_close(r);
    close(fd);
    free(b.p);
    return code;
}

static void records_out_of_order_are_an_error(void)
{
    enum { C = FA_REC_CLIP, F = FA_REC_FRAME, FACES = FA_REC_FACES, L = FA_REC_LANDMARKS, CROP = FA_REC_CROP, A = FA_REC_AUS, E = FA_REC_END };
    static const struct { const char *text; int want, n; struct step s[7]; } t[] = {
        { "", FA_EOF, 2, { { C, 0, 0, -1 }, { E, 0, 0, -1 } } },
        { "", FA_EOF, 4, { { C, 7, 0, -1 }, { E, 7, 0, -1 }, { C, 9, 0, -1 }, { E, 9, 0, -1 } } },
        { "", FA_EOF, 7, { { C, 0, 0, -1 }, { F, 0, 1, -1 }, { F, 0, 5, -1 }, { L, 0, 5, 0 }, { A, 0, 1, 0 }, { CROP, 0, 5, 3 }, { E, 0, 0, -1 } } },
        { "before any CLIP", FA_E_FORMAT, 1, { { F, 0, 1, -1 } } },
        { "before any CLIP", FA_E_FORMAT, 1, { { E, 0, 0, -1 } } },
        { "before any CLIP", FA_E_FORMAT, 1, { { 99, 0, 0, -1 } } },
        { "before END of the one before", FA_E_FORMAT, 2, { { C, 0, 0, -1 }, { C, 1, 0, -1 } } },
        { "clip numbers do not ascend", FA_E_FORMAT, 3, { { C, 1, 0, -1 }, { E, 1, 0, -1 }, { C, 1, 0, -1 } } },
        { "clip numbers do not ascend", FA_E_FORMAT, 3, { { C, 1, 0, -1 }, { E, 1, 0, -1 }, { C, 0, 0, -1 } } },
        { "after END of its clip", FA_E_FORMAT, 3, { { C, 0, 0, -1 }, { E, 0, 0, -1 }, { F, 0, 1, -1 } } },
        { "after END of its clip", FA_E_FORMAT, 3, { { C, 0, 0, -1 }, { E, 0, 0, -1 }, { E, 0, 0, -1 } } },
        { "another clip", FA_E_FORMAT, 2, { { C, 0, 0, -1 }, { F, 1, 1, -1 } } },
        { "another clip", FA_E_FORMAT, 2, { { C, 0, 0, -1 }, { E, 1, 0, -1 } } },
        { "frame numbers do not ascend", FA_E_FORMAT, 3, { { C, 0, 0, -1 }, { F, 0, 2, -1 }, { F, 0, 2, -1 } } },
        { "frame numbers do not ascend", FA_E_FORMAT, 3, { { C, 0, 0, -1 }, { F, 0, 2, -1 }, { F, 0, 1, -1 } } },
        { "without a number", FA_E_FORMAT, 2, { { C, 0, 0, -1 }, { F, 0, 0, -1 } } },
        { "before its FRAME", FA_E_FORMAT, 2, { { C, 0, 0, -1 }, { FACES, 0, 1, -1 } } },
        { "before its FRAME", FA_E_FORMAT, 3, { { C, 0, 0, -1 }, { F, 0, 1, -1 }, { L, 0, 2, 0 } } },
        { "before its FRAME", FA_E_FORMAT, 3, { { C, 0, 0, -1 }, { F, 0, 4, -1 }, { CROP, 0, 3, 0 } } },
        { "before its FRAME", FA_E_FORMAT, 3, { { C, 0, 0, -1 }, { F, 0, 4, -1 }, { A, 0, 0, 0 } } },
        { "no face id", FA_E_FORMAT, 3, { { C, 0, 0, -1 }, { F, 0, 4, -1 }, { L, 0, 4, -1 } } },
        { "face id where none belongs", FA_E_FORMAT, 2, { { C, 0, 0, -1 }, { F, 0, 4, 0 } } },
        { "frame number where none belongs", FA_E_FORMAT, 2, { { C, 0, 0, -1 }, { E, 0, 4, -1 } } },
        { "before END", FA_E_TRUNC, 2, { { C, 0, 0, -1 }, { F, 0, 1, -1 } } },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fa_err e = { 0 };
        check_int(t[i].text, read_steps(t[i].s, t[i].n, &e), t[i].want);
        if (t[i].want < 0) {
            check_text("order", &e, t[i].text);
            check_text("order", &e, "clip ");
        }
    }
}

static void hostile_lengths_are_refused_before_reading(void)
{
    static const uint64_t lengths[] = { 1ull << 32, UINT64_MAX, UINT64_MAX - 63, 1ull << 63, FA_MAX_PAYLOAD + 1 };
    struct bytes b = sample_stream(1, 0, 0, 1);
    struct fa_err e;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (unsigned type = FA_REC_CLIP; type <= FA_REC_END + 1; type++) {
            fa_put_u16(b.p + 4, (uint16_t)type);
            fa_put_u64(b.p + 16, lengths[i]);
            fa_put_u64(b.p + 56, XXH3_64bits(b.p, 56));
            check_int("length", read_all(b.p, b.n, NULL, &e), FA_E_FORMAT);
            check_text("length", &e, "beyond the limit");
        }
    fa_put_u16(b.p + 4, FA_REC_END);             /* each type has its own limit */
    fa_put_u64(b.p + 16, 3u << 20);
    fa_put_u64(b.p + 56, XXH3_64bits(b.p, 56));
    check_int("END of 3 MiB", read_all(b.p, b.n, NULL, &e), FA_E_FORMAT);
    free(b.p);
}

/* A header that promises 1 GiB and is followed by nothing must not make the reader take 1 GiB. */
static void a_promised_length_costs_no_memory(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    test_skip("address space cannot be limited under a sanitizer");
#else
    struct bytes b = sample_stream(1, 0, 0, 1);
    int status;
    fa_put_u16(b.p + 4, 99);
    fa_put_u64(b.p + 16, FA_MAX_PAYLOAD);
    fa_put_u64(b.p + 56, XXH3_64bits(b.p, 56));
    pid_t pid = fork();
    if (pid == 0) {
        struct fa_err e;
        struct rlimit l = { 300u << 20, 300u << 20 };
        setrlimit(RLIMIT_AS, &l);
        _exit(read_all(b.p, b.n, NULL, &e) == FA_E_TRUNC ? 0 : 1);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    free(b.p);
#endif
}

static void a_newer_version_of_a_known_type_is_refused_and_of_an_unknown_type_passes(void)
{
    struct bytes b = sample_stream(1, 0, 0, 1);
    struct fa_err e;
    unsigned char *p = find(b, FA_REC_FACES);
    fa_put_u16(p + 6, 2);
    reseal(p);
    check_int("FACES 2", read_all(b.p, b.n, NULL, &e), FA_E_VERSION);
    check_text("version", &e, "frame 1: FACES record: ");
    fa_put_u16(p + 4, 1234);
    reseal(p);
    check_int("1234 2", read_all(b.p, b.n, NULL, &e), FA_EOF);
    free(b.p);
}

static void reserved_header_fields_must_be_zero(void)
{
    static const size_t at[] = { 36, 39, 48, 55 };
    struct bytes b = sample_stream(1, 0, 0, 1);
    struct fa_err e;
    for (size_t i = 0; i < 4; i++) {
        b.p[at[i]] = 1;
        reseal(b.p);
        check_int("reserved", read_all(b.p, b.n, NULL, &e), FA_E_FORMAT);
        b.p[at[i]] = 0;
        reseal(b.p);
    }
    check_int("as before", read_all(b.p, b.n, NULL, &e), FA_EOF);
    free(b.p);
}

/* Payloads with right checks but wrong lengths: one byte less or more (inside the padding) never decodes. */
static void payloads_are_used_to_their_last_byte(void)
{
    for (unsigned type = FA_REC_CLIP; type <= FA_REC_END; type++)
        for (int d = -1; d <= 1; d += 2) {
            struct bytes b = sample_stream(1, 0, 4, 3);
            unsigned char *p = find(b, type);
            struct fa_err e;
            uint64_t n = fa_le_u64(p + 16);
            if (!(d > 0 && n % 64 == 0) && !(d < 0 && n % 64 == 1)) {
                if (d < 0)
                    p[FA_REC_HEADER + n - 1] = 0;
                fa_put_u64(p + 16, n + (uint64_t)(int64_t)d);
                reseal(p);
                check_int(fa_rec_name(type), read_all(b.p, b.n, NULL, &e), FA_E_FORMAT);
                check_text("where", &e, fa_rec_name(type));
            }
            free(b.p);
        }
}

/* Random changes in each payload with right checks: decoders say FA_OK or FA_E_FORMAT and stay inside (ASan watches). */
static void decoders_survive_resealed_damage(void)
{
    uint64_t seed = 4242;
    struct bytes clean = sample_stream(1, 0, 4, 6), b = sample_stream(1, 0, 4, 6);
    int refused = 0;
    for (int round = 0; round < 4000; round++) {
        unsigned char *p = find(b, 1 + test_rand(&seed) % FA_REC_END);
        size_t n = (size_t)fa_le_u64(p + 16);
        struct fa_err e;
        for (unsigned k = 1 + test_rand(&seed) % 4; k > 0; k--) {
            size_t at = test_rand(&seed) % (n < 128 || k % 2 ? n : 128);
            p[FA_REC_HEADER + at] = (unsigned char)(test_rand(&seed) % 3 ? test_rand(&seed) : 0xff);
        }
        reseal(p);
        int code = read_all(b.p, b.n, NULL, &e);
        if (code != FA_EOF && code != FA_E_FORMAT)
            test_fail(__FILE__, __LINE__, "round %d: code %d: %s", round, code, e.text);
        refused += code == FA_E_FORMAT;
        memcpy(b.p, clean.p, b.n);
    }
    CHECK(refused > 1000);
    free(clean.p);
    free(b.p);
}

static void unknown_types_pass_untouched(void)
{
    static const unsigned char news[] = "payload of a type to come";
    struct fa_rec in = { .type = 777, .version = 42, .flags = 0xdeadbeef, .clip = 0, .frame = 12345, .face = 6, .data = news, .len = sizeof news }, out;
    struct fa_clip c = { .name = "x" };
    struct fa_err e;
    int fd = tmp_fd();
    struct fa_writer *w = open_writer(fd, 0);
    fa_put_clip(w, 0, &c, &e);
    check_int("put", fa_put_rec(w, &in, &e), FA_OK);
    fa_writer_close(w, &e);
    lseek(fd, 0, SEEK_SET);
    struct fa_reader *r = open_reader(fd);
    check_int("clip", fa_reader_next(r, &out, &e), FA_OK);
    check_int("next", fa_reader_next(r, &out, &e), FA_OK);
    CHECK(out.type == 777 && out.version == 42 && out.flags == 0xdeadbeef && out.frame == 12345 && out.face == 6 && out.len == sizeof news);
    check_bytes("payload", out.data, news, sizeof news);
    check_int("sound", fa_rec_check(&out, &e), FA_OK);
    fa_reader_close(r);
    close(fd);
}

static void an_error_stays(void)
{
    struct bytes b = sample_stream(1, 0, 0, 1);
    struct fa_err e, again;
    struct fa_rec rec;
    b.p[0] = 'X';
    int fd = fd_of(b.p, b.n);
    struct fa_reader *r = open_reader(fd);
    check_int("first", fa_reader_next(r, &rec, &e), FA_E_FORMAT);
    check_int("again", fa_reader_next(r, &rec, &again), FA_E_FORMAT);
    check_str("text", again.text, e.text);
    fa_reader_close(r);
    close(fd);
    free(b.p);
}

static void a_terminal_is_neither_input_nor_output(void)
{
    struct fa_reader *r;
    struct fa_writer *w;
    struct fa_err e;
    int m = posix_openpt(O_RDWR | O_NOCTTY), s = -1;
    if (m >= 0 && grantpt(m) == 0 && unlockpt(m) == 0)
        s = open(ptsname(m), O_RDWR | O_NOCTTY);
    if (s < 0) {
        test_skip("no pseudo-terminal");
        return;
    }
    check_int("reader", fa_reader_open(&r, s, "-", &e), FA_E_ARG);
    check_text("reader", &e, "standard input: a terminal");
    check_int("writer", fa_writer_open(&w, s, 0, &e), FA_E_ARG);
    CHECK(!r && !w);
    close(s);
    close(m);
}

int main(void)
{
    alarm(300);                          /* a hang is a failure */
    RUN(a_stream_cut_at_any_byte_is_never_whole);
    RUN(a_cut_between_two_clips_is_the_only_whole_one);
    RUN(any_flipped_bit_is_detected);
    RUN(a_flipped_bit_in_zstd_never_changes_a_record);
    RUN(garbage_is_not_a_record_stream);
    RUN(texts_name_input_clip_and_frame);
    RUN(records_out_of_order_are_an_error);
    RUN(hostile_lengths_are_refused_before_reading);
    RUN(a_promised_length_costs_no_memory);
    RUN(a_newer_version_of_a_known_type_is_refused_and_of_an_unknown_type_passes);
    RUN(reserved_header_fields_must_be_zero);
    RUN(payloads_are_used_to_their_last_byte);
    RUN(decoders_survive_resealed_damage);
    RUN(unknown_types_pass_untouched);
    RUN(an_error_stays);
    RUN(a_terminal_is_neither_input_nor_output);
    return test_done();
}
