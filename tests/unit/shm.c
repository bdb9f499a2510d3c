/* SPDX-License-Identifier: BSD-2-Clause
 * Staged images: what is published is what is attached, whatever is not ours or not sound is refused, and neither a killed loader nor
 * one that publishes and drops all the time ever shows a reader half an image. Everything happens in a folder of its own in
 * /dev/shm. */
#include "fa_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fa_model.h"
#include "fa_shm.h"

enum { N_VALUE = 200000 };
static char dir[64];
static float value[N_VALUE];

static char *in_dir(const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

/* A pack of nearly a megabyte; versions differ. */
static void make_pack(struct fa_pack *p, int version)
{
    struct fa_pack_builder b;
    struct fa_err e = { 0 };
    const int n = N_VALUE;
    size_t len;
    uint64_t seed = 7 + (uint64_t)version;
    for (int i = 0; i < N_VALUE; i++)
        value[i] = test_randf(&seed);
    fa_pack_begin(&b);
    fa_pack_add_text(&b, "test set", "meta/set");
    fa_pack_add(&b, FA_F32, 1, &n, value, "weights");
    void *mem = fa_pack_finish(&b, &len, &e);
    if (!mem || fa_pack_open_mem(p, mem, len, mem, &e) != FA_OK)
        test_fail(__FILE__, __LINE__, "%s", e.text);
}

static int publish(const struct fa_pack *p, int node, char name[FA_SHM_NAME])
{
    struct fa_err e = { 0 };
    double share;
    int r = fa_shm_publish(p, node, name, &share, &e);
    if (r < 0)
        test_fail(__FILE__, __LINE__, "%s", e.text);
    return r;
}

static int n_left(void)
{
    int n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d)) != NULL;)
        n += f->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

static void clear(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s/*", dir);
    CHECK(system(command) == 0);
}

static void an_attached_image_is_the_pack_byte_for_byte(void)
{
    struct fa_pack p, image;
    struct fa_err e = { 0 };
    struct stat st;
    char name[FA_SHM_NAME];
    make_pack(&p, 0);
    check_int("nothing staged", fa_shm_attach(&image, p.hash, &e), FA_EOF);
    check_int("published", publish(&p, FA_SHM_ANY, name), FA_SHM_NEW);
    check_int("attached", fa_shm_attach(&image, p.hash, &e), FA_OK);
    CHECK(image.len == p.len && image.hash == p.hash && image.owned == NULL);
    check_bytes("contents", image.base, p.base, p.len);
    check_str("from", image.from, in_dir(name));
    CHECK(stat(in_dir(name), &st) == 0 && (st.st_mode & 07777) == 0444 && st.st_nlink == 1);
    CHECK((size_t)st.st_blocks * 512 >= p.len);       /* all its memory is there: no later SIGBUS */
    fa_pack_close(&image);
    fa_pack_close(&p);
    clear();
}

static void an_image_that_is_there_is_kept_and_a_damaged_one_replaced(void)
{
    struct fa_pack p, image;
    struct stat first, second;
    struct fa_err e = { 0 };
    char name[FA_SHM_NAME];
    make_pack(&p, 0);
    publish(&p, FA_SHM_ANY, name);
    CHECK(stat(in_dir(name), &first) == 0);
    check_int("again", publish(&p, FA_SHM_ANY, name), FA_SHM_WAS_THERE);
    CHECK(stat(in_dir(name), &second) == 0 && first.st_ino == second.st_ino);
    int fd = chmod(in_dir(name), 0644) == 0 ? open(in_dir(name), O_WRONLY) : -1;
    CHECK(fd >= 0 && pwrite(fd, "oops", 4, (off_t)(p.len - 4)) == 4 && close(fd) == 0);
    check_int("a damaged one", publish(&p, FA_SHM_ANY, name), FA_SHM_NEW);
    check_int("attached", fa_shm_attach(&image, p.hash, &e), FA_OK);
    check_int("sound", fa_pack_verify(&image, &e), FA_OK);
    fa_pack_close(&image);
    fa_pack_close(&p);
    clear();
}

