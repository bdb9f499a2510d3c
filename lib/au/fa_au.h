/* SPDX-License-Identifier: BSD-2-Clause
 * Action units from aligned faces (spec/aus 4 to 8): descriptors, running medians, linear predictors, and the passes that
 * turn raw predictions into the values of a clip. One input vector x holds the 4464 FHOG values, then the 238 geometry
 * values, then two zeros. */
#ifndef FA_AU_H
#define FA_AU_H

#include <stddef.h>
#include <stdint.h>
#include "fa_err.h"
#include "fa_image.h"

struct fa_pack;
struct fa_pdm;

enum {
    FA_AU_SIDE = 112,                                    /* pixels of the aligned face */
    FA_AU_CELLS = 12, FA_N_HOG = FA_AU_CELLS * FA_AU_CELLS * 31, FA_N_GEOM = 238,
    FA_N_DESCRIPTOR = FA_N_HOG + FA_N_GEOM, FA_N_DESCRIPTOR_PADDED = 4704,
    FA_AU_MAX = 32                                       /* predictors of a kind */
};

/* --- Descriptors ------------------------------------------------------------------------------------------------------ */

/* FHOG of the aligned face (112 x 112, 3 channels B,G,R; 1 channel counts three times), index (cell y * 12 + cell x) * 31 + feature.
 * Exact; a black face gives zeros (spec/aus 4). */
void fa_fhog(float hog[FA_N_HOG], const struct fa_img8 *face);
/* Geometry of the AU PDM's local parameters q[34] (spec/aus 5): V q as all x, all y, all z, then q. Double throughout. */
void fa_au_geometry(double geom[FA_N_GEOM], const struct fa_pdm *pdm, const float *q);

/* --- Running medians (spec/aus 6) ------------------------------------------------------------------------------------- */

/* Histogram medians of d values: "the smallest bin whose cumulative count reaches half". The median's bin and the count below
 * it are carried along, so that an update touches a cache line or two a value and searches nothing. */
struct fa_median {
    int d, bins, floor0;             /* floor0: negative medians read as 0 */
    double lo, hi;
    uint32_t n;                      /* updates that counted */
    void *count;                     /* [d][bins] uint16_t; from update 65,536 on uint32_t, for which room is reserved */
    int wide;                        /* it is uint32_t */
    uint32_t *bin, *below;           /* [d] the median's bin, the sum of counts before it */
    double *copy;                    /* [d] n = 1: the descriptor of the last call is the median */
};
/* The trackers of FHOG and of geometry, one person's calibration. */
struct fa_au_medians { struct fa_median hog, geom; };

int fa_median_open(struct fa_median *m, int d, int bins, double lo, double hi, int floor0, struct fa_err *e);   /* FA_OK or FA_E_MEM */
void fa_median_close(struct fa_median *m);
void fa_median_reset(struct fa_median *m);
/* One call: counts x[d] if use, see the quirks of spec/aus 6. Callers call it on odd frames only. */
void fa_median_update(struct fa_median *m, const double *x, int use);
void fa_median_get(double *median, const struct fa_median *m);

int fa_au_medians_open(struct fa_au_medians *m, struct fa_err *e);
void fa_au_medians_close(struct fa_au_medians *m);
void fa_au_medians_reset(struct fa_au_medians *m);
/* x: input vector. */
void fa_au_medians_update(struct fa_au_medians *m, const double x[FA_N_DESCRIPTOR_PADDED], int use);
void fa_au_medians_get(double median[FA_N_DESCRIPTOR_PADDED], const struct fa_au_medians *m);
/* The state as a file, to carry a person's calibration from clip to clip. Reading checks version, sizes, checksum, and that every histogram
 * adds up: FA_E_INPUT (cannot be opened), FA_E_FORMAT, FA_E_TRUNC, FA_E_VERSION; m is unchanged or reset then. */
