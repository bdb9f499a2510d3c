/* SPDX-License-Identifier: BSD-2-Clause
 * SHA-256 of a block of memory as 64 hexadecimal digits and a NUL. */
#ifndef FA_SHA256_INTERNAL_H
#define FA_SHA256_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

void fa_sha256_hex(char hex[65], const void *data, size_t len);

#endif
