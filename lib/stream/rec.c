/* SPDX-License-Identifier: BSD-2-Clause
 * The record itself: its header, the rules of order, and the limits of the payloads. Nothing here reads or writes. */
#include "stream_internal.h"
#include "ring_internal.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "fa_le.h"

/* Names, and the longest payload a type can have: a length beyond it is refused before a byte of the payload is read. */
static const struct { const char *name; uint64_t max; } TYPES[] = {
    [FA_REC_CLIP] = { "CLIP", FIX_CLIP + 2ull * FA_MAX_TEXT },
    [FA_REC_FRAME] = { "FRAME", FIX_FRAME + 3ull * FA_MAX_SIDE * FA_MAX_SIDE + FA_MAX_TEXT },
    [FA_REC_FACES] = { "FACES", FIX_FACES + sizeof(struct fa_face_box) * FA_MAX_FACES },
    [FA_REC_LANDMARKS] = { "LANDMARKS", FIX_MARKS + 4ull * (1 + 5 + 5) * FA_MAX_POINTS },
    [FA_REC_CROP] = { "CROP", FIX_CROP + 4ull * FA_MAX_POINTS + 64 + 3ull * FA_MAX_CROP * FA_MAX_CROP },
    [FA_REC_AUS] = { "AUS", FIX_AUS + 8ull * 5 * FA_MAX_AU },
    [FA_REC_END] = { "END", FIX_END + 2ull * FA_MAX_TEXT },
};
enum { N_TYPE = sizeof TYPES / sizeof *TYPES };

const char *fa_rec_name(unsigned type) { return type < N_TYPE ? TYPES[type].name : NULL; }

void rec_pack(unsigned char h[FA_REC_HEADER], const struct fa_rec *rec, uint64_t sum)
{
    memset(h, 0, FA_REC_HEADER);
    fa_put_u32(h, REC_MAGIC);
    fa_put_u16(h + 4, rec->type);
    fa_put_u16(h + 6, rec->version);
    fa_put_u32(h + 8, rec->flags);
    fa_put_u32(h + 12, rec->clip);
    fa_put_u64(h + 16, rec->len);
    fa_put_u64(h + 24, rec->frame);
    fa_put_u32(h + 32, (uint32_t)rec->face);
    fa_put_u64(h + 40, sum);
    fa_put_u64(h + 56, XXH3_64bits(h, 56));
}

int rec_unpack(struct fa_rec *rec, uint64_t *sum, const unsigned char h[FA_REC_HEADER], const char **why)
{
    *rec = (struct fa_rec){ 0 };
    if (fa_le_u32(h) != REC_MAGIC) {
        *why = "not a record (no magic)";
        return FA_E_FORMAT;
    }
    if (fa_le_u64(h + 56) != XXH3_64bits(h, 56)) {
        *why = "damaged record header (its check differs)";
        return FA_E_FORMAT;
    }
    rec->type = fa_le_u16(h + 4);
    rec->version = fa_le_u16(h + 6);
    rec->flags = fa_le_u32(h + 8);
    rec->clip = fa_le_u32(h + 12);
    rec->frame = fa_le_u64(h + 24);
    rec->face = fa_le_i32(h + 32);
    *sum = fa_le_u64(h + 40);
    uint64_t len = fa_le_u64(h + 16);
    if (rec->type == 0 || fa_le_u32(h + 36) != 0 || fa_le_u64(h + 48) != 0) {
        *why = "a reserved field of the record header is in use";
        return FA_E_FORMAT;
    }
    int known = fa_rec_name(rec->type) != NULL, by_ref = rec->type == FA_REC_FRAME && rec->version == FRAME_BY_REF;
    if (known && rec->version != FA_STREAM_VERSION && !by_ref) {
        *why = "the record is of another version than this program reads";
        return FA_E_VERSION;
    }
    if (len > (by_ref ? FIX_FRAME + REF_BYTES + FA_MAX_TEXT : known ? TYPES[rec->type].max : FA_MAX_PAYLOAD)) {
        *why = "record length beyond the limit";
        return FA_E_FORMAT;
    }
    rec->len = (size_t)len;
    return FA_OK;
}

static const char *follow_clip(struct rec_order *o, const struct fa_rec *rec)
{
    if (o->open)
        return "a new clip before END of the one before";
    if (o->any && rec->clip <= o->clip)
        return "clip numbers do not ascend";
    *o = (struct rec_order){ .any = 1, .open = 1, .clip = rec->clip };
    return NULL;
}

