/* SPDX-License-Identifier: BSD-2-Clause
 * Frames by reference: slots come back, a slow reader holds the owner back without spinning, sizes may grow, readers that die end
 * everybody, and a reference that is not quite right is refused. Readers here are threads or processes of their own. */
#include "stream_sample.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <xxhash.h>

#include "fa_hold.h"
#include "fa_le.h"
#include "fa_show.h"
#include "ring_internal.h"

enum { W = 64, H = 48, N_PX = W * H * 3 };

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void pause_ms(int ms) { nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL); }

/* A pipe, the owner at its one end, nothing at the other yet. */
struct owner { int in, out; struct fa_writer *w; struct fa_ring *ring; struct fa_err e; };

static void owner_open(struct owner *o)
{
    int p[2];
    if (pipe2(p, O_CLOEXEC) != 0)
        abort();
    *o = (struct owner){ .in = p[0], .out = p[1] };
    o->w = open_writer(o->out, 0);
    check_int("ring", fa_ring_open(&o->ring, o->w, &o->e), FA_OK);
}

/* Neither end may be in use by a thread. */
static void owner_close(struct owner *o)
{
    if (o->in >= 0)
        close(o->in);
    fa_ring_close(o->ring, &o->e);
    fa_writer_close(o->w, NULL);
    if (o->out >= 0)
        close(o->out);
}

static uint8_t shade(uint64_t frame, size_t i) { return (uint8_t)(frame * 31 + i * 7 + (i >> 9)); }

static int put_frame(struct owner *o, uint32_t clip, uint64_t n, int w, int h, struct fa_err *e)
{
    uint8_t *px;
    int code = fa_ring_slot(o->ring, (size_t)w * (size_t)h * 3, &px, e);
    if (code != FA_OK)
        return code;
    for (size_t i = 0; i < (size_t)w * (size_t)h * 3; i++)
        px[i] = shade(n, i);
    struct fa_frame f = { .w = w, .h = h, .format = FA_PIX_BGR24, .t = (double)n, .pts = (int64_t)n, .tb_num = 1, .tb_den = 25, .px = px,
                          .name = n == 1 ? "first.png" : "" };
    return fa_ring_put(o->ring, clip, n, &f, e);
}

static void put_clip(struct owner *o, uint32_t clip) { check_int("clip", fa_put_clip(o->w, clip, &(struct fa_clip){ .name = "c" }, &o->e), FA_OK); }
static void put_end(struct owner *o, uint32_t clip, uint64_t n) { fa_put_end(o->w, clip, &(struct fa_end){ .n_frame = n }, &o->e); }

/* 1 when rec is a frame with the pixels of its number. */
static int is_right(const struct fa_rec *rec)
{
    struct fa_frame f;
    struct fa_err e;
    if (fa_get_frame(&f, rec, &e) != FA_OK || !f.px || (uintptr_t)f.px % 64 || f.pts != (int64_t)rec->frame)
        return 0;
    for (size_t i = 0; i < (size_t)f.w * (size_t)f.h * 3; i++)
        if (f.px[i] != shade(rec->frame, i))
            return 0;
    return 1;
}

