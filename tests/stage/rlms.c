/* SPDX-License-Identifier: BSD-2-Clause
 * The fit's steps in open loop against the reference's dumps (spec/README rows 13, 19-25), and whole fits from dumped starts. */
#include "fa_test.h"

#include <math.h>
#include <stdlib.h>

#include "fit_dump.h"
#include "fit_internal.h"
#include "test_models.h"
#include "test_team.h"

static struct fa_pack pack;
static struct fa_fitter fitters[FIT_MODELS];
static struct dump dumps[FIT_CASES];

static int setup(void)
{
    if (!test_model(&pack, "clnf"))
        return 0;
    for (int i = 0; i < 4; i++) {
        struct fa_fit_settings set;
        struct fa_err e;
        if (i)
            fa_fit_settings_part(&set, fit_part[i]);
        else
            fa_fit_settings_main(&set, "main_clnf_general");
        if (fa_fitter_open(&fitters[i], &pack, fit_prefix[i], &set, &e) != FA_OK) {
            printf("FAIL setup: %s: %s\n", fit_prefix[i], e.text);
            exit(1);
        }
    }
    return open_dumps(dumps);
}

/* The dumped maps of a block, where every visible landmark has one: 1, else 0. */
static int dumped_maps(struct fa_responses *r, const struct dump *d, const struct fit_block *b, const struct fa_fitter *f)
{
    const int32_t *visible = dump_i32(block_row(d, b, 0, "scale.visibility", -2));
    r->view = dump_i32(block_row(d, b, 0, "scale.view", -2))[0];
    r->w = dump_i32(block_row(d, b, 0, "scale.window", -2))[0];
    int have[FA_PDM_MAX_POINTS] = { 0 };
    for (int i = b->from; i < b->to; i++) {
        int lmk;
        const char *s = strstr(d->row[i].name, "scale.response.");
        if (s && sscanf(s, "scale.response.%d", &lmk) == 1) {
            memcpy(r->maps + lmk * r->stride, d->row[i].data, d->row[i].n * sizeof(float));
            have[lmk] = 1;
        }
    }
    for (int i = 0; i < f->pdm.n; i++)
        if (visible[i] && !have[i])
            return 0;
    memcpy(r->sim, dump_f32(block_row(d, b, 0, "scale.sim_img_to_ref", -2)), sizeof r->sim);
    memcpy(r->sim_inv, dump_f32(block_row(d, b, 0, "scale.sim_ref_to_img", -2)), sizeof r->sim_inv);
    return 1;
}

static void settings_adapt_to_the_scale_as_dumped(void)
{
    int n = 0;
    FOR_BLOCKS(dumps, d, b) {
        const struct fa_fitter *f = &fitters[part_index(b.part)];
        struct fa_fit_adapted a = fa_fit_settings_at(&f->set, f->experts.scale, b.scale);
        const float got[] = { a.reg, a.sigma, a.weight }, *want = dump_f32(block_row(d, &b, 0, "scale.reg_sigma_weight", -2));
        for (int i = 0; i < 3; i++)
            check_near("reg, sigma, weight", got[i], want[i], 1e-7 * want[i]);
        n++;
    }
    CHECK(n > 200);
}

static void prior_and_weights_equal_the_dumps(void)
{
    int n = 0;
    FOR_BLOCKS(dumps, d, b) {
        struct fa_fitter *f = &fitters[part_index(b.part)];
        const int view = dump_i32(block_row(d, &b, 0, "scale.view", -2))[0];
        const struct fa_rlms in = { .pdm = &f->pdm, .at = fa_fit_settings_at(&f->set, f->experts.scale, b.scale),
                                    .visible = fa_experts_visible(&f->experts, b.scale, view),
                                    .confidence = fa_experts_confidence(&f->experts, b.scale, view) };
        float flat[2 * FA_PDM_MAX_POINTS];
        fa_rlms_prior(f->scratch.prior, &f->pdm, in.at.reg);
        check_f32_rel("prior", f->scratch.prior, dump_f32(block_row(d, &b, 0, "reg_diag", -2)), 6 + (size_t)f->pdm.m, 1e-7);
        const int plain = fa_rlms_weights(f->scratch.weights, &in);
        const struct dump_row *want = block_row(d, &b, 0, "weight_diag", -2);
        check_int("weights are dumped where there are some", !plain, want != NULL);
        from_planes(flat, f->scratch.weights, f->pdm.n, f->pdm.np);
        for (int i = 0; want && i < f->pdm.n; i++)
            if (in.visible[i]) {
                check_near("weight", flat[i], dump_f32(want)[i], 1e-7);
                check_near("weight", flat[f->pdm.n + i], dump_f32(want)[f->pdm.n + i], 1e-7);
            }
        n++;
    }
    CHECK(n > 200);
}

