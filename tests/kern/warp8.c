/* SPDX-License-Identifier: BSD-2-Clause
 * Warp runs: every SIMD variant equals the twin for maps that turn, shrink, enlarge and leave the source, reads nothing
 * outside it and writes nothing outside its run. */
#include "fa_test.h"

#include <stdlib.h>
#include <string.h>

#include "fa_kern.h"
#include "fa_kern_warp8.h"

enum { MAX = 130, GUARD = 64 };

static void compare(const struct fa_kern_warp8 *k)
{
    static const struct { int w, h, ch; } size[] = { { 1, 1, 3 }, { 2, 3, 3 }, { 3, 2, 3 }, { 33, 21, 3 }, { 64, 48, 3 }, { 40, 30, 1 } };
    uint64_t seed = 7;
    uint8_t want[3 * MAX + 2 * GUARD], got[3 * MAX + 2 * GUARD];
    for (size_t z = 0; z < sizeof size / sizeof *size; z++) {
        int w = size[z].w, h = size[z].h, ch = size[z].ch;
        size_t bytes = (size_t)(w * h * ch);
        uint8_t *px = malloc(bytes);      /* exact size: a sanitizer sees a read beyond the last pixel */
        for (size_t i = 0; i < bytes; i++)
            px[i] = z % 2 ? 255 : (uint8_t)test_rand(&seed);
        struct fa_warp8_src src = { px, w * ch, w, h, ch };
        for (int t = 0; t < 400; t++) {
            int ax[MAX], ay[MAX], n = (int)(test_rand(&seed) % MAX);
            int x0 = (int)(test_rand(&seed) % 131072) - 32768, y0 = (int)(test_rand(&seed) % 131072) - 32768;
            int dx = (int)(test_rand(&seed) % 4096) - 2048, dy = (int)(test_rand(&seed) % 4096) - 2048;
            for (int i = 0; i < n; i++)
                ax[i] = i * dx, ay[i] = i * dy;
            memset(want, 0x5a, sizeof want);
            memset(got, 0x5a, sizeof got);
            fa_kern_warp8_c.run(want + GUARD + t % 5, n, &src, x0, y0, ax, ay);
            k->run(got + GUARD + t % 5, n, &src, x0, y0, ax, ay);
            check_bytes("run", got, want, sizeof want);
        }
        free(px);
    }
}

static void warp8_avx2_equals_twin(void)
{
    if (!(fa_cpu_detect() & FA_CPU_AVX2))
        test_skip("no AVX2");
    else
        compare(&fa_kern_warp8_avx2);
}

int main(void)
{
    RUN(warp8_avx2_equals_twin);
    return test_done();
}