static void versions_live_side_by_side(void)
{
    struct fa_pack p[2], image;
    struct fa_err e = { 0 };
    char name[2][FA_SHM_NAME];
    for (int i = 0; i < 2; i++) {
        make_pack(&p[i], i);
        publish(&p[i], FA_SHM_ANY, name[i]);
    }
    CHECK(p[0].hash != p[1].hash && strcmp(name[0], name[1]) != 0);
    for (int i = 0; i < 2; i++) {
        check_int("attached", fa_shm_attach(&image, p[i].hash, &e), FA_OK);
        check_bytes("its own", image.base, p[i].base, p[i].len);
        fa_pack_close(&image);
        fa_pack_close(&p[i]);
    }
    clear();
}

/* --- Refused ---------------------------------------------------------------------------------------------------------------- */

static void overwrite(const char *path, long at, const char *bytes, size_t n)
{
    int fd = open(path, O_WRONLY);
    CHECK(fd >= 0 && pwrite(fd, bytes, n, at) == (ssize_t)n && close(fd) == 0);
}

static void cut_short(const char *path) { CHECK(truncate(path, 100000) == 0); }
static void cut_to_nothing(const char *path) { CHECK(truncate(path, 0) == 0); }
static void grown(const char *path) { CHECK(truncate(path, 4 << 20) == 0); }
static void other_magic(const char *path) { overwrite(path, 0, "X", 1); }
static void other_version(const char *path) { overwrite(path, 8, "\7", 1); }
static void bad_table(const char *path) { overwrite(path, 64 + 20, "#", 1); }
static void all_may_write(const char *path) { CHECK(chmod(path, 0666) == 0); }
static void group_may_write(const char *path) { CHECK(chmod(path, 0664) == 0); }
static void a_link(const char *path) { CHECK(rename(path, in_dir("elsewhere")) == 0 && symlink("elsewhere", path) == 0); }
static void a_pipe(const char *path) { CHECK(unlink(path) == 0 && mkfifo(path, 0444) == 0); }
static void a_folder(const char *path) { CHECK(unlink(path) == 0 && mkdir(path, 0755) == 0); }
static void of_another_user(const char *path) { CHECK(chown(path, 4321, (gid_t)-1) == 0); }
static void another_pack(const char *path)
{
    struct fa_pack other;
    make_pack(&other, 1);
    CHECK(unlink(path) == 0 && fa_pack_save(&other, path, NULL) == FA_OK);
    fa_pack_close(&other);
}

static void whatever_is_not_ours_or_not_sound_is_refused_and_the_file_used(void)
{
    static const struct { const char *why; void (*spoil)(const char *path); const char *words; int root; } t[] = {
        { "cut short", cut_short, "cut short", 0 }, { "empty", cut_to_nothing, "it is empty", 0 }, { "grown", grown, "cut short", 0 },
        { "magic", other_magic, "not a model pack", 0 }, { "version", other_version, "damaged header", 0 },
        { "table", bad_table, "damaged table", 0 }, { "world-writable", all_may_write, "others may write it (mode 0666)", 0 },
        { "group-writable", group_may_write, "others may write it (mode 0664)", 0 }, { "symbolic link", a_link, "symbolic links", 0 },
        { "named pipe", a_pipe, "not a plain file", 0 }, { "folder", a_folder, "not a plain file", 0 },
        { "another pack", another_pack, "it is another pack", 0 }, { "another user's", of_another_user, "it belongs to user 4321", 1 },
    };
    struct fa_pack p, image;
    char file[100];
    make_pack(&p, 0);
    snprintf(file, sizeof file, "%s/model.pack", dir);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fa_err e = { 0 };
        char name[FA_SHM_NAME], path[300];
        if (t[i].root && geteuid() != 0)
            continue;
        CHECK(fa_pack_save(&p, file, NULL) == FA_OK);
        publish(&p, FA_SHM_ANY, name);
        snprintf(path, sizeof path, "%s", in_dir(name));
        check_int(t[i].why, fa_shm_open(&image, file, &e), FA_OK);
        check_str(t[i].why, image.from, path);
        fa_pack_close(&image);
        chmod(path, 0644);
        t[i].spoil(path);
        check_int(t[i].why, fa_shm_attach(&image, p.hash, &e), FA_E_MODEL);
        if (!strstr(e.text, t[i].words))
            test_fail(__FILE__, __LINE__, "%s: '%s' lacks '%s'", t[i].why, e.text, t[i].words);
        check_int(t[i].why, fa_shm_open(&image, file, &e), FA_OK);
        if (strncmp(image.from, file, strlen(file)) != 0 || !strstr(image.from, t[i].words))
            test_fail(__FILE__, __LINE__, "%s: from '%s'", t[i].why, image.from);
        check_bytes(t[i].why, image.base, p.base, p.len);
        fa_pack_close(&image);
        clear();
    }
    fa_pack_close(&p);
}

