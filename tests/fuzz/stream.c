/* SPDX-License-Identifier: BSD-2-Clause
 * Fuzzer of the record stream: reader, rules of order, decoders, text view, and the loop of the stages. Each input is read as
 * it is (plain or zstd), and once more with the checks of its records made right, since a fuzzer cannot guess an XXH3. The input is no
 * pipe, so no reference in it may ever be followed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "fa_file.h"
#include "fa_le.h"
#include "fa_ring.h"
#include "fa_show.h"
#include "fa_stream.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

/* Decodes and shows a record from memory of just its size, so that reading past its end is seen. */
static void use(FILE *sink, const struct fa_rec *rec)
{
    struct fa_rec r = *rec;
    unsigned char *copy = malloc(rec->len + 1);
    struct fa_ref_text t;
    struct fa_err e;
    if (rec->loan)
        abort();
    if (!copy)
        return;
    unsigned char *exact = realloc(copy, rec->len ? rec->len : 1);
    memcpy(exact, rec->data, rec->len);
    r.data = exact;
    int code = fa_rec_check(&r, &e), shown = fa_show(sink, &r, FA_SHOW_JSON_PIXELS, &e);
    if (code != shown || fa_show(sink, &r, FA_SHOW_TEXT, &e) != code)
        abort();
    fa_get_ref(&t, &r, &e);
    free(exact);
}

static int record(void *self, struct fa_writer *w, const struct fa_rec *rec, struct fa_err *e)
{
    struct fa_err ignored;
    use(self, rec);
    if (rec->type == FA_REC_CLIP && fa_put_clip_line(w, rec, "fuzz", &ignored) == FA_OK)
        return FA_OK;
    return fa_put_rec(w, rec, e);
}

/* Through a stage; what it writes must be whole, whatever came in. */
static void run(FILE *sink, const unsigned char *data, size_t n)
{
    struct fa_stage s = { "fuzz", sink, record, NULL };
    struct fa_reader *r;
    struct fa_writer *w;
    struct fa_rec rec;
    struct fa_err e;
    int in = memfd_create("in", 0), out = memfd_create("out", 0), code, any = 0;
    if (in < 0 || out < 0 || fa_write_full(in, data, n, &e) != FA_OK || lseek(in, 0, SEEK_SET) != 0 ||
        fa_reader_open(&r, in, "-", &e) != FA_OK || fa_writer_open(&w, out, 0, &e) != FA_OK)
        abort();
    int status = fa_stage_run(&s, r, w, &e);
    if (fa_writer_close(w, NULL) != FA_OK || status < 0 || status > 3 || (e.code < 0 && status == 0))
        abort();
    fa_reader_close(r);
    lseek(out, 0, SEEK_SET);
    if (fa_reader_open(&r, out, "out", &e) != FA_OK)
        abort();
    while ((code = fa_reader_next(r, &rec, &e)) == FA_OK)
        any = 1;
    if (any && code != FA_EOF)
        abort();
    fa_reader_close(r);
    close(in);
    close(out);
}

static void reseal(unsigned char *p, size_t n)
{
    for (size_t at = 0; n - at >= FA_REC_HEADER;) {
        unsigned char *h = p + at;
        uint64_t len = fa_le_u64(h + 16), left = n - at - FA_REC_HEADER;
        memcpy(h, "FAR1", 4);
        if (len <= left)
            fa_put_u64(h + 40, XXH3_64bits(h + FA_REC_HEADER, (size_t)len));
        fa_put_u64(h + 56, XXH3_64bits(h, 56));
        if (len > left || (len + 63) / 64 * 64 > left)
            return;
        at += FA_REC_HEADER + (size_t)(len + 63) / 64 * 64;
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    static FILE *sink;
    if (!sink && !(sink = fopen("/dev/null", "w")))
        abort();
    run(sink, data, n);
    unsigned char *copy = malloc(n + 1);
    if (!copy)
        return 0;
    memcpy(copy, data, n);
    reseal(copy, n);
    run(sink, copy, n);
    free(copy);
    return 0;
}
