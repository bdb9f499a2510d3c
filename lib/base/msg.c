/* SPDX-License-Identifier: BSD-2-Clause
 * Program messages, option numbers and the checked end of a program. The only global state here is the program's name
 * and its level, set once at start. */
#include "fa_msg.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char *program = "fa";
static int level = FA_NORMAL;

/* A stage ends with the fa that started it, even if that was killed by SIGKILL: else it would finish a clip that a resumed run does
 * again at the same time. */
static void end_with_parent(void)
{
    const char *parent = getenv(FA_PARENT);
    if (!parent || strtol(parent, NULL, 10) != (long)getppid())
        return;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (strtol(parent, NULL, 10) != (long)getppid())        /* it died just now */
        raise(SIGTERM);
}

void fa_msg_init(const char *name)
{
    program = name;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    end_with_parent();
}

const char *fa_msg_program(void) { return program; }
void fa_msg_level(int l) { level = l; }
int fa_msg_verbose(void) { return level >= FA_VERBOSE; }

/* One write per message, so that lines of several processes on one terminal do not mix. */
static void say(const char *fmt, va_list ap)
{
    char line[1200];
    int n = snprintf(line, sizeof line, "%s: ", program);
    int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
    n += m < 0 ? 0 : m;
    if ((size_t)n > sizeof line - 2)
        n = (int)sizeof line - 2;
    line[n++] = '\n';
    fflush(stdout);
    fwrite(line, 1, (size_t)n, stderr);
}

#define SAY(fmt) do { va_list ap; va_start(ap, fmt); say(fmt, ap); va_end(ap); } while (0)

void fa_error(const char *fmt, ...) { SAY(fmt); }
void fa_warn(const char *fmt, ...) { if (level > FA_QUIET) SAY(fmt); }
void fa_note(const char *fmt, ...) { if (level >= FA_VERBOSE) SAY(fmt); }

int fa_error_status(const struct fa_err *e)
{
    if (e->code != FA_E_PIPE && e->code < 0)
        fa_error("%s", e->text);
    return fa_err_status(e->code);
}

void fa_die(int status, const char *fmt, ...)
{
    SAY(fmt);
    exit(status);
}

void fa_die_usage(const char *fmt, ...)
{
    SAY(fmt);
    fprintf(stderr, "%s: try '%s -h'\n", program, program);
    exit(2);
}

void fa_print_version(const char *extra)
{
    printf("%s %s%s%s%s\n", program, FA_VERSION, extra ? " (" : "", extra ? extra : "", extra ? ")" : "");
    exit(fa_close_stdout(0));
}

long fa_opt_long(const char *option, const char *text, long lo, long hi)
{
    char *end;
    errno = 0;
    long v = strtol(text, &end, 10);
    if (end == text || *end || errno || v < lo || v > hi)
        fa_die_usage("%s: '%s' is not a whole number from %ld to %ld", option, text, lo, hi);
    return v;
}

double fa_opt_double(const char *option, const char *text, double lo, double hi)
{
    char *end;
    errno = 0;
    double v = strtod(text, &end);
    if (end == text || *end || errno == ERANGE || !isfinite(v) || v < lo || v > hi)
        fa_die_usage("%s: '%s' is not a number from %g to %g", option, text, lo, hi);
    return v;
}

int fa_close_stdout(int status)
{
    int bad = ferror(stdout);
    if (fclose(stdout) != 0 || bad) {
        if (errno != EPIPE)
            fa_error("standard output: %s", errno ? strerror(errno) : "write failed");
        if (status == 0)
            status = 3;
    }
    return status;
}
