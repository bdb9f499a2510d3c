/* SPDX-License-Identifier: BSD-2-Clause
 * OpenFace's files in the store: what should be there, what is, and taking in what was verified. */
#include "import_internal.h"
#include "fa_import.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sha256_internal.h"

static const struct fa_model_file files[] = {
#include "files_tab.h"
};

const struct fa_model_file *fa_model_files(int *n)
{
    *n = (int)(sizeof files / sizeof *files);
    return files;
}

int fa_model_file_in_set(const struct fa_model_file *f, const char *set)
{
    size_t n = strlen(set);
    for (const char *s = f->sets; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL)
        if (strncmp(s, set, n) == 0 && (s[n] == ',' || s[n] == '\0'))
            return 1;
    return 0;
}

/* --- Changed files that the user took: lines "SHA-256  PATH" in ROOT/accepted -------------------------------------------- */

static int is_accepted(const struct fa_store *s, const struct fa_model_file *f, const char *hex)
{
    char *path = fa_text("%s/accepted", s->root), *want = fa_text("%s  %s", hex, f->path);
    struct fa_in in;
    int found = 0;
    if (path && want && fa_in_open(&in, path, NULL) == FA_OK) {
        for (char *line; (line = fa_in_line(&in)) != NULL; free(line))
            found |= strcmp(line, want) == 0;
        fa_in_close(&in);
    }
    free(path);
    free(want);
    return found;
}

static int note_accepted(const struct fa_store *s, const struct fa_model_file *f, const char *hex, struct fa_err *e)
{
    if (is_accepted(s, f, hex))
        return FA_OK;
    char *path = fa_text("%s/accepted", s->root), *line = fa_text("%s  %s\n", hex, f->path);
    int r = FA_E_MEM, fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (fd < 0 || !line)
        r = fa_fail_errno(e, FA_E_IO, "%s/accepted", s->root);
    else
        r = fa_write_full(fd, line, strlen(line), e);
    if (fd >= 0)
        close(fd);
    free(path);
    free(line);
    return r;
}

enum fa_file_state fa_model_file_state(const struct fa_store *s, const struct fa_model_file *f, char hex[65])
{
    struct fa_map m;
    char *path = fa_text("%s/%s", s->originals, f->path);
    hex[0] = '\0';
    int r = path ? fa_map_open(&m, path, NULL) : FA_E_MEM;
    free(path);
    if (r != FA_OK)
        return FA_FILE_MISSING;
    fa_sha256_hex(hex, m.data, m.len);
    fa_map_close(&m);
    if (strcmp(hex, f->sha256) == 0)
        return FA_FILE_RIGHT;
    return is_accepted(s, f, hex) ? FA_FILE_ACCEPTED : FA_FILE_DIFFERS;
}

/* --- Taking in ---------------------------------------------------------------------------------------------------------- */

static int points_of(const char *path)
{
    return strstr(path, "model_inner/") ? 51 : strstr(path, "model_eye/") ? 28 : IN_N_LANDMARK;
}

/* Does a file of this place read as what it should be? Lists: as text. */
static int parses(const struct fa_model_file *f, const void *data, size_t len, struct fa_err *e)
{
    const char *base = strrchr(f->path, '/') + 1;
    struct fa_pack_builder b;
    struct fa_in in;
    struct fa_ccnf_experts x = { 0 };
    struct fa_components c = { 0 };
    struct fa_au_predictor p;
    int text = 0, n_view;
    fa_pack_begin(&b);
    fa_in_mem(&in, f->path, data, len, e);
    if (strstr(f->path, "/pdms/") || strstr(base, "_PDM_")) {
        fa_read_pdm(&in, &b, "x");
        text = 1;
    } else if (strncmp(base, "svr_patches", 11) == 0) {
        fa_read_svr(&in, &b, "x", 0, points_of(f->path));
        text = 1;
    } else if (strcmp(base, "tris_68_full.txt") == 0) {
        fa_read_triangles(&in, &b, IN_N_LANDMARK, "x");
        text = 1;
    } else if (strstr(base, "ccnf_patches")) {
        fa_read_ccnf(&in, &b, "x", 0, points_of(f->path), &x, &c);
    } else if (strstr(base, "validator")) {
        fa_read_validator(&in, &b);
    } else if (strstr(base, "Net.dat")) {
        fa_read_mtcnn(&in, &b, "x", base[0] == 'P' ? 12 : base[0] == 'R' ? 24 : 48);
    } else if (strncmp(base, "AU_", 3) == 0 && strstr(base, ".dat")) {
        fa_read_predictor(&in, &p);
    } else if (strstr(base, "cen_patches")) {
        fa_read_cen(&in, &b, "x", 0, IN_N_LANDMARK, NULL, &n_view);
    } else {
        if (len > 1 << 20)
            fa_in_bad(&in, "too long for a list");
        for (char *line; (line = fa_in_line(&in)) != NULL;)
            free(line);
    }
    int r = text ? fa_in_close_text(&in) : fa_in_close(&in);
    fa_ccnf_experts_free(&x);
    fa_components_free(&c);
    fa_pack_discard(&b);
    return r;
}

static int copy_in(const struct fa_store *s, const struct fa_model_file *f, const struct fa_map *m, struct fa_err *e)
{
    struct fa_out o;
    char *path = fa_text("%s/%s", s->originals, f->path), *dir = path ? strndup(path, (size_t)(strrchr(path, '/') - path)) : NULL;
    int r = dir ? fa_mkdirs(dir, e) : fa_fail(e, FA_E_MEM, "out of memory");
    if (r == FA_OK && (r = fa_out_open(&o, path, e)) == FA_OK) {
        if (fwrite(m->data, 1, m->len, o.f) == m->len) {
            r = fa_out_commit(&o, e);
        } else {
            r = fa_fail_errno(e, FA_E_IO, "%s", path);
            fa_out_abandon(&o, 0);
        }
    }
    free(path);
    free(dir);
    return r;
}

int fa_model_file_take(const struct fa_store *s, const struct fa_model_file *f, const char *from, int accept_changed, struct fa_err *e)
{
    struct fa_map m;
    char hex[65];
    int r = fa_map_open(&m, from, e);
    if (r != FA_OK)
        return r;
    fa_sha256_hex(hex, m.data, m.len);
    int right = strcmp(hex, f->sha256) == 0;
    if (!right && !accept_changed)
        r = fa_fail(e, FA_E_MODEL, "%s: not the listed file: SHA-256 %s (%zu bytes), listed %s (%lld bytes)", strrchr(f->path, '/') + 1, hex, m.len,
                    f->sha256, f->size);
    else if (!right && (r = parses(f, m.data, m.len, e)) == FA_OK)
        r = note_accepted(s, f, hex, e);
    if (r == FA_OK)
        r = copy_in(s, f, &m, e);
    fa_map_close(&m);
    return r;
}
