/* SPDX-License-Identifier: BSD-2-Clause
 * What ffprobe says of an input: one run, some tens of milliseconds. Size and rotation come from the first decoded frame where
 * there is one: an EXIF orientation, or a rotation inside the video's own stream, is not in the container's headers. */
#include "media_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa_child.h"

enum { MAX_STREAM = 32, MAX_TEXT = 1 << 20 };

struct stream {
    int64_t index, w, h, rotation, is_default, start_pts, n_frame;
    int64_t avg[2], real[2], tb[2];
    char pix_fmt[32];
};
struct frame { int64_t stream, w, h, rotation, pts; };

/* "640" -> 640; "N/A", text and overflow leave *out alone. */
static void number(int64_t *out, const char *v)
{
    char *end;
    long long x = strtoll(v, &end, 10);
    if (end != v && *end == '\0' && x > -FA_MAX_PTS && x < FA_MAX_PTS)
        *out = x;
}

/* "30000/1001"; both parts positive and within 31 bits, or nothing. */
static void ratio(int64_t out[2], const char *v)
{
    long long a = 0, b = 0;
    char tail;
    if (sscanf(v, "%lld/%lld%c", &a, &b, &tail) == 2 && a > 0 && b > 0 && a <= INT32_MAX && b <= INT32_MAX) {
        out[0] = a;
        out[1] = b;
    }
}

static void stream_item(struct stream *s, const char *key, const char *v)
{
    if (strcmp(key, "index") == 0) number(&s->index, v);
    else if (strcmp(key, "width") == 0) number(&s->w, v);
    else if (strcmp(key, "height") == 0) number(&s->h, v);
    else if (strcmp(key, "pix_fmt") == 0) snprintf(s->pix_fmt, sizeof s->pix_fmt, "%s", v);
    else if (strcmp(key, "avg_frame_rate") == 0) ratio(s->avg, v);
    else if (strcmp(key, "r_frame_rate") == 0) ratio(s->real, v);
    else if (strcmp(key, "time_base") == 0) ratio(s->tb, v);
    else if (strcmp(key, "start_pts") == 0) number(&s->start_pts, v);
    else if (strcmp(key, "nb_frames") == 0) number(&s->n_frame, v);
    else if (strcmp(key, "disposition.default") == 0) number(&s->is_default, v);
    else if (strncmp(key, "side_data_list.", 15) == 0 && strstr(key, ".rotation")) number(&s->rotation, v);
}

static void frame_item(struct frame *f, const char *key, const char *v)
{
    if (strcmp(key, "stream_index") == 0) number(&f->stream, v);
    else if (strcmp(key, "width") == 0) number(&f->w, v);
    else if (strcmp(key, "height") == 0) number(&f->h, v);
    else if (strcmp(key, "best_effort_timestamp") == 0) number(&f->pts, v);
    else if (strncmp(key, "side_data_list.", 15) == 0 && strstr(key, ".rotation")) number(&f->rotation, v);
}

/* Formats that take any text or bytes for a picture of characters: not what anyone means by a clip. */
static int is_text_art(const char *format)
{
    static const char *const t[] = { "tty", "bin", "xbin", "adf", "idf" };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        if (strcmp(format, t[i]) == 0)
            return 1;
    return 0;
}

