/* SPDX-License-Identifier: BSD-2-Clause
 * The record stream between the programs (man/fa-stream.5; design, section 3). Little-endian records: a 64-byte header, then
 * the payload, padded with zeros to a multiple of 64. Order inside a clip: CLIP, then FRAMEs with ascending numbers; FACES,
 * LANDMARKS, CROP and AUS anywhere after the FRAME they belong to; then END. Several clips may follow one another, with
 * ascending clip numbers. A reader accepts zstd-compressed input by its magic; checks are always verified; unknown record
 * types are handed through untouched. A FRAME of version 2 has a reference to its pixels instead of them (fa_ring.h).
 *
 * Header, 64 bytes: 0 magic "FAR1" | 4 u16 type | 6 u16 version | 8 u32 flags | 12 u32 clip number (from 0) | 16 u64 payload bytes
 * | 24 u64 frame (from 1; 0: belongs to the clip) | 32 i32 face id (-1: none) | 36 u32 zero | 40 u64 XXH3-64 of the payload
 * (padding not included) | 48 u64 zero | 56 u64 XXH3-64 of header bytes 0..55 */
#ifndef FA_STREAM_H
#define FA_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include "fa_err.h"

enum fa_rec_type { FA_REC_CLIP = 1, FA_REC_FRAME = 2, FA_REC_FACES = 3, FA_REC_LANDMARKS = 4, FA_REC_CROP = 5, FA_REC_AUS = 6, FA_REC_END = 7 };
enum { FA_STREAM_VERSION = 1, FA_REC_HEADER = 64, FA_REC_ALIGN = 64 };
/* Limits on every length read: sides of a frame and of a crop, payload, faces in a frame, points and modes of a face, action
 * units, text (with its NUL). */
enum { FA_MAX_SIDE = 16384, FA_MAX_CROP = 4096, FA_MAX_FACES = 1024, FA_MAX_POINTS = 4096, FA_MAX_AU = 256, FA_MAX_TEXT = 1 << 20 };
#define FA_MAX_PAYLOAD (1ull << 30)

/* A record in memory. data: payload, 64-byte aligned, valid until the next call on its reader, as is loan: where the pixels of a frame by
 * reference are (fa_ring.h; NULL for everything else). */
struct fa_loan;
struct fa_rec {
    uint16_t type, version; uint32_t flags, clip; uint64_t frame; int32_t face;
    const unsigned char *data; size_t len;
    const struct fa_loan *loan;
};
/* "CLIP", "FRAME", ...; NULL for a type that this library does not know. */
const char *fa_rec_name(unsigned type);

/* --- Payloads, decoded. Strings are NUL-terminated and point into the record or into the struct's owner. ---------------- */

enum fa_clip_kind { FA_CLIP_VIDEO = 0, FA_CLIP_SEQUENCE = 1 /* timestamps 0 */, FA_CLIP_STILL = 2 /* one frame, image mode */ };
enum fa_clip_flag { FA_CLIP_VFR = 1 /* times are true presentation times */, FA_CLIP_COLOR_TAG = 2 /* matrix tag honoured */ };

/* CLIP. fps as a ratio (0/0 unknown). Camera in pixels, already defaulted. rotation: degrees applied to make it upright.
 * n_frame: what the container promises, 0 unknown. name: the input as given. provenance: one line a stage, "program version=..
 * model=<hash> key=value ..", each ended by \n; a stage appends its own. */
struct fa_clip {
    uint32_t kind, flags; int32_t w, h; uint32_t fps_num, fps_den; float fx, fy, cx, cy; int32_t rotation; uint64_t n_frame;
    const char *name, *provenance;
};
enum { FA_PIX_NONE = 0 /* dropped by a stage */, FA_PIX_BGR24 = 1, FA_PIX_GRAY8 = 2 };
/* FRAME. t: seconds (what the CSV's timestamp column gets). pts: in the stream's time base, INT64_MIN unknown. Pixels: tight
 * rows, 64-byte aligned when read; NULL with FA_PIX_NONE (w and h stay). name: the image's file of a sequence, else "". */
struct fa_frame { int32_t w, h; uint32_t format; double t; int64_t pts; int64_t tb_num, tb_den; const uint8_t *px; const char *name; };
/* FACES: the detector ran on this frame; boxes after its final correction, in detector order. n may be 0. */
struct fa_face_box { float x, y, w, h, score; };
struct fa_faces { int32_t n; const struct fa_face_box *box; };