/* Calls for every dumped iteration; at: row of its params_global, rigid: which run. */
typedef void iteration_fn(const struct dump *d, const struct fit_block *b, int at, int rigid);

static int for_iterations(iteration_fn *f)
{
    int n = 0;
    FOR_BLOCKS(dumps, d, b) {
        for (int i = b.from; i < b.to; i++) {
            const int non = name_ends(&d->row[i], "nonrigid.params_global");
            if ((non || name_ends(&d->row[i], "rigid.params_global")) && strcmp(d->row[i].part, b.part) == 0) {
                f(d, &b, i, !non);
                n++;
            }
        }
    }
    return n;
}

/* A row of the iteration that begins at row at. */
static const struct dump_row *step(const struct dump *d, const struct fit_block *b, int at, const char *tail)
{
    return block_row(d, b, at, tail, d->row[at].iter);
}

static struct { int n, exact, skipped; double worst; } seen;
static void note(const char *what)
{
    printf("NOTE %s: %d checked, %d exact, %d skipped, worst %.3g\n", what, seen.n, seen.exact, seen.skipped, seen.worst);
    memset(&seen, 0, sizeof seen);
}

static void see(const char *why, const float *got, const struct dump_row *want, double tol)
{
    seen.worst = fmax(seen.worst, check_f32_rel(why, got, dump_f32(want), want->n, tol));
    seen.exact += memcmp(got, want->data, want->n * sizeof *got) == 0;
    seen.n++;
}

static void check_offsets(const struct dump *d, const struct fit_block *b, int at, int rigid)
{
    const struct fa_fitter *f = &fitters[part_index(b->part)];
    const int n = f->pdm.n, np = f->pdm.np;
    float shape[2 * FA_PDM_MAX_POINTS], base[2 * FA_PDM_MAX_POINTS], dx[FA_PDM_MAX_POINTS], dy[FA_PDM_MAX_POINTS];
    (void)rigid;
    to_planes(shape, dump_f32(step(d, b, at, "shape")), n, np);
    to_planes(base, dump_f32(block_row(d, b, 0, "scale.base_shape", -2)), n, np);
    fa_rlms_offsets(dx, dy, shape, base, dump_f32(block_row(d, b, 0, "scale.sim_img_to_ref", -2)),
                    dump_i32(block_row(d, b, 0, "scale.window", -2))[0], n, np);
    see("dx", dx, step(d, b, at, "dx"), 1e-5);
    see("dy", dy, step(d, b, at, "dy"), 1e-5);
}

static void offsets_equal_the_dumps(void)
{
    CHECK(for_iterations(check_offsets) > 2000);
    CHECK(seen.exact == seen.n);
    note("offsets");
}

/* Within 1e-4 of where the kernel's centre jumps to the next tenth. */
static int near_snap(float v)
{
    double t = fabs(v / 0.1 - floor(v / 0.1) - 0.5);
    return t < 1e-3;
}

static void check_mean_shift(const struct dump *d, const struct fit_block *b, int at, int rigid)
{
    struct fa_fitter *f = &fitters[part_index(b->part)];
    const int n = f->pdm.n, np = f->pdm.np;
    const float *dx = dump_f32(step(d, b, at, "dx")), *dy = dump_f32(step(d, b, at, "dy"));
    const float *want = dump_f32(step(d, b, at, "mean_shifts_ref"));
    const struct fa_kernel_table *t = NULL;
    float out[2 * FA_PDM_MAX_POINTS];
    (void)rigid;
    if (!dumped_maps(&f->resp, d, b, f))
        return;
    for (int i = 0; i < f->n_table; i++)
        if (f->tables[i].w == f->resp.w)
            t = &f->tables[i];
    const int *visible = fa_experts_visible(&f->experts, b->scale, f->resp.view);
    fa_rlms_mean_shift(out, dx, dy, &f->resp, visible, t, n, np);
    for (int i = 0; i < n; i++) {
        if (near_snap(dx[i]) || near_snap(dy[i])) {
            seen.skipped++;
            continue;
        }
        const double e = fmax(fabs((double)out[i] - want[i]), fabs((double)out[np + i] - want[n + i]));
        if (!(e <= 2e-5))
            test_fail(__FILE__, __LINE__, "landmark %d at (%g, %g): %g %g, want %g %g", i, dx[i], dy[i], out[i], out[np + i], want[i], want[n + i]);
        seen.worst = fmax(seen.worst, e);
        seen.n++;
    }
}

