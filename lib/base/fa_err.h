/* SPDX-License-Identifier: BSD-2-Clause
 * One list of error codes for the whole library, and the text that goes with them. A function that can fail returns
 * FA_OK or a negative code and fills a struct fa_err at the place that knows most; it never prints and never exits. */
#ifndef FA_ERR_H
#define FA_ERR_H

enum fa_e {
    FA_OK = 0,
    FA_EOF = 1,          /* not an error: the input ended where it may */
    FA_E_IO = -1,        /* this machine: read, write, disk full            -> exit 3 */
    FA_E_MEM = -2,       /* this machine: memory                            -> exit 3 */
    FA_E_FORMAT = -3,    /* the input is not what it should be              -> exit 1 */
    FA_E_TRUNC = -4,     /* the input stops before its end                  -> exit 1 */
    FA_E_VERSION = -5,   /* the input is of a version we do not read        -> exit 1 */
    FA_E_MODEL = -6,     /* a model file or pack is missing or damaged      -> exit 3 */
    FA_E_ARG = -7,       /* wrong use                                       -> exit 2 */
    FA_E_CHILD = -8,     /* a child program is missing or was killed        -> exit 3 */
    FA_E_INPUT = -9,     /* the input cannot be opened or decoded           -> exit 1 */
    FA_E_PIPE = -10      /* our reader went away (EPIPE)                    -> exit 3, silent */
};

struct fa_err {
    int code;            /* enum fa_e */
    char text[400];      /* "frame 118: record length 0"; no program name, no newline */
};

/* Fills e (which may be NULL) and returns code. The text is cut at its size. */
int fa_fail(struct fa_err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same with ": strerror(errno)" appended; ENOMEM and EPIPE override code. */
int fa_fail_errno(struct fa_err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Puts "prefix: " before the text that e already holds; returns e->code. */
int fa_err_prefix(struct fa_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Exit status of a program that ends with this code: 0 done, 1 bad input, 2 wrong use, 3 this machine. */
int fa_err_status(int code);

#endif
