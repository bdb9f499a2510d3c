/* SPDX-License-Identifier: BSD-2-Clause
 * Packs of lists, kept in the store. Three ways to a pack, the fastest first:
 *
 *      index     every file that the list led to last time is untouched (size, times, inode): open the pack it names
 *      contents  hash all files; a pack of that name exists already: open it, renew the index
 *      import    read the files, build the pack, write it aside and rename it
 *
 * An index line is trusted only if its file was last changed well before the index was written: within the clock's tick a
 * file could change again and look untouched. Writers need no lock: names follow contents, and renaming is atomic. */
#include "import_internal.h"
#include "fa_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "fa_shm.h"

/* Part of every pack's name: raise it, and the index's number, when the importer's output changes. */
enum { IMPORT_VERSION = 2 };
static const char index_head[] = "fa-models index 2";

struct state { long long size, mtime, ctime, dev, ino; };

static int get_state(const char *path, struct state *s)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return 0;
    *s = (struct state){ st.st_size, st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec, st.st_ctim.tv_sec * 1000000000LL + st.st_ctim.tv_nsec,
                         (long long)st.st_dev, (long long)st.st_ino };
    return 1;
}

/* --- Index -------------------------------------------------------------------------------------------------------------- */

/* "PACKS/STEM-XXXX.index": one for each list file, found by the list's path. */
static char *index_path(const struct fa_store *s, const char *list)
{
    const char *slash = strrchr(list, '/'), *base = slash ? slash + 1 : list;
    size_t n = strlen(base);
    if (n > 4 && strcmp(base + n - 4, ".txt") == 0)
        n -= 4;
    return fa_text("%s/%.*s-%016llx.index", s->packs, (int)n, base, (unsigned long long)XXH3_64bits(list, strlen(list)));
}

/* The name of the pack if the index exists and nothing it lists has changed; NULL otherwise. */
static char *ask_index(const char *path)
{
    struct stat st;
    struct fa_in in;
    char *pack = NULL, *line;
    int ok = 0;
    if (stat(path, &st) != 0 || fa_in_open(&in, path, NULL) != FA_OK)
        return NULL;
    long long written = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
    char *head = fa_in_line(&in);
    if (head && strcmp(head, index_head) == 0 && (pack = fa_in_line(&in)) != NULL && !strchr(pack, '/'))
        ok = 1;
    free(head);
    for (; ok && (line = fa_in_line(&in)) != NULL; free(line)) {
        struct state was, is;
        int at = 0;
        if (strncmp(line, "absent ", 7) == 0)
            ok = access(line + 7, R_OK) != 0;
        else
            ok = sscanf(line, "%lld %lld %lld %lld %lld %n", &was.size, &was.mtime, &was.ctime, &was.dev, &was.ino, &at) == 5 && at > 0 &&
                 get_state(line + at, &is) && memcmp(&was, &is, sizeof is) == 0 && is.ctime < written - 1000000000LL &&
                 is.mtime < written - 1000000000LL;
    }
    if (in.failed)
        ok = 0;
    fa_in_close(&in);
    if (ok)
        return pack;
    free(pack);
    return NULL;
}

/* Failing to write it only costs time later. */
static void write_index(const char *path, const struct fa_plan *p, const char *pack)
{
    struct fa_out o;
    struct state s = { 0 };
    int ok = 1;
    if (fa_out_open(&o, path, NULL) != FA_OK)
        return;
    fprintf(o.f, "%s\n%s\n", index_head, pack);
    for (int i = 0; i < p->n_source && ok; i++) {
        ok = !strchr(p->source[i].path, '\n') && get_state(p->source[i].path, &s);
        fprintf(o.f, "%lld %lld %lld %lld %lld %s\n", s.size, s.mtime, s.ctime, s.dev, s.ino, p->source[i].path);
    }
    for (int i = 0; i < p->n_absent; i++)
        fprintf(o.f, "absent %s\n", p->absent[i]);
    if (ok)
        fa_out_commit(&o, NULL);
    else
        fa_out_abandon(&o, 0);
}

/* --- Contents ----------------------------------------------------------------------------------------------------------- */

