/* SPDX-License-Identifier: BSD-2-Clause
 * How a program finds its model: see fa_import.h. */
#include "import_internal.h"
#include "fa_import.h"

int fa_model_open(struct fa_pack *p, const char *model, struct fa_err *e)
{
    struct fa_pack_builder b;
    size_t len;
    fa_pack_begin(&b);
    *p = (struct fa_pack){ 0 };
    int r = fa_import_list(&b, model, e);
    if (r != FA_OK) {
        fa_pack_discard(&b);
        return r;
    }
    void *mem = fa_pack_finish(&b, &len, e);
    return mem ? fa_pack_open_mem(p, mem, len, mem, e) : e->code;
}