static void use_shared_memory_0_reads_the_file(void)
{
    struct fa_pack p, image;
    struct fa_err e = { 0 };
    char name[FA_SHM_NAME], file[100];
    make_pack(&p, 0);
    snprintf(file, sizeof file, "%s/model.pack", dir);
    CHECK(fa_pack_save(&p, file, NULL) == FA_OK);
    publish(&p, FA_SHM_ANY, name);
    setenv("USE_SHARED_MEMORY", "0", 1);
    check_int("attach", fa_shm_attach(&image, p.hash, &e), FA_EOF);
    check_int("open", fa_shm_open(&image, file, &e), FA_OK);
    check_str("from", image.from, file);
    fa_pack_close(&image);
    unsetenv("USE_SHARED_MEMORY");
    fa_pack_close(&p);
    clear();
}

static void ones_own_nodes_image_comes_first_and_others_are_better_than_none(void)
{
    struct fa_pack p, image;
    struct fa_err e = { 0 };
    char any[FA_SHM_NAME], node[FA_SHM_NAME];
    make_pack(&p, 0);
    setenv("USE_NUMA", "0", 1);                       /* then ours is node 0 on every machine */
    publish(&p, FA_SHM_ANY, any);
    publish(&p, 0, node);
    check_int("both", fa_shm_attach(&image, p.hash, &e), FA_OK);
    check_str("node 0's", image.from, in_dir(node));
    fa_pack_close(&image);
    CHECK(unlink(in_dir(node)) == 0);
    check_int("one", fa_shm_attach(&image, p.hash, &e), FA_OK);
    check_str("the other", image.from, in_dir(any));
    fa_pack_close(&image);
    unsetenv("USE_NUMA");
    fa_pack_close(&p);
    clear();
}

static void float16_is_staged_as_it_is_used(void)
{
    struct fa_pack_builder b;
    struct fa_pack wide, image;
    struct fa_err e = { 0 };
    struct fa_tensor t;
    char file[100], name[FA_SHM_NAME];
    static const unsigned char half[6] = { 0x00, 0x3c, 0x00, 0xc0, 0x00, 0x38 };      /* 1, -2, 0.5 */
    const int n = 3;
    size_t len;
    snprintf(file, sizeof file, "%s/half.pack", dir);
    fa_pack_begin(&b);
    fa_pack_add(&b, FA_H32, 1, &n, half, "weights");
    void *mem = fa_pack_finish(&b, &len, &e);
    CHECK(mem && fa_pack_open_mem(&image, mem, len, mem, &e) == FA_OK && fa_pack_save(&image, file, &e) == FA_OK);
    const uint64_t hash = image.hash;
    fa_pack_close(&image);
    check_int("file", fa_pack_open(&wide, file, &e), FA_OK);
    CHECK(wide.hash == hash && wide.owned != NULL);
    publish(&wide, FA_SHM_ANY, name);
    check_int("again", publish(&wide, FA_SHM_ANY, name), FA_SHM_WAS_THERE);
    check_int("staged", fa_shm_open(&image, file, &e), FA_OK);
    check_str("from", image.from, in_dir(name));
    CHECK(image.hash == hash && image.owned == NULL);
    CHECK(fa_pack_find(&image, &t, "weights") && t.type == FA_F32 && t.n == 3);
    static const float want[3] = { 1, -2, 0.5f };
    check_f32_bits("values", t.data, want, 3);
    fa_pack_close(&image);
    fa_pack_close(&wide);
    clear();
}

