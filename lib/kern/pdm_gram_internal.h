/* SPDX-License-Identifier: BSD-2-Clause
 * The order of additions in the reference's H = Jw' J, found in its dumps (all 380 dumped matrices are bit-exact with it).
 * Every sum is a chain of fused multiply-adds over the rows of J. Its matrix library cuts H (k x k) into tiles and runs tiles
 * eight columns wide as two chains, even and odd rows, that are added at the end; rows from the last multiple of 8 on then
 * belong to the even chain.
 *
 *      rows of H            columns of H
 *      0..5  of a dozen     8 | 16 | 16 .. | 8 if they are left | rest
 *      6..11 of a dozen     16 | 16 .. | 8 if they are left | rest
 *      fours after those    8 | 8 .. | rest
 *      rest                 all one chain */
#ifndef FA_PDM_GRAM_INTERNAL_H
#define FA_PDM_GRAM_INTERNAL_H

/* Chains (1 or 2) of the entry in row a, column b. The same for all b in an aligned group of eight. */
static inline int gram_chains(int k, int a, int b)
{
    const int left = k - a / 12 * 12, in = a % 12;   /* rows from this dozen on; a's place in it */
    const int tile = b / 8, tiles = k / 8;           /* whole groups of eight columns */
    if (tile >= tiles)
        return 1;
    if (left < 12)
        return in < left / 4 * 4 ? 2 : 1;
    if (in < 6)
        return tile == 0 || (tile == tiles - 1 && tiles % 2 == 0) ? 2 : 1;
    return tile == tiles - 1 && tiles % 2 == 1 ? 2 : 1;
}

/* The product of fa_kern_pdm.h for both x86 ladders. */
void fa_pdm_gram_avx2(float *h, int ldh, const float *jw, const float *j, int k, int n, int np);

#endif
