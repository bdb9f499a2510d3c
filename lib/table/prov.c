/* SPDX-License-Identifier: BSD-2-Clause
 * Building, comparing and trusting provenance: see fa_prov.h. Its text form is in prov_json.c. */
#include "fa_prov.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "fa_file.h"

static int find(const struct fa_prov *p, const char *key)
{
    for (int i = 0; i < p->n; i++)
        if (strcmp(p->entry[i].key, key) == 0)
            return i;
    return -1;
}

/* Takes both strings. */
static void put(struct fa_prov *p, char *key, char *value, int text)
{
    const int i = key ? find(p, key) : -1;
    if (!key || !value || (i < 0 && p->n == FA_PROV_ENTRIES)) {
        p->failed = 1;
        free(key);
        free(value);
    } else if (i >= 0) {
        free(key);
        free(p->entry[i].value);
        p->entry[i].value = value;
        p->entry[i].text = text;
    } else {
        p->entry[p->n].key = key;
        p->entry[p->n].value = value;
        p->entry[p->n++].text = text;
    }
}

void fa_prov_text(struct fa_prov *p, const char *key, const char *value) { put(p, strdup(key), strdup(value), 1); }

void fa_prov_number(struct fa_prov *p, const char *key, const char *fmt, ...)
{
    char *value = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&value, fmt, ap) < 0)
        value = NULL;
    va_end(ap);
    put(p, strdup(key), value, 0);
}

void fa_prov_stages(struct fa_prov *p, const char *lines)
{
    while (*lines) {
        const size_t line = strcspn(lines, "\n"), word = strcspn(lines, " \n");
        if (word)
            put(p, strndup(lines, word), strndup(lines + word + (word < line), line - word - (word < line)), 1);
        lines += line + (lines[line] == '\n');
    }
}

void fa_prov_machine(struct fa_prov *p)
{
    char host[256] = "", line[512], *colon = NULL;
    if (gethostname(host, sizeof host - 1) != 0)
        strcpy(host, "unknown");
    fa_prov_text(p, "host", host);
    FILE *f = fopen("/proc/cpuinfo", "re");
    while (f && !colon && fgets(line, sizeof line, f))
        if (strncmp(line, "model name", 10) == 0)
            colon = strchr(line, ':');
    if (f)
        fclose(f);
    if (colon)
        colon[strcspn(colon, "\n")] = '\0';
    fa_prov_text(p, "cpu", colon ? colon + 1 + strspn(colon + 1, " ") : "unknown");
}

enum { BLOCK = 1 << 20 };

static int hash_file(XXH3_state_t *h, unsigned long long *bytes, unsigned char *block, int at, const char *path, struct fa_err *e)
{
    long long n;
    int fd = openat(at, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fa_fail_errno(e, FA_E_INPUT, "%s", path);
    while ((n = fa_read_full(fd, block, BLOCK)) > 0) {
        XXH3_64bits_update(h, block, (size_t)n);
        *bytes += (unsigned long long)n;
    }
    const int r = n < 0 ? fa_fail_errno(e, FA_E_IO, "%s", path) : FA_OK;
    close(fd);
    return r;
}

/* Names count too: a picture that moved is another clip. Folders inside are not part of a clip. */
static int hash_folder(XXH3_state_t *h, unsigned long long *bytes, unsigned char *block, const char *path, struct fa_err *e)
{
    struct dirent **list = NULL;
    struct stat st;
    int r = FA_OK, fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = fd < 0 ? -1 : scandir(path, &list, NULL, alphasort);
    if (n < 0)
        r = fa_fail_errno(e, FA_E_INPUT, "%s", path);
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;
        if (r == FA_OK && fstatat(fd, name, &st, 0) == 0 && S_ISREG(st.st_mode)) {
            XXH3_64bits_update(h, name, strlen(name) + 1);
            r = hash_file(h, bytes, block, fd, name, e);
        }
        free(list[i]);
    }
    free(list);
    if (fd >= 0)
        close(fd);
    return r;
}

int fa_prov_file(struct fa_prov *p, const char *prefix, const char *path, struct fa_err *e)
{
    struct stat st;
    unsigned long long bytes = 0;
    char key[64], hex[32];
    if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
        return FA_OK;
    XXH3_state_t *h = XXH3_createState();
    unsigned char *block = malloc(BLOCK);
    int r = h && block ? FA_OK : fa_fail(e, FA_E_MEM, "out of memory");
    if (r == FA_OK) {
        XXH3_64bits_reset(h);
        r = S_ISDIR(st.st_mode) ? hash_folder(h, &bytes, block, path, e) : hash_file(h, &bytes, block, AT_FDCWD, path, e);
    }
    if (r == FA_OK) {
        snprintf(key, sizeof key, "%s_bytes", prefix);
        fa_prov_number(p, key, "%llu", bytes);
        snprintf(key, sizeof key, "%s_xxh3", prefix);
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)XXH3_64bits_digest(h));
        fa_prov_text(p, key, hex);
    }
    free(block);
    XXH3_freeState(h);
    return r;
}

