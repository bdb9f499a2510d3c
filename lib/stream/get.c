/* SPDX-License-Identifier: BSD-2-Clause
 * Decoders of the payloads (byte tables: man/fa-stream.5). Each takes the fixed part apart, checks counts against their limits,
 * then takes array after array from what is left; a payload must be used up to its last byte. Nothing is copied. */
#include "stream_internal.h"
#include "ring_internal.h"

#include <string.h>

#include "fa_le.h"

/* What is left of a payload. short_ is set once more is asked for than there is. */
struct rest { const unsigned char *p; size_t left; int short_; };

static int bad(const struct fa_rec *rec, struct fa_err *e, const char *why)
{
    if (rec->frame)
        return fa_fail(e, FA_E_FORMAT, "clip %u: frame %llu: %s record: %s", (unsigned)rec->clip, (unsigned long long)rec->frame,
                       fa_rec_name(rec->type), why);
    return fa_fail(e, FA_E_FORMAT, "clip %u: %s record: %s", (unsigned)rec->clip, fa_rec_name(rec->type), why);
}

static const void *take(struct rest *r, size_t n)
{
    if (n > r->left) {
        r->short_ = 1;
        return NULL;
    }
    const unsigned char *p = r->p;
    r->p += n;
    r->left -= n;
    return p;
}

/* A text of n bytes with its NUL, or of none. */
static const char *take_text(struct rest *r, uint32_t n)
{
    if (n == 0)
        return "";
    const char *s = n <= FA_MAX_TEXT ? take(r, n) : NULL;
    if (!s || memchr(s, 0, n) != s + n - 1)
        r->short_ = 1;
    return s;
}

static int all_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return 0;
    return 1;
}

/* The fixed part of a payload of this type, whose bytes from zero_at on are reserved. NULL: not there, or in use. */
static const unsigned char *fixed(struct rest *r, const struct fa_rec *rec, unsigned type, size_t size, size_t zero_at)
{
    *r = (struct rest){ rec->data, rec->len, rec->type != type };
    const unsigned char *p = take(r, size);
    return p && !r->short_ && all_zero(p + zero_at, size - zero_at) ? p : NULL;
}

static int done(const struct rest *r, const struct fa_rec *rec, struct fa_err *e)
{
    if (r->short_)
        return bad(rec, e, "its length does not fit its counts");
    return r->left ? bad(rec, e, "bytes left over at its end") : FA_OK;
}

static void floats(float *dst, const unsigned char *p, int n) { memcpy(dst, p, 4 * (size_t)n); }

int fa_get_clip(struct fa_clip *c, const struct fa_rec *rec, struct fa_err *e)
{
    struct rest r;
    const unsigned char *p = fixed(&r, rec, FA_REC_CLIP, FIX_CLIP, 60);
    if (!p)
        return bad(rec, e, "damaged fixed part");
    *c = (struct fa_clip){ .kind = fa_le_u32(p), .flags = fa_le_u32(p + 4), .w = fa_le_i32(p + 8), .h = fa_le_i32(p + 12),
        .fps_num = fa_le_u32(p + 16), .fps_den = fa_le_u32(p + 20), .fx = fa_le_f32(p + 24), .fy = fa_le_f32(p + 28),
        .cx = fa_le_f32(p + 32), .cy = fa_le_f32(p + 36), .rotation = fa_le_i32(p + 40), .n_frame = fa_le_u64(p + 48) };
    const char *why = check_clip(c);
    if (why)
        return bad(rec, e, why);
    c->name = take_text(&r, fa_le_u32(p + 44));
    c->provenance = take_text(&r, fa_le_u32(p + 56));
    return done(&r, rec, e);
}

int fa_get_frame(struct fa_frame *f, const struct fa_rec *rec, struct fa_err *e)
{
    struct rest r;
    const unsigned char *p = fixed(&r, rec, FA_REC_FRAME, FIX_FRAME, 56);
    if (!p)
        return bad(rec, e, "damaged fixed part");
    *f = (struct fa_frame){ .w = fa_le_i32(p), .h = fa_le_i32(p + 4), .format = fa_le_u32(p + 8), .t = fa_le_f64(p + 16),
        .pts = (int64_t)fa_le_u64(p + 24), .tb_num = (int64_t)fa_le_u64(p + 32), .tb_den = (int64_t)fa_le_u64(p + 40) };
    const char *why = check_frame(f);
    if (why)
        return bad(rec, e, why);
    uint64_t n_px = (uint64_t)f->w * (uint64_t)f->h * (uint64_t)pix_bytes(f->format);
    if (fa_le_u64(p + 48) != n_px)
        return bad(rec, e, "number of pixels does not fit size and format");
    if (rec->version == FRAME_BY_REF) {
        struct ref ref;
        const unsigned char *q = take(&r, REF_BYTES);
        if (!n_px || (q && (why = ref_unpack(&ref, q)) != NULL))
            return bad(rec, e, n_px ? why : "a reference to no pixels");
        f->px = rec->loan ? rec->loan->px : NULL;
    } else if (n_px) {
        f->px = take(&r, (size_t)n_px);
    }
    f->name = take_text(&r, fa_le_u32(p + 12));
    return done(&r, rec, e);
}

int fa_get_faces(struct fa_faces *f, const struct fa_rec *rec, struct fa_err *e)
{
    struct rest r;
    const unsigned char *p = fixed(&r, rec, FA_REC_FACES, FIX_FACES, 4);
    if (!p)
        return bad(rec, e, "damaged fixed part");
    *f = (struct fa_faces){ .n = fa_le_i32(p) };
    if (f->n < 0 || f->n > FA_MAX_FACES)
        return bad(rec, e, "number of faces beyond the limit");
    f->box = take(&r, (size_t)f->n * sizeof *f->box);
    return done(&r, rec, e);
}

