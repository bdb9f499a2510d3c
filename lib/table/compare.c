/* SPDX-License-Identifier: BSD-2-Clause
 * Figures of one CSV against a reference: rows are matched, then each group of columns is gone through once. */
#include "fa_compare.h"
#include "compare_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int starts(const char *s, const char *with) { return strncmp(s, with, strlen(with)) == 0; }

static int ends(const char *s, const char *with)
{
    size_t n = strlen(s), m = strlen(with);
    return n >= m && strcmp(s + n - m, with) == 0;
}

enum fa_cmp_kind fa_cmp_kind_of(const char *c)
{
    static const struct { const char *start; enum fa_cmp_kind kind; } t[] = {    /* first match wins */
        { "gaze_angle", CMP_GAZE_ANGLE }, { "gaze_", CMP_GAZE }, { "eye_lmk_x_", CMP_EYE2D }, { "eye_lmk_y_", CMP_EYE2D },
        { "eye_lmk_X_", CMP_EYE3D }, { "eye_lmk_Y_", CMP_EYE3D }, { "eye_lmk_Z_", CMP_EYE3D }, { "pose_T", CMP_POSE_T },
        { "pose_R", CMP_POSE_R }, { "p_", CMP_P_LOCAL }, { "x_", CMP_LM2D }, { "y_", CMP_LM2D }, { "X_", CMP_LM3D },
        { "Y_", CMP_LM3D }, { "Z_", CMP_LM3D } };
    static const struct { const char *name; enum fa_cmp_kind kind; } whole[] = {
        { "confidence", CMP_CONFIDENCE }, { "success", CMP_SUCCESS }, { "timestamp", CMP_TIMESTAMP }, { "p_scale", CMP_P_SCALE },
        { "p_rx", CMP_P_ROT }, { "p_ry", CMP_P_ROT }, { "p_rz", CMP_P_ROT }, { "p_tx", CMP_P_TRANS }, { "p_ty", CMP_P_TRANS } };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (strcmp(c, whole[i].name) == 0)
            return whole[i].kind;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        if (starts(c, t[i].start))
            return t[i].kind;
    if (starts(c, "AU"))
        return ends(c, "_r") ? CMP_AU_R : ends(c, "_c") ? CMP_AU_C : CMP_NONE;
    return CMP_NONE;
}

static const char *const kind_name[CMP_KINDS] = {
    [CMP_CONFIDENCE] = "confidence", [CMP_TIMESTAMP] = "timestamp", [CMP_GAZE] = "gaze", [CMP_GAZE_ANGLE] = "gaze_angle",
    [CMP_EYE2D] = "eye2d", [CMP_EYE3D] = "eye3d", [CMP_POSE_T] = "pose_t", [CMP_POSE_R] = "pose_r", [CMP_P_SCALE] = "p_scale",
    [CMP_P_ROT] = "p_rot", [CMP_P_TRANS] = "p_trans", [CMP_P_LOCAL] = "p_local", [CMP_LM2D] = "lm2d", [CMP_LM3D] = "lm3d" };

/* One pair of files while it is compared. A pair of matched rows is at pr[i], pn[i]; both lists those with success on both sides. */
struct work {
    const struct fa_csv *ref, *new;
    int *to_new;                            /* column of ref -> column of new, or -1 */
    const double **pr, **pn;
    size_t n, *both, n_both;
    double *diff;                           /* scratch: the largest group on all rows */
};

static double clean(double x) { return isfinite(x) ? x : isnan(x) ? 1e9 : copysign(1e9, x); }

/* --- Matching rows ---------------------------------------------------------------------------------------------------- */

struct key { double a, b; size_t row; };

static int by_key(const void *x, const void *y)
{
    const struct key *p = x, *q = y;
    if (p->a != q->a)
        return p->a < q->a ? -1 : 1;
    return p->b != q->b ? (p->b < q->b ? -1 : 1) : 0;
}

