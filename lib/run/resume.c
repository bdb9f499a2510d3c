/* SPDX-License-Identifier: BSD-2-Clause
 * What is asked, as one text, and whether an earlier run has done it. The outputs themselves decide: the provenance beside a CSV was
 * written after the CSV had its name, and holds the digests of clip and CSV. */
#include "fa_run.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_prov.h"

/* The shortest text that reads as the same number, so that 5, 5.0 and 05 are one request; other text stays. */
static void put_number(FILE *f, const char *text)
{
    char *end, best[40];
    const double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v)) {
        fputs(text, f);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(best, sizeof best, "%.*g", digits, v);
        if (strtod(best, NULL) >= v && strtod(best, NULL) <= v)
            break;
    }
    fputs(best, f);
}

static int put_contents(FILE *f, const char *path, struct fa_err *e)
{
    struct fa_prov p = { 0 };
    int r = fa_prov_file(&p, "file", path, e);
    const char *hash = r == FA_OK ? fa_prov_get(&p, "file_xxh3") : NULL;
    fputs(hash ? hash : "none", f);
    fa_prov_close(&p);
    return r;
}

char *fa_request(const struct fa_ask *ask, uint64_t model_hash, struct fa_err *e)
{
    int n, r = FA_OK;
    const struct fa_pass *pass = fa_pass_table(&n);
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    if (f)
        fprintf(f, "fa %s model=%016llx", FA_VERSION, (unsigned long long)model_hash);
    for (int k = 0; f && k < n && r == FA_OK; k++) {
        const char *value = ask->value[k];
        if (!value || pass[k].counts == FA_NOT)
            continue;
        fprintf(f, " --%s", pass[k].name);
        if (!pass[k].arg || pass[k].counts == FA_GIVEN)
            continue;
        fputc('=', f);
        if (pass[k].counts == FA_NUMBER)
            put_number(f, value);
        else if (pass[k].counts == FA_CONTENTS)
            r = put_contents(f, value, e);
        else
            fputs(value, f);
    }
    if (f && ask->segment_ms)
        fprintf(f, " --segments=%.10g", (double)ask->segment_ms / 1000);
    const int bad = !f || ferror(f);
    if ((f && fclose(f) != 0) || bad)
        r = fa_fail(e, FA_E_MEM, "out of memory");
    if (r == FA_OK)
        return text;
    free(text);
    return NULL;
}

int fa_job_current(const struct fa_job *job, const char *request, struct fa_err *e)
{
    struct fa_prov p = { 0 };
    int yes = 0;
    *e = (struct fa_err){ 0 };
    char *path = job->csv ? fa_prov_path(job->csv) : NULL;
    if (!path) {
        if (job->csv)
            fa_fail(e, FA_E_MEM, "out of memory");
    } else if (access(path, F_OK) != 0) {
        if (access(job->csv, F_OK) == 0)
            fa_fail(e, FA_E_INPUT, "%s: nothing beside it says how it was made (%s)", job->csv, path);
    } else if (fa_prov_read(&p, path, e) == FA_OK) {
        const char *status = fa_prov_get(&p, "status");
        if (!status || strcmp(status, "0") == 0)        /* else it failed: nothing yet */
            yes = fa_prov_current(&p, job->csv, job->input, request, e);
    }
    fa_prov_close(&p);
    free(path);
    return yes;
}

/* --- What killed runs left -------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }
static int starts(const void *key, const void *item)
{
    const char *const *csv = item;
    return strcmp(key, *csv);
}

/* Length of the CSV's name up to ".csv" that a leftover "STEM.csv.tmp123", "STEM.json.tmp123" ... belongs to; 0: none. */
static size_t leftover_stem(const char *name)
{
    static const char *const ends[] = { ".csv", ".json", "_of_details.txt" };
    const char *dot = NULL;
    for (const char *p = name; (p = strstr(p, ".tmp")) != NULL; p += 4)
        dot = p;
    if (!dot || !dot[4] || strspn(dot + 4, "0123456789") != strlen(dot + 4))
        return 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const size_t n = strlen(ends[i]);
        if ((size_t)(dot - name) > n && strncmp(dot - n, ends[i], n) == 0)
            return (size_t)(dot - name) - n;
    }
    return 0;
}

static int sweep_folder(const char *folder, const char **csv, size_t n)
{
    int found = 0;
    DIR *d = opendir(*folder ? folder : "/");
    for (const struct dirent *entry; d && (entry = readdir(d)) != NULL;) {
        const size_t stem = leftover_stem(entry->d_name);
        char *owner = NULL, *path = NULL;
        if (stem && asprintf(&owner, "%s/%.*s.csv", folder, (int)stem, entry->d_name) > 0 && bsearch(owner, csv, n, sizeof *csv, starts)
            && asprintf(&path, "%s/%s", folder, entry->d_name) > 0)
            found += unlink(path) == 0;
        free(owner);
        free(path);
    }
    if (d)
        closedir(d);
    return found;
}

int fa_jobs_sweep(const struct fa_jobs *jobs)
{
    const char **csv = malloc((size_t)jobs->n * sizeof *csv);
    size_t n = 0;
    int found = 0;
    for (int i = 0; csv && i < jobs->n; i++)
        if (jobs->job[i].csv && strchr(jobs->job[i].csv, '/'))
            csv[n++] = jobs->job[i].csv;
    if (csv && n)
        qsort((void *)csv, n, sizeof *csv, by_name);
    char *last = NULL;
    for (size_t i = 0; i < n; i++) {
        char *folder = strndup(csv[i], (size_t)(strrchr(csv[i], '/') - csv[i]));
        if (folder && (!last || strcmp(folder, last) != 0))
            found += sweep_folder(folder, csv, n);
        free(last);
        last = folder;
    }
    free(last);
    free((void *)csv);
    return found;
}
