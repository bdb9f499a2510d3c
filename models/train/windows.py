# SPDX-License-Identifier: BSD-2-Clause
"""Windows for the face detector: squares of pictures, resized as lib/detect/sample.c does, with what the networks should answer.

A face box is the tight box of the 68 points with a quarter of its height added above (forehead). A window's label is its overlap with the
square about the face box. Faces are mirrored, turned a little, shrunk and pasted on other pictures; all windows get other light.
"""
import numpy as np
import torch
from PIL import Image
import data

SIDES = {'pnet': 12, 'rnet': 24, 'onet': 36}
LEVELS = [192, 136, 96, 68, 44]                              # crops are kept at these sizes, reduced without aliasing
BATCH = 256


class Album:
    """Pictures side by side as pixels B | G << 8 | R << 16."""

    def __init__(self, pixels, w, h):
        self.pixels = pixels.reshape(-1)
        self.w, self.h = np.asarray(w), np.asarray(h)
        self.at = np.concatenate([[0], np.cumsum(self.w.astype('i8') * self.h)])[:-1]
        self.n = len(self.w)

    @staticmethod
    def of(pictures):
        return Album(np.concatenate([packed(p).ravel() for p in pictures]), [p.shape[1] for p in pictures], [p.shape[0] for p in pictures])


def packed(bgr):
    v = bgr.astype('u4')
    return v[..., 0] | v[..., 1] << 8 | v[..., 2] << 16


def shrunk(bgr, side):
    return bgr if side == bgr.shape[1] else np.asarray(Image.fromarray(np.ascontiguousarray(bgr)).resize((side, side), Image.BILINEAR))


def face_albums(faces):
    out = []
    for side in LEVELS:
        px = data.keep(f'detector-faces-{side}', lambda: np.stack([packed(shrunk(p, side)) for p in faces.bgr()]))
        out.append(Album(np.asarray(px), [side] * faces.n, [side] * faces.n))
    return out


def taps(album, pic, x, y, black):
    """Pixels at positions that may lie outside: black there or the picture mirrored at its border."""
    w, h = album.w[pic][:, None, None].astype('i4'), album.h[pic][:, None, None].astype('i4')
    mx, my = np.abs(x), np.abs(y)
    mx = np.clip(np.minimum(mx, 2 * (w - 1) - mx), 0, w - 1)
    my = np.clip(np.minimum(my, 2 * (h - 1) - my), 0, h - 1)
    px = album.pixels[album.at[pic][:, None, None] + my.astype('i8') * w + mx]
    if black:
        px *= (x >= 0) & (y >= 0) & (x < w) & (y < h)
    return px


def sample(album, pic, x, y, side, n, turn=None, flip=None, black=False):
    """Windows n x n as the engine resizes them: [N, 3, n, n], R, G, B, 0..255, and where they lie on the picture [N, 1, n, n].
    x, y: first pixel, side: pixels; turn: radians about the window's middle; flip: mirrored; black: outside, else mirrored."""
    x, y, side = (np.asarray(v, 'f8')[:, None, None] for v in (x, y, side))
    d = np.arange(n) + 0.5
    u = np.clip(d * side / n - 0.5, 0, np.maximum(side - 1, 0))
    u, v = u, u.transpose(0, 2, 1)
    if flip is not None:
        u = np.where(flip[:, None, None], side - 1 - u, u)
    if turn is not None:
        m = (side - 1) / 2
        c, s = np.cos(turn)[:, None, None], np.sin(turn)[:, None, None]
        u, v = m + c * (u - m) - s * (v - m), m + s * (u - m) + c * (v - m)
    px, py = np.broadcast_arrays(x + u, y + v)
    ix, iy = np.floor(px).astype('i4'), np.floor(py).astype('i4')
    fx, fy = (px - ix).astype('f4'), (py - iy).astype('f4')
    t = [taps(album, pic, ix + dx, iy + dy, black) for dy in (0, 1) for dx in (0, 1)]
    out = np.empty((len(px), 3, n, n), 'f4')
    for c in range(3):
        a, b, d, e = (((v >> 8 * (2 - c)) & 255).astype('f4') for v in t)
        out[:, c] = (a * (1 - fx) + b * fx) * (1 - fy) + (d * (1 - fx) + e * fx) * fy
    w, h = album.w[pic][:, None, None], album.h[pic][:, None, None]
    inside = (px > -0.5) & (py > -0.5) & (px < w - 0.5) & (py < h - 0.5)
    return out, inside[:, None]


