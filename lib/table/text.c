/* SPDX-License-Identifier: BSD-2-Clause
 * A whole text file in memory, plain or zstd. */
#include "fa_compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "fa_file.h"

struct text { char *p; size_t len, cap; };

/* Room for at least one more byte besides the NUL. */
static int grow(struct text *t, size_t max, const char *path, struct fa_err *e)
{
    if (t->len + 1 < t->cap)
        return FA_OK;
    if (t->len > max)
        return fa_fail(e, FA_E_FORMAT, "%s: longer than %zu bytes", path, max);
    size_t cap = t->cap ? 2 * t->cap : 1 << 16;
    char *p = realloc(t->p, cap);
    if (!p)
        return fa_fail(e, FA_E_MEM, "%s: out of memory", path);
    t->p = p;
    t->cap = cap;
    return FA_OK;
}

static int slurp(struct text *t, int fd, size_t max, const char *path, struct fa_err *e)
{
    for (;;) {
        int r = grow(t, max, path, e);
        if (r != FA_OK)
            return r;
        errno = 0;
        long long n = fa_read_full(fd, t->p + t->len, t->cap - 1 - t->len);
        if (n < 0)
            return fa_fail_errno(e, errno == EISDIR ? FA_E_INPUT : FA_E_IO, "%s", path);
        if (n == 0)
            break;
        t->len += (size_t)n;
    }
    if (t->len > max)
        return fa_fail(e, FA_E_FORMAT, "%s: longer than %zu bytes", path, max);
    return FA_OK;
}

static int unpack(struct text *t, const struct text *packed, size_t max, const char *path, struct fa_err *e)
{
    ZSTD_DCtx *d = ZSTD_createDCtx();
    ZSTD_inBuffer in = { packed->p, packed->len, 0 };
    size_t left = 1;
    int r = d ? FA_OK : fa_fail(e, FA_E_MEM, "%s: out of memory", path);
    while (r == FA_OK && (in.pos < in.size || left != 0)) {
        if ((r = grow(t, max, path, e)) != FA_OK)
            break;
        ZSTD_outBuffer out = { t->p + t->len, t->cap - 1 - t->len, 0 };
        size_t before = in.pos;
        left = ZSTD_decompressStream(d, &out, &in);
        t->len += out.pos;
        if (ZSTD_isError(left))
            r = fa_fail(e, FA_E_FORMAT, "%s: zstd: %s", path, ZSTD_getErrorName(left));
        else if (left != 0 && in.pos == in.size && before == in.pos && out.pos == 0)
            r = fa_fail(e, FA_E_TRUNC, "%s: zstd data stops before its end", path);
        else if (t->len > max)
            r = fa_fail(e, FA_E_FORMAT, "%s: longer than %zu bytes", path, max);
    }
    ZSTD_freeDCtx(d);
    return r;
}

int fa_text_read(char **text, size_t *len, const char *path, size_t max, struct fa_err *e)
{
    static const unsigned char magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };
    struct text raw = { 0 }, plain = { 0 };
    int from_stdin = strcmp(path, "-") == 0, fd = from_stdin ? 0 : open(path, O_RDONLY | O_CLOEXEC);
    *text = NULL;
    *len = 0;
    if (from_stdin)
        path = "standard input";
    if (fd < 0)
        return fa_fail_errno(e, FA_E_INPUT, "%s", path);
    int r = slurp(&raw, fd, max, path, e);
    if (!from_stdin)
        close(fd);
    if (r == FA_OK && raw.len >= 4 && memcmp(raw.p, magic, 4) == 0) {
        r = unpack(&plain, &raw, max, path, e);
        free(raw.p);
        raw = plain;
    }
    if (r != FA_OK) {
        free(raw.p);
        return r;
    }
    raw.p[raw.len] = '\0';
    *text = raw.p;
    *len = raw.len;
    return FA_OK;
}
