/* SPDX-License-Identifier: BSD-2-Clause
 * Encoders of the payloads (byte tables: man/fa-stream.5): the fixed part is made here, arrays, texts and pixels are handed to
 * the writer where they lie. What no reader would accept is refused (FA_E_ARG). */
#include "stream_internal.h"
#include "ring_internal.h"

#include <string.h>

#include "fa_le.h"

static int refuse(struct fa_err *e, uint32_t clip, uint64_t frame, unsigned type, const char *why)
{
    return fa_fail(e, FA_E_ARG, "clip %u: frame %llu: %s record: %s", (unsigned)clip, (unsigned long long)frame, fa_rec_name(type), why);
}

static struct fa_rec record(unsigned type, uint32_t clip, uint64_t frame, int32_t face)
{
    return (struct fa_rec){ .type = (uint16_t)type, .version = FA_STREAM_VERSION, .clip = clip, .frame = frame, .face = face };
}

static struct iovec piece(const void *p, size_t n) { return (struct iovec){ (void *)p, n }; }

static size_t text_len(const char *s) { return s && *s ? strlen(s) + 1 : 0; }

static void put_floats(unsigned char *p, const float *v, int n) { memcpy(p, v, 4 * (size_t)n); }

int fa_put_rec(struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    struct iovec v = piece(rec->data, rec->len);
    struct fa_hold *hold = writer_hold(w);
    if (!hold && rec->type == FA_REC_FRAME && rec->version == FRAME_BY_REF)
        return ref_put(w, rec, e);
    return hold ? fa_hold_add(hold, rec, e) : writer_put(w, rec, &v, 1, e);
}

/* CLIP with provenance given as old text and a further line (either may be empty). */
static int put_clip(struct fa_writer *w, const struct fa_rec *rec, const struct fa_clip *c, const char *line, struct fa_err *e)
{
    unsigned char p[FIX_CLIP] = { 0 };
    size_t n_name = text_len(c->name), n_old = c->provenance ? strlen(c->provenance) : 0, n_line = line ? strlen(line) : 0;
    size_t n_prov = n_old + (line ? n_line + 1 : 0);
    n_prov += n_prov ? 1 : 0;
    const char *why = check_clip(c);
    if (!why && (n_name > FA_MAX_TEXT || n_prov > FA_MAX_TEXT))
        why = "name or provenance longer than a text may be";
    if (why)
        return refuse(e, rec->clip, 0, FA_REC_CLIP, why);
    fa_put_u32(p, c->kind);
    fa_put_u32(p + 4, c->flags);
    fa_put_u32(p + 8, (uint32_t)c->w);
    fa_put_u32(p + 12, (uint32_t)c->h);
    fa_put_u32(p + 16, c->fps_num);
    fa_put_u32(p + 20, c->fps_den);
    fa_put_f32(p + 24, c->fx);
    fa_put_f32(p + 28, c->fy);
    fa_put_f32(p + 32, c->cx);
    fa_put_f32(p + 36, c->cy);
    fa_put_u32(p + 40, (uint32_t)c->rotation);
    fa_put_u32(p + 44, (uint32_t)n_name);
    fa_put_u64(p + 48, c->n_frame);
    fa_put_u32(p + 56, (uint32_t)n_prov);
    struct iovec v[] = { piece(p, sizeof p), piece(c->name, n_name), piece(c->provenance, n_old), piece(line, n_line),
                         piece("\n", line != NULL), piece("", n_prov != 0) };
    return writer_put(w, rec, v, sizeof v / sizeof *v, e);
}

int fa_put_clip(struct fa_writer *w, uint32_t clip, const struct fa_clip *c, struct fa_err *e)
{
    struct fa_rec rec = record(FA_REC_CLIP, clip, 0, -1);
    return put_clip(w, &rec, c, NULL, e);
}

