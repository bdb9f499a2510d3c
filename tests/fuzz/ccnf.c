/* SPDX-License-Identifier: BSD-2-Clause
 * Fuzzer: CCNF patch experts, three landmarks. */
#include "import_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fa_pack_builder b;
    struct fa_in in;
    struct fa_err e;
    struct fa_ccnf_experts x = { 0 };
    struct fa_components c = { 0 };
    fa_pack_begin(&b);
    fa_in_mem(&in, "fuzz", data, size, &e);
    fa_read_ccnf(&in, &b, "x", 0, 3, &x, &c);
    fa_in_close(&in);
    fa_ccnf_experts_free(&x);
    fa_components_free(&c);
    fa_pack_discard(&b);
    return 0;
}
