/* SPDX-License-Identifier: BSD-2-Clause
 * Messages of the programs: stderr only, one form, "fa-x: FILE: frame N: reason". The library itself never prints;
 * cmd/ calls these. Three levels: quiet, normal, verbose. */
#ifndef FA_MSG_H
#define FA_MSG_H

#include "fa_err.h"

enum fa_msg_level { FA_QUIET = -1, FA_NORMAL = 0, FA_VERBOSE = 1 };

/* "fa-detect". Also ignores SIGPIPE and SIGXFSZ, so that writes fail with EPIPE or EFBIG; and when the environment says that the parent is the fa that
 * started this stage (FA_PARENT = its process id), the stage gets SIGTERM when that ends, however it ends. */
void fa_msg_init(const char *program);
#define FA_PARENT "FA_PARENT"
const char *fa_msg_program(void);
void fa_msg_level(int level);                   /* -q, -v */
int fa_msg_verbose(void);
void fa_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));   /* always printed */
void fa_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));    /* not with -q */
void fa_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));    /* with -v only */
/* Prints the error and returns the exit status that belongs to its code. FA_E_PIPE prints nothing. */
int fa_error_status(const struct fa_err *e);
_Noreturn void fa_die(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Wrong use: message, a line that points to -h, exit 2. */
_Noreturn void fa_die_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "fa-x 0.1.0 (stream 1, model 1, kernels avx512)"; exit 0. */
_Noreturn void fa_print_version(const char *extra);

/* Option arguments: the whole text must be a number inside [lo, hi], else fa_die_usage names the option. */
long fa_opt_long(const char *option, const char *text, long lo, long hi);
double fa_opt_double(const char *option, const char *text, double lo, double hi);

/* Flushes and closes stdout, checked: a full disk shows only there. Returns status, or 3 when the close fails (EPIPE: silently). */
int fa_close_stdout(int status);

#endif
