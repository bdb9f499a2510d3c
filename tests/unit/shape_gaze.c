/* SPDX-License-Identifier: BSD-2-Clause
 * Gaze without models: a made-up face whose eyes look where we say (spec/landmark-fit 13). */
#include "fa_gaze.h"

#include <math.h>
#include <string.h>

#include "fa_test.h"

enum { NP_FACE = 80, NP_EYE = 32, RADIUS = 12 };
struct head { float face[3 * NP_FACE], eye[2][3 * NP_EYE]; struct fa_gaze_points at; float pose[6]; };

/* Eyeballs at depth 600 mm whose irises lie on the sphere in direction d (camera coordinates); the head is not turned. */
static void head_make(struct head *h, const double centre[2][3], const double d[3])
{
    memset(h, 0, sizeof *h);
    for (int e = 0; e < 2; e++) {
        for (int k = 0; k < 3; k++) {
            const float offset[3] = { 0, -3.5f, 7 };
            const int a = e ? 42 : 36;
            h->face[k * NP_FACE + a] = h->face[k * NP_FACE + a + 3] = (float)centre[e][k] - offset[k];
            for (int i = 0; i < 8; i++)
                h->eye[e][k * NP_EYE + i] = (float)(centre[e][k] + RADIUS * d[k]);
        }
        h->face[e ? 42 : 36] -= 15;            /* the corners' middle stays where it is */
        h->face[e ? 45 : 39] += 15;
    }
    h->at = (struct fa_gaze_points){ .face = h->face, .eye = { h->eye[0], h->eye[1] }, .np_face = NP_FACE, .np_eye = NP_EYE };
}

static void both_eyes_look_along_their_axis(void)
{
    static const double centre[2][3] = { { -30, 5, 600 }, { 31, -4, 610 } };
    uint64_t seed = 8;
    for (int t = 0; t < 50; t++) {
        double d[3] = { 0.4 * test_randf(&seed), 0.3 * test_randf(&seed), -1 }, len = sqrt(d[0] * d[0] + d[1] * d[1] + 1);
        struct head h;
        struct fa_gaze g;
        for (int k = 0; k < 3; k++)
            d[k] /= len;
        head_make(&h, centre, d);
        fa_gaze_measure(&g, &h.at, h.pose);
        for (int e = 0; e < 2; e++)
            for (int k = 0; k < 3; k++)
                check_near("direction", g.direction[e][k], d[k], 5e-3);
        check_near("angle x", g.angle[0], atan2(d[0], -d[2]), 5e-3);
        check_near("angle y", g.angle[1], atan2(d[1], -d[2]), 5e-3);
    }
}

static void a_ray_that_misses_the_eyeball_ends_at_minus_one(void)
{
    static const double centre[2][3] = { { -30, 5, 600 }, { 31, -4, 610 } };
    static const double aside[3] = { 3, 0, 0 };    /* the iris 36 mm beside the centre: no meeting point */
    struct head h;
    struct fa_gaze_ray ray;
    head_make(&h, centre, aside);
    fa_gaze_ray(&ray, &h.at, FA_GAZE_LEFT, h.pose);
    check_near("x", ray.axis[0], 30, 1e-4);
    check_near("y", ray.axis[1], -5, 1e-4);
    check_near("z", ray.axis[2], -601, 1e-3);
}

static void the_eyeball_turns_with_the_head(void)
{
    static const double centre[2][3] = { { 0, 0, 600 }, { 60, 0, 600 } };
    static const double ahead[3] = { 0, 0, -1 };
    struct head h;
    struct fa_gaze_ray ray;
    head_make(&h, centre, ahead);
    h.pose[5] = (float)acos(0);                    /* a quarter turn about z: (0, -3.5, 7) -> (3.5, 0, 7) */
    fa_gaze_ray(&ray, &h.at, FA_GAZE_LEFT, h.pose);
    check_near("x", ray.eyeball[0], 3.5, 1e-4);
    check_near("y", ray.eyeball[1], 3.5, 1e-4);
    check_near("z", ray.eyeball[2], 600, 1e-4);
}

int main(void)
{
    RUN(both_eyes_look_along_their_axis);
    RUN(a_ray_that_misses_the_eyeball_ends_at_minus_one);
    RUN(the_eyeball_turns_with_the_head);
    return test_done();
}
