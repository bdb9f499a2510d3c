/* SPDX-License-Identifier: BSD-2-Clause
 * Intrinsics where the user gave none (spec/output 12 for clips, 7 for stills). */
#include "fa_shape.h"

static void default_focus(struct fa_camera *cam, int w, int h)
{
    const float a = 500 * ((float)w / 640), b = 500 * ((float)h / 480);
    cam->fx = cam->fy = (a + b) / 2;
}

static void default_centre(struct fa_camera *cam, int w, int h)
{
    cam->cx = (float)w / 2;
    cam->cy = (float)h / 2;
}

void fa_camera_default(struct fa_camera *cam, int w, int h)
{
    if (!(cam->cx > 0))
        default_centre(cam, w, h);
    if (!(cam->fx > 0))
        default_focus(cam, w, h);
}

void fa_camera_default_still(struct fa_camera *cam, int w, int h)
{
    if (!(cam->cx > 0 && cam->cy > 0))
        default_centre(cam, w, h);
    if (!(cam->fx > 0 && cam->fy > 0))
        default_focus(cam, w, h);
}
