/* SPDX-License-Identifier: BSD-2-Clause
 * Reader of reference dumps: see dump.h. */
#include "dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

const char *shared_dir(void)
{
    const char *d = getenv("FA_SHARED");
    char probe[1024];
    if (!d || !*d)
        d = "../shared";
    snprintf(probe, sizeof probe, "%s/dumps", d);      /* an empty folder of that name is none */
    return access(probe, R_OK) == 0 ? d : NULL;
}

const char *shared_path(const char *rel)
{
    static char buf[8][1024];
    static int k;
    const char *d = shared_dir();
    if (!d)
        return NULL;
    char *p = buf[k++ % 8];
    snprintf(p, sizeof buf[0], "%s/%s", d, rel);
    return p;
}

static unsigned char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    fseek(f, 0, SEEK_END);
    long len = ftell(f);
    rewind(f);
    unsigned char *p = malloc((size_t)len + 1);
    if (!p || fread(p, 1, (size_t)len, f) != (size_t)len)
        abort();
    fclose(f);
    p[len] = 0;
    *n = (size_t)len;
    return p;
}

int dump_open(struct dump *d, const char *case_name)
{
    char rel[200];
    size_t nt, nz;
    *d = (struct dump){ 0 };
    if (!shared_dir())
        return 0;
    snprintf(rel, sizeof rel, "dumps/%s/index.tsv", case_name);
    char *t = (char *)slurp(shared_path(rel), &nt);
    snprintf(rel, sizeof rel, "dumps/%s/data.bin.zst", case_name);
    unsigned char *z = slurp(shared_path(rel), &nz);
    if (!t || !z)
        return 0;
    /* The frame may not state its size: grow until it fits. */
    size_t cap = 32u << 20, n;
    for (;;) {
        d->data = realloc(d->data, cap);
        if (!d->data)
            abort();
        n = ZSTD_decompress(d->data, cap, z, nz);
        if (!ZSTD_isError(n))
            break;
        if (cap > (1u << 30))
            abort();
        cap *= 2;
    }
    free(z);
    int cap_rows = 0;
    char *save = NULL, *line = strtok_r(t, "\n", &save);   /* header */
    while ((line = strtok_r(NULL, "\n", &save))) {
        if (d->n == cap_rows) {
            cap_rows = cap_rows ? 2 * cap_rows : 4096;
            d->row = realloc(d->row, (size_t)cap_rows * sizeof *d->row);
            if (!d->row)
                abort();
        }
        struct dump_row *r = &d->row[d->n];
        char type[8], dims[64];
        size_t off;
        *r = (struct dump_row){ 0 };
        if (sscanf(line, "%95[^\t]\t%d\t%23[^\t]\t%d\t%d\t%7[^\t]\t%63[^\t]\t%zu", r->name, &r->frame, r->part, &r->scale, &r->iter,
                   type, dims, &off) != 8)
            continue;
        r->type = strcmp(type, "f64") == 0 ? 'd' : type[0];
        r->n = 1;
        for (char *s = dims; *s && r->ndim < 4;) {
            r->dim[r->ndim] = (int)strtol(s, &s, 10);
            r->n *= (size_t)r->dim[r->ndim++];
            if (*s == ',')
                s++;
        }
        size_t size = r->n * (r->type == 'd' ? 8 : r->type == 'u' ? 1 : 4);
        if (off + size > n)
            abort();
        void *copy = aligned_alloc(64, (size + 64) & ~(size_t)63);   /* offsets are packed: copy for alignment */
        if (!copy)
            abort();
        memcpy(copy, d->data + off, size);
        r->data = copy;
        d->n++;
    }
    free(t);
    return 1;
}

void dump_close(struct dump *d)
{
    for (int i = 0; i < d->n; i++)
        free((void *)d->row[i].data);
    free(d->row);
    free(d->data);
    *d = (struct dump){ 0 };
}

const struct dump_row *dump_find(const struct dump *d, int from, const char *name, int frame, const char *part, int scale, int iter)
{
    for (int i = from < 0 ? 0 : from; i < d->n; i++) {
        const struct dump_row *r = &d->row[i];
        if (strcmp(r->name, name) == 0 && (frame == -2 || r->frame == frame) && (!part || strcmp(r->part, part) == 0) &&
            (scale == -2 || r->scale == scale) && (iter == -2 || r->iter == iter))
            return r;
    }
    return NULL;
}
