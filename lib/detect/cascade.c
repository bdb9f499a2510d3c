/* SPDX-License-Identifier: BSD-2-Clause
 * The cascade (spec/detection 3.9): the first network proposes boxes on every level of a pyramid, the second and third look at
 * crops of them, and overlapping boxes are suppressed in between. All scratch is laid out for the frame size and the
 * team; work is cut into bands of a level and small batches of crops, whose results do not depend on the cut. */
#include "detect_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fa_arena.h"
#include "fa_team.h"
#include "fa_model.h"

enum {
    BAND_ROWS = 16,                              /* output rows of a level that a thread takes at once */
    BATCH = 12,                                  /* crops that share the dense part's weights */
    CHUNK = 1536                                 /* crops between two looks at the scores */
};

/* What one thread needs. */
struct worker { struct fa_net_run pnet, rnet, onet; struct sampler crop; float *feature, *hidden; };

struct fa_detect_work {
    int w, h, n_thread;                          /* what the layout is for; 0: none yet */
    int n_level; struct level level[MAX_LEVELS];
    struct worker *worker;
    int cap;                                     /* candidates */
    struct cand *a, *b;
    float *logits;                               /* [CHUNK][onet.n_out] */
    unsigned char *outside;                      /* [CHUNK] the crop does not touch the frame */
    struct nms_room room;
    struct fa_arena arena;
};

int pyramid(struct level *level, double smallest, int w, int h)
{
    int n = (int)floor(log(smallest / (w < h ? w : h)) / log(0.709)) + 1;
    n = n < 0 ? 0 : n > MAX_LEVELS ? MAX_LEVELS : n;
    for (int i = 0; i < n; i++) {
        double s = PNET_SIDE / smallest * pow(0.709, i);
        level[i] = (struct level){ .scale = s, .w = (int)ceil(w * s), .h = (int)ceil(h * s) };
    }
    return n;
}

/* Takes size bytes of the arena, or, before there is one, only counts them. */
static void *take(struct fa_arena *a, size_t size)
{
    if (a->base)
        return fa_arena_take(a, size);
    a->used += (size + 63) / 64 * 64;
    return NULL;
}

static size_t feature_floats(const struct fa_detector *d)
{
    int n = d->rnet.n_feature > d->onet.n_feature ? d->rnet.n_feature : d->onet.n_feature;
    return (size_t)n * BATCH;
}

static size_t hidden_floats(const struct fa_detector *d)
{
    size_t r = fa_net_dense_floats(&d->rnet, BATCH), o = fa_net_dense_floats(&d->onet, BATCH);
    return r > o ? r : o;
}

static void place_net(struct fa_arena *a, struct fa_net_run *run, const struct fa_net *net, int max_w)
{
    void *mem = take(a, fa_net_run_bytes(net, max_w));
    if (mem)
        fa_net_run_place(run, net, max_w, mem);
}

static void place_worker(struct fa_detector *d, struct fa_arena *a, struct worker *k, int max_w)
{
    struct worker unused = { 0 };
    k = k ? k : &unused;
    place_net(a, &k->pnet, &d->pnet, max_w);
    place_net(a, &k->rnet, &d->rnet, d->rnet.side);
    place_net(a, &k->onet, &d->onet, d->onet.side);
    int side = d->rnet.side > d->onet.side ? d->rnet.side : d->onet.side;
    void *mem = take(a, sampler_bytes(side, side));
    if (mem)
        sampler_place(&k->crop, side, side, mem);
    k->feature = take(a, feature_floats(d) * sizeof(float));
    k->hidden = take(a, hidden_floats(d) * sizeof(float));
}

/* Lays out everything; without a block in the arena only its size is found. */
static void lay_out(struct fa_detector *d)
{
    struct fa_detect_work *k = d->work;
    struct fa_arena *a = &k->arena;
    k->cap = 0;
    for (int i = 0; i < k->n_level; i++) {
        struct level *l = &k->level[i];
        l->map_w = l->w;
        l->map_h = l->h;
        fa_net_size(&d->pnet, &l->map_w, &l->map_h);
        int n = l->map_w * l->map_h;
        k->cap += n;
        l->map = take(a, (size_t)n * PNET_OUT * sizeof(float));
        void *mem = take(a, sampler_bytes(l->w, l->h));
        if (mem)
            sampler_place(&l->sampler, l->w, l->h, mem);
    }
    k->worker = take(a, (size_t)k->n_thread * sizeof *k->worker);
    for (int t = 0; t < k->n_thread; t++)
        place_worker(d, a, k->worker ? &k->worker[t] : NULL, k->n_level ? k->level[0].w : PNET_SIDE);
    k->a = take(a, (size_t)k->cap * sizeof *k->a);
    k->b = take(a, (size_t)k->cap * sizeof *k->b);
    k->logits = take(a, CHUNK * (size_t)d->onet.n_out * sizeof(float));
    k->outside = take(a, CHUNK);
    void *mem = take(a, nms_room_bytes(k->cap));
    if (mem)
        nms_room_place(&k->room, k->cap, mem);
}

