/* SPDX-License-Identifier: BSD-2-Clause
 * The owner's side of a ring: see fa_ring.h. A frame larger than the slots begins a new generation, a ring of its own; the old one stays
 * until its readers have let go, for one of them may wait for the very next frame before it does.
 *
 * While it waits for a slot the owner looks at its pipe every RING_TICK_MS. That is the whole protection against readers that die: the one
 * that died had the pipe's other end, or the one before it had, and notices in the same way (fa_reader_watch). */
#include "stream_internal.h"
#include "ring_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

struct generation { struct generation *older; struct ring_map *map; int fd; uint64_t backed[RING_SLOTS]; };
struct fa_ring {
    struct fa_writer *w;
    struct generation *now;              /* older ones hang on it */
    int slot;                            /* of now, handed out and not put yet; -1: none */
    struct fa_err failed;                /* code < 0: nobody reads what we write */
};

/* Readers find us as /proc/PID: it must be there, be of our own space of process numbers, and let our user in (it does not
 * where the program file gives rights of its own, set-user-ID or capabilities). */
static int can_be_found(void)
{
    char link[32] = "", pid[32];
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    return readlink("/proc/self", link, sizeof link - 1) > 0 && strcmp(link, pid) == 0 && prctl(PR_GET_DUMPABLE) == 1;
}

int fa_ring_open(struct fa_ring **out, struct fa_writer *w, struct fa_err *e)
{
    *out = NULL;
    if (!fa_writer_by_reference(w))
        return fa_fail(e, FA_E_ARG, "frames by reference need a pipe, and no compression");
    if (!can_be_found())
        return fa_fail(e, FA_E_ARG, "frames by reference need a /proc in which other programs of the user can find this one");
    struct fa_ring *r = calloc(1, sizeof *r);
    if (!r)
        return fa_fail(e, FA_E_MEM, "out of memory");
    r->w = w;
    r->slot = -1;
    *out = r;
    return FA_OK;
}

static void drop(struct generation *g)
{
    ring_map_leave(g->map);
    if (g->fd >= 0)
        close(g->fd);
    free(g);
}

static int held(const struct generation *g)
{
    int n = 0;
    for (uint32_t i = 0; i < g->map->n_slot; i++)
        n += atomic_load(&g->map->head->slot[i].holds) > 0;
    return n;
}

int fa_ring_held(const struct fa_ring *r)
{
    int n = 0;
    for (const struct generation *g = r->now; g; g = g->older)
        n += held(g);
    return n;
}

int fa_ring_generations(const struct fa_ring *r)
{
    int n = 0;
    for (const struct generation *g = r->now; g; g = g->older)
        n++;
    return n;
}

