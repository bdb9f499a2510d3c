/* SPDX-License-Identifier: BSD-2-Clause
 * fa-models: fetches, imports, checks, packs and shows models (man/fa-models.1). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_import.h"
#include "fa_model.h"
#include "fa_msg.h"

static const char USAGE[] =
    "usage: fa-models get [--accept-license] [--url-base URL]... [--accept-changed] [SET]...\n"
    "       fa-models import [--accept-changed] DIR|FILE...\n"
    "       fa-models list | verify [PACK]...\n"
    "       fa-models pack [-o FILE] [SET|LIST]\n"
    "       fa-models show PACK|SET|LIST\n"
    "Keeps OpenFace's model files and what is made of them. Sets: clnf, clm, ceclm.\n"
    "  --accept-license   agree to OpenFace's licence (get asks on a terminal)\n"
    "  --url-base URL     fetch below URL instead of the published places; several are tried in turn\n"
    "  --accept-changed   take files that differ from the list, if they parse\n"
    "  -o FILE            write the pack to FILE instead of the store\n"
    "  -q, -v             fewer, more messages\n"
    "  -h, --version\n";

static const char LICENCE[] =
    "OpenFace's model files are under OpenFace's own licence, not under that of fa-tools:\n"
    "  - academic or non-profit organization, noncommercial research use only;\n"
    "  - not to be distributed, sold, sublicensed or passed on, nor anything derived from them;\n"
    "  - no warranty; publications with derivatives of the models oblige you to hand these to the licensor.\n"
    "Full text: https://github.com/TadasBaltrusaitis/OpenFace/blob/OpenFace_2.2.0/OpenFace-license.txt\n";

struct options { int accept_license, accept_changed, n_base; const char *base[16], *out; };
/* What reports add up to. */
struct sum { int status, seen, verbose_only; };

static void worsen(struct sum *t, const struct fa_err *e)
{
    int status = e->code ? fa_error_status(e) : 0;
    t->status = status > t->status ? status : t->status;
    t->seen++;
}

/* --- get, import -------------------------------------------------------------------------------------------------------- */

static void need_licence(const struct options *o)
{
    const char *env = getenv("OPENFACE_MODELS_ACCEPT_LICENSE");
    char answer[16] = "";
    if (o->accept_license || (env && strcmp(env, "1") == 0))
        return;
    fputs(LICENCE, stderr);
    if (!isatty(0) || !isatty(2))
        fa_die(2, "the licence must be accepted first; type: fa-models get --accept-license");
    fputs("Do you accept it? Type yes: ", stderr);
    if (!fgets(answer, sizeof answer, stdin) || strcmp(answer, "yes\n") != 0)
        fa_die(2, "not accepted, nothing fetched");
}

static void fetching(void *self, const struct fa_store_event *ev)
{
    (void)self;
    fa_note("fetching %s, %lld bytes", ev->what, ev->f->size);
}

/* Packs a set now, so that the first program that needs it does not have to. Prints where the pack is. */
static int pack_set(const struct fa_store *s, const char *set)
{
    struct fa_pack p;
    struct fa_err e = { 0 };
    char *list = NULL, *path = NULL;
    int status = 0;
    if (asprintf(&list, "%s/%s", s->originals, fa_set_list(set)) < 0)
        return 3;
    if (fa_model_open_list(&p, list, &path, &e) == FA_OK) {
        printf("%s\n", path ? path : "packed in memory: the store cannot be written");
        fa_pack_close(&p);
    } else {
        status = fa_error_status(&e);
    }
    free(path);
    free(list);
    return status;
}

static int get(const struct fa_store *s, const struct options *o, char **sets, int n_set)
{
    static char *dflt[] = { "clnf" };
    struct fa_err e = { 0 };
    int status = 0, lacking = 0;
    if (!n_set)
        sets = dflt, n_set = 1;
    for (int i = 0; i < n_set; i++) {
        int there, all;
        long long bytes;
        if (!fa_set_list(sets[i]))
            fa_die_usage("'%s' is no model set (clnf, clm, ceclm)", sets[i]);
        fa_store_count(s, sets[i], &there, &all, &bytes);
        lacking += all - there;
        if (there < all)
            fa_warn("%s: %d of %d files to fetch", sets[i], all - there, all);
    }
    if (lacking)
        need_licence(o);
    for (int i = 0; i < n_set && !status; i++) {
        if (fa_store_get(s, sets[i], o->base, o->n_base, o->accept_changed, fetching, NULL, &e) != FA_OK)
            status = fa_error_status(&e);
        else
            status = pack_set(s, sets[i]);
    }
    return status;
}

