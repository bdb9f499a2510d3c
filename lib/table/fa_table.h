/* SPDX-License-Identifier: BSD-2-Clause
 * The CSV of OpenFace 2.2: columns, number formats, rows, and the files they go to (spec/output 1-9). Plain structs only:
 * a program maps its records to a row. Everything is independent of the locale.
 *
 * Order of columns: frame face_id timestamp confidence success (image mode: face confidence), then the groups gaze, pose, 2D,
 * 3D, shape parameters, AUs, whatever the order of the flags, then columns of ours that are off by default. */
#ifndef FA_TABLE_H
#define FA_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include "fa_err.h"
#include "fa_file.h"

/* --- One number ------------------------------------------------------------------------------------------------------- */

enum { FA_FIXED_MAX = 340, FA_FIXED_DECIMALS = 15 };
/* Writes v as printf("%.*f", decimals, v) of glibc does in the C locale: correctly rounded from the binary value, ties to even;
 * "-0.0", "nan", "-inf". decimals 0..15. No NUL. Returns the length, at most FA_FIXED_MAX. */
size_t fa_fixed(char *out, double v, int decimals);

/* --- Columns and rows ------------------------------------------------------------------------------------------------- */

enum fa_table_group {
    FA_TABLE_GAZE = 1, FA_TABLE_POSE = 2, FA_TABLE_2D = 4, FA_TABLE_3D = 8, FA_TABLE_PDM = 16, FA_TABLE_AUS = 32, FA_TABLE_ALL = 63
};
enum fa_table_extra { FA_TABLE_DISTANCE = 1 /* AUxx_d */, FA_TABLE_PTS = 2, FA_TABLE_CLIP = 4 };
/* How to write. precision: decimals of every column with a decimal point but AUxx_c; -1 as the reference. */
struct fa_table_form { unsigned groups, extra; int image, of21, precision; };
/* What there is to write: landmarks, eye landmarks of both eyes, modes, AUs (names "AU01", sorted here; n_r = n_c = 0: no AU columns). */
struct fa_table_shape { int n, n_eye, m, n_r, n_c; const char (*name_r)[8], (*name_c)[8]; };
enum { FA_TABLE_MAX_COUNT = 4096 };     /* limit of each count in a shape */

/* One face of one frame. Arrays are planes (all x, then all y, then all z), as long as the shape says; those of groups that are
 * off, and distance without FA_TABLE_DISTANCE, may be NULL. Values print from float, so they must have been rounded to float. */
struct fa_table_row {
    uint64_t frame; int face, success;
    double timestamp, confidence;       /* seconds; 0..1 */
    const float *gaze;                  /* [2][3] unit vectors */
    const float *gaze_angle;            /* [2] rad */
    const float *eye_xy, *eye_xyz;      /* [2][n_eye] px, [3][n_eye] mm */
    const float *pose;                  /* Tx Ty Tz mm, Rx Ry Rz rad */
    const float *xy, *xyz;              /* [2][n] px, [3][n] mm */
    const float *global, *local;        /* scale rx ry rz tx ty; [m] */
    const double *au_r, *au_c, *distance;   /* in the order of the shape's names */
    double pts;                         /* seconds, NaN unknown */
    const char *clip;                   /* quoted where CSV needs it */
};

struct fa_table;
/* FA_OK, FA_E_FORMAT (a count beyond its limit), FA_E_MEM. */
int fa_table_open(struct fa_table **t, const struct fa_table_form *form, const struct fa_table_shape *shape, struct fa_err *e);
void fa_table_close(struct fa_table *t);
int fa_table_columns(const struct fa_table *t);
/* The header line, and a row as a line; both end in \n, are not NUL-terminated, and are valid until the next call. NULL: memory. */
const char *fa_table_header(struct fa_table *t, size_t *len);
const char *fa_table_line(struct fa_table *t, const struct fa_table_row *row, size_t *len);

/* --- Files ------------------------------------------------------------------------------------------------------------ */

/* Name of a clip's outputs: last part of its path without the last extension (a printf pattern too); of a folder: last part of its
 * canonical path.
 * "-" and "" give "stdin". Fresh memory; NULL: memory. */
char *fa_table_name(const char *input, int is_folder);
/* Text of NAME_of_details.txt (spec/output 9). csv NULL: no row was written, the first lines only. camera: fx fy cx cy.
 * Fresh memory; NULL: memory. */
char *fa_table_details(const char *input, const float camera[4], const char *csv, unsigned groups);

/* What the stream says of a clip, for its provenance. frames: in the stream; promised: by the container, 0 unknown. */
struct fa_story {
    const char *input, *stages;         /* as in the CLIP record */
    int w, h, rotation, true_times, status; uint32_t fps_num, fps_den;
    unsigned long long frames, promised;
    const char *stage, *words;          /* of a failure, else "" */
};

/* The CSV files of a stream of clips. out: NULL or "-" standard output, a file, or a folder (ends in / or exists) that gets
 * NAME.csv for each clip. Nothing is created before the first row. Only a folder takes several clips, unless form.extra has
 * FA_TABLE_CLIP: then all go into one table with one header. Clear to zeros, fill the first line, begin. */
struct fa_sheet {
    const char *out; struct fa_table_form form; int line_buffered, details;
    const char *request;                /* not NULL: a provenance file is written beside each CSV, with this as its key request */
    struct fa_out file;
    struct fa_table *table;
    struct fa_table_shape shape;        /* what the header was made from; names are copies */
    char *path, **done;                 /* the clip's CSV; names used so far in a folder */
    size_t n_clip, n_row, n_clip_row;
    char *input; int is_folder, in_folder, failed; float camera[4];
    size_t n_success; double confidence, since;     /* of the clip: rows with success, sum over them, its start */
    struct fa_prov *prov;
};
int fa_sheet_open(struct fa_sheet *s, struct fa_err *e);
/* FA_E_ARG: a second clip and no place for it, or one whose CSV would replace another clip's of this stream. */
int fa_sheet_clip(struct fa_sheet *s, const char *input, int is_folder, int image, const float camera[4], struct fa_err *e);
/* FA_E_FORMAT when the shape is not the header's. */
int fa_sheet_row(struct fa_sheet *s, const struct fa_table_shape *shape, const struct fa_table_row *row, struct fa_err *e);
/* ok: the clip is complete; else its file is kept as FILE.partial if it has rows. In a folder the file is finished here. */
int fa_sheet_clip_end(struct fa_sheet *s, int ok, struct fa_err *e);
/* With request: how the clip went, before its end. FA_OK, or the failure to read the clip's bytes (FA_E_INPUT, FA_E_IO, FA_E_MEM). */
int fa_sheet_story(struct fa_sheet *s, const struct fa_story *story, struct fa_err *e);
/* After the last clip, whatever happened: finishes the one file (ok 0: keeps it as .partial) and frees all. */
int fa_sheet_close(struct fa_sheet *s, int ok, struct fa_err *e);

#endif
