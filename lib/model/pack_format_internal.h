/* SPDX-License-Identifier: BSD-2-Clause
 * Byte layout of a pack (man/fa-model.5), shared by reader and builder.
 * Header, 64 bytes: 0 magic "FAMODEL\n", 8 u32 version, 12 u32 entries, 16 u64 file length, 24 u64 XXH3-64 of the table,
 * 32 u64 XXH3-64 of everything after the table's end, 40 zeros to 56, 56 u64 XXH3-64 of bytes 0..55.
 * Entry, 128 bytes: 0 name (64 bytes, NUL-padded), 64 u32 dtype, 68 u32 ndim, 72 4 x u32 dim, 88 u64 offset from the file's
 * start, 96 u64 bytes, 104 zeros. Entries ascend by name (strcmp). */
#ifndef FA_PACK_FORMAT_INTERNAL_H
#define FA_PACK_FORMAT_INTERNAL_H
enum { PACK_HEADER = 64, PACK_ENTRY = 128, PACK_ALIGN = 64, PACK_MAX_ENTRIES = 1 << 20 };
#define PACK_MAGIC "FAMODEL\n"
#define PACK_WIDENED "meta/widened-from"         /* u8 [8]: hash of the pack that held it as float16 */

struct fa_pack;
struct fa_err;
/* widen.c: a mapped pack that holds float16 becomes one in memory that does not; any other is left alone. FA_OK, FA_E_MODEL (damaged
 * data), FA_E_MEM; on failure p is as it was. */
int fa_pack_widen(struct fa_pack *p, struct fa_err *e);
#endif