/* Open descriptors, and mappings of a ring, of this process. */
static int n_fd(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static int n_mapped(void)
{
    char line[4096];
    int n = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    while (f && fgets(line, sizeof line, f))
        n += strstr(line, RING_NAME) != NULL;
    if (f)
        fclose(f);
    return n;
}

static void a_frame_comes_back_from_its_slot_and_the_slot_with_it(void)
{
    int fds = n_fd();
    struct owner o;
    struct fa_rec rec;
    struct fa_err e;
    struct fa_ref_text t;
    owner_open(&o);
    put_clip(&o, 0);
    check_int("held", fa_ring_held(o.ring), 0);
    for (uint64_t n = 1; n <= 5; n++)
        check_int("put", put_frame(&o, 0, n, W, H, &e), FA_OK);
    check_int("on their way", fa_ring_held(o.ring), 5);
    put_end(&o, 0, 5);
    struct fa_reader *r = open_reader(o.in);
    check_int("clip", fa_reader_next(r, &rec, &e), FA_OK);
    for (uint64_t n = 1; n <= 5; n++) {
        check_int("next", fa_reader_next(r, &rec, &e), FA_OK);
        check_int("version", rec.version, 2);
        CHECK(rec.len < 200 && rec.loan && is_right(&rec));
        check_int("reference", fa_get_ref(&t, &rec, &e), FA_OK);
        CHECK(t.pid == (uint32_t)getpid() && t.use == 1);
        check_int("held", fa_ring_held(o.ring), 6 - (int)n);
    }
    check_int("END", fa_reader_next(r, &rec, &e), FA_OK);
    check_int("held", fa_ring_held(o.ring), 0);
    CHECK(!rec.loan && n_mapped() > 2);
    fa_reader_close(r);
    owner_close(&o);
    check_int("descriptors left", n_fd(), fds);
    check_int("mappings left", n_mapped(), 0);
}

static void a_kept_slot_outlives_record_and_reader(void)
{
    struct owner o;
    struct fa_rec rec;
    struct fa_err e;
    struct fa_loan loan, none;
    owner_open(&o);
    put_clip(&o, 0);
    put_frame(&o, 0, 1, W, H, &e);
    put_frame(&o, 0, 2, W, H, &e);
    struct fa_reader *r = open_reader(o.in);
    fa_reader_next(r, &rec, &e);
    check_int("not a frame", fa_loan_keep(&none, &rec), 0);
    fa_loan_return(&none);
    fa_reader_next(r, &rec, &e);
    check_int("keep", fa_loan_keep(&loan, &rec), 1);
    fa_reader_next(r, &rec, &e);
    check_int("both", fa_ring_held(o.ring), 2);
    fa_reader_close(r);
    check_int("the kept one", fa_ring_held(o.ring), 1);
    uint8_t *px;
    check_int("slot", fa_ring_slot(o.ring, N_PX, &px, &e), FA_OK);
    memset(px, 0, N_PX);                          /* the other slot: the kept pixels stay */
    for (size_t i = 0; i < N_PX; i++)
        if (loan.px[i] != shade(1, i)) {
            test_fail(__FILE__, __LINE__, "kept pixel %zu was overwritten", i);
            break;
        }
    fa_loan_return(&loan);
    fa_loan_return(&loan);                        /* again: nothing */
    check_int("none", fa_ring_held(o.ring), 0);
    owner_close(&o);
}

/* --- A row of threads: owner | stage that looks and passes on | last reader. -------------------------------------------------------------- */

struct row { int in, out, delay_ms, bad, n, watch_code; };

static int look_and_pass(void *self, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    struct row *row = self;
    int code = fa_put_rec(w, rec, e);
    if (rec->type == FA_REC_FRAME)
        row->bad |= !is_right(rec);               /* after the next one has it already */
    return code;
}

static void *middle(void *arg)
{
    struct row *row = arg;
    struct fa_stage s = { "fa-middle", row, look_and_pass, NULL };
    struct fa_err e;
    struct fa_reader *r = open_reader(row->in);
    struct fa_writer *w = open_writer(row->out, 0);
    row->bad |= fa_stage_run(&s, r, w, &e) != 0;
    row->watch_code = e.code;
    fa_writer_close(w, NULL);
    fa_reader_close(r);
    close(row->in);
    close(row->out);
    return NULL;
}

/* Keeps each frame until the next record, as fa-landmarks does. */
static void *last(void *arg)
{
    struct row *row = arg;
    struct fa_reader *r = open_reader(row->in);
    struct fa_rec rec;
    struct fa_err e;
    struct fa_loan kept = { 0 };
    int code;
    while ((code = fa_reader_next(r, &rec, &e)) == FA_OK) {
        fa_loan_return(&kept);
        if (rec.type != FA_REC_FRAME)
            continue;
        row->n++;
        row->bad |= !is_right(&rec) || !fa_loan_keep(&kept, &rec);
        if (row->delay_ms)
            pause_ms(row->delay_ms);
    }
    row->bad |= code != FA_EOF;
    fa_loan_return(&kept);
    fa_reader_close(r);
    close(row->in);
    return NULL;
}

static void frames_of_many_clips_and_sizes_pass_two_readers(void)
{
    enum { CLIPS = 4, FRAMES = 60 };
    struct owner o;
    int p[2];
    pthread_t a, b;
    owner_open(&o);
    if (pipe2(p, O_CLOEXEC) != 0)
        abort();
    struct row mid = { .in = o.in, .out = p[1] }, end = { .in = p[0] };
    pthread_create(&a, NULL, middle, &mid);
    pthread_create(&b, NULL, last, &end);
    for (uint32_t c = 0; c < CLIPS; c++) {
        put_clip(&o, c);
        for (uint64_t n = 1; n <= FRAMES; n++) {
            int w = W + (int)c * 40 + (int)(n % 3), h = c == 2 ? 7 : H;      /* grows, and shrinks again */
            int code = put_frame(&o, c, n, w, h, &o.e);
            if (code != FA_OK)
                test_fail(__FILE__, __LINE__, "clip %u frame %llu: %s", c, (unsigned long long)n, o.e.text);
        }
        put_end(&o, c, FRAMES);
    }
    int generations = fa_ring_generations(o.ring);
    CHECK(generations >= 1 && generations <= 4);
    check_int("close waits", fa_ring_close(o.ring, &o.e), FA_OK);
    fa_writer_close(o.w, NULL);
    close(o.out);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    CHECK(!mid.bad && !end.bad);
    check_int("frames", end.n, CLIPS * FRAMES);
    check_int("mappings left", n_mapped(), 0);
}

static void a_slow_reader_holds_the_owner_back_without_spinning(void)
{
    enum { FRAMES = 40, DELAY = 20 };
    struct owner o;
    pthread_t b;
    owner_open(&o);
    struct row end = { .in = o.in, .delay_ms = DELAY };
    pthread_create(&b, NULL, last, &end);
    put_clip(&o, 0);
    double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_THREAD_CPUTIME_ID);
    int most = 0;
    for (uint64_t n = 1; n <= FRAMES; n++) {
        check_int("put", put_frame(&o, 0, n, 8, 8, &o.e), FA_OK);
        int held = fa_ring_held(o.ring);
        most = held > most ? held : most;
    }
    put_end(&o, 0, FRAMES);
    check_int("close", fa_ring_close(o.ring, &o.e), FA_OK);
    wall = now(CLOCK_MONOTONIC) - wall, cpu = now(CLOCK_THREAD_CPUTIME_ID) - cpu;
    test_note("owner's cpu while it waited", 1e3 * cpu, "ms");
    CHECK(most <= RING_SLOTS);
    CHECK(wall > 1e-3 * DELAY * (FRAMES - 2));
    CHECK(cpu < 0.1 * wall);
    fa_writer_close(o.w, NULL);
    close(o.out);
    pthread_join(b, NULL);
    CHECK(!end.bad && end.n == FRAMES);
}

