/* SPDX-License-Identifier: BSD-2-Clause
 * Where models are kept, and the names of the sets. */
#include "import_internal.h"
#include "fa_import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *name, *list; } sets[] = {
    { "clnf", "lib/local/LandmarkDetector/model/main_clnf_general.txt" },
    { "clm", "lib/local/LandmarkDetector/model/main_clm_general.txt" },
    { "ceclm", "lib/local/LandmarkDetector/model/main_ceclm_general.txt" },
    { NULL, NULL },
};

const char *fa_set_list(const char *set)
{
    for (int i = 0; sets[i].name; i++)
        if (strcmp(sets[i].name, set) == 0)
            return sets[i].list;
    return NULL;
}

const char *fa_set_name(int i)
{
    return i >= 0 && i < (int)(sizeof sets / sizeof *sets) ? sets[i].name : NULL;
}

char *fa_text(const char *fmt, ...)
{
    char *s;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    return n < 0 ? NULL : s;
}

int fa_store_open(struct fa_store *s, struct fa_err *e)
{
    const char *dir = getenv("OPENFACE_MODELS_DIR"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    *s = (struct fa_store){ 0 };
    if (dir && *dir)
        s->root = fa_text("%s/2.2.0", dir);
    else if (data && *data == '/')
        s->root = fa_text("%s/OpenFaceModels/2.2.0", data);
    else if (home && *home)
        s->root = fa_text("%s/.local/share/OpenFaceModels/2.2.0", home);
    else
        return fa_fail(e, FA_E_MODEL, "no place for models: set OPENFACE_MODELS_DIR, XDG_DATA_HOME or HOME");
    if (s->root) {
        s->originals = fa_text("%s/originals", s->root);
        s->packs = fa_text("%s/packs", s->root);
    }
    if (s->originals && s->packs)
        return FA_OK;
    fa_store_close(s);
    return fa_fail(e, FA_E_MEM, "out of memory");
}

void fa_store_close(struct fa_store *s)
{
    free(s->root);
    free(s->originals);
    free(s->packs);
    *s = (struct fa_store){ 0 };
}
