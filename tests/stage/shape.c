/* SPDX-License-Identifier: BSD-2-Clause
 * The point distribution model against the reference's dumps: each step from its dumped inputs (test plan rows 3, 12, 14, 15,
 * 18, 22, 23, 24, 26). */
#include "fa_shape.h"

#include <math.h>

#include "fa_kern_pdm.h"
#include "shape_stage.h"

/* One iteration of a run in the dumps: the rows between two params_global. */
struct iteration {
    const struct dump_row *global, *local, *shape, *j, *jwt, *mean_shifts, *hessian, *rhs, *update, *global_new, *local_new;
    const struct dump_row *reg_diag, *weight_diag, *visibility;
    const struct fa_pdm *pdm;
    int rigid;
};

/* Calls f for every iteration of every run in all dumps. */
static void each_iteration(void (*f)(const struct iteration *, void *), void *arg)
{
    for (int d = 0; d < N_DUMP; d++) {
        struct iteration it = { 0 };
        const struct dump *dump = &shape_dump[d];
        const struct dump_row *reg = NULL, *weight = NULL, *visible = NULL;
        for (int i = 0; i < dump->n; i++) {
            const struct dump_row *r = &dump->row[i];
            const int rigid = strstr(r->name, "nonrigid.") == NULL;
            if (row_is(r, "scale.visibility"))
                visible = r, reg = weight = NULL;
            else if (row_is(r, "reg_diag"))
                reg = r;
            else if (row_is(r, "weight_diag"))
                weight = r;
            if (!strstr(r->name, "rigid."))
                continue;
            if (row_is(r, "params_global"))
                it = (struct iteration){ .global = r, .pdm = pdm_of(r), .rigid = rigid, .visibility = visible };
            else if (row_is(r, "params_local"))
                it.local = r;
            else if (row_is(r, "shape"))
                it.shape = r;
            else if (row_is(r, "J"))
                it.j = r;
            else if (row_is(r, "JwT"))
                it.jwt = r;
            else if (row_is(r, "mean_shifts_img"))
                it.mean_shifts = r;
            else if (row_is(r, "hessian"))
                it.hessian = r;
            else if (row_is(r, "rhs"))
                it.rhs = r;
            else if (row_is(r, "update"))
                it.update = r;
            else if (row_is(r, "params_global_new"))
                it.global_new = r;
            else if (row_is(r, "params_local_new")) {
                it.local_new = r;
                it.reg_diag = rigid ? NULL : reg;
                it.weight_diag = weight;
                f(&it, arg);
            }
        }
    }
}

static double rel_error(const float *got, const float *want, size_t n)
{
    double worst = 0, largest = 0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs((double)got[i] - want[i]));
        largest = fmax(largest, fabs(want[i]));
    }
    return largest > 0 ? worst / largest : worst;
}

static void camera_of_dumps(void)
{
    if (!shape_open())
        return;
    for (int d = 0; d < N_DUMP; d++) {
        const struct dump_row *want = dump_find(&shape_dump[d], 0, "camera.fx_fy_cx_cy", -2, NULL, -2, -2);
        const struct dump_row *gray = dump_find(&shape_dump[d], 0, "image.gray", -2, NULL, -2, -2);
        struct fa_camera cam = { 0 }, still = { 0 };
        CHECK(want && gray);
        if (!want || !gray)
            return;
        fa_camera_default(&cam, gray->dim[1], gray->dim[0]);
        fa_camera_default_still(&still, gray->dim[1], gray->dim[0]);
        check_f32_bits("camera", &cam.fx, dump_f32(want), 4);
        check_bytes("camera of a still", &still, &cam, sizeof cam);
    }
}

static void start_parameters_from_boxes(void)
{
    struct tally t = { 0 };
    if (!shape_open())
        return;
    for (int d = 0; d < N_DUMP; d++) {
        const float *box = NULL;
        for (int i = 0; i < shape_dump[d].n; i++) {
            const struct dump_row *r = &shape_dump[d].row[i];
            if (row_is(r, "state.chosen_box") || row_is(r, "mtcnn.final.boxes"))
                box = dump_f32(r);
            if (!row_is(r, "init_params_global") || strstr(r->name, "part.") || !box)
                continue;
            const double *rot = dump_f64(r - 1);
            struct fa_params p = { .g = { .rx = (float)rot[0], .ry = (float)rot[1], .rz = (float)rot[2] } };
            fa_pdm_params_from_box(&p, &shape_pdm[0], box);
            const double err = check_f32_rel(r->name, &p.g.s, dump_f32(r), 6, 1e-6);
            tally_add(&t, same_bits(&p.g.s, dump_f32(r), 6), err);
        }
    }
    check_int("start parameters found", t.n, 23);
    tally_note(&t, "start parameters", "relative");
}