/* --- Lists and drops ---------------------------------------------------------------------------------------------------------- */

static void lists_name_images_and_who_maps_them(void)
{
    struct fa_pack p, image;
    struct fa_shm_image *list;
    struct fa_err e = { 0 };
    char name[FA_SHM_NAME];
    int n, ready[2], go[2];
    make_pack(&p, 0);
    publish(&p, FA_SHM_ANY, name);
    static const char *const others[] = { "fa-model-", "fa-model-0123-u0-any", "fa-model-0123456789abcdef-u0-node", "fa-model-0123456789abcdef-u0-any~", "x" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        CHECK(close(open(in_dir(others[i]), O_CREAT | O_WRONLY, 0644)) == 0);
    CHECK(pipe(ready) == 0 && pipe(go) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        char c = fa_shm_attach(&image, p.hash, &e) == FA_OK ? 'y' : 'n';
        if (write(ready[1], &c, 1) != 1 || read(go[0], &c, 1) < 0)
            _exit(1);
        _exit(0);
    }
    char c = 0;
    CHECK(read(ready[0], &c, 1) == 1 && c == 'y');
    check_int("list", fa_shm_list(&list, &n, 1, 1, &e), FA_OK);
    check_int("one image", n, 1);
    check_str("name", list[0].name, name);
    check_str("set", list[0].set, "test set");
    CHECK(list[0].size == p.len && list[0].hash == p.hash && list[0].node == FA_SHM_ANY && list[0].uid == geteuid());
    check_int("usable", list[0].refused.code, FA_OK);
    check_int("one process", list[0].n_pid, 1);
    CHECK(list[0].pid[0] == (long)pid);
    check_int("drop", fa_shm_drop(&list[0], &e), FA_OK);
    check_int("drop again", fa_shm_drop(&list[0], &e), FA_OK);
    free(list);
    CHECK(write(go[1], "x", 1) == 1);
    waitpid(pid, NULL, 0);
    close(ready[0]), close(ready[1]), close(go[0]), close(go[1]);
    fa_pack_close(&p);
    clear();
}

static void an_image_dropped_in_use_stays_with_its_users(void)
{
    struct fa_pack p, image, again;
    struct fa_shm_image *list;
    struct fa_err e = { 0 };
    char name[FA_SHM_NAME];
    int n;
    make_pack(&p, 0);
    publish(&p, FA_SHM_ANY, name);
    check_int("attach", fa_shm_attach(&image, p.hash, &e), FA_OK);
    CHECK(fa_shm_list(&list, &n, 0, 0, &e) == FA_OK && n == 1 && fa_shm_drop(&list[0], &e) == FA_OK);
    free(list);
    check_int("nothing left", n_left(), 0);
    check_int("gone for others", fa_shm_attach(&again, p.hash, &e), FA_EOF);
    check_int("still sound", fa_pack_verify(&image, &e), FA_OK);
    fa_pack_close(&image);
    fa_pack_close(&p);
}

/* --- Many processes ------------------------------------------------------------------------------------------------------------ */

/* Attaches again and again; each time there is the whole pack or nothing. 0, 2 when it never was there, 1 when it was anything else. */
static int reader(const struct fa_pack *p, int times)
{
    int found = 0;
    for (int i = 0; i < times; i++) {
        struct fa_pack image;
        struct fa_err e = { 0 };
        int r = fa_shm_attach(&image, p->hash, &e);
        if (r == FA_EOF)
            continue;
        if (r != FA_OK || image.len != p->len || fa_pack_verify(&image, &e) != FA_OK)
            return 1;
        fa_pack_close(&image);
        found++;
    }
    return found ? 0 : 2;
}

static int loader(const struct fa_pack *p)
{
    for (;;) {
        struct fa_shm_image *list;
        struct fa_err e = { 0 };
        char name[FA_SHM_NAME];
        int n;
        if (fa_shm_publish(p, FA_SHM_ANY, name, NULL, &e) < 0 || fa_shm_list(&list, &n, 0, 0, &e) != FA_OK)
            return 1;
        nanosleep(&(struct timespec){ 0, 500000 }, NULL);
        for (int i = 0; i < n; i++)
            fa_shm_drop(&list[i], &e);
        free(list);
    }
}

static void two_hundred_readers_never_see_half_an_image(void)
{
    enum { N_READER = 200, N_LOADER = 2 };
    struct fa_pack p;
    pid_t pid[N_READER + N_LOADER];
    int bad = 0, found = 0;
    make_pack(&p, 0);
    for (int i = 0; i < N_READER + N_LOADER; i++)
        if ((pid[i] = fork()) == 0)
            _exit(i < N_LOADER ? loader(&p) : reader(&p, 20));
    for (int i = N_LOADER; i < N_READER + N_LOADER; i++) {
        int status;
        waitpid(pid[i], &status, 0);
        bad += !WIFEXITED(status) || WEXITSTATUS(status) == 1;
        found += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    for (int i = 0; i < N_LOADER; i++) {
        int status;
        bad += waitpid(pid[i], &status, WNOHANG) != 0;    /* a loader ends only when something fails */
        kill(pid[i], SIGKILL);
        waitpid(pid[i], &status, 0);
    }
    check_int("failures", bad, 0);
    CHECK(found > 0);
    test_note("readers that found the image", found, "of 200");
    CHECK(n_left() <= 1);
    fa_pack_close(&p);
    clear();
}

static void a_killed_loader_leaves_nothing_or_a_whole_image(void)
{
    struct fa_pack p, image;
    uint64_t seed = 99;
    int finished = 0;
    make_pack(&p, 0);
    for (int i = 0; i < 100; i++) {
        struct fa_err e = { 0 };
        char name[FA_SHM_NAME];
        pid_t pid = fork();
        if (pid == 0) {
            fa_shm_publish(&p, FA_SHM_ANY, name, NULL, &e);
            pause();
        }
        nanosleep(&(struct timespec){ 0, (long)(test_rand(&seed) % 3000000) }, NULL);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        int r = fa_shm_attach(&image, p.hash, &e), left = n_left();
        if (!(r == FA_EOF && left == 0) && !(r == FA_OK && left == 1 && fa_pack_verify(&image, &e) == FA_OK))
            test_fail(__FILE__, __LINE__, "round %d: attach %d, %d files: %s", i, r, left, e.text);
        finished += r == FA_OK;
        fa_pack_close(&image);
        publish(&p, FA_SHM_ANY, name);
        clear();
    }
    test_note("loaders that had finished when killed", finished, "of 100");
    fa_pack_close(&p);
}

int main(void)
{
    snprintf(dir, sizeof dir, "/dev/shm/fa-test-shm.XXXXXX");
    if (!mkdtemp(dir)) {
        printf("SKIP shm: /dev/shm cannot be written\n");
        return 0;
    }
    setenv("FA_SHM_DIR", dir, 1);
    unsetenv("USE_SHARED_MEMORY");
    RUN(an_attached_image_is_the_pack_byte_for_byte);
    RUN(an_image_that_is_there_is_kept_and_a_damaged_one_replaced);
    RUN(versions_live_side_by_side);
    RUN(whatever_is_not_ours_or_not_sound_is_refused_and_the_file_used);
    RUN(use_shared_memory_0_reads_the_file);
    RUN(ones_own_nodes_image_comes_first_and_others_are_better_than_none);
    RUN(float16_is_staged_as_it_is_used);
    RUN(lists_name_images_and_who_maps_them);
    RUN(an_image_dropped_in_use_stays_with_its_users);
    RUN(two_hundred_readers_never_see_half_an_image);
    RUN(a_killed_loader_leaves_nothing_or_a_whole_image);
    rmdir(dir);
    return test_done();
}