int detect_prepare(struct fa_detector *d, const struct fa_img8 *img, const struct fa_team *team, struct fa_err *e)
{
    struct fa_detect_work *k = d->work;
    if (img->w != k->w || img->h != k->h || fa_team_size(team) != k->n_thread) {
        k->w = 0;
        k->n_thread = fa_team_size(team);
        k->n_level = pyramid(k->level, d->cascade.smallest, img->w, img->h);
        struct fa_arena have = k->arena;
        k->arena = (struct fa_arena){ 0 };
        lay_out(d);
        size_t need = k->arena.used;
        k->arena = have;
        if (need > have.size) {
            fa_arena_close(&k->arena);
            if (fa_arena_open(&k->arena, need, e) != FA_OK)
                return FA_E_MEM;
        }
        fa_arena_release(&k->arena, 0);
        lay_out(d);
        k->w = img->w;
        k->h = img->h;
    }
    for (int i = 0; i < k->n_level; i++)
        sampler_set(&k->level[i].sampler, img, k->level[i].w, k->level[i].h, 0, 0, img->w, img->h);
    return FA_OK;
}

int detect_level_count(const struct fa_detector *d)
{
    return d->work->n_level;
}

const struct level *detect_level(const struct fa_detector *d, int i)
{
    return &d->work->level[i];
}

static void pnet_band(struct worker *k, const struct level *l, int y0, int y1)
{
    size_t pitch = (size_t)l->map_w * PNET_OUT;
    fa_net_start(&k->pnet, l->w, l->h, y0, sampler_row, &l->sampler);
    for (int y = y0; y < y1; y++)
        memcpy(l->map + (size_t)y * pitch, fa_net_row(&k->pnet, y), pitch * sizeof(float));
}

/* The levels cut into bands; first: numbers of the bands at which the levels start. */
struct bands { struct fa_detect_work *k; int rows, first[MAX_LEVELS + 1]; };

static void one_band(void *arg, int band, int worker)
{
    const struct bands *b = arg;
    int i = 0;
    while (band >= b->first[i + 1])
        i++;
    const struct level *l = &b->k->level[i];
    const int y0 = (band - b->first[i]) * b->rows, y1 = y0 + b->rows < l->map_h ? y0 + b->rows : l->map_h;
    pnet_band(&b->k->worker[worker], l, y0, y1);
}

void detect_pnet(struct fa_detector *d, struct fa_team *team)
{
    struct fa_detect_work *k = d->work;
    struct bands b = { .k = k, .rows = team ? BAND_ROWS : FA_MAX_SIDE };
    for (int i = 0; i < k->n_level; i++)
        b.first[i + 1] = b.first[i] + (k->level[i].map_h + b.rows - 1) / b.rows;
    fa_team_run(team, one_band, &b, b.first[k->n_level]);
}

int detect_proposals(struct cand *out, const struct level *l, float threshold)
{
    const float s = (float)l->scale;
    const int above_half = threshold >= 0.5f;
    int n = 0;
    for (int x = 0; x < l->map_w; x++)
        for (int y = 0; y < l->map_h; y++) {
            const float *o = l->map + ((size_t)y * (size_t)l->map_w + (size_t)x) * PNET_OUT;
            if (above_half && o[0] - o[1] > 0)   /* p < 0.5 */
                continue;
            float p = score_pnet(o[0], o[1]);
            if (!(p >= threshold))
                continue;
            int x1 = truncate_zero((float)(2 * x + 1) / s), x2 = truncate_zero((float)(2 * x + 12) / s);
            int y1 = truncate_zero((float)(2 * y + 1) / s), y2 = truncate_zero((float)(2 * y + 12) / s);
            out[n++] = (struct cand){ (float)x1, (float)y1, (float)(x2 - x1), (float)(y2 - y1), p, { o[2], o[3], o[4], o[5] } };
        }
    return n;
}