/* One mapping for both sides, so that a thread sanitizer sees what the counts order. */
struct shared { struct ring_map *map; _Atomic int slot; int bad; };
static void *shared_reader(void *arg)
{
    struct shared *s = arg;
    for (uint64_t n = 1; n <= 300; n++) {
        int slot;
        while ((slot = atomic_exchange(&s->slot, -1)) < 0)
            sched_yield();
        for (size_t i = 0; i < 64; i++)
            s->bad |= ring_px(s->map, (uint32_t)slot)[i] != (uint8_t)(n + i);
        ring_give_back(s->map, (uint32_t)slot);
    }
    return NULL;
}

static void counts_order_what_the_two_sides_do_to_the_pixels(void)
{
    struct owner o;
    struct fa_rec rec;
    struct fa_err e;
    struct fa_loan loan;
    pthread_t a;
    owner_open(&o);
    put_clip(&o, 0);
    put_frame(&o, 0, 1, W, H, &e);
    struct fa_reader *r = open_reader(o.in);
    fa_reader_next(r, &rec, &e);
    fa_reader_next(r, &rec, &e);
    fa_loan_keep(&loan, &rec);                    /* slot 0 stays taken: its map is what we want */
    struct ring_map own;
    int fd = (int)fa_le_i32(ref_at(&rec) + 4);
    struct ring_map *m;
    check_int("map", ring_map_open(&m, fd, 1, &e), FA_OK);
    own = *m;
    struct shared s = { .map = &own, .slot = -1 };
    pthread_create(&a, NULL, shared_reader, &s);
    for (uint64_t n = 1; n <= 300; n++) {
        while (atomic_load(&own.head->slot[1].holds) != 0) {
            uint32_t seen = atomic_load(&own.head->freed);
            atomic_store(&own.head->waiting, 1);
            if (atomic_load(&own.head->slot[1].holds) != 0)
                ring_sleep(own.head, seen);
        }
        for (size_t i = 0; i < 64; i++)
            ring_px(&own, 1)[i] = (uint8_t)(n + i);
        ring_hold(&own, 1);
        atomic_store(&s.slot, 1);
    }
    pthread_join(a, NULL);
    CHECK(!s.bad);
    ring_map_leave(m);
    fa_loan_return(&loan);
    fa_reader_close(r);
    owner_close(&o);
}

static void an_older_generation_lives_as_long_as_it_is_held(void)
{
    struct owner o;
    struct fa_rec rec;
    struct fa_err e;
    struct fa_loan small;
    owner_open(&o);
    put_clip(&o, 0);
    put_frame(&o, 0, 1, W, H, &e);
    struct fa_reader *r = open_reader(o.in);
    fa_reader_next(r, &rec, &e);
    fa_reader_next(r, &rec, &e);
    fa_loan_keep(&small, &rec);
    for (uint64_t n = 2; n <= 30; n++) {          /* large ones, while the small one is still held */
        check_int("put", put_frame(&o, 0, n, 4 * W, 4 * H, &e), FA_OK);
        check_int("next", fa_reader_next(r, &rec, &e), FA_OK);
        CHECK(is_right(&rec));
    }
    check_int("two", fa_ring_generations(o.ring), 2);
    CHECK(small.px[5] == shade(1, 5) && small.px[N_PX - 1] == shade(1, N_PX - 1));
    fa_loan_return(&small);
    check_int("put", put_frame(&o, 0, 31, W, H, &e), FA_OK);       /* smaller again: no new one, and the old one goes */
    check_int("one", fa_ring_generations(o.ring), 1);
    check_int("next", fa_reader_next(r, &rec, &e), FA_OK);
    CHECK(is_right(&rec));
    fa_reader_close(r);
    owner_close(&o);
}

static void sizes_that_grow_by_a_row_make_few_generations(void)
{
    struct owner o;
    struct fa_rec rec;
    struct fa_err e;
    int made = 0;
    uint64_t token = 0;
    owner_open(&o);
    put_clip(&o, 0);
    struct fa_reader *r = open_reader(o.in);
    fa_reader_next(r, &rec, &e);
    for (uint64_t n = 1; n <= 200; n++) {
        check_int("put", put_frame(&o, 0, n, 100, 100 + (int)n, &e), FA_OK);
        check_int("next", fa_reader_next(r, &rec, &e), FA_OK);
        CHECK(is_right(&rec));
        made += fa_le_u64(ref_at(&rec) + 8) != token;
        token = fa_le_u64(ref_at(&rec) + 8);
    }
    CHECK(made <= 5 && fa_ring_generations(o.ring) <= 2);
    fa_reader_close(r);
    owner_close(&o);
}

static void slots_take_memory_when_they_are_first_filled(void)
{
    struct owner o;
    struct fa_rec rec;
    struct fa_err e;
    struct stat st;
    owner_open(&o);
    put_clip(&o, 0);
    struct fa_reader *r = open_reader(o.in);
    fa_reader_next(r, &rec, &e);
    for (uint64_t n = 1; n <= 20; n++) {          /* two slots are in use at a time: the one being filled and the one being read */
        check_int("put", put_frame(&o, 0, n, 1000, 1000, &e), FA_OK);
        check_int("next", fa_reader_next(r, &rec, &e), FA_OK);
        CHECK(fstat(fa_le_i32(ref_at(&rec) + 4), &st) == 0);
        if (st.st_blocks * 512 > (n == 1 ? 1 : 2) * 3000000 + 2 * 65536)
            test_fail(__FILE__, __LINE__, "frame %llu: %lld bytes of memory", (unsigned long long)n, (long long)st.st_blocks * 512);
    }
    fa_reader_close(r);
    owner_close(&o);
}

