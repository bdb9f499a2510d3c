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

/* Opens the model a user names: NULL or "" (then $FA_MODELS, then the default set: "ceclm" if its patch experts are in the store, else "clnf"
 * if that is there, else "starter", the set of our own that comes with the programs), a set's name ("ceclm", "clnf", "clm": looked for in
 * $FA_MODELS if that is a folder, then in the store; "starter": in the folder, then where it was installed), a pack file, an OpenFace main_*.txt list, or a folder that holds packs or an
 * OpenFace tree. A list is packed once and kept in the store (a store that cannot be written is no error). Where the pack is staged
 * in shared memory (fa_shm.h) the image is opened instead of the file; p->from says which. FA_OK; FA_E_MODEL
 * with a text that says what was tried and what to do ("run 'fa-models get' ..."); FA_E_MEM. */
int fa_model_open(struct fa_pack *p, const char *model, struct fa_err *e);
/* The set that fa_model_open falls back to for this model because the default one is not installed ("clnf", "starter"), or NULL. */
const char *fa_model_fallback(const char *model);
/* What a user should know about such a set: one line. */
const char *fa_model_fallback_note(const char *set);

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

/* --- OpenFace's files in the store (fa-models) --------------------------------------------------------------------------- */

/* One file of release 2.2.0: the sets that need it ("clnf,clm"), its repository path, size, SHA-256, and where it is published
 * (URLs separated by blanks). The list is models/openface-2.2.0.tsv, compiled in. */
struct fa_model_file { const char *sets, *path; long long size; const char *sha256, *urls; };
/* The list; *n its length. */
const struct fa_model_file *fa_model_files(int *n);
int fa_model_file_in_set(const struct fa_model_file *f, const char *set);

enum fa_file_state { FA_FILE_MISSING = 0, FA_FILE_RIGHT = 1, FA_FILE_ACCEPTED = 2 /* other contents, taken by the user */, FA_FILE_DIFFERS = 3 };
/* State of a file in originals/; hex gets the SHA-256 that it has ("" when missing). */
enum fa_file_state fa_model_file_state(const struct fa_store *s, const struct fa_model_file *f, char hex[65]);
/* Takes a file from elsewhere into originals/: verified first, then copied and renamed. Contents other than the list's are
 * refused with FA_E_MODEL (both digests in the text) unless accept_changed is set and the file parses; that is remembered. */
int fa_model_file_take(const struct fa_store *s, const struct fa_model_file *f, const char *from, int accept_changed, struct fa_err *e);
/* Downloads a file with curl into originals/PATH.part, going on where an earlier try stopped, and takes it. base: n_base URLs of
 * trees to try in turn; without any those in $OPENFACE_MODELS_MIRROR, else the published places. FA_E_CHILD: no curl; FA_E_IO: no place gave it (text: the last
 * failure); FA_E_MODEL: what came is another file. */
int fa_model_file_get(const struct fa_store *s, const struct fa_model_file *f, const char *const *base, int n_base, int accept_changed, struct fa_err *e);
/* Told about each file or pack that a call below works on: what (a path), how it went (e->code), and f or p where there is one. */
struct fa_store_event { const char *what; const struct fa_model_file *f; const struct fa_pack *p; enum fa_file_state state; const struct fa_err *e; };
typedef void fa_store_report(void *self, const struct fa_store_event *ev);
/* State of a set: files there (right or accepted), files in all, and their listed bytes. */
void fa_store_count(const struct fa_store *s, const char *set, int *there, int *all, long long *bytes);
/* Every listed file: reported with its state. */
void fa_store_files(const struct fa_store *s, const char *set, fa_store_report *report, void *self);
/* A pack file, opened (check: and its data's checksum verified) and reported. */
void fa_store_pack(const char *path, int check, fa_store_report *report, void *self);
/* Every pack of the store in this way. */
void fa_store_packs(const struct fa_store *s, int check, fa_store_report *report, void *self);
/* Takes from an OpenFace tree (repository, installed tree, or a model folder itself) or a single file, which goes where its name
 * belongs. Waits for other writers of the store. Returns the number of files taken, each reported (0 and nothing reported: nothing
 * there is a model file), or FA_E_IO. */
int fa_store_import(const struct fa_store *s, const char *from, int accept_changed, fa_store_report *report, void *self, struct fa_err *e);
/* Fetches what a set lacks (fa_model_file_get), each file reported before it is fetched; stops at the first failure. Waits for other
 * writers of the store. */
int fa_store_get(const struct fa_store *s, const char *set, const char *const *base, int n_base, int accept_changed, fa_store_report *report, void *self,
                 struct fa_err *e);

#endif
