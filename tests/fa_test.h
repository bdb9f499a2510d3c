/* SPDX-License-Identifier: BSD-2-Clause
 * The project's test harness. A test is a function whose name is the sentence it proves; main lists them:
 *
 *     int main(void) { RUN(stream_without_end_is_an_error); return test_done(); }
 *
 * Each test prints one line, "PASS name", "FAIL name" (with what was seen) or "SKIP name: reason"; tests/run adds them up. */
#ifndef FA_TEST_H
#define FA_TEST_H

#include <stddef.h>
#include <stdint.h>

#define RUN(f) test_run(#f, f)

void test_run(const char *name, void (*f)(void));
int test_done(void);                                 /* exit status of the test program */
void test_skip(const char *reason);                  /* marks the running test skipped; return after it */
void test_fail(const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Prints a figure that the test measured: "NOTE test: what value unit". */
void test_note(const char *what, double value, const char *unit);

#define CHECK(cond) do { if (!(cond)) test_fail(__FILE__, __LINE__, "%s", #cond); } while (0)
#define check_int(why, got, want) check_int_(__FILE__, __LINE__, why, (long long)(got), (long long)(want))
#define check_str(why, got, want) check_str_(__FILE__, __LINE__, why, got, want)
#define check_bytes(why, got, want, n) check_bytes_(__FILE__, __LINE__, why, got, want, n)
/* |got - want| <= tol, absolute. */
#define check_near(why, got, want, tol) check_near_(__FILE__, __LINE__, why, got, want, tol)
/* max |got - want| <= tol * max |want|, with the largest seen reported on failure. Returns the relative error. */
#define check_f32_rel(why, got, want, n, tol) check_f32_(__FILE__, __LINE__, why, got, want, n, tol, 1)
#define check_f32_abs(why, got, want, n, tol) check_f32_(__FILE__, __LINE__, why, got, want, n, tol, 0)
#define check_f32_bits(why, got, want, n) check_f32_bits_(__FILE__, __LINE__, why, got, want, n)
#define check_f64_rel(why, got, want, n, tol) check_f64_(__FILE__, __LINE__, why, got, want, n, tol, 1)
#define check_f64_abs(why, got, want, n, tol) check_f64_(__FILE__, __LINE__, why, got, want, n, tol, 0)

void check_int_(const char *file, int line, const char *why, long long got, long long want);
void check_str_(const char *file, int line, const char *why, const char *got, const char *want);
void check_bytes_(const char *file, int line, const char *why, const void *got, const void *want, size_t n);
void check_near_(const char *file, int line, const char *why, double got, double want, double tol);
double check_f32_(const char *file, int line, const char *why, const float *got, const float *want, size_t n, double tol, int rel);
double check_f64_(const char *file, int line, const char *why, const double *got, const double *want, size_t n, double tol, int rel);
void check_f32_bits_(const char *file, int line, const char *why, const float *got, const float *want, size_t n);

/* Deterministic random numbers for tests (xorshift; the seed is the caller's to print). */
uint32_t test_rand(uint64_t *seed);
float test_randf(uint64_t *seed);                    /* -1 .. 1 */
uint32_t test_crc32(const void *data, size_t n);     /* zlib polynomial, as the spec's vectors use */

#endif