/* --- What goes where nobody could follow a reference. ------------------------------------------------------------------------------------- */

/* One clip of two frames: by reference through a pipe into a writer at `level` to a file, or with its pixels from the start. */
static struct bytes saved(int by_ref, int level)
{
    int fd = tmp_fd();
    struct fa_err e;
    struct fa_rec rec;
    struct fa_writer *w = open_writer(fd, level);
    struct owner o;
    owner_open(&o);
    if (by_ref) {
        put_clip(&o, 0);
        put_frame(&o, 0, 1, W, H, &e);
        put_frame(&o, 0, 2, 5, 3, &e);
        put_end(&o, 0, 2);
        struct fa_reader *r = open_reader(o.in);
        for (int i = 0; i < 4; i++) {
            check_int("next", fa_reader_next(r, &rec, &e), FA_OK);
            check_int("put", fa_put_rec(w, &rec, &e), FA_OK);
        }
        fa_reader_close(r);
    } else {
        uint8_t px[N_PX];
        fa_put_clip(w, 0, &(struct fa_clip){ .name = "c" }, &e);
        for (uint64_t n = 1; n <= 2; n++) {
            struct fa_frame f = { .w = n == 1 ? W : 5, .h = n == 1 ? H : 3, .format = FA_PIX_BGR24, .t = (double)n, .pts = (int64_t)n, .tb_num = 1,
                                  .tb_den = 25, .px = px, .name = n == 1 ? "first.png" : "" };
            for (size_t i = 0; i < sizeof px; i++)
                px[i] = shade(n, i);
            fa_put_frame(w, 0, n, &f, &e);
        }
        fa_put_end(w, 0, &(struct fa_end){ .n_frame = 2 }, &e);
    }
    owner_close(&o);
    check_int("close", fa_writer_close(w, &e), FA_OK);
    return take_bytes(fd);
}

static void a_file_gets_the_pixels_and_the_bytes_of_a_stream_without_references(void)
{
    for (int level = 0; level <= 3; level += 3) {
        struct bytes a = saved(1, level), b = saved(0, level);
        check_int("bytes", (long long)a.n, (long long)b.n);
        if (a.n == b.n)
            check_bytes("stream", a.p, b.p, a.n);
        free(a.p);
        free(b.p);
    }
}

static void what_is_held_back_has_its_pixels_and_no_slot(void)
{
    struct owner o;
    struct fa_rec rec;
    struct fa_err e;
    struct fa_hold hold;
    owner_open(&o);
    put_clip(&o, 0);
    put_frame(&o, 0, 1, W, H, &e);
    struct fa_reader *r = open_reader(o.in);
    fa_reader_next(r, &rec, &e);
    fa_reader_next(r, &rec, &e);
    check_int("open", fa_hold_open(&hold, &e), FA_OK);
    check_int("add", fa_hold_add(&hold, &rec, &e), FA_OK);
    fa_reader_close(r);
    check_int("held", fa_ring_held(o.ring), 0);
    check_int("next", fa_hold_next(&hold, &rec, &e), FA_OK);
    CHECK(rec.version == 1 && !rec.loan && rec.len > N_PX && is_right(&rec));
    fa_hold_close(&hold);
    owner_close(&o);
}

static void only_a_plain_writer_into_a_pipe_takes_references(void)
{
    struct fa_ring *ring;
    struct fa_err e;
    int p[2], fd = tmp_fd();
    if (pipe2(p, O_CLOEXEC) != 0)
        abort();
    struct fa_writer *file = open_writer(fd, 0), *squeezed = open_writer(p[1], 3), *plain = open_writer(p[1], 0);
    CHECK(!fa_writer_by_reference(file) && !fa_writer_by_reference(squeezed) && fa_writer_by_reference(plain));
    check_int("file", fa_ring_open(&ring, file, &e), FA_E_ARG);
    check_int("zstd", fa_ring_open(&ring, squeezed, &e), FA_E_ARG);
    check_int("no ring", fa_ring_close(NULL, &e), FA_OK);
    fa_writer_close(file, NULL);
    fa_writer_close(squeezed, NULL);
    fa_writer_close(plain, NULL);
    close(fd);
    close(p[0]);
    close(p[1]);
}

static void the_text_view_says_where_the_pixels_are(void)
{
    struct owner o;
    struct fa_rec rec;
    struct fa_err e;
    char *text = NULL, want[200];
    size_t n = 0;
    owner_open(&o);
    put_clip(&o, 0);
    put_frame(&o, 0, 1, 4, 2, &e);
    struct fa_reader *r = open_reader(o.in);
    fa_reader_next(r, &rec, &e);
    fa_reader_next(r, &rec, &e);
    FILE *f = open_memstream(&text, &n);
    check_int("text", fa_show(f, &rec, FA_SHOW_TEXT, &e), FA_OK);
    fclose(f);
    snprintf(want, sizeof want, "FRAME clip=0 frame=1 face=-1 bytes=138 w=4 h=2 format=bgr24 t=1 pts=1 tb_num=1 tb_den=25 name=\"first.png\" "
             "ref_process=%d ref_fd=%d ref_slot=0 ref_use=1\n", (int)getpid(), (int)fa_le_i32(ref_at(&rec) + 4));
    check_str("line", text, want);
    free(text);
    f = open_memstream(&text, &n);
    check_int("json", fa_show(f, &rec, FA_SHOW_JSON_PIXELS, &e), FA_OK);
    fclose(f);
    CHECK(strstr(text, "\"px\":\"") != NULL && strstr(text, "\"ref_slot\":0") != NULL);
    free(text);
    fa_reader_close(r);
    owner_close(&o);
}

