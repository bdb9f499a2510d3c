/* SPDX-License-Identifier: BSD-2-Clause
 * base: a spool gives back what was added, in memory, in the file, and across the two. */
#include "fa_test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fa_spool.h"

static void spool_gives_back_what_was_added(void)
{
    static const size_t block[] = { 1, 7, 64, 1000, 100000 };
    static unsigned char want[20000], got[20000];
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof want; i++)
        want[i] = (unsigned char)test_rand(&seed);
    for (size_t b = 0; b < sizeof block / sizeof *block; b++) {
        struct fa_spool s;
        struct fa_err e = { 0 };
        check_int("open", fa_spool_open(&s, block[b], &e), FA_OK);
        for (int again = 0; again < 2; again++) {
            for (size_t n = 0; n < sizeof want;) {
                size_t len = test_rand(&seed) % 300;
                len = len < sizeof want - n ? len : sizeof want - n;
                check_int("add", fa_spool_add(&s, want + n, len, &e), FA_OK);
                n += len;
            }
            check_int("size", fa_spool_size(&s), sizeof want);
            CHECK(s.used <= block[b]);
            for (int i = 0; i < 300; i++) {
                size_t at = test_rand(&seed) % sizeof want, len = test_rand(&seed) % (sizeof want - at + 1);
                check_int("read", fa_spool_read(&s, at, got, len, &e), FA_OK);
                check_bytes("bytes", got, want + at, len);
            }
            fa_spool_reset(&s);
            check_int("empty", fa_spool_size(&s), 0);
        }
        fa_spool_close(&s);
    }
}

static void missing_folder_for_temporary_files_is_an_error(void)
{
    struct fa_spool s;
    struct fa_err e = { 0 };
    setenv("TMPDIR", "/nonexistent/folder", 1);
    check_int("open", fa_spool_open(&s, 4, &e), FA_OK);
    check_int("fits", fa_spool_add(&s, "abcd", 4, &e), FA_OK);
    check_int("does not fit", fa_spool_add(&s, "e", 1, &e), FA_E_IO);
    CHECK(strstr(e.text, "/nonexistent/folder") != NULL);
    fa_spool_close(&s);
    unsetenv("TMPDIR");
}

int main(void)
{
    RUN(spool_gives_back_what_was_added);
    RUN(missing_folder_for_temporary_files_is_an_error);
    return test_done();
}