/* "STEM-XXXX.pack" from the contents and tree names of all files; where the tree stands does not matter. */
static char *pack_name(const struct fa_plan *p, struct fa_err *e)
{
    XXH3_state_t *h = XXH3_createState();
    char *name = NULL;
    struct fa_map m;
    if (!h) {
        fa_fail(e, FA_E_MEM, "out of memory");
        return NULL;
    }
    XXH3_64bits_reset(h);
    for (int i = 0; i < p->n_source; i++) {
        if (fa_map_open(&m, p->source[i].path, e) != FA_OK) {
            if (e && e->code == FA_E_INPUT)
                e->code = FA_E_MODEL;
            goto out;
        }
        char *line = fa_text("%d %s %s %zu %016llx\n", IMPORT_VERSION, p->stem, p->source[i].label, m.len, (unsigned long long)XXH3_64bits(m.data, m.len));
        fa_map_close(&m);
        if (!line) {
            fa_fail(e, FA_E_MEM, "out of memory");
            goto out;
        }
        XXH3_64bits_update(h, line, strlen(line));
        free(line);
    }
    name = fa_text("%s-%016llx.pack", p->stem, (unsigned long long)XXH3_64bits_digest(h));
    if (!name)
        fa_fail(e, FA_E_MEM, "out of memory");
out:
    XXH3_freeState(h);
    return name;
}

/* --- Import ------------------------------------------------------------------------------------------------------------- */

/* Builds the pack and opens it: from the file `path` if it could be saved there, else in memory (or, when that very pack is staged, from
 * there); *saved says which. */
static int build(struct fa_pack *pack, const struct fa_plan *p, const char *path, int *saved, struct fa_err *e)
{
    struct fa_pack_builder b;
    size_t len;
    fa_pack_begin(&b);
    int r = fa_plan_import(p, &b, e);
    if (r != FA_OK) {
        fa_pack_discard(&b);
        return r;
    }
    void *mem = fa_pack_finish(&b, &len, e);
    if (!mem)
        return e->code;
    struct fa_pack built;
    if ((r = fa_pack_open_mem(&built, mem, len, mem, e)) != FA_OK)
        return r;
    *saved = path && fa_pack_save(&built, path, NULL) == FA_OK && fa_shm_open(pack, path, NULL) == FA_OK;
    if (*saved || fa_shm_attach(pack, built.hash, NULL) == FA_OK)
        fa_pack_close(&built);
    else
        *pack = built;
    return FA_OK;
}

/* --- The three ways ----------------------------------------------------------------------------------------------------- */

static char *absolute(const char *path)
{
    char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
    char *r = cwd ? fa_text("%s/%s", cwd, path) : strdup(path);
    free(cwd);
    return r;
}

int fa_model_open_list(struct fa_pack *pack, const char *list, char **path, struct fa_err *e)
{
    struct fa_store s = { 0 };
    struct fa_plan plan = { 0 };
    struct fa_err own;
    int r = FA_OK, saved = 0;
    if (!e)
        e = &own;
    int have_store = fa_store_open(&s, NULL) == FA_OK;
    char *abs = absolute(list), *index = have_store && abs ? index_path(&s, abs) : NULL, *name = index ? ask_index(index) : NULL;
    char *file = name ? fa_text("%s/%s", s.packs, name) : NULL;
    *pack = (struct fa_pack){ 0 };
    if (path)
        *path = NULL;
    if (!abs) {
        r = fa_fail(e, FA_E_MEM, "out of memory");
        goto out;
    }
    if (file && fa_shm_open(pack, file, NULL) == FA_OK) {
        saved = 1;
        goto out;
    }
    free(name);
    free(file);
    name = file = NULL;
    if ((r = fa_plan_read(&plan, abs, e)) != FA_OK)
        goto out;
    if (!(name = pack_name(&plan, e))) {
        r = e->code;
        goto out;
    }
    int writable = have_store && fa_mkdirs(s.packs, NULL) == FA_OK;
    file = have_store ? fa_text("%s/%s", s.packs, name) : NULL;
    saved = file && fa_shm_open(pack, file, NULL) == FA_OK;
    if (!saved)
        r = build(pack, &plan, writable ? file : NULL, &saved, e);
    if (r == FA_OK && saved && writable && index)
        write_index(index, &plan, name);
out:
    if (r == FA_OK && saved && path) {
        *path = file;
        file = NULL;
    }
    free(file);
    free(name);
    free(index);
    free(abs);
    fa_plan_free(&plan);
    fa_store_close(&s);
    return r;
}
