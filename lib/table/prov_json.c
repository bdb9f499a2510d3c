/* SPDX-License-Identifier: BSD-2-Clause
 * Provenance as text: one flat JSON object, a key a line. The reader takes any flat object, whoever wrote it, and nothing else. */
#include "fa_prov.h"

#include <stdlib.h>
#include <string.h>

#include "fa_compare.h"
#include "fa_file.h"

char *fa_prov_path(const char *csv)
{
    char *s = NULL;
    const size_t n = strlen(csv), stem = n > 4 && strcmp(csv + n - 4, ".csv") == 0 ? n - 4 : n;
    return asprintf(&s, "%.*s.json", (int)stem, csv) < 0 ? NULL : s;
}

int fa_prov_write(const struct fa_prov *p, const char *path, struct fa_err *e)
{
    struct fa_out o;
    if (p->failed)
        return fa_fail(e, FA_E_MEM, "%s: out of memory", path);
    int r = fa_out_open(&o, path, e);
    if (r != FA_OK)
        return r;
    fputs("{", o.f);
    for (int i = 0; i < p->n; i++) {
        fputs(i ? ",\n " : "\n ", o.f);
        fa_string_json(o.f, p->entry[i].key);
        fputs(": ", o.f);
        if (p->entry[i].text)
            fa_string_json(o.f, p->entry[i].value);
        else
            fputs(p->entry[i].value, o.f);
    }
    fputs("\n}\n", o.f);
    return fa_out_commit(&o, e);
}

struct scan { const char *s; };

static int take(struct scan *in, char c)
{
    in->s += strspn(in->s, " \t\r\n");
    if (*in->s != c)
        return 0;
    in->s++;
    return 1;
}

/* \uXXXX as UTF-8; halves of a pair stay apart, and U+0000 is refused. Bytes written, 0: wrong. */
static int unicode(const char *s, char *out)
{
    char hex[5] = { 0 }, *end;
    memcpy(hex, s, strnlen(s, 4));
    if (strspn(hex, "0123456789abcdefABCDEF") != 4)
        return 0;
    const unsigned long u = strtoul(hex, &end, 16);
    if (u < 0x80) {
        out[0] = (char)u;
        return u != 0;
    }
    if (u < 0x800) {
        out[0] = (char)(0xc0 | u >> 6);
        out[1] = (char)(0x80 | (u & 63));
        return 2;
    }
    out[0] = (char)(0xe0 | u >> 12);
    out[1] = (char)(0x80 | (u >> 6 & 63));
    out[2] = (char)(0x80 | (u & 63));
    return 3;
}

/* Fresh memory; NULL: not a string, or no memory (both end the parse). */
static char *string(struct scan *in)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    size_t n = 0;
    if (!take(in, '"'))
        return NULL;
    char *out = malloc(strlen(in->s) + 1);
    while (out && *in->s && *in->s != '"') {
        if (*in->s != '\\') {
            out[n++] = *in->s++;
            continue;
        }
        const char c = in->s[1], *known = c ? strchr(from, c) : NULL;
        const int more = known ? 1 : c == 'u' ? unicode(in->s + 2, out + n) : 0;
        if (more == 0)
            break;
        if (known)
            out[n] = to[known - from];
        n += (size_t)more;
        in->s += known ? 2 : 6;
    }
    if (!out || !take(in, '"')) {
        free(out);
        return NULL;
    }
    out[n] = '\0';
    return out;
}

/* One "key": value. 1 taken, 0 not. */
static int member(struct fa_prov *p, struct scan *in)
{
    char *key = string(in), *value = NULL;
    int ok = 0;
    if (key && !fa_prov_get(p, key) && p->n < FA_PROV_ENTRIES && take(in, ':')) {
        in->s += strspn(in->s, " \t\r\n");
        const size_t word = strspn(in->s, "+-.0123456789eE");
        const int text = *in->s == '"';
        if (text) {
            value = string(in);
        } else if (word && word < 64) {
            value = strndup(in->s, word);
            in->s += word;
        }
        ok = value != NULL;
        if (ok && text)
            fa_prov_text(p, key, value);
        else if (ok)
            fa_prov_number(p, key, "%s", value);
    }
    free(key);
    free(value);
    return ok;
}

int fa_prov_parse(struct fa_prov *p, const char *text, struct fa_err *e)
{
    struct scan in = { text };
    *p = (struct fa_prov){ 0 };
    int ok = take(&in, '{');
    if (ok && !take(&in, '}')) {
        do
            ok = member(p, &in);
        while (ok && take(&in, ','));
        ok = ok && take(&in, '}');
    }
    in.s += strspn(in.s, " \t\r\n");
    if (p->failed)
        return fa_fail(e, FA_E_MEM, "out of memory");
    return ok && !*in.s ? FA_OK : fa_fail(e, FA_E_FORMAT, "not a provenance file (byte %zu)", (size_t)(in.s - text));
}

int fa_prov_read(struct fa_prov *p, const char *path, struct fa_err *e)
{
    char *text = NULL;
    size_t len;
    *p = (struct fa_prov){ 0 };
    int r = fa_text_read(&text, &len, path, FA_PROV_TEXT, e);
    if (r == FA_OK && (r = fa_prov_parse(p, text, e)) != FA_OK && e)
        fa_err_prefix(e, "%s", path);
    if (r == FA_OK && strlen(text) != len)
        r = fa_fail(e, FA_E_FORMAT, "%s: a NUL inside", path);
    free(text);
    return r;
}
