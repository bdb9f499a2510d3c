/* SPDX-License-Identifier: BSD-2-Clause
 * Fits the landmark model of a pack in given boxes, for the training code: that it learns from, and is measured by, the fits that the
 * programs make.
 *
 *      fit PACK PICTURES SIDE < boxes > fits
 *
 * PICTURES: gray pictures of SIDE x SIDE bytes, one after another. boxes: lines "picture x y w h views", views 1 or more start
 * rotations (more: all). Each gives a line: accepted certainty likelihood s rx ry rz tx ty, then 68 x, then 68 y. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "face_model_internal.h"
#include "fa_file.h"
#include "fa_model.h"
#include "fa_msg.h"

static void print_fit(const struct fa_face_model *m, const struct fa_fit_state *s)
{
    const struct fa_global *g = &s->main.p.g;
    printf("%d %.9g %.9g %.9g %.9g %.9g %.9g %.9g %.9g", s->accepted, (double)s->certainty, (double)s->likelihood, (double)g->s, (double)g->rx,
           (double)g->ry, (double)g->rz, (double)g->tx, (double)g->ty);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < m->main.pdm.n; i++)
            printf(" %.9g", (double)s->main.xy[k * m->main.pdm.np + i]);
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct fa_err e = { 0 };
    struct fa_pack pack;
    struct fa_map map;
    struct fa_face_model *m;
    struct fa_fit_options opt = { 0 };
    long long picture;
    float box[4];
    int views;
    fa_msg_init("fit");
    const int side = argc == 4 ? atoi(argv[3]) : 0;
    if (side < 1)
        fa_die_usage("fit PACK PICTURES SIDE");
    const size_t area = (size_t)side * (size_t)side;
    if (fa_pack_open(&pack, argv[1], &e) != FA_OK || fa_map_open(&map, argv[2], &e) != FA_OK || fa_face_model_open(&m, &pack, &opt, &e) != FA_OK)
        return fa_error_status(&e);
    uint8_t *px = malloc(area + 64);                 /* rows may be read a little beyond their end */
    struct fa_img8 gray = { px, side, side, side, 1 };
    if (!px)
        fa_die(3, "out of memory");
    while (scanf("%lld %f %f %f %f %d", &picture, &box[0], &box[1], &box[2], &box[3], &views) == 6) {
        struct fa_fit_state s;
        if (picture < 0 || ((size_t)picture + 1) * area > map.len)
            fa_die(1, "no picture %lld", picture);
        memcpy(px, (const uint8_t *)map.data + (size_t)picture * area, area);
        fa_fit_reset(&s);
        if (fa_fit_in_box(m, &s, box, views > 1, &gray, &e) != FA_OK)
            return fa_error_status(&e);
        print_fit(m, &s);
    }
    free(px);
    fa_face_model_close(m);
    fa_map_close(&map);
    fa_pack_close(&pack);
    return fa_close_stdout(0);
}
