/* SPDX-License-Identifier: BSD-2-Clause
 * Files: whole-file reads, complete writes, and outputs that take their final name only when complete. */
#ifndef FA_FILE_H
#define FA_FILE_H

#include <stddef.h>
#include <stdio.h>
#include "fa_err.h"

/* The whole file, read-only mapped; len may be 0 (data then is a valid empty string). FA_OK, FA_E_INPUT (cannot be opened,
 * not a regular file), FA_E_IO. */
struct fa_map { const unsigned char *data; size_t len; };
int fa_map_open(struct fa_map *m, const char *path, struct fa_err *e);
void fa_map_close(struct fa_map *m);

/* Reads or writes exactly len bytes, through signals and short counts. Read: number of bytes before the end of file, or
 * FA_E_IO. Write: FA_OK, FA_E_IO or FA_E_PIPE. */
long long fa_read_full(int fd, void *buf, size_t len);
int fa_write_full(int fd, const void *buf, size_t len, struct fa_err *e);

/* An output under construction: written beside its final name, renamed by fa_out_commit after fsync. path "-" or NULL is
 * standard output (no renaming); a device or a named pipe is written in place. On fa_out_abandon with keep the file stays as
 * "path.partial", else it is removed. */
struct fa_out { FILE *f; char *path; char *tmp; };
int fa_out_open(struct fa_out *o, const char *path, struct fa_err *e);
int fa_out_commit(struct fa_out *o, struct fa_err *e);
void fa_out_abandon(struct fa_out *o, int keep);

/* mkdir -p. */
int fa_mkdirs(const char *path, struct fa_err *e);
/* "dir/name" of a path into fresh memory (free): directory part of path (without the slash; "." if none) + "/" + name. NULL: memory. */
char *fa_path_beside(const char *path, const char *name);
/* An unlinked temporary file in $TMPDIR (else /tmp), open for reading and writing; -1 on failure (e filled). */
int fa_tmpfile(struct fa_err *e);

#endif
