/* SPDX-License-Identifier: BSD-2-Clause
 * Network kernels for AVX2 with FMA. A convolution block is up to 6 pixels x 16 channels: 12 chains stay in registers while
 * the taps run; each step loads two weight vectors and broadcasts one float a pixel. Lanes hold outputs, so every sum
 * runs in the twin's order. */
#include "fa_kern_conv.h"

#if defined(__x86_64__) && !defined(FA_NO_SIMD)
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif
#define INLINE static inline __attribute__((always_inline))

enum { L = FA_CONV_LANES, MAX_P = 6 };

/* All ones in the first n of 8 lanes. */
INLINE __m256i first_lanes(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

struct block { const float *w, *bias, *slope; int n_out, valid; };

/* P pixels x V vectors of 8 channels. Chains run in registers and are added to the sums, which live on the stack. Pixels p and
 * p+3 share a base pointer, which keeps the addresses in few registers. */
INLINE void conv_block(float *out, const float *const *rows, int n_row, int run, ptrdiff_t at, ptrdiff_t step, struct block b,
                       const int P, const int V)
{
    __m256 sum[MAX_P][2], chain[MAX_P][2];
    UNROLL for (int p = 0; p < P; p++)
        UNROLL for (int v = 0; v < V; v++) {
            sum[p][v] = _mm256_load_ps(b.bias + 8 * v);
            chain[p][v] = _mm256_setzero_ps();
        }
    const float *w = b.w;
    for (int r = 0; r < n_row; r++) {
        const float *lo = rows[r] + at, *hi = lo + 3 * step, *end = lo + run;
        for (; lo < end; lo++, hi++, w += L) {
            __m256 w0 = _mm256_load_ps(w), w1 = V > 1 ? _mm256_load_ps(w + 8) : w0;
            UNROLL for (int p = 0; p < P; p++) {
                __m256 x = _mm256_broadcast_ss(p < 3 ? lo + p * step : hi + (p - 3) * step);
                chain[p][0] = _mm256_fmadd_ps(x, w0, chain[p][0]);
                if (V > 1)
                    chain[p][1] = _mm256_fmadd_ps(x, w1, chain[p][1]);
            }
        }
        if (run < FA_CONV_SPLIT && r + 1 < n_row)
            continue;
        UNROLL for (int p = 0; p < P; p++)
            UNROLL for (int v = 0; v < V; v++) {
                sum[p][v] = _mm256_add_ps(sum[p][v], chain[p][v]);
                chain[p][v] = _mm256_setzero_ps();
            }
    }
    UNROLL for (int p = 0; p < P; p++)
        UNROLL for (int v = 0; v < V; v++) {
            __m256 a = sum[p][v], neg = _mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_NGE_UQ);
            a = _mm256_blendv_ps(a, _mm256_mul_ps(a, _mm256_load_ps(b.slope + 8 * v)), neg);
            float *dst = out + p * b.n_out + 8 * v;
            if (b.valid >= 8 * v + 8)
                _mm256_storeu_ps(dst, a);
            else
                _mm256_maskstore_ps(dst, first_lanes(b.valid - 8 * v), a);
        }
}

#define CASES(V) \
    case 1: conv_block(out, rows, n_row, run, at, step, b, 1, V); break; \
    case 2: conv_block(out, rows, n_row, run, at, step, b, 2, V); break; \
    case 3: conv_block(out, rows, n_row, run, at, step, b, 3, V); break; \
    case 4: conv_block(out, rows, n_row, run, at, step, b, 4, V); break; \
    case 5: conv_block(out, rows, n_row, run, at, step, b, 5, V); break; \
    case 6: conv_block(out, rows, n_row, run, at, step, b, 6, V); break;

static void conv_pixels_1(float *out, const float *const *rows, int n_row, int run, ptrdiff_t at, ptrdiff_t step, struct block b, int n)
{
    switch (n) { CASES(1) }
}

static void conv_pixels_2(float *out, const float *const *rows, int n_row, int run, ptrdiff_t at, ptrdiff_t step, struct block b, int n)
{
    switch (n) { CASES(2) }
}