int fa_put_clip_line(struct fa_writer *w, const struct fa_rec *rec, const char *line, struct fa_err *e)
{
    struct fa_clip c;
    int code = fa_get_clip(&c, rec, e);
    if (code != FA_OK)
        return code;
    if (strchr(line, '\n'))
        return refuse(e, rec->clip, 0, FA_REC_CLIP, "a provenance line with a newline inside");
    return put_clip(w, rec, &c, line, e);
}

int fa_put_frame(struct fa_writer *w, uint32_t clip, uint64_t frame, const struct fa_frame *f, struct fa_err *e)
{
    return frame_put(w, clip, frame, f, NULL, e);
}

int frame_put(struct fa_writer *w, uint32_t clip, uint64_t frame, const struct fa_frame *f, const unsigned char *ref, struct fa_err *e)
{
    struct fa_rec rec = record(FA_REC_FRAME, clip, frame, -1);
    unsigned char p[FIX_FRAME] = { 0 };
    size_t n_name = text_len(f->name);
    const char *why = check_frame(f);
    if (!why && f->format != FA_PIX_NONE && !f->px)
        why = "pixels are missing";
    if (!why && n_name > FA_MAX_TEXT)
        why = "name longer than a text may be";
    if (why)
        return refuse(e, clip, frame, FA_REC_FRAME, why);
    size_t n_px = (size_t)f->w * (size_t)f->h * (size_t)pix_bytes(f->format);
    fa_put_u32(p, (uint32_t)f->w);
    fa_put_u32(p + 4, (uint32_t)f->h);
    fa_put_u32(p + 8, f->format);
    fa_put_u32(p + 12, (uint32_t)n_name);
    fa_put_f64(p + 16, f->t);
    fa_put_u64(p + 24, (uint64_t)f->pts);
    fa_put_u64(p + 32, (uint64_t)f->tb_num);
    fa_put_u64(p + 40, (uint64_t)f->tb_den);
    fa_put_u64(p + 48, n_px);
    if (ref)
        rec.version = FRAME_BY_REF;
    struct iovec v[] = { piece(p, sizeof p), ref ? piece(ref, REF_BYTES) : piece(f->px, n_px), piece(f->name, n_name) };
    return writer_put(w, &rec, v, sizeof v / sizeof *v, e);
}

int fa_put_faces(struct fa_writer *w, uint32_t clip, uint64_t frame, const struct fa_faces *f, struct fa_err *e)
{
    struct fa_rec rec = record(FA_REC_FACES, clip, frame, -1);
    unsigned char p[FIX_FACES] = { 0 };
    if (f->n < 0 || f->n > FA_MAX_FACES)
        return refuse(e, clip, frame, FA_REC_FACES, "number of faces beyond the limit");
    fa_put_u32(p, (uint32_t)f->n);
    struct iovec v[] = { piece(p, sizeof p), piece(f->box, (size_t)f->n * sizeof *f->box) };
    return writer_put(w, &rec, v, sizeof v / sizeof *v, e);
}

int fa_put_marks(struct fa_writer *w, uint32_t clip, uint64_t frame, int32_t face, const struct fa_marks *m, struct fa_err *e)
{
    struct fa_rec rec = record(FA_REC_LANDMARKS, clip, frame, face);
    unsigned char p[FIX_MARKS] = { 0 };
    const char *why = check_marks(m);
    if (why)
        return refuse(e, clip, frame, FA_REC_LANDMARKS, why);
    size_t n = (size_t)m->n, n_eye = (size_t)m->n_eye;
    fa_put_u32(p, (uint32_t)m->n);
    fa_put_u32(p + 4, (uint32_t)m->m);
    fa_put_u32(p + 8, (uint32_t)m->n_eye);
    fa_put_u32(p + 12, m->success);
    fa_put_u32(p + 16, m->accepted);
    fa_put_u32(p + 20, (uint32_t)m->failures);
    fa_put_f32(p + 24, m->certainty);
    fa_put_f32(p + 28, m->likelihood);
    put_floats(p + 32, m->global, 6);
    put_floats(p + 56, m->pose, 6);
    put_floats(p + 80, m->gaze[0], 3);
    put_floats(p + 92, m->gaze[1], 3);
    put_floats(p + 104, m->gaze_angle, 2);
    struct iovec v[] = { piece(p, sizeof p), piece(m->local, 4 * (size_t)m->m), piece(m->xy, 4 * 2 * n), piece(m->xyz, 4 * 3 * n),
                         piece(m->eye_xy, 4 * 2 * n_eye), piece(m->eye_xyz, 4 * 3 * n_eye) };
    return writer_put(w, &rec, v, sizeof v / sizeof *v, e);
}

