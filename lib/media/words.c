/* SPDX-License-Identifier: BSD-2-Clause
 * ffmpeg's complaints, kept short: the first line, the last line and how many there were. "[h264 @ 0x5581c0] error while .." becomes
 * "h264: error while ..": addresses would make two runs of one input differ. */
#include "media_internal.h"

#include <stdio.h>
#include <string.h>

static void keep(char *to, size_t size, const char *line)
{
    size_t n = 0;
    const char *at = *line == '[' ? strstr(line, " @ 0x") : NULL, *close = at ? strstr(at, "] ") : NULL;
    if (close) {
        n = (size_t)snprintf(to, size, "%.*s: ", (int)(at - line - 1), line + 1);
        line = close + 2;
        if (n >= size)
            n = size - 1;
    }
    for (; *line && n < size - 1; line++)
        to[n++] = (unsigned char)*line < 32 || *line == 127 ? '?' : *line;
    to[n] = '\0';
}

static void line_done(struct fa_words *w, uint64_t frame)
{
    w->line[w->len] = '\0';
    w->len = 0;
    if (!w->line[0] || strstr(w->line, "Last message repeated") || strcmp(w->line, "Conversion failed!") == 0)
        return;
    if (w->n_line++ == 0) {
        keep(w->first, sizeof w->first, w->line);
        w->frame = frame;
    }
    keep(w->last, sizeof w->last, w->line);
}

void fa_words_feed(struct fa_words *w, const char *b, size_t n, uint64_t frame)
{
    for (size_t i = 0; i < n; i++) {
        if (b[i] == '\n' || b[i] == '\r')
            line_done(w, frame);
        else if (w->len < sizeof w->line - 1 && b[i])
            w->line[w->len++] = b[i];
    }
}

void fa_words_text(struct fa_words *w, char *out, size_t size)
{
    if (w->len)
        line_done(w, w->frame);
    if (w->n_line < 2 || strcmp(w->first, w->last) == 0)
        snprintf(out, size, "%s", w->first);
    else
        snprintf(out, size, "%s (last of %u lines: %s)", w->first, w->n_line, w->last);
}
