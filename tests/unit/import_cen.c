/* SPDX-License-Identifier: BSD-2-Clause
 * The reader of CEN files: what it makes of a good one, and its words about bad ones. */
#include "cen_file.h"

#include "fa_kern_cen.h"
#include "fa_test.h"
#include "import_internal.h"

static int read_bytes(const unsigned char *p, size_t n, struct fa_pack_builder *b, struct fa_err *e, int points)
{
    struct fa_in in;
    int views;
    fa_pack_begin(b);
    *e = (struct fa_err){ 0 };
    fa_in_mem(&in, "x.dat", p, n, e);
    fa_read_cen(&in, b, "main", 0, points, NULL, &views);
    return fa_in_close(&in);
}

static void a_small_file_becomes_networks_with_owners(void)
{
    struct bytes f = { 0 };
    struct fa_pack_builder b;
    struct fa_pack pack;
    struct fa_err e;
    size_t len;
    make_small_cen(&f);
    check_int("read", read_bytes(f.p, f.n, &b, &e, 3), FA_OK);
    void *mem = fa_pack_finish(&b, &len, &e);
    CHECK(mem && fa_pack_open_mem(&pack, mem, len, mem, &e) == FA_OK);
    int dim[2] = { 2, 3 }, layers[2] = { 2, 3 }, nets[2] = { 5, -1 };
    const int *index = fa_pack_need(&pack, &e, FA_I32, 2, dim, "main/experts/0/index"), *flip = fa_pack_need(&pack, &e, FA_I32, 2, dim, "main/experts/0/flip");
    const int *shape = fa_pack_need(&pack, &e, FA_I32, 2, layers, "main/experts/0/layers");
    const float *w = fa_pack_need(&pack, &e, FA_F32, 2, nets, "main/experts/0/networks");
    CHECK(index && flip && shape && w);
    static const int want_index[6] = { 0, 1, 0, 2, 3, 4 }, want_flip[6] = { 0, 0, 1, 0, 0, 0 }, want_shape[6] = { 121, 2, 2, 2, 1, 0 };
    check_bytes("index", index, want_index, sizeof want_index);
    check_bytes("flip", flip, want_flip, sizeof want_flip);
    check_bytes("layers", shape, want_shape, sizeof want_shape);
    /* Output 1 of network 1 (view 0, landmark 1): bias and constant; pixel (x 3, y 2) is input 1 + 33 + 2 there and 25 here. */
    const float *net = w + nets[1];
    check_near("bias", net[1], ((5 + 1) % 9 - 4) / 8.0 + ((31 + 5) % 23 - 11) / 16.0, 0);
    check_near("weight", net[16 + 25 * 8 + 1], ((31 + 17 * 36 + 5) % 23 - 11) / 16.0, 0);
    fa_pack_close(&pack);
    free(f.p);
}

static void a_file_cut_anywhere_is_refused(void)
{
    struct bytes f = { 0 };
    make_small_cen(&f);
    for (size_t n = 0; n < f.n; n += n < 400 ? 1 : 37) {
        struct fa_pack_builder b;
        struct fa_err e;
        unsigned char *part = malloc(n ? n : 1);
        memcpy(part, f.p, n);
        check_int("cut", read_bytes(part, n, &b, &e, 3), FA_E_MODEL);
        CHECK(strstr(e.text, "x.dat: byte ") != NULL);
        fa_pack_discard(&b);
        free(part);
    }
    free(f.p);
}

static void bad_numbers_are_refused_with_a_reason(void)
{
    /* Offsets in the small file: 12 centres (2 x 36), 84 visibility (2 x 24), 132 mirrors (24), 156 views (20), 176 experts. */
    enum { EXPERT = 176, LAYER = EXPERT + 16, WEIGHTS = LAYER + 4 + 12 + 8 };
    static const struct { const char *why; int at; uint32_t value; const char *words; } t[] = {
        { "no views", 8, 0, "views 0" }, { "many views", 8, 1000, "views 1000" }, { "centre not finite", 12 + 12 + 4, 0x7ff00000u, "finite" },
        { "other landmarks", 84, 4, "matrix of 4 x 1" }, { "visibility", 96, 7, "visibility 7" }, { "mirror out of range", 144, 3, "entry 3" },
        { "mirror of a mirror", 144, 1, "mirror" }, { "view table", 156 + 12, 9, "entry 9" }, { "tag", EXPERT, 5, "tag 6" },
        { "support", EXPERT + 4, 13, "13 x 11" }, { "layers", EXPERT + 12, 9, "layers 9" }, { "layers below 0", EXPERT + 12, 0xffffffffu, "layers -1" },
        { "bias size", LAYER + 4, 0x40000000u, "does not fit" }, { "bias shape", LAYER + 4, 0xfffffff0u, "bias" }, { "bias type", LAYER + 12, 4, "type 4" },
        { "bias not finite", LAYER + 16, 0x7fc00000u, "not finite" }, { "outputs", WEIGHTS, 3, "" }, { "inputs", WEIGHTS + 4, 121, "expected" },
        { "weight not finite", WEIGHTS + 12 + 40, 0xff800000u, "not finite" },
    };
    struct bytes f = { 0 };
    make_small_cen(&f);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct fa_pack_builder b;
        struct fa_err e;
        unsigned char keep[4];
        memcpy(keep, f.p + t[i].at, 4);
        fa_put_u32(f.p + t[i].at, t[i].value);
        check_int(t[i].why, read_bytes(f.p, f.n, &b, &e, 3), FA_E_MODEL);
        if (!strstr(e.text, t[i].words))
            test_fail(__FILE__, __LINE__, "%s: '%s' lacks '%s'", t[i].why, e.text, t[i].words);
        fa_pack_discard(&b);
        memcpy(f.p + t[i].at, keep, 4);
    }
    struct fa_pack_builder b;
    struct fa_err e;
    check_int("points", read_bytes(f.p, f.n, &b, &e, 68), FA_E_MODEL);
    fa_pack_discard(&b);
    free(f.p);
}

static void the_early_termination_table_has_three_numbers_a_view(void)
{
    struct fa_pack_builder b;
    struct fa_in in;
    struct fa_err e;
    static const char good[] = "1 2 0.5 0 -1 3 \n";
    for (size_t n = 0; n < sizeof good; n++) {
        fa_pack_begin(&b);
        fa_in_mem(&in, "t.txt", good, n, &e);
        fa_read_early_termination(&in, &b, "main", 2);
        check_int("table", fa_in_close_text(&in), n >= strlen("1 2 0.5 0 -1 3") ? FA_OK : FA_E_MODEL);
        fa_pack_discard(&b);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {       /* writes the fuzzer's seed */
        struct bytes f = { 0 };
        FILE *o = fopen(argv[2], "wb");
        make_small_cen(&f);
        return !o || fwrite(f.p, 1, f.n, o) != f.n || fclose(o) != 0;
    }
    RUN(a_small_file_becomes_networks_with_owners);
    RUN(a_file_cut_anywhere_is_refused);
    RUN(bad_numbers_are_refused_with_a_reason);
    RUN(the_early_termination_table_has_three_numbers_a_view);
    return test_done();
}