def relight(px, g, grain=9):
    """Other light, colour, contrast and noise of up to grain; many grey ones, some dim ones."""
    n = len(px)
    col = lambda v: v.astype('f4').reshape(n, -1, 1, 1)
    gray = g.random(n) < 0.35
    px[gray] = (px[gray] * np.array([0.299, 0.587, 0.114], 'f4').reshape(1, 3, 1, 1)).sum(1, keepdims=True)
    px = px * col(np.exp(g.normal(0, 0.1, (n, 3)) * ~gray[:, None]))
    mean = px.mean((1, 2, 3), keepdims=True)
    px = (px - mean) * col(np.exp(g.normal(0, 0.25, n))) + mean + col(g.normal(0, 18, n))
    px = px * col(np.where(g.random(n) < 0.2, g.uniform(0.12, 0.6, n), 1))
    noise = g.standard_normal(px.shape, 'f4') * col(np.where(g.random(n) < 0.4, g.uniform(0, grain, n), 0))
    return np.clip(px + noise, 0, 255)


def normalised(px):
    return torch.from_numpy(px.astype('f4') * np.float32(0.0078125) - np.float32(0.99609375))


def resized(bgr, w, h):
    """[1, 3, h, w] normalised level of a picture."""
    def axis(n, n_src):
        v = ((np.arange(n) + 0.5) * (1 / (n / n_src)) - 0.5).astype('f4')
        i = np.floor(v).astype(int)
        return np.clip(i, 0, n_src - 1), np.clip(i + 1, 0, n_src - 1), (v - i).astype('f4')[:, None]
    x0, x1, fx = axis(w, bgr.shape[1])
    y0, y1, fy = axis(h, bgr.shape[0])
    v = bgr[..., ::-1].astype('f4')
    r0, r1 = v[y0], v[y1]
    top, bottom = r0[:, x0] * (1 - fx) + r0[:, x1] * fx, r1[:, x0] * (1 - fx) + r1[:, x1] * fx
    return normalised((top * (1 - fy[:, None]) + bottom * fy[:, None]).transpose(2, 0, 1)[None])


def iou(x, y, s, qx, qy, q):
    """Of squares."""
    w = np.minimum(x + s, qx + q) - np.maximum(x, qx)
    h = np.minimum(y + s, qy + q) - np.maximum(y, qy)
    both = np.clip(w, 0, None) * np.clip(h, 0, None)
    return both / (s * s + q * q - both)


def face_box(points):
    """left, top, right, bottom of the face box of [.., 68, 2] points."""
    x0, y0 = points[..., 0].min(-1), points[..., 1].min(-1)
    x1, y1 = points[..., 0].max(-1), points[..., 1].max(-1)
    return x0, y0 - 0.25 * (y1 - y0), x1, y1


def offsets(stage, x, y, side, box):
    """What a stage should answer for a window: the engine's boxes begin a pixel inside it (a level's pixel for pnet)."""
    one = side / 12 if stage == 'pnet' else 1
    w = side if stage == 'onet' else side - one
    x, y = x + one, y + one
    return np.stack([(box[0] - x) / w, (box[1] - y) / w, (box[2] - x - w) / w, (box[3] - y - w) / w], 1)


