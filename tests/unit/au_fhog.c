/* SPDX-License-Identifier: BSD-2-Clause
 * FHOG against the vectors of spec/aus 12.1: sums, single features and checksums of whole descriptors, bit for bit. */
#include "fa_test.h"

#include <math.h>
#include <string.h>

#include "fa_au.h"

static uint8_t image[FA_AU_SIDE][FA_AU_SIDE][3];

static void fill(void)
{
    for (int y = 0; y < FA_AU_SIDE; y++)
        for (int x = 0; x < FA_AU_SIDE; x++)
            for (int c = 0; c < 3; c++)
                image[y][x][c] = (uint8_t)(3 * x + 5 * y + 4 * ((x * y) % 37) + 60 * c + (x * x * (c + 1)) % 101);
}

static double sum(const float *f)
{
    double s = 0;
    for (int i = 0; i < FA_N_HOG; i++)
        s += f[i];
    return s;
}

static void descriptor_of_the_formula_image_is_bit_exact(void)
{
    static const struct { int i; uint32_t bits; } want[] = {
        { 0, 0x3e950ded }, { 17, 0x3e983c98 }, { 18, 0x3ec36a1a }, { 27, 0x3eac0dc1 }, { 30, 0x3ec48259 }, { 346, 0x3d9f49f3 },
        { 4097, 0x3db98d46 }, { 2086, 0x3e193d2c }, { 2099, 0x3eb1faa6 }, { 2105, 0x3e95c9da }, { 4459, 0x3e11aad6 },
    };
    float f[FA_N_HOG];
    fill();
    check_int("image", test_crc32(image, sizeof image), 0x43850fd6);
    fa_fhog(f, &(struct fa_img8){ image[0][0], 3 * FA_AU_SIDE, FA_AU_SIDE, FA_AU_SIDE, 3 });
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        uint32_t bits;
        memcpy(&bits, f + want[i].i, 4);
        check_int("feature", bits, want[i].bits);
    }
    check_near("sum", sum(f), 797.62696544679056, 1e-10);
    check_int("all", test_crc32(f, sizeof f), 0x15523dc9);
}

static void ties_follow_the_two_column_rules(void)
{
    float f[FA_N_HOG];
    fill();
    for (uint8_t *p = image[0][0]; p < image[0][0] + sizeof image; p++)
        *p &= 0xc0;
    fa_fhog(f, &(struct fa_img8){ image[0][0], 3 * FA_AU_SIDE, FA_AU_SIDE, FA_AU_SIDE, 3 });
    check_near("sum", sum(f), 760.30284157982533, 1e-10);
    check_int("all", test_crc32(f, sizeof f), 0xf6ef753b);
}

static void gray_image_uses_its_one_channel(void)
{
    static uint8_t gray[FA_AU_SIDE * FA_AU_SIDE];
    float f[FA_N_HOG];
    fill();
    for (int i = 0; i < FA_AU_SIDE * FA_AU_SIDE; i++)
        gray[i] = image[i / FA_AU_SIDE][i % FA_AU_SIDE][1];
    fa_fhog(f, &(struct fa_img8){ gray, FA_AU_SIDE, FA_AU_SIDE, FA_AU_SIDE, 1 });
    check_near("sum", sum(f), 823.01503299367323, 1e-10);
    check_int("all", test_crc32(f, sizeof f), 0xa81407c8);
}

static void black_face_gives_zeros(void)
{
    static const float zero[FA_N_HOG];
    float f[FA_N_HOG];
    memset(image, 0, sizeof image);
    fa_fhog(f, &(struct fa_img8){ image[0][0], 3 * FA_AU_SIDE, FA_AU_SIDE, FA_AU_SIDE, 3 });
    check_bytes("zeros", f, zero, sizeof zero);
}

int main(void)
{
    RUN(descriptor_of_the_formula_image_is_bit_exact);
    RUN(ties_follow_the_two_column_rules);
    RUN(gray_image_uses_its_one_channel);
    RUN(black_face_gives_zeros);
    return test_done();
}
