/* SPDX-License-Identifier: BSD-2-Clause
 * Inside the import room: the bounded input that every reader uses, and the readers, one a file format.
 *
 * A reader takes an open fa_in and a builder, adds its tensors under a prefix and returns. The first thing wrong is noted in
 * the input ("FILE: byte N: reason", FA_E_MODEL); from then on every call on that input returns zeros, so a reader need look at
 * in->failed only before it relies on what it read. fa_in_close gives the verdict, also on bytes left over. All
 * column-major habits of the files end here: what a reader adds is row-major. */
#ifndef FA_IMPORT_INTERNAL_H
#define FA_IMPORT_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include "fa_err.h"
#include "fa_file.h"
#include "fa_model.h"

/* Limits on what a file may say. Points and modes are those of the shape room. */
enum { IN_MAX_POINTS = 80, IN_MAX_MODES = 48, IN_MAX_VIEWS = 32, IN_MAX_SCALES = 8, IN_MAX_PARTS = 8, IN_MAX_LAYERS = 64,
       IN_MAX_MAPS = 4096, IN_MAX_KERNEL = 32, IN_MAX_NEURONS = 64, IN_MAX_WINDOWS = 16, IN_MAX_COMPONENTS = 16, IN_MAX_TRIANGLES = 1024,
       IN_MAX_AUS = 64, IN_MAX_CEN = 1024 /* experts of a scale */, IN_N_LANDMARK = 68 };

struct fa_in {
    const char *name; const unsigned char *base; size_t len, at;
    struct fa_err *e; int failed;
    struct fa_map map;
};

