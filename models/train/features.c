/* SPDX-License-Identifier: BSD-2-Clause
 * Descriptors of the action units by the programs' own code, for the training code: fit of the AU shape model, aligned face, FHOG,
 * geometry.
 *
 *      features PACK PICTURES OFFSET SIDE < faces > descriptors
 *
 * PACK: au/pdm and au/triangles. PICTURES: B,G,R pictures of SIDE x SIDE, one after another from byte OFFSET on. faces: records of
 * int32 picture, int32 mirrored (1: the picture is turned left to right first), then 68 x and 68 y (float32). Each gives a record of
 * 4464 + 238 float32. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa_align.h"
#include "fa_au.h"
#include "fa_file.h"
#include "fa_model.h"
#include "fa_msg.h"
#include "fa_stream.h"

enum { N_POINT = 68 };
struct face { int32_t picture, mirrored; float xy[2][N_POINT]; };

static void take_picture(uint8_t *px, const uint8_t *from, int side, int mirrored)
{
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
            memcpy(px + 3 * (y * side + x), from + 3 * (y * side + (mirrored ? side - 1 - x : x)), 3);
}

static int describe(float out[FA_N_DESCRIPTOR], struct fa_aligner *a, const struct fa_img8 *frame, const struct face *f, struct fa_err *e)
{
    float xy[2 * FA_PDM_MAX_POINTS] = { 0 };
    double geom[FA_N_GEOM];
    struct fa_crop crop;
    for (int k = 0; k < 2; k++)
        memcpy(xy + k * a->pdm.np, f->xy[k], sizeof f->xy[k]);
    int r = fa_align_crop(&crop, a, frame, xy, e);
    if (r != FA_OK)
        return r;
    fa_fhog(out, &(struct fa_img8){ (uint8_t *)(uintptr_t)crop.px, 3 * crop.size, crop.size, crop.size, 3 });
    fa_au_geometry(geom, &a->pdm, crop.local);
    for (int i = 0; i < FA_N_GEOM; i++)
        out[FA_N_HOG + i] = (float)geom[i];
    return FA_OK;
}

int main(int argc, char **argv)
{
    struct fa_err e = { 0 };
    struct fa_pack pack;
    struct fa_map map;
    struct fa_aligner a;
    struct face f;
    static float out[FA_N_DESCRIPTOR];
    fa_msg_init("features");
    const size_t offset = argc == 5 ? strtoull(argv[3], NULL, 10) : 0;
    const int side = argc == 5 ? atoi(argv[4]) : 0;
    if (side < 1 || side > 4096)
        fa_die_usage("features PACK PICTURES OFFSET SIDE");
    const size_t area = 3 * (size_t)side * (size_t)side;
    if (fa_pack_open(&pack, argv[1], &e) != FA_OK || fa_map_open(&map, argv[2], &e) != FA_OK || fa_aligner_open(&a, &pack, &e) != FA_OK)
        return fa_error_status(&e);
    uint8_t *px = malloc(area + 64);                 /* rows may be read a little beyond their end */
    struct fa_img8 frame = { px, 3 * side, side, side, 3 };
    while (fread(&f, sizeof f, 1, stdin) == 1) {
        if (!px || f.picture < 0 || offset + ((size_t)f.picture + 1) * area > map.len)
            fa_die(1, "no picture %d", (int)f.picture);
        take_picture(px, (const uint8_t *)map.data + offset + (size_t)f.picture * area, side, f.mirrored);
        if (describe(out, &a, &frame, &f, &e) != FA_OK)
            return fa_error_status(&e);
        fwrite(out, sizeof out, 1, stdout);
    }
    free(px);
    fa_aligner_close(&a);
    fa_map_close(&map);
    fa_pack_close(&pack);
    return fa_close_stdout(0);
}
