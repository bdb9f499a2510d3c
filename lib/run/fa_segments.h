/* SPDX-License-Identifier: BSD-2-Clause
 * One long clip in segments: the rule by which it is cut, and how the landmark streams of the segments become one again.
 *
 * The rule knows the clip and the length of a segment, nothing else. A clip of D seconds (as its container says) has
 * n = max(1, D / length, rounded) segments. Frame with presentation time p (seconds since the file's start) belongs to segment
 * floor(p / length), at least 0 and at most n - 1. Each segment but the first is tracked from 2 seconds before its begin, so that the
 * face is found and followed when its own frames come; what was measured before is thrown away. */
#ifndef FA_SEGMENTS_H
#define FA_SEGMENTS_H

#include <stdint.h>
#include "fa_err.h"

struct fa_reader;
struct fa_writer;

enum { FA_SEGMENT_WARM_UP = 2, FA_SEGMENT_SHORTEST = 2 * FA_SEGMENT_WARM_UP /* seconds */, FA_SEGMENT_MAX = 100000 };

/* "60", "60s", "1.5m", "1h" in milliseconds; -1: no length from 4 to 1,000,000 seconds. */
long fa_segment_length(const char *text);
int fa_segments_count(double seconds, long length_ms);
/* What fa-decode is asked for segment k of n: --start (0: none) and --duration (0: none, to the end), seconds. They reach a little
 * beyond the segment, since the joiner decides by exact times what belongs to it. */
void fa_segment_span(int k, int n, long length_ms, double *start, double *duration);
/* The segment that a time of pts ticks, of tb_num / tb_den seconds each, belongs to. */
int fa_segment_of(int64_t pts, int64_t tb_num, int64_t tb_den, long length_ms, int n);

struct fa_join;
/* Segments k = 0 .. n - 1 are taken in order, and make one clip as fa-landmarks would have made it: frames numbered through, times
 * counted from the clip's first frame, CLIP of the first segment with a line of provenance more, and one END, with the status of the
 * first segment that failed. w must outlive it. FA_OK, FA_E_MEM. */
int fa_join_open(struct fa_join **j, struct fa_writer *w, long length_ms, int n, struct fa_err *e);
/* The next segment's stream, of one clip. A segment without frames is no failure unless it is the only one. FA_OK; the reader's errors;
 * FA_E_FORMAT (another clip than the first segment's, frames without presentation times, or in pixels). */
int fa_join_segment(struct fa_join *j, struct fa_reader *r, struct fa_err *e);
/* After the last, or after a failure (then failure says why): writes END. Returns the status that it carries. */
int fa_join_close(struct fa_join *j, const struct fa_err *failure, struct fa_err *e);

#endif
