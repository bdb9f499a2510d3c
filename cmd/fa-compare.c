/* SPDX-License-Identifier: BSD-2-Clause
 * fa-compare: how far one CSV is from a reference, and whether that passes the gate. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa_compare.h"
#include "fa_msg.h"
#include "fa_prov.h"

static const char usage[] =
    "usage: fa-compare [-qv] [--gate] [--factor F] [--json] REF.csv NEW.csv\n"
    "       fa-compare [-qv] [--json] --gate-all NEWDIR --gold GOLDDIR\n"
    "       fa-compare [-qv] --provenance A B\n"
    "       fa-compare --tolerances\n"
    "\n"
    "Compares the CSV of a clip or image with a reference. Either may be zstd-compressed; '-' is standard input.\n"
    "\n"
    "      --gate           also judge: exit 1 when a limit is passed\n"
    "      --factor F       multiply the limits of the column groups (default 1)\n"
    "      --gate-all DIR   judge DIR/CLIP/KIND.csv (or DIR/CLIP.csv for kind clnf) against every gold\n"
    "      --gold DIR       the golds: DIR/CLIP/KIND.csv.zst\n"
    "      --json           figures as JSON\n"
    "      --provenance     what differs in where two CSVs (or their .json files) come from; exit 1 if it decides on their numbers\n"
    "      --tolerances     print the limits\n"
    "  -q, --quiet          errors only\n"
    "  -v, --verbose        more messages\n"
    "  -h, --help           this text\n"
    "      --version        version\n"
    "\n"
    "Exit status: 0 done (and within the limits), 1 gate failed or bad input, 2 wrong use, 3 this machine.\n";

enum { O_GATE = 256, O_FACTOR, O_ALL, O_GOLD, O_JSON, O_PROV, O_LIMITS, O_VERSION };
static const struct option options[] = {
    { "gate", no_argument, 0, O_GATE }, { "factor", required_argument, 0, O_FACTOR }, { "gate-all", required_argument, 0, O_ALL },
    { "gold", required_argument, 0, O_GOLD }, { "json", no_argument, 0, O_JSON }, { "provenance", no_argument, 0, O_PROV }, { "tolerances", no_argument, 0, O_LIMITS },
    { "quiet", no_argument, 0, 'q' }, { "verbose", no_argument, 0, 'v' }, { "help", no_argument, 0, 'h' },
    { "version", no_argument, 0, O_VERSION }, { 0 }
};

/* One pair. Returns the exit status. */
static int pair(const char *ref_path, const char *new_path, int gate, double factor, int json)
{
    struct fa_err e = { 0 };
    struct fa_csv ref = { 0 }, new = { 0 };
    struct fa_cmp cmp = { 0 };
    struct fa_noise noise = { 0 };
    struct fa_fails fails = { 0 };
    int status, r = fa_csv_read(&ref, ref_path, &e);
    if (r == FA_OK)
        r = fa_csv_read(&new, new_path, &e);
    if (r == FA_OK)
        r = fa_compare(&cmp, &ref, &new, &e);
    if (r == FA_OK)
        r = fa_noise_read(&noise, ref_path, &e);
    if (r == FA_OK)
        r = fa_gate(&fails, &cmp, &noise, factor, &e);
    if (r != FA_OK) {
        status = fa_error_status(&e);
        goto out;
    }
    if (json) {
        printf("{\n \"result\": ");
        fa_cmp_json(stdout, &cmp);
        printf(",\n \"fails\": ");
        fa_fails_json(stdout, &fails);
        printf("\n}\n");
    } else if (cmp.rows > 0) {
        fa_cmp_print(stdout, &cmp);
    }
    if (gate && !json) {
        printf("GATE %s", fails.n ? "FAIL: " : "ok");
        for (int i = 0; i < fails.n; i++)
            printf("%s%s", i ? "; " : "", fails.text[i]);
        printf("\n");
    }
    status = gate && fails.n > 0;
    if (cmp.rows == 0) {
        fa_error("%s and %s have no rows in common", ref_path, new_path);
        status = 1;
    }
out:
    fa_csv_close(&ref);
    fa_csv_close(&new);
    fa_cmp_close(&cmp);
    fa_noise_close(&noise);
    fa_fails_close(&fails);
    return status;
}

