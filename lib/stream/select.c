/* SPDX-License-Identifier: BSD-2-Clause
 * Choosing records: see fa_select.h. */
#include "fa_select.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int fa_select_type(const struct fa_rec *rec) { return fa_rec_name(rec->type) ? rec->type : FA_SELECT_OTHER; }
const char *fa_select_name(int type) { return type == FA_SELECT_OTHER ? "other" : fa_rec_name((unsigned)type); }

int fa_select_find(const char *name)
{
    for (int t = 0; t < FA_SELECT_TYPES; t++)
        if (strcasecmp(name, fa_select_name(t)) == 0)
            return t;
    return -1;
}

/* A frame number at s, which stops at end; 0 when there is none. */
static uint64_t frame_number(const char *s, char **end)
{
    if (*s < '0' || *s > '9')
        return 0;
    errno = 0;
    uint64_t n = strtoull(s, end, 10);
    return errno ? 0 : n;
}

int fa_select_range(struct fa_select *sel, const char *text, struct fa_err *e)
{
    char *s = (char *)text;
    uint64_t first = 1, last = UINT64_MAX;
    int ok = strcmp(text, "-") != 0;
    if (ok && *s != '-') {
        first = frame_number(s, &s);
        last = *s == '-' ? last : first;
    }
    if (ok && *s == '-' && *++s)
        last = frame_number(s, &s);
    if (!ok || *s || first == 0 || last < first)
        return fa_fail(e, FA_E_ARG, "'%s' is not a range of frames: A-B, A, A- or -B, from 1", text);
    sel->first = first;
    sel->last = last;
    return FA_OK;
}

static int in_range(const struct fa_select *sel, const struct fa_rec *rec)
{
    return rec->frame == 0 || (rec->frame >= sel->first && rec->frame <= sel->last);
}

static int has_type(const struct fa_select *sel, const struct fa_rec *rec) { return sel->types >> fa_select_type(rec) & 1; }

int fa_select_has(const struct fa_select *sel, const struct fa_rec *rec) { return in_range(sel, rec) && has_type(sel, rec); }

int fa_select_put(const struct fa_select *sel, struct fa_writer *w, const struct fa_rec *rec, const char *line, struct fa_err *e)
{
    struct fa_frame f;
    struct fa_end end;
    int code;
    switch (rec->type) {
    case FA_REC_CLIP:
        return fa_put_clip_line(w, rec, line, e);
    case FA_REC_FRAME:
        if (!in_range(sel, rec))
            return FA_OK;
        if (has_type(sel, rec))
            return fa_put_rec(w, rec, e);
        if ((code = fa_get_frame(&f, rec, e)) != FA_OK)
            return code;
        f.format = FA_PIX_NONE;
        f.px = NULL;
        return fa_put_frame(w, rec->clip, rec->frame, &f, e);
    case FA_REC_END:
        if ((code = fa_get_end(&end, rec, e)) != FA_OK)
            return code;
        end.n_frame = fa_writer_frames(w);
        return fa_put_end(w, rec->clip, &end, e);
    }
    return fa_select_has(sel, rec) ? fa_put_rec(w, rec, e) : FA_OK;
}
