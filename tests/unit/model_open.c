/* SPDX-License-Identifier: BSD-2-Clause
 * import: lists, and the store's packs: found again quickly, made anew when a file changes, harmless when nothing can be kept. */
#include "test_models.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "import_files.h"
#include "import_internal.h"

static char root[300], list[400];
static const char *cache;                /* the store shared by all tests */

static const char *at(const char *rel)
{
    static char buf[4][1200];
    static int k;
    char *p = buf[k++ % 4];
    snprintf(p, sizeof buf[0], "%s/%s", root, rel);
    return p;
}

static void write_file(const char *rel, const void *data, size_t n)
{
    char dir[500];
    struct fa_err e;
    snprintf(dir, sizeof dir, "%s", at(rel));
    *strrchr(dir, '/') = '\0';
    fa_mkdirs(dir, &e);
    FILE *f = fopen(at(rel), "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f) != 0)
        test_fail(__FILE__, __LINE__, "cannot write %s", at(rel));
}

static void write_text(const char *rel, const char *text) { write_file(rel, text, strlen(text)); }

static void write_made(const char *rel, struct bytes b)
{
    write_file(rel, b.p, b.n);
    free(b.p);
}

#define THREE(line) line line line        /* the scales that a main model must have */

/* A small model of 68 points with one part, in a tree like OpenFace's. */
static void make_tree(void)
{
    struct bytes pdm = { 0 }, part = { 0 }, a = { 0 }, c = { 0 };
    make_pdm(&pdm, 68, 3);
    make_pdm(&part, 4, 2);
    make_ccnf(&a, 68, 1, 3, 2, 0.5);
    make_ccnf(&c, 4, 2, 3, 2, 1.0);
    write_made("model/pdms/pdm.txt", pdm);
    write_made("model/part/pdm.txt", part);
    write_made("model/experts/a.txt", a);
    write_made("model/part/c.txt", c);
    write_text("model/main_tiny.txt", "LandmarkDetector second.txt\r\nLandmarkDetector_part part/main.txt left 36 0 37 3 \r\nNonsense x\n\nFaceDetConversion haar.txt");
    write_text("model/second.txt", "PDM pdms/pdm.txt\r\nTriangulations none.txt\n" THREE("PatchesCCNF experts/a.txt \n"));
    write_text("model/part/main.txt", "LandmarkDetector second.txt");
    write_text("model/part/second.txt", "PDM pdm.txt\nPatchesCCNF c.txt");
    snprintf(list, sizeof list, "%s", at("model/main_tiny.txt"));
}

/* A new, empty store; returns where its packs will be, below root. */
static const char *new_store(void)
{
    static int n;
    static char packs[60];
    snprintf(packs, sizeof packs, "store%d", n++);
    setenv("OPENFACE_MODELS_DIR", at(packs), 1);
    strcat(packs, "/2.2.0/packs");
    return packs;
}

static int count_files(const char *rel, const char *suffix)
{
    DIR *d = opendir(at(rel));
    int n = 0;
    for (struct dirent *f; d && (f = readdir(d)) != NULL;) {
        size_t len = strlen(f->d_name), k = strlen(suffix);
        n += len > k && strcmp(f->d_name + len - k, suffix) == 0;
    }
    if (d)
        closedir(d);
    return n;
}

static uint64_t open_hash(const char *model, int want, const char *words)
{
    struct fa_pack p;
    struct fa_err e = { 0 };
    int r = fa_model_open(&p, model, &e);
    uint64_t h = p.hash;
    check_int(e.text[0] ? e.text : model, r, want);
    if (words && !strstr(e.text, words))
        test_fail(__FILE__, __LINE__, "'%s' lacks '%s'", e.text, words);
    fa_pack_close(&p);
    return h;
}

/* Makes every source and the index old enough for the index to be trusted (a second apart). */
static void wait_for_the_clock(void)
{
    nanosleep(&(struct timespec){ 1, 100000000 }, NULL);
}

static double ms_since(const struct timespec *a)
{
    struct timespec b;
    clock_gettime(CLOCK_MONOTONIC, &b);
    return (double)(b.tv_sec - a->tv_sec) * 1e3 + (double)(b.tv_nsec - a->tv_nsec) / 1e6;
}

static void lists_with_crlf_blanks_and_unknown_words_are_read(void)
{
    struct fa_pack p;
    struct fa_err e = { 0 };
    struct fa_tensor t;
    new_store();
    check_int(e.text, fa_model_open(&p, list, &e), FA_OK);
    CHECK(fa_pack_find(&p, &t, "part/0/pairs") && t.dim[0] == 2);
    check_bytes("pairs", t.data, ((int32_t[]){ 36, 0, 37, 3 }), 16);
    CHECK(fa_pack_find(&p, &t, "part/0/name") && t.n == 4);
    CHECK(fa_pack_find(&p, &t, "meta/set") && t.n == 9 && memcmp(t.data, "main_tiny", 9) == 0);
    CHECK(!fa_pack_find(&p, &t, "validator/views") && !fa_pack_find(&p, &t, "mtcnn/pnet/layers") && !fa_pack_find(&p, &t, "au/triangles"));
    fa_pack_close(&p);
}

static void wrong_lists_are_refused_with_a_reason(void)
{
    static const struct { const char *file, *text, *words; } t[] = {
        { "model/x.txt", "", "no LandmarkDetector line" },
        { "model/x.txt", "hello world\n", "no LandmarkDetector line" },
        { "model/x.txt", "LandmarkDetector missing.txt\n", "missing.txt" },
        { "model/x.txt", "LandmarkDetector /etc/passwd\n", "bad file name" },
        { "model/x.txt", "LandmarkDetector second.txt\nLandmarkDetector_part part/main.txt left 1\n", "without its partner" },
        { "model/x.txt", "LandmarkDetector second.txt\nLandmarkDetector_part part/main.txt left 1 99\n", "bad pair" },
        { "model/x.txt", "LandmarkDetector second.txt\nLandmarkDetector_part part/main.txt left 1 x\n", "bad pair" },
        { "model/x.txt", "LandmarkDetector second.txt\nLandmarkDetector_part part/main.txt left 1 5\n", "pairs landmarks 1 and 5 of 68 and 4" },
        { "model/x.txt", "LandmarkDetector second.txt\nLandmarkDetector_part part/main.txt\n", "bad part line" },
        { "model/x.txt", "LandmarkDetector y.txt\n", "no PDM named" },
        { "model/y.txt", "PDM pdms/pdm.txt\n", "no patch experts named" },
        { "model/y.txt", "PDM pdms/pdm.txt\nPatchesCEN cen.dat\n", "fa-models get ceclm" },
        { "model/y.txt", "PDM pdms/pdm.txt\nPatchesCEN experts/a.txt\n" THREE("PatchesCEN experts/a.txt\n"), "mirrored landmarks" },
        { "model/y.txt", "PDM pdms/pdm.txt\n" THREE("PatchesIntensity experts/a.txt\n"), "a.txt: byte" },
        { "model/y.txt", "PDM experts/a.txt\n" THREE("PatchesCCNF experts/a.txt\n"), "a.txt: byte" },
        { "model/y.txt", "PDM part/pdm.txt\n" THREE("PatchesCCNF part/c.txt\n"), "a model of 4 points" },
        { "model/y.txt", "PDM pdms/pdm.txt\n" THREE("PatchesCCNF part/c.txt\n"), "expected 68 x 1" },
        { "model/y.txt", "PDM pdms\n" THREE("PatchesCCNF part/c.txt\n"), "not a regular file" },
        { "model/y.txt", "PDM pdms/pdm.txt\n" THREE("PatchesCEN experts/a.txt\n"), "PatchesCEN names 3 scales, expected 4" },
        { "model/y.txt", "PDM pdms/pdm.txt\n" THREE("PatchesCEN experts/a.txt\n") THREE("PatchesCCNF experts/a.txt\n"), "PatchesCEN names 3 scales" },
        { "model/y.txt", "PDM pdms/pdm.txt\n" THREE("PatchesCEN experts/a.txt\n") "PatchesCEN experts/a.txt\nPatchesCEN experts/a.txt\n", "PatchesCEN names 5 scales" },
        { "model/y.txt", "PDM pdms/pdm.txt\nPatchesCCNF experts/a.txt\n", "PatchesCCNF names 1 scales, expected 3 or 4" },
        { "model/y.txt", "PDM pdms/pdm.txt\nPatchesIntensity experts/a.txt\nPatchesIntensity experts/a.txt\n", "PatchesIntensity names 2 scales, expected 3 or 4" },
    };
    write_text("model/y.txt", "\n");
    new_store();
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        if (strcmp(t[i].file, "model/y.txt") == 0)
            write_text("model/x.txt", "LandmarkDetector y.txt\n");
        write_text(t[i].file, t[i].text);
        open_hash(at("model/x.txt"), FA_E_MODEL, t[i].words);
    }
    unlink(at("model/x.txt"));
    unlink(at("model/y.txt"));
}

