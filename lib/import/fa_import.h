/* SPDX-License-Identifier: BSD-2-Clause
 * OpenFace's model files into packs, and how a program finds its model.
 *
 * The store, shared by all programs: ${OPENFACE_MODELS_DIR:-${XDG_DATA_HOME:-~/.local/share}/OpenFaceModels}/2.2.0 with
 *
 *      originals/   OpenFace's files under their repository paths (lib/local/...), as fetched or imported
 *      packs/       STEM-HASH.pack, made from a list when it is first opened; HASH is that of the contents of all files read.
 *                   STEM-HASH.index: for one list file, which pack it gave and the state of every file (size, times, inode),
 *                   so that a second opening looks at no contents. Both may be deleted at any time. */
#ifndef FA_IMPORT_H
#define FA_IMPORT_H

#include "fa_err.h"

struct fa_pack;
struct fa_pack_builder;

/* Opens the model a user names: NULL or "" (then $FA_MODELS, then the default set "clnf"), a set's name ("clnf", "clm": looked for in
 * $FA_MODELS if that is a folder, then in the store), a pack file, an OpenFace main_*.txt list, or a folder that holds packs or an
 * OpenFace tree. A list is packed once and kept in the store (a store that cannot be written is no error). FA_OK; FA_E_MODEL
 * with a text that says what was tried and what to do ("run 'fa-models get' ..."); FA_E_MEM. */
int fa_model_open(struct fa_pack *p, const char *model, struct fa_err *e);

/* Reads an OpenFace model list and everything it names (landmark model, parts, validator; the MTCNN and action-unit files
 * are looked for in the OpenFace tree around it) into a builder. FA_E_MODEL names the file and what is wrong. */
int fa_import_list(struct fa_pack_builder *b, const char *main_list, struct fa_err *e);

/* --- The store ---------------------------------------------------------------------------------------------------------- */

struct fa_store { char *root, *originals, *packs; };
/* Finds out where it is; makes nothing. FA_OK, FA_E_MEM, FA_E_MODEL (no home directory). */
int fa_store_open(struct fa_store *s, struct fa_err *e);
void fa_store_close(struct fa_store *s);
/* The list that a set's name stands for, below a tree's root: "clnf" -> "lib/local/LandmarkDetector/model/main_clnf_general.txt".
 * NULL: no such set. fa_set_name(i): the names, NULL at the end. */
const char *fa_set_list(const char *set);
const char *fa_set_name(int i);
/* A list, packed or from the store. *path (may be NULL): the pack's file, to be freed, or NULL when it is in memory only. */
int fa_model_open_list(struct fa_pack *p, const char *list, char **path, struct fa_err *e);

#endif