static void shape_of_iteration(const struct iteration *it, void *arg)
{
    struct fa_params p = params_of(it->global, it->local);
    float xy[2 * PAD_POINTS], got[2 * PAD_POINTS];
    fa_pdm_shape2d(xy, NULL, it->pdm, &p);
    from_planes(got, xy, it->pdm->n, it->pdm->np, 2);
    check_f32_bits(it->shape->name, got, dump_f32(it->shape), it->shape->n);
    tally_add(arg, same_bits(got, dump_f32(it->shape), it->shape->n), 0);
}

static void shapes_are_bit_exact(void)
{
    struct tally t = { 0 };
    if (!shape_open())
        return;
    each_iteration(shape_of_iteration, &t);
    CHECK(t.n > 2000);
    tally_note(&t, "2D shapes", "");
}

static void similarities_of_dumps(void)
{
    struct tally t = { 0 };
    if (!shape_open())
        return;
    for (int d = 0; d < N_DUMP; d++) {
        struct fa_params p = { 0 };
        const struct dump_row *global = NULL;
        for (int i = 0; i < shape_dump[d].n; i++) {
            const struct dump_row *r = &shape_dump[d].row[i];
            if (row_is(r, "scale.params_global_in"))
                global = r;
            else if (row_is(r, "scale.params_local_in"))
                p = params_of(global, r);
            if (!row_is(r, "scale.sim_img_to_ref"))
                continue;
            static const float main_scale[] = { 0.25f, 0.35f, 0.5f };
            const float scale = strcmp(r->part, "main") == 0 ? main_scale[r->scale] : r->scale ? 1.5f : 1.0f;
            const struct fa_pdm *pdm = pdm_of(r);
            struct fa_params ref = p;
            ref.g = (struct fa_global){ .s = scale };
            float a[2 * PAD_POINTS], b[2 * PAD_POINTS], sim[4], inv[4];
            fa_pdm_shape2d(a, NULL, pdm, &p);
            fa_pdm_shape2d(b, NULL, pdm, &ref);
            fa_similarity(sim, inv, a, b, pdm->n, pdm->np);
            const double err = check_f32_rel(r->name, sim, dump_f32(r), 4, 1e-6) + check_f32_rel(r[1].name, inv, dump_f32(r + 1), 4, 1e-6);
            tally_add(&t, same_bits(sim, dump_f32(r), 4) && same_bits(inv, dump_f32(r + 1), 4), err);
        }
    }
    check_int("similarities found", t.n, 233);
    check_int("all but one bit-exact", t.exact >= 232, 1);
    tally_note(&t, "similarities", "relative");
}

struct system_tally { struct tally j, jwt, h, b; };

