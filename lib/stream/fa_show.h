/* SPDX-License-Identifier: BSD-2-Clause
 * Records as text: one line each, for eyes and awk, or as JSON lines that lose nothing. */
#ifndef FA_SHOW_H
#define FA_SHOW_H

#include <stdio.h>
#include "fa_stream.h"

enum fa_show_how {
    FA_SHOW_TEXT,       /* TYPE clip=0 frame=1 face=0 bytes=2744 key=value ..; no long arrays */
    FA_SHOW_JSON,       /* {"type":"LANDMARKS","clip":0,..}: every number, shortest digits that read back as the same bits */
    FA_SHOW_JSON_PIXELS /* and pixels and payloads of unknown types in base64 */
};
/* One line for rec. FA_OK or the decoder's FA_E_FORMAT (nothing is printed then). Failed output is ferror(f)'s to tell. */
int fa_show(FILE *f, const struct fa_rec *rec, enum fa_show_how how, struct fa_err *e);
/* s in double quotes; control characters, quotes and bytes that are no UTF-8 escaped as JSON does (\udcXX for a stray byte). */
void fa_show_string(FILE *f, const char *s);

#endif
