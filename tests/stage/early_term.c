/* SPDX-License-Identifier: BSD-2-Clause
 * Early termination, decision for decision, against the reference's (shared/cen-test/fixtures/early_term*.tsv; fit 7.2): the default
 * table, one that never accepts, and one that accepts view 6 only. Every start rotation is tried, also those that the reference
 * computed for information after it had stopped; then the whole search runs and is compared with what the reference returned. */
#include "fa_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "face_model_internal.h"
#include "fa_import.h"
#include "fa_media.h"
#include "fa_model.h"

/* A line of a table; tried -1: the whole search. */
struct line { char clip[32]; int frame, tried, view, accepted; float box[4], likelihood, score; struct fa_global before, after; };

static int read_line(struct line *l, char *text)
{
    char *field[13], *at = text;
    for (int i = 0; i < 13; i++)
        if (!(field[i] = strsep(&at, "\t")))
            return 0;
    *l = (struct line){ .frame = atoi(field[1]), .view = atoi(field[5]), .likelihood = strtof(field[6], NULL), .score = strtof(field[7], NULL),
                        .accepted = atoi(field[9]), .tried = atoi(field[4]) };
    snprintf(l->clip, sizeof l->clip, "%s", field[0]);
    if (strcmp(field[4], "final") == 0)
        l->tried = -1;
    else if (field[4][0] < '0' || field[4][0] > '9')
        return 0;
    struct fa_global *g = &l->after, *b = &l->before;
    sscanf(field[11], "%f %f %f %f %f %f", &b->s, &b->rx, &b->ry, &b->rz, &b->tx, &b->ty);
    return sscanf(field[3], "%f %f %f %f", &l->box[0], &l->box[1], &l->box[2], &l->box[3]) == 4 &&
           sscanf(field[12], "%f %f %f %f %f %f", &g->s, &g->rx, &g->ry, &g->rz, &g->tx, &g->ty) == 6;
}

/* Gray frames by clip and number, decoded once. */
static struct { char clip[32]; int frame; struct fa_img8 gray; } frames[16];
static int n_frame;

static const struct fa_img8 *frame_of(const char *clip, int number)
{
    char rel[100];
    struct fa_media *m;
    struct fa_media_frame f = { 0 };
    struct fa_err e;
    for (int i = 0; i < n_frame; i++)
        if (frames[i].frame == number && strcmp(frames[i].clip, clip) == 0)
            return &frames[i].gray;
    snprintf(rel, sizeof rel, strstr(clip, ".jpg") ? "videos/images/%s" : "videos/%s", clip);
    const char *path = shared_path(rel);
    if (!path || n_frame == 16 || fa_media_open(&m, path, &(struct fa_media_options){ .cfr = 1 }, &e) != FA_OK)
        return NULL;
    int r = FA_OK;
    for (int i = 0; i < number && r == FA_OK; i++)
        r = fa_media_next(m, &f, &e);
    struct fa_img8 *gray = &frames[n_frame].gray, bgr = { (uint8_t *)f.px, 3 * (ptrdiff_t)f.w, f.w, f.h, 3 };
    if (r == FA_OK) {
        *gray = (struct fa_img8){ malloc((size_t)f.w * (size_t)f.h), f.w, f.w, f.h, 1 };
        if (!gray->px)
            abort();
        fa_gray_from_bgr(gray, &bgr);
        snprintf(frames[n_frame].clip, sizeof frames[n_frame].clip, "%s", clip);
        frames[n_frame++].frame = number;
    }
    fa_media_close(m);
    return r == FA_OK ? gray : NULL;
}

static double pose_error(const struct fa_global *a, const struct fa_global *b)
{
    return fmax(fmax(fabsf(a->tx - b->tx), fabsf(a->ty - b->ty)), 50 * fmax(fmax(fabsf(a->rx - b->rx), fabsf(a->ry - b->ry)), fabsf(a->rz - b->rz)));
}

static struct { double start, pose, likelihood, final_pose, final_likelihood; int tried, searched; } worst;

static void check_try(struct fa_face_model *m, const struct line *l, const struct fa_img8 *gray)
{
    struct fa_fit_state s;
    struct fa_early_attempt a;
    struct fa_err e;
    fa_fit_reset(&s);
    fa_fit_start(m, &s, l->box, fa_start_rotations[l->tried]);
    worst.start = fmax(worst.start, pose_error(&s.main.p.g, &l->before));
    if (fa_early_try(&a, m, &s, l->box, fa_start_rotations[l->tried], gray, &e) != FA_OK) {
        test_fail(__FILE__, __LINE__, "%s", e.text);
        return;
    }
    if (a.view != l->view || a.accepted != l->accepted)
        test_fail(__FILE__, __LINE__, "%s %d, rotation %d: view %d accepted %d, not %d and %d", l->clip, l->frame, l->tried, a.view, a.accepted, l->view,
                  l->accepted);
    worst.likelihood = fmax(worst.likelihood, fmax(fabsf(s.likelihood - l->likelihood), fabsf(a.score - l->score)));
    worst.pose = fmax(worst.pose, pose_error(&a.p.g, &l->after));
    worst.tried++;
}

