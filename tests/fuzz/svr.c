/* SPDX-License-Identifier: BSD-2-Clause
 * Fuzzer: SVR patch experts (text), two landmarks. */
#include "import_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fa_pack_builder b;
    struct fa_in in;
    struct fa_err e;
    fa_pack_begin(&b);
    fa_in_mem(&in, "fuzz", data, size, &e);
    fa_read_svr(&in, &b, "x", 0, 2);
    fa_in_close_text(&in);
    fa_pack_discard(&b);
    return 0;
}