static void mean_shifts_follow_from_dumped_maps_and_offsets(void)
{
    for_iterations(check_mean_shift);
    CHECK(seen.n > 15000);
    CHECK(seen.skipped < seen.n / 50);
    note("mean shifts, response pixels");
}

static void check_to_image(const struct dump *d, const struct fit_block *b, int at, int rigid)
{
    const struct fa_fitter *f = &fitters[part_index(b->part)];
    const int n = f->pdm.n, np = f->pdm.np, view = dump_i32(block_row(d, b, 0, "scale.view", -2))[0];
    float ref[2 * FA_PDM_MAX_POINTS], out[2 * FA_PDM_MAX_POINTS], flat[2 * FA_PDM_MAX_POINTS];
    (void)rigid;
    to_planes(ref, dump_f32(step(d, b, at, "mean_shifts_ref")), n, np);
    fa_rlms_to_image(out, ref, dump_f32(block_row(d, b, 0, "scale.sim_ref_to_img", -2)), fa_experts_visible(&f->experts, b->scale, view), n, np);
    from_planes(flat, out, n, np);
    see("mean shift in the image", flat, step(d, b, at, "mean_shifts_img"), 1e-5);
}

static void mean_shifts_turn_into_the_image_as_dumped(void)
{
    CHECK(for_iterations(check_to_image) > 2000);
    CHECK(seen.exact > seen.n * 99 / 100);
    note("mean shifts in the image");
}

/* Jacobian from the dumped parameters, as the run makes it: weighted and masked. */
static int jacobian_of(const struct dump *d, const struct fit_block *b, int at, int rigid, struct fa_params *p, const float **wjac)
{
    struct fa_fitter *f = &fitters[part_index(b->part)];
    struct fa_rlms_scratch *s = &f->scratch;
    const int view = dump_i32(block_row(d, b, 0, "scale.view", -2))[0], k = rigid ? 6 : 6 + f->pdm.m, len = 2 * f->pdm.np;
    const struct fa_rlms in = { .pdm = &f->pdm, .at = fa_fit_settings_at(&f->set, f->experts.scale, b->scale),
                                .visible = fa_experts_visible(&f->experts, b->scale, view),
                                .confidence = fa_experts_confidence(&f->experts, b->scale, view) };
    params_of(p, &d->row[at], step(d, b, at, "params_local"));
    fa_pdm_shape3d(s->x3, &f->pdm, p->q);
    fa_pdm_jacobian(s->jac, &f->pdm, p, s->x3, rigid);
    fa_rlms_weights(s->weights, &in);
    fa_rlms_prior(s->prior, &f->pdm, in.at.reg);
    for (int c = 0; c < k; c++)
        for (int i = 0; i < len; i++)
            s->wjac[c * len + i] = s->jac[c * len + i] * s->weights[i];
    *wjac = s->wjac;
    return k;
}

static int compare_hessian;

static void check_normal(const struct dump *d, const struct fit_block *b, int at, int rigid)
{
    struct fa_fitter *f = &fitters[part_index(b->part)];
    struct fa_rlms_scratch *s = &f->scratch;
    struct fa_params p;
    const float *wjac;
    const int k = jacobian_of(d, b, at, rigid, &p, &wjac);
    to_planes(s->shift_img, dump_f32(step(d, b, at, "mean_shifts_img")), f->pdm.n, f->pdm.np);
    fa_rlms_normal(s->hessian, s->rhs, s->jac, wjac, s->shift_img, s->prior, p.q, k, f->pdm.n, f->pdm.np);
    const struct dump_row *h = step(d, b, at, "hessian");
    if (compare_hessian) {
        if (h)
            see("hessian", s->hessian, h, 1e-5);
    } else {
        see("rhs", s->rhs, step(d, b, at, "rhs"), 1e-3);
    }
}

