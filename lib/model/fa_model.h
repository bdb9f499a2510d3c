/* SPDX-License-Identifier: BSD-2-Clause
 * The pack: one file of named tensors that is mapped, not parsed (format and tensor names: man/fa-model.5).
 *
 *      header 64 B | table: n entries of 128 B, sorted by name | 64-byte aligned tensors ...
 *
 * Opening checks magic, version, sizes, the table's checksum and that every tensor lies inside the file; the data's
 * checksum is checked by fa_pack_verify only, so that opening costs no pass over the weights. */
#ifndef FA_MODEL_H
#define FA_MODEL_H

#include <stddef.h>
#include <stdint.h>
#include "fa_err.h"
#include "fa_file.h"

enum { FA_PACK_VERSION = 1, FA_TENSOR_DIMS = 4, FA_TENSOR_NAME = 64 };
/* FA_H32 and FA_H64: float16 in a file; programs never see them, as opening turns them into FA_F32 and FA_F64. */
enum fa_dtype { FA_U8 = 0, FA_I32 = 4, FA_F32 = 5, FA_F64 = 6, FA_H32 = 16, FA_H64 = 17 };

/* A tensor inside a pack: row-major, 64-byte aligned, read-only; lives as long as the pack. */
struct fa_tensor { enum fa_dtype type; int ndim; int dim[FA_TENSOR_DIMS]; size_t n; const void *data; };

struct fa_pack {
    const unsigned char *base; size_t len;       /* the mapped bytes */
    int n; const unsigned char *table;
    uint64_t hash;                               /* XXH3-64 of table and data: the pack's identity */
    struct fa_map map; void *owned;              /* how base is held: one of them */
    char from[400];                              /* in words, for -v: a file's path, a staged image's, or "memory" */
};

/* Maps a pack file; one with float16 in it is checked in full and turned into memory of its own, which keeps the file's hash.
 * FA_E_MODEL (missing, not a pack, cut short, of a future version), FA_E_IO, FA_E_MEM. */
int fa_pack_open(struct fa_pack *p, const char *path, struct fa_err *e);
/* A pack in memory of the caller's (checked as above); owned != NULL is freed by fa_pack_close. */
int fa_pack_open_mem(struct fa_pack *p, const void *base, size_t len, void *owned, struct fa_err *e);
void fa_pack_close(struct fa_pack *p);
/* Checks the checksum over all tensor data: FA_OK or FA_E_MODEL. */
int fa_pack_verify(const struct fa_pack *p, struct fa_err *e);
/* The hash of a pack file from its first 64 bytes, which are checked; no tensor and no table is read. Errors as fa_pack_open. */
int fa_pack_peek(uint64_t *hash, const char *path, struct fa_err *e);
/* Writes the pack as a file that has its name only when complete; path "-": standard output. FA_OK, FA_E_IO, FA_E_PIPE. */
int fa_pack_save(const struct fa_pack *p, const char *path, struct fa_err *e);
/* Entry i of the table, 0 <= i < p->n; name points into the pack. */
void fa_pack_entry(const struct fa_pack *p, int i, const char **name, struct fa_tensor *t);

/* Finds a tensor; the name is printf-formatted. 1 found, 0 not. */
int fa_pack_find(const struct fa_pack *p, struct fa_tensor *t, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The data of a tensor that must be there with this type and these dimensions (ndim of them; -1 matches any size, which is
 * then stored into dim). NULL and FA_E_MODEL in e otherwise. */
const void *fa_pack_need(const struct fa_pack *p, struct fa_err *e, enum fa_dtype type, int ndim, int *dim, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* Builder: add tensors in any order, then finish into one block of memory (which fa_pack_open_mem takes) or a file. */
struct fa_pack_builder { struct fa_pack_item *item; int n, cap; int failed; };
void fa_pack_begin(struct fa_pack_builder *b);
/* Copies data. Errors (memory, double or overlong name, dimensions < 0) surface at finish. */
void fa_pack_add(struct fa_pack_builder *b, enum fa_dtype type, int ndim, const int *dim, const void *data, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* The same without a copy: room for the data, zeros, which the caller fills before it finishes. NULL when there is no memory. */
void *fa_pack_add_room(struct fa_pack_builder *b, enum fa_dtype type, int ndim, const int *dim, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void fa_pack_add_text(struct fa_pack_builder *b, const char *text, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The pack as one malloc'd, 64-byte aligned block; frees the builder. NULL and e filled on failure. */
void *fa_pack_finish(struct fa_pack_builder *b, size_t *len, struct fa_err *e);
void fa_pack_discard(struct fa_pack_builder *b);

size_t fa_dtype_size(enum fa_dtype type);

#endif
