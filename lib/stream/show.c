/* SPDX-License-Identifier: BSD-2-Clause
 * Text view of records. Each type has one function that names its fields in order; the pen writes them as key=value or as JSON
 * members, so both views show the same things under the same names. */
#include "fa_show.h"
#include "fa_ring.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct pen { FILE *f; int json, pixels; };

/* Bytes of the UTF-8 character at s, 0 if there is none (or a control character beyond ASCII). */
static int utf8_len(const unsigned char *s)
{
    int n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

void fa_show_string(FILE *f, const char *text)
{
    putc('"', f);
    for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
        int n = *s >= 0x80 ? utf8_len(s) : 0;
        if (*s == '"' || *s == '\\')
            fprintf(f, "\\%c", *s);
        else if (*s == '\n')
            fputs("\\n", f);
        else if (*s < 0x20 || *s == 0x7f)
            fprintf(f, "\\u%04x", *s);
        else if (*s < 0x80)
            putc(*s, f);
        else if (n)
            fwrite(s, 1, (size_t)n, f), s += n - 1;
        else if (*s == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0)
            fprintf(f, "\\u%04x", *++s);
        else
            fprintf(f, "\\udc%02x", *s);
    }
    putc('"', f);
}

static void key(struct pen *p, const char *k) { fprintf(p->f, p->json ? ",\"%s\":" : " %s=", k); }

/* Fewest digits that give the same value again. %g drops trailing zeros, so for normal numbers the first try is also the one for
 * all shorter ones; denormals have fewer digits to give. */
static void number(struct pen *p, double v, int single)
{
    char s[40];
    if (!isfinite(v)) {
        const char *quote = p->json ? "\"" : "";
        fprintf(p->f, "%s%s%s", quote, isnan(v) ? "nan" : v > 0 ? "inf" : "-inf", quote);
        return;
    }
    int first = fabs(v) < (single ? (double)FLT_MIN : DBL_MIN) ? 1 : single ? 6 : 15;
    for (int digits = first; digits <= (single ? 9 : 17); digits++) {
        snprintf(s, sizeof s, "%.*g", digits, v);
        if (single ? strtof(s, NULL) == (float)v : strtod(s, NULL) == v)
            break;
    }
    fputs(s, p->f);
}

static void int_field(struct pen *p, const char *k, int64_t v) { key(p, k); fprintf(p->f, "%" PRId64, v); }
static void count_field(struct pen *p, const char *k, uint64_t v) { key(p, k); fprintf(p->f, "%" PRIu64, v); }
static void float_field(struct pen *p, const char *k, float v) { key(p, k); number(p, (double)v, 1); }
static void double_field(struct pen *p, const char *k, double v) { key(p, k); number(p, v, 0); }
static void string_field(struct pen *p, const char *k, const char *s) { key(p, k); fa_show_string(p->f, s); }

static void word_field(struct pen *p, const char *k, const char *word)
{
    key(p, k);
    fprintf(p->f, p->json ? "\"%s\"" : "%s", word);
}

/* A few floats, shown in both views. */
static void floats_field(struct pen *p, const char *k, const float *v, size_t n)
{
    key(p, k);
    if (p->json)
        putc('[', p->f);
    for (size_t i = 0; i < n; i++) {
        if (i)
            putc(',', p->f);
        number(p, (double)v[i], 1);
    }
    if (p->json)
        putc(']', p->f);
}

/* Many floats: JSON only. */
static void array_field(struct pen *p, const char *k, const float *v, size_t n)
{
    if (p->json)
        floats_field(p, k, v, n);
}

static void base64_field(struct pen *p, const char *k, const unsigned char *b, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (!p->pixels)
        return;
    key(p, k);
    putc('"', p->f);
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        unsigned v = (unsigned)b[i] << 16 | (left > 1 ? (unsigned)b[i + 1] << 8 : 0) | (left > 2 ? b[i + 2] : 0u);
        putc(digit[v >> 18], p->f);
        putc(digit[v >> 12 & 63], p->f);
        putc(left > 1 ? digit[v >> 6 & 63] : '=', p->f);
        putc(left > 2 ? digit[v & 63] : '=', p->f);
    }
    putc('"', p->f);
}

