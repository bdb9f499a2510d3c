/* SPDX-License-Identifier: BSD-2-Clause
 * What the AVX2 and AVX-512 variants of the CEN kernels share. */
#ifndef FA_CEN_X86_H
#define FA_CEN_X86_H

void fa_cen_windows_avx2(float *panel, const float *aoi, int w);

#endif
