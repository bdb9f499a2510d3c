/* SPDX-License-Identifier: BSD-2-Clause
 * Error texts and the one mapping from error codes to exit status. */
#include "fa_err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fa_fail(struct fa_err *e, int code, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        va_start(ap, fmt);
        e->code = code;
        vsnprintf(e->text, sizeof e->text, fmt, ap);
        va_end(ap);
    }
    return code;
}

int fa_fail_errno(struct fa_err *e, int code, const char *fmt, ...)
{
    int no = errno;
    if (no == ENOMEM)
        code = FA_E_MEM;
    else if (no == EPIPE)
        code = FA_E_PIPE;
    if (e) {
        va_list ap;
        va_start(ap, fmt);
        e->code = code;
        int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
        va_end(ap);
        if (n >= 0 && (size_t)n < sizeof e->text)
            snprintf(e->text + n, sizeof e->text - (size_t)n, ": %s", strerror(no));
    }
    return code;
}

int fa_err_prefix(struct fa_err *e, const char *fmt, ...)
{
    char old[sizeof e->text];
    va_list ap;
    memcpy(old, e->text, sizeof old);
    va_start(ap, fmt);
    int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof e->text)
        snprintf(e->text + n, sizeof e->text - (size_t)n, ": %s", old);
    return e->code;
}

int fa_err_status(int code)
{
    switch (code) {
    case FA_OK:
    case FA_EOF:
        return 0;
    case FA_E_FORMAT:
    case FA_E_TRUNC:
    case FA_E_VERSION:
    case FA_E_INPUT:
        return 1;
    case FA_E_ARG:
        return 2;
    default:
        return 3;
    }
}
