/* SPDX-License-Identifier: BSD-2-Clause
 * Provenance of a CSV: a small flat JSON object beside it that says which clip, models, options and programs it came from, how the
 * clip went, and what the finished CSV's bytes are. With it a later run decides whether the CSV may stay (man/fa-csv.1 has the keys). */
#ifndef FA_PROV_H
#define FA_PROV_H

#include <stdint.h>
#include <stdio.h>
#include "fa_err.h"

enum { FA_PROV_ENTRIES = 128, FA_PROV_TEXT = 1 << 20 };     /* limits of a file: keys, bytes */

/* Keys in the order of their lines; a key occurs once. text: the value is a string, else a JSON number. */
struct fa_prov { int n; struct { char *key, *value; int text; } entry[FA_PROV_ENTRIES]; int failed; };

/* Adding never fails at once: memory or too many keys surface in fa_prov_write. Later values replace earlier ones. */
void fa_prov_text(struct fa_prov *p, const char *key, const char *value);
void fa_prov_number(struct fa_prov *p, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The stages' lines of a stream ("fa-decode version=.. key=value ..\n"): a key for each program. */
void fa_prov_stages(struct fa_prov *p, const char *lines);
/* Where and when: host, cpu. */
void fa_prov_machine(struct fa_prov *p);
/* PREFIX_bytes and PREFIX_xxh3 (XXH3-64, 16 hex digits) of a file, or of a folder's files in the order of their names. What is neither
 * adds nothing. FA_OK, FA_E_INPUT, FA_E_IO, FA_E_MEM. */
int fa_prov_file(struct fa_prov *p, const char *prefix, const char *path, struct fa_err *e);
/* NULL: no such key. */
const char *fa_prov_get(const struct fa_prov *p, const char *key);
void fa_prov_close(struct fa_prov *p);

/* The file beside a CSV: "x.csv" -> "x.json", any other name gets ".json" behind it. Fresh memory; NULL: memory. */
char *fa_prov_path(const char *csv);
/* Takes its name only when complete. FA_OK, FA_E_IO, FA_E_MEM. */
int fa_prov_write(const struct fa_prov *p, const char *path, struct fa_err *e);
/* text must end in a NUL. FA_OK; FA_E_FORMAT (not a flat object, a key twice, too many); FA_E_MEM. */
int fa_prov_parse(struct fa_prov *p, const char *text, struct fa_err *e);
/* Also FA_E_INPUT (missing), FA_E_IO. Close also after an error. */
int fa_prov_read(struct fa_prov *p, const char *path, struct fa_err *e);

/* Prints what differs: of a stage's line the words of one side only, of others both values. all: also what says where, when and how
 * long. Returns the number of keys that differ and decide on the CSV's numbers (clip, stages, request). */
int fa_prov_differ(FILE *f, const struct fa_prov *a, const struct fa_prov *b, int all);
/* Whether the CSV that p describes is complete, still those bytes, and of this clip and request. 1 yes; 0 no, and why says so in e.
 * Looks at all bytes of both files: a size and a time can lie. */
int fa_prov_current(const struct fa_prov *p, const char *csv, const char *clip, const char *request, struct fa_err *e);

#endif