int fa_get_marks(struct fa_marks *m, const struct fa_rec *rec, struct fa_err *e)
{
    struct rest r;
    const unsigned char *p = fixed(&r, rec, FA_REC_LANDMARKS, FIX_MARKS, 112);
    if (!p)
        return bad(rec, e, "damaged fixed part");
    *m = (struct fa_marks){ .n = fa_le_i32(p), .m = fa_le_i32(p + 4), .n_eye = fa_le_i32(p + 8), .success = fa_le_u32(p + 12),
        .accepted = fa_le_u32(p + 16), .failures = fa_le_i32(p + 20), .certainty = fa_le_f32(p + 24), .likelihood = fa_le_f32(p + 28) };
    floats(m->global, p + 32, 6);
    floats(m->pose, p + 56, 6);
    floats(m->gaze[0], p + 80, 3);
    floats(m->gaze[1], p + 92, 3);
    floats(m->gaze_angle, p + 104, 2);
    const char *why = check_marks(m);
    if (why)
        return bad(rec, e, why);
    size_t n = (size_t)m->n, n_eye = (size_t)m->n_eye;
    m->local = take(&r, 4 * (size_t)m->m);
    m->xy = take(&r, 4 * 2 * n);
    m->xyz = take(&r, 4 * 3 * n);
    m->eye_xy = take(&r, 4 * 2 * n_eye);
    m->eye_xyz = take(&r, 4 * 3 * n_eye);
    return done(&r, rec, e);
}

int fa_get_crop(struct fa_crop *c, const struct fa_rec *rec, struct fa_err *e)
{
    struct rest r;
    const unsigned char *p = fixed(&r, rec, FA_REC_CROP, FIX_CROP, 68);
    if (!p)
        return bad(rec, e, "damaged fixed part");
    *c = (struct fa_crop){ .size = fa_le_i32(p), .ch = fa_le_i32(p + 4), .valid = fa_le_u32(p + 8), .scale = fa_le_f32(p + 12),
        .m = fa_le_i32(p + 64) };
    floats(c->warp, p + 16, 6);
    floats(c->global, p + 40, 6);
    const char *why = check_crop(c);
    if (why)
        return bad(rec, e, why);
    size_t n_local = 4 * (size_t)c->m, gap = rec_round(n_local) - n_local;
    c->local = take(&r, n_local);
    const unsigned char *zero = take(&r, gap);          /* keeps the pixels 64-byte aligned */
    if (zero && !all_zero(zero, gap))
        return bad(rec, e, "padding is not zero");
    if (c->valid)
        c->px = take(&r, (size_t)c->size * (size_t)c->size * (size_t)c->ch);
    return done(&r, rec, e);
}

int fa_get_aus(struct fa_aus *a, const struct fa_rec *rec, struct fa_err *e)
{
    struct rest r;
    const unsigned char *p = fixed(&r, rec, FA_REC_AUS, FIX_AUS, 12);
    if (!p)
        return bad(rec, e, "damaged fixed part");
    *a = (struct fa_aus){ .kind = fa_le_u32(p), .n_r = fa_le_i32(p + 4), .n_c = fa_le_i32(p + 8) };
    const char *why = check_aus(a);
    if (why)
        return bad(rec, e, why);
    a->name_r = take(&r, 8 * (size_t)a->n_r);
    a->name_c = take(&r, 8 * (size_t)a->n_c);
    a->r = take(&r, 8 * (size_t)a->n_r);
    a->c = take(&r, 8 * (size_t)a->n_c);
    a->distance = take(&r, 8 * (size_t)a->n_c);
    int code = done(&r, rec, e);
    for (int i = 0; code == FA_OK && i < a->n_r + a->n_c; i++)
        if ((why = check_au_name(i < a->n_r ? a->name_r[i] : a->name_c[i - a->n_r])) != NULL)
            code = bad(rec, e, why);
    return code;
}

int fa_get_end(struct fa_end *end, const struct fa_rec *rec, struct fa_err *e)
{
    struct rest r;
    const unsigned char *p = fixed(&r, rec, FA_REC_END, FIX_END, 20);
    if (!p)
        return bad(rec, e, "damaged fixed part");
    *end = (struct fa_end){ .status = fa_le_u32(p), .n_frame = fa_le_u64(p + 8) };
    if (end->status > 3)
        return bad(rec, e, "unknown status");
    end->stage = take_text(&r, fa_le_u32(p + 4));
    end->words = take_text(&r, fa_le_u32(p + 16));
    return done(&r, rec, e);
}

int fa_rec_check(const struct fa_rec *rec, struct fa_err *e)
{
    union { struct fa_clip clip; struct fa_frame frame; struct fa_faces faces; struct fa_marks marks; struct fa_crop crop;
            struct fa_aus aus; struct fa_end end; } u;
    switch (rec->type) {
    case FA_REC_CLIP: return fa_get_clip(&u.clip, rec, e);
    case FA_REC_FRAME: return fa_get_frame(&u.frame, rec, e);
    case FA_REC_FACES: return fa_get_faces(&u.faces, rec, e);
    case FA_REC_LANDMARKS: return fa_get_marks(&u.marks, rec, e);
    case FA_REC_CROP: return fa_get_crop(&u.crop, rec, e);
    case FA_REC_AUS: return fa_get_aus(&u.aus, rec, e);
    case FA_REC_END: return fa_get_end(&u.end, rec, e);
    }
    return FA_OK;
}