static void system_of_iteration(const struct iteration *it, void *arg)
{
    struct system_tally *t = arg;
    static float x3[3 * PAD_POINTS], xy[2 * PAD_POINTS], j[FA_PDM_MAX_PARAMS * 2 * PAD_POINTS], jw[FA_PDM_MAX_PARAMS * 2 * PAD_POINTS];
    static float row_major[FA_PDM_MAX_PARAMS * 2 * PAD_POINTS], h[FA_PDM_MAX_PARAMS * FA_PDM_MAX_PARAMS], b[FA_PDM_MAX_PARAMS];
    const struct fa_pdm *pdm = it->pdm;
    const struct fa_kern_pdm *kern = fa_kern_pdm();
    const int n = pdm->n, np = pdm->np, k = it->rigid ? 6 : 6 + pdm->m, len = 2 * np;
    struct fa_params p = params_of(it->global, it->local);

    fa_pdm_shape2d(xy, x3, pdm, &p);
    fa_pdm_jacobian(j, pdm, &p, x3, it->rigid);
    if (it->j) {
        for (int c = 0; c < k; c++)
            for (int i = 0; i < 2 * n; i++)
                row_major[i * k + c] = j[c * len + (i < n ? i : np + i - n)];
        check_f32_bits("J", row_major, dump_f32(it->j), it->j->n);
        tally_add(&t->j, same_bits(row_major, dump_f32(it->j), it->j->n), 0);
    }

    float w[2 * PAD_POINTS] = { 0 }, mask[2 * PAD_POINTS] = { 0 }, v[2 * PAD_POINTS];
    for (int i = 0; i < 2 * n; i++) {
        const int at = i < n ? i : np + i - n;
        mask[at] = dump_i32(it->visibility)[i % n] ? 1 : 0;
        w[at] = it->weight_diag ? dump_f32(it->weight_diag)[i] : 1;
    }
    kern->weigh(j, j, mask, k, len);
    kern->weigh(jw, j, w, k, len);
    if (it->jwt) {
        int all = 1;
        for (int i = 0; i < n; i++)
            all &= mask[i] == 1;
        for (int c = 0; c < k; c++)
            from_planes(row_major + c * 2 * n, jw + c * len, n, np, 2);
        if (all) {
            check_f32_bits("JwT", row_major, dump_f32(it->jwt), it->jwt->n);
            tally_add(&t->jwt, same_bits(row_major, dump_f32(it->jwt), it->jwt->n), 0);
        }
    }
    to_planes(v, dump_f32(it->mean_shifts), n, np, 2);
    kern->rhs(b, jw, v, k, len);
    if (it->hessian)
        kern->gram(h, k, jw, j, k, n, np);
    if (it->reg_diag)
        for (int a = 6; a < k; a++) {
            const float prior = dump_f32(it->reg_diag)[a];
            b[a] = fmaf(-prior, p.q[a - 6], b[a]);
            h[a * k + a] += prior;
        }
    tally_add(&t->b, same_bits(b, dump_f32(it->rhs), (size_t)k), rel_error(b, dump_f32(it->rhs), (size_t)k));
    if (it->hessian) {
        const float *want = dump_f32(it->hessian);
        int exact = 1;                         /* the lower triangle is what a step reads */
        for (int a = 0; a < k; a++) {
            check_f32_bits("row of H", h + a * k, want + a * k, (size_t)a + 1);
            exact &= same_bits(h + a * k, want + a * k, (size_t)a + 1);
        }
        check_f32_rel("H", h, want, it->hessian->n, 1e-6);
        tally_add(&t->h, exact, 0);
    }
}

static void normal_equations_are_bit_exact(void)
{
    struct system_tally t = { 0 };
    if (!shape_open())
        return;
    each_iteration(system_of_iteration, &t);
    CHECK(t.j.n >= 380 && t.h.n >= 380 && t.b.n > 2000 && t.jwt.n > 0);
    check_int("rhs bit-exact", t.b.exact, t.b.n);
    tally_note(&t.j, "Jacobians", "");
    tally_note(&t.jwt, "weighted Jacobians", "");
    tally_note(&t.h, "normal matrices", "relative");
    tally_note(&t.b, "right-hand sides", "relative");
}

static void step_of_iteration(const struct iteration *it, void *arg)
{
    float d[FA_PDM_MAX_PARAMS];
    if (!it->hessian)
        return;
    memcpy(d, dump_f32(it->rhs), it->rhs->n * sizeof *d);
    fa_solve_cholesky(dump_f32(it->hessian), d, (int)it->rhs->n);
    check_f32_bits("update", d, dump_f32(it->update), it->update->n);
    tally_add(arg, same_bits(d, dump_f32(it->update), it->update->n), 0);
}

static void steps_are_bit_exact(void)
{
    struct tally t = { 0 };
    if (!shape_open())
        return;
    each_iteration(step_of_iteration, &t);
    CHECK(t.n >= 380);
    tally_note(&t, "steps from the dumped H and b", "");
}

