/* SPDX-License-Identifier: BSD-2-Clause
 * The loop of every filter stage: see fa_stream.h. Its one promise: what leaves is a whole stream, with an END for every CLIP
 * that says how the clip went, unless nobody can be written to any more. */
#include "stream_internal.h"

struct run {
    const struct fa_stage *s;
    struct fa_reader *r;
    struct fa_writer *w;
    uint32_t worst;                      /* END status */
};

static void worsen(struct run *run, int status)
{
    if ((uint32_t)status > run->worst)
        run->worst = (uint32_t)status;
}

static int has_clip_end(const struct fa_stage *s) { return s->clip_end != NULL; }

static struct fa_end own_end(const struct run *run, const struct fa_err *err)
{
    return (struct fa_end){ .status = (uint32_t)fa_err_status(err->code), .n_frame = fa_writer_frames(run->w),
                            .stage = run->s->program, .words = err->text };
}

/* What a failed stage held back is still worth having. Marks of its own (type 0) are no records. */
static void let_out(struct fa_writer *w)
{
    struct fa_hold *hold = writer_hold(w);
    struct fa_rec rec;
    fa_writer_hold(w, NULL);
    while (hold && fa_hold_next(hold, &rec, NULL) == FA_OK)
        if (rec.type != 0 && fa_put_rec(w, &rec, NULL) != FA_OK)
            return;
}

/* The stage itself failed on rec. A second failure while ending the clip adds nothing to the first. */
static void end_by_failure(struct run *run, const struct fa_rec *rec, struct fa_err *err)
{
    worsen(run, fa_err_status(err->code));
    if (err->code == FA_E_PIPE)
        return;
    const char *name = reader_clip_name(run->r);
    if (name[0])
        fa_err_prefix(err, "%s", name);
    let_out(run->w);
    if (!writer_in_clip(run->w) && rec->type == FA_REC_CLIP)
        fa_put_rec(run->w, rec, NULL);
    struct fa_end end = own_end(run, err);
    if (writer_in_clip(run->w))
        fa_put_end(run->w, rec->clip, &end, NULL);
}

/* The input broke after what was whole. The stage may still flush what it holds back. */
static void end_by_input(struct run *run, uint32_t clip, const struct fa_err *err)
{
    struct fa_end end = own_end(run, err);
    struct fa_err second = { 0 };
    worsen(run, (int)end.status);
    if (!writer_in_clip(run->w))
        return;
    if (has_clip_end(run->s) && run->s->clip_end(run->s->self, run->w, clip, &end, &second) < 0) {
        worsen(run, fa_err_status(second.code));
        end.status = run->worst;
    }
    end.n_frame = fa_writer_frames(run->w);
    fa_put_end(run->w, clip, &end, NULL);
}

static int pass_end(struct run *run, const struct fa_rec *rec, struct fa_err *err)
{
    struct fa_end end;
    int code = fa_get_end(&end, rec, err);
    if (code == FA_OK && has_clip_end(run->s))
        code = run->s->clip_end(run->s->self, run->w, rec->clip, &end, err);
    if (code == FA_OK)
        code = fa_put_rec(run->w, rec, err);
    if (code == FA_OK)
        worsen(run, (int)end.status);
    return code;
}

/* One record on its way; < 0: the stage or its output failed. */
static int handle(struct run *run, const struct fa_rec *rec, struct fa_err *err)
{
    if (rec->type == FA_REC_END)
        return pass_end(run, rec, err);
    if (fa_rec_name(rec->type))
        return run->s->record(run->s->self, run->w, rec, err);
    return fa_put_rec(run->w, rec, err);
}

int fa_stage_run(const struct fa_stage *s, struct fa_reader *r, struct fa_writer *w, struct fa_err *e)
{
    struct run run = { s, r, w, 0 };
    struct fa_err err = { 0 };
    struct fa_rec rec;
    uint32_t clip = 0;
    int read, code = FA_OK;
    fa_reader_watch(r, w);
    while ((read = fa_reader_next(r, &rec, &err)) == FA_OK) {
        clip = rec.clip;
        code = handle(&run, &rec, &err);
        if (code < 0)
            break;
    }
    fa_reader_watch(r, NULL);
    if (read == FA_E_PIPE) {
        worsen(&run, fa_err_status(read));
    } else if (read < 0) {
        end_by_input(&run, clip, &err);
    } else if (code < 0) {
        err.code = code;
        end_by_failure(&run, &rec, &err);
    }
    if (e)
        *e = read < 0 || code < 0 ? err : (struct fa_err){ 0 };
    return (int)run.worst;
}
