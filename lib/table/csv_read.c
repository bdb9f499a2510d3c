/* SPDX-License-Identifier: BSD-2-Clause
 * Reader of CSVs whose cells are numbers. Blanks after commas are tolerated, as files of OpenFace 2.0 and 2.1 have them. */
#include "fa_compare.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct span { const char *s, *end; };

static int blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static struct span trim(struct span t)
{
    while (t.s < t.end && blank(*t.s))
        t.s++;
    while (t.end > t.s && blank(t.end[-1]))
        t.end--;
    return t;
}

/* Up to 15 digits and 22 decimals: digits and power of ten are exact in double, so one division rounds correctly. */
static int plain_number(double *v, struct span t)
{
    static const double pow10_f64[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
    const char *s = t.s;
    int negative = s < t.end && *s == '-', digits = 0, decimals = 0, point = 0;
    uint64_t m = 0;
    for (s += negative; s < t.end; s++) {
        if (*s == '.' && !point) {
            point = 1;
        } else if (*s >= '0' && *s <= '9' && digits < 15) {
            m = 10 * m + (uint64_t)(*s - '0');
            digits++;
            decimals += point;
        } else {
            return 0;
        }
    }
    if (digits == 0)
        return 0;
    double x = (double)m / pow10_f64[decimals];
    *v = negative ? -x : x;
    return 1;
}

static int number(double *v, struct span t)
{
    char buf[FA_CSV_NUMBER];
    size_t n = (size_t)(t.end - t.s);
    if (plain_number(v, t))
        return 1;
    if (n == 0 || n >= sizeof buf)
        return 0;
    memcpy(buf, t.s, n);
    buf[n] = '\0';
    const char *word = buf + (buf[0] == '-' || buf[0] == '+');
    if (strcasecmp(word, "nan") != 0 && strcasecmp(word, "inf") != 0 && strcasecmp(word, "infinity") != 0
        && strspn(buf, "0123456789+-.eE") != n)     /* strtod alone would take 0x10 and nan(1) */
        return 0;
    char *end;
    *v = strtod(buf, &end);
    return end == buf + n;
}

/* Next line of the text, without its end; 0 after the last. */
static int next_line(struct span *line, const char **at, const char *end, size_t *number_of)
{
    if (*at >= end)
        return 0;
    const char *nl = memchr(*at, '\n', (size_t)(end - *at));
    *line = (struct span){ *at, nl ? nl : end };
    *at = nl ? nl + 1 : end;
    ++*number_of;
    return 1;
}

static struct span next_field(struct span *line)
{
    const char *comma = memchr(line->s, ',', (size_t)(line->end - line->s));
    struct span f = { line->s, comma ? comma : line->end };
    line->s = comma ? comma + 1 : line->end + 1;        /* past the end: no field left */
    return trim(f);
}

static int n_fields(struct span line)
{
    int n = 1;
    for (const char *s = line.s; s < line.end && n <= FA_CSV_COLUMNS; s++)
        n += *s == ',';
    return n;
}

static int by_name(const void *a, const void *b, void *c)
{
    const struct fa_csv *csv = c;
    return strcmp(csv->name[*(const int *)a], csv->name[*(const int *)b]);
}

static int read_header(struct fa_csv *c, struct span line, size_t at, struct fa_err *e)
{
    c->n_col = n_fields(line);
    if (c->n_col > FA_CSV_COLUMNS)
        return fa_fail(e, FA_E_FORMAT, "line %zu: more than %d columns", at, FA_CSV_COLUMNS);
    c->name = calloc((size_t)c->n_col, sizeof *c->name);
    c->by_name = malloc((size_t)c->n_col * sizeof *c->by_name);
    if (!c->name || !c->by_name)
        return fa_fail(e, FA_E_MEM, "out of memory");
    for (int k = 0; k < c->n_col; k++) {
        struct span f = next_field(&line);
        size_t n = (size_t)(f.end - f.s);
        if (n == 0 || n >= FA_CSV_NAME)
            return fa_fail(e, FA_E_FORMAT, "line %zu: name of column %d has %zu characters, not 1 to %d", at, k + 1, n, FA_CSV_NAME - 1);
        for (const char *s = f.s; s < f.end; s++)
            if (!isprint((unsigned char)*s))
                return fa_fail(e, FA_E_FORMAT, "line %zu: not a CSV header (byte 0x%02x)", at, (unsigned char)*s);
        memcpy(c->name[k], f.s, n);
        c->by_name[k] = k;
    }
    qsort_r(c->by_name, (size_t)c->n_col, sizeof *c->by_name, by_name, c);
    for (int k = 1; k < c->n_col; k++)
        if (strcmp(c->name[c->by_name[k - 1]], c->name[c->by_name[k]]) == 0)
            return fa_fail(e, FA_E_FORMAT, "line %zu: column %s twice", at, c->name[c->by_name[k]]);
    return FA_OK;
}

static int read_row(struct fa_csv *c, struct span line, size_t at, struct fa_err *e)
{
    int n = n_fields(line);
    if (n != c->n_col)
        return fa_fail(e, FA_E_FORMAT, "line %zu: %s%d fields, the header has %d", at, n > FA_CSV_COLUMNS ? "over " : "",
                       n > FA_CSV_COLUMNS ? FA_CSV_COLUMNS : n, c->n_col);
    double *cell = c->cell + c->n_row * (size_t)c->n_col;
    for (int k = 0; k < n; k++) {
        struct span f = next_field(&line);
        if (number(&cell[k], f))
            continue;
        char shown[24];
        int m = 0;
        for (; m < 20 && f.s + m < f.end; m++)
            shown[m] = isprint((unsigned char)f.s[m]) ? f.s[m] : '?';
        shown[m] = '\0';
        return fa_fail(e, FA_E_FORMAT, "line %zu, column %s: '%s%s' is not a number", at, c->name[k], shown, f.s + m < f.end ? "..." : "");
    }
    c->line[c->n_row++] = at;
    return FA_OK;
}

/* Room for one more row; a row of text is at least 2 n_col - 1 bytes, so memory stays in proportion to the file. */
static int reserve(struct fa_csv *c, size_t *cap, struct fa_err *e)
{
    if (c->n_row < *cap)
        return FA_OK;
    size_t more = *cap ? 2 * *cap : 64;
    double *cell = realloc(c->cell, more * (size_t)c->n_col * sizeof *cell);
    if (cell)
        c->cell = cell;
    size_t *line = realloc(c->line, more * sizeof *line);
    if (line)
        c->line = line;
    if (!cell || !line)
        return fa_fail(e, FA_E_MEM, "out of memory");
    *cap = more;
    return FA_OK;
}

int fa_csv_parse(struct fa_csv *c, const char *text, size_t len, struct fa_err *e)
{
    const char *at = text, *end = text + len;
    struct span line;
    size_t number_of = 0, cap = 0;
    int r = FA_OK;
    *c = (struct fa_csv){ 0 };
    while (r == FA_OK && next_line(&line, &at, end, &number_of)) {
        struct span inner = trim(line);
        if (inner.s == inner.end)
            continue;
        if (!c->name)
            r = read_header(c, line, number_of, e);
        else if ((r = reserve(c, &cap, e)) == FA_OK)
            r = read_row(c, line, number_of, e);
    }
    if (r == FA_OK && !c->name)
        r = fa_fail(e, FA_E_FORMAT, "empty file");
    if (r != FA_OK)
        fa_csv_close(c);
    return r;
}

int fa_csv_read(struct fa_csv *c, const char *path, struct fa_err *e)
{
    char *text;
    size_t len;
    *c = (struct fa_csv){ 0 };
    int r = fa_text_read(&text, &len, path, FA_CSV_TEXT, e);
    if (r != FA_OK)
        return r;
    r = fa_csv_parse(c, text, len, e);
    free(text);
    return r == FA_OK ? r : fa_err_prefix(e, "%s", strcmp(path, "-") == 0 ? "standard input" : path);
}

void fa_csv_close(struct fa_csv *c)
{
    free(c->name);
    free(c->by_name);
    free(c->cell);
    free(c->line);
    *c = (struct fa_csv){ 0 };
}

int fa_csv_column(const struct fa_csv *c, const char *name)
{
    int lo = 0, hi = c->n_col;
    while (lo < hi) {
        int mid = (lo + hi) / 2, d = strcmp(c->name[c->by_name[mid]], name);
        if (d == 0)
            return c->by_name[mid];
        if (d < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return -1;
}
