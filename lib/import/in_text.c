/* SPDX-License-Identifier: BSD-2-Clause
 * Text side of the bounded input: comments, numbers, text matrices, lines (LM 1.5). */
#include "import_internal.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

int fa_in_close_text(struct fa_in *in)
{
    while (in->at < in->len && is_space(in->base[in->at]))
        in->at++;
    return fa_in_close(in);
}

void fa_in_comments(struct fa_in *in)
{
    while (!in->failed && in->at < in->len && strchr("#\n \r", in->base[in->at]) && in->base[in->at]) {
        while (in->at < in->len && in->base[in->at] != '\n')
            in->at++;
        in->at += in->at < in->len;
    }
}

/* The C locale, made once; strtod_l with it reads "1.5" in every locale. */
static locale_t c_locale(void)
{
    static locale_t c;
    locale_t seen = __atomic_load_n(&c, __ATOMIC_ACQUIRE);
    if (seen)
        return seen;
    locale_t made = newlocale(LC_ALL_MASK, "C", (locale_t)0), none = (locale_t)0;
    if (made && !__atomic_compare_exchange_n(&c, &none, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        freelocale(made);
        return none;
    }
    return made;
}

/* Next token, NUL-terminated in tok; 0 when there is none or it is no plain decimal number. */
static int token(struct fa_in *in, const char *what, char tok[64])
{
    size_t n = 0;
    while (in->at < in->len && is_space(in->base[in->at]))
        in->at++;
    while (in->at + n < in->len && !is_space(in->base[in->at + n]) && n < 63) {
        unsigned char c = in->base[in->at + n];
        if (!(c >= '0' && c <= '9') && c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E') {
            fa_in_bad(in, "%s: not a number", what);
            return 0;
        }
        tok[n++] = (char)c;
    }
    if (n == 0 || n == 63) {
        fa_in_bad(in, n ? "%s: number too long" : "%s: cut short, a number expected", what);
        return 0;
    }
    tok[n] = '\0';
    return 1;
}

static double number(struct fa_in *in, const char *what, int as_float)
{
    char tok[64], *end;
    locale_t c = c_locale();
    if (in->failed)
        return 0;
    if (!c) {
        fa_in_no_memory(in);
        return 0;
    }
    if (!token(in, what, tok))
        return 0;
    double v = as_float ? (double)strtof_l(tok, &end, c) : strtod_l(tok, &end, c);
    if (*end || !isfinite(v)) {
        fa_in_bad(in, "%s: bad number '%s'", what, tok);
        return 0;
    }
    in->at += strlen(tok);
    return v;
}

double fa_in_number(struct fa_in *in, const char *what)
{
    return number(in, what, 0);
}

int fa_in_integer(struct fa_in *in, const char *what, int lo, int hi)
{
    double v = number(in, what, 0);
    if (!in->failed && v == floor(v) && v >= lo && v <= hi)
        return (int)v;
    fa_in_bad(in, "%s %g, not in %d..%d", what, v, lo, hi);
    return lo;
}

double *fa_in_text_mat(struct fa_in *in, const char *what, enum fa_dtype type, int *rows, int *cols)
{
    int r = fa_in_integer(in, what, 0, 1 << 20), c = fa_in_integer(in, what, 0, 1 << 20), t = fa_in_integer(in, what, 0, 6);
    if (in->failed)
        return NULL;
    if (t != (int)type) {
        fa_in_bad(in, "%s: matrix of type %d, expected %d", what, t, (int)type);
        return NULL;
    }
    if ((*rows >= 0 && r != *rows) || (*cols >= 0 && c != *cols)) {
        fa_in_bad(in, "%s: matrix of %d x %d, expected %d x %d", what, r, c, *rows, *cols);
        return NULL;
    }
    size_t n = (size_t)r * (size_t)c;
    if (n > (in->len - in->at + 1) / 2) {      /* a number and its separator take two bytes */
        fa_in_bad(in, "%s: matrix of %d x %d does not fit the file", what, r, c);
        return NULL;
    }
    double *m = fa_in_alloc(in, n, 1, sizeof *m);
    for (size_t i = 0; m && i < n; i++)
        m[i] = type == FA_I32 ? fa_in_integer(in, what, INT32_MIN, INT32_MAX) : number(in, what, type == FA_F32);
    if (in->failed) {
        free(m);
        return NULL;
    }
    *rows = r;
    *cols = c;
    return m;
}

char *fa_in_line(struct fa_in *in)
{
    if (in->failed || in->at == in->len)
        return NULL;
    const unsigned char *s = in->base + in->at, *nl = memchr(s, '\n', in->len - in->at);
    size_t n = nl ? (size_t)(nl - s) : in->len - in->at;
    in->at += n + (nl != NULL);
    while (n && s[n - 1] == '\r')
        n--;
    if (memchr(s, '\0', n)) {
        fa_in_bad(in, "a NUL byte in a text file");
        return NULL;
    }
    char *line = fa_in_alloc(in, n + 1, 1, 1);
    if (line)
        memcpy(line, s, n);
    return line;
}
