/* SPDX-License-Identifier: BSD-2-Clause
 * Fuzzer of the median file: the bytes as they are, and once more with length and check made right. What is accepted must
 * be a state that goes on. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "fa_au.h"
#include "fa_le.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void use(struct fa_au_medians *m, const unsigned char *data, size_t n)
{
    static double median[FA_N_DESCRIPTOR_PADDED];
    struct fa_err e;
    if (fa_au_medians_parse(m, data, n, &e) != FA_OK)
        return;
    fa_au_medians_get(median, m);
    for (int i = 0; i < 3; i++)
        fa_au_medians_update(m, median, 1);
    fa_au_medians_get(median, m);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    static struct fa_au_medians m;
    if (!m.hog.count && fa_au_medians_open(&m, NULL) != FA_OK)
        return 0;
    use(&m, data, n);
    if (n < 64)
        return 0;
    unsigned char *p = malloc(n);
    if (!p)
        return 0;
    memcpy(p, data, n);
    fa_put_u64(p + 8, n - 64);
    fa_put_u64(p + 16, XXH3_64bits(p + 64, n - 64));
    memset(p + 48, 0, 16);
    use(&m, p, n);
    free(p);
    return 0;
}
