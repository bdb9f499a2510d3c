/* SPDX-License-Identifier: BSD-2-Clause
 * The whole-clip pass (spec/aus 8). A frame's history is a row of raw values. A value that the final medians will replace is kept
 * as its static part, since the predictors are linear: the value is then static part - final shift, and no descriptor has to be
 * stored. At the end the rows are read again: eight passes find each intensity's zero level (a byte of the wanted
 * quantile a pass, so nothing is sorted or held), one more smooths and gives the values out. */
#include "fa_au.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fa_spool.h"

enum { ROW = 2 * FA_AU_MAX + 1, BLOCK_ROWS = 64, IN_MEMORY = 1 << 20, REACH = 3 /* frames that smoothing looks ahead */, RING = 8 };
/* Last entry of a row. */
enum { FAILED = 0, RUNNING = 1, RESTATED = 2 };

struct fa_au_clip {
    const struct fa_au_set *set;
    struct fa_spool rows;
    int n;                                       /* values in a row */
    uint64_t n_frame, n_good;
    double shift[2 * FA_AU_MAX], offset[FA_AU_MAX];
    double block[BLOCK_ROWS][ROW];
    uint64_t block_at, block_end;                /* rows in block */
    uint64_t next;                               /* frame that fa_au_clip_next gives */
    uint64_t loaded;                             /* frames in ring: loaded - RING .. loaded - 1 */
    struct { double r[FA_AU_MAX], c[FA_AU_MAX], distance[FA_AU_MAX]; } ring[RING];
};

int fa_au_clip_open(struct fa_au_clip **out, const struct fa_au_set *s, struct fa_err *e)
{
    *out = NULL;
    struct fa_au_clip *c = calloc(1, sizeof *c);
    if (!c)
        return fa_fail(e, FA_E_MEM, "out of memory");
    int r = fa_spool_open(&c->rows, IN_MEMORY, e);
    if (r != FA_OK) {
        free(c);
        return r;
    }
    c->set = s;
    c->n = s->n_r + s->n_c;
    *out = c;
    return FA_OK;
}

void fa_au_clip_close(struct fa_au_clip *c)
{
    if (!c)
        return;
    fa_spool_close(&c->rows);
    free(c);
}

void fa_au_clip_reset(struct fa_au_clip *c)
{
    fa_spool_reset(&c->rows);
    c->n_frame = c->n_good = c->block_at = c->block_end = c->next = c->loaded = 0;
}

int fa_au_clip_needs_shift(const struct fa_au_clip *c) { return c->n_good >= FA_AU_RESTATED; }

int fa_au_clip_add(struct fa_au_clip *c, const double *part, const double *shift, int success, struct fa_err *e)
{
    double row[ROW] = { 0 };
    const int restated = c->n_good < FA_AU_RESTATED;
    assert(restated || shift || !success);
    if (success) {
        for (int k = 0; k < c->n; k++)
            row[k] = restated ? part[k] : part[k] - shift[k];
        row[c->n] = restated ? RESTATED : RUNNING;
        c->n_good++;
    }
    c->n_frame++;
    return fa_spool_add(&c->rows, row, (size_t)(c->n + 1) * sizeof *row, e);
}

/* The row of a frame with its final raw values; NULL: e says why. Frames are asked for in ascending order. */
static const double *row_of(struct fa_au_clip *c, uint64_t frame, struct fa_err *e)
{
    if (frame < c->block_at || frame >= c->block_end) {
        uint64_t n = c->n_frame - frame < BLOCK_ROWS ? c->n_frame - frame : BLOCK_ROWS;
        const size_t bytes = (size_t)(c->n + 1) * sizeof(double);
        double *flat = c->block[0];
        if (fa_spool_read(&c->rows, frame * bytes, flat, n * bytes, e) != FA_OK)
            return NULL;
        for (uint64_t i = 0; i < n; i++) {
            double *row = flat + i * (size_t)(c->n + 1);
            for (int k = 0; row[c->n] == RESTATED && k < c->n; k++)
                row[k] -= c->shift[k];
        }
        c->block_at = frame;
        c->block_end = frame + n;
    }
    return c->block[0] + (frame - c->block_at) * (size_t)(c->n + 1);
}

/* Doubles as integers in the same order. */
static uint64_t rank_key(double v)
{
    uint64_t u;
    memcpy(&u, &v, sizeof u);
    return u >> 63 ? ~u : u | 1ull << 63;
}