/* --- Bad references. ---------------------------------------------------------------------------------------------------------------------- */

/* A stream by reference as raw bytes, whose slot stays taken, so that it can be read again and again from the same pipe. */
struct tape { struct owner o; unsigned char b[4096]; size_t n; struct fa_loan loan; };

static int write_again(struct tape *t, const unsigned char *b, size_t n)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", t->o.in);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int ok = fd >= 0 && fa_write_full(fd, b, n, NULL) == FA_OK;
    close(fd);
    return ok;
}

static void tape_make(struct tape *t)
{
    struct fa_rec rec;
    memset(t, 0, sizeof *t);
    owner_open(&t->o);
    put_clip(&t->o, 0);
    put_frame(&t->o, 0, 1, W, H, &t->o.e);
    put_end(&t->o, 0, 1);
    t->n = (size_t)read(t->o.in, t->b, sizeof t->b);
    close(t->o.out);
    t->o.out = -1;
    CHECK(t->n > 3 * 64 && t->n < sizeof t->b && write_again(t, t->b, t->n));
    struct fa_reader *r = open_reader(t->o.in);
    fa_reader_next(r, &rec, &t->o.e);
    check_int("frame", fa_reader_next(r, &rec, &t->o.e), FA_OK);
    check_int("keep", fa_loan_keep(&t->loan, &rec), 1);
    fa_reader_close(r);
    check_int("drained", (long long)read(t->o.in, t->b + t->n, 1), 0);
}

/* Reads these bytes from the tape's own pipe: FA_EOF, or the first failure. */
static int tape_play(struct tape *t, const unsigned char *b, size_t n, struct fa_err *e)
{
    struct fa_rec rec;
    char drop[4096];
    int code;
    if (!write_again(t, b, n))
        abort();
    ring_hold(t->loan.map, t->loan.slot);         /* the hold that would travel with it */
    struct fa_reader *r = open_reader(t->o.in);
    while ((code = fa_reader_next(r, &rec, e)) == FA_OK && (code = fa_rec_check(&rec, e)) == FA_OK)
        ;
    fa_reader_close(r);
    while (read(t->o.in, drop, sizeof drop) > 0)
        ;
    atomic_store(&t->loan.map->head->slot[t->loan.slot].holds, 1);
    return code;
}

static void tape_end(struct tape *t)
{
    fa_loan_return(&t->loan);
    owner_close(&t->o);
}

static unsigned char *frame_of(unsigned char *b)
{
    while (fa_le_u16(b + 4) != FA_REC_FRAME)
        b += FA_REC_HEADER + ((size_t)fa_le_u64(b + 16) + 63) / 64 * 64;
    return b;
}

static void reseal(unsigned char *p)
{
    fa_put_u64(p + 40, XXH3_64bits(p + FA_REC_HEADER, (size_t)fa_le_u64(p + 16)));
    fa_put_u64(p + 56, XXH3_64bits(p, 56));
}

static void any_flipped_bit_of_a_reference_is_refused(void)
{
    struct tape t;
    struct fa_err e;
    tape_make(&t);
    check_int("whole", tape_play(&t, t.b, t.n, &e), FA_EOF);
    unsigned char *frame = frame_of(t.b), *ref = frame + FA_REC_HEADER + 64;
    for (int i = 0; i < 64; i++)
        for (int bit = 0; bit < 8; bit++) {
            ref[i] ^= (unsigned char)(1 << bit);
            check_int("flip, check wrong", tape_play(&t, t.b, t.n, &e), FA_E_FORMAT);
            reseal(frame);
            int code = tape_play(&t, t.b, t.n, &e);
            if (code != FA_E_FORMAT && code != FA_E_TRUNC && code != FA_E_IO)
                test_fail(__FILE__, __LINE__, "byte %d bit %d: code %d", i, bit, code);
            ref[i] ^= (unsigned char)(1 << bit);
            reseal(frame);
        }
    check_int("whole again", tape_play(&t, t.b, t.n, &e), FA_EOF);
    tape_end(&t);
}

static void a_stream_by_reference_cut_at_any_byte_is_never_whole(void)
{
    struct tape t;
    struct fa_err e;
    tape_make(&t);
    for (size_t cut = 0; cut < t.n; cut++) {
        int code = tape_play(&t, t.b, cut, &e);
        if (code != FA_E_TRUNC && !(code == FA_E_FORMAT && cut < 4))
            test_fail(__FILE__, __LINE__, "cut at %zu of %zu: code %d", cut, t.n, code);
    }
    tape_end(&t);
}