static void check_search(struct fa_face_model *m, const struct line *l, const struct fa_img8 *gray)
{
    struct fa_fit_state s;
    struct fa_err e;
    fa_fit_reset(&s);
    if (fa_fit_in_box(m, &s, l->box, 1, gray, &e) != FA_OK) {
        test_fail(__FILE__, __LINE__, "%s", e.text);
        return;
    }
    if (s.success != l->accepted)
        test_fail(__FILE__, __LINE__, "%s %d: the search returns %d, not %d", l->clip, l->frame, s.success, l->accepted);
    worst.searched++;
    if (strstr(l->clip, ".jpg"))        /* decoded by other code than the reference's */
        return;
    worst.final_likelihood = fmax(worst.final_likelihood, fabsf(s.likelihood - l->likelihood));
    worst.final_pose = fmax(worst.final_pose, pose_error(&s.main.p.g, &l->after));
}

/* Tables print likelihoods with six digits, poses with four or five; a box comes with three. */
static void decisions_are_the_references(const char *model, const char *table, int n_try, int n_search)
{
    char rel[100], text[600];
    struct fa_pack pack;
    struct fa_face_model *m;
    struct fa_err e;
    snprintf(rel, sizeof rel, "cen-test/%s/main_ceclm_general.txt", model);
    const char *list = shared_path(rel);
    if (fa_model_open(&pack, list, &e) != FA_OK || fa_face_model_open(&m, &pack, &(struct fa_fit_options){ 0 }, &e) != FA_OK) {
        test_fail(__FILE__, __LINE__, "%s", e.text);
        return;
    }
    snprintf(rel, sizeof rel, "cen-test/fixtures/%s", table);
    FILE *f = fopen(shared_path(rel), "r");
    memset(&worst, 0, sizeof worst);
    while (f && fgets(text, sizeof text, f)) {
        struct line l;
        if (!read_line(&l, text))
            continue;
        const struct fa_img8 *gray = frame_of(l.clip, l.frame);
        if (!gray)
            test_fail(__FILE__, __LINE__, "%s: frame %d cannot be had", l.clip, l.frame);
        else if (l.tried >= 0)
            check_try(m, &l, gray);
        else
            check_search(m, &l, gray);
    }
    if (f)
        fclose(f);
    check_int("rotations", worst.tried, n_try);
    check_int("searches", worst.searched, n_search);
    /* A mean shift looks its kernel up in steps of 0.1 px, so that a pose far from a face may end elsewhere; its likelihood hardly moves. */
    check_near("start", worst.start, 0, 1e-3);
    check_near("likelihood after the quick fit", worst.likelihood, 0, 2e-3);
    check_near("likelihood at the end, videos", worst.final_likelihood, 0, 2e-3);
    check_near("pose at the end, videos", worst.final_pose, 0, 0.1);
    test_note("likelihood after the quick fit", worst.likelihood, "");
    test_note("pose after the quick fit, px or 1/50 rad", worst.pose, "");
    test_note("likelihood at the end, videos", worst.final_likelihood, "");
    test_note("pose at the end, videos, px or 1/50 rad", worst.final_pose, "");
    fa_face_model_close(m);
    fa_pack_close(&pack);
}

static void default_table(void) { decisions_are_the_references("model", "early_term.tsv", 165, 15); }
static void a_table_that_never_accepts(void) { decisions_are_the_references("model_hardterm", "early_term_hardterm.tsv", 55, 5); }
static void a_table_that_accepts_one_view(void) { decisions_are_the_references("model_mixterm", "early_term_mixterm.tsv", 55, 5); }

int main(void)
{
    struct fa_media_brief brief;
    struct fa_err e;
    setenv("OPENFACE_MODELS_DIR", "build/models-cache", 0);
    const char *clip = shared_path("videos/default.wmv");
    if (!shared_path("cen-test/fixtures/early_term.tsv") || !clip || fa_media_probe(&brief, clip, &e) != FA_OK) {
        printf("SKIP early_term: no CE-CLM test set, clips or ffmpeg\n");
        return 0;
    }
    RUN(default_table);
    RUN(a_table_that_never_accepts);
    RUN(a_table_that_accepts_one_view);
    for (int i = 0; i < n_frame; i++)
        free(frames[i].gray.px);
    return test_done();
}