static void right_hand_sides_follow_from_the_dumps(void)
{
    compare_hessian = 0;
    CHECK(for_iterations(check_normal) > 2000);
    CHECK(seen.exact > seen.n * 98 / 100);
    note("right-hand sides");
}

static void hessians_follow_from_the_dumps(void)
{
    compare_hessian = 1;
    for_iterations(check_normal);
    CHECK(seen.n > 300);
    note("hessians");
}

static void check_update(const struct dump *d, const struct fit_block *b, int at, int rigid)
{
    const struct fa_fitter *f = &fitters[part_index(b->part)];
    const struct dump_row *h = step(d, b, at, "hessian"), *rhs = step(d, b, at, "rhs"), *want = step(d, b, at, "update");
    float delta[FA_PDM_MAX_PARAMS];
    struct fa_params p;
    const int k = rigid ? 6 : 6 + f->pdm.m;
    if (h) {
        memcpy(delta, dump_f32(rhs), (size_t)k * sizeof *delta);
        fa_solve_cholesky(dump_f32(h), delta, k);
        see("update", delta, want, 1e-4);
    }
    params_of(&p, &d->row[at], step(d, b, at, "params_local"));
    fa_pdm_update(&p, dump_f32(want), k);
    fa_pdm_clamp(&p, &f->pdm);
    const float *g = dump_f32(step(d, b, at, "params_global_new")), got[] = { p.g.s, p.g.tx, p.g.ty }, exact[] = { g[0], g[4], g[5] };
    check_f32_bits("scale and translation", got, exact, 3);
    check_f32_bits("local parameters", p.q, dump_f32(step(d, b, at, "params_local_new")), (size_t)f->pdm.m);
    const double flat = fabs(cos(g[2])), tol = flat < 0.02 ? 5e-5 : flat < 0.1 ? 1e-5 : 2e-6;
    check_near("rx", p.g.rx, g[1], tol);
    check_near("ry", p.g.ry, g[2], tol);
    check_near("rz", p.g.rz, g[3], tol);
}

static void updates_and_new_parameters_follow_from_the_dumps(void)
{
    CHECK(for_iterations(check_update) > 2000);
    CHECK(seen.exact == seen.n);
    note("updates");
}

static void likelihoods_follow_from_dumped_maps_and_offsets(void)
{
    int n = 0;
    double worst = 0;
    FOR_BLOCKS(dumps, d, b) {
        struct fa_fitter *f = &fitters[part_index(b.part)];
        const struct dump_row *want = block_row(d, &b, 0, "nonrigid.likelihood", -2), *each = block_row(d, &b, 0, "nonrigid.landmark_likelihoods", -2);
        if (!want || !dumped_maps(&f->resp, d, &b, f))
            continue;
        /* The last executed iteration that the dump has. */
        const struct dump_row *dx = NULL, *dy = NULL;
        for (int t = 0; block_row(d, &b, 0, "nonrigid.dx", t); t++) {
            dx = block_row(d, &b, 0, "nonrigid.dx", t);
            dy = block_row(d, &b, 0, "nonrigid.dy", t);
        }
        float lmk[FA_PDM_MAX_POINTS];
        const float sigma = fa_fit_settings_at(&f->set, f->experts.scale, b.scale).sigma;
        const float got = fa_rlms_likelihood(lmk, dump_f32(dx), dump_f32(dy), &f->resp, fa_experts_visible(&f->experts, b.scale, f->resp.view), sigma,
                                             f->pdm.n);
        check_near("likelihood", got, dump_f32(want)[0], 1e-5 * fabs(dump_f32(want)[0]));
        for (int i = 0; i < f->pdm.n; i++) {
            const double l = dump_f32(each)[i], err = fabs(lmk[i] - l) / fabs(l);
            if (!(err <= 1e-5) && fabs(lmk[i] - l) > 1e-9)
                test_fail(__FILE__, __LINE__, "landmark %d: %g, want %g", i, lmk[i], l);
            worst = fmax(worst, err);
        }
        n++;
    }
    CHECK(n >= 15);
    test_note("fits", n, "");
    test_note("worst landmark, relative", worst, "");
}

/* A row of the same fit near the row of its landmarks. */
static const struct dump_row *fit_row(const struct dump *d, int at, const char *tail)
{
    for (int i = at - 6 < 0 ? 0 : at - 6; i < d->n && i < at + 6; i++)
        if (name_ends(&d->row[i], tail))
            return &d->row[i];
    return NULL;
}

