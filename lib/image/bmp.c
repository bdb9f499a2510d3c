/* SPDX-License-Identifier: BSD-2-Clause
 * BMP files, byte for byte as OpenCV writes them: 24-bit B,G,R or 8-bit gray with a gray palette, bottom row first, rows
 * padded with zeros to four bytes, resolution and image size left zero. */
#include "fa_image.h"

#include <string.h>

#include "fa_file.h"
#include "fa_le.h"

enum { FILE_HEADER = 14, INFO_HEADER = 40, PALETTE = 1024 };

int fa_bmp_write(const char *path, const struct fa_img8 *img, struct fa_err *e)
{
    unsigned char head[FILE_HEADER + INFO_HEADER + PALETTE] = { 'B', 'M' };
    const unsigned char pad[4] = { 0 };
    size_t row = (size_t)img->w * (size_t)img->ch, n_pad = -row & 3;
    size_t n_head = FILE_HEADER + INFO_HEADER + (img->ch == 1 ? PALETTE : 0);
    struct fa_out o;
    if (img->w < 1 || img->h < 1 || (img->ch != 1 && img->ch != 3))
        return fa_fail(e, FA_E_ARG, "%s: a BMP of %d x %d with %d channels", path, img->w, img->h, img->ch);

    fa_put_u32(head + 2, (uint32_t)(n_head + (row + n_pad) * (size_t)img->h));
    fa_put_u32(head + 10, (uint32_t)n_head);
    fa_put_u32(head + 14, INFO_HEADER);
    fa_put_u32(head + 18, (uint32_t)img->w);
    fa_put_u32(head + 22, (uint32_t)img->h);
    fa_put_u16(head + 26, 1);
    fa_put_u16(head + 28, (uint16_t)(8 * img->ch));
    for (int i = 0; i < 256 && img->ch == 1; i++)
        memset(head + FILE_HEADER + INFO_HEADER + 4 * i, i, 3);

    int r = fa_out_open(&o, path, e);
    if (r != FA_OK)
        return r;
    int ok = fwrite(head, 1, n_head, o.f) == n_head;
    for (int y = img->h - 1; ok && y >= 0; y--)
        ok = fwrite(img->px + y * img->stride, 1, row, o.f) == row && fwrite(pad, 1, n_pad, o.f) == n_pad;
    if (!ok) {
        r = fa_fail_errno(e, FA_E_IO, "%s", path);
        fa_out_abandon(&o, 0);
        return r;
    }
    return fa_out_commit(&o, e);
}
