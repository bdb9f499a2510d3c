/* SPDX-License-Identifier: BSD-2-Clause
 * Walking the dumps of fits: blocks (one model at one scale), the rows inside a block by the end of their names (which carry
 * prefixes of face and hypothesis), and shapes into planes. */
#ifndef FIT_DUMP_H
#define FIT_DUMP_H

#include <stdio.h>
#include <string.h>

#include "dump.h"
#include "fa_image.h"
#include "fa_shape.h"

static const char *const fit_cases[] = { "default_wmv", "avi_2015", "image_sample3" };
enum { FIT_CASES = 3, FIT_MODELS = 4 };
/* The CLNF set's models: where they are in the pack, and what a part's settings go by (fit 1.4). */
static const char *const fit_prefix[FIT_MODELS] = { "main", "part/0", "part/1", "part/2" };
static const char *const fit_part[FIT_MODELS] = { "", "inner", "left_eye_28", "right_eye_28" };

static inline int name_ends(const struct dump_row *r, const char *tail)
{
    size_t n = strlen(r->name), m = strlen(tail);
    return n >= m && strcmp(r->name + n - m, tail) == 0 && (n == m || r->name[n - m - 1] == '.');
}

/* A block's rows: [from, to). */
struct fit_block { int from, to; const char *part; int frame, scale; };

/* The next block at or after row at; 0 when there is none. */
static inline int next_block(struct fit_block *b, const struct dump *d, int at)
{
    while (at < d->n && !name_ends(&d->row[at], "scale.params_global_in"))
        at++;
    if (at == d->n)
        return 0;
    *b = (struct fit_block){ at, at + 1, d->row[at].part, d->row[at].frame, d->row[at].scale };
    while (b->to < d->n && !name_ends(&d->row[b->to], "scale.params_global_in"))
        b->to++;
    return 1;
}

/* First row of the block from row at on whose name ends so; iteration -2: any. NULL: none. */
static inline const struct dump_row *block_row(const struct dump *d, const struct fit_block *b, int at, const char *tail, int iter)
{
    for (int i = at < b->from ? b->from : at; i < b->to; i++) {
        const struct dump_row *r = &d->row[i];
        if (r->scale == b->scale && strcmp(r->part, b->part) == 0 && (iter == -2 || r->iter == iter) && name_ends(r, tail))
            return r;
    }
    return NULL;
}

/* All cases: 1, or 0 when there are no dumps. */
static inline int open_dumps(struct dump d[FIT_CASES])
{
    for (int c = 0; c < FIT_CASES; c++)
        if (!dump_open(&d[c], fit_cases[c]))
            return 0;
    return 1;
}

/* Every block b of every dump d. */
#define FOR_BLOCKS(dumps, d, b) \
    for (int c_ = 0; c_ < FIT_CASES; c_++) \
        for (const struct dump *d = &(dumps)[c_]; d; d = NULL) \
            for (struct fit_block b = { 0 }; next_block(&b, d, b.to);)

/* 0 main, then the parts in the model's order. */
static inline int part_index(const char *part)
{
    for (int i = 1; i < FIT_MODELS; i++)
        if (strcmp(part, fit_part[i]) == 0)
            return i;
    return 0;
}

/* Dumped vectors are all x, then all y; ours are planes of np. */
static inline void to_planes(float *xy, const float *dumped, int n, int np)
{
    memset(xy, 0, 2 * (size_t)np * sizeof *xy);
    memcpy(xy, dumped, (size_t)n * sizeof *xy);
    memcpy(xy + np, dumped + n, (size_t)n * sizeof *xy);
}

static inline void from_planes(float *dumped, const float *xy, int n, int np)
{
    memcpy(dumped, xy, (size_t)n * sizeof *xy);
    memcpy(dumped + n, xy + np, (size_t)n * sizeof *xy);
}

static inline void params_of(struct fa_params *p, const struct dump_row *g, const struct dump_row *q)
{
    memset(p, 0, sizeof *p);
    memcpy(&p->g, dump_f32(g), sizeof p->g);
    if (q)
        memcpy(p->q, dump_f32(q), q->n * sizeof(float));
}

/* The gray frame that the block was computed on. */
static inline struct fa_img8 gray_of(const struct dump *d, int frame)
{
    const struct dump_row *r = dump_find(d, 0, "image.gray", frame, NULL, -2, -2);
    if (!r)
        r = dump_find(d, 0, "image.gray", -2, NULL, -2, -2);
    return (struct fa_img8){ (uint8_t *)r->data, r->dim[1], r->dim[1], r->dim[0], 1 };
}

#endif
