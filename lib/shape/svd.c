/* SPDX-License-Identifier: BSD-2-Clause
 * Singular vectors of 2 x 2 and 3 x 3 matrices by one-sided Jacobi rotations with the reference's roundings (LM 4.2 d). With
 * them similarities and rotation updates come out bit by bit, which methods that are as exact do not. */
#include "shape_internal.h"

#include <float.h>
#include <math.h>

enum { MAX_SWEEPS = 30 };

#define REAL float
#define SVD_NAME(x) x##_f32
#define SVD_SMALL (2 * FLT_EPSILON)
#include "svd_body.h"
#undef REAL
#undef SVD_NAME
#undef SVD_SMALL

#define REAL double
#define SVD_NAME(x) x##_f64
#define SVD_SMALL (10 * DBL_EPSILON)
#include "svd_body.h"
