/* SPDX-License-Identifier: BSD-2-Clause
 * Size, depth and orientation from the first bytes of PNG, JPEG and BMP. A sequence is cut into runs of like pictures by it, so
 * that one ffmpeg can decode a whole run; a process per picture would cost more than measuring the faces in it. */
#include "media_internal.h"

#include <string.h>

#include "fa_le.h"

static unsigned be16(const unsigned char *p) { return (unsigned)p[0] << 8 | p[1]; }
static uint32_t be32(const unsigned char *p) { return (uint32_t)be16(p) << 16 | be16(p + 2); }

/* Sizes beyond int are no sizes; the limit of the room is applied later, with a message. */
static int side(uint32_t v) { return v >= 1 && v <= INT32_MAX ? (int)v : 0; }

static struct fa_picture png(const unsigned char *b, size_t n)
{
    struct fa_picture p = { .orientation = 1 };
    if (n < 26 || memcmp(b + 12, "IHDR", 4) != 0)
        return p;
    p.w = side(be32(b + 16));
    p.h = side(be32(b + 20));
    p.deep = b[24] == 16;
    p.gray = b[25] == 0 || b[25] == 4;      /* colour types: gray, gray with alpha */
    p.format = FA_PIC_PNG;
    return p;
}

static struct fa_picture bmp(const unsigned char *b, size_t n)
{
    struct fa_picture p = { .orientation = 1 };
    if (n < 26)
        return p;
    if (fa_le_u32(b + 14) == 12) {          /* OS/2 header: 16-bit sides */
        p.w = fa_le_u16(b + 18);
        p.h = fa_le_u16(b + 20);
    } else {
        int32_t h = fa_le_i32(b + 22);
        p.w = side(fa_le_u32(b + 18));
        p.h = side(h < 0 ? 0u - (uint32_t)h : (uint32_t)h);    /* negative: rows run down */
    }
    p.format = FA_PIC_BMP;
    return p;
}

/* The orientation tag (0x0112, one SHORT) of the first directory of an EXIF block's TIFF part; 1 when absent. */
static int exif_orientation(const unsigned char *t, size_t n)
{
    if (n < 8 || (memcmp(t, "II*\0", 4) != 0 && memcmp(t, "MM\0*", 4) != 0))
        return 1;
    int big = t[0] == 'M';
    size_t at = big ? be32(t + 4) : fa_le_u32(t + 4);
    if (at > n - 2)
        return 1;
    unsigned count = big ? be16(t + at) : fa_le_u16(t + at);
    at += 2;
    for (unsigned i = 0; i < count && n - at >= 12; i++, at += 12) {
        const unsigned char *d = t + at;
        if ((big ? be16(d) : fa_le_u16(d)) != 0x0112)
            continue;
        unsigned v = big ? be16(d + 8) : fa_le_u16(d + 8);
        return v >= 1 && v <= 8 ? (int)v : 1;
    }
    return 1;
}

static struct fa_picture jpeg(const unsigned char *b, size_t n)
{
    struct fa_picture p = { .orientation = 1 };
    size_t at = 2;
    while (n - at >= 4 && b[at] == 0xff) {
        unsigned m = b[at + 1];
        if (m == 0xff) {                    /* fill byte */
            at++;
            continue;
        }
        size_t len = be16(b + at + 2);
        if (len < 2 || n - at - 2 < len)
            return p;
        const unsigned char *seg = b + at + 4;
        if (m == 0xe1 && len >= 8 && memcmp(seg, "Exif\0\0", 6) == 0)
            p.orientation = exif_orientation(seg + 6, len - 8);
        if ((m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc) || m == 0xf7) {    /* start of frame */
            if (len < 8)
                return p;
            p.h = (int)be16(seg + 1);
            p.w = (int)be16(seg + 3);
            p.gray = seg[5] == 1;
            p.format = FA_PIC_JPEG;
            return p;
        }
        if (m == 0xda || m == 0xd9)         /* scan or end before any frame header */
            return p;
        at += 2 + len;
    }
    return p;
}

struct fa_picture fa_picture_header(const unsigned char *b, size_t n)
{
    struct fa_picture p = { .orientation = 1 };
    if (n >= 8 && memcmp(b, "\x89PNG\r\n\x1a\n", 8) == 0)
        p = png(b, n);
    else if (n >= 3 && memcmp(b, "\xff\xd8\xff", 3) == 0)
        p = jpeg(b, n);
    else if (n >= 2 && memcmp(b, "BM", 2) == 0)
        p = bmp(b, n);
    if (p.w < 1 || p.h < 1)
        p = (struct fa_picture){ .format = FA_PIC_OTHER, .orientation = 1 };
    return p;
}