static double key_value(uint64_t key)
{
    uint64_t u = key >> 63 ? key & ~(1ull << 63) : ~key;
    double v;
    memcpy(&v, &u, sizeof v);
    return v;
}

/* For each intensity with a cutoff, the value at rank trunc(n * cutoff) among the successful frames. */
static int find_offsets(struct fa_au_clip *c, struct fa_err *e)
{
    const struct fa_au_set *s = c->set;
    static const int bytes = 8;
    uint64_t key[FA_AU_MAX] = { 0 }, rank[FA_AU_MAX], count[FA_AU_MAX][256];
    int wanted[FA_AU_MAX];
    if (c->n_good == 0)
        return FA_OK;
    for (int k = 0; k < s->n_r; k++) {
        wanted[k] = s->dynamic[k] && s->cutoff[k] != -1;
        rank[k] = wanted[k] ? (uint64_t)((double)c->n_good * s->cutoff[k]) : 0;
        if (rank[k] >= c->n_good)
            rank[k] = c->n_good - 1;
    }
    for (int b = bytes - 1; b >= 0; b--) {
        const int above = 8 * (b + 1);             /* bits that earlier passes found */
        memset(count, 0, sizeof count);
        for (uint64_t i = 0; i < c->n_frame; i++) {
            const double *row = row_of(c, i, e);
            if (!row)
                return FA_E_IO;
            for (int k = 0; row[c->n] != FAILED && k < s->n_r; k++) {
                uint64_t v = rank_key(row[k]);
                if (wanted[k] && (above == 64 || v >> above == key[k]))
                    count[k][v >> (8 * b) & 255]++;
            }
        }
        for (int k = 0; k < s->n_r; k++) {
            unsigned j = 0;
            while (wanted[k] && rank[k] >= count[k][j])
                rank[k] -= count[k][j++];
            key[k] = key[k] << 8 | j;
        }
    }
    for (int k = 0; k < s->n_r; k++)
        if (wanted[k])
            c->offset[k] = key_value(key[k]);
    return FA_OK;
}

int fa_au_clip_finish(struct fa_au_clip *c, const double *final_shift, int offsets, struct fa_err *e)
{
    memcpy(c->shift, final_shift, (size_t)c->n * sizeof *final_shift);
    memset(c->offset, 0, sizeof c->offset);
    c->block_at = c->block_end = c->next = c->loaded = 0;
    return offsets ? find_offsets(c, e) : FA_OK;
}

/* Brings the next frame into the ring: clamped intensities, presences before the vote. */
static int load(struct fa_au_clip *c, struct fa_err *e)
{
    const struct fa_au_set *s = c->set;
    const double *row = row_of(c, c->loaded, e);
    if (!row)
        return FA_E_IO;
    int good = row[c->n] != FAILED, at = (int)(c->loaded % RING);
    for (int k = 0; k < s->n_r; k++) {
        double v = good ? row[k] - c->offset[k] : 0;
        c->ring[at].r[k] = v < 0 ? 0 : v > 5 ? 5 : v;
    }
    for (int k = 0; k < s->n_c; k++) {
        double d = row[s->n_r + k];
        c->ring[at].c[k] = good ? fa_au_presence(s, k, d) : 0;
        c->ring[at].distance[k] = d;
    }
    c->loaded++;
    return FA_OK;
}

int fa_au_clip_next(struct fa_au_clip *c, double *r, double *presence, double *distance, struct fa_err *e)
{
    const struct fa_au_set *s = c->set;
    const uint64_t i = c->next++, n = c->n_frame;
    assert(i < n);
    while (c->loaded < n && c->loaded <= i + REACH) {
        int code = load(c, e);
        if (code != FA_OK)
            return code;
    }
#define AT(j) c->ring[(j) % RING]
    /* Failed frames take part with zeros; the clip's ends stay as they are. */
    for (int k = 0; k < s->n_r; k++)
        r[k] = i >= 1 && i + 1 < n ? (AT(i - 1).r[k] + AT(i).r[k] + AT(i + 1).r[k]) / 3 : AT(i).r[k];
    for (int k = 0; k < s->n_c; k++) {
        presence[k] = AT(i).c[k];
        distance[k] = AT(i).distance[k];
        if (i >= 3 && i + 3 < n) {
            double sum = 0;
            for (uint64_t j = i - 3; j <= i + 3; j++)
                sum += AT(j).c[k];
            presence[k] = sum / 7 < 0.5 ? 0 : 1;
        }
    }
#undef AT
    return FA_OK;
}