static void show_clip(struct pen *p, const struct fa_clip *c)
{
    static const char *const kind[] = { "video", "sequence", "still" };
    word_field(p, "kind", kind[c->kind]);
    int_field(p, "vfr", (c->flags & FA_CLIP_VFR) != 0);
    int_field(p, "color_tag", (c->flags & FA_CLIP_COLOR_TAG) != 0);
    int_field(p, "w", c->w);
    int_field(p, "h", c->h);
    int_field(p, "fps_num", c->fps_num);
    int_field(p, "fps_den", c->fps_den);
    floats_field(p, "camera", (const float[]){ c->fx, c->fy, c->cx, c->cy }, 4);
    int_field(p, "rotation", c->rotation);
    count_field(p, "n_frame", c->n_frame);
    string_field(p, "name", c->name);
    string_field(p, "provenance", c->provenance);
}

static void show_frame(struct pen *p, const struct fa_frame *f)
{
    static const char *const format[] = { "none", "bgr24", "gray8" };
    int_field(p, "w", f->w);
    int_field(p, "h", f->h);
    word_field(p, "format", format[f->format]);
    double_field(p, "t", f->t);
    if (f->pts != INT64_MIN) {
        int_field(p, "pts", f->pts);
    } else {
        key(p, "pts");
        fputs(p->json ? "null" : "unknown", p->f);
    }
    int_field(p, "tb_num", f->tb_num);
    int_field(p, "tb_den", f->tb_den);
    string_field(p, "name", f->name);
    if (f->px)
        base64_field(p, "px", f->px, (size_t)f->w * (size_t)f->h * (f->format == FA_PIX_BGR24 ? 3 : 1));
}

/* Where the pixels of a frame by reference are, instead of in the record. */
static void show_ref(struct pen *p, const struct fa_rec *rec)
{
    struct fa_ref_text t;
    if (fa_get_ref(&t, rec, NULL) != FA_OK)
        return;
    int_field(p, "ref_process", t.pid);
    int_field(p, "ref_fd", t.fd);
    int_field(p, "ref_slot", t.slot);
    count_field(p, "ref_use", t.use);
}

static void show_faces(struct pen *p, const struct fa_faces *f)
{
    int_field(p, "n", f->n);
    if (p->json)
        fputs(",\"box\":[", p->f);
    for (int32_t i = 0; i < f->n; i++) {
        const float v[5] = { f->box[i].x, f->box[i].y, f->box[i].w, f->box[i].h, f->box[i].score };
        if (p->json) {
            fputs(i ? ",[" : "[", p->f);
            for (int k = 0; k < 5; k++) {
                fputs(k ? "," : "", p->f);
                number(p, (double)v[k], 1);
            }
            putc(']', p->f);
        } else {
            floats_field(p, "box", v, 5);
        }
    }
    if (p->json)
        putc(']', p->f);
}

static void show_marks(struct pen *p, const struct fa_marks *m)
{
    size_t n = (size_t)m->n, n_eye = (size_t)m->n_eye;
    int_field(p, "n", m->n);
    int_field(p, "m", m->m);
    int_field(p, "n_eye", m->n_eye);
    int_field(p, "success", m->success);
    int_field(p, "accepted", m->accepted);
    int_field(p, "failures", m->failures);
    float_field(p, "certainty", m->certainty);
    float_field(p, "likelihood", m->likelihood);
    floats_field(p, "global", m->global, 6);
    floats_field(p, "pose", m->pose, 6);
    floats_field(p, "gaze_0", m->gaze[0], 3);
    floats_field(p, "gaze_1", m->gaze[1], 3);
    floats_field(p, "gaze_angle", m->gaze_angle, 2);
    array_field(p, "local", m->local, (size_t)m->m);
    array_field(p, "xy", m->xy, 2 * n);
    array_field(p, "xyz", m->xyz, 3 * n);
    array_field(p, "eye_xy", m->eye_xy, 2 * n_eye);
    array_field(p, "eye_xyz", m->eye_xyz, 3 * n_eye);
}