class Windows:
    """Draws training windows of a stage."""

    def __init__(self, faces, index, backs, seed, grain=9):
        self.faces, self.index, self.albums, self.backs, self.grain = faces, index, face_albums(faces), backs, grain
        self.g = np.random.default_rng([data.SEED, seed])
        self.xy = faces.points[..., :2]
        self.hard = {}                                       # album -> (pic, x, y, side)
        p = 1 + 2 * np.minimum(np.abs(faces.col('yaw')[index]) / 30, 1) ** 2       # turned faces more often
        self.p = p / p.sum()

    def _faces(self, n, stage, kind):
        """Windows about faces: kind 'face' near the face's square, 'other' off it."""
        g = self.g
        f = g.choice(self.index, n, p=self.p)
        level = g.choice(len(LEVELS), n, p=[0.3, 0.22, 0.22, 0.2, 0.06])
        scale = np.array(LEVELS)[level] / data.SIDE
        flip, turn = g.random(n) < 0.5, np.where(g.random(n) < 0.4, g.normal(0, 0.2, n), 0)
        p = (self.xy[f] + 0.5) * scale[:, None, None] - 0.5
        last = np.array(LEVELS)[level][:, None] - 1
        p[..., 0] = np.where(flip[:, None], last - p[..., 0], p[..., 0])
        c, s = np.cos(turn)[:, None], np.sin(turn)[:, None]
        m = p.mean(1)
        q = p - m[:, None]
        p = np.stack([c * q[..., 0] - s * q[..., 1], s * q[..., 0] + c * q[..., 1]], 2) + m[:, None]
        b = face_box(p)
        size = np.maximum(b[2] - b[0], b[3] - b[1])
        qx, qy = (b[0] + b[2] - size) / 2, (b[1] + b[3] - size) / 2
        if kind == 'face':
            wide = {'pnet': 1.0, 'rnet': 0.9, 'onet': 0.8}[stage]
            side = size * np.exp(g.uniform(-0.3, 0.3, n) * wide)
            x = qx + size / 2 - side / 2 + g.uniform(-0.2, 0.2, n) * size * wide
            y = qy + size / 2 - side / 2 + g.uniform(-0.2, 0.2, n) * size * wide
        else:
            side = size * np.exp(g.uniform(-1.4, 0.6, n))
            a, r = g.uniform(0, 2 * np.pi, n), g.uniform(0.1, 1.0, n)
            x = qx + size / 2 - side / 2 + np.cos(a) * r * size
            y = qy + size / 2 - side / 2 + np.sin(a) * r * size
        over = iou(x, y, side, qx, qy, size)
        want = offsets(stage, x, y, side, b)
        # the window in the crop's own frame: the turn undone about the face's middle, then the mirror
        mx, my = x + (side - 1) / 2, y + (side - 1) / 2
        dx, dy = mx - m[:, 0], my - m[:, 1]
        mx, my = m[:, 0] + c[:, 0] * dx + s[:, 0] * dy, m[:, 1] - s[:, 0] * dx + c[:, 0] * dy
        mx = np.where(flip, last[:, 0] - mx, mx)
        return f, level, mx - (side - 1) / 2, my - (side - 1) / 2, side, flip, turn, over, want

    def _pixels(self, stage, f, level, x, y, side, flip, turn):
        n, k = len(f), SIDES[stage]
        px, inside = np.empty((n, 3, k, k), 'f4'), np.empty((n, 1, k, k), bool)
        for l in range(len(LEVELS)):
            i = np.flatnonzero(level == l)
            if len(i):
                t = np.where(flip, turn, -turn)[i]
                px[i], inside[i] = sample(self.albums[l], f[i], x[i], y[i], side[i], k, t, flip[i])
        paste = np.flatnonzero((self.g.random(n) < 0.45) & ~inside.all((1, 2, 3)))
        if len(paste):                                       # on another picture
            back = self._backs(len(paste), k)
            px[paste] = np.where(inside[paste], px[paste], back)
        dark = (self.g.random(n) < 0.3)[:, None, None, None] & ~inside
        dark[paste] = False
        return px, dark

    def _backs(self, n, k):
        g, b = self.g, self.backs
        area = np.sqrt(b.w * b.h)
        pic = g.choice(b.n, n, p=area / area.sum())
        most = np.minimum(b.w, b.h)[pic]
        side = np.exp(g.uniform(np.log(16), np.log(most * 1.1)))
        x, y = g.uniform(-0.1, 1.1, n) * (b.w[pic] - side), g.uniform(-0.1, 1.1, n) * (b.h[pic] - side)
        return sample(b, pic, x, y, side, k, None, g.random(n) < 0.5)[0]

    def _hard(self, n, k):
        """Mined false alarms, moved a little; of faces' pictures as of the others."""
        g, out = self.g, []
        total = sum(len(v[0]) for v in self.hard.values())
        for key, (pic, x, y, side) in self.hard.items():
            m = int(round(n * len(pic) / total))
            if not m:
                continue
            i = g.integers(0, len(pic), m)
            s = side[i] * np.exp(g.normal(0, 0.04, m))
            cx, cy = x[i] + side[i] / 2 + g.normal(0, 0.03, m) * s, y[i] + side[i] / 2 + g.normal(0, 0.03, m) * s
            out.append(sample(key, pic[i], cx - s / 2, cy - s / 2, s, k, None, g.random(m) < 0.5)[0])
        return np.concatenate(out)

    def draw(self, stage, n=BATCH):
        """inputs, label (1 face, 0 none, -1 only the offsets count), offsets, whether they count."""
        g, k = self.g, SIDES[stage]
        low, high = (0.42, 0.62) if stage == 'pnet' else (0.45, 0.65)
        f = self._faces(int(n * 0.5), stage, 'face')
        o = self._faces(int(n * 0.2), stage, 'other')
        both = [np.concatenate([a, b]) for a, b in zip(f, o)]
        over = both[7]
        ok = (over >= low) | (over < 0.3)
        both = [a[ok] for a in both]
        over, want = both[7], both[8]
        label = np.where(over >= high, 1, np.where(over >= low, -1, 0))
        px, dark = self._pixels(stage, *both[:7])
        m = n - len(px)
        if self.hard:
            back = np.concatenate([self._backs(m // 3, k), self._hard(m - m // 3, k)])
        else:
            back = self._backs(m, k)
        m = len(back)
        px = relight(np.concatenate([px, back]), g, self.grain)
        px[:len(dark)][np.broadcast_to(dark, (len(dark), 3, k, k))] = 0
        label = np.concatenate([label, np.zeros(m, int)])
        want = np.concatenate([want, np.zeros((m, 4))]).astype('f4')
        return normalised(px), torch.from_numpy(label), torch.from_numpy(want)
