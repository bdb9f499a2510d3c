/* SPDX-License-Identifier: BSD-2-Clause
 * OpenFace's model files into packs, and how a program finds its model. */
#ifndef FA_IMPORT_H
#define FA_IMPORT_H

#include "fa_err.h"

struct fa_pack;
struct fa_pack_builder;

/* Opens the model a user names: NULL (then $FA_MODELS, then the cache's default set), a set's name ("clnf", "clm"), a pack file, or an
 * OpenFace main_*.txt list, which is packed once and cached under the hash of its files. FA_OK; FA_E_MODEL with a text that says
 * what was tried and what to do ("run 'fa-models get' ..."). */
int fa_model_open(struct fa_pack *p, const char *model, struct fa_err *e);

/* Reads an OpenFace model list and everything it names (landmark model, parts, validator; the MTCNN and action-unit files
 * are looked for in the OpenFace tree around it) into a builder. FA_E_MODEL names the file and what is wrong. */
int fa_import_list(struct fa_pack_builder *b, const char *main_list, struct fa_err *e);

#endif
