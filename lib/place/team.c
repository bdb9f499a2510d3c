/* SPDX-License-Identifier: BSD-2-Clause
 * Items are claimed from one counter. It carries the number of the loop it counts for, so that a helper that wakes late cannot
 * claim from the next loop with what it knows of the last:
 *
 *      state = loop number << 32 | next item
 *
 * A loop is over when as many items are done as there are; nobody then holds an item of it. Helpers look for work for a short
 * while before they sleep, because loops come in quick succession within a frame. */
#include "fa_team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

struct job { uint32_t loop; int n; fa_team_item *item; void *arg; };
struct helper { struct fa_team *team; int worker; pthread_t thread; };

struct fa_team {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    struct job job;                      /* under lock, like the next line: the loop, whether to end, who is asleep */
    int quit, helpers_asleep, caller_asleep;
    _Atomic uint64_t state;
    atomic_int n_done;
    int n_helper;
    struct helper helper[];
};

/* Some 20 microseconds of looking. */
enum { LOOKS = 500 };

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Claims and runs items of the job until none is left. */
static void work_on(struct fa_team *t, const struct job *j, int worker)
{
    uint64_t s = atomic_load(&t->state);
    while ((uint32_t)(s >> 32) == j->loop && (int)(uint32_t)s < j->n) {
        if (!atomic_compare_exchange_weak(&t->state, &s, s + 1))
            continue;
        j->item(j->arg, (int)(uint32_t)s, worker);
        if (atomic_fetch_add(&t->n_done, 1) + 1 == j->n) {
            pthread_mutex_lock(&t->lock);
            if (t->caller_asleep)
                pthread_cond_signal(&t->done);
            pthread_mutex_unlock(&t->lock);
        }
        s = atomic_load(&t->state);
    }
}

static void *help(void *arg)
{
    const struct helper *self = arg;
    struct fa_team *t = self->team;
    uint32_t seen = 0;
    for (;;) {
        for (int i = 0; i < LOOKS && (uint32_t)(atomic_load_explicit(&t->state, memory_order_relaxed) >> 32) == seen; i++)
            pause_briefly();
        pthread_mutex_lock(&t->lock);
        while (t->job.loop == seen && !t->quit) {
            t->helpers_asleep++;
            pthread_cond_wait(&t->work, &t->lock);
            t->helpers_asleep--;
        }
        const struct job j = t->job;
        const int quit = t->quit;
        pthread_mutex_unlock(&t->lock);
        if (quit)
            return NULL;
        seen = j.loop;
        work_on(t, &j, self->worker);
    }
}

int fa_team_open(struct fa_team **out, int threads, struct fa_err *e)
{
    *out = NULL;
    if (threads < 1 || threads > 1024)
        return fa_fail(e, FA_E_ARG, "a team of %d threads", threads);
    if (threads == 1)
        return FA_OK;
    struct fa_team *t = calloc(1, sizeof *t + (size_t)(threads - 1) * sizeof t->helper[0]);
    if (!t)
        return fa_fail(e, FA_E_MEM, "no memory for %d threads", threads);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->work, NULL);
    pthread_cond_init(&t->done, NULL);
    while (t->n_helper < threads - 1) {
        struct helper *h = &t->helper[t->n_helper];
        *h = (struct helper){ .team = t, .worker = t->n_helper + 1 };
        if (pthread_create(&h->thread, NULL, help, h) != 0) {
            fa_team_close(t);
            return fa_fail(e, FA_E_MEM, "cannot start %d threads", threads);
        }
        t->n_helper++;
    }
    *out = t;
    return FA_OK;
}

void fa_team_close(struct fa_team *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->quit = 1;
    pthread_cond_broadcast(&t->work);
    pthread_mutex_unlock(&t->lock);
    for (int i = 0; i < t->n_helper; i++)
        pthread_join(t->helper[i].thread, NULL);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->work);
    pthread_cond_destroy(&t->done);
    free(t);
}

int fa_team_size(const struct fa_team *t) { return t ? 1 + t->n_helper : 1; }

void fa_team_run(struct fa_team *t, fa_team_item *item, void *arg, int n)
{
    if (!t || n < 2) {
        for (int i = 0; i < n; i++)
            item(arg, i, 0);
        return;
    }
    pthread_mutex_lock(&t->lock);
    const struct job j = { t->job.loop + 1, n, item, arg };
    t->job = j;
    atomic_store(&t->n_done, 0);
    atomic_store(&t->state, (uint64_t)j.loop << 32);
    if (t->helpers_asleep)
        pthread_cond_broadcast(&t->work);
    pthread_mutex_unlock(&t->lock);

    work_on(t, &j, 0);
    for (int i = 0; i < LOOKS && atomic_load(&t->n_done) < n; i++)
        pause_briefly();
    pthread_mutex_lock(&t->lock);
    t->caller_asleep = 1;
    while (atomic_load(&t->n_done) < n)
        pthread_cond_wait(&t->done, &t->lock);
    t->caller_asleep = 0;
    pthread_mutex_unlock(&t->lock);
}