/* LANDMARKS, one face (face id in the header names a track). Counts first; arrays are planes as in the CSV: all x, then all y.
 * success: return value of the tracking step (CSV column); accepted: the model's own flag (AUs, aligned face); both 0 or 1. */
struct fa_marks {
    int32_t n, m, n_eye;                 /* 68; modes; 56 or 0 */
    uint32_t success, accepted; int32_t failures;
    float certainty, likelihood;
    float global[6];                     /* s rx ry rz tx ty */
    float pose[6];                       /* Tx Ty Tz (mm) Rx Ry Rz (rad) */
    float gaze[2][3], gaze_angle[2];
    const float *local;                  /* [m] */
    const float *xy;                     /* [2][n] pixels */
    const float *xyz;                    /* [3][n] mm, camera space */
    const float *eye_xy, *eye_xyz;       /* [2][n_eye], [3][n_eye]: left eye model's points, then the right one's */
};
/* CROP: the aligned face for the AU stage: size x size pixels of ch (1 or 3) bytes, masked BGR, and the AU PDM's fit that placed it.
 * valid 0: black face of a frame whose model flag is false (no pixels stored, px NULL). */
struct fa_crop { int32_t size, ch; uint32_t valid; float scale; float warp[6]; float global[6]; int32_t m; const float *local; const uint8_t *px; };
/* AUS. Values are double as in the reference; names of 8 bytes, NUL-padded, at most 7 used. distance: raw decision value per
 * class AU. kind says how they were made. */
enum fa_au_kind { FA_AU_WHOLE_CLIP = 0, FA_AU_ONLINE = 1, FA_AU_IMAGE = 2 };
struct fa_aus {
    uint32_t kind; int32_t n_r, n_c;
    const char (*name_r)[8], (*name_c)[8];
    const double *r, *c, *distance;      /* [n_r], [n_c], [n_c] */
};
/* END: status 0..3 as the exit status; stage and words say who failed and why ("" when status is 0). n_frame: FRAME records of the clip. */
struct fa_end { uint32_t status; uint64_t n_frame; const char *stage, *words; };

/* --- Reading ---------------------------------------------------------------------------------------------------------- */

struct fa_reader;
/* Reads from fd (0 for stdin), which stays the caller's. Nothing is read yet. Input that is a terminal: FA_E_ARG; a directory:
 * FA_E_INPUT. name is for messages ("-": standard input). */
int fa_reader_open(struct fa_reader **r, int fd, const char *name, struct fa_err *e);
void fa_reader_close(struct fa_reader *r);
/* Next record: FA_OK; FA_EOF at the end of input, which is only an end right after an END record (or at once: empty input is
 * FA_E_TRUNC "empty input"); FA_E_TRUNC when the input stops inside a record or before END; FA_E_FORMAT (garbage, check differs,
 * length beyond a limit, record out of order); FA_E_VERSION; FA_E_IO; FA_E_MEM. The text says input, clip and frame. After an
 * error the reader is done: it returns the same again. */
int fa_reader_next(struct fa_reader *r, struct fa_rec *rec, struct fa_err *e);
/* From now on, while the reader waits for input it looks after the one who reads what w writes: when that is gone fa_reader_next fails
 * with FA_E_PIPE, when it takes no references with FA_E_ARG. fa_stage_run does this. w NULL: no more. */
struct fa_writer;
void fa_reader_watch(struct fa_reader *r, struct fa_writer *w);
/* Decoders check every count and size against rec->len. FA_OK or FA_E_FORMAT ("clip 0: frame 7: LANDMARKS record: ..."). */
int fa_get_clip(struct fa_clip *c, const struct fa_rec *rec, struct fa_err *e);
int fa_get_frame(struct fa_frame *f, const struct fa_rec *rec, struct fa_err *e);
int fa_get_faces(struct fa_faces *f, const struct fa_rec *rec, struct fa_err *e);
int fa_get_marks(struct fa_marks *m, const struct fa_rec *rec, struct fa_err *e);
int fa_get_crop(struct fa_crop *c, const struct fa_rec *rec, struct fa_err *e);
int fa_get_aus(struct fa_aus *a, const struct fa_rec *rec, struct fa_err *e);
int fa_get_end(struct fa_end *end, const struct fa_rec *rec, struct fa_err *e);
/* Decodes a record of whatever type only to see that it is sound; unknown types are. FA_OK or FA_E_FORMAT. */
int fa_rec_check(const struct fa_rec *rec, struct fa_err *e);