const char *fa_prov_get(const struct fa_prov *p, const char *key)
{
    const int i = find(p, key);
    return i < 0 ? NULL : p->entry[i].value;
}

void fa_prov_close(struct fa_prov *p)
{
    for (int i = 0; i < p->n; i++) {
        free(p->entry[i].key);
        free(p->entry[i].value);
    }
    *p = (struct fa_prov){ 0 };
}   /* NOLINT(clang-analyzer-unix.Malloc): it thinks a list may hold entries when n is 0 */

/* --- Comparing ---------------------------------------------------------------------------------------------------------- */

static int is_stage(const char *key) { return strncmp(key, "fa-", 3) == 0; }
static int decides(const char *key)
{
    return is_stage(key) || strcmp(key, "clip_bytes") == 0 || strcmp(key, "clip_xxh3") == 0 || strcmp(key, "request") == 0;
}
static int is_circumstance(const char *key) { return strcmp(key, "host") == 0 || strcmp(key, "cpu") == 0 || strcmp(key, "seconds") == 0; }

static int has_word(const char *line, const char *word, size_t n)
{
    for (; *line; line += strspn(line, " ")) {
        const size_t m = strcspn(line, " ");
        if (m == n && memcmp(line, word, n) == 0)
            return 1;
        line += m;
    }
    return 0;
}

static void words_of_one(FILE *f, char sign, const char *line, const char *other)
{
    for (line += strspn(line, " "); *line; line += strspn(line, " ")) {
        const size_t n = strcspn(line, " ");
        if (!has_word(other, line, n))
            fprintf(f, " %c%.*s", sign, (int)n, line);
        line += n;
    }
}

static int differ_key(FILE *f, const char *key, const char *a, const char *b, int all)
{
    if ((a && b && strcmp(a, b) == 0) || (!all && is_circumstance(key)))
        return 0;
    fprintf(f, "%s:", key);
    if (is_stage(key) && a && b) {
        words_of_one(f, '-', a, b);
        words_of_one(f, '+', b, a);
        fputc('\n', f);
    } else {
        fprintf(f, " %s -> %s\n", a ? a : "(none)", b ? b : "(none)");
    }
    return decides(key);
}

int fa_prov_differ(FILE *f, const struct fa_prov *a, const struct fa_prov *b, int all)
{
    int n = 0;
    for (int i = 0; i < a->n; i++)
        n += differ_key(f, a->entry[i].key, a->entry[i].value, fa_prov_get(b, a->entry[i].key), all);
    for (int i = 0; i < b->n; i++)
        if (find(a, b->entry[i].key) < 0)
            n += differ_key(f, b->entry[i].key, NULL, b->entry[i].value, all);
    return n;
}

/* --- Trusting ----------------------------------------------------------------------------------------------------------- */

static int same(const struct fa_prov *p, const struct fa_prov *now, const char *key)
{
    const char *a = fa_prov_get(p, key), *b = fa_prov_get(now, key);
    return a && b && strcmp(a, b) == 0;
}

int fa_prov_current(const struct fa_prov *p, const char *csv, const char *clip, const char *request, struct fa_err *e)
{
    const char *status = fa_prov_get(p, "status"), *asked = fa_prov_get(p, "request"), *rows = fa_prov_get(p, "rows");
    const int none = rows && strcmp(rows, "0") == 0 && !fa_prov_get(p, "csv_xxh3");      /* a picture without a face has no CSV */
    struct fa_prov now = { 0 };
    int yes = 0;
    if (!status || strcmp(status, "0") != 0)
        fa_fail(e, FA_E_INPUT, "%s: an earlier run failed", csv);
    else if (!asked || strcmp(asked, request) != 0)
        fa_fail(e, FA_E_INPUT, "%s: made with other options or models (%s)", csv, asked ? asked : "not recorded");
    else if (fa_prov_file(&now, "csv", csv, e) == FA_OK && fa_prov_file(&now, "clip", clip, e) == FA_OK) {
        if (now.failed)
            fa_fail(e, FA_E_MEM, "out of memory");
        else if (none ? fa_prov_get(&now, "csv_xxh3") != NULL : !same(p, &now, "csv_bytes") || !same(p, &now, "csv_xxh3"))
            fa_fail(e, FA_E_INPUT, "%s: not the file that was finished", csv);
        else if (!same(p, &now, "clip_bytes") || !same(p, &now, "clip_xxh3"))
            fa_fail(e, FA_E_INPUT, "%s: %s has changed", csv, clip);
        else
            yes = 1;
    }
    fa_prov_close(&now);
    return yes;
}
