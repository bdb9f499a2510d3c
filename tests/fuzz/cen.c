/* SPDX-License-Identifier: BSD-2-Clause
 * Fuzzer: CEN patch experts, three landmarks; what is read must open as a pack. */
#include "import_internal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fa_pack_builder b;
    struct fa_pack pack;
    struct fa_in in;
    struct fa_err e;
    size_t len;
    int views;
    fa_pack_begin(&b);
    fa_in_mem(&in, "fuzz", data, size, &e);
    fa_read_cen(&in, &b, "main", 0, 3, NULL, &views);
    if (fa_in_close(&in) != FA_OK) {
        fa_pack_discard(&b);
        return 0;
    }
    void *mem = fa_pack_finish(&b, &len, &e);
    if (!mem || fa_pack_open_mem(&pack, mem, len, mem, &e) != FA_OK)
        abort();
    fa_pack_close(&pack);
    return 0;
}
