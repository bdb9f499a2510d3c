/* SPDX-License-Identifier: BSD-2-Clause
 * Inside the media room: where input comes from, what ffprobe and file headers say of it, and the one ffmpeg child.
 * The struct fa_err of these functions is never NULL. */
#ifndef FA_MEDIA_INTERNAL_H
#define FA_MEDIA_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "fa_media.h"

/* What ffmpeg writes; frames always come out as BGR24. */
enum fa_raw { FA_RAW_BGR24, FA_RAW_BGR48, FA_RAW_GRAY16 };

/* --- source.c: one input file in a form that ffmpeg can open whatever its name is ----------------------------------------- */

enum { FA_SOURCE_FD = 4 };                    /* descriptor that the children get it as */
/* arg for -i: "file:NAME", or "file:/dev/fd/4" with fd >= 0 to hand over. watch as in struct fa_media_options: while the input is copied or
 * asked what it is, the loss of that reader is FA_E_PIPE. */
struct fa_source { char *arg; int fd, watch; };
int fa_source_open(struct fa_source *s, const char *input, int watch, struct fa_err *e);
void fa_source_close(struct fa_source *s);

/* --- probe.c: what ffprobe says ---------------------------------------------------------------------------------------------- */

struct fa_probe {
    char format[64], brand[16], version[64], pix_fmt[32];
    int stream, w, h, rotation;               /* of the first frame where it could be decoded, else of the stream; w, h upright */
    uint32_t fps_num, fps_den;                /* 0/0 unknown */
    int64_t tb_num, tb_den;
    int64_t first_pts;                        /* of the first frame, in ticks since the file's start time */
    uint64_t n_frame;
    double duration;                          /* seconds; 0 unknown */
    int many;                                 /* more than one frame: of picture files in a row, a video */
};
/* Runs ffprobe on src. autorotate 0: w, h as stored and rotation 0. */
int fa_probe_run(struct fa_probe *p, const struct fa_source *src, int autorotate, struct fa_err *e);
/* p->version alone, for inputs that need no ffprobe. */
int fa_probe_version(struct fa_probe *p, struct fa_err *e);
/* The text of `ffprobe -of flat`. FA_OK or FA_E_INPUT (no video stream, no size, a format that is not pictures). */
int fa_probe_parse(struct fa_probe *p, const char *text, int autorotate, struct fa_err *e);
int fa_probe_is_still(const struct fa_probe *p);
/* A container in which seeking lands on a key frame. */
int fa_probe_has_index(const struct fa_probe *p);
/* How a picture of this pixel format is to be read: 16-bit ones with all their bits. */
enum fa_raw fa_probe_raw(const struct fa_probe *p);

/* --- picture.c: what the first bytes of a picture file say ------------------------------------------------------------------- */

enum fa_pic_format { FA_PIC_OTHER, FA_PIC_PNG, FA_PIC_JPEG, FA_PIC_BMP };
struct fa_picture { enum fa_pic_format format; int w, h, deep /* 16 bits a sample */, gray, orientation /* EXIF, 1..8 */; };
/* FA_PIC_OTHER when it is none of the three or is cut before its size. w, h as stored. */
struct fa_picture fa_picture_header(const unsigned char *b, size_t n);

/* --- folder.c: the files of a sequence ------------------------------------------------------------------------------------------ */

struct fa_names { char **path; size_t n; };
/* Pictures of a folder: extension exactly .jpg .jpeg .png .bmp, sorted bytewise. FA_E_INPUT when there are none. */
int fa_names_of_folder(struct fa_names *l, const char *dir, struct fa_err *e);
/* 1 when the name holds one %d or %0Nd and no other %. */
int fa_is_pattern(const char *name);
/* Files of a pattern, from the first number in 0..4 that exists up to the first gap. */
int fa_names_of_pattern(struct fa_names *l, const char *pattern, struct fa_err *e);
void fa_names_free(struct fa_names *l);

/* --- times.c: lines of ffmpeg's metadata filter --------------------------------------------------------------------------------- */

#define FA_NOPTS INT64_MIN
#define FA_MAX_PTS (INT64_MAX / 4)            /* beyond it a time counts as unknown; sums and differences of three fit */
/* Frames may lie in ffmpeg's 32 KiB output buffer while their lines are here already: at 3 bytes a frame 10,923 of them. */
enum { FA_TIMES_CAP = 32768 };
struct fa_time { int64_t pts; double s; };    /* FA_NOPTS and 0 where the frame has none */
struct fa_times {
    struct fa_time q[FA_TIMES_CAP];           /* ring: head.. head + n */
    size_t head, n;
    char line[128];
    size_t len;
};
/* Room for at least the lines of this many more bytes? */
int fa_times_room(const struct fa_times *t, size_t bytes);
void fa_times_feed(struct fa_times *t, const char *b, size_t n);
int fa_times_take(struct fa_times *t, struct fa_time *out);    /* 0: none waiting */

/* --- words.c: what ffmpeg says on stderr ------------------------------------------------------------------------------------------ */

struct fa_words { char line[512], first[160], last[160]; size_t len; unsigned n_line; uint64_t frame; };
/* frame: of the clip, from 1, the one being waited for; remembered with the first words. */
void fa_words_feed(struct fa_words *w, const char *b, size_t n, uint64_t frame);
/* Ends the last line, and writes all that was said as one phrase. */
void fa_words_text(struct fa_words *w, char *out, size_t size);

/* --- decoder.c: one ffmpeg ----------------------------------------------------------------------------------------------------------- */

struct fa_decoder_args {
    const struct fa_source *src;
    const char *format;                       /* "concat", or NULL: found by ffmpeg */
    int stream, w, h, autorotate, color_tag, threads;
    enum fa_raw raw;
    double start, duration;                   /* seconds since the file's start */
    double seek;                              /* where ffmpeg begins to decode, <= start; it counts times from there */
    uint64_t frames;
    uint64_t frame0;                          /* frames of the clip that came before, for messages */
    const struct fa_media_options *o;         /* room and watch are taken from here; valid as long as the decoder */
};
struct fa_decoder;
int fa_decoder_open(struct fa_decoder **d, const struct fa_decoder_args *a, struct fa_err *e);
/* FA_OK: *px (w x h x 3, 64-byte aligned) and its time. Else how it ended: FA_EOF, FA_E_INPUT, FA_E_CHILD, FA_E_IO, FA_E_MEM, FA_E_PIPE, or
 * what room said. */
int fa_decoder_next(struct fa_decoder *d, const uint8_t **px, struct fa_time *t, struct fa_err *e);
/* What ffmpeg has said so far; all that it said before the last frame is in it. */
void fa_decoder_words(struct fa_decoder *d, char *out, size_t size);
void fa_decoder_close(struct fa_decoder *d);

/* --- sequence.c: many pictures, few ffmpegs ------------------------------------------------------------------------------------------- */

struct fa_sequence;
/* Takes the names over. The first picture's size, rotation and the number of pictures go to info. */
int fa_sequence_open(struct fa_sequence **s, struct fa_names *l, const struct fa_media_options *o,
                     struct fa_media_info *info, struct fa_err *e);
int fa_sequence_next(struct fa_sequence *s, struct fa_media_frame *f, struct fa_err *e);
void fa_sequence_close(struct fa_sequence *s);

/* FA_OK, or FA_E_INPUT "WxH is larger than ..". */
int fa_media_check_size(int w, int h, struct fa_err *e);

#endif