/* Slots grow by half at least, so that pictures of slowly growing sizes do not make a generation each. */
static int begin(struct fa_ring *r, size_t bytes, struct fa_err *e)
{
    struct ring_head head = { .magic = RING_MAGIC };
    const uint64_t page = 4096, before = r->now ? r->now->map->slot_b : 0;
    head.slot_b = bytes > before + before / 2 ? bytes : before + before / 2;
    head.slot_b = (head.slot_b / page + 1) * page;
    uint64_t n = RING_MEMORY / head.slot_b;
    head.n_slot = (uint32_t)(n < RING_SLOTS_MIN ? RING_SLOTS_MIN : n > RING_SLOTS ? RING_SLOTS : n);
    struct generation *g = calloc(1, sizeof *g);
    if (!g)
        return fa_fail(e, FA_E_MEM, "out of memory");
    const off_t size = (off_t)(RING_DATA + head.n_slot * head.slot_b);
    g->fd = memfd_create(RING_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int code = FA_OK;
    if (g->fd < 0 || getrandom(&head.token, sizeof head.token, 0) != (ssize_t)sizeof head.token || ftruncate(g->fd, size) != 0 ||
        fallocate(g->fd, 0, 0, sizeof head) != 0 || pwrite(g->fd, &head, sizeof head, 0) != (ssize_t)sizeof head ||
        fcntl(g->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        code = fa_fail_errno(e, FA_E_IO, "no shared memory for %u frames of %zu bytes", (unsigned)head.n_slot, bytes);
    if (code == FA_OK)
        code = ring_map_open(&g->map, g->fd, 1, e);
    if (code != FA_OK) {
        drop(g);
        return code;
    }
    g->older = r->now;
    r->now = g;
    return FA_OK;
}

/* Old generations that nobody holds any more go. */
static void sweep(struct fa_ring *r)
{
    struct generation **at = r->now ? &r->now->older : NULL;
    while (at && *at) {
        struct generation *g = *at;
        if (held(g)) {
            at = &g->older;
        } else {
            *at = g->older;
            drop(g);
        }
    }
}

/* Memory behind the slot, so that writing to it cannot fail later. */
static int back(struct generation *g, int slot, size_t bytes, struct fa_err *e)
{
    if (g->backed[slot] >= bytes)
        return FA_OK;
    int r;
    do
        r = fallocate(g->fd, 0, (off_t)(RING_DATA + (uint64_t)slot * g->map->slot_b), (off_t)bytes);
    while (r != 0 && errno == EINTR);
    if (r != 0)
        return fa_fail_errno(e, FA_E_IO, "no shared memory for a frame of %zu bytes", bytes);
    g->backed[slot] = bytes;
    return FA_OK;
}

/* The lowest, whose memory is most likely there and warm; -1. */
static int free_slot(const struct generation *g)
{
    for (uint32_t i = 0; i < g->map->n_slot; i++)
        if (atomic_load(&g->map->head->slot[i].holds) == 0)
            return (int)i;
    return -1;
}

static int ready(const struct generation *g, int all) { return all ? held(g) == 0 : free_slot(g) >= 0; }

/* Until g has a free slot (all: until every slot is free). */
static int wait_for(struct fa_ring *r, struct generation *g, int all, struct fa_err *e)
{
    struct ring_head *h = g->map->head;
    int code = FA_OK;
    for (;;) {
        uint32_t seen = atomic_load(&h->freed);
        atomic_store(&h->waiting, 1);
        if (ready(g, all))
            break;
        ring_sleep(h, seen);
        if (!ready(g, all) && (code = writer_watch(r->w, e)) != FA_OK)
            break;
    }
    atomic_store(&h->waiting, 0);
    return code;
}

static int next_slot(struct fa_ring *r, size_t bytes, struct fa_err *e)
{
    int code = FA_OK;
    sweep(r);
    if (!r->now || r->now->map->slot_b < bytes) {
        r->slot = -1;
        code = begin(r, bytes, e);
    }
    if (code == FA_OK && r->slot < 0 && (code = wait_for(r, r->now, 0, e)) == FA_OK)
        r->slot = free_slot(r->now);
    return code == FA_OK ? back(r->now, r->slot, bytes, e) : code;
}

int fa_ring_slot(struct fa_ring *r, size_t bytes, uint8_t **px, struct fa_err *e)
{
    struct fa_err own = { 0 };
    int code = r->failed.code;
    assert(bytes > 0);
    if (code == FA_OK && (code = next_slot(r, bytes, &own)) == FA_OK) {
        *px = ring_px(r->now->map, (uint32_t)r->slot);
        return FA_OK;
    }
    if (code == FA_E_PIPE || code == FA_E_ARG)
        r->failed = r->failed.code == FA_OK ? own : r->failed;
    return fa_fail(e, code, "%s", r->failed.code == code ? r->failed.text : own.text);
}

int fa_ring_put(struct fa_ring *r, uint32_t clip, uint64_t frame, const struct fa_frame *f, struct fa_err *e)
{
    struct generation *g = r->now;
    if (r->slot < 0 || f->px != ring_px(g->map, (uint32_t)r->slot))
        return fa_fail(e, FA_E_ARG, "frame %llu: its pixels are not in the ring", (unsigned long long)frame);
    struct ring_slot *s = &g->map->head->slot[r->slot];
    struct ref ref = { .pid = (uint32_t)getpid(), .fd = g->fd, .token = g->map->token, .slot = (uint32_t)r->slot, .use = atomic_load(&s->use) + 1,
                       .offset = RING_DATA + (uint64_t)r->slot * g->map->slot_b, .pipe = writer_pipe(r->w) };
    unsigned char p[REF_BYTES];
    ref_pack(p, &ref);
    atomic_store(&s->use, ref.use);
    atomic_store(&s->holds, 1);
    int code = frame_put(r->w, clip, frame, f, p, e);
    if (code != FA_OK)
        atomic_store(&s->holds, 0);
    else
        writer_sent(r->w, g->map);
    r->slot = -1;
    return code;
}

int fa_ring_close(struct fa_ring *r, struct fa_err *e)
{
    if (!r)
        return FA_OK;
    for (struct generation *g = r->now; g && r->failed.code == FA_OK; g = g->older)
        wait_for(r, g, 1, &r->failed);
    int code = r->failed.code;
    if (code != FA_OK)
        fa_fail(e, code, "%s", r->failed.text);
    for (struct generation *g = r->now, *older; g; g = older) {
        older = g->older;
        drop(g);
    }
    free(r);
    return code;
}
