/* SPDX-License-Identifier: BSD-2-Clause
 * Point distribution model kernels: every SIMD variant gives the bits of the plain C twin, on all sizes that models have and
 * some that none has, on misaligned data, and writes nothing outside. */
#include "fa_kern_pdm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fa_kern.h"
#include "fa_test.h"

enum { GUARD = 32 };

static const struct fa_kern_pdm *variant;          /* under test */

/* An output of n floats, off floats from alignment, with guards on both sides. */
struct out { float *raw, *p; size_t n; int off; };
static struct out out_new(size_t n, int off)
{
    struct out o = { aligned_alloc(64, ((n + 2 * GUARD + 16) * 4 + 63) / 64 * 64), NULL, n, off };
    if (!o.raw)
        abort();
    memset(o.raw, 0xa5, (n + 2 * GUARD + 16) * 4);
    o.p = o.raw + GUARD + off;
    return o;
}
static void out_check(const char *why, struct out *got, struct out *want)
{
    check_f32_bits(why, got->p, want->p, got->n);
    for (int i = 0; i < GUARD; i++) {
        uint32_t a, b;
        memcpy(&a, got->p - 1 - i, 4);
        memcpy(&b, got->p + got->n + i, 4);
        check_int("guard before", a, 0xa5a5a5a5u);
        check_int("guard after", b, 0xa5a5a5a5u);
    }
    free(got->raw);
    free(want->raw);
}
static struct out in_new(size_t n, int off, float scale, uint64_t *seed)
{
    struct out o = out_new(n, off);
    for (size_t i = 0; i < n; i++)
        o.p[i] = scale * test_randf(seed);
    return o;
}
/* Planes of n points in np floats with zero padding. */
static struct out planes_new(int n, int np, int planes, int off, float scale, uint64_t *seed)
{
    struct out o = in_new((size_t)np * (size_t)planes, off, scale, seed);
    for (int k = 0; k < planes; k++)
        memset(o.p + k * np + n, 0, (size_t)(np - n) * 4);
    return o;
}

static const struct { int n, m; } sizes[] = { { 1, 1 }, { 6, 10 }, { 16, 3 }, { 28, 10 }, { 33, 7 }, { 51, 32 }, { 68, 34 }, { 80, 48 }, { 90, 5 } };
#define FOR_SIZES(i) for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)

static void random_rotation(float r[9], uint64_t *seed)
{
    for (int i = 0; i < 9; i++)
        r[i] = test_randf(seed);
}

static void shapes_equal_twin(void)
{
    uint64_t seed = 11;
    FOR_SIZES(t)
        for (int off = 0; off < 4; off++) {
            const int n = sizes[t].n, np = (n + 15) / 16 * 16, m = sizes[t].m, len = 3 * np;
            struct out mean = planes_new(n, np, 3, off, 80, &seed), modes = planes_new(n, np, 3 * m, off, 0.3f, &seed);
            struct out q = in_new((size_t)m, off, 30, &seed);
            struct out a = out_new((size_t)len, off), b = out_new((size_t)len, off);
            float r[9];
            random_rotation(r, &seed);
            variant->shape3d(a.p, mean.p, modes.p, q.p, m, len);
            fa_kern_pdm_c.shape3d(b.p, mean.p, modes.p, q.p, m, len);
            struct out pa = out_new((size_t)(2 * np), off), pb = out_new((size_t)(2 * np), off);
            variant->project(pa.p, b.p, r, 1.37f, 320.25f, 240.5f, np);
            fa_kern_pdm_c.project(pb.p, b.p, r, 1.37f, 320.25f, 240.5f, np);
            out_check("shape3d", &a, &b);
            out_check("project", &pa, &pb);
            free(mean.raw), free(modes.raw), free(q.raw);
        }
}

static void residual_equals_twin(void)
{
    uint64_t seed = 12;
    FOR_SIZES(t)
        for (int off = 0; off < 4; off++) {
            const int n = sizes[t].n, np = (n + 15) / 16 * 16;
            struct out x3 = planes_new(n, np, 3, off, 80, &seed), xy = in_new((size_t)(2 * np), off, 300, &seed);
            struct out a = out_new((size_t)(2 * np), off), b = out_new((size_t)(2 * np), off);
            float r[9];
            random_rotation(r, &seed);
            const double sa = variant->residual(a.p, xy.p, x3.p, r, 1.37f, 20.25f, -40.5f, n, np);
            const double sb = fa_kern_pdm_c.residual(b.p, xy.p, x3.p, r, 1.37f, 20.25f, -40.5f, n, np);
            check_bytes("sum of squares", &sa, &sb, sizeof sa);
            for (int i = n; i < np; i++)
                CHECK(b.p[i] == 0 && b.p[np + i] == 0);
            out_check("residual", &a, &b);
            free(x3.raw), free(xy.raw);
        }
}

