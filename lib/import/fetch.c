/* SPDX-License-Identifier: BSD-2-Clause
 * Downloading OpenFace's files by the curl program: resumed, and never used before its digest is checked. */
#include "import_internal.h"
#include "fa_import.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fa_child.h"

enum { CURL_NO_RANGE = 33, CURL_BAD_RESUME = 36, TRIES = 4 };

static long long size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (long long)st.st_size : -1;
}

/* One run of curl. FA_OK; FA_E_IO with curl's words; FA_E_CHILD when there is no curl. *code: its exit status. */
static int run_curl(const char *url, const char *part, int *code, struct fa_err *e)
{
    char *argv[] = { "curl", "--silent", "--show-error", "--fail", "--location", "--globoff", "--proto", "=https,http,file", "--connect-timeout", "20",
                     "--speed-limit", "1", "--speed-time", "60", "--continue-at", "-", "--output", (char *)part, "--url", (char *)url, NULL };
    char *words = NULL;
    char *out = fa_child_output(argv, 4096, code, &words, e);
    if (!out) {
        if (e->code == FA_E_CHILD && strstr(e->text, "not found"))
            fa_fail(e, FA_E_CHILD, "curl: program not found; install curl, or fetch the files otherwise and use 'fa-models import'");
        return e->code;
    }
    int r = FA_OK;
    if (*code != 0) {
        words[strcspn(words, "\n")] = '\0';
        r = fa_fail(e, FA_E_IO, "%s: %s", url, words[0] ? words : "curl failed");
    }
    free(out);
    free(words);
    return r;
}

/* From one place: as long as tries bring it forward. FA_OK: the part file is as long as the listed file. */
static int fetch_from(const char *url, const char *part, long long size, struct fa_err *e)
{
    int r = FA_E_IO;
    for (int i = 0; i < TRIES; i++) {
        int code = 0;
        long long had = size_of(part);
        if (had >= size)
            return FA_OK;
        r = run_curl(url, part, &code, e);
        if (r == FA_OK)
            return FA_OK;
        if (r != FA_E_IO)
            return r;
        if (had > 0 && (code == CURL_NO_RANGE || code == CURL_BAD_RESUME))
            unlink(part);              /* this server cannot resume: once more from the start */
        else if (size_of(part) <= (had > 0 ? had : 0))
            return r;                  /* no step forward: the next place */
    }
    return r;
}

/* A part left by an earlier try may be of another place's file; then the whole file is asked for once more. */
static int fetch_and_take(const struct fa_store *s, const struct fa_model_file *f, const char *url, const char *part, int accept_changed, struct fa_err *e)
{
    int resumed = size_of(part) > 0;
    int r = fetch_from(url, part, f->size, e);
    if (r != FA_OK)
        return r;
    r = fa_model_file_take(s, f, part, accept_changed && !resumed, e);
    if (r == FA_OK || r == FA_E_MODEL)
        unlink(part);
    if (r == FA_E_MODEL && resumed && (r = fetch_from(url, part, f->size, e)) == FA_OK) {
        r = fa_model_file_take(s, f, part, accept_changed, e);
        if (r == FA_OK || r == FA_E_MODEL)
            unlink(part);
    }
    return r;
}

/* Cuts the next blank-separated URL off *list into fresh memory. NULL: none left, or no memory. */
static char *next_url(const char **list)
{
    const char *at = *list + strspn(*list, " ");
    size_t n = strcspn(at, " ");
    *list = at + n;
    return n ? strndup(at, n) : NULL;
}

static char *below(const char *base, const char *path)
{
    size_t n = strlen(base);
    return fa_text("%s%s%s", base, n && base[n - 1] == '/' ? "" : "/", path);
}

/* The i-th place to try: below one of the bases, else below a mirror, else a published URL. NULL: no more. */
static char *place(const struct fa_model_file *f, const char *const *base, int n_base, int i, const char **mirrors, const char **urls)
{
    if (n_base)
        return i < n_base ? below(base[i], f->path) : NULL;
    if (!*mirrors)
        return next_url(urls);
    char *mirror = next_url(mirrors), *url = mirror ? below(mirror, f->path) : NULL;
    free(mirror);
    return url;
}

int fa_model_file_get(const struct fa_store *s, const struct fa_model_file *f, const char *const *base, int n_base, int accept_changed, struct fa_err *e)
{
    char *part = fa_text("%s/%s.part", s->originals, f->path), *dir = part ? strndup(part, (size_t)(strrchr(part, '/') - part)) : NULL, *url;
    const char *urls = f->urls, *mirrors = getenv("OPENFACE_MODELS_MIRROR");
    struct fa_err other = { 0 };       /* a place that gave another file: said rather than a later place's 404 */
    if (mirrors && !mirrors[strspn(mirrors, " ")])
        mirrors = NULL;
    int r = dir ? fa_mkdirs(dir, e) : fa_fail(e, FA_E_MEM, "out of memory");
    if (r != FA_OK)
        goto out;
    r = fa_fail(e, FA_E_IO, "%s: no place to fetch it from", f->path);
    for (int i = 0; (r == FA_E_IO || r == FA_E_MODEL) && (url = place(f, base, n_base, i, &mirrors, &urls)) != NULL; i++) {
        r = fetch_and_take(s, f, url, part, accept_changed, e);
        free(url);
        if (r == FA_E_MODEL)
            other = *e;
    }
    if (r == FA_E_IO && other.code) {
        *e = other;
        r = other.code;
    }
    if ((r == FA_E_IO || r == FA_E_MODEL) && strstr(f->path, "cen_patches")) {     /* on file sharing sites only, which come and go */
        const struct fa_err why = *e;
        r = fa_fail(e, r, "%.250s; 'fa-models import' takes a folder that holds %s, or the file itself", why.text, strrchr(f->path, '/') + 1);
    }
out:
    free(part);
    free(dir);
    return r;
}
