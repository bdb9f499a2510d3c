/* SPDX-License-Identifier: BSD-2-Clause
 * Reading CSVs and judging one against a reference: per group of columns the mean, 95th percentile and largest difference, bias,
 * correlation and agreement of AUs, and a gate of documented limits. Same figures and verdicts as the project's judge.
 *
 * Rows are matched on (frame, face_id), in image mode on face. Everything but success, timestamp and AU presence is compared on
 * rows where both sides have success 1: where the reference lost the face its landmarks amplify any rounding. */
#ifndef FA_COMPARE_H
#define FA_COMPARE_H

#include <stddef.h>
#include <stdio.h>
#include "fa_err.h"

/* --- CSV of numbers --------------------------------------------------------------------------------------------------- */

enum { FA_CSV_NAME = 64, FA_CSV_COLUMNS = 4096, FA_CSV_NUMBER = 400 };     /* limits: name with NUL, columns, characters of a number */
#define FA_CSV_TEXT ((size_t)4 << 30)                                       /* bytes of text, after decompression */

struct fa_csv {
    int n_col; size_t n_row;
    char (*name)[FA_CSV_NAME];          /* [n_col], blanks around it removed */
    int *by_name;                       /* columns in the order of their names */
    double *cell;                       /* [n_row][n_col] */
    size_t *line;                       /* [n_row] line in the file, from 1 */
};
/* The whole file ("-": standard input) as text with a NUL behind it; zstd by its magic. FA_OK, FA_E_INPUT, FA_E_IO, FA_E_MEM,
 * FA_E_FORMAT (longer than max, damaged zstd), FA_E_TRUNC (zstd frame without its end). The error text starts with the path. */
int fa_text_read(char **text, size_t *len, const char *path, size_t max, struct fa_err *e);
/* text[len] must be NUL. Blank lines are skipped. FA_OK, FA_E_MEM, or FA_E_FORMAT ("line 12, column x_5: 'a' is not a number"). */
int fa_csv_parse(struct fa_csv *c, const char *text, size_t len, struct fa_err *e);
int fa_csv_read(struct fa_csv *c, const char *path, struct fa_err *e);
void fa_csv_close(struct fa_csv *c);
int fa_csv_column(const struct fa_csv *c, const char *name);               /* -1: none */

/* --- Figures ---------------------------------------------------------------------------------------------------------- */

struct fa_diff { double mean, p95, max; };                                  /* of absolute differences */
struct fa_cmp_group { const char *name; struct fa_diff d; int has_bias; double bias_x, bias_y; };   /* bias: mean signed difference, px */
struct fa_cmp_intensity { char name[FA_CSV_NAME]; struct fa_diff d; int active; double r; };        /* r: Pearson, active AUs only */
struct fa_cmp_presence { char name[FA_CSV_NAME]; size_t differ; double agree; };
enum { FA_CMP_GROUPS = 14 };
struct fa_cmp {
    int image, keyless, order_differs;          /* keyless: the new file lacks the key columns */
    int n_missing; char missing[5][FA_CSV_NAME];
    size_t rows_ref, rows_new, rows, non_finite;
    size_t success_ref, success_new, success_differ, both;
    int n_group, n_r, n_c;
    struct fa_cmp_group group[FA_CMP_GROUPS];
    struct fa_cmp_intensity *r;
    struct fa_cmp_presence *c;
};
/* FA_OK, FA_E_MEM, or FA_E_FORMAT: the reference has no key columns, or a file has a row twice. Close also after an error. */
int fa_compare(struct fa_cmp *cmp, const struct fa_csv *ref, const struct fa_csv *other, struct fa_err *e);
void fa_cmp_close(struct fa_cmp *cmp);
/* Sum of n doubles that lie stride bytes apart, the first at v. */
double fa_sum(const void *v, size_t n, size_t stride);
/* Quantile 0.95 of v[n], n >= 1, linear between neighbours; NaN if any is. Reorders v. */
double fa_p95(double *v, size_t n);

/* --- The gate --------------------------------------------------------------------------------------------------------- */

/* Rows per presence column that differ between runs of the reference that differ in rounding only: meta.json beside a gold,
 * runs.KIND.rounding_noise_AU_c_rows, KIND = the file's name up to its first dot. No such file, or not JSON: none known. */
struct fa_noise { int n; struct { char name[FA_CSV_NAME]; double rows; } *au; };
int fa_noise_read(struct fa_noise *noise, const char *ref_path, struct fa_err *e);     /* FA_OK or FA_E_MEM */
int fa_noise_parse(struct fa_noise *noise, const char *json, const char *kind);        /* 1 found, 0 not, -1 memory */
void fa_noise_close(struct fa_noise *noise);

struct fa_fails { int n, cap; char (*text)[480]; };
/* Judges; factor multiplies the limits of the groups. FA_OK (also when there are fails) or FA_E_MEM. */
int fa_gate(struct fa_fails *f, const struct fa_cmp *cmp, const struct fa_noise *noise, double factor, struct fa_err *e);
int fa_fails_add(struct fa_fails *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fa_fails_close(struct fa_fails *f);
void fa_gate_print_limits(FILE *f);

/* All golds GOLD/CLIP/KIND.csv.zst (but *.hp.csv.zst) against DIR/CLIP/KIND.csv[.zst], for kind clnf also DIR/CLIP.csv[.zst], in
 * order of names. done is told each verdict; a missing or unreadable output is a fail. *n: golds seen. */
typedef void fa_gold_done(void *self, const char *name, const struct fa_cmp *cmp, const struct fa_fails *fails);
int fa_gold_gate(const char *gold, const char *dir, fa_gold_done *done, void *self, int *n, struct fa_err *e);

/* --- Reports ---------------------------------------------------------------------------------------------------------- */

void fa_cmp_print(FILE *f, const struct fa_cmp *cmp);
/* The figures as a JSON object, and the fails as an array of strings; not-a-number prints as NaN, as the judge's JSON does. */
void fa_cmp_json(FILE *f, const struct fa_cmp *cmp);
void fa_fails_json(FILE *f, const struct fa_fails *fails);
void fa_string_json(FILE *f, const char *s);

#endif