static int choose(struct fa_probe *p, const struct stream *s, const struct frame *f, double start, int autorotate, struct fa_err *e)
{
    int64_t rot = f->rotation != FA_NOPTS ? f->rotation : s->rotation;
    int64_t w = f->w > 0 ? f->w : s->w, h = f->h > 0 ? f->h : s->h;
    if (w < 1 || h < 1)
        return fa_fail(e, FA_E_INPUT, "a video stream without a picture size");
    if (w > FA_MEDIA_MAX_SIDE || h > FA_MEDIA_MAX_SIDE)
        return fa_fail(e, FA_E_INPUT, "%lldx%lld is larger than the limit of %d a side", (long long)w, (long long)h, FA_MEDIA_MAX_SIDE);
    /* ffprobe counts counter-clockwise; ffmpeg turns by whole quarters, and by other angles without changing the size. */
    rot = autorotate ? ((-rot) % 360 + 360) % 360 : 0;
    int turned = rot == 90 || rot == 270;
    p->rotation = (int)rot;
    p->w = (int)(turned ? h : w);
    p->h = (int)(turned ? w : h);
    p->stream = (int)s->index;
    memcpy(p->pix_fmt, s->pix_fmt, sizeof p->pix_fmt);
    const int64_t *fps = s->avg[1] ? s->avg : s->real;
    p->fps_num = (uint32_t)fps[0];
    p->fps_den = (uint32_t)fps[1];
    p->tb_num = s->tb[0];
    p->tb_den = s->tb[1] ? s->tb[1] : 1;
    p->n_frame = s->n_frame > 0 ? (uint64_t)s->n_frame : 0;
    int64_t first = f->pts != FA_NOPTS ? f->pts : s->start_pts;
    double ticks = p->tb_num ? start * (double)p->tb_den / (double)p->tb_num : 0;
    p->first_pts = first != FA_NOPTS && fabs(ticks) < 1e18 ? first - llrint(ticks) : 0;
    return FA_OK;
}

/* One line `key="value"` or `key=123` of -of flat: *value unquoted (in place; escapes are left, we need none). 0: not such a line. */
static int split(char *line, char **value)
{
    char *eq = strchr(line, '=');
    if (!eq)
        return 0;
    *eq = '\0';
    *value = eq + 1;
    size_t n = strlen(*value);
    if (n >= 2 && **value == '"' && (*value)[n - 1] == '"') {
        (*value)[n - 1] = '\0';
        (*value)++;
    }
    return 1;
}

int fa_probe_parse(struct fa_probe *p, const char *text, int autorotate, struct fa_err *e)
{
    struct stream s[MAX_STREAM];
    struct frame f = { -1, 0, 0, FA_NOPTS, FA_NOPTS };
    double start = 0;
    char line[512], *v;
    int n = 0;

    *p = (struct fa_probe){ .tb_den = 1 };
    for (const char *next; *text; text = next) {
        size_t len = strcspn(text, "\n");
        next = text + len + (text[len] == '\n');
        if (len >= sizeof line)
            continue;
        memcpy(line, text, len);
        line[len] = '\0';
        int i = -1, at = 0;
        if (!split(line, &v))
            continue;
        if (sscanf(line, "streams.stream.%d.%n", &i, &at) == 1 && at && i >= 0 && i < MAX_STREAM) {
            for (; n <= i; n++)
                s[n] = (struct stream){ .index = -1, .start_pts = FA_NOPTS };
            stream_item(&s[i], line + at, v);
        } else if (strncmp(line, "frames.frame.0.", 15) == 0) {
            frame_item(&f, line + 15, v);
        } else if (strncmp(line, "frames.frame.1.", 15) == 0) {
            p->many = 1;
        } else if (strcmp(line, "format.format_name") == 0) {
            snprintf(p->format, sizeof p->format, "%s", v);
        } else if (strcmp(line, "format.start_time") == 0) {
            char *end;
            double x = strtod(v, &end);
            start = end != v && isfinite(x) ? x : 0;
        } else if (strcmp(line, "format.duration") == 0) {
            char *end;
            double x = strtod(v, &end);
            p->duration = end != v && isfinite(x) && x > 0 ? x : 0;
        } else if (strcmp(line, "format.tags.major_brand") == 0) {
            snprintf(p->brand, sizeof p->brand, "%s", v);
        } else if (strcmp(line, "program_version.version") == 0) {
            snprintf(p->version, sizeof p->version, "%s", v);
        }
    }
    if (is_text_art(p->format))
        return fa_fail(e, FA_E_INPUT, "not a video or a picture (text)");
    int best = -1;
    for (int i = 0; i < n; i++)
        if (s[i].index >= 0 && s[i].index <= INT32_MAX && (best < 0 || (s[i].is_default && !s[best].is_default)))
            best = i;
    if (best < 0)
        return fa_fail(e, FA_E_INPUT, "no video stream");
    if (f.stream != s[best].index)          /* the first packet was another stream's */
        f = (struct frame){ -1, 0, 0, FA_NOPTS, FA_NOPTS };
    return choose(p, &s[best], &f, start, autorotate, e);
}

