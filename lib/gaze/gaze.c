/* SPDX-License-Identifier: BSD-2-Clause
 * Gaze per eye: the ray from the camera through the iris centre meets a sphere around the eyeball's centre; the line from
 * that centre to the point is the gaze (fit 13). */
#include "fa_gaze.h"

#include <math.h>

#include "fa_shape.h"

enum { IRIS_POINTS = 8, EYEBALL_RADIUS_MM = 12 };
/* Eye corners in the face model, and the eyeball's centre relative to their middle in head coordinates. */
static const int corner[2][2] = { { 36, 39 }, { 42, 45 } };
static const double eyeball_down_mm = -3.5, eyeball_in_mm = 7;

static double length(const float v[3])
{
    return sqrt((double)v[0] * v[0] + (double)v[1] * v[1] + (double)v[2] * v[2]);
}

static void to_unit(float out[3], const float v[3])
{
    const double len = length(v);
    for (int k = 0; k < 3; k++)
        out[k] = (float)(v[k] / len);
}

static float dot(const float a[3], const float b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* Where the ray t * ray meets the eyeball on its near side. A miss is the point (0, 0, -1), as in the reference. */
static void meet_sphere(float at[3], const float ray[3], const float centre[3])
{
    const float a = dot(ray, ray), b = -2 * dot(ray, centre), c = dot(centre, centre) - EYEBALL_RADIUS_MM * EYEBALL_RADIUS_MM;
    const float disc = b * b - 4 * a * c;
    if (disc < 0) {
        at[0] = at[1] = 0;
        at[2] = -1;
        return;
    }
    const float t = ((-b - sqrtf(disc)) / 2) * a;      /* QUIRK: times a, not divided by it; a is 1 up to rounding */
    for (int k = 0; k < 3; k++)
        at[k] = t * ray[k];
}

void fa_gaze_ray(struct fa_gaze_ray *g, const struct fa_gaze_points *at, enum fa_gaze_eye eye, const float pose[6])
{
    float r[9], ray[3], met[3];
    fa_rotation_from_euler(r, pose[3], pose[4], pose[5]);
    for (int k = 0; k < 3; k++) {
        const float *iris = at->eye[eye] + k * at->np_eye, *face = at->face + k * at->np_face;
        double sum = 0;
        for (int i = 0; i < IRIS_POINTS; i++)
            sum += iris[i];
        g->iris[k] = (float)(sum / IRIS_POINTS);
        /* The turned offset is a matrix product of the reference: summed in double, then float (bit-exact with the dumps). */
        const float turned = (float)((double)r[3 * k + 1] * eyeball_down_mm + (double)r[3 * k + 2] * eyeball_in_mm);
        g->eyeball[k] = (face[corner[eye][0]] + face[corner[eye][1]]) / 2 + turned;
    }
    to_unit(ray, g->iris);
    meet_sphere(met, ray, g->eyeball);
    for (int k = 0; k < 3; k++)
        g->axis[k] = met[k] - g->eyeball[k];
    to_unit(g->direction, g->axis);
}

void fa_gaze_measure(struct fa_gaze *gaze, const struct fa_gaze_points *at, const float pose[6])
{
    float mean[3];
    for (int eye = FA_GAZE_LEFT; eye <= FA_GAZE_RIGHT; eye++) {
        struct fa_gaze_ray ray;
        fa_gaze_ray(&ray, at, eye, pose);
        for (int k = 0; k < 3; k++)
            gaze->direction[eye][k] = ray.direction[k];
    }
    for (int k = 0; k < 3; k++)
        mean[k] = (gaze->direction[0][k] + gaze->direction[1][k]) / 2;
    gaze->angle[0] = atan2f(mean[0], -mean[2]);
    gaze->angle[1] = atan2f(mean[1], -mean[2]);
}