static void a_frame_that_does_not_fit_its_slot_is_refused(void)
{
    static const struct { const char *why; int at; uint32_t v; const char *text; } t[] = {
        { "height beyond the slot", 4, 16000, "number of pixels" },
        { "no format", 8, FA_PIX_NONE, "pixels" },
        { "unknown format", 8, 7, "unknown pixel format" },
        { "no such slot", 64 + 16, RING_SLOTS - 1, "no slot of the ring" },
        { "slot beyond every ring", 64 + 16, RING_SLOTS, "beyond its limits" },
        { "no process", 64, 0, "beyond its limits" },
        { "process 1", 64, 1, "process 1" },      /* not ours, or not there at all in a container */
        { "negative process", 64, 0x80000001u, "beyond its limits" },
        { "negative descriptor", 64 + 4, 0xffffffffu, "beyond its limits" },
        { "standard input", 64 + 4, 0, "gone" },
        { "no such descriptor", 64 + 4, 1000000, "gone" },
        { "another ring", 64 + 8, 12345, "gone" },
        { "another use", 64 + 24, 2, "another frame by now" },
        { "another place", 64 + 32, RING_DATA + 64, "no slot of the ring" },
        { "another pipe", 64 + 48, 1, "direct pipe" },
        { "no pipe", 64 + 48, 0, "beyond its limits" },
    };
    struct tape tape;
    struct fa_err e;
    unsigned char b[sizeof tape.b];
    tape_make(&tape);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        memcpy(b, tape.b, tape.n);
        unsigned char *frame = frame_of(b);
        fa_put_u32(frame + FA_REC_HEADER + t[i].at, t[i].v);
        reseal(frame);
        int code = tape_play(&tape, b, tape.n, &e);
        if (code >= 0 || !strstr(e.text, t[i].text))
            test_fail(__FILE__, __LINE__, "%s: code %d, '%s'", t[i].why, code, code < 0 ? e.text : "");
    }
    memcpy(b, tape.b, tape.n);                    /* sizes and pixel count agree, but the slot is smaller */
    unsigned char *frame = frame_of(b);
    fa_put_u32(frame + FA_REC_HEADER + 4, 16000);
    fa_put_u64(frame + FA_REC_HEADER + 48, (uint64_t)W * 16000 * 3);
    reseal(frame);
    check_int("too large", tape_play(&tape, b, tape.n, &e), FA_E_FORMAT);
    CHECK(strstr(e.text, "no slot of the ring") != NULL);
    tape_end(&tape);
}

static void a_file_and_a_second_pipe_are_refused_at_the_first_frame(void)
{
    struct tape t;
    struct fa_err e;
    struct fa_rec rec;
    int p[2], n;
    tape_make(&t);
    check_int("file", read_all(t.b, t.n, &n, &e), FA_E_FORMAT);
    check_int("after CLIP", n, 1);
    CHECK(strstr(e.text, "x.fas: clip 0 (c): frame 1: FRAME record: frames by reference need a direct pipe") != NULL);
    if (pipe2(p, O_CLOEXEC) != 0 || fa_write_full(p[1], t.b, t.n, NULL) != FA_OK)
        abort();
    close(p[1]);
    struct fa_reader *r = open_reader(p[0]);
    check_int("clip", fa_reader_next(r, &rec, &e), FA_OK);
    check_int("frame", fa_reader_next(r, &rec, &e), FA_E_FORMAT);
    check_int("and again", fa_reader_next(r, &rec, &e), FA_E_FORMAT);
    fa_reader_close(r);
    close(p[0]);
    tape_end(&t);
}

static void a_memfd_that_is_no_ring_is_refused(void)
{
    static const struct { const char *why; int seal; struct ring_head head; } t[] = {
        { "no magic", 1, { .slot_b = 4096, .n_slot = 3 } },
        { "may shrink", 0, { .magic = RING_MAGIC, .slot_b = 4096, .n_slot = 3 } },
        { "no slots", 1, { .magic = RING_MAGIC, .slot_b = 4096 } },
        { "too many slots", 1, { .magic = RING_MAGIC, .slot_b = 4096, .n_slot = RING_SLOTS + 1 } },
        { "slots of nothing", 1, { .magic = RING_MAGIC, .n_slot = 3 } },
        { "slots beyond the file", 1, { .magic = RING_MAGIC, .slot_b = 8192, .n_slot = 3 } },
        { "slots beyond everything", 1, { .magic = RING_MAGIC, .slot_b = 0xffffffffffffffc0ull, .n_slot = 8 } },
        { "odd slots", 1, { .magic = RING_MAGIC, .slot_b = 4097, .n_slot = 2 } },
    };
    struct ring_map *m;
    struct fa_err e;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        int fd = memfd_create(RING_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0 || ftruncate(fd, RING_DATA + 3 * 4096) != 0 || pwrite(fd, &t[i].head, sizeof t[i].head, 0) < 0 ||
            (t[i].seal && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) != 0))
            abort();
        check_int(t[i].why, ring_map_open(&m, fd, 0, &e), FA_E_FORMAT);
        close(fd);
    }
    int fd = tmp_fd();
    check_int("empty file", ring_map_open(&m, fd, 0, &e), FA_E_FORMAT);
    close(fd);
}

/* --- Processes that die. ------------------------------------------------------------------------------------------------------------------ */

/* A child that runs f with the pipe's read end as its input and, for a middle one, `out` as output; the parent's copies are closed. */
static pid_t child(void (*f)(int in, int out), int in, int out, int also_close)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (also_close >= 0)
            close(also_close);
        signal(SIGPIPE, SIG_IGN);
        f(in, out);
        _exit(0);
    }
    return pid;
}

/* Reads three frames, then stays with the third for good. */
static void read_three_and_stay(int in, int out)
{
    struct fa_reader *r = open_reader(in);
    struct fa_rec rec;
    struct fa_err e;
    (void)out;
    for (int i = 0; i < 4; i++)
        fa_reader_next(r, &rec, &e);
    for (;;)
        pause();
}

static void run_middle(int in, int out)
{
    struct row row = { .in = in, .out = out };
    middle(&row);
    _exit(row.bad ? 3 : 0);
}

