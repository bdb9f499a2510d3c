/* SPDX-License-Identifier: BSD-2-Clause
 * One mapping of a ring, and the counting of holds: see ring_internal.h. Nothing that the head says is believed before it was compared with
 * the file, and what was believed is copied, so that it cannot change afterwards. */
#include "ring_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The file can hold what the head says, and cannot shrink. */
static int is_sound(int fd, const struct ring_head *h)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < RING_DATA)
        return 0;
    if (h->magic != RING_MAGIC || h->n_slot < 1 || h->n_slot > RING_SLOTS || h->slot_b == 0 || h->slot_b % FA_REC_ALIGN)
        return 0;
    return h->slot_b <= ((uint64_t)st.st_size - RING_DATA) / h->n_slot;
}

/* NULL with errno. */
static void *map(int fd, uint64_t at, uint64_t size, int prot)
{
    void *p = size <= SIZE_MAX ? mmap(NULL, (size_t)size, prot, MAP_SHARED, fd, (off_t)at) : MAP_FAILED;
    return p == MAP_FAILED ? NULL : p;
}

int ring_map_open(struct ring_map **out, int fd, int own, struct fa_err *e)
{
    struct ring_head first;
    *out = NULL;
    if (pread(fd, &first, sizeof first, 0) != (ssize_t)sizeof first || !is_sound(fd, &first))
        return fa_fail(e, FA_E_FORMAT, "not a ring of frames");
    struct ring_map *m = calloc(1, sizeof *m);
    if (!m)
        return fa_fail(e, FA_E_MEM, "out of memory");
    *m = (struct ring_map){ .token = first.token, .slot_b = first.slot_b, .n_slot = first.n_slot, .users = 1 };
    m->head = map(fd, 0, RING_DATA, PROT_READ | PROT_WRITE);
    if (m->head)
        m->px = map(fd, RING_DATA, m->n_slot * m->slot_b, own ? PROT_READ | PROT_WRITE : PROT_READ);
    if (!m->px) {
        int r = fa_fail_errno(e, FA_E_IO, "map of the ring of frames (%u slots of %llu bytes)", (unsigned)m->n_slot, (unsigned long long)m->slot_b);
        ring_map_leave(m);
        return r;
    }
    *out = m;
    return FA_OK;
}

struct ring_map *ring_map_use(struct ring_map *m)
{
    m->users++;
    return m;
}

void ring_map_leave(struct ring_map *m)
{
    if (!m || --m->users > 0)
        return;
    if (m->px)
        munmap(m->px, (size_t)(m->n_slot * m->slot_b));
    if (m->head)
        munmap(m->head, RING_DATA);
    free(m);
}

void ring_hold(struct ring_map *m, uint32_t slot) { atomic_fetch_add(&m->head->slot[slot].holds, 1); }

/* Never below 0, whatever a damaged stream makes of us. The owner says that it waits before it looks at the slots for the last time, and
 * we count before we ask whether it waits: one of the two sees the other. */
void ring_give_back(struct ring_map *m, uint32_t slot)
{
    _Atomic uint32_t *holds = &m->head->slot[slot].holds;
    uint32_t n = atomic_load(holds);
    while (n > 0 && !atomic_compare_exchange_weak(holds, &n, n - 1))
        ;
    if (n != 1)
        return;
    atomic_fetch_add(&m->head->freed, 1);
    if (atomic_load(&m->head->waiting))
        syscall(SYS_futex, &m->head->freed, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void ring_sleep(struct ring_head *h, uint32_t seen)
{
    struct timespec t = { .tv_nsec = RING_TICK_MS * 1000000L };
    syscall(SYS_futex, &h->freed, FUTEX_WAIT, seen, &t, NULL, 0);
}

int ring_signed_in(const struct ring_map *m, uint64_t pipe)
{
    for (int i = 0; i < RING_READERS; i++)
        if (atomic_load(&m->head->reader[i]) == pipe)
            return 1;
    return 0;
}

int ring_sign_in(struct ring_map *m, uint64_t pipe)
{
    for (int i = 0; i < RING_READERS; i++) {
        uint64_t there = 0;
        if (atomic_compare_exchange_strong(&m->head->reader[i], &there, pipe) || there == pipe)
            return 1;
    }
    return 0;
}
