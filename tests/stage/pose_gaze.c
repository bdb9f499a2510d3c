/* SPDX-License-Identifier: BSD-2-Clause
 * Head pose, points in camera space and gaze against the reference's dumps (test plan rows 31, 32). */
#include <math.h>

#include "fa_gaze.h"
#include "fa_shape.h"
#include "shape_stage.h"

/* The final state of one face in a dumped frame. */
struct state { const struct dump *d; char prefix[24]; int frame; struct fa_camera cam; };

static const struct dump_row *row_of(const struct state *s, const char *name, const char *part)
{
    char full[256];
    snprintf(full, sizeof full, "%s%s", s->prefix, name);
    return dump_find(s->d, 0, full, s->frame, part, -2, -2);
}

/* Landmarks, parameters and 3D points of a part in its final state; 1 when the dump has them. */
static int part_state(const struct state *s, const char *part, const struct fa_pdm **pdm, struct fa_params *p, float *xy, const struct dump_row **xyz)
{
    const struct dump_row *global = row_of(s, "out.params_global", part), *local = row_of(s, "out.params_local", part);
    const struct dump_row *marks = row_of(s, "out.landmarks", part);
    *xyz = row_of(s, "out.landmarks_3d", part);
    CHECK(global && local && marks && *xyz);
    if (!global || !local || !marks || !*xyz)
        return 0;
    *pdm = pdm_of(global);
    *p = params_of(global, local);
    to_planes(xy, dump_f32(marks), (*pdm)->n, (*pdm)->np, 2);
    return 1;
}

/* Calls f for every dumped face. */
static int each_face(void (*f)(const struct state *, void *), void *arg)
{
    int n = 0;
    if (!shape_open())
        return 0;
    for (int d = 0; d < N_DUMP; d++) {
        const struct dump_row *cam = dump_find(&shape_dump[d], 0, "camera.fx_fy_cx_cy", -2, NULL, -2, -2);
        for (int i = 0; i < shape_dump[d].n; i++) {
            const struct dump_row *r = &shape_dump[d].row[i];
            if (!row_is(r, "pose.out"))
                continue;
            struct state s = { .d = &shape_dump[d], .frame = r->frame };
            snprintf(s.prefix, sizeof s.prefix, "%.*s", (int)(strlen(r->name) - strlen("pose.out")), r->name);
            memcpy(&s.cam, dump_f32(cam), sizeof s.cam);
            f(&s, arg);
            n++;
        }
    }
    check_int("dumped faces", n, 10);
    return n;
}

static void pose_of(const struct state *s, void *arg)
{
    struct tally *t = arg;
    const struct fa_pdm *pdm;
    const struct dump_row *xyz, *want = row_of(s, "pose.out", "main"), *marks = row_of(s, "pose.landmarks_2d", "main");
    const struct dump_row *model = row_of(s, "pose.landmarks_3d", "main");
    struct fa_params p;
    float xy[2 * PAD_POINTS], x3[3 * PAD_POINTS], pose[6], points[3 * PAD_POINTS];
    if (!part_state(s, "main", &pdm, &p, xy, &xyz))
        return;
    /* The pose's own inputs are what the state holds. */
    fa_pdm_shape3d(x3, pdm, p.q);
    for (int i = 0; i < pdm->n; i++) {
        for (int k = 0; k < 3; k++)
            points[3 * i + k] = x3[k * pdm->np + i];
        check_f32_bits("landmark", (&(float){ xy[i] }), dump_f32(marks) + 2 * i, 1);
    }
    check_f32_bits("model points", points, dump_f32(model), model->n);

    fa_head_pose(pose, pdm, &p, xy, &s->cam);
    const double mm = check_f32_rel("translation", pose, dump_f32(want), 3, 1e-6);
    const double rad = check_f32_rel("angles", pose + 3, dump_f32(want) + 3, 3, 1e-6);
    tally_add(t, same_bits(pose, dump_f32(want), 6), fmax(mm, rad));
}