static void a_list_is_packed_once_and_then_found_without_reading(void)
{
    const char *packs = new_store();
    wait_for_the_clock();
    uint64_t h = open_hash(list, FA_OK, NULL);
    check_int("packs", count_files(packs, ".pack"), 1);
    check_int("indexes", count_files(packs, ".index"), 1);
    /* Index and pack under another name: only who follows the index finds it. */
    char name[2][300] = { "", "" }, text[8192];
    DIR *d = opendir(at(packs));
    for (struct dirent *f; d && (f = readdir(d)) != NULL;)
        if (f->d_name[0] != '.')
            snprintf(name[strstr(f->d_name, ".index") != NULL], sizeof name[0], "%s/%s", packs, f->d_name);
    if (d)
        closedir(d);
    FILE *f = fopen(at(name[1]), "rb");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    text[n] = '\0';
    char *line = strstr(text, strrchr(name[0], '/') + 1);
    CHECK(line != NULL);
    if (!line)
        return;
    char old[1200];
    snprintf(old, sizeof old, "%s", at(name[0]));
    memset(line, 'o', strcspn(line, "."));
    n = strcspn(line, "\n");
    snprintf(name[0] + strlen(packs) + 1, sizeof name[0] - strlen(packs) - 1, "%.*s", (int)n, line);
    CHECK(rename(old, at(name[0])) == 0);
    write_text(name[1], text);
    struct fa_pack p;
    struct fa_err e;
    char *path = NULL;
    check_int("again", fa_model_open_list(&p, list, &path, &e), FA_OK);
    CHECK(path && strstr(path, "/oooo") && p.hash == h && p.map.len == p.len);
    fa_pack_close(&p);
    free(path);
}

