/* SPDX-License-Identifier: BSD-2-Clause
 * model: a pack gives back what was put in, and refuses everything else. */
#include "fa_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "fa_le.h"
#include "fa_model.h"

static unsigned char *small_pack(size_t *len)
{
    struct fa_pack_builder b;
    struct fa_err e;
    float f[6] = { 1, 2, 3, 4, 5, 6 };
    fa_pack_begin(&b);
    fa_pack_add(&b, FA_F32, 2, (int[]){ 2, 3 }, f, "b/%d", 7);
    fa_pack_add_text(&b, "hello", "a");
    fa_pack_add(&b, FA_F64, 1, (int[]){ 0 }, f, "empty");
    return fa_pack_finish(&b, len, &e);
}

static void pack_gives_back_what_was_put_in(void)
{
    size_t len;
    struct fa_pack p;
    struct fa_err e;
    unsigned char *mem = small_pack(&len);
    check_int("open", fa_pack_open_mem(&p, mem, len, mem, &e), FA_OK);
    check_int("verify", fa_pack_verify(&p, &e), FA_OK);
    int dim[2] = { 2, -1 };
    const float *f = fa_pack_need(&p, &e, FA_F32, 2, dim, "b/%d", 7);
    CHECK(f && dim[1] == 3 && f[5] == 6 && (uintptr_t)f % 64 == 0);
    struct fa_tensor t;
    CHECK(fa_pack_find(&p, &t, "a") && t.n == 5 && memcmp(t.data, "hello", 5) == 0);
    CHECK(fa_pack_find(&p, &t, "empty") && t.n == 0);
    CHECK(!fa_pack_find(&p, &t, "none"));
    dim[0] = 3;
    CHECK(fa_pack_need(&p, &e, FA_F32, 2, dim, "b/7") == NULL && e.code == FA_E_MODEL);
    CHECK(fa_pack_need(&p, &e, FA_F64, 2, (int[]){ -1, -1 }, "b/7") == NULL);
    fa_pack_close(&p);
}

/* float16 in a file comes out as float and double with the same values, under the file's hash. */
static void float16_is_widened_when_a_file_is_opened(void)
{
    const unsigned short half[8] = { 0x3e00, 0xc000, 0x0001, 0x7bff, 0x8000, 0x83ff, 0x0400, 0xfc00 };
    const double want[8] = { 1.5, -2, 0x1p-24, 65504, -0.0, -1023 * 0x1p-24, 0x1p-14, -INFINITY };
    struct fa_pack_builder b;
    struct fa_pack p, narrow;
    struct fa_err e;
    size_t len;
    char path[] = "/tmp/fa-pack-XXXXXX";
    int fd = mkstemp(path);
    fa_pack_begin(&b);
    fa_pack_add(&b, FA_H32, 1, (int[]){ 8 }, half, "single");
    fa_pack_add(&b, FA_H64, 2, (int[]){ 4, 2 }, half, "twice");
    fa_pack_add_text(&b, "hello", "a");
    void *mem = fa_pack_finish(&b, &len, &e);
    check_int("in memory", fa_pack_open_mem(&narrow, mem, len, mem, &e), FA_OK);
    check_int("save", fa_pack_save(&narrow, path, &e), FA_OK);
    check_int("open", fa_pack_open(&p, path, &e), FA_OK);
    const float *f = fa_pack_need(&p, &e, FA_F32, 1, (int[]){ 8 }, "single");
    const double *d = fa_pack_need(&p, &e, FA_F64, 2, (int[]){ 4, 2 }, "twice");
    CHECK(f && d && p.hash == narrow.hash && fa_pack_verify(&p, &e) == FA_OK);
    for (int i = 0; f && d && i < 8; i++)
        CHECK(f[i] == want[i] && d[i] == want[i] && !signbit(f[i]) == !signbit(want[i]));
    fa_pack_close(&p);
    fa_pack_close(&narrow);
    close(fd);
    unlink(path);
}

/* Cutting anywhere or flipping any byte of header and table is refused at opening; of the data, by verify. */
static void damaged_packs_are_refused(void)
{
    size_t len;
    struct fa_pack p;
    struct fa_err e;
    unsigned char *mem = small_pack(&len);
    size_t table_end = 64 + 3 * 128;
    for (size_t n = 0; n < len; n += 7)
        check_int("cut", fa_pack_open_mem(&p, mem, n, NULL, &e), FA_E_MODEL);
    for (size_t i = 0; i < len; i++) {
        mem[i] ^= 0x10;
        int r = fa_pack_open_mem(&p, mem, len, NULL, &e);
        if (i < table_end)
            check_int("flip in header or table", r, FA_E_MODEL);
        else if (r == FA_OK)
            check_int("flip in data", fa_pack_verify(&p, &e), FA_E_MODEL);
        mem[i] ^= 0x10;
    }
    fa_put_u32(mem + 8, 2);
    fa_put_u64(mem + 56, XXH3_64bits(mem, 56));
    check_int("future version", fa_pack_open_mem(&p, mem, len, NULL, &e), FA_E_MODEL);
    CHECK(strstr(e.text, "version 2") != NULL);
    free(mem);
    check_int("missing file", fa_pack_open(&p, "/nonexistent/pack", &e), FA_E_MODEL);
    check_int("text file", fa_pack_open(&p, "/etc/passwd", &e), FA_E_MODEL);
}

static void builder_refuses_double_and_bad_names(void)
{
    struct fa_pack_builder b;
    struct fa_err e;
    size_t len;
    fa_pack_begin(&b);
    fa_pack_add_text(&b, "x", "same");
    fa_pack_add_text(&b, "y", "same");
    CHECK(fa_pack_finish(&b, &len, &e) == NULL);
    fa_pack_begin(&b);
    fa_pack_add_text(&b, "x", "%080d", 1);
    CHECK(fa_pack_finish(&b, &len, &e) == NULL);
}

int main(void)
{
    RUN(pack_gives_back_what_was_put_in);
    RUN(float16_is_widened_when_a_file_is_opened);
    RUN(damaged_packs_are_refused);
    RUN(builder_refuses_double_and_bad_names);
    return test_done();
}