int fa_au_medians_save(const struct fa_au_medians *m, const char *path, struct fa_err *e);
int fa_au_medians_load(struct fa_au_medians *m, const char *path, struct fa_err *e);
int fa_au_medians_parse(struct fa_au_medians *m, const void *data, size_t len, struct fa_err *e);

/* --- Predictors (spec/aus 7.1) ---------------------------------------------------------------------------------------- */

/* A set of linear predictors, by name: n_r intensities first, then n_c presences. Entry k of any array of values is the same predictor. */
struct fa_au_set {
    int n_r, n_c;
    char name_r[FA_AU_MAX][8], name_c[FA_AU_MAX][8];
    int dynamic[2 * FA_AU_MAX];      /* medians are subtracted from x */
    double cutoff[FA_AU_MAX];        /* of intensities; -1: none */
    double value[FA_AU_MAX][2];      /* of presences: decision > 0, otherwise */
    double bias[2 * FA_AU_MAX];
    double *weight;                  /* [n_r + n_c][FA_N_DESCRIPTOR_PADDED] */
};
/* list: "dynamic" or "static". FA_OK, FA_E_MODEL, FA_E_MEM. */
int fa_au_set_open(struct fa_au_set *s, const struct fa_pack *pack, const char *list, struct fa_err *e);
void fa_au_set_close(struct fa_au_set *s);
/* The part of each value that does not depend on the medians, w . x + bias. */
void fa_au_static_part(double *out, const struct fa_au_set *s, const double x[FA_N_DESCRIPTOR_PADDED]);
/* What the medians take away from it, w . median; 0 for static predictors. value = static part - shift. */
void fa_au_shift(double *out, const struct fa_au_set *s, const double median[FA_N_DESCRIPTOR_PADDED]);
/* Presence from a decision value. */
static inline double fa_au_presence(const struct fa_au_set *s, int k, double decision)
{
    return s->value[k][decision > 0 ? 0 : 1];
}

/* --- Online correction (spec/aus 7.3) --------------------------------------------------------------------------------- */

enum { FA_AU_ONLINE_BINS = 200 };
struct fa_au_online { uint32_t n, count[FA_AU_MAX][FA_AU_ONLINE_BINS]; };     /* all zero at the start of a clip */
/* Corrects and clamps the intensities r[n] of a frame in place. */
void fa_au_online_correct(double *r, int n, struct fa_au_online *o, int success);

/* --- Whole clip (spec/aus 8) ------------------------------------------------------------------------------------------ */

enum { FA_AU_RESTATED = 3000 };      /* successful frames that are predicted anew with the final medians */

/* The history of a clip: a row of raw values a frame. Beyond a few megabytes it lives in a temporary file. */
struct fa_au_clip;
int fa_au_clip_open(struct fa_au_clip **c, const struct fa_au_set *s, struct fa_err *e);
void fa_au_clip_close(struct fa_au_clip *c);
void fa_au_clip_reset(struct fa_au_clip *c);
/* Appends a frame. part: its static parts. shift: what fa_au_shift gives for the medians of this frame; it is used for successful frames
 * beyond the first FA_AU_RESTATED only (fa_au_clip_needs_shift says when) and may be NULL before. success 0: zeros are stored. */
int fa_au_clip_add(struct fa_au_clip *c, const double *part, const double *shift, int success, struct fa_err *e);
int fa_au_clip_needs_shift(const struct fa_au_clip *c);
/* Ends the history: final_shift from the final medians (zeros for a static set). offsets 0 leaves the intensities' zero level alone. */
int fa_au_clip_finish(struct fa_au_clip *c, const double *final_shift, int offsets, struct fa_err *e);
/* Then, once a frame in order: intensities r[n_r], presences c[n_c], decision values distance[n_c] (0 for failed frames). */
int fa_au_clip_next(struct fa_au_clip *c, double *r, double *presence, double *distance, struct fa_err *e);

#endif
