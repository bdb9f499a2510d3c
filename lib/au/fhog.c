/* SPDX-License-Identifier: BSD-2-Clause
 * The FHOG descriptor of an aligned face (spec/aus 4). Rows of pixels vote into two rows of cells at a time: when the rows'
 * centres pass a cell row, the upper one is finished and the lower one becomes the upper. A cell so receives its votes in
 * raster order, which its float sums depend on. */
#include "fa_au.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "fa_kern_fhog.h"

enum { INNER = FA_FHOG_CELLS - 2, BINS = FA_FHOG_BINS, MARGIN = 16 };

/* Colour planes with one spare row before and after, so that a vector may read a little past a row. */
static void make_planes(uint8_t *plane[3], const struct fa_img8 *face, const struct fa_kern_fhog *k)
{
    for (int y = 0; y < FA_FHOG_SIDE; y++) {
        const uint8_t *src = face->px + y * face->stride;
        size_t at = (size_t)y * FA_FHOG_STRIDE;
        if (face->ch == 3)
            k->planes(plane[0] + at, plane[1] + at, plane[2] + at, src, FA_FHOG_SIDE);
        else
            for (int c = 0; c < 3; c++)
                memcpy(plane[c] + at, src, FA_FHOG_SIDE);
    }
}

/* Histograms of the 14 x 14 inner cells. */
static void histograms(float cell[INNER][INNER][BINS], uint8_t *const plane[3], const struct fa_kern_fhog *k)
{
    float two[FA_FHOG_CELLS][BINS][2] = { 0 };
    float v[FA_FHOG_ROW];
    int32_t bin[FA_FHOG_ROW];
    int upper = 0;                                 /* cell row of two[..][..][0], the ring counted */
    for (int y = 1; y <= FA_FHOG_PIXELS + 1; y++) {
        float a[2];
        int row = fa_fhog_column(a, y - 1);        /* rows are weighted as columns are */
        if (row > upper || y > FA_FHOG_PIXELS) {
            for (int c = 0; c < FA_FHOG_CELLS; c++)
                for (int o = 0; o < BINS; o++) {
                    if (upper > 0 && c > 0 && c <= INNER)
                        cell[upper - 1][c - 1][o] = two[c][o][0];
                    two[c][o][0] = two[c][o][1];
                    two[c][o][1] = 0;
                }
            upper = row;
        }
        if (y > FA_FHOG_PIXELS)
            break;
        const uint8_t *p[3];
        for (int c = 0; c < 3; c++)
            p[c] = plane[c] + (size_t)y * FA_FHOG_STRIDE;
        k->gradient(v, bin, p);
        k->vote(two, v, bin, a);
    }
}

static void energies(float n[INNER][INNER], float cell[INNER][INNER][BINS])
{
    for (int y = 0; y < INNER; y++)
        for (int x = 0; x < INNER; x++) {
            const float *h = cell[y][x];
            float s = 0;
            for (int o = 0; o < 9; o++) {
                float q = h[o] + h[o + 9];
                s += q * q;
            }
            n[y][x] = s;
        }
}

/* The four blocks around inner cell (y + 1, x + 1): lane, then the block's first cell. */
static void normalisers(float nn[4], float n[4], float e[INNER][INNER], int y, int x)
{
    static const int corner[4][2] = { { 1, 1 }, { 0, 1 }, { 1, 0 }, { 0, 0 } };
    for (int k = 0; k < 4; k++) {
        int r = y + corner[k][0], c = x + corner[k][1];
        float block = (((e[r][c] + e[r][c + 1]) + e[r + 1][c]) + e[r + 1][c + 1]) + 0.0001f;
        nn[k] = 0.2f * sqrtf(block);
        n[k] = 0.1f / nn[k];
    }
}

void fa_fhog(float hog[FA_N_HOG], const struct fa_img8 *face)
{
    enum { BYTES = FA_FHOG_SIDE * FA_FHOG_STRIDE + 2 * MARGIN };
    const struct fa_kern_fhog *k = fa_kern_fhog();
    _Alignas(64) uint8_t mem[3][BYTES] = { 0 };
    uint8_t *plane[3] = { mem[0] + MARGIN, mem[1] + MARGIN, mem[2] + MARGIN };
    float cell[INNER][INNER][BINS], e[INNER][INNER];
    assert(face->w == FA_FHOG_SIDE && face->h == FA_FHOG_SIDE && (face->ch == 1 || face->ch == 3));

    make_planes(plane, face, k);
    histograms(cell, plane, k);
    energies(e, cell);
    for (int y = 0; y < FA_FHOG_OUT; y++)
        for (int x = 0; x < FA_FHOG_OUT; x++) {
            float nn[4], n[4];
            normalisers(nn, n, e, y, x);
            k->features(hog + (y * FA_FHOG_OUT + x) * FA_FHOG_FEATURES, cell[y + 1][x + 1], nn, n);
        }
}