/* FA_OK or FA_E_MODEL (missing, not a file). */
int fa_in_open(struct fa_in *in, const char *path, struct fa_err *e);
void fa_in_mem(struct fa_in *in, const char *name, const void *data, size_t len, struct fa_err *e);
/* Unmaps. FA_OK when nothing failed and every byte was used (text: what is left is white space); else the error's code. */
int fa_in_close(struct fa_in *in);
int fa_in_close_text(struct fa_in *in);
/* Notes what is wrong at the present byte; the first call wins. Returns FA_E_MODEL. */
int fa_in_bad(struct fa_in *in, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fa_in_no_memory(struct fa_in *in);

/* Binary primitives, little-endian. f32 and f64 refuse infinities and NaN. */
const unsigned char *fa_in_bytes(struct fa_in *in, size_t n);
int32_t fa_in_i32(struct fa_in *in);
float fa_in_f32(struct fa_in *in);
double fa_in_f64(struct fa_in *in);
/* An i32 that must lie in lo..hi; lo after a failure. */
int fa_in_count(struct fa_in *in, const char *what, int lo, int hi);
/* A matrix (i32 rows, cols, type; elements row-major) of the given type. *rows, *cols: the size that it must have, or -1: any, and
 * set to what it has. Elements of float types are checked to be finite. NULL after a failure. */
const unsigned char *fa_in_mat(struct fa_in *in, const char *what, enum fa_dtype type, int *rows, int *cols);

/* Text, numbers in the C locale's form whatever the program's locale. */
void fa_in_comments(struct fa_in *in);                   /* LM 1.5: lines that begin with #, blank or nothing */
double fa_in_number(struct fa_in *in, const char *what);
int fa_in_integer(struct fa_in *in, const char *what, int lo, int hi);
/* A text matrix as doubles, row-major (free); type F32: each value rounded to float first. Sizes as fa_in_mat. NULL after a failure. */
double *fa_in_text_mat(struct fa_in *in, const char *what, enum fa_dtype type, int *rows, int *cols);
/* Next line without its end (LF or CR LF): copied into fresh memory (free), NULL at the end. */
char *fa_in_line(struct fa_in *in);

/* A printf-formatted text in fresh memory (free); NULL: no memory. */
char *fa_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* calloc of n * m elements of a size; NULL (noted in the input) when there is no memory. */
void *fa_in_alloc(struct fa_in *in, size_t n, size_t m, size_t size);

/* --- The readers ------------------------------------------------------------------------------------------------------ */

/* Point distribution model (LM 2.1) -> PREFIX/pdm/... Returns n, the number of points; 0 after a failure. */
int fa_read_pdm(struct fa_in *in, struct fa_pack_builder *b, const char *prefix);
/* Triangle list (aus 1.5) -> NAME, i32 [T,3]; indices below n. */
void fa_read_triangles(struct fa_in *in, struct fa_pack_builder *b, int n, const char *name);

/* A network's layers; `validator` chooses the validator's record forms (detection 1.3, 6.1). PREFIX/layers, PREFIX/I/weight, ..
 * side and n_map: the nominal input. Returns the number of outputs (0 after a failure). */
int fa_read_net(struct fa_in *in, struct fa_pack_builder *b, int validator, int n_map, int side, const char *prefix);
/* The whole file of one MTCNN network. */
void fa_read_mtcnn(struct fa_in *in, struct fa_pack_builder *b, const char *net, int side);
void fa_read_validator(struct fa_in *in, struct fa_pack_builder *b);

/* An action-unit predictor (aus 1.3). */
enum { IN_AU_INPUTS = 4702, IN_AU_PADDED = 4704 };
enum fa_au_type { FA_AU_SVR_STATIC = 0, FA_AU_SVR_DYNAMIC = 1, FA_AU_SVM_STATIC = 4, FA_AU_SVM_DYNAMIC = 5 };
struct fa_au_predictor { int type; double cutoff, bias, value[2]; const unsigned char *mean, *weight; /* raw f64 x 4702, in the file */ };
void fa_read_predictor(struct fa_in *in, struct fa_au_predictor *p);

/* What all patch expert files begin with (LM 3.1); in the binary ones (CCNF, CEN) it has one form. n points. */
struct fa_views { double scale; int n_view; double centre[IN_MAX_VIEWS][3]; int visible[IN_MAX_VIEWS][IN_MAX_POINTS]; };
void fa_read_views(struct fa_in *in, struct fa_views *v, int n);
void fa_add_views(struct fa_pack_builder *b, const struct fa_views *v, int n, const char *prefix, int k);

/* Sigma components of a model: the last file read stays in force (LM 4.5). */
struct fa_components { int n_window, n_comp; int window[IN_MAX_WINDOWS], count[IN_MAX_WINDOWS]; float *c[IN_MAX_WINDOWS]; /* [count][W^4] */ };
void fa_components_free(struct fa_components *c);
/* What Sigma needs of one scale's experts. */
struct fa_ccnf_experts { int n_expert, n_beta; double scale; float *alpha_sum; double *betas; };
void fa_ccnf_experts_free(struct fa_ccnf_experts *x);
/* CCNF experts of one scale -> PREFIX/experts/K/...; n points. comp is replaced. */
void fa_read_ccnf(struct fa_in *in, struct fa_pack_builder *b, const char *prefix, int k, int n, struct fa_ccnf_experts *x, struct fa_components *comp);
/* SVR experts of one scale -> PREFIX/experts/K/... Returns the scale. */
double fa_read_svr(struct fa_in *in, struct fa_pack_builder *b, const char *prefix, int k, int n);

/* CEN experts of one scale (LM 3.4). The mirror tables of a model's last file hold for all its scales, so they are read first. */
struct fa_cen_mirror { int n_view; int landmark[IN_MAX_POINTS], view[IN_MAX_VIEWS]; };
/* The head of a file up to the tables; the rest stays unread. */
void fa_read_cen_mirror(struct fa_in *in, struct fa_cen_mirror *m, int n);
/* A whole file -> PREFIX/experts/K/...; mirror NULL: the file's own. Returns the scale; *n_view: its views. */
double fa_read_cen(struct fa_in *in, struct fa_pack_builder *b, const char *prefix, int k, int n, const struct fa_cen_mirror *mirror, int *n_view);
/* Early termination table (LM 5.2) -> PREFIX/experts/early_termination, f64 [3, views]. */
void fa_read_early_termination(struct fa_in *in, struct fa_pack_builder *b, const char *prefix, int n_view);

/* --- Which files a model consists of (lists.c) ------------------------------------------------------------------------- */

/* A file: where it is, and its name inside the tree, which is the same wherever the tree stands. */
struct fa_source { char *path, *label; };
/* A landmark model: indices into fa_plan.source, -1 none. */
struct fa_plan_model { int pdm, n_svr, svr[IN_MAX_SCALES], n_ccnf, ccnf[IN_MAX_SCALES], n_cen, cen[IN_MAX_SCALES], early; };
struct fa_plan_part { struct fa_plan_model model; char name[32]; int n_pair; int32_t pair[IN_MAX_POINTS][2]; };
struct fa_plan_au { int n; int file[2 * IN_MAX_AUS]; char name[2 * IN_MAX_AUS][8]; };
struct fa_plan {
    char stem[64];
    struct fa_source *source; int n_source, cap;
    struct fa_plan_model main; int n_part; struct fa_plan_part part[IN_MAX_PARTS];
    int validator, net[3], au_pdm, au_triangles; struct fa_plan_au au[2] /* dynamic, static */;
    char *absent[4]; int n_absent;              /* lists that were looked for and are not there */
};
/* Reads the lists only. FA_OK or FA_E_MODEL; fa_plan_free in either case. */
int fa_plan_read(struct fa_plan *p, const char *main_list, struct fa_err *e);
void fa_plan_free(struct fa_plan *p);
/* Reads everything the plan names into the builder. */
int fa_plan_import(const struct fa_plan *p, struct fa_pack_builder *b, struct fa_err *e);

#endif
