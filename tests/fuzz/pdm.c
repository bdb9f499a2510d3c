/* SPDX-License-Identifier: BSD-2-Clause
 * Fuzzer: point distribution models, then triangle lists (text). */
#include "import_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fa_pack_builder b;
    struct fa_in in;
    struct fa_err e;
    fa_pack_begin(&b);
    fa_in_mem(&in, "fuzz", data, size, &e);
    fa_read_pdm(&in, &b, "x");
    fa_in_close_text(&in);
    fa_in_mem(&in, "fuzz", data, size, &e);
    fa_read_triangles(&in, &b, 68, "t");
    fa_in_close_text(&in);
    fa_pack_discard(&b);
    return 0;
}