static void conv_row_avx2(float *restrict out, const float *const *rows, int n_row, int run, int step, const struct fa_conv_weights *w, int n)
{
    int groups = (n + MAX_P - 1) / MAX_P;             /* of nearly equal size: 8 pixels are 4 + 4, not 6 + 2 */
    for (int o = 0; o < w->n_out; o += L) {
        struct block b = { w->w + (size_t)o * w->n_tap, w->bias + o, w->slope + o, w->n_out, w->n_out - o };
        for (int g = 0, p = 0; g < groups; g++) {
            int k = (n - p + groups - g - 1) / (groups - g);
            float *dst = out + (ptrdiff_t)p * w->n_out + o;
            (b.valid > 8 ? conv_pixels_2 : conv_pixels_1)(dst, rows, n_row, run, (ptrdiff_t)p * step, step, b, k);
            p += k;
        }
    }
}

INLINE __m256 max_window(const float *const *rows, int n_row, ptrdiff_t first, ptrdiff_t last, int c)
{
    __m256 m = _mm256_loadu_ps(rows[0] + first);
    for (int r = 0; r < n_row; r++)
        for (ptrdiff_t x = first; x < last; x += c)
            m = _mm256_max_ps(_mm256_loadu_ps(rows[r] + x), m);
    return m;
}

static void pool_row_avx2(float *restrict out, const float *const *rows, int n_row, int w_in, int kx, int sx, int n, int c)
{
    if (c < 8) {
        fa_kern_conv_c.pool_row(out, rows, n_row, w_in, kx, sx, n, c);
        return;
    }
    for (int p = 0; p < n; p++) {
        int x0 = p * sx, x1 = x0 + kx < w_in ? x0 + kx : w_in;
        for (int k = 0; k < c; k += 8) {
            int at = k + 8 <= c ? k : c - 8;          /* the last vector overlaps the one before: same values twice */
            _mm256_storeu_ps(out + (ptrdiff_t)p * c + at, max_window(rows, n_row, (ptrdiff_t)x0 * c + at, (ptrdiff_t)x1 * c + at, c));
        }
    }
}

/* Three bytes at s as B, G, R, -; reads four where the buffer allows it. */
INLINE __m128 load_bgr(const unsigned char *row, int x, int end)
{
    int32_t v;
    if (x + 4 <= end)
        memcpy(&v, row + x, 4);
    else
        v = row[x] | row[x + 1] << 8 | row[x + 2] << 16;
    return _mm_cvtepi32_ps(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(v)));
}

static void sample_row_avx2(float *restrict out, const unsigned char *r0, const unsigned char *r1, float v0, float v1,
                            const struct fa_sample_cols *cols)
{
    __m128 vv0 = _mm_set1_ps(v0), vv1 = _mm_set1_ps(v1);
    for (int p = 0; p < cols->n; p++, out += 3) {
        int x0 = cols->x0[p], x1 = cols->x1[p], end = cols->end;
        __m128 w0 = _mm_broadcast_ss(cols->w0 + p), w1 = _mm_broadcast_ss(cols->w1 + p);
        __m128 top = _mm_add_ps(_mm_mul_ps(load_bgr(r0, x0, end), w0), _mm_mul_ps(load_bgr(r0, x1, end), w1));
        __m128 bottom = _mm_add_ps(_mm_mul_ps(load_bgr(r1, x0, end), w0), _mm_mul_ps(load_bgr(r1, x1, end), w1));
        __m128 u = _mm_add_ps(_mm_mul_ps(top, vv0), _mm_mul_ps(bottom, vv1));
        u = _mm_sub_ps(_mm_mul_ps(u, _mm_set1_ps(0.0078125f)), _mm_set1_ps(0.99609375f));
        u = _mm_shuffle_ps(u, u, _MM_SHUFFLE(3, 0, 1, 2));
        if (p + 1 < cols->n) {
            _mm_storeu_ps(out, u);                    /* the fourth lane is overwritten by the next pixel */
        } else {
            _mm_storel_pi((__m64 *)out, u);
            _mm_store_ss(out + 2, _mm_movehl_ps(u, u));
        }
    }
}

const struct fa_kern_conv fa_kern_conv_avx2 = { conv_row_avx2, pool_row_avx2, sample_row_avx2 };
#else
typedef int fa_kern_conv_avx2_unused;
#endif
