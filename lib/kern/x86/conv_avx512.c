/* SPDX-License-Identifier: BSD-2-Clause
 * The convolution for AVX-512: up to 8 pixels x 32 channels, 16 chains. Pooling and sampling gain nothing from wider
 * vectors (their runs are short) and stay those of AVX2. */
#include "fa_kern_conv.h"

#if defined(__x86_64__) && !defined(FA_NO_SIMD)
#include <immintrin.h>
#include <stddef.h>

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif
#define INLINE static inline __attribute__((always_inline))

enum { L = FA_CONV_LANES, MAX_P = 8 };

struct block { const float *w, *bias, *slope; ptrdiff_t next; int n_out, valid; };

/* P pixels x V blocks of 16 channels; the second block's weights lie b.next floats behind the first's. */
INLINE void conv_block(float *out, const float *const *rows, int n_row, int run, ptrdiff_t at, ptrdiff_t step, struct block b,
                       const int P, const int V)
{
    __m512 sum[MAX_P][2], chain[MAX_P][2];
    UNROLL for (int p = 0; p < P; p++)
        UNROLL for (int v = 0; v < V; v++) {
            sum[p][v] = _mm512_load_ps(b.bias + L * v);
            chain[p][v] = _mm512_setzero_ps();
        }
    const float *w = b.w;
    for (int r = 0; r < n_row; r++) {
        const float *a = rows[r] + at, *c = a + 3 * step, *d = c + 3 * step, *end = a + run;
        for (; a < end; a++, c++, d++, w += L) {
            __m512 w0 = _mm512_load_ps(w), w1 = V > 1 ? _mm512_load_ps(w + b.next) : w0;
            UNROLL for (int p = 0; p < P; p++) {
                __m512 x = _mm512_set1_ps(*(p < 3 ? a + p * step : p < 6 ? c + (p - 3) * step : d + (p - 6) * step));
                chain[p][0] = _mm512_fmadd_ps(x, w0, chain[p][0]);
                if (V > 1)
                    chain[p][1] = _mm512_fmadd_ps(x, w1, chain[p][1]);
            }
        }
        if (run < FA_CONV_SPLIT && r + 1 < n_row)
            continue;
        UNROLL for (int p = 0; p < P; p++)
            UNROLL for (int v = 0; v < V; v++) {
                sum[p][v] = _mm512_add_ps(sum[p][v], chain[p][v]);
                chain[p][v] = _mm512_setzero_ps();
            }
    }
    UNROLL for (int p = 0; p < P; p++)
        UNROLL for (int v = 0; v < V; v++) {
            __m512 a = sum[p][v];
            __mmask16 neg = _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_NGE_UQ);
            a = _mm512_mask_mul_ps(a, neg, a, _mm512_load_ps(b.slope + L * v));
            int valid = b.valid - L * v;
            _mm512_mask_storeu_ps(out + p * b.n_out + L * v, valid >= L ? 0xffff : (__mmask16)((1u << valid) - 1), a);
        }
}

#define CASES(V) \
    case 1: conv_block(out, rows, n_row, run, at, step, b, 1, V); break; \
    case 2: conv_block(out, rows, n_row, run, at, step, b, 2, V); break; \
    case 3: conv_block(out, rows, n_row, run, at, step, b, 3, V); break; \
    case 4: conv_block(out, rows, n_row, run, at, step, b, 4, V); break; \
    case 5: conv_block(out, rows, n_row, run, at, step, b, 5, V); break; \
    case 6: conv_block(out, rows, n_row, run, at, step, b, 6, V); break; \
    case 7: conv_block(out, rows, n_row, run, at, step, b, 7, V); break; \
    case 8: conv_block(out, rows, n_row, run, at, step, b, 8, V); break;

static void conv_pixels_1(float *out, const float *const *rows, int n_row, int run, ptrdiff_t at, ptrdiff_t step, struct block b, int n)
{
    switch (n) { CASES(1) }
}

static void conv_pixels_2(float *out, const float *const *rows, int n_row, int run, ptrdiff_t at, ptrdiff_t step, struct block b, int n)
{
    switch (n) { CASES(2) }
}

static void conv_row_avx512(float *restrict out, const float *const *rows, int n_row, int run, int step, const struct fa_conv_weights *w, int n)
{
    int groups = (n + MAX_P - 1) / MAX_P, wide;
    for (int o = 0; o < w->n_out; o += wide ? 2 * L : L) {
        wide = w->n_out - o > L;
        struct block b = { w->w + (size_t)o * w->n_tap, w->bias + o, w->slope + o, (ptrdiff_t)w->n_tap * L, w->n_out, w->n_out - o };
        for (int g = 0, p = 0; g < groups; g++) {
            int k = (n - p + groups - g - 1) / (groups - g);
            float *dst = out + (ptrdiff_t)p * w->n_out + o;
            (wide ? conv_pixels_2 : conv_pixels_1)(dst, rows, n_row, run, (ptrdiff_t)p * step, step, b, k);
            p += k;
        }
    }
}

static void pool_row_avx512(float *restrict out, const float *const *rows, int n_row, int w_in, int kx, int sx, int n, int c)
{
    fa_kern_conv_avx2.pool_row(out, rows, n_row, w_in, kx, sx, n, c);
}

static void sample_row_avx512(float *restrict out, const unsigned char *r0, const unsigned char *r1, float v0, float v1,
                              const struct fa_sample_cols *cols)
{
    fa_kern_conv_avx2.sample_row(out, r0, r1, v0, v1, cols);
}

const struct fa_kern_conv fa_kern_conv_avx512 = { conv_row_avx512, pool_row_avx512, sample_row_avx512 };
#else
typedef int fa_kern_conv_avx512_unused;
#endif
