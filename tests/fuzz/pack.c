/* SPDX-License-Identifier: BSD-2-Clause
 * Fuzzer: packs. Checksums are mended first, so that what lies behind them is reached; then every tensor is touched. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "fa_le.h"
#include "fa_model.h"
#include "pack_format_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fa_pack p;
    struct fa_err e;
    unsigned char *mem = malloc(size ? size : 1);
    if (!mem)
        return 0;
    memcpy(mem, data, size);
    if (size >= PACK_HEADER) {
        uint64_t n = fa_le_u32(mem + 12);
        if (n * PACK_ENTRY <= size - PACK_HEADER)
            fa_put_u64(mem + 24, XXH3_64bits(mem + PACK_HEADER, (size_t)n * PACK_ENTRY));
        fa_put_u64(mem + 56, XXH3_64bits(mem, 56));
    }
    if (fa_pack_open_mem(&p, mem, size, mem, &e) != FA_OK)
        return 0;
    for (int i = 0; i < p.n; i++) {
        const char *name;
        struct fa_tensor t, found;
        fa_pack_entry(&p, i, &name, &t);
        const unsigned char *b = t.data;
        for (size_t k = 0; k < t.n * fa_dtype_size(t.type); k++)
            sink += b[k];
        sink += (unsigned)fa_pack_find(&p, &found, "%s", name);
    }
    fa_pack_verify(&p, &e);
    fa_pack_close(&p);
    return 0;
}
