/* SPDX-License-Identifier: BSD-2-Clause
 * CEN files by formula: the spec's (spec/landmark-models 7.9) and small ones of its kind. */
#ifndef CEN_FILE_H
#define CEN_FILE_H

#include "import_files.h"

/* Mirrored landmark of 68. */
static inline int cen_mirror(int i)
{
    static const int eye[12] = { 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40 };
    if (i <= 16) return 16 - i;
    if (i <= 26) return 43 - i;
    if (i >= 31 && i <= 35) return 66 - i;
    if (i >= 36 && i <= 47) return eye[i - 36];
    if (i >= 48 && i <= 54) return 102 - i;
    if (i >= 55 && i <= 59) return 114 - i;
    if (i >= 60 && i <= 64) return 124 - i;
    if (i >= 65) return 132 - i;
    return i;
}

static inline void put_cen_expert(struct bytes *b, int v, int l, int type, const int *size, int n_layer)
{
    put_i32(b, 6), put_i32(b, 11), put_i32(b, 11);
    put_i32(b, n_layer);
    for (int k = 0; k < n_layer; k++) {
        put_i32(b, k == 0 ? 2 : 0);
        put_mat(b, size[k + 1], 1, type);
        for (int r = 0; r < size[k + 1]; r++) {
            const double x = ((5 * r + 3 * k + l + v) % 9 - 4) / 8.0;
            if (type == 5) put_f32(b, x); else put_f64(b, x);
        }
        put_mat(b, size[k + 1], size[k], type);
        for (int r = 0; r < size[k + 1]; r++)
            for (int c = 0; c < size[k]; c++) {
                const double x = ((31 * r + 17 * c + 7 * k + 5 * l + 11 * v) % 23 - 11) / 16.0;
                if (type == 5) put_f32(b, x); else put_f64(b, x);
            }
    }
    put_f64(b, n_layer ? 0.5 + l / 1000.0 : 0.25);
}

/* The spec's file: 7 views, 68 landmarks; visible[view][landmark] as in the general CCNF file. type 5 float, 6 double. */
static inline void make_cen(struct bytes *b, const int *visible, int type)
{
    static const int yaw[7] = { 0, -20, -45, -70, 70, 45, 20 }, size[] = { 122, 5, 3, 1 }, view[7] = { 0, 6, 5, 4, 3, 2, 1 };
    put_f64(b, 0.25);
    put_i32(b, 7);
    for (int v = 0; v < 7; v++) {
        put_mat(b, 3, 1, 6);
        put_f64(b, 0), put_f64(b, yaw[v]), put_f64(b, 0);
    }
    for (int v = 0; v < 7; v++) {
        put_mat(b, 68, 1, 4);
        for (int i = 0; i < 68; i++)
            put_i32(b, visible[68 * v + i]);
    }
    put_mat(b, 68, 1, 4);
    for (int i = 0; i < 68; i++)
        put_i32(b, cen_mirror(i));
    put_mat(b, 7, 1, 4);
    for (int v = 0; v < 7; v++)
        put_i32(b, view[v]);
    for (int v = 0; v < 7; v++)
        for (int i = 0; i < 68; i++)
            put_cen_expert(b, v, i, type, size, (v == 0 ? i <= cen_mirror(i) : v <= 3 && visible[68 * v + i]) ? 3 : 0);
}

/* Two views, three landmarks; 0 and 2 mirror each other. */
static inline void make_small_cen(struct bytes *b)
{
    static const int size[] = { 122, 2, 1 };
    put_f64(b, 0.5);
    put_i32(b, 2);
    for (int v = 0; v < 2; v++) {
        put_mat(b, 3, 1, 6);
        put_f64(b, 0), put_f64(b, 20 * v), put_f64(b, 0);
    }
    for (int v = 0; v < 2; v++) {
        put_mat(b, 3, 1, 4);
        put_i32(b, 1), put_i32(b, 1), put_i32(b, 1);
    }
    put_mat(b, 3, 1, 4);
    put_i32(b, 2), put_i32(b, 1), put_i32(b, 0);
    put_mat(b, 1, 2, 4);
    put_i32(b, 0), put_i32(b, 1);
    for (int v = 0; v < 2; v++)
        for (int i = 0; i < 3; i++)
            put_cen_expert(b, v, i, 5, size, v == 0 && i == 2 ? 0 : 2);
}

#endif
