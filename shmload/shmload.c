/* SPDX-License-Identifier: BSD-2-Clause
 * shmload: stages models in shared memory, so that all processes of a machine share one copy (man/shmload.1). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fa_clock.h"
#include "fa_import.h"
#include "fa_model.h"
#include "fa_msg.h"
#include "fa_place.h"
#include "fa_shm.h"

static const char usage[] =
    "usage: shmload [-N] [MODEL]...            load: stage the models, print their images\n"
    "       shmload -w [-N] [--timeout S] [MODEL]...   wait until they are usable\n"
    "       shmload -l                         list\n"
    "       shmload -V [MODEL|HASH]...         verify, all without MODEL\n"
    "       shmload -d [MODEL|HASH]...         drop, all without MODEL\n"
    "MODEL: ceclm, clnf, clm, starter, a pack, a folder, or an OpenFace main_*.txt list (default $FA_MODELS, then what is installed); HASH: 16 hex digits.\n"
    "  -N, --numa       one image for each NUMA node, its memory there (default: one for all)\n"
    "  -w, --wait       wait for another shmload's images instead of loading\n"
    "      --timeout S  give up after S seconds (default 60)\n"
    "  -l, --list       name, set, hash, bytes, node, user, state, processes that map it\n"
    "  -V, --verify     check the images' data against their checksums\n"
    "  -d, --drop       take images away; processes that use them keep them\n"
    "  -q, --quiet      errors only\n"
    "  -v, --verbose    more messages\n"
    "  -h, --help       this text\n"
    "      --version    version\n"
    "\n"
    "Exit status: 0 done, 2 wrong use, 3 this machine (no space, model missing or damaged, not staged).\n";

/* The nodes to stage for; returns how many. */
static int nodes(int node[FA_MAX_NODE], int numa)
{
    node[0] = FA_SHM_ANY;
    return numa ? fa_memory_nodes(node, FA_MAX_NODE) : 1;
}

static int load(const char *model, int numa)
{
    struct fa_pack p;
    struct fa_err e = { 0 };
    int node[FA_MAX_NODE], n = nodes(node, numa), r = fa_model_open(&p, model, &e);
    for (int i = 0; i < n && r >= 0; i++) {
        char name[FA_SHM_NAME];
        double share;
        r = fa_shm_publish(&p, node[i], name, &share, &e);
        if (r < 0)
            break;
        printf("%s/%s\n", fa_shm_dir(), name);
        fa_note("%s: %s, %zu bytes", name, r == FA_SHM_NEW ? "staged" : "was staged already", p.len);
        if (share < 1)
            fa_warn("%s: node %d is short of memory: %.0f%% of the image lie elsewhere", name, node[i], 100 * (1 - share));
    }
    fa_pack_close(&p);
    return r >= 0 ? 0 : fa_error_status(&e);
}

/* The hash that MODEL or HASH stands for. FA_OK, or the error of opening the model. */
static int hash_of(uint64_t *hash, const char *model, struct fa_err *e)
{
    struct fa_pack p;
    if (model && strlen(model) == 16 && strspn(model, "0123456789abcdef") == 16) {
        *hash = strtoull(model, NULL, 16);
        return FA_OK;
    }
    int r = fa_model_open(&p, model, e);
    *hash = p.hash;
    fa_pack_close(&p);
    return r;
}

/* --- wait ----------------------------------------------------------------------------------------------------------------- */

/* Images of the hash for all the nodes that some process of ours would attach to. */
static int usable(uint64_t hash, int numa)
{
    struct fa_shm_image *list;
    int node[FA_MAX_NODE], n = nodes(node, numa), n_image, found = 0;
    if (fa_shm_list(&list, &n_image, 0, 0, NULL) != FA_OK)
        return 0;
    for (int k = 0; k < n; k++) {
        int one = 0;
        for (int i = 0; i < n_image && !one; i++)
            one = list[i].hash == hash && list[i].refused.code == FA_OK && (!numa || list[i].node == node[k]);
        found += one;
    }
    free(list);
    return found == n;
}

static int wait_for(const char *model, int numa, double timeout)
{
    struct fa_err e = { 0 };
    uint64_t hash;
    const double until = fa_now() + timeout;
    if (hash_of(&hash, model, &e) != FA_OK)
        return fa_error_status(&e);
    while (!usable(hash, numa)) {
        if (fa_now() >= until) {
            fa_error("%s is not staged after %g s", model ? model : "the model", timeout);
            return 3;
        }
        nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
    }
    return 0;
}

/* --- list, verify, drop ----------------------------------------------------------------------------------------------------- */