static const char *follow_frame(struct rec_order *o, const struct fa_rec *rec)
{
    if (rec->frame <= o->last)
        return rec->frame == 0 ? "a FRAME without a number" : "frame numbers do not ascend";
    if (o->first == 0)
        o->first = rec->frame;
    o->last = rec->frame;
    return NULL;
}

const char *rec_follow(struct rec_order *o, const struct fa_rec *rec)
{
    int of_frame = rec->type >= FA_REC_FACES && rec->type <= FA_REC_AUS;
    int of_face = rec->type >= FA_REC_LANDMARKS && rec->type <= FA_REC_AUS;
    int of_clip = rec->type == FA_REC_CLIP || rec->type == FA_REC_END;
    if (fa_rec_name(rec->type) && (of_face ? rec->face < 0 : rec->face != -1))
        return of_face ? "no face id" : "a face id where none belongs";
    if (of_clip && rec->frame != 0)
        return "a frame number where none belongs";
    if (rec->type == FA_REC_CLIP)
        return follow_clip(o, rec);
    if (!o->open)
        return o->any ? "a record after END of its clip" : "a record before any CLIP";
    if (rec->clip != o->clip)
        return "a record of another clip than the open one";
    if (rec->type == FA_REC_FRAME)
        return follow_frame(o, rec);
    if (of_frame && (rec->frame == 0 || rec->frame < o->first || rec->frame > o->last))
        return "a record before its FRAME";
    if (rec->type == FA_REC_END)
        o->open = 0;
    return NULL;
}

int pix_bytes(uint32_t format)
{
    switch (format) {
    case FA_PIX_NONE: return 0;
    case FA_PIX_BGR24: return 3;
    case FA_PIX_GRAY8: return 1;
    }
    return -1;
}

static int inside(int32_t v, int32_t lo, int32_t hi) { return v >= lo && v <= hi; }

const char *check_clip(const struct fa_clip *c)
{
    if (c->kind > FA_CLIP_STILL || c->flags > (FA_CLIP_VFR | FA_CLIP_COLOR_TAG))
        return "unknown kind or flag";
    if (!inside(c->w, 0, FA_MAX_SIDE) || !inside(c->h, 0, FA_MAX_SIDE))
        return "size beyond the limit";
    return inside(c->rotation, -359, 359) ? NULL : "rotation beyond a turn";
}

const char *check_frame(const struct fa_frame *f)
{
    if (pix_bytes(f->format) < 0)
        return "unknown pixel format";
    if (!inside(f->w, 1, FA_MAX_SIDE) || !inside(f->h, 1, FA_MAX_SIDE))
        return "size beyond the limit";
    return isfinite(f->t) ? NULL : "time is not a number";
}

const char *check_marks(const struct fa_marks *m)
{
    if (!inside(m->n, 0, FA_MAX_POINTS) || !inside(m->m, 0, FA_MAX_POINTS) || !inside(m->n_eye, 0, FA_MAX_POINTS))
        return "number of points or modes beyond the limit";
    return m->success <= 1 && m->accepted <= 1 ? NULL : "a yes-or-no field is neither 0 nor 1";
}

const char *check_crop(const struct fa_crop *c)
{
    if (!inside(c->size, 0, FA_MAX_CROP) || !inside(c->m, 0, FA_MAX_POINTS))
        return "size or number of modes beyond the limit";
    if (c->ch != 1 && c->ch != 3)
        return "channels are neither 1 nor 3";
    return c->valid <= 1 ? NULL : "a yes-or-no field is neither 0 nor 1";
}

const char *check_aus(const struct fa_aus *a)
{
    if (a->kind > FA_AU_IMAGE)
        return "unknown kind";
    return inside(a->n_r, 0, FA_MAX_AU) && inside(a->n_c, 0, FA_MAX_AU) ? NULL : "number of action units beyond the limit";
}

const char *check_au_name(const char name[8])
{
    size_t n = strnlen(name, 8);
    if (n == 0 || n == 8)
        return "an action unit's name is empty or too long";
    for (size_t i = 0; i < 8; i++)
        if (i < n ? name[i] <= ' ' || name[i] > '~' : name[i] != 0)
            return "an action unit's name is not plain text";
    return NULL;
}