static void a_changed_file_gives_another_pack_and_a_touched_one_the_same(void)
{
    const char *packs = new_store();
    uint64_t h = open_hash(list, FA_OK, NULL);
    struct bytes c = { 0 };
    make_ccnf(&c, 4, 2, 3, 2, 1.0);
    write_file("model/part/c.txt", c.p, c.n);            /* same contents, new times */
    CHECK(open_hash(list, FA_OK, NULL) == h);
    check_int("packs", count_files(packs, ".pack"), 1);
    c.p[c.n - 12] ^= 1;                                   /* same size: the last confidence or beta */
    c.p[c.n - 30] ^= 1;
    write_file("model/part/c.txt", c.p, c.n);
    CHECK(open_hash(list, FA_OK, NULL) != h);
    check_int("packs", count_files(packs, ".pack"), 2);
    free(c.p);
    make_tree();
    CHECK(open_hash(list, FA_OK, NULL) == h);
}

static void files_that_appear_beside_the_list_are_noticed(void)
{
    struct fa_tensor t;
    struct fa_pack p;
    struct fa_err e = { 0 };
    new_store();
    wait_for_the_clock();
    uint64_t h = open_hash(list, FA_OK, NULL);
    struct bytes net = { 0 };
    make_net(&net);
    write_text("model/mtcnn_detector/MTCNN_detector.txt", "PNet a.dat\nRNet a.dat\nONet a.dat\n");
    write_made("model/mtcnn_detector/a.dat", net);
    open_hash(list, FA_E_MODEL, "a.dat: byte");           /* a net for 6 x 6 pixels is none for 12 x 12 */
    unlink(at("model/mtcnn_detector/MTCNN_detector.txt"));
    struct bytes pdm = { 0 }, tri = { 0 }, svr = { 0 }, svm = { 0 };
    make_pdm(&pdm, 68, 3);
    make_triangles(&tri);
    make_predictor(&svr, 1, 0.5);
    make_predictor(&svm, 4, 0.25);
    write_made("AU_predictors/pdm.txt", pdm);
    write_made("AU_predictors/tri.txt", tri);
    write_made("AU_predictors/r.dat", svr);
    write_made("AU_predictors/c.dat", svm);
    write_text("AU_predictors/best.txt", "r.dat AU07\r\nc.dat AU12 \n\n");
    write_text("AU_predictors/main_dynamic_svms.txt", "AUPredictor best.txt\nPDM pdm.txt\nTriangulation tri.txt");
    check_int("with action units", fa_model_open(&p, list, &e), FA_OK);
    CHECK(p.hash != h && fa_pack_find(&p, &t, "au/dynamic/reg/bias"));
    /* bias - sum(mean * weight): weights 0.25 and 0.5 in turn, means 0.5 or 0.25 */
    check_near("bias of AU07", ((const double *)t.data)[0], -3 - 0.5 * 2351 * 0.75, 1e-9);
    CHECK(fa_pack_find(&p, &t, "au/dynamic/class/bias"));
    check_near("bias of AU12", ((const double *)t.data)[0], -3 - 0.25 * 2351 * 0.75, 1e-9);
    CHECK(fa_pack_find(&p, &t, "au/dynamic/reg/names") && memcmp(t.data, "AU07\0\0\0", 8) == 0);
    CHECK(fa_pack_find(&p, &t, "au/dynamic/class/values") && ((const double *)t.data)[1] == 1);
    CHECK(fa_pack_find(&p, &t, "au/dynamic/reg/dynamic") && ((const int32_t *)t.data)[0] == 1);
    fa_pack_close(&p);
    unlink(at("AU_predictors/main_dynamic_svms.txt"));
}