static void taken(void *self, const struct fa_store_event *ev)
{
    worsen(self, ev->e);
    if (!ev->e->code)
        fa_note("%s: taken as %s", ev->what, ev->f->path);
}

static int import(const struct fa_store *s, const struct options *o, char **from, int n_from)
{
    struct sum total = { 0 };
    if (!n_from)
        fa_die_usage("import: a folder or files expected");
    for (int k = 0; k < n_from; k++) {
        struct sum one = { 0 };
        struct fa_err e = { 0 };
        int n = fa_store_import(s, from[k], o->accept_changed, taken, &one, &e);
        if (n < 0) {
            one.status = fa_error_status(&e);
        } else if (!one.seen) {
            fa_error(access(from[k], F_OK) == 0 ? "%s: no OpenFace model files here" : "%s: not there", from[k]);
            one.status = 1;
        } else {
            fa_warn("%s: %d files taken", from[k], n);
        }
        total.status = one.status > total.status ? one.status : total.status;
    }
    return total.status;
}

/* --- list, verify ------------------------------------------------------------------------------------------------------- */

static void file_line(void *self, const struct fa_store_event *ev)
{
    static const char *const word[] = { "missing", "ok", "changed (accepted)", "DIFFERS" };
    struct sum *t = self;
    if (ev->state != FA_FILE_MISSING)
        worsen(t, ev->e);
    if (t->verbose_only ? ev->state != FA_FILE_RIGHT : ev->state != FA_FILE_MISSING)
        printf("file\t%s\t%s\n", ev->what, word[ev->state]);
}

static void pack_line(void *self, const struct fa_store_event *ev)
{
    worsen(self, ev->e);
    if (!ev->e->code)
        printf("pack\t%s\t%zu\t%016llx\n", ev->what, ev->p->len, (unsigned long long)ev->p->hash);
}

static void store_pack_line(void *self, const struct fa_store_event *ev)
{
    pack_line(self, ev);
    if (ev->e->code)
        fa_warn("%s: delete it; it is made anew when needed", ev->what);
}

static int list(const struct fa_store *s)
{
    struct sum t = { .verbose_only = 1 };
    printf("store\t%s\n", s->root);
    for (int k = 0; fa_set_name(k); k++) {
        int there, all;
        long long bytes;
        fa_store_count(s, fa_set_name(k), &there, &all, &bytes);
        printf("set\t%s\t%d of %d files\t%.1f MB\n", fa_set_name(k), there, all, (double)bytes / 1e6);
    }
    if (fa_msg_verbose())
        fa_store_files(s, NULL, file_line, &t);
    fa_store_packs(s, 0, store_pack_line, &t);
    return t.status;
}

static int verify(const struct fa_store *s, char **packs, int n_pack)
{
    struct sum t = { 0 };
    for (int i = 0; i < n_pack; i++)
        fa_store_pack(packs[i], 1, pack_line, &t);
    if (n_pack)
        return t.status;
    fa_store_files(s, NULL, file_line, &t);
    if (!t.seen)
        fa_warn("no files in %s", s->originals);
    fa_store_packs(s, 1, store_pack_line, &t);
    return t.status;
}

/* --- pack, show --------------------------------------------------------------------------------------------------------- */