/* The shape after a whole fit from the dumped start, against fit.landmarks. Closed loop over up to 30 iterations, so a snap of
 * the kernel may show (README, open and closed loop). */
static void fit_all(int threads)
{
    struct fa_team *team = test_team(threads);
    int n = 0, far = 0;
    double worst = 0, worst_l = 0, sum = 0;
    for (int c = 0; c < FIT_CASES; c++) {
        const struct dump *d = &dumps[c];
        for (int i = 0; i < d->n; i++) {
            const struct dump_row *start = &d->row[i];
            if (!name_ends(start, "scale.params_global_in"))
                continue;
            const int part = part_index(start->part);
            struct fa_fitter *f = &fitters[part];
            /* First scale of a fit: 0, or 1 in a tracked frame of the main model. */
            int window[FA_MAX_SCALES] = { 0 }, at = i;
            const int tracked = start->scale == 1 && part == 0 && start->name[0] == 's';
            if (start->scale != 0 && !tracked)
                continue;
            memcpy(window, tracked ? f->set.window_small : f->set.window_init, sizeof window);
            while (at < d->n && !(name_ends(&d->row[at], "fit.landmarks") && strcmp(d->row[at].part, start->part) == 0))
                at++;
            if (at == d->n)
                continue;
            struct fa_img8 gray = gray_of(d, start->frame);
            struct fa_params p;
            struct fa_fit_out out = { 0 };
            struct fa_err e;
            params_of(&p, start, &d->row[i + 1]);
            check_int("fit", fa_fit_scales(f, &p, window, &gray, team, &out, &e), FA_OK);
            check_int("success", out.success, dump_i32(fit_row(d, at, "fit.success"))[0]);
            const float l = dump_f32(fit_row(d, at, "fit.likelihood"))[0];
            worst_l = fmax(worst_l, fabs(out.likelihood - l));
            float xy[2 * FA_PDM_MAX_POINTS], flat[2 * FA_PDM_MAX_POINTS];
            fa_pdm_shape2d(xy, NULL, &f->pdm, &p);
            from_planes(flat, xy, f->pdm.n, f->pdm.np);
            double most = 0;
            const float *want = dump_f32(&d->row[at]);
            for (int k = 0; k < f->pdm.n; k++)
                most = fmax(most, hypot((double)flat[k] - want[k], (double)flat[f->pdm.n + k] - want[f->pdm.n + k]));
            if (getenv("FA_FIT_TRACE"))
                printf("%s frame %d %s from %s: %.3g px\n", fit_cases[c], start->frame, start->part, start->name, most);
            worst = fmax(worst, most);
            sum += most;
            far += most > 0.02;
            n++;
        }
    }
    fa_team_close(team);
    CHECK(n >= 100);
    CHECK(far <= n / 10);
    CHECK(worst < 0.5);
    CHECK(sum / n < 0.02);
    test_note("fits", n, "");
    test_note("farther than 0.02 px", far, "");
    test_note("mean of the largest distance", sum / n, "px");
    test_note("largest distance", worst, "px");
    test_note("likelihood, largest difference", worst_l, "");
}

static void whole_fits_end_where_the_reference_ends(void) { fit_all(1); }
static void whole_fits_end_there_with_three_threads(void) { fit_all(3); }

int main(void)
{
    if (!setup()) {
        printf("SKIP rlms: no models or dumps\n");
        return 0;
    }
    RUN(settings_adapt_to_the_scale_as_dumped);
    RUN(prior_and_weights_equal_the_dumps);
    RUN(offsets_equal_the_dumps);
    RUN(mean_shifts_follow_from_dumped_maps_and_offsets);
    RUN(mean_shifts_turn_into_the_image_as_dumped);
    RUN(hessians_follow_from_the_dumps);
    RUN(right_hand_sides_follow_from_the_dumps);
    RUN(updates_and_new_parameters_follow_from_the_dumps);
    RUN(likelihoods_follow_from_dumped_maps_and_offsets);
    RUN(whole_fits_end_where_the_reference_ends);
    RUN(whole_fits_end_there_with_three_threads);
    for (int i = 0; i < 4; i++)
        fa_fitter_close(&fitters[i]);
    fa_pack_close(&pack);
    for (int c = 0; c < FIT_CASES; c++)
        dump_close(&dumps[c]);
    return test_done();
}
