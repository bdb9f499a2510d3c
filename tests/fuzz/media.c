/* SPDX-License-Identifier: BSD-2-Clause
 * Fuzzer of the media room's readers. The first byte chooses: picture header, text of ffprobe, lines of ffmpeg's metadata filter,
 * ffmpeg's complaints. Each reads memory of just the input's size. */
#include <stdlib.h>
#include <string.h>

#include "media_internal.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void picture(const unsigned char *b, size_t n)
{
    struct fa_picture p = fa_picture_header(b, n);
    if (p.orientation < 1 || p.orientation > 8 || (p.format != FA_PIC_OTHER && (p.w < 1 || p.h < 1)))
        abort();
}

static void probe(const char *text)
{
    struct fa_probe p;
    struct fa_err e;
    for (int autorotate = 0; autorotate < 2; autorotate++)
        if (fa_probe_parse(&p, text, autorotate, &e) == FA_OK) {
            if (p.w < 1 || p.h < 1 || fa_media_check_size(p.w, p.h, &e) != FA_OK || p.tb_den < 1 || p.stream < 0 || p.rotation < 0 || p.rotation >= 360)
                abort();
            fa_probe_is_still(&p);
            fa_probe_raw(&p);
        }
}

static void times(const char *b, size_t n)
{
    static struct fa_times t;
    struct fa_time v;
    t = (struct fa_times){ .n = 0 };
    for (size_t at = 0; at < n;) {
        size_t step = n - at < 4096 ? n - at : 4096, before = t.n;
        int room = fa_times_room(&t, step);
        fa_times_feed(&t, b + at, step);
        if (t.n > FA_TIMES_CAP || (room && t.n < before))
            abort();
        at += step;
    }
    while (fa_times_take(&t, &v))
        if (v.pts != FA_NOPTS && (v.pts <= -FA_MAX_PTS || v.pts >= FA_MAX_PTS))
            abort();
}

static void words(const char *b, size_t n)
{
    struct fa_words w = { .len = 0 };
    char out[64];
    fa_words_feed(&w, b, n / 2, 1);
    fa_words_feed(&w, b + n / 2, n - n / 2, 2);
    fa_words_text(&w, out, sizeof out);
    if (strlen(out) >= sizeof out || strpbrk(out, "\n\r\x1b"))
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    if (n == 0)
        return 0;
    char *b = malloc(n);                    /* the rest and a NUL */
    if (!b)
        return 0;
    memcpy(b, data + 1, n - 1);
    b[n - 1] = '\0';
    switch (data[0] & 3) {
    case 0: picture(data + 1, n - 1); break;
    case 1: probe(b); break;
    case 2: times(b, n - 1); break;
    case 3: words(b, n - 1); break;
    }
    free(b);
    return 0;
}