static void jacobian_equals_twin(void)
{
    uint64_t seed = 13;
    FOR_SIZES(t)
        for (int rigid = 0; rigid < 2; rigid++) {
            const int n = sizes[t].n, np = (n + 15) / 16 * 16, m = rigid ? 0 : sizes[t].m, off = rigid;
            struct out x3 = planes_new(n, np, 3, off, 80, &seed), modes = planes_new(n, np, 3 * m, off, 0.3f, &seed);
            struct out a = out_new((size_t)((6 + m) * 2 * np), off), b = out_new((size_t)((6 + m) * 2 * np), off);
            float r[9];
            random_rotation(r, &seed);
            variant->jacobian(a.p, x3.p, modes.p, m, r, 1.37f, n, np);
            fa_kern_pdm_c.jacobian(b.p, x3.p, modes.p, m, r, 1.37f, n, np);
            for (int c = 0; c < 6 + m; c++)
                for (int i = n; i < np; i++)
                    CHECK(b.p[c * 2 * np + i] == 0 && b.p[c * 2 * np + np + i] == 0);
            out_check("jacobian", &a, &b);
            free(x3.raw), free(modes.raw);
        }
}

static void normal_equations_equal_twin(void)
{
    uint64_t seed = 14;
    for (int k = 1; k <= FA_GRAM_MAX; k += k < 42 ? 1 : 5)
        for (int n = k % 3 + 1; n <= FA_GRAM_POINTS; n += 19) {
            const int np = (n + 15) / 16 * 16, len = 2 * np, off = k % 4, ldh = k + n % 3;
            struct out j = planes_new(n, np, 2 * k, off, 9, &seed), w = in_new((size_t)len, off, 2, &seed), v = in_new((size_t)len, off, 3, &seed);
            struct out wa = out_new((size_t)(k * len), off), wb = out_new((size_t)(k * len), off);
            struct out ha = out_new((size_t)(k * ldh), off), hb = out_new((size_t)(k * ldh), off);
            struct out ba = out_new((size_t)k, off), bb = out_new((size_t)k, off);
            variant->weigh(wa.p, j.p, w.p, k, len);
            fa_kern_pdm_c.weigh(wb.p, j.p, w.p, k, len);
            variant->gram(ha.p, ldh, n % 2 ? wb.p : j.p, j.p, k, n, np);
            fa_kern_pdm_c.gram(hb.p, ldh, n % 2 ? wb.p : j.p, j.p, k, n, np);
            variant->rhs(ba.p, wb.p, v.p, k, len);
            fa_kern_pdm_c.rhs(bb.p, wb.p, v.p, k, len);
            out_check("weigh", &wa, &wb);
            out_check("gram", &ha, &hb);
            out_check("rhs", &ba, &bb);
            free(j.raw), free(w.raw), free(v.raw);
        }
}

static void solve_equals_twin(void)
{
    uint64_t seed = 15;
    for (int k = 1; k <= FA_GRAM_MAX; k++)
        for (int bad = 0; bad < 2; bad++) {
            const int n = 80, len = 2 * n, off = k % 4, ldh = k + bad;
            struct out j = in_new((size_t)(k * len), 0, 3, &seed), h = out_new((size_t)(k * ldh), off), b = in_new((size_t)k, 0, 50, &seed);
            struct out x = out_new((size_t)k, off), y = out_new((size_t)k, off);
            fa_kern_pdm_c.gram(h.p, ldh, j.p, j.p, k, n, n);
            const int at = (int)(test_rand(&seed) % (unsigned)k);
            if (bad)
                h.p[at * ldh + at] = 0;
            memcpy(x.p, b.p, (size_t)k * 4);
            memcpy(y.p, b.p, (size_t)k * 4);
            check_int("solvable", variant->solve(x.p, h.p, ldh, k), !bad);
            check_int("solvable, twin", fa_kern_pdm_c.solve(y.p, h.p, ldh, k), !bad);
            for (int i = 0; i < k; i++) {               /* H x = b, or zeros */
                double s = 0, size = 1;
                for (int c = 0; c < k; c++) {
                    s += (double)h.p[i * ldh + c] * y.p[c];
                    size += fabs((double)h.p[i * ldh + c] * y.p[c]);
                }
                check_near("H x - b", bad ? y.p[i] : (s - b.p[i]) / size, 0, 1e-5);
            }
            out_check("solve", &x, &y);
            free(j.raw), free(h.raw), free(b.raw);
        }
}

static void run_all(const struct fa_kern_pdm *k, unsigned need, const char *name)
{
    variant = (fa_cpu_detect() & need) == need ? k : NULL;
    if (!variant) {
        test_skip(name);
        return;
    }
    shapes_equal_twin();
    residual_equals_twin();
    jacobian_equals_twin();
    normal_equations_equal_twin();
    solve_equals_twin();
}

static void plain_c_solves_and_pads_as_promised(void) { run_all(&fa_kern_pdm_c, 0, "c"); }
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
static void avx2_equals_twin(void) { run_all(&fa_kern_pdm_avx2, FA_CPU_AVX2, "no avx2"); }
static void avx512_equals_twin(void) { run_all(&fa_kern_pdm_avx512, FA_CPU_AVX512, "no avx512"); }
#endif

int main(void)
{
    RUN(plain_c_solves_and_pads_as_promised);
#if defined(__x86_64__) && !defined(FA_NO_SIMD)
    RUN(avx2_equals_twin);
    RUN(avx512_equals_twin);
#endif
    return test_done();
}
