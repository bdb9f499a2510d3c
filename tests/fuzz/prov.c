/* SPDX-License-Identifier: BSD-2-Clause
 * The reader of provenance files on any text: what it takes has no key twice and keeps within the limits. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fa_prov.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fa_prov p;
    char *text = malloc(size + 1);
    if (!text)
        abort();
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    if (fa_prov_parse(&p, text, NULL) == FA_OK) {
        assert(p.n <= FA_PROV_ENTRIES);
        for (int i = 0; i < p.n; i++)
            assert(fa_prov_get(&p, p.entry[i].key) == p.entry[i].value);
    }
    fa_prov_close(&p);
    free(text);
    return 0;
}
