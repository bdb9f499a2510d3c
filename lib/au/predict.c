/* SPDX-License-Identifier: BSD-2-Clause
 * Predictor sets (spec/aus 7.1). The pack keeps them in the order of OpenFace's lists; here they are sorted by name, as the
 * columns of the output are, so that one array of values serves everything after. */
#include "fa_au.h"

#include <stdlib.h>
#include <string.h>

#include "fa_kern_linear.h"
#include "fa_model.h"

enum { ROW = FA_N_DESCRIPTOR_PADDED };

/* What the pack holds of one kind. */
struct group { int k; const unsigned char (*name)[8]; const double *weight, *bias; const int32_t *dynamic; };

static int find_group(struct group *g, const struct fa_pack *pack, const char *list, const char *kind, struct fa_err *e)
{
    int names[2] = { -1, 8 };
    g->name = fa_pack_need(pack, e, FA_U8, 2, names, "au/%s/%s/names", list, kind);
    if (!g->name)
        return FA_E_MODEL;
    g->k = names[0];
    if (g->k > FA_AU_MAX)
        return fa_fail(e, FA_E_MODEL, "au/%s/%s: %d predictors, more than %d", list, kind, g->k, FA_AU_MAX);
    int one[1] = { g->k }, weights[2] = { g->k, ROW };
    g->weight = fa_pack_need(pack, e, FA_F64, 2, weights, "au/%s/%s/weights", list, kind);
    g->bias = fa_pack_need(pack, e, FA_F64, 1, one, "au/%s/%s/bias", list, kind);
    g->dynamic = fa_pack_need(pack, e, FA_I32, 1, one, "au/%s/%s/dynamic", list, kind);
    return g->weight && g->bias && g->dynamic ? FA_OK : FA_E_MODEL;
}

/* order[i]: the entry of the pack that comes i-th by name. */
static void sort_names(int *order, const struct group *g)
{
    for (int i = 0; i < g->k; i++) {
        int at = i;
        for (; at > 0 && memcmp(g->name[order[at - 1]], g->name[i], 8) > 0; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

static void take_group(struct fa_au_set *s, int first, char (*name)[8], const int *order, const struct group *g)
{
    for (int i = 0; i < g->k; i++) {
        int from = order[i];
        memcpy(name[i], g->name[from], 8);
        name[i][7] = '\0';
        memcpy(s->weight + (size_t)(first + i) * ROW, g->weight + (size_t)from * ROW, ROW * sizeof *s->weight);
        s->bias[first + i] = g->bias[from];
        s->dynamic[first + i] = g->dynamic[from] != 0;
    }
}

int fa_au_set_open(struct fa_au_set *s, const struct fa_pack *pack, const char *list, struct fa_err *e)
{
    struct group reg = { 0 }, class = { 0 };
    int order_r[FA_AU_MAX] = { 0 }, order_c[FA_AU_MAX] = { 0 };
    *s = (struct fa_au_set){ 0 };
    if (find_group(&reg, pack, list, "reg", e) != FA_OK || find_group(&class, pack, list, "class", e) != FA_OK)
        return FA_E_MODEL;
    int cutoffs[1] = { reg.k }, values[2] = { class.k, 2 };
    const double *cutoff = fa_pack_need(pack, e, FA_F64, 1, cutoffs, "au/%s/reg/cutoff", list);
    const double(*value)[2] = fa_pack_need(pack, e, FA_F64, 2, values, "au/%s/class/values", list);
    if (!cutoff || !value)
        return FA_E_MODEL;
    s->n_r = reg.k;
    s->n_c = class.k;
    size_t bytes = (size_t)(reg.k + class.k) * ROW * sizeof *s->weight;
    s->weight = aligned_alloc(64, bytes ? bytes : 64);
    if (!s->weight)
        return fa_fail(e, FA_E_MEM, "out of memory");
    sort_names(order_r, &reg);
    sort_names(order_c, &class);
    take_group(s, 0, s->name_r, order_r, &reg);
    take_group(s, reg.k, s->name_c, order_c, &class);
    for (int i = 0; i < reg.k; i++) {
        s->cutoff[i] = cutoff[order_r[i]];
        if (s->cutoff[i] != -1 && !(s->cutoff[i] >= 0 && s->cutoff[i] <= 1)) {
            fa_au_set_close(s);
            return fa_fail(e, FA_E_MODEL, "au/%s/reg/cutoff: %g", list, cutoff[order_r[i]]);
        }
    }
    for (int i = 0; i < class.k; i++)
        memcpy(s->value[i], value[order_c[i]], sizeof s->value[i]);
    return FA_OK;
}

void fa_au_set_close(struct fa_au_set *s)
{
    free(s->weight);
    *s = (struct fa_au_set){ 0 };
}

void fa_au_static_part(double *out, const struct fa_au_set *s, const double x[FA_N_DESCRIPTOR_PADDED])
{
    int n = s->n_r + s->n_c;
    fa_kern_linear()->dots(out, s->weight, n, x, ROW);
    for (int k = 0; k < n; k++)
        out[k] += s->bias[k];
}

void fa_au_shift(double *out, const struct fa_au_set *s, const double median[FA_N_DESCRIPTOR_PADDED])
{
    const struct fa_kern_linear *kern = fa_kern_linear();
    for (int k = 0; k < s->n_r + s->n_c; k++) {
        out[k] = 0;
        if (s->dynamic[k])
            kern->dots(out + k, s->weight + (size_t)k * ROW, 1, median, ROW);
    }
}
