/* SPDX-License-Identifier: BSD-2-Clause
 * Reader of the reference's intermediate values (shared/dumps) for the stage tests. The folder is $FA_SHARED, else ../shared
 * beside the project; where it is absent, dump_open returns 0 and the test skips. */
#ifndef FA_DUMP_H
#define FA_DUMP_H

#include <stddef.h>
#include <stdint.h>

struct dump_row {
    char name[96], part[24];
    int frame, scale, iter;
    char type;             /* 'f' f32, 'd' f64, 'u' u8, 'i' i32 */
    int ndim, dim[4];
    size_t n;              /* elements */
    const void *data;      /* aligned copy; index by the type below */
};
struct dump { int n; struct dump_row *row; unsigned char *data; };

const char *shared_dir(void);                            /* NULL when absent */
/* Path below shared/, in a static ring of buffers; NULL when absent. */
const char *shared_path(const char *rel);
int dump_open(struct dump *d, const char *case_name);    /* "default_wmv"; 1 done, 0 absent */
void dump_close(struct dump *d);
/* First row with this name at or after index from whose part, scale and iteration match; NULL part and -2 numbers match anything. NULL: none. */
const struct dump_row *dump_find(const struct dump *d, int from, const char *name, int frame, const char *part, int scale, int iter);
static inline int dump_index(const struct dump *d, const struct dump_row *r) { return (int)(r - d->row); }
static inline const float *dump_f32(const struct dump_row *r) { return r && r->type == 'f' ? r->data : 0; }
static inline const double *dump_f64(const struct dump_row *r) { return r && r->type == 'd' ? r->data : 0; }
static inline const uint8_t *dump_u8(const struct dump_row *r) { return r && r->type == 'u' ? r->data : 0; }
static inline const int32_t *dump_i32(const struct dump_row *r) { return r && r->type == 'i' ? r->data : 0; }

#endif