/* Writes bytes of nothing known away, as cat > /dev/null would. */
static void swallow(int in, int out)
{
    char b[4096];
    (void)out;
    while (read(in, b, sizeof b) > 0)
        ;
}

static void a_reader_killed_while_it_holds_slots_ends_the_owner_within_a_second(void)
{
    struct owner o;
    signal(SIGPIPE, SIG_IGN);
    owner_open(&o);
    pid_t pid = child(read_three_and_stay, o.in, -1, o.out);
    close(o.in);
    o.in = -1;
    put_clip(&o, 0);
    int code = FA_OK, n = 0;
    pid_t killer = fork();
    if (killer == 0) {
        pause_ms(300);
        kill(pid, SIGKILL);
        _exit(0);
    }
    double t = now(CLOCK_MONOTONIC);
    while (code == FA_OK && n < 1000)
        code = put_frame(&o, 0, (uint64_t)++n, W, H, &o.e);
    t = now(CLOCK_MONOTONIC) - t;
    check_int("code", code, FA_E_PIPE);
    CHECK(t > 0.2 && t < 1.3);
    check_int("frames", n, 2 + RING_SLOTS + 1);
    check_int("and again", put_frame(&o, 0, 99, W, H, &o.e), FA_E_PIPE);
    check_int("close does not wait", fa_ring_close(o.ring, &o.e), FA_E_PIPE);
    o.ring = NULL;
    owner_close(&o);
    waitpid(pid, NULL, 0);
    waitpid(killer, NULL, 0);
    check_int("mappings left", n_mapped(), 0);
}

static void a_stall_above_does_not_hide_a_dead_reader_below(void)
{
    struct owner o;
    int p[2], st = 0;
    owner_open(&o);
    if (pipe2(p, O_CLOEXEC) != 0)
        abort();
    pid_t b = child(read_three_and_stay, p[0], -1, p[1]);
    close(p[0]);
    pid_t a = child(run_middle, o.in, p[1], o.out);
    close(p[1]);
    close(o.in);
    o.in = -1;
    put_clip(&o, 0);
    put_frame(&o, 0, 1, W, H, &o.e);              /* and no more: the middle one waits for us */
    pause_ms(200);
    kill(b, SIGKILL);
    double t = now(CLOCK_MONOTONIC);
    waitpid(b, NULL, 0);
    waitpid(a, &st, 0);
    t = now(CLOCK_MONOTONIC) - t;
    CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 3);
    CHECK(t < 1);
    int code = FA_OK;
    for (uint64_t n = 2; code == FA_OK && n < 100; n++)
        code = put_frame(&o, 0, n, W, H, &o.e);
    check_int("owner", code, FA_E_PIPE);
    owner_close(&o);
}

static void a_reader_that_takes_no_references_is_found_out(void)
{
    struct owner o;
    owner_open(&o);
    pid_t pid = child(swallow, o.in, -1, o.out);
    close(o.in);
    o.in = -1;
    put_clip(&o, 0);
    int code = FA_OK, n = 0;
    double t = now(CLOCK_MONOTONIC);
    while (code == FA_OK && n < 1000)
        code = put_frame(&o, 0, (uint64_t)++n, W, H, &o.e);
    t = now(CLOCK_MONOTONIC) - t;
    check_int("code", code, FA_E_ARG);
    CHECK(strstr(o.e.text, "does not take frames by reference") != NULL && t < 10);
    check_int("close", fa_ring_close(o.ring, &o.e), FA_E_ARG);
    o.ring = NULL;
    owner_close(&o);
    waitpid(pid, NULL, 0);
}

/* Takes what is there, looks at the first frame for longer than anybody's patience, then at the others. */
static void read_slowly(int in, int out)
{
    struct fa_rec rec;
    struct fa_err e;
    int n = 0;
    (void)out;
    pause_ms(300);
    struct fa_reader *r = open_reader(in);
    while (fa_reader_next(r, &rec, &e) == FA_OK)
        if (rec.type == FA_REC_FRAME && n++ == 0)
            pause_ms(RING_PATIENCE * RING_TICK_MS + 800);
    fa_reader_close(r);
    _exit(n == 11 ? 0 : 1);
}

static void a_reader_that_is_busy_while_the_frames_grow_is_no_stranger(void)
{
    struct owner o;
    int st = 0;
    owner_open(&o);
    pid_t pid = child(read_slowly, o.in, -1, o.out);
    close(o.in);
    o.in = -1;
    put_clip(&o, 0);
    for (int n = 1; n <= 11; n++)                 /* the second one is of another generation, which it sees only later */
        check_int("put", put_frame(&o, 0, (uint64_t)n, n == 1 ? 8 : W, H, &o.e), FA_OK);
    put_end(&o, 0, 11);
    check_int("close", fa_ring_close(o.ring, &o.e), FA_OK);
    o.ring = NULL;
    owner_close(&o);
    waitpid(pid, &st, 0);
    CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 0);
}

