/* SPDX-License-Identifier: BSD-2-Clause
 * Histograms of oriented gradients of the aligned face, 112 x 112 pixels in cells of 8 (spec/aus 4). Class exact.
 *
 * Pixels 1 .. 110 of a row and of a column vote; index i of a row's arrays is pixel i + 1. Cells are counted with a ring
 * around them: cell c = 0 .. 15 is the spec's cell c - 1. */
#ifndef FA_KERN_FHOG_H
#define FA_KERN_FHOG_H

#include <stdint.h>

enum {
    FA_FHOG_SIDE = 112, FA_FHOG_STRIDE = 128,                 /* of a colour plane; the bytes past a row are 0 */
    FA_FHOG_PIXELS = FA_FHOG_SIDE - 2, FA_FHOG_ROW = FA_FHOG_SIDE,     /* pixels that vote; room for a row of them */
    FA_FHOG_GROUPED = 104,                                    /* pixels 1 .. 104 follow the group rules, the rest the tail rules */
    FA_FHOG_CELLS = 16, FA_FHOG_BINS = 18, FA_FHOG_OUT = 12, FA_FHOG_FEATURES = 31
};

struct fa_kern_fhog {
    /* Interleaved B,G,R pixels (3 n bytes) into three planes. Up to 16 bytes past the planes' n may be written. */
    void (*planes)(uint8_t *restrict b, uint8_t *restrict g, uint8_t *restrict r, const uint8_t *restrict bgr, int n);
    /* Gradient length and signed orientation bin of the pixels of one row. plane[c] (B, G, R): start of the row, with a row above and
     * one below at FA_FHOG_STRIDE. Entries from FA_FHOG_PIXELS on are undefined. */
    void (*gradient)(float v[FA_FHOG_ROW], int32_t bin[FA_FHOG_ROW], const uint8_t *const plane[3]);
    /* Votes of one row: hist[cell column][bin][0] is the cell row above the pixels' centres, [1] the one below, with weights a[0], a[1]. */
    void (*vote)(float hist[FA_FHOG_CELLS][FA_FHOG_BINS][2], const float v[FA_FHOG_ROW], const int32_t bin[FA_FHOG_ROW], const float a[2]);
    /* Features of one output cell from its histogram and the four normalisers nn_k = 0.2 sqrt(block_k), n_k = 0.1 / nn_k. */
    void (*features)(float f[FA_FHOG_FEATURES], const float h[FA_FHOG_BINS], const float nn[4], const float n[4]);
};

const struct fa_kern_fhog *fa_kern_fhog(void);
extern const struct fa_kern_fhog fa_kern_fhog_c, fa_kern_fhog_avx2, fa_kern_fhog_avx512;

/* Weight of the cell column left of pixel i's centre and of the one right of it, and that left column. */
static inline int fa_fhog_column(float b[2], int i)
{
    int t = (i + 1 + 4) % 8;
    b[1] = ((float)t + 0.5f) / 8;
    b[0] = 1 - b[1];
    return (i + 1 + 4) / 8;
}

#endif