int fa_put_crop(struct fa_writer *w, uint32_t clip, uint64_t frame, int32_t face, const struct fa_crop *c, struct fa_err *e)
{
    static const unsigned char zero[FA_REC_ALIGN];
    struct fa_rec rec = record(FA_REC_CROP, clip, frame, face);
    unsigned char p[FIX_CROP] = { 0 };
    const char *why = check_crop(c);
    if (!why && c->valid && c->size && !c->px)
        why = "pixels are missing";
    if (why)
        return refuse(e, clip, frame, FA_REC_CROP, why);
    size_t n_local = 4 * (size_t)c->m, n_px = c->valid ? (size_t)c->size * (size_t)c->size * (size_t)c->ch : 0;
    fa_put_u32(p, (uint32_t)c->size);
    fa_put_u32(p + 4, (uint32_t)c->ch);
    fa_put_u32(p + 8, c->valid);
    fa_put_f32(p + 12, c->scale);
    put_floats(p + 16, c->warp, 6);
    put_floats(p + 40, c->global, 6);
    fa_put_u32(p + 64, (uint32_t)c->m);
    struct iovec v[] = { piece(p, sizeof p), piece(c->local, n_local), piece(zero, rec_round(n_local) - n_local), piece(c->px, n_px) };
    return writer_put(w, &rec, v, sizeof v / sizeof *v, e);
}

int fa_put_aus(struct fa_writer *w, uint32_t clip, uint64_t frame, int32_t face, const struct fa_aus *a, struct fa_err *e)
{
    struct fa_rec rec = record(FA_REC_AUS, clip, frame, face);
    unsigned char p[FIX_AUS] = { 0 };
    const char *why = check_aus(a);
    for (int i = 0; !why && i < a->n_r + a->n_c; i++)
        why = check_au_name(i < a->n_r ? a->name_r[i] : a->name_c[i - a->n_r]);
    if (why)
        return refuse(e, clip, frame, FA_REC_AUS, why);
    size_t n_r = 8 * (size_t)a->n_r, n_c = 8 * (size_t)a->n_c;
    fa_put_u32(p, a->kind);
    fa_put_u32(p + 4, (uint32_t)a->n_r);
    fa_put_u32(p + 8, (uint32_t)a->n_c);
    struct iovec v[] = { piece(p, sizeof p), piece(a->name_r, n_r), piece(a->name_c, n_c), piece(a->r, n_r), piece(a->c, n_c),
                         piece(a->distance, n_c) };
    return writer_put(w, &rec, v, sizeof v / sizeof *v, e);
}

int fa_put_end(struct fa_writer *w, uint32_t clip, const struct fa_end *end, struct fa_err *e)
{
    struct fa_rec rec = record(FA_REC_END, clip, 0, -1);
    unsigned char p[FIX_END] = { 0 };
    size_t n_stage = text_len(end->stage), n_words = text_len(end->words);
    if (end->status > 3 || n_stage > FA_MAX_TEXT || n_words > FA_MAX_TEXT)
        return refuse(e, clip, 0, FA_REC_END, "unknown status, or a text beyond its limit");
    fa_put_u32(p, end->status);
    fa_put_u32(p + 4, (uint32_t)n_stage);
    fa_put_u64(p + 8, end->n_frame);
    fa_put_u32(p + 16, (uint32_t)n_words);
    struct iovec v[] = { piece(p, sizeof p), piece(end->stage, n_stage), piece(end->words, n_words) };
    return writer_put(w, &rec, v, sizeof v / sizeof *v, e);
}
