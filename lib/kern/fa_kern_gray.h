/* SPDX-License-Identifier: BSD-2-Clause
 * Gray from colour, one row at a time (spec/output 14). Class exact. */
#ifndef FA_KERN_GRAY_H
#define FA_KERN_GRAY_H

#include <stdint.h>

struct fa_kern_gray {
    /* y[i] = (3735 B + 19235 G + 9798 R + 16384) >> 15 of the n pixels at bgr (3 n bytes). Rows may start anywhere. */
    void (*row)(uint8_t *restrict y, const uint8_t *restrict bgr, int n);
};

const struct fa_kern_gray *fa_kern_gray(void);
extern const struct fa_kern_gray fa_kern_gray_c, fa_kern_gray_avx2;

#endif
