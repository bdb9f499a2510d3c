/* SPDX-License-Identifier: BSD-2-Clause
 * Boxes: suppression of overlapping ones, correction by the networks' offsets, and scores (spec/detection 2.6, 3.6, 3.7). */
#include "detect_internal.h"

#include <math.h>
#include <string.h>

int truncate_zero(float v)
{
    return v > -1e9f && v < 1e9f ? (int)v : 0;
}

int round_even(float v)
{
    return v > -1e9f && v < 1e9f ? (int)lrintf(v) : 0;
}

/* e^x for |x| <= 100 from plain double operations, so that no library's choice of instructions shows in a score; relative
 * error below 1e-14. */
static double exp_plain(double x)
{
    static const double ln2_hi = 6.93147180369123816490e-01, ln2_lo = 1.90821492927058770002e-10;
    int k = (int)(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
    double r = (x - k * ln2_hi) - k * ln2_lo, sum = 1;
    for (int i = 13; i >= 1; i--)
        sum = 1 + sum * r / i;
    return ldexp(sum, k);
}

/* e^(no - yes) as the reference's float; the clamp keeps 1 + e finite. */
static float odds(float no, float yes)
{
    float d = no - yes;
    return (float)exp_plain(d < -87 ? -87 : d > 87 ? 87 : d);
}

float score_pnet(float no, float yes)
{
    return 1.0f / (1.0f + odds(no, yes));
}

float score_crop(float no, float yes)
{
    return (float)(1.0 / (1.0 + (double)odds(no, yes)));
}

/* Heap sort, rising; no allocation and no worst case. */
static void sift(uint64_t *a, size_t i, size_t n)
{
    uint64_t v = a[i];
    for (size_t k; (k = 2 * i + 1) < n; i = k) {
        if (k + 1 < n && a[k + 1] > a[k])
            k++;
        if (a[k] <= v)
            break;
        a[i] = a[k];
    }
    a[i] = v;
}

static void sort_u64(uint64_t *a, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift(a, i, n);
    for (size_t i = n; i-- > 1;) {
        uint64_t top = a[0];
        a[0] = a[i];
        a[i] = top;
        sift(a, 0, i);
    }
}

/* A float's bits, in an order that integers share. */
static uint32_t rising_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    return u & 0x80000000u ? ~u : u | 0x80000000u;
}

struct ibox { int x, y, w, h; };

static struct ibox rounded(const struct cand *c)
{
    return (struct ibox){ round_even(c->x), round_even(c->y), round_even(c->w), round_even(c->h) };
}

static int overlaps(struct ibox a, struct ibox b, float threshold, enum nms_mode mode)
{
    int x1 = a.x > b.x ? a.x : b.x, y1 = a.y > b.y ? a.y : b.y;
    int64_t x2 = a.x + (int64_t)a.w < b.x + (int64_t)b.w ? a.x + (int64_t)a.w : b.x + (int64_t)b.w;
    int64_t y2 = a.y + (int64_t)a.h < b.y + (int64_t)b.h ? a.y + (int64_t)a.h : b.y + (int64_t)b.h;
    if (x2 <= x1 || y2 <= y1)
        return 0;
    int64_t area_a = (int64_t)a.w * a.h, area_b = (int64_t)b.w * b.h;
    float both = (float)(x2 - x1) * (float)(y2 - y1);
    float base = mode == NMS_MIN ? (float)(area_a < area_b ? area_a : area_b) : (float)(area_a + area_b) - both;
    return both / base > threshold;
}

size_t nms_room_bytes(int cap)
{
    return (size_t)cap * (2 * sizeof(uint64_t) + 1);
}

void nms_room_place(struct nms_room *room, int cap, void *mem)
{
    *room = (struct nms_room){ .cap = cap, .by_score = mem };
    room->by_x = room->by_score + cap;
    room->dropped = (unsigned char *)(room->by_x + cap);
}

static int left_edge(uint64_t key)
{
    return (int)((int64_t)(key >> 32) - INT64_C(0x80000000));
}

/* First entry of by_x with left edge >= x. */
static int first_from(const uint64_t *by_x, int n, int64_t x)
{
    int lo = 0, hi = n;
    while (lo < hi) {
        int mid = lo + (hi - lo) / 2;
        if (left_edge(by_x[mid]) < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Candidates are visited by falling score, equal scores by falling index. Only boxes whose left edge lies within the widest box's
 * reach can meet the current one, so a crowd costs no square of its size. */
int nms(struct cand *out, const struct cand *in, int n, float threshold, enum nms_mode mode, struct nms_room *room)
{
    int widest = 0, kept = 0;
    for (int i = 0; i < n; i++) {
        struct ibox b = rounded(&in[i]);
        widest = b.w > widest ? b.w : widest;
        room->by_score[i] = (uint64_t)rising_bits(in[i].score) << 32 | (uint32_t)i;
        room->by_x[i] = (uint64_t)((int64_t)b.x + INT64_C(0x80000000)) << 32 | (uint32_t)i;
        room->dropped[i] = 0;
    }
    sort_u64(room->by_score, (size_t)n);
    sort_u64(room->by_x, (size_t)n);
    for (int k = n - 1; k >= 0; k--) {
        uint32_t i = (uint32_t)room->by_score[k];
        if (room->dropped[i])
            continue;
        out[kept++] = in[i];
        room->dropped[i] = 1;
        struct ibox b = rounded(&in[i]);
        int64_t end = (int64_t)b.x + b.w;
        for (int m = first_from(room->by_x, n, (int64_t)b.x - widest); m < n && left_edge(room->by_x[m]) < end; m++) {
            uint32_t j = (uint32_t)room->by_x[m];
            if (!room->dropped[j] && overlaps(b, rounded(&in[j]), threshold, mode))
                room->dropped[j] = 1;
        }
    }
    return kept;
}

void box_correct(struct cand *c, int grow)
{
    struct ibox b = rounded(c);
    float x = (float)b.x, y = (float)b.y, w = (float)(b.w + (grow != 0)), h = (float)(b.h + (grow != 0));
    float x1 = x + c->off[0] * w, y1 = y + c->off[1] * h;
    float x2 = (x + w) + w * c->off[2], y2 = (y + h) + h * c->off[3];
    c->x = x1;
    c->y = y1;
    c->w = x2 - x1;
    c->h = y2 - y1;
}

void box_square(struct cand *c)
{
    float m = c->w > c->h ? c->w : c->h;
    float x = (float)(c->x + 0.5 * (c->w - m)), y = (float)(c->y + 0.5 * (c->h - m));
    c->x = (float)truncate_zero(x);
    c->y = (float)truncate_zero(y);
    c->w = c->h = (float)truncate_zero(m);
}

void box_to_landmarks(struct cand *c, const double k[4])
{
    float w = c->w, h = c->h;
    c->x = (float)(c->x + w * k[0]);
    c->y = (float)(c->y + h * k[1]);
    c->w = (float)(k[2] * w);
    c->h = (float)(k[3] * h);
}

int fa_face_widest(const struct fa_face_box *box, int n)
{
    int best = -1;
    for (int i = 0; i < n; i++)
        if (best < 0 || box[i].w > box[best].w)
            best = i;
    return best;
}
