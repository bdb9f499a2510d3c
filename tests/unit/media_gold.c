/* SPDX-License-Identifier: BSD-2-Clause
 * media against the golds: size, count and SHA-256 of all decoded bytes of every clip and picture (gold/NAME/meta.json). Bytes are those of
 * ffmpeg 5.1 on x86-64 (spec/output 15), so another version skips. */
#include "fa_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dump.h"
#include "fa_child.h"
#include "fa_file.h"
#include "fa_media.h"

static int wrong_ffmpeg(void)
{
    char *argv[] = { "ffmpeg", "-version", NULL };
    int st = -1;
    char *out = fa_child_output(argv, 1 << 16, &st, NULL, NULL);
    int wrong = !out || st != 0 || strncmp(out, "ffmpeg version 5.1.", 19) != 0;
    free(out);
    return wrong;
}

/* The value after "key": in from; NULL when absent. Text values are cut at their quote. */
static const char *json_after(const char *from, const char *key)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *p = from ? strstr(from, quoted) : NULL;
    if (!p)
        return NULL;
    p += strlen(quoted);
    return p + strspn(p, " \"");
}
static double json_number(const char *from, const char *key)
{
    const char *p = json_after(from, key);
    return p ? atof(p) : -1;
}

struct sum { pid_t pid; int to, from; };

static void sum_open(struct sum *s)
{
    int in[2], out[2];
    char *argv[] = { "sha256sum", NULL };
    CHECK(fa_pipe(in, NULL) == FA_OK && fa_pipe(out, NULL) == FA_OK);
    struct fa_child_fd fds[] = { { in[0], 0 }, { out[1], 1 } };
    check_int("sha256sum", fa_child_start(&s->pid, argv, fds, 2, NULL), FA_OK);
    close(in[0]);
    close(out[1]);
    s->to = in[1];
    s->from = out[0];
}

static void sum_close(struct sum *s, char hex[65])
{
    int st;
    memset(hex, 0, 65);
    close(s->to);
    check_int("sum", fa_read_full(s->from, hex, 64), 64);
    close(s->from);
    fa_child_wait(s->pid, &st, NULL);
}

static void check_clip(const char *input, const char *meta, const char *what)
{
    struct fa_media_options o = { .cfr = 1 };
    struct fa_media *m;
    struct fa_media_frame f;
    struct fa_err e = { 0 };
    struct sum s;
    char hex[65];
    int r = fa_media_open(&m, input, &o, &e);
    if (r != FA_OK) {
        test_fail(__FILE__, __LINE__, "%s: %s", what, e.text);
        return;
    }
    const struct fa_media_info *i = fa_media_info(m);
    double n_want = json_number(meta, "frames"), fps = json_number(meta, "fps_used_for_timestamps");
    check_near("fx", i->fx, json_number(meta, "fx"), 0.006);
    check_near("fy", i->fy, json_number(meta, "fy"), 0.006);
    check_near("cx", i->cx, json_number(meta, "cx"), 0.006);
    check_near("cy", i->cy, json_number(meta, "cy"), 0.006);
    check_int("kind", i->kind, n_want < 0 ? FA_MEDIA_STILL : fps > 0 ? FA_MEDIA_VIDEO : FA_MEDIA_SEQUENCE);
    sum_open(&s);
    long long n = 0;
    while ((r = fa_media_next(m, &f, &e)) == FA_OK) {
        if (n_want > 0) {
            check_int("width", f.w, json_number(meta, "width"));
            check_int("height", f.h, json_number(meta, "height"));
            check_near("time", f.t, fps > 0 ? (double)n * (1.0 / fps) : 0, 1e-9);
        }
        if (fa_write_full(s.to, f.px, (size_t)f.w * (size_t)f.h * 3, NULL) != FA_OK)
            break;
        n++;
    }
    check_int("end", r, FA_EOF);
    sum_close(&s, hex);
    fa_media_close(m);
    check_int("frames", n, n_want > 0 ? n_want : 1);
    const char *want = json_after(meta, "sha256_of_bgr24");
    if (!want || strncmp(hex, want, 64) != 0)
        test_fail(__FILE__, __LINE__, "%s: SHA-256 is %s, want %.64s", what, hex, want ? want : "(none)");
}

static char *read_text(const char *path)
{
    struct fa_map m;
    if (fa_map_open(&m, path, NULL) != FA_OK)
        return NULL;
    char *t = malloc(m.len + 1);
    if (t) {
        memcpy(t, m.data, m.len);
        t[m.len] = '\0';
    }
    fa_map_close(&m);
    return t;
}

static void every_clip_decodes_to_the_golds_bytes(void)
{
    static const char *const clip[] = { "2015-10-15-15-14", "changeLighting", "default", "face_then_none_vfr", "hd1080", "image_sequence",
        "image_sequence_16bit", "image_sequence_gray", "multi_face", "odd321x241", "rotate90", "small320" };
    if (access(shared_path("gold/default/meta.json"), R_OK) != 0) {
        test_skip("no golds");
        return;
    }
    if (wrong_ffmpeg()) {
        test_skip("not ffmpeg 5.1");
        return;
    }
    for (size_t i = 0; i < sizeof clip / sizeof *clip; i++) {
        char path[256], input[1024];
        snprintf(path, sizeof path, "gold/%s/meta.json", clip[i]);
        char *meta = read_text(shared_path(path));
        const char *file = json_after(meta, "clip");
        if (!file) {
            test_fail(__FILE__, __LINE__, "%s: unreadable", path);
            continue;
        }
        snprintf(path, sizeof path, "videos/%.*s", (int)strcspn(file, "\""), file);
        snprintf(input, sizeof input, "%s", shared_path(path));
        check_clip(input, meta, clip[i]);
        free(meta);
    }
}

static void every_still_decodes_to_the_golds_bytes(void)
{
    char *meta = read_text(shared_path("gold/images/meta.json"));
    if (!meta) {
        test_skip("no golds");
        return;
    }
    if (wrong_ffmpeg()) {
        test_skip("not ffmpeg 5.1");
    } else {
        int n = 0;
        char *p = strstr(meta, "\"images\":"), *close;
        for (p = p ? p + 12 : meta; (p = strstr(p, "\": {")) && (close = strchr(p, '}')); n++, p = close + 1) {
            char path[256], input[1024];
            *close = '\0';
            const char *file = json_after(p, "file");
            snprintf(path, sizeof path, "videos/images/%.*s", (int)strcspn(file ? file : "", "\""), file ? file : "");
            snprintf(input, sizeof input, "%s", shared_path(path));
            check_clip(input, p, path);
        }
        check_int("pictures", n, 8);
    }
    free(meta);
}

int main(void)
{
    RUN(every_clip_decodes_to_the_golds_bytes);
    RUN(every_still_decodes_to_the_golds_bytes);
    return test_done();
}