static void an_owner_that_is_gone_is_a_truncated_stream(void)
{
    struct fa_rec rec;
    struct fa_err e;
    int p[2];
    if (pipe2(p, O_CLOEXEC) != 0)
        abort();
    pid_t pid = fork();
    if (pid == 0) {                               /* dies without waiting for anybody */
        struct owner o = { .in = -1, .out = p[1], .w = open_writer(p[1], 0) };
        fa_ring_open(&o.ring, o.w, &o.e);
        put_clip(&o, 0);
        put_frame(&o, 0, 1, W, H, &o.e);
        _exit(0);
    }
    close(p[1]);
    waitpid(pid, NULL, 0);
    struct fa_reader *r = open_reader(p[0]);
    check_int("clip", fa_reader_next(r, &rec, &e), FA_OK);
    check_int("frame", fa_reader_next(r, &rec, &e), FA_E_TRUNC);
    CHECK(strstr(e.text, "is gone") != NULL);
    fa_reader_close(r);
    close(p[0]);
}

static void an_attached_reader_keeps_the_pixels_of_an_owner_that_died(void)
{
    struct fa_rec rec;
    struct fa_err e;
    char c;
    int p[2], done[2];
    if (pipe2(p, O_CLOEXEC) != 0 || pipe2(done, O_CLOEXEC) != 0)
        abort();
    pid_t pid = fork();
    if (pid == 0) {
        struct owner o = { .in = -1, .out = p[1], .w = open_writer(p[1], 0) };
        fa_ring_open(&o.ring, o.w, &o.e);
        put_clip(&o, 0);
        for (uint64_t n = 1; n <= 4; n++)
            put_frame(&o, 0, n, W, H, &o.e);
        if (write(done[1], "x", 1) == 1)
            pause();
        _exit(0);
    }
    close(p[1]);
    check_int("written", (long long)read(done[0], &c, 1), 1);
    struct fa_reader *r = open_reader(p[0]);
    check_int("clip", fa_reader_next(r, &rec, &e), FA_OK);
    check_int("frame", fa_reader_next(r, &rec, &e), FA_OK);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    for (int i = 2; i <= 4; i++) {
        CHECK(is_right(&rec));
        check_int("frame", fa_reader_next(r, &rec, &e), FA_OK);
    }
    CHECK(is_right(&rec));
    check_int("then", fa_reader_next(r, &rec, &e), FA_E_TRUNC);
    fa_reader_close(r);
    close(p[0]);
    close(done[0]);
    close(done[1]);
    check_int("mappings left", n_mapped(), 0);
}

static void a_program_that_others_cannot_find_makes_no_ring(void)
{
    int st = 0, p[2];
    if (pipe2(p, O_CLOEXEC) != 0)
        abort();
    pid_t pid = fork();
    if (pid == 0) {
        struct fa_ring *ring;
        struct fa_err e;
        struct fa_writer *w = open_writer(p[1], 0);
        prctl(PR_SET_DUMPABLE, 0);
        _exit(fa_ring_open(&ring, w, &e) == FA_E_ARG && !ring ? 0 : 1);
    }
    waitpid(pid, &st, 0);
    CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 0);
    close(p[0]);
    close(p[1]);
}

/* A file size limit stands for full memory: both stop fallocate and ftruncate of the memfd. */
static void no_memory_for_the_ring_is_an_error(void)
{
    int st = 0;
    pid_t pid = fork();
    if (pid == 0) {
        struct owner o;
        signal(SIGXFSZ, SIG_IGN);
        owner_open(&o);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1 << 20, 1 << 20 });
        int code = put_frame(&o, 0, 1, 1000, 1000, &o.e);
        int ok = code == FA_E_IO && strstr(o.e.text, "no shared memory for 6 frames of 3000000 bytes: File too large") &&
                 put_frame(&o, 0, 1, 8, 8, &o.e) == FA_OK;     /* what fits goes on */
        if (!ok)
            printf("  code %d: %s\n", code, o.e.text);
        fflush(stdout);
        _exit(ok ? 0 : 1);
    }
    waitpid(pid, &st, 0);
    CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 0);
}

int main(void)
{
    RUN(a_frame_comes_back_from_its_slot_and_the_slot_with_it);
    RUN(a_kept_slot_outlives_record_and_reader);
    RUN(an_older_generation_lives_as_long_as_it_is_held);
    RUN(sizes_that_grow_by_a_row_make_few_generations);
    RUN(slots_take_memory_when_they_are_first_filled);
    RUN(a_file_gets_the_pixels_and_the_bytes_of_a_stream_without_references);
    RUN(what_is_held_back_has_its_pixels_and_no_slot);
    RUN(only_a_plain_writer_into_a_pipe_takes_references);
    RUN(the_text_view_says_where_the_pixels_are);
    RUN(any_flipped_bit_of_a_reference_is_refused);
    RUN(a_stream_by_reference_cut_at_any_byte_is_never_whole);
    RUN(a_frame_that_does_not_fit_its_slot_is_refused);
    RUN(a_file_and_a_second_pipe_are_refused_at_the_first_frame);
    RUN(a_memfd_that_is_no_ring_is_refused);
    RUN(a_reader_killed_while_it_holds_slots_ends_the_owner_within_a_second);
    RUN(a_stall_above_does_not_hide_a_dead_reader_below);
    RUN(a_reader_that_takes_no_references_is_found_out);
    RUN(a_reader_that_is_busy_while_the_frames_grow_is_no_stranger);
    RUN(an_owner_that_is_gone_is_a_truncated_stream);
    RUN(an_attached_reader_keeps_the_pixels_of_an_owner_that_died);
    RUN(a_program_that_others_cannot_find_makes_no_ring);
    RUN(no_memory_for_the_ring_is_an_error);
    RUN(frames_of_many_clips_and_sizes_pass_two_readers);
    RUN(a_slow_reader_holds_the_owner_back_without_spinning);
    RUN(counts_order_what_the_two_sides_do_to_the_pixels);
    return test_done();
}