/* The flattened map of one crop. A box (x, y, w, h) covers pixels x-1 .. x+w-1 by y-1 .. y+h-1 (spec 3.8). 0: not on the frame. */
static int crop_features(struct worker *k, const struct fa_net *net, struct fa_net_run *run, const struct fa_img8 *img,
                         const struct cand *c, float *feature)
{
    int x = truncate_zero(c->x), y = truncate_zero(c->y), w = truncate_zero(c->w), h = truncate_zero(c->h);
    int ex = x + w < img->w ? x + w : img->w, ey = y + h < img->h ? y + h : img->h;
    if (w < 0 || h < 0 || ex < (x > 1 ? x - 1 : 0) || ey < (y > 1 ? y - 1 : 0))
        return 0;
    sampler_set(&k->crop, img, net->side, net->side, x - 1, y - 1, w + 1, h + 1);
    fa_net_features(run, feature, sampler_row, &k->crop);
    return 1;
}

int detect_crop(struct fa_detector *d, const struct fa_net *net, const struct fa_img8 *img, const struct cand *c, float *out)
{
    struct worker *k = &d->work->worker[0];
    if (!crop_features(k, net, net == &d->rnet ? &k->rnet : &k->onet, img, c, k->feature))
        return 0;
    fa_net_dense(net, out, k->feature, 1, k->hidden);
    return 1;
}

/* Network outputs of n <= BATCH candidates, the first of which is number `at` of the chunk. */
static void crop_batch(struct fa_detector *d, struct worker *k, const struct fa_net *net, const struct fa_img8 *img, const struct cand *in,
                       int at, int n)
{
    struct fa_net_run *run = net == &d->rnet ? &k->rnet : &k->onet;
    size_t nf = (size_t)net->n_feature;
    for (int i = 0; i < n; i++) {
        float *f = k->feature + (size_t)i * nf;
        d->work->outside[at + i] = !crop_features(k, net, run, img, &in[i], f);
        if (d->work->outside[at + i])
            memset(f, 0, nf * sizeof(float));
    }
    fa_net_dense(net, d->work->logits + (size_t)at * (size_t)net->n_out, k->feature, n, k->hidden);
}

/* A chunk cut into batches. */
struct batches { struct fa_detector *d; const struct fa_net *net; const struct fa_img8 *img; const struct cand *in; int n, size; };

static void one_batch(void *arg, int i, int worker)
{
    const struct batches *b = arg;
    const int at = i * b->size;
    crop_batch(b->d, &b->d->work->worker[worker], b->net, b->img, b->in + at, at, b->n - at < b->size ? b->n - at : b->size);
}

static void crop_chunk(struct fa_detector *d, const struct fa_net *net, const struct fa_img8 *img, const struct cand *in, int n,
                       struct fa_team *team)
{
    const int share = (n + fa_team_size(team) - 1) / fa_team_size(team);
    struct batches b = { d, net, img, in, n, share > BATCH ? BATCH : share };
    fa_team_run(team, one_batch, &b, (n + b.size - 1) / b.size);
}

int detect_refine(struct fa_detector *d, const struct fa_net *net, const struct fa_img8 *img, struct cand *out, const struct cand *in, int n,
                  float threshold, struct fa_team *team)
{
    const struct fa_detect_work *k = d->work;
    int kept = 0;
    for (int first = 0; first < n; first += CHUNK) {
        int m = n - first < CHUNK ? n - first : CHUNK;
        crop_chunk(d, net, img, in + first, m, team);
        for (int i = 0; i < m; i++) {
            const float *o = k->logits + (size_t)i * (size_t)net->n_out;
            float p = score_crop(o[0], o[1]);
            if (k->outside[i] || !(p >= threshold))
                continue;
            struct cand c = in[first + i];
            c.score = p;
            memcpy(c.off, o + 2, sizeof c.off);
            out[kept++] = c;
        }
    }
    return kept;
}

/* Steps 1 and 2: proposals of all levels, suppressed within and across levels, corrected and squared; in work->b. */
static int propose(struct fa_detect_work *k, float threshold)
{
    int n = 0;
    for (int i = 0; i < k->n_level; i++) {
        int found = detect_proposals(k->b, &k->level[i], threshold);
        n += nms(k->a + n, k->b, found, 0.5f, NMS_UNION, &k->room);
    }
    return nms(k->b, k->a, n, 0.7f, NMS_UNION, &k->room);
}

static void correct_square(struct cand *c, int n)
{
    for (int i = 0; i < n; i++) {
        box_correct(&c[i], 0);
        box_square(&c[i]);
    }
}

