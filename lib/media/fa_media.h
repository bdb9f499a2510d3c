/* SPDX-License-Identifier: BSD-2-Clause
 * Clips as plain frames: a video, a single picture, or a sequence of pictures (a folder, or a printf pattern), decoded by the
 * ffmpeg program. Pixels are the reference's: BT.601 whatever the stream's tag says, high byte of 16-bit pictures (spec/output 13, 15).
 *
 *      fa_media_open -> fa_media_info -> fa_media_next ... until not FA_OK -> fa_media_close
 *
 * One ffmpeg decodes a whole video, or a whole run of like pictures. It writes pixels to one pipe, times to a second and its
 * complaints to a third; it never reads the terminal, no shell sees a file name, and it dies with its reader. */
#ifndef FA_MEDIA_H
#define FA_MEDIA_H

#include <stddef.h>
#include <stdint.h>
#include "fa_err.h"

enum { FA_MEDIA_MAX_SIDE = 16384 };           /* larger pictures are refused */
enum fa_media_kind { FA_MEDIA_VIDEO = 0, FA_MEDIA_SEQUENCE = 1, FA_MEDIA_STILL = 2 };   /* numbers as enum fa_clip_kind */

/* All zero is the default of every field. */
struct fa_media_options {
    int cfr;                  /* times (n-1) * (1.0 / fps) as the reference's, instead of true presentation times */
    int color_tag;            /* honour the stream's matrix tag instead of BT.601 always */
    int no_autorotate;        /* leave the display matrix and EXIF orientation alone */
    double start, duration;   /* seconds; videos only. duration 0: to the end */
    uint64_t frames;          /* stop after so many frames; 0: all */
    int threads;              /* ffmpeg's decoding threads; 0: its own choice */
    float fx, fy, cx, cy;     /* camera, pixels; fx and fy (cx and cy) both 0: from the picture's size */
    /* Memory for the next frame, asked for before its first byte is read: *px, 64-byte aligned, for so many bytes. What it gives for a frame
     * that then does not come whole is not used. Its failure ends the clip with that code. NULL: the library has memory of its own. */
    int (*room)(void *self, size_t bytes, uint8_t **px, struct fa_err *e);
    void *room_self;
    int watch;                /* an open pipe whose reader we work for: when that is gone, FA_E_PIPE ends the clip; 0: none */
};

struct fa_media_info {
    enum fa_media_kind kind;
    int w, h;                      /* of the first frame, upright; later pictures of a sequence may differ */
    uint32_t fps_num, fps_den;     /* average frame rate; 0/0 unknown (then 30 counts) and for pictures */
    int64_t tb_num, tb_den;        /* unit of pts, seconds; 0/1 for pictures */
    int rotation;                  /* degrees clockwise applied to the first frame: 0, 90, 180, 270 */
    uint64_t n_frame;              /* promised by the container or counted in the folder; 0 unknown */
    float fx, fy, cx, cy;          /* camera, pixels: given or defaulted (spec/output 7, 12) */
    int true_times;                /* frames carry presentation times, not frame numbers over the rate */
    const char *name;              /* the input as given */
    const char *ffmpeg;            /* "5.1.9-0+deb12u1"; "" unknown */
};

struct fa_media_frame {
    int w, h;
    const uint8_t *px;             /* BGR, rows tight, 64-byte aligned, valid until the next call; with room: where it said */
    double t;                      /* seconds since the clip's first frame, also after a start; 0 for pictures */
    int64_t pts;                   /* ticks of tb since the start of the file; INT64_MIN unknown */
    const char *name;              /* file name of this picture without its folder; "" in videos */
};

/* What an input is, found without decoding more than its first frame. */
struct fa_media_brief {
    enum fa_media_kind kind;
    int w, h;                      /* 0 for a sequence */
    double fps;                    /* 0 unknown, and for pictures */
    uint64_t n_frame;              /* promised or counted; 0 unknown */
    double seconds;                /* a sequence is counted as 30 pictures a second; 0 unknown */
};
/* input as for fa_media_open. FA_OK; FA_E_INPUT, FA_E_CHILD, FA_E_IO, FA_E_MEM. */
int fa_media_probe(struct fa_media_brief *b, const char *input, struct fa_err *e);

struct fa_media;

/* input: a file of any container or codec, a folder, a printf pattern like img%04d.png where no such file exists, or "-" for standard
 * input. What cannot seek (a pipe) is copied to an unlinked temporary file first. FA_OK; FA_E_INPUT (missing, unreadable, no pictures,
 * no video stream, too large), FA_E_ARG (options that do not fit the input), FA_E_CHILD (ffprobe missing or killed), FA_E_IO, FA_E_MEM. */
int fa_media_open(struct fa_media **m, const char *input, const struct fa_media_options *o, struct fa_err *e);
const struct fa_media_info *fa_media_info(const struct fa_media *m);
/* The words for a start behind the last frame. */
#define FA_MEDIA_NO_FRAME "no frame at or after the start"
/* FA_OK with a frame; FA_EOF after the last; FA_E_INPUT after the last that could be decoded, when ffmpeg complained, failed or gave no
 * frame at all (the text says about which frame and has ffmpeg's words); FA_E_CHILD when ffmpeg is missing or was killed; FA_E_PIPE when
 * the reader to watch is gone; what the options' room returned. */
int fa_media_next(struct fa_media *m, struct fa_media_frame *f, struct fa_err *e);
/* Ends ffmpeg if it still runs, and waits for it. */
void fa_media_close(struct fa_media *m);

#endif
