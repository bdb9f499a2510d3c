/* SPDX-License-Identifier: BSD-2-Clause
 * The neurons of a CCNF expert with one window a lane, written once for 8 and for 16 lanes. The file that includes it
 * defines V (the vector), LANES, OP(f) (the intrinsic f for V) and NAME(f).
 *
 * Windows are numbered row by row, p = y*w + x. Tap (ty, tx) of window p is pixel (y+ty, x+tx) of the area; with the columns
 * tx .. tx+w-1 of the area stored densely in a plane of row length w it is plane[tx][p + ty*w]: neighbouring windows are
 * neighbours in memory, and one load serves a vector of windows whatever w is. */

/* Registers: 7 neurons x 3 vectors of windows make 21 sums; loops of constant length must be unrolled to live in them. */
#define UNROLL _Pragma("GCC unroll 8")

/* Mean of the windows p .. p + nv*LANES - 1 and the reciprocal of the norm of what differs from it. */
static inline __attribute__((always_inline)) void NAME(norms)(float *mean, float *inv, const float *planes, int plane, int w, int p,
                                                              const int nv)
{
    V sum[6], square[6];
    UNROLL for (int v = 0; v < nv; v++)
        sum[v] = square[v] = OP(setzero)();
    for (int y = 0; y < FA_CCNF_SUPPORT; y++)
        for (int x = 0; x < FA_CCNF_SUPPORT; x++) {
            const float *px = planes + x * plane + y * w + p;
            UNROLL for (int v = 0; v < nv; v++)
                sum[v] = OP(add)(sum[v], OP(loadu)(px + v * LANES));
        }
    UNROLL for (int v = 0; v < nv; v++)
        sum[v] = OP(div)(sum[v], OP(set1)(FA_CCNF_TAPS));
    for (int x = 0; x < FA_CCNF_SUPPORT; x++)
        for (int y = 0; y < FA_CCNF_SUPPORT; y++) {
            const float *px = planes + x * plane + y * w + p;
            UNROLL for (int v = 0; v < nv; v++) {
                const V d = OP(sub)(OP(loadu)(px + v * LANES), sum[v]);
                square[v] = OP(add)(square[v], OP(mul)(d, d));
            }
        }
    UNROLL for (int v = 0; v < nv; v++) {
        OP(storeu)(mean + v * LANES, sum[v]);
        /* A flat window has only zeros to divide: any finite factor does. */
        OP(storeu)(inv + v * LANES, OP(div)(OP(set1)(1), OP(max)(OP(sqrt)(square[v]), OP(set1)(FLT_MIN))));
    }
}

/* All windows: up to six chains of additions at a time, in equal shares. */
static inline void NAME(all_norms)(float *mean, float *inv, const float *planes, int plane, int w)
{
    const int n = (w * w + LANES - 1) / LANES, groups = (n + 5) / 6;
    for (int g = 0; g < groups; g++) {
        const int i = n * g / groups, some = n * (g + 1) / groups - i, p = i * LANES;
        switch (some) {
        case 1: NAME(norms)(mean + p, inv + p, planes, plane, w, p, 1); break;
        case 2: NAME(norms)(mean + p, inv + p, planes, plane, w, p, 2); break;
        case 3: NAME(norms)(mean + p, inv + p, planes, plane, w, p, 3); break;
        case 4: NAME(norms)(mean + p, inv + p, planes, plane, w, p, 4); break;
        case 5: NAME(norms)(mean + p, inv + p, planes, plane, w, p, 5); break;
        default: NAME(norms)(mean + p, inv + p, planes, plane, w, p, 6);
        }
    }
}

/* Adds nk neurons (from number k on) to r for the windows p .. p + nv*LANES - 1. */
static inline __attribute__((always_inline)) void NAME(neurons)(float *r, const float *mean, const float *inv, const float *planes,
                                                                int plane, int w, int p, const struct fa_ccnf_neurons *nn, int k,
                                                                const int nv, const int nk)
{
    V s[8][3], m[3];
    UNROLL for (int v = 0; v < nv; v++) {
        m[v] = OP(loadu)(mean + v * LANES);
        UNROLL for (int i = 0; i < nk; i++)
            s[i][v] = OP(setzero)();
    }
    const float *weight = nn->weights + k;
    for (int y = 0; y < FA_CCNF_SUPPORT; y++)
        for (int x = 0; x < FA_CCNF_SUPPORT; x++, weight += nn->kp) {
            const float *px = planes + x * plane + y * w + p;
            V d[3];
            UNROLL for (int v = 0; v < nv; v++)
                d[v] = OP(sub)(OP(loadu)(px + v * LANES), m[v]);
            UNROLL for (int i = 0; i < nk; i++) {
                const V c = OP(set1)(weight[i]);
                UNROLL for (int v = 0; v < nv; v++)
                    s[i][v] = OP(fmadd)(c, d[v], s[i][v]);
            }
        }
    UNROLL for (int v = 0; v < nv; v++) {
        const V f = OP(loadu)(inv + v * LANES), sign = OP(set1)(-0.0f);
        V total = OP(loadu)(r + v * LANES);
        UNROLL for (int i = 0; i < nk; i++) {
            const V z = OP(fmadd)(f, s[i][v], OP(set1)(nn->bias[k + i]));
            total = OP(add)(total, OP(div)(OP(set1)(nn->alpha2[k + i]), OP(add)(OP(set1)(1), NAME(exp)(OP(xor)(z, sign)))));
        }
        OP(storeu)(r + v * LANES, total);
    }
}

/* The windows p .. p + nv*LANES - 1 through all neurons, in order. r is 0 before. */
static inline __attribute__((always_inline)) void NAME(windows)(float *r, const float *mean, const float *inv, const float *planes,
                                                                int plane, int w, int p, const struct fa_ccnf_neurons *nn, const int nv)
{
    for (int k = 0; k < nn->n; k += 8) {
        if (nn->n - k == 7)
            NAME(neurons)(r, mean, inv, planes, plane, w, p, nn, k, nv, 7);
        else
            NAME(neurons)(r, mean, inv, planes, plane, w, p, nn, k, nv, 8);
    }
}

#undef UNROLL
