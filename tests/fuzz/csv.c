/* SPDX-License-Identifier: BSD-2-Clause
 * The CSV reader, the comparison and the reader of meta.json on any bytes. The input is cut at the first NUL: the first part is
 * the reference and the new file (or, with a second NUL part, the new file), so both matching and mismatching pairs arise. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fa_compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *text_of(const uint8_t *data, size_t n)
{
    char *s = malloc(n + 1);
    if (!s)
        abort();
    if (n)
        memcpy(s, data, n);
    s[n] = '\0';
    return s;
}

static void compare(const struct fa_csv *ref, const struct fa_csv *new, const struct fa_noise *noise)
{
    struct fa_err e;
    struct fa_cmp cmp;
    struct fa_fails fails = { 0 };
    FILE *f = fopen("/dev/null", "w");
    if (!f)
        abort();
    if (fa_compare(&cmp, ref, new, &e) == FA_OK && fa_gate(&fails, &cmp, noise, 1, &e) == FA_OK) {
        assert(cmp.rows <= cmp.rows_ref && cmp.rows <= cmp.rows_new && cmp.both <= cmp.rows);
        if (ref == new)
            assert(cmp.rows == ref->n_row && cmp.success_differ == 0);
        fa_cmp_print(f, &cmp);
        fa_cmp_json(f, &cmp);
        fa_fails_json(f, &fails);
    }
    fclose(f);
    fa_fails_close(&fails);
    fa_cmp_close(&cmp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
    const size_t first = nul ? (size_t)(nul - data) : size, second = nul ? size - first - 1 : 0;
    char *a = text_of(data, first), *b = text_of(nul ? nul + 1 : data, second);
    struct fa_csv ref = { 0 }, new = { 0 };
    struct fa_noise noise;
    struct fa_err e;
    const int found = fa_noise_parse(&noise, a, "clnf");
    assert(found >= 0 && (found || noise.n == 0));
    if (fa_csv_parse(&ref, a, first, &e) == FA_OK) {
        for (size_t i = 0; i < ref.n_row * (size_t)ref.n_col; i++)
            assert(!isnan(ref.cell[i]) || strchr(a, 'n') || strchr(a, 'N'));
        compare(&ref, &ref, &noise);
        if (second && fa_csv_parse(&new, b, second, &e) == FA_OK)
            compare(&ref, &new, &noise);
    }
    fa_csv_close(&ref);
    fa_csv_close(&new);
    fa_noise_close(&noise);
    free(a);
    free(b);
    return 0;
}