static void show_crop(struct pen *p, const struct fa_crop *c)
{
    int_field(p, "size", c->size);
    int_field(p, "ch", c->ch);
    int_field(p, "valid", c->valid);
    float_field(p, "scale", c->scale);
    floats_field(p, "warp", c->warp, 6);
    floats_field(p, "global", c->global, 6);
    int_field(p, "m", c->m);
    array_field(p, "local", c->local, (size_t)c->m);
    if (c->px)
        base64_field(p, "px", c->px, (size_t)c->size * (size_t)c->size * (size_t)c->ch);
}

/* Named values: an object in JSON, PREFIX NAME=value in text. */
static void au_values(struct pen *p, const char *k, const char (*name)[8], const double *v, int n)
{
    if (p->json)
        fprintf(p->f, ",\"%s\":{", k);
    for (int i = 0; i < n; i++) {
        if (p->json)
            fprintf(p->f, "%s\"", i ? "," : "");
        else
            fprintf(p->f, " %s.", k);
        for (const char *s = name[i]; *s; s++)
            if (p->json && (*s == '"' || *s == '\\'))
                fprintf(p->f, "\\%c", *s);
            else
                putc(*s, p->f);
        fputs(p->json ? "\":" : "=", p->f);
        number(p, v[i], 0);
    }
    if (p->json)
        putc('}', p->f);
}

static void show_aus(struct pen *p, const struct fa_aus *a)
{
    static const char *const kind[] = { "whole-clip", "online", "image" };
    word_field(p, "kind", kind[a->kind]);
    au_values(p, "r", a->name_r, a->r, a->n_r);
    au_values(p, "c", a->name_c, a->c, a->n_c);
    au_values(p, "distance", a->name_c, a->distance, a->n_c);
}

static void show_end(struct pen *p, const struct fa_end *end)
{
    int_field(p, "status", end->status);
    count_field(p, "n_frame", end->n_frame);
    string_field(p, "stage", end->stage);
    string_field(p, "words", end->words);
}

/* What all lines begin with. */
static void begin(struct pen *p, const struct fa_rec *rec)
{
    const char *name = fa_rec_name(rec->type);
    if (name)
        fprintf(p->f, p->json ? "{\"type\":\"%s\"" : "%s", name);
    else
        fprintf(p->f, p->json ? "{\"type\":%u" : "TYPE%u", rec->type);
    int_field(p, "clip", rec->clip);
    count_field(p, "frame", rec->frame);
    int_field(p, "face", rec->face);
    count_field(p, "bytes", rec->len);
    if (p->json || !name)
        int_field(p, "version", rec->version);
    if (p->json || rec->flags)
        int_field(p, "flags", rec->flags);
}

int fa_show(FILE *f, const struct fa_rec *rec, enum fa_show_how how, struct fa_err *e)
{
    struct pen p = { f, how != FA_SHOW_TEXT, how == FA_SHOW_JSON_PIXELS };
    union { struct fa_clip clip; struct fa_frame frame; struct fa_faces faces; struct fa_marks marks; struct fa_crop crop;
            struct fa_aus aus; struct fa_end end; } u;
    int code = FA_OK;
#define SHOW(what) do { if ((code = fa_get_##what(&u.what, rec, e)) == FA_OK) { begin(&p, rec); show_##what(&p, &u.what); } } while (0)
    switch (rec->type) {
    case FA_REC_CLIP: SHOW(clip); break;
    case FA_REC_FRAME: SHOW(frame); break;
    case FA_REC_FACES: SHOW(faces); break;
    case FA_REC_LANDMARKS: SHOW(marks); break;
    case FA_REC_CROP: SHOW(crop); break;
    case FA_REC_AUS: SHOW(aus); break;
    case FA_REC_END: SHOW(end); break;
    default:
        begin(&p, rec);
        base64_field(&p, "data", rec->data, rec->len);
    }
#undef SHOW
    if (code == FA_OK && rec->type == FA_REC_FRAME)
        show_ref(&p, rec);
    if (code == FA_OK)
        fputs(p.json ? "}\n" : "\n", f);
    return code;
}