static void a_damaged_pack_or_index_is_made_anew(void)
{
    const char *packs = new_store();
    char path[400];
    struct fa_err e;
    wait_for_the_clock();
    uint64_t h = open_hash(list, FA_OK, NULL);
    DIR *d = opendir(at(packs));
    for (struct dirent *f; d && (f = readdir(d)) != NULL;) {
        if (f->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", packs, f->d_name);
        write_text(path, "damaged");
        CHECK(open_hash(list, FA_OK, NULL) == h);
        struct fa_map m;
        check_int("whole again", fa_map_open(&m, at(path), &e), FA_OK);
        CHECK(m.len > 100);
        fa_map_close(&m);
    }
    if (d)
        closedir(d);
}

static void a_store_that_cannot_be_written_leaves_the_pack_in_memory(void)
{
    struct fa_pack p;
    struct fa_err e = { 0 };
    char *path = (char *)"x";
    setenv("OPENFACE_MODELS_DIR", "/dev/null/store", 1);
    check_int("open", fa_model_open_list(&p, list, &path, &e), FA_OK);
    CHECK(path == NULL && p.owned != NULL);
    fa_pack_close(&p);
    unsetenv("OPENFACE_MODELS_DIR");
    char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    unsetenv("HOME");
    unsetenv("XDG_DATA_HOME");
    open_hash(list, FA_OK, NULL);
    open_hash("clnf", FA_E_MODEL, "no place for models");
    if (home)
        setenv("HOME", home, 1);
    free(home);
}

static void many_processes_at_once_get_the_same_pack(void)
{
    const char *packs = new_store();
    int bad = 0;
    pid_t pid[6];
    for (int i = 0; i < 6; i++)
        if ((pid[i] = fork()) == 0) {
            struct fa_pack p;
            struct fa_err e;
            int r = fa_model_open(&p, list, &e);
            _exit(r != FA_OK || fa_pack_verify(&p, &e) != FA_OK);
        }
    for (int i = 0; i < 6; i++) {
        int st = 1;
        waitpid(pid[i], &st, 0);
        bad += st != 0;
    }
    check_int("failures", bad, 0);
    check_int("packs", count_files(packs, ".pack"), 1);
    check_int("leftovers", count_files(packs, ""), 4);       /* . .. pack index */
}

static void names_and_folders_are_resolved_as_documented(void)
{
    struct fa_pack p;
    struct fa_err e = { 0 };
    new_store();
    unsetenv("FA_MODELS");
    open_hash(NULL, FA_E_MODEL, "run 'fa-models get clnf'");
    open_hash("clm", FA_E_MODEL, "run 'fa-models get clm'");
    open_hash("nix", FA_E_MODEL, "neither a file nor a model set");
    open_hash(at("nix"), FA_E_MODEL, "No such file");
    open_hash(at("model"), FA_E_MODEL, "holds neither a pack");
    uint64_t h = open_hash(list, FA_OK, NULL);
    /* A pack is a pack under any name; a folder may hold it under the set's. */
    check_int("open", fa_model_open(&p, list, &e), FA_OK);
    fa_mkdirs(at("packs"), &e);
    check_int("save", fa_pack_save(&p, at("packs/clnf.pack"), &e), FA_OK);
    check_int("save", fa_pack_save(&p, at("packs/anything"), &e), FA_OK);
    fa_pack_close(&p);
    CHECK(open_hash(at("packs"), FA_OK, NULL) == h && open_hash(at("packs/anything"), FA_OK, NULL) == h);
    setenv("FA_MODELS", at("packs"), 1);
    CHECK(open_hash(NULL, FA_OK, NULL) == h && open_hash("", FA_OK, NULL) == h && open_hash("clnf", FA_OK, NULL) == h);
    open_hash("clm", FA_E_MODEL, "not installed");
    setenv("FA_MODELS", at("packs/anything"), 1);
    CHECK(open_hash(NULL, FA_OK, NULL) == h);
    open_hash("clnf", FA_E_MODEL, "not installed");
    setenv("FA_MODELS", at("nowhere"), 1);
    open_hash(NULL, FA_E_MODEL, "FA_MODELS");
    unsetenv("FA_MODELS");
    rename(at("packs/clnf.pack"), at("packs/main_clnf_general-0123456789abcdef.pack"));
    CHECK(open_hash(at("packs"), FA_OK, NULL) == h);
    rename(at("packs/anything"), at("packs/main_clnf_general-0123456789abcdee.pack"));
    open_hash(at("packs"), FA_E_MODEL, "2 packs of main_clnf_general");
}

/* The figure is for people; the limit only catches a lost fast path on a loaded machine. */
static void opening_an_existing_pack_takes_milliseconds(void)
{
    struct fa_pack p;
    double best = 1e9;
    setenv("OPENFACE_MODELS_DIR", cache, 1);
    if (!test_model(&p, "clnf")) {
        test_skip("no OpenFace model files");
        return;
    }
    fa_pack_close(&p);
    for (int i = 0; i < 5; i++) {
        struct timespec a;
        clock_gettime(CLOCK_MONOTONIC, &a);
        test_model(&p, "clnf");
        double ms = ms_since(&a);
        CHECK(p.map.len > 0);
        fa_pack_close(&p);
        best = ms < best ? ms : best;
    }
    test_note("opening clnf by its list", best, "ms");
    CHECK(best < 50);
}

static int remove_tree(const char *path)
{
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    return system(command);
}

int main(void)
{
    const char *tmp = getenv("FA_TMP"), *dir = getenv("OPENFACE_MODELS_DIR");
    char *kept = strdup(dir && *dir ? dir : "build/models-cache");
    cache = kept;
    snprintf(root, sizeof root, "%s/model_open.%ld", tmp && *tmp ? tmp : "/tmp", (long)getpid());
    struct fa_err e;
    if (fa_mkdirs(root, &e) != FA_OK)
        return 1;
    make_tree();
    RUN(lists_with_crlf_blanks_and_unknown_words_are_read);
    RUN(wrong_lists_are_refused_with_a_reason);
    RUN(a_list_is_packed_once_and_then_found_without_reading);
    RUN(a_changed_file_gives_another_pack_and_a_touched_one_the_same);
    RUN(files_that_appear_beside_the_list_are_noticed);
    RUN(a_damaged_pack_or_index_is_made_anew);
    RUN(a_store_that_cannot_be_written_leaves_the_pack_in_memory);
    RUN(many_processes_at_once_get_the_same_pack);
    RUN(names_and_folders_are_resolved_as_documented);
    RUN(opening_an_existing_pack_takes_milliseconds);
    remove_tree(root);
    free(kept);
    return test_done();
}
