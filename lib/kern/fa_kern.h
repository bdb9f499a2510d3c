/* SPDX-License-Identifier: BSD-2-Clause
 * The chosen ladder of hot loops. Each family has a header fa_kern_NAME.h with its function types and a struct of pointers,
 * a plain C twin lib/kern/NAME.c that defines the result, and SIMD files x86/NAME_avx2.c, x86/NAME_avx512.c beside it.
 * Class of every kernel: exact, that is the same bits as the twin (lanes hold outputs, so each sum runs in the twin's
 * order; where a fused multiply-add is part of the definition the twin says fmaf), unless its comment states a bound. */
#ifndef FA_KERN_H
#define FA_KERN_H

enum { FA_CPU_AVX2 = 1 /* with FMA */, FA_CPU_AVX512 = 2 /* F, BW, VL, DQ */, FA_CPU_NEON = 4 };

unsigned fa_cpu_detect(void);
/* Chooses for all families: detected & mask (mask 0: plain C). Call once at start, before threads; without a call the
 * first fa_kern_* accessor chooses with the mask of $FA_CPU_MASK (a number), else everything detected. */
void fa_kern_select(unsigned mask);
/* "c", "avx2", "avx512": what is in use. */
const char *fa_kern_name(void);
/* The mask in use; families call this from their accessor. */
unsigned fa_kern_cpu(void);

#endif
