/* SPDX-License-Identifier: BSD-2-Clause
 * The options that every stage has, with the same letters and the same meaning: --model, -t, --node, --cpus, -o, -z, -q, -v, -h and
 * --version. For programs only: like fa_msg.h it speaks to the user and ends the program on wrong use. */
#ifndef FA_STAGE_OPTIONS_H
#define FA_STAGE_OPTIONS_H

#include "fa_place.h"

struct option;

struct fa_stage_options {
    /* Set by the program. usage: what -h begins with, synopsis and own options; the common ones follow. letters ("an:") and own
     * (ended by zeros, values >= 256 for options without a letter): the stage's own options, given to take as getopt_long returns them. */
    const char *usage, *letters;
    const struct option *own;
    void (*take)(void *self, int c, const char *arg);
    void *self;
    int is_source;                               /* makes a stream from any number of inputs: no --model, no -t */
    /* Filled. */
    const char *model, *output;                  /* NULL: the default */
    int level, threads;                          /* of zstd, 0 none; threads >= 1, never more than CPUs */
    struct fa_place_options place;
};

/* Reads argv, prints what -h and --version ask for, sets the level of messages, and binds the process to its node and CPUs.
 * Returns the operands, ended by NULL: one at most, unless is_source. Called first, after fa_msg_init. */
char **fa_stage_parse(struct fa_stage_options *o, int argc, char **argv);

#endif