static void update_of_iteration(const struct iteration *it, void *arg)
{
    struct fa_params p = params_of(it->global, it->local), want = params_of(it->global_new, it->local_new);
    fa_pdm_update(&p, dump_f32(it->update), (int)it->update->n);
    fa_pdm_clamp(&p, it->pdm);
    check_f32_bits("global", &p.g.s, &want.g.s, 6);
    check_f32_bits("local", p.q, want.q, (size_t)it->pdm->m);
    tally_add(arg, same_bits(&p.g.s, &want.g.s, 6) && same_bits(p.q, want.q, (size_t)it->pdm->m), 0);
}

static void updates_and_clamps_are_bit_exact(void)
{
    struct tally t = { 0 };
    if (!shape_open())
        return;
    each_iteration(update_of_iteration, &t);
    CHECK(t.n > 2000);
    tally_note(&t, "updated parameters", "");
}

/* A dumped fit: landmarks of the part, of the merge, or of the frame (action units); number of steps and resulting shape. */
static void check_fit(const struct dump *d, const struct dump_row *init, struct tally *shapes, int *off_by_one, int *exact_fits)
{
    const struct fa_pdm *pdm = pdm_of(init);
    const struct dump_row *errors = init + 1, *global = init + 2, *local = init + 3, *marks;
    float xy[2 * PAD_POINTS], a[2 * PAD_POINTS], b[2 * PAD_POINTS], norm[1001];
    if (strcmp(init->part, "au") == 0) {
        char name[40] = "out.landmarks";
        if (strncmp(init->name, "face0.", 6) == 0)
            snprintf(name, sizeof name, "face0.out.landmarks");
        marks = dump_find(d, 0, name, init->frame, "main", -2, -2);
    } else {
        marks = row_is(init + 4, "part.init_locs") ? init + 4 : init - 1;
    }
    CHECK(marks && marks->n == (size_t)(2 * pdm->n));
    if (!marks)
        return;
    to_planes(xy, dump_f32(marks), pdm->n, pdm->np, 2);

    struct fa_params p, want = params_of(global, local);
    const int steps = fa_pdm_fit(&p, pdm, xy, NULL, norm);
    const int apart = abs(steps - ((int)errors->n - 1));
    CHECK(apart <= 1);
    *off_by_one += apart;
    check_f32_rel("first norm", norm, dump_f32(errors), 1, 1e-6);
    if (apart == 0)
        check_f32_rel("norms", norm, dump_f32(errors), errors->n, 1e-4);
    fa_pdm_shape2d(a, NULL, pdm, &p);
    fa_pdm_shape2d(b, NULL, pdm, &want);
    double worst = 0;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < pdm->n; i++)
            worst = fmax(worst, fabs((double)a[k * pdm->np + i] - b[k * pdm->np + i]));
    check_near("shape, px", worst, 0, 0.001);
    *exact_fits += same_bits(&p.g.s, &want.g.s, 6) && same_bits(p.q, want.q, (size_t)pdm->m);
    check_near("tx", p.g.tx / (double)want.g.tx, 1, 2e-5);
    check_near("ty", p.g.ty / (double)want.g.ty, 1, 2e-5);
    tally_add(shapes, apart == 0, worst);
}

static void landmarks_to_parameters(void)
{
    struct tally t = { 0 };
    int off_by_one = 0, exact_fits = 0;
    if (!shape_open())
        return;
    for (int d = 0; d < N_DUMP; d++)
        for (int i = 0; i < shape_dump[d].n; i++)
            if (row_is(&shape_dump[d].row[i], "calcparams.init_global"))
                check_fit(&shape_dump[d], &shape_dump[d].row[i], &t, &off_by_one, &exact_fits);
    CHECK(t.n >= 120);
    CHECK(off_by_one <= 1);
    CHECK(exact_fits >= 121);
    test_note("fits with the reference's number of steps", t.exact, "fits");
    test_note("of", t.n, "fits");
    test_note("fits with the reference's parameters to the bit", exact_fits, "fits");
    test_note("largest distance of the shapes", t.worst, "px");
}

int main(void)
{
    RUN(camera_of_dumps);
    RUN(start_parameters_from_boxes);
    RUN(shapes_are_bit_exact);
    RUN(similarities_of_dumps);
    RUN(normal_equations_are_bit_exact);
    RUN(steps_are_bit_exact);
    RUN(updates_and_clamps_are_bit_exact);
    RUN(landmarks_to_parameters);
    return test_done();
}