static void print_image(const struct fa_shm_image *m, const char *state, int users)
{
    char node[16] = "any";
    if (m->node != FA_SHM_ANY)
        snprintf(node, sizeof node, "%d", m->node);
    printf("%s\t%s\t%016llx\t%zu\t%s\t%u\t%s", m->name, *m->set ? m->set : "-", (unsigned long long)m->hash, m->size, node, m->uid, state);
    if (users) {
        printf("\t%d", m->n_pid);
        for (int i = 0; i < m->n_pid && i < FA_SHM_PIDS; i++)
            printf("%s%ld", i ? "," : "\t", m->pid[i]);
    }
    putchar('\n');
}

static int list_images(void)
{
    struct fa_shm_image *list;
    struct fa_err e = { 0 };
    int n;
    if (fa_shm_list(&list, &n, 0, 1, &e) != FA_OK)
        return fa_error_status(&e);
    for (int i = 0; i < n; i++) {
        if (list[i].refused.code)
            fa_note("%s", list[i].refused.text);
        print_image(&list[i], list[i].refused.code ? "refused" : "usable", 1);
    }
    free(list);
    return 0;
}

/* Every image, or those of one hash, is verified or dropped. Status 3: a damaged one, one that cannot be dropped, none of the hash. */
static int each_image(int drop, const uint64_t *hash, const char *model)
{
    struct fa_shm_image *list;
    struct fa_err e = { 0 };
    int n, seen = 0, status = 0;
    if (fa_shm_list(&list, &n, !drop, 0, &e) != FA_OK)
        return fa_error_status(&e);
    for (int i = 0; i < n; i++) {
        if (hash && list[i].hash != *hash)
            continue;
        seen++;
        if (!drop) {
            print_image(&list[i], list[i].refused.code ? "refused" : "sound", 0);
            e = list[i].refused;
        } else if (fa_shm_drop(&list[i], &e) == FA_OK) {
            fa_note("%s: dropped", list[i].name);
        }
        if (e.code)
            status = fa_error_status(&e);
        e = (struct fa_err){ 0 };
    }
    free(list);
    if (hash && !seen && !drop) {
        fa_error("%s is not staged", model);
        status = 3;
    }
    return status;
}

static int each_image_of(int drop, const char *model)
{
    struct fa_err e = { 0 };
    uint64_t hash;
    return hash_of(&hash, model, &e) == FA_OK ? each_image(drop, &hash, model) : fa_error_status(&e);
}

int main(int argc, char **argv)
{
    enum { TIMEOUT = 256, VERSION };
    static const struct option options[] = {
        { "numa", 0, NULL, 'N' }, { "wait", 0, NULL, 'w' }, { "timeout", 1, NULL, TIMEOUT }, { "list", 0, NULL, 'l' }, { "verify", 0, NULL, 'V' },
        { "drop", 0, NULL, 'd' }, { "quiet", 0, NULL, 'q' }, { "verbose", 0, NULL, 'v' }, { "help", 0, NULL, 'h' },
        { "version", 0, NULL, VERSION }, { 0 }
    };
    int action = 0, numa = 0, status = 0;
    double timeout = 60;

    fa_msg_init("shmload");
    for (int c; (c = getopt_long(argc, argv, "NwlVdqvh", options, NULL)) != -1;)
        switch (c) {
        case 'N': numa = 1; break;
        case TIMEOUT: timeout = fa_opt_double("--timeout", optarg, 0, 1e6); break;
        case 'w': case 'l': case 'V': case 'd':
            if (action && action != c)
                fa_die_usage("one of -w, -l, -V and -d at a time");
            action = c;
            break;
        case 'q': fa_msg_level(FA_QUIET); break;
        case 'v': fa_msg_level(FA_VERBOSE); break;
        case 'h': fputs(usage, stdout); return fa_close_stdout(0);
        case VERSION: fa_print_version("model 1");
        default: fa_die_usage("wrong option");
        }
    if (numa && action && action != 'w')
        fa_die_usage("-N goes with loading and -w only");
    if (action == 'l' && optind < argc)
        fa_die_usage("-l lists everything");

    setenv("USE_SHARED_MEMORY", "0", 1);         /* the loader itself reads files, never an image */
    if (action == 'l') {
        status = list_images();
    } else if (optind == argc && (action == 'V' || action == 'd')) {
        status = each_image(action == 'd', NULL, NULL);
    } else {
        for (int i = optind; i < argc || i == optind; i++) {
            const char *model = i < argc ? argv[i] : NULL;
            int s = action == 0 ? load(model, numa) : action == 'w' ? wait_for(model, numa, timeout) : each_image_of(action == 'd', model);
            status = s > status ? s : status;
        }
    }
    return fa_close_stdout(status);
}