/* Keys of all rows, sorted; column kb may be -1. NULL: memory, or a key that is no number or comes twice. */
static struct key *keys_of(const struct fa_csv *c, int ka, int kb, const char *side, struct fa_err *e)
{
    struct key *k = malloc((c->n_row + 1) * sizeof *k);
    if (!k) {
        fa_fail(e, FA_E_MEM, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < c->n_row; i++) {
        const double *row = c->cell + i * (size_t)c->n_col;
        k[i] = (struct key){ row[ka], kb < 0 ? 0 : row[kb], i };
        if (!isfinite(k[i].a) || !isfinite(k[i].b)) {
            fa_fail(e, FA_E_FORMAT, "%s: line %zu: frame or face is not a number", side, c->line[i]);
            free(k);
            return NULL;
        }
    }
    qsort(k, c->n_row, sizeof *k, by_key);
    for (size_t i = 1; i < c->n_row; i++)
        if (by_key(&k[i - 1], &k[i]) == 0) {
            size_t p = c->line[k[i - 1].row], q = c->line[k[i].row];
            fa_fail(e, FA_E_FORMAT, "%s: lines %zu and %zu are the same frame and face", side, p < q ? p : q, p < q ? q : p);
            free(k);
            return NULL;
        }
    return k;
}

static int match(struct fa_cmp *cmp, struct work *w, struct fa_err *e)
{
    const struct fa_csv *ref = w->ref, *new = w->new;
    int ra = fa_csv_column(ref, "frame"), rb = fa_csv_column(ref, "face_id");
    cmp->image = ra < 0;
    if (cmp->image) {
        ra = fa_csv_column(ref, "face");
        rb = -1;
    }
    if (ra < 0 || (!cmp->image && rb < 0))
        return fa_fail(e, FA_E_FORMAT, "reference: no columns frame and face_id, nor face");
    int na = w->to_new[ra], nb = rb < 0 ? -1 : w->to_new[rb];
    if (na < 0 || (rb >= 0 && nb < 0)) {
        cmp->keyless = 1;
        return FA_OK;
    }
    struct key *kr = keys_of(ref, ra, rb, "reference", e), *kn = kr ? keys_of(new, na, nb, "new file", e) : NULL;
    if (!kn) {
        free(kr);
        return e->code;
    }
    for (size_t i = 0; i < ref->n_row; i++) {
        const double *row = ref->cell + i * (size_t)ref->n_col;
        struct key k = { row[ra], rb < 0 ? 0 : row[rb], 0 }, *hit = bsearch(&k, kn, new->n_row, sizeof k, by_key);
        if (!hit)
            continue;
        w->pr[w->n] = row;
        w->pn[w->n++] = new->cell + hit->row * (size_t)new->n_col;
    }
    free(kr);
    free(kn);
    cmp->rows = w->n;
    return FA_OK;
}

/* --- Columns ---------------------------------------------------------------------------------------------------------- */

/* Columns of one side that the other has too must stand in the same order. */
static void check_columns(struct fa_cmp *cmp, const struct work *w)
{
    int last = -1;
    for (int k = 0; k < w->ref->n_col; k++) {
        int to = w->to_new[k];
        if (to < 0) {
            if (cmp->n_missing < 5)
                memcpy(cmp->missing[cmp->n_missing], w->ref->name[k], FA_CSV_NAME);
            cmp->n_missing++;
        } else {
            cmp->order_differs |= to < last;
            last = to;
        }
    }
}

static void count_success(struct fa_cmp *cmp, struct work *w)
{
    int sr = fa_csv_column(w->ref, "success"), sn = fa_csv_column(w->new, "success");
    for (size_t i = 0; i < w->n; i++) {
        for (int k = 0; k < w->new->n_col; k++)
            cmp->non_finite += !isfinite(w->pn[i][k]);
        int r = sr < 0 || w->pr[i][sr] == 1, n = sn < 0 || w->pn[i][sn] == 1;
        cmp->success_ref += (size_t)r;
        cmp->success_new += (size_t)n;
        cmp->success_differ += r != n;
        if (r && n)
            w->both[w->n_both++] = i;
    }
    cmp->both = w->n_both;
}

/* --- Groups ----------------------------------------------------------------------------------------------------------- */

static struct fa_diff summary(double *v, size_t n)
{
    struct fa_diff d = { .mean = fa_sum(v, n, sizeof *v) / (double)n };
    for (size_t i = 0; i < n; i++)
        d.max = v[i] > d.max ? v[i] : d.max;
    d.p95 = fa_p95(v, n);
    if (isnan(d.p95))
        d.max = d.p95;
    return d;
}

/* Into -pi .. pi, as a floored modulus does it. */
static double wrap(double x)
{
    double m = fmod(x + M_PI, 2 * M_PI);
    return (m < 0 ? m + 2 * M_PI : m) - M_PI;
}

enum side { ALL, X_ONLY, OTHERS };

/* Signed differences of a group, column after column. Returns their number. */
static size_t gather(struct work *w, enum fa_cmp_kind kind, enum side side)
{
    const int angle = kind == CMP_P_ROT || kind == CMP_POSE_R || kind == CMP_GAZE_ANGLE, all = kind == CMP_TIMESTAMP;
    const size_t rows = all ? w->n : w->n_both;
    size_t n = 0;
    for (int k = 0; k < w->ref->n_col; k++) {
        const char *name = w->ref->name[k];
        const int to = w->to_new[k], x = starts(name, "x_") || starts(name, "eye_lmk_x");
        if (to < 0 || fa_cmp_kind_of(name) != kind || (side != ALL && (side == X_ONLY) != x))
            continue;
        for (size_t i = 0; i < rows; i++) {
            const size_t at = all ? i : w->both[i];
            const double d = clean(w->pn[at][to]) - w->pr[at][k];
            w->diff[n++] = angle ? wrap(d) : d;
        }
    }
    return n;
}

static void one_group(struct fa_cmp *cmp, struct work *w, enum fa_cmp_kind kind)
{
    struct fa_cmp_group g = { .name = kind_name[kind], .has_bias = kind == CMP_LM2D || kind == CMP_EYE2D };
    size_t n;
    if (g.has_bias) {
        n = gather(w, kind, X_ONLY);
        g.bias_x = fa_sum(w->diff, n, sizeof *w->diff) / (double)n;
        n = gather(w, kind, OTHERS);
        g.bias_y = fa_sum(w->diff, n, sizeof *w->diff) / (double)n;
    }
    n = gather(w, kind, ALL);
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        w->diff[i] = fabs(w->diff[i]);
    g.d = summary(w->diff, n);
    cmp->group[cmp->n_group++] = g;
}

/* --- AUs -------------------------------------------------------------------------------------------------------------- */

/* Pearson's r, and the standard deviation of the reference; 0 when the new values are all equal. */
static double pearson(const struct work *w, int k, int to, double *std_ref)
{
    const double n = (double)w->n_both;
    double mr = 0, mn = 0, rr = 0, nn = 0, rn = 0, lo = INFINITY, hi = -INFINITY;
    for (size_t i = 0; i < w->n_both; i++) {
        double x = clean(w->pn[w->both[i]][to]);
        mr += w->pr[w->both[i]][k];
        mn += x;
        lo = fmin(lo, x);
        hi = fmax(hi, x);
    }
    mr /= n;
    mn /= n;
    for (size_t i = 0; i < w->n_both; i++) {
        double r = w->pr[w->both[i]][k] - mr, x = clean(w->pn[w->both[i]][to]) - mn;
        rr += r * r;
        nn += x * x;
        rn += r * x;
    }
    *std_ref = sqrt(rr / n);
    return hi > lo ? fmax(-1, fmin(1, rn / sqrt(rr) / sqrt(nn))) : 0;
}

static void one_intensity(struct fa_cmp *cmp, struct work *w, int k, int to)
{
    size_t high = 0;
    double std_ref;
    if (w->n_both == 0)
        return;
    struct fa_cmp_intensity *au = &cmp->r[cmp->n_r++];
    memcpy(au->name, w->ref->name[k], FA_CSV_NAME);
    for (size_t i = 0; i < w->n_both; i++) {
        double r = w->pr[w->both[i]][k];
        high += r >= 0.5;
        w->diff[i] = fabs(r - clean(w->pn[w->both[i]][to]));
    }
    au->r = pearson(w, k, to, &std_ref);
    au->active = !cmp->image && (double)high / (double)w->n_both >= 0.05 && std_ref >= 0.1;
    au->d = summary(w->diff, w->n_both);
}

static void one_presence(struct fa_cmp *cmp, const struct work *w, int k, int to)
{
    struct fa_cmp_presence *au = &cmp->c[cmp->n_c++];
    memcpy(au->name, w->ref->name[k], FA_CSV_NAME);
    for (size_t i = 0; i < w->n; i++)
        au->differ += w->pr[i][k] != clean(w->pn[i][to]);
    au->agree = 1 - (double)au->differ / (double)w->n;
}

static void figures(struct fa_cmp *cmp, struct work *w)
{
    int seen[CMP_KINDS] = { 0 };
    count_success(cmp, w);
    for (int k = 0; k < w->ref->n_col; k++) {           /* groups in the order of their first columns */
        enum fa_cmp_kind kind = fa_cmp_kind_of(w->ref->name[k]);
        if (kind_name[kind] && !seen[kind]++)
            one_group(cmp, w, kind);
    }
    for (int k = 0; k < w->ref->n_col; k++) {
        enum fa_cmp_kind kind = fa_cmp_kind_of(w->ref->name[k]);
        if (w->to_new[k] >= 0 && kind == CMP_AU_R)
            one_intensity(cmp, w, k, w->to_new[k]);
        if (w->to_new[k] >= 0 && kind == CMP_AU_C)
            one_presence(cmp, w, k, w->to_new[k]);
    }
}

int fa_compare(struct fa_cmp *cmp, const struct fa_csv *ref, const struct fa_csv *new, struct fa_err *e)
{
    const size_t nr = ref->n_row + 1, nc = (size_t)ref->n_col;
    size_t per_kind[CMP_KINDS] = { 0 }, widest = 1;
    struct work w = { .ref = ref, .new = new };
    *cmp = (struct fa_cmp){ .rows_ref = ref->n_row, .rows_new = new->n_row };
    for (int k = 0; k < ref->n_col; k++) {
        size_t n = ++per_kind[fa_cmp_kind_of(ref->name[k])];
        widest = n > widest ? n : widest;
    }
    w.to_new = malloc(nc * sizeof *w.to_new);
    w.pr = malloc(nr * sizeof *w.pr);
    w.pn = malloc(nr * sizeof *w.pn);
    w.both = malloc(nr * sizeof *w.both);
    w.diff = malloc(nr * widest * sizeof *w.diff);
    cmp->r = calloc(nc, sizeof *cmp->r);
    cmp->c = calloc(nc, sizeof *cmp->c);
    int r = w.to_new && w.pr && w.pn && w.both && w.diff && cmp->r && cmp->c ? FA_OK : fa_fail(e, FA_E_MEM, "out of memory");
    if (r == FA_OK) {
        for (int k = 0; k < ref->n_col; k++)
            w.to_new[k] = fa_csv_column(new, ref->name[k]);
        check_columns(cmp, &w);
        r = match(cmp, &w, e);
    }
    if (r == FA_OK && cmp->rows > 0)
        figures(cmp, &w);
    free(w.to_new);
    free(w.pr);
    free(w.pn);
    free(w.both);
    free(w.diff);
    return r;
}

void fa_cmp_close(struct fa_cmp *cmp)
{
    free(cmp->r);
    free(cmp->c);
    *cmp = (struct fa_cmp){ 0 };
}