/* --- Writing ---------------------------------------------------------------------------------------------------------- */

struct fa_writer;
/* Writes to fd, which stays the caller's. level: 0 plain, 1..19 zstd. A terminal, another level: FA_E_ARG. */
int fa_writer_open(struct fa_writer **w, int fd, int level, struct fa_err *e);
/* Flushes (and ends the zstd frame), checked; frees w in any case. After a failed put: that failure again. */
int fa_writer_close(struct fa_writer *w, struct fa_err *e);
/* FRAME records written since the last CLIP: what END's n_frame should say. */
uint64_t fa_writer_frames(const struct fa_writer *w);
/* All puts: FA_OK, FA_E_IO, FA_E_PIPE, FA_E_MEM, and FA_E_ARG for what no reader would accept (a count or text beyond its
 * limit, a frame without its pixels). A record is in the kernel's hands when its put returns; only zstd into a regular file
 * holds data back. Nothing is copied: arrays and pixels go out from where they are. Strings may be NULL for "". clip, frame
 * and face numbers as in the header. After a failure to write, every later put fails alike. */
int fa_put_rec(struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e);     /* passes a record on */
int fa_put_clip(struct fa_writer *w, uint32_t clip, const struct fa_clip *c, struct fa_err *e);
/* As read, with one provenance line (no newline) appended: what every stage does with CLIP. Also FA_E_FORMAT. */
int fa_put_clip_line(struct fa_writer *w, const struct fa_rec *rec, const char *line, struct fa_err *e);
int fa_put_frame(struct fa_writer *w, uint32_t clip, uint64_t frame, const struct fa_frame *f, struct fa_err *e);
int fa_put_faces(struct fa_writer *w, uint32_t clip, uint64_t frame, const struct fa_faces *f, struct fa_err *e);
int fa_put_marks(struct fa_writer *w, uint32_t clip, uint64_t frame, int32_t face, const struct fa_marks *m, struct fa_err *e);
int fa_put_crop(struct fa_writer *w, uint32_t clip, uint64_t frame, int32_t face, const struct fa_crop *c, struct fa_err *e);
int fa_put_aus(struct fa_writer *w, uint32_t clip, uint64_t frame, int32_t face, const struct fa_aus *a, struct fa_err *e);
int fa_put_end(struct fa_writer *w, uint32_t clip, const struct fa_end *end, struct fa_err *e);

/* --- The frame of every filter stage ------------------------------------------------------------------------------------
 * Loop shared by fa-detect, fa-landmarks, fa-aus: reads records, hands each to the stage, passes unknown types on, and ends every
 * clip with an END that carries the first failure's status, stage and words.
 *
 * - Upstream's END is passed on as it is, whatever its status; clip_end runs before it.
 * - Broken input: clip_end, then an END of our own (status 1 or what the reader's code says, words = the reader's text) after
 *   what was whole; reading stops.
 * - A callback fails: an END of our own with fa_err_status(code) and its words, the clip's name in front; reading stops. (The
 *   CLIP is passed on first if the callback failed on it; what fa_writer_hold holds goes out.) clip_end is not called.
 * - FA_E_PIPE: nothing more can be written; status 3.
 *
 * Returns the exit status: the worst END status seen or made. e is filled (code < 0) when the failure was made here, to be
 * printed once with fa_error_status(&e); its code is FA_OK when a failure was only passed on. */
struct fa_stage {
    const char *program;                                   /* for END */
    void *self;
    /* Called for each record of known type except END; must pass on what it wants kept (fa_put_rec or own records). */
    int (*record)(void *self, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e);
    /* Before END of a clip is passed on (may be NULL): flush what is held back. end: as it will be written. */
    int (*clip_end)(void *self, struct fa_writer *w, uint32_t clip, const struct fa_end *end, struct fa_err *e);
};
int fa_stage_run(const struct fa_stage *s, struct fa_reader *r, struct fa_writer *w, struct fa_err *e);
/* The whole outside of a filter program: opens in and out (NULL or "-": standard input, output), runs the loop, closes all, checked.
 * An output file takes its name only at status 0; else what there is stays as "out.partial". level as in fa_writer_open. Returns the
 * exit status; e->code < 0 when there is something to print (fa_error_status). */
int fa_stage_files(const struct fa_stage *s, const char *in, const char *out, int level, struct fa_err *e);

#endif
