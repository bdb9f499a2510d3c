/* SPDX-License-Identifier: BSD-2-Clause
 * Test harness: see fa_test.h. */
#include "fa_test.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *current;
static int failures, skipped, n_failed;

void test_run(const char *name, void (*f)(void))
{
    current = name;
    failures = skipped = 0;
    f();
    if (failures) {
        printf("FAIL %s\n", name);
        n_failed++;
    } else if (!skipped) {
        printf("PASS %s\n", name);
    }
    fflush(stdout);
}

int test_done(void) { return n_failed != 0; }

void test_skip(const char *reason)
{
    skipped = 1;
    printf("SKIP %s: %s\n", current, reason);
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
    if (++failures > 10)
        return;
    va_list ap;
    printf("  %s:%d: ", file, line);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
}

void test_note(const char *what, double value, const char *unit) { printf("NOTE %s: %s %.3g %s\n", current, what, value, unit); }

void check_int_(const char *file, int line, const char *why, long long got, long long want)
{
    if (got != want)
        test_fail(file, line, "%s: got %lld, want %lld", why, got, want);
}

void check_str_(const char *file, int line, const char *why, const char *got, const char *want)
{
    if (!got || strcmp(got, want) != 0)
        test_fail(file, line, "%s: got '%s', want '%s'", why, got ? got : "(null)", want);
}

void check_bytes_(const char *file, int line, const char *why, const void *got, const void *want, size_t n)
{
    const unsigned char *a = got, *b = want;
    size_t bad = 0, first = 0;
    for (size_t i = n; i-- > 0;)
        if (a[i] != b[i]) {
            bad++;
            first = i;
        }
    if (bad)
        test_fail(file, line, "%s: %zu of %zu bytes differ, first at %zu: got %d, want %d", why, bad, n, first, a[first], b[first]);
}

void check_near_(const char *file, int line, const char *why, double got, double want, double tol)
{
    if (!(fabs(got - want) <= tol))
        test_fail(file, line, "%s: got %.9g, want %.9g (difference %.3g, limit %.3g)", why, got, want, got - want, tol);
}

double check_f64_(const char *file, int line, const char *why, const double *got, const double *want, size_t n, double tol, int rel)
{
    double worst = 0, scale = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs(got[i] - want[i]);
        if (!(d <= worst)) {
            worst = d;
            at = i;
        }
        scale = fmax(scale, fabs(want[i]));
    }
    double err = rel && scale > 0 ? worst / scale : worst;
    if (!(err <= tol))
        test_fail(file, line, "%s: [%zu of %zu] got %.9g, want %.9g (%s error %.3g, limit %.3g)", why, at, n, n ? got[at] : 0,
                  n ? want[at] : 0, rel ? "relative" : "absolute", err, tol);
    return err;
}

double check_f32_(const char *file, int line, const char *why, const float *got, const float *want, size_t n, double tol, int rel)
{
    double *g = malloc((n + 1) * sizeof *g), *w = malloc((n + 1) * sizeof *w);
    if (!g || !w)
        abort();
    for (size_t i = 0; i < n; i++) {
        g[i] = got[i];
        w[i] = want[i];
    }
    double err = check_f64_(file, line, why, g, w, n, tol, rel);
    free(g);
    free(w);
    return err;
}

void check_f32_bits_(const char *file, int line, const char *why, const float *got, const float *want, size_t n)
{
    size_t bad = 0, first = 0;
    for (size_t i = n; i-- > 0;)
        if (memcmp(&got[i], &want[i], 4) != 0) {
            bad++;
            first = i;
        }
    if (bad)
        test_fail(file, line, "%s: %zu of %zu differ, first [%zu]: got %.9g, want %.9g", why, bad, n, first, got[first], want[first]);
}

uint32_t test_rand(uint64_t *s)
{
    if (!*s)
        *s = 88172645463325252u;
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return (uint32_t)(*s >> 32);
}

float test_randf(uint64_t *s) { return (float)((int32_t)test_rand(s)) / 2147483648.0f; }

uint32_t test_crc32(const void *data, size_t n)
{
    const unsigned char *p = data;
    uint32_t c = 0xffffffffu;
    while (n--) {
        c ^= *p++;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
    }
    return ~c;
}
