/* SPDX-License-Identifier: BSD-2-Clause
 * Little-endian numbers at any address. Compilers turn these into plain loads and stores on little-endian machines. */
#ifndef FA_LE_H
#define FA_LE_H

#include <stdint.h>
#include <string.h>

static inline uint16_t fa_le_u16(const void *p) { const uint8_t *b = p; return (uint16_t)(b[0] | b[1] << 8); }
static inline uint32_t fa_le_u32(const void *p)
{
    const uint8_t *b = p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}
static inline uint64_t fa_le_u64(const void *p)
{
    return (uint64_t)fa_le_u32(p) | (uint64_t)fa_le_u32((const uint8_t *)p + 4) << 32;
}
static inline int32_t fa_le_i32(const void *p) { return (int32_t)fa_le_u32(p); }
static inline float fa_le_f32(const void *p) { uint32_t u = fa_le_u32(p); float f; memcpy(&f, &u, 4); return f; }
static inline double fa_le_f64(const void *p) { uint64_t u = fa_le_u64(p); double f; memcpy(&f, &u, 8); return f; }

static inline void fa_put_u16(void *p, uint16_t v) { uint8_t *b = p; b[0] = (uint8_t)v; b[1] = (uint8_t)(v >> 8); }
static inline void fa_put_u32(void *p, uint32_t v)
{
    uint8_t *b = p;
    b[0] = (uint8_t)v; b[1] = (uint8_t)(v >> 8); b[2] = (uint8_t)(v >> 16); b[3] = (uint8_t)(v >> 24);
}
static inline void fa_put_u64(void *p, uint64_t v)
{
    fa_put_u32(p, (uint32_t)v);
    fa_put_u32((uint8_t *)p + 4, (uint32_t)(v >> 32));
}
static inline void fa_put_f32(void *p, float f) { uint32_t u; memcpy(&u, &f, 4); fa_put_u32(p, u); }
static inline void fa_put_f64(void *p, double f) { uint64_t u; memcpy(&u, &f, 8); fa_put_u64(p, u); }

#endif
