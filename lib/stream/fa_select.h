/* SPDX-License-Identifier: BSD-2-Clause
 * A choice of records by frame and type, and the smaller stream that it makes of a stream. */
#ifndef FA_SELECT_H
#define FA_SELECT_H

#include "fa_stream.h"

/* A type's place in masks and tables: its number, or FA_SELECT_OTHER for a type we do not know. */
enum { FA_SELECT_OTHER = 0, FA_SELECT_TYPES = FA_REC_END + 1 };
int fa_select_type(const struct fa_rec *rec);
/* "CLIP" .. "END", "other". */
const char *fa_select_name(int type);
/* The place of a name (any case); -1: no such type. */
int fa_select_find(const char *name);

/* Frames first..last (records of the clip itself have none and stay in), types as a mask 1 << place. */
struct fa_select { uint64_t first, last; unsigned types; };
static const struct fa_select FA_SELECT_ALL = { 0, UINT64_MAX, ~0u };
/* Takes "A-B", "A", "A-" or "-B" (frames from 1) into sel. FA_OK or FA_E_ARG. */
int fa_select_range(struct fa_select *sel, const char *text, struct fa_err *e);
int fa_select_has(const struct fa_select *sel, const struct fa_rec *rec);
/* Writes rec if the smaller stream has it. That is a whole stream again, so CLIP (with line as further provenance), the chosen
 * FRAMEs and END (with its own count) are always there; FRAMEs that no type asks for lose their pixels. Codes as the puts,
 * and FA_E_FORMAT. */
int fa_select_put(const struct fa_select *sel, struct fa_writer *w, const struct fa_rec *rec, const char *line, struct fa_err *e);

#endif