static void head_pose_of_dumps(void)
{
    struct tally t = { 0 };
    if (each_face(pose_of, &t))
        tally_note(&t, "head pose", "relative");
}

static void points_of(const struct state *s, void *arg)
{
    static const char *const part[] = { "main", "inner", "left_eye_28", "right_eye_28" };
    for (int i = 0; i < 4; i++) {
        const struct fa_pdm *pdm;
        const struct dump_row *xyz;
        struct fa_params p;
        float xy[2 * PAD_POINTS], out[3 * PAD_POINTS], got[3 * PAD_POINTS];
        if (!part_state(s, part[i], &pdm, &p, xy, &xyz))
            return;
        fa_landmarks_3d(out, pdm, &p, xy, &s->cam);
        from_planes(got, out, pdm->n, pdm->np, 3);
        check_f32_bits(part[i], got, dump_f32(xyz), xyz->n);
        tally_add(arg, same_bits(got, dump_f32(xyz), xyz->n), 0);
    }
}

static void landmarks_3d_are_bit_exact(void)
{
    struct tally t = { 0 };
    if (each_face(points_of, &t))
        tally_note(&t, "3D landmarks", "");
}

static void gaze_of(const struct state *s, void *arg)
{
    struct tally *t = arg;
    static const char *const part[] = { "left_eye_28", "right_eye_28" }, *const side[] = { "left", "right" };
    const struct fa_pdm *face, *eye;
    const struct dump_row *xyz, *angle = row_of(s, "gaze.angle", "main"), *pose = row_of(s, "pose.out", "main");
    struct fa_params p;
    float xy[2 * PAD_POINTS], face_xyz[3 * PAD_POINTS], eye_xyz[2][3 * PAD_POINTS];
    if (!part_state(s, "main", &face, &p, xy, &xyz))
        return;
    fa_landmarks_3d(face_xyz, face, &p, xy, &s->cam);
    for (int e = 0; e < 2; e++) {
        if (!part_state(s, part[e], &eye, &p, xy, &xyz))
            return;
        fa_landmarks_3d(eye_xyz[e], eye, &p, xy, &s->cam);
    }
    const struct fa_gaze_points at = { .face = face_xyz, .eye = { eye_xyz[0], eye_xyz[1] }, .np_face = face->np, .np_eye = eye->np };
    struct fa_gaze gaze;
    fa_gaze_measure(&gaze, &at, dump_f32(pose));
    for (int e = 0; e < 2; e++) {
        struct fa_gaze_ray ray;
        char name[4][40];
        static const char *const what[] = { "pupil", "eyeball_centre", "axis", "direction" };
        for (int k = 0; k < 4; k++)
            snprintf(name[k], sizeof name[k], "gaze.%s.%s", side[e], what[k]);
        fa_gaze_ray(&ray, &at, (enum fa_gaze_eye)e, dump_f32(pose));
        const float *got[4] = { ray.iris, ray.eyeball, ray.axis, ray.direction };
        for (int k = 0; k < 4; k++) {
            const struct dump_row *want = row_of(s, name[k], "main");
            check_f32_bits(name[k], got[k], dump_f32(want), 3);
            tally_add(t, same_bits(got[k], dump_f32(want), 3), 0);
        }
        check_bytes("direction of the steps", ray.direction, gaze.direction[e], sizeof ray.direction);
    }
    check_f32_bits("angles", gaze.angle, dump_f32(angle), 2);
    tally_add(t, same_bits(gaze.angle, dump_f32(angle), 2), 0);
}

static void gaze_is_bit_exact(void)
{
    struct tally t = { 0 };
    if (each_face(gaze_of, &t))
        tally_note(&t, "steps of the gaze", "");
}

int main(void)
{
    RUN(head_pose_of_dumps);
    RUN(landmarks_3d_are_bit_exact);
    RUN(gaze_is_bit_exact);
    return test_done();
}