/* Runs ffprobe and reads its text; src NULL: its version only. */
static int run(struct fa_probe *p, char *const argv[], const struct fa_source *src, int autorotate, struct fa_err *e)
{
    int status = 0, r = FA_OK;
    char *err = NULL;
    char *out = fa_child_output_fd(argv, src ? src->fd : -1, FA_SOURCE_FD, src ? src->watch : 0, MAX_TEXT, &status, &err, e);
    if (!out)
        return e->code == FA_E_CHILD ? fa_err_prefix(e, "is ffmpeg installed?") : e->code;
    if (status > 255) {
        r = fa_fail(e, FA_E_CHILD, "ffprobe: killed by signal %d", status - 256);
    } else if (status != 0) {
        struct fa_words w = { .len = 0 };
        char text[360];
        fa_words_feed(&w, err, strlen(err), 0);
        fa_words_text(&w, text, sizeof text);
        r = fa_fail(e, status == 126 || status == 127 ? FA_E_CHILD : FA_E_INPUT, "ffprobe: %s", *text ? text : "failed without a word");
    } else {
        r = fa_probe_parse(p, out, autorotate, e);
        if (r != FA_OK && !src && *p->version)
            r = FA_OK;
    }
    free(out);
    free(err);
    return r;
}

int fa_probe_run(struct fa_probe *p, const struct fa_source *src, int autorotate, struct fa_err *e)
{
    /* V: video streams without cover pictures. */
    char *argv[] = { "ffprobe", "-hide_banner", "-v", "error", "-show_program_version", "-select_streams", "V", "-show_frames",
        "-read_intervals", "%+#2", "-show_entries",
        "program_version=version:format=format_name,start_time,duration:format_tags=major_brand:stream=index,width,height,pix_fmt,avg_frame_rate,"
        "r_frame_rate,time_base,start_pts,nb_frames:stream_disposition=default:stream_side_data=rotation:"
        "frame=stream_index,width,height,best_effort_timestamp:frame_side_data=rotation",
        "-of", "flat", "-i", src->arg, NULL };
    return run(p, argv, src, autorotate, e);
}

int fa_probe_version(struct fa_probe *p, struct fa_err *e)
{
    char *argv[] = { "ffprobe", "-hide_banner", "-v", "error", "-show_program_version", "-show_entries",
        "program_version=version", "-of", "flat", NULL };
    return run(p, argv, NULL, 0, e);
}

int fa_probe_is_still(const struct fa_probe *p)
{
    static const char *const brand[] = { "avif", "heic", "heix", "mif1" };
    size_t n = strlen(p->format);
    if (strcmp(p->format, "image2") == 0 || (!p->many && n > 5 && strcmp(p->format + n - 5, "_pipe") == 0))
        return 1;
    for (size_t i = 0; i < sizeof brand / sizeof *brand; i++)
        if (strcmp(p->brand, brand[i]) == 0)
            return 1;
    return 0;
}

int fa_probe_has_index(const struct fa_probe *p)
{
    static const char *const t[] = { "mov,", "matroska,", "avi", "asf" };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        if (strncmp(p->format, t[i], strlen(t[i])) == 0)
            return 1;
    return 0;
}

enum fa_raw fa_probe_raw(const struct fa_probe *p)
{
    static const struct { const char *start; enum fa_raw raw; } t[] = { { "gray16", FA_RAW_GRAY16 }, { "ya16", FA_RAW_GRAY16 },
        { "rgb48", FA_RAW_BGR48 }, { "bgr48", FA_RAW_BGR48 }, { "rgba64", FA_RAW_BGR48 }, { "bgra64", FA_RAW_BGR48 },
        { "gbrp16", FA_RAW_BGR48 }, { "gbrap16", FA_RAW_BGR48 } };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        if (strncmp(p->pix_fmt, t[i].start, strlen(t[i].start)) == 0)
            return t[i].raw;
    return FA_RAW_BGR24;
}
