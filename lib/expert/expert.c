/* SPDX-License-Identifier: BSD-2-Clause
 * The experts of a model: views, and response maps of all visible landmarks at a scale (LM 4). What kind they are is decided once,
 * by the pack; the area of interest is cut here, the kind turns it into a map. */
#include "expert_internal.h"

#include <stdlib.h>
#include <string.h>

#include "fa_model.h"
#include "fa_shape.h"
#include "fa_team.h"

static const struct fa_expert_kind *const kinds[] = { &fa_expert_cen, &fa_expert_ccnf, &fa_expert_svr };

static const struct fa_expert_kind *find_kind(const struct fa_pack *pack, const char *prefix, struct fa_err *e)
{
    struct fa_tensor t;
    if (!fa_pack_find(pack, &t, "%s/experts/kind", prefix) || t.type != FA_U8) {
        fa_fail(e, FA_E_MODEL, "model pack lacks '%s/experts/kind'", prefix);
        return NULL;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)   /* NOLINT(bugprone-sizeof-expression): an array of pointers */
        if (strlen(kinds[i]->name) == t.n && memcmp(kinds[i]->name, t.data, t.n) == 0)
            return kinds[i];
    fa_fail(e, FA_E_MODEL, "patch experts of kind '%.*s' are not known", (int)(t.n < 20 ? t.n : 20), (const char *)t.data);
    return NULL;
}

/* --- Working memory: a part for each thread of the team ---------------------------------------------------------- */

struct fa_expert_room { float *block; size_t each; int n; };

static void room_close(struct fa_expert_room *room)
{
    if (room)
        free(room->block);
    free(room);
}

/* Sees to it that so many threads can do jobs with window w at scale k. */
static int make_room(struct fa_experts *x, int k, int w, int threads, struct fa_err *e)
{
    const struct fa_expert_room *now = x->room;
    const size_t need = x->kind->scratch ? (x->kind->scratch(&x->per_scale[k], w) + 15) / 16 * 16 : 0;
    if (!need || (now && need <= now->each && threads <= now->n))
        return FA_OK;
    const int n = now && now->n > threads ? now->n : threads > 1 ? threads : 1;
    struct fa_expert_room *room = malloc(sizeof *room);
    if (!room)
        return fa_fail(e, FA_E_MEM, "no memory for patch experts");
    room->each = now && now->each > need ? now->each : need;
    room->n = n;
    room->block = aligned_alloc(64, room->each * (size_t)n * sizeof(float));
    room_close(x->room);
    x->room = room;
    return room->block ? FA_OK : fa_fail(e, FA_E_MEM, "no memory for patch experts");
}

/* --- Opening ------------------------------------------------------------------------------------------------------------ */

static int open_scale(struct fa_expert_scale *s, const struct fa_expert_kind *kind, const struct fa_pack *pack, const char *prefix, int k,
                      struct fa_err *e)
{
    int centres_dim[] = { -1, 3 }, visible_dim[] = { -1, -1 };
    s->centres = fa_pack_need(pack, e, FA_F64, 2, centres_dim, "%s/experts/%d/centres", prefix, k);
    s->visible = fa_pack_need(pack, e, FA_I32, 2, visible_dim, "%s/experts/%d/visible", prefix, k);
    s->confidence = fa_pack_need(pack, e, FA_F32, 2, visible_dim, "%s/experts/%d/confidence", prefix, k);
    s->nv = visible_dim[0];
    s->n = visible_dim[1];
    if (!s->centres || !s->visible || !s->confidence)
        return FA_E_MODEL;
    if (s->nv < 1 || s->nv != centres_dim[0] || s->n < 1 || s->n > FA_PDM_MAX_POINTS)
        return fa_fail(e, FA_E_MODEL, "%s/experts/%d: %d views, %d centres, %d landmarks", prefix, k, s->nv, centres_dim[0], s->n);
    return kind->open(s, pack, prefix, k, e);
}

int fa_experts_open(struct fa_experts *x, const struct fa_pack *pack, const char *prefix, struct fa_err *e)
{
    int scales_dim[] = { -1 }, r = FA_OK;
    *x = (struct fa_experts){ 0 };
    const double *scale = fa_pack_need(pack, e, FA_F64, 1, scales_dim, "%s/experts/scales", prefix);
    x->kind = scale ? find_kind(pack, prefix, e) : NULL;
    if (!x->kind)
        return FA_E_MODEL;
    if (scales_dim[0] < 1 || scales_dim[0] > FA_MAX_SCALES)
        return fa_fail(e, FA_E_MODEL, "%s/experts: %d scales", prefix, scales_dim[0]);
    x->per_scale = calloc((size_t)scales_dim[0], sizeof *x->per_scale);
    if (!x->per_scale)
        return fa_fail(e, FA_E_MEM, "no memory for patch experts");
    for (int k = 0; k < scales_dim[0] && r == FA_OK; k++) {
        x->scale[x->n_scale++] = scale[k];
        r = open_scale(&x->per_scale[k], x->kind, pack, prefix, k, e);
        if (r == FA_OK && x->per_scale[k].n != x->per_scale[0].n)
            r = fa_fail(e, FA_E_MODEL, "%s/experts: %d landmarks at scale %d, %d at scale 0", prefix, x->per_scale[k].n, k, x->per_scale[0].n);
    }
    x->n = x->per_scale[0].n;
    if (r != FA_OK)
        fa_experts_close(x);
    return r;
}

void fa_experts_close(struct fa_experts *x)
{
    for (int k = 0; k < x->n_scale; k++)
        x->kind->close(&x->per_scale[k]);
    free(x->per_scale);
    room_close(x->room);
    *x = (struct fa_experts){ 0 };
}

