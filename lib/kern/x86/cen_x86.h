/* SPDX-License-Identifier: BSD-2-Clause
 * What the AVX2 and AVX-512 variants of the CEN kernels share: windows, and which inputs of a layer are worth their multiply-adds. */
#ifndef FA_CEN_X86_H
#define FA_CEN_X86_H

#include <stddef.h>
#include <stdint.h>

#include "fa_kern_cen.h"

/* Rows whose sums stay in registers together, and the numbers of those inputs that are not zero in all of them. A rectifier leaves half
 * of its outputs zero, often the same ones at neighbouring windows; what is not listed would add nothing. */
enum { CEN_ROWS = 4, CEN_GROUPS = 23 };
/* Weights are fetched so many bytes ahead of use: more than a tile of a large layer, across the borders of layers and experts, which
 * lie one after the other. */
enum { CEN_AHEAD = 128 * 1024 };
/* While n inputs pass, n_ahead lines are fetched, one at each input i with (i & pause) == 0: spread out, not in a burst that fills the
 * queue of misses. */
static inline int cen_fetch_pause(int n, int n_ahead) { return n >= 8 * n_ahead ? 7 : n >= 4 * n_ahead ? 3 : n >= 2 * n_ahead ? 1 : 0; }
struct cen_group { int n_row, n; uint16_t active[FA_CEN_MAX_IN]; };

/* Sorts up to CEN_ROWS * CEN_GROUPS rows into groups of 4, the last up to 3 ones alone. Returns how many groups. */
int fa_cen_groups_avx2(struct cen_group *g, const float *x, int ldx, int n, const struct fa_cen_layer *l);

/* A run over all groups of rows with tiles of one width, a constant in it: the file's own sums() does a tile of its struct tile. */
#define CEN_TILES(name, width, half) \
    static void name(float *y, int ldy, const float *x, int ldx, const struct tile *t, const struct cen_group *g, int n_group) \
    { \
        const char *ahead = t->ahead; \
        for (; n_group-- > 0; g++, ahead += 64 * (ptrdiff_t)t->n_ahead) { \
            if (g->n_row == CEN_ROWS) \
                sums(y, ldy, x, ldx, t, g, ahead, CEN_ROWS, width, half); \
            else \
                sums(y, ldy, x, ldx, t, g, ahead, 1, width, half); \
            y += (ptrdiff_t)g->n_row * ldy; \
            x += (ptrdiff_t)g->n_row * ldx; \
        } \
    }

void fa_cen_windows_avx2(float *panel, const float *aoi, int w);

#endif