int fa_detect(struct fa_detector *d, const struct fa_img8 *bgr, struct fa_face_list *out, struct fa_team *team, struct fa_err *e)
{
    struct fa_detect_work *k = d->work;
    const struct fa_cascade *set = &d->cascade;
    out->n = 0;
    if (bgr->w < set->smallest || bgr->h < set->smallest)
        return FA_OK;
    if (detect_prepare(d, bgr, team, e) != FA_OK)
        return FA_E_MEM;
    detect_pnet(d, team);
    int n = propose(k, set->threshold[0]);
    correct_square(k->b, n);
    n = detect_refine(d, &d->rnet, bgr, k->b, k->b, n, set->threshold[1], team);
    n = nms(k->a, k->b, n, 0.7f, NMS_UNION, &k->room);
    correct_square(k->a, n);
    n = detect_refine(d, &d->onet, bgr, k->a, k->a, n, set->threshold[2], team);
    for (int i = 0; i < n; i++)
        box_correct(&k->a[i], 1);
    n = nms(k->b, k->a, n, 0.7f, NMS_MIN, &k->room);
    out->n = n < FA_MAX_FACES ? n : FA_MAX_FACES;
    for (int i = 0; i < out->n; i++) {
        struct cand *c = &k->b[i];
        box_to_landmarks(c, set->box);
        out->box[i] = (struct fa_face_box){ c->x, c->y, c->w, c->h, c->score };
    }
    return FA_OK;
}

/* mtcnn/cascade: smallest, three thresholds, three sides, four of the box. */
static int read_cascade(struct fa_cascade *c, const struct fa_pack *pack, struct fa_err *e)
{
    enum { N = 11, MAX_SIDE = 96 };
    static const struct fa_cascade reference = { 60, { 0.6f, 0.7f, 0.7f }, { PNET_SIDE, 24, 48 }, { -0.0075, 0.2459, 1.0323, 0.7751 } };
    struct fa_tensor t;
    int n = N;
    *c = reference;
    if (!fa_pack_find(pack, &t, "mtcnn/cascade"))
        return FA_OK;
    const double *v = fa_pack_need(pack, e, FA_F64, 1, &n, "mtcnn/cascade");
    if (!v)
        return FA_E_MODEL;
    int fits = v[0] >= PNET_SIDE && v[0] <= FA_MAX_SIDE && v[4] == PNET_SIDE;
    for (int i = 0; i < 3; i++)
        fits = fits && v[1 + i] > 0 && v[1 + i] < 1 && v[4 + i] >= PNET_SIDE && v[4 + i] <= MAX_SIDE;
    for (int i = 7; i < N; i++)
        fits = fits && v[i] > -10 && v[i] < 10;
    if (!fits)
        return fa_fail(e, FA_E_MODEL, "mtcnn/cascade: a number out of range");
    c->smallest = v[0];
    for (int i = 0; i < 3; i++) {
        c->threshold[i] = (float)v[1 + i];
        c->side[i] = (int)v[4 + i];
    }
    memcpy(c->box, v + 7, sizeof c->box);
    return FA_OK;
}

int fa_detector_open(struct fa_detector *d, const struct fa_pack *pack, struct fa_err *e)
{
    *d = (struct fa_detector){ 0 };
    fa_kern_conv();                              /* chosen now, not by the threads */
    d->work = calloc(1, sizeof *d->work);
    if (!d->work)
        return fa_fail_errno(e, FA_E_MEM, "face detector");
    int r = read_cascade(&d->cascade, pack, e);
    const int *in = d->cascade.side;
    if (r == FA_OK)
        r = fa_net_open(&d->pnet, pack, "mtcnn/pnet", 3, in[0], 0, e);
    if (r == FA_OK)
        r = fa_net_open(&d->rnet, pack, "mtcnn/rnet", 3, in[1], 0, e);
    if (r == FA_OK)
        r = fa_net_open(&d->onet, pack, "mtcnn/onet", 3, in[2], 0, e);
    int side = PNET_SIDE, side2 = PNET_SIDE;
    fa_net_size(&d->pnet, &side, &side2);
    if (r == FA_OK && (d->pnet.n_dense || d->pnet.n_out != PNET_OUT || side != 1 || side2 != 1 || !d->rnet.n_dense || d->rnet.n_out < PNET_OUT ||
                       !d->onet.n_dense || d->onet.n_out < d->rnet.n_out))
        r = fa_fail(e, FA_E_MODEL, "mtcnn: not the detector's networks: an output does not fit");
    if (r != FA_OK)
        fa_detector_close(d);
    return r;
}

void fa_detector_close(struct fa_detector *d)
{
    fa_net_close(&d->pnet);
    fa_net_close(&d->rnet);
    fa_net_close(&d->onet);
    if (d->work)
        fa_arena_close(&d->work->arena);
    free(d->work);
    *d = (struct fa_detector){ 0 };
}