static int pack(const struct options *o, char **names, int n_name)
{
    struct fa_pack p;
    struct fa_err e = { 0 };
    struct fa_tensor t;
    if (n_name > 1)
        fa_die_usage("pack: one set or list expected");
    if (o->out && strcmp(o->out, "-") == 0 && isatty(1))
        fa_die_usage("a pack does not go to a terminal");
    if (fa_model_open(&p, n_name ? names[0] : NULL, &e) != FA_OK)
        return fa_error_status(&e);
    if (!fa_pack_find(&p, &t, "mtcnn/pnet/layers"))
        fa_warn("no MTCNN files beside the list: fa-detect cannot use this pack");
    if (!fa_pack_find(&p, &t, "au/triangles"))
        fa_warn("no action-unit files around the list: fa-aus cannot use this pack");
    int r = FA_OK;
    if (o->out)
        r = fa_pack_save(&p, o->out, &e);
    else
        printf("%zu bytes, hash %016llx\n", p.len, (unsigned long long)p.hash);
    fa_pack_close(&p);
    return r == FA_OK ? 0 : fa_error_status(&e);
}

static int show(char **names, int n_name)
{
    static const char *const type[7] = { "u8", "", "", "", "i32", "f32", "f64" };
    struct fa_pack p;
    struct fa_err e = { 0 };
    if (n_name != 1)
        fa_die_usage("show: one pack, set or list expected");
    if (fa_model_open(&p, names[0], &e) != FA_OK)
        return fa_error_status(&e);
    printf("# %d tensors, %zu bytes, hash %016llx\n", p.n, p.len, (unsigned long long)p.hash);
    for (int i = 0; i < p.n; i++) {
        const char *name;
        struct fa_tensor t;
        fa_pack_entry(&p, i, &name, &t);
        printf("%s\t%s\t", name, type[t.type]);
        for (int k = 0; k < t.ndim; k++)
            printf("%s%d", k ? "x" : "", t.dim[k]);
        if (t.type == FA_U8 && t.ndim == 1 && t.n < 64 && !memchr(t.data, '\n', t.n))
            printf("\t%.*s", (int)t.n, (const char *)t.data);
        printf("\n");
    }
    fa_pack_close(&p);
    return 0;
}

int main(int argc, char **argv)
{
    enum { ACCEPT = 256, CHANGED, BASE, VERSION };
    static const struct option longs[] = {
        { "accept-license", no_argument, NULL, ACCEPT }, { "accept-changed", no_argument, NULL, CHANGED }, { "url-base", required_argument, NULL, BASE },
        { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, VERSION }, { 0 } };
    struct options o = { 0 };
    struct fa_store s;
    struct fa_err e = { 0 };
    int status = 2;
    fa_msg_init("fa-models");
    for (int c; (c = getopt_long(argc, argv, "o:qvh", longs, NULL)) != -1;)
        switch (c) {
        case ACCEPT: o.accept_license = 1; break;
        case CHANGED: o.accept_changed = 1; break;
        case BASE:
            if (o.n_base == 16)
                fa_die_usage("--url-base: more than 16");
            o.base[o.n_base++] = optarg;
            break;
        case VERSION: fa_print_version("model 1");
        case 'o': o.out = optarg; break;
        case 'q': fa_msg_level(FA_QUIET); break;
        case 'v': fa_msg_level(FA_VERBOSE); break;
        case 'h': fputs(USAGE, stdout); return fa_close_stdout(0);
        default: fa_die_usage("wrong option");
        }
    if (optind == argc)
        fa_die_usage("a command expected: get, import, list, verify, pack or show");
    char *command = argv[optind++], **rest = argv + optind;
    int n_rest = argc - optind;
    if (fa_store_open(&s, &e) != FA_OK)
        return fa_error_status(&e);
    if (strcmp(command, "get") == 0)
        status = get(&s, &o, rest, n_rest);
    else if (strcmp(command, "import") == 0)
        status = import(&s, &o, rest, n_rest);
    else if (strcmp(command, "list") == 0)
        status = list(&s);
    else if (strcmp(command, "verify") == 0)
        status = verify(&s, rest, n_rest);
    else if (strcmp(command, "pack") == 0)
        status = pack(&o, rest, n_rest);
    else if (strcmp(command, "show") == 0)
        status = show(rest, n_rest);
    else
        fa_die_usage("'%s' is no command", command);
    fa_store_close(&s);
    return fa_close_stdout(status);
}
