/* SPDX-License-Identifier: BSD-2-Clause
 * Gray image from a colour image (spec/output 14). */
#include "fa_image.h"

#include <assert.h>
#include <string.h>

#include "fa_kern_gray.h"

void fa_gray_from_bgr(struct fa_img8 *dst, const struct fa_img8 *src)
{
    const struct fa_kern_gray *k = fa_kern_gray();
    assert(dst->ch == 1 && dst->w == src->w && dst->h == src->h && (src->ch == 1 || src->ch == 3));
    for (int y = 0; y < src->h; y++) {
        uint8_t *d = dst->px + y * dst->stride;
        const uint8_t *s = src->px + y * src->stride;
        if (src->ch == 3)
            k->row(d, s, src->w);
        else
            memcpy(d, s, (size_t)src->w);
    }
}