static int check_window(const struct fa_experts *x, int k, int w, struct fa_err *e)
{
    if (k < 0 || k >= x->n_scale || w < 3 || w > FA_MAX_WINDOW || w % 2 == 0)
        return fa_fail(e, FA_E_ARG, "patch experts: window %d at scale %d of %d", w, k, x->n_scale);
    return FA_OK;
}

int fa_experts_reserve(struct fa_experts *x, int k, int w, int threads, struct fa_err *e)
{
    if (check_window(x, k, w, e) != FA_OK)
        return FA_E_ARG;
    int r = make_room(x, k, w, threads, e);
    return r == FA_OK && x->kind->reserve ? x->kind->reserve(&x->per_scale[k], w, e) : r;
}

int fa_experts_views(const struct fa_experts *x, int k) { return x->per_scale[k].nv; }

int fa_experts_view(const struct fa_experts *x, int k, float rx, float ry, float rz)
{
    const struct fa_expert_scale *s = &x->per_scale[k];
    float least = 0;
    int best = 0;
    for (int v = 0; v < s->nv; v++) {
        const double *c = s->centres + 3 * v;
        const float dx = (float)(c[0] - rx), dy = (float)(c[1] - ry), dz = (float)(c[2] - rz), d = dx * dx + dy * dy + dz * dz;
        if (v == 0 || d < least) {
            least = d;
            best = v;
        }
    }
    return best;
}

const int *fa_experts_visible(const struct fa_experts *x, int k, int view)
{
    return x->per_scale[k].visible + view * x->per_scale[k].n;
}

const float *fa_experts_confidence(const struct fa_experts *x, int k, int view)
{
    return x->per_scale[k].confidence + view * x->per_scale[k].n;
}

void fa_expert_aoi_matrix(float m[6], const float sim_inv[4], float x, float y, int c)
{
    const float a = sim_inv[0], b = -sim_inv[1], k = (float)(c - 1);
    m[0] = m[4] = a;
    m[1] = -b;
    m[3] = b;
    m[2] = x - a * k / 2 + b * k / 2;
    m[5] = y - a * k / 2 - b * k / 2;
}

/* What the jobs of one call share. */
struct respond {
    const struct fa_responses *r;
    const struct fa_experts *x;
    const struct fa_expert_scale *s;
    const struct fa_img8 *gray;
    int np;
    struct fa_expert_job job[FA_PDM_MAX_POINTS];
};

/* Sorts the visible landmarks into jobs, as the kind pairs them. Returns how many. */
static int plan_jobs(struct fa_expert_job *job, const struct fa_expert_kind *kind, const struct fa_expert_scale *s, int view)
{
    const int *visible = s->visible + view * s->n;
    int n = 0;
    for (int i = 0; i < s->n; i++) {
        if (!visible[i])
            continue;
        const int other = kind->partner ? kind->partner(s, view, i) : -1, pair = other >= 0 && visible[other];
        if (!pair || i < other) {
            job[n] = (struct fa_expert_job){ .n = 1 + pair, .landmark = { i, other } };
            n++;
        }
    }
    return n;
}

static void respond_one(void *arg, int at, int worker)
{
    struct respond *c = arg;
    struct fa_expert_job *job = &c->job[at];
    const struct fa_responses *r = c->r;
    enum { ROWS = FA_MAX_WINDOW + FA_EXPERT_SUPPORT - 1 };
    _Alignas(64) float aoi[2][ROWS * FA_AOI_STRIDE];
    const int side = r->w + FA_EXPERT_SUPPORT - 1;
    for (int k = 0; k < job->n; k++) {
        const int i = job->landmark[k];
        float m[6];
        struct fa_imgf area = { aoi[k], FA_AOI_STRIDE, side, side };
        fa_expert_aoi_matrix(m, r->sim_inv, r->base[i], r->base[c->np + i], side);
        fa_warp_inverse_f32(&area, c->gray, m);
        job->aoi[k] = aoi[k];
        job->map[k] = r->maps + (ptrdiff_t)i * r->stride;
    }
    const struct fa_expert_room *room = c->x->room;
    job->scratch = room ? room->block + (size_t)worker * room->each : NULL;
    c->x->kind->maps(job, c->s, r->view, r->w);
}

int fa_experts_respond(struct fa_responses *r, struct fa_experts *x, const struct fa_pdm *pdm, const struct fa_params *p,
                       int k, int w, const struct fa_img8 *gray, struct fa_team *team, struct fa_err *e)
{
    if (check_window(x, k, w, e) != FA_OK || pdm->n != x->n)
        return fa_fail(e, FA_E_ARG, "patch experts: window %d at scale %d, %d landmarks for %d", w, k, pdm->n, x->n);
    struct fa_expert_scale *s = &x->per_scale[k];
    r->w = w;
    r->view = fa_experts_view(x, k, p->g.rx, p->g.ry, p->g.rz);
    int failed = make_room(x, k, w, fa_team_size(team), e);
    if (failed == FA_OK && x->kind->prepare)
        failed = x->kind->prepare(s, r->view, w, e);
    if (failed != FA_OK)
        return failed;

    struct fa_params upright = *p;
    float ref[2 * FA_PDM_MAX_POINTS];
    upright.g = (struct fa_global){ .s = (float)x->scale[k] };
    fa_pdm_shape2d(r->base, NULL, pdm, p);
    fa_pdm_shape2d(ref, NULL, pdm, &upright);
    fa_similarity(r->sim, r->sim_inv, r->base, ref, pdm->n, pdm->np);

    struct respond shared = { r, x, s, gray, pdm->np, { { 0 } } };
    const int n = plan_jobs(shared.job, x->kind, s, r->view);
    fa_team_run(team, respond_one, &shared, n);
    return FA_OK;
}
