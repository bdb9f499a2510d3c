/* SPDX-License-Identifier: BSD-2-Clause
 * The figures as a table for people and as JSON with the judge's names. */
#include "fa_compare.h"

#include <math.h>

struct means { double r_mean, r_p95, r_max, min_r, agree, min_agree; };

static struct means over_aus(const struct fa_cmp *c)
{
    struct means m = { 0, -INFINITY, -INFINITY, NAN, 0, INFINITY };
    for (int i = 0; i < c->n_r; i++) {
        m.r_p95 = fmax(m.r_p95, c->r[i].d.p95);
        m.r_max = fmax(m.r_max, c->r[i].d.max);
        if (c->r[i].active)
            m.min_r = fmin(m.min_r, c->r[i].r);
    }
    for (int i = 0; i < c->n_c; i++)
        m.min_agree = fmin(m.min_agree, c->c[i].agree);
    if (c->n_r > 0)
        m.r_mean = fa_sum(&c->r[0].d.mean, (size_t)c->n_r, sizeof *c->r) / c->n_r;
    if (c->n_c > 0)
        m.agree = fa_sum(&c->c[0].agree, (size_t)c->n_c, sizeof *c->c) / c->n_c;
    return m;
}

void fa_cmp_print(FILE *f, const struct fa_cmp *c)
{
    fprintf(f, "rows %zu, success ref %zu new %zu differ %zu, compared %zu\n", c->rows, c->success_ref, c->success_new, c->success_differ, c->both);
    if (c->n_missing) {
        fprintf(f, "columns missing: %d", c->n_missing);
        for (int i = 0; i < c->n_missing && i < 5; i++)
            fprintf(f, " %s", c->missing[i]);
        fputs(c->n_missing > 5 ? " ...\n" : "\n", f);
    }
    fprintf(f, "%-11s %10s %10s %10s\n", "group", "mean", "p95", "max");
    for (int i = 0; i < c->n_group; i++) {
        const struct fa_cmp_group *g = &c->group[i];
        fprintf(f, "%-11s %10.5f %10.5f %10.5f", g->name, g->d.mean, g->d.p95, g->d.max);
        if (g->has_bias)
            fprintf(f, "   bias x %+.4f y %+.4f", g->bias_x, g->bias_y);
        fputc('\n', f);
    }
    for (int i = 0; i < c->n_r; i++) {
        const struct fa_cmp_intensity *a = &c->r[i];
        fprintf(f, "%-11s %10.5f %10.5f %10.5f   ", a->name, a->d.mean, a->d.p95, a->d.max);
        fprintf(f, a->active ? "r %.5f\n" : "inactive\n", a->r);
    }
    if (c->n_c == 0)
        return;
    int below = 0;
    fprintf(f, "AU_c agreement: mean %.5f; ", over_aus(c).agree);
    for (int i = 0; i < c->n_c; i++)
        if (c->c[i].differ)
            fprintf(f, "%s%s %.4f", below++ ? ", " : "below 1: ", c->c[i].name, c->c[i].agree);
    fprintf(f, "%s\n", below ? "" : "all rows equal");
}

void fa_string_json(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            fprintf(f, "\\%c", *s);
        else if ((unsigned char)*s < 0x20)
            fprintf(f, "\\u%04x", (unsigned)(unsigned char)*s);
        else
            fputc(*s, f);
    }
    fputc('"', f);
}

static void number(FILE *f, const char *key, double v)
{
    if (isnan(v))
        fprintf(f, "\"%s\": NaN", key);
    else if (isinf(v))
        fprintf(f, "\"%s\": %sInfinity", key, v < 0 ? "-" : "");
    else
        fprintf(f, "\"%s\": %.17g", key, v);
}

static void diff(FILE *f, const struct fa_diff *d)
{
    number(f, "mean", d->mean);
    fputs(", ", f);
    number(f, "p95", d->p95);
    fputs(", ", f);
    number(f, "max", d->max);
}

static void groups(FILE *f, const struct fa_cmp *c)
{
    fputs("  \"groups\": {", f);
    for (int i = 0; i < c->n_group; i++) {
        const struct fa_cmp_group *g = &c->group[i];
        fprintf(f, "%s\n   \"%s\": {", i ? "," : "", g->name);
        diff(f, &g->d);
        if (g->has_bias) {
            fputs(", ", f);
            number(f, "bias_x", g->bias_x);
            fputs(", ", f);
            number(f, "bias_y", g->bias_y);
        }
        fputc('}', f);
    }
    fputs("\n  }", f);
}

static void aus(FILE *f, const struct fa_cmp *c)
{
    fputs(",\n  \"AU_r\": {", f);
    for (int i = 0; i < c->n_r; i++) {
        fputs(i ? ",\n   " : "\n   ", f);
        fa_string_json(f, c->r[i].name);
        fputs(": {", f);
        diff(f, &c->r[i].d);
        fprintf(f, ", \"active\": %s", c->r[i].active ? "true" : "false");
        if (c->r[i].active) {
            fputs(", ", f);
            number(f, "r", c->r[i].r);
        }
        fputc('}', f);
    }
    fputs("\n  },\n  \"AU_c\": {", f);
    for (int i = 0; i < c->n_c; i++) {
        fputs(i ? ",\n   " : "\n   ", f);
        fa_string_json(f, c->c[i].name);
        fprintf(f, ": {\"differ\": %zu, ", c->c[i].differ);
        number(f, "agree", c->c[i].agree);
        fputc('}', f);
    }
    fputs("\n  }", f);
    const struct means m = over_aus(c);
    if (c->n_r > 0) {
        fputs(",\n  \"AU_r_all\": {", f);
        diff(f, &(struct fa_diff){ m.r_mean, m.r_p95, m.r_max });
        fputs(", ", f);
        number(f, "min_r", m.min_r);
        fputc('}', f);
    }
    if (c->n_c > 0) {
        fputs(",\n  \"AU_c_all\": {", f);
        number(f, "agree", m.agree);
        fputs(", ", f);
        number(f, "min", m.min_agree);
        fputc('}', f);
    }
}

void fa_cmp_json(FILE *f, const struct fa_cmp *c)
{
    fprintf(f, "{\n  \"rows\": %zu", c->rows);
    if (c->rows > 0) {
        fprintf(f, ",\n  \"success_ref\": %zu,\n  \"success_new\": %zu,\n  \"success_differ\": %zu,\n  \"both\": %zu,\n", c->success_ref,
                c->success_new, c->success_differ, c->both);
        groups(f, c);
        aus(f, c);
    }
    fputs("\n }", f);
}

void fa_fails_json(FILE *f, const struct fa_fails *fails)
{
    fputc('[', f);
    for (int i = 0; i < fails->n; i++) {
        fputs(i ? ",\n  " : "\n  ", f);
        fa_string_json(f, fails->text[i]);
    }
    fputs(fails->n ? "\n ]" : "]", f);
}