struct tally { int json, n, failed; };

static void one_of_all(void *self, const char *name, const struct fa_cmp *cmp, const struct fa_fails *fails)
{
    struct tally *t = self;
    t->failed += fails->n > 0;
    if (t->json) {
        printf("%s\n ", t->n ? "," : "");
        fa_string_json(stdout, name);
        printf(": {\"fails\": ");
        fa_fails_json(stdout, fails);
        printf(", \"result\": ");
        if (cmp)
            fa_cmp_json(stdout, cmp);
        else
            printf("{}");
        printf("}");
    } else {
        printf("%-4s %s", fails->n ? "FAIL" : "ok", name);
        for (int i = 0; i < fails->n && i < 6; i++)
            printf("%s%s", i ? "; " : ": ", fails->text[i]);
        printf("\n");
    }
    fflush(stdout);
    t->n++;
}

static int all(const char *dir, const char *gold, int json)
{
    struct fa_err e = { 0 };
    struct tally t = { .json = json };
    int n;
    if (json)
        printf("{");
    int r = fa_gold_gate(gold, dir, one_of_all, &t, &n, &e);
    if (json)
        printf("\n}\n");
    if (r != FA_OK)
        return fa_error_status(&e);
    if (n == 0)
        fa_die_usage("no golds found in %s", gold);
    fa_note("%d golds, %d failed", n, t.failed);
    return t.failed > 0;
}

/* Where two CSVs, given by their names or their JSONs', come from. Returns the exit status. */
static int origins(char *const path[2])
{
    struct fa_prov p[2] = { 0 };
    struct fa_err e = { 0 };
    int r = FA_OK, status = 0;
    for (int i = 0; i < 2 && r == FA_OK; i++) {
        const size_t n = strlen(path[i]);
        char *json = n > 4 && strcmp(path[i] + n - 4, ".csv") == 0 ? fa_prov_path(path[i]) : strdup(path[i]);
        r = json ? fa_prov_read(&p[i], json, &e) : fa_fail(&e, FA_E_MEM, "out of memory");
        free(json);
    }
    status = r == FA_OK ? fa_prov_differ(stdout, &p[0], &p[1], fa_msg_verbose()) > 0 : fa_error_status(&e);
    fa_prov_close(&p[0]);
    fa_prov_close(&p[1]);
    return status;
}

int main(int argc, char **argv)
{
    const char *dir = NULL, *gold = NULL;
    int gate = 0, json = 0, factored = 0, provenance = 0, o;
    double factor = 1;
    fa_msg_init("fa-compare");
    while ((o = getopt_long(argc, argv, "qvh", options, NULL)) != -1)
        switch (o) {
        case O_GATE: gate = 1; break;
        case O_FACTOR: factor = fa_opt_double("--factor", optarg, 0, 1e6); factored = 1; break;
        case O_ALL: dir = optarg; break;
        case O_GOLD: gold = optarg; break;
        case O_JSON: json = 1; break;
        case O_PROV: provenance = 1; break;
        case O_LIMITS: fa_gate_print_limits(stdout); return fa_close_stdout(0);
        case 'q': fa_msg_level(FA_QUIET); break;
        case 'v': fa_msg_level(FA_VERBOSE); break;
        case 'h': fputs(usage, stdout); return fa_close_stdout(0);
        case O_VERSION: fa_print_version(NULL);
        default: fa_die_usage("wrong option");
        }
    argc -= optind;
    argv += optind;
    if (dir) {
        if (!gold || argc || gate || factored || provenance)
            fa_die_usage("--gate-all DIR goes with --gold DIR and no files, --gate or --factor");
        return fa_close_stdout(all(dir, gold, json));
    }
    if (gold)
        fa_die_usage("--gold goes with --gate-all");
    if (argc != 2)
        fa_die_usage("two files wanted, a reference and a new one, not %d", argc);
    if (strcmp(argv[0], "-") == 0 && strcmp(argv[1], "-") == 0)
        fa_die_usage("only one of the files can be standard input");
    if (provenance && (gate || json || factored))
        fa_die_usage("--provenance goes with no --gate, --factor or --json");
    if (provenance)
        return fa_close_stdout(origins(argv));
    return fa_close_stdout(pair(argv[0], argv[1], gate, factor, json));
}
