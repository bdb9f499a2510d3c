# SPDX-License-Identifier: BSD-2-Clause
"""The face detector: a cascade of three small networks in the engine's form (lib/detect), trained on windows of the pictures.

A window is a square of frame pixels, resized as lib/detect/sample.c does. The networks say whether it frames a face and where the face's
box lies. That box is the tight box of the 68 points with a quarter of its height added above (forehead); taking the quarter
away again (BOX) gives the box that a landmark fit starts from. Each stage learns from what the stages before it let through:

    pnet  12 x 12, run over a pyramid     random windows of faces and of pictures without
    rnet  24 x 24, on pnet's boxes        the same, and what pnet wrongly took for faces
    onet  36 x 36, on rnet's boxes        the same, and what pnet and rnet wrongly took for faces

    python3 detector.py       trains what the cache lacks; detector.npz in CACHE is the result

detector_report.py measures it.
"""
import os
import time
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
import data

SMALLEST = 48                                                # side of the smallest window, frame pixels
FACTOR = 0.709
THRESHOLDS = [0.6, 0.7, 0.7]
BOX = [0.0, 0.2, 1.0, 0.8]                                   # x += w * .., y += h * .., w *= .., h *= ..: landmark box of a face box
SIDES = {'pnet': 12, 'rnet': 24, 'onet': 36}
LEVELS = [192, 136, 96, 68, 44]                              # crops are kept at these sizes, reduced without aliasing
BATCH = 256


# --- networks ---------------------------------------------------------------------------------------------------------------

def conv(n_in, n_out, k):
    return [nn.Conv2d(n_in, n_out, k, bias=False), nn.BatchNorm2d(n_out), nn.PReLU(n_out)]


def pool(k):
    return [nn.MaxPool2d(k, 2, ceil_mode=True)]


def dense(n_in, n_out):
    return [nn.Flatten(), nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out), nn.PReLU(n_out)]


def make(stage):
    """Outputs: no face, face, offsets left, top, right, bottom."""
    torch.manual_seed(data.SEED + SIDES[stage])
    if stage == 'pnet':
        return nn.Sequential(*conv(3, 8, 3), *pool(2), *conv(8, 16, 3), *conv(16, 16, 3), nn.Conv2d(16, 6, 1))
    if stage == 'rnet':
        return nn.Sequential(*conv(3, 16, 3), *pool(3), *conv(16, 32, 3), *pool(3), *conv(32, 48, 2), *dense(48 * 9, 96), nn.Linear(96, 6))
    return nn.Sequential(*conv(3, 16, 3), *pool(3), *conv(16, 32, 3), *pool(3), *conv(32, 64, 3), *pool(2), *conv(64, 64, 2),
                         *dense(64 * 4, 128), nn.Linear(128, 6))


def layers(net):
    """The engine's layers of a network, normalisations folded in: (code, weight, bias, kernel, stride)."""
    out = []
    for m in net:
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            w = m.weight.detach().double().numpy()
            b = np.zeros(len(w)) if m.bias is None else m.bias.detach().double().numpy()
            out.append([0 if w.ndim == 4 and w.shape[2] > 1 else 2, w, b, w.shape[2:], (1, 1)])
        elif isinstance(m, (nn.BatchNorm2d, nn.BatchNorm1d)):
            g = (m.weight / (m.running_var + m.eps).sqrt()).detach().double().numpy()
            out[-1][2] = (out[-1][2] - m.running_mean.double().numpy()) * g + m.bias.detach().double().numpy()
            out[-1][1] = out[-1][1] * g.reshape([-1] + [1] * (out[-1][1].ndim - 1))
        elif isinstance(m, nn.PReLU):
            out.append([3, m.weight.detach().double().numpy(), None, (), (0, 0)])
        elif isinstance(m, nn.MaxPool2d):
            out.append([1, None, None, (m.kernel_size, m.kernel_size), (2, 2)])
    for l in out:
        if l[0] == 2:
            l[1] = l[1].reshape(len(l[1]), -1)
    return out


# --- pictures and windows ---------------------------------------------------------------------------------------------------

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
    from PIL import Image
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


def relight(px, g, strong=1.0):
    """Other light, colour, contrast and noise; many grey ones, some dim ones."""
    n = len(px)
    col = lambda v: v.astype('f4').reshape(n, -1, 1, 1)
    gray = g.random(n) < 0.35
    px[gray] = (px[gray] * np.array([0.299, 0.587, 0.114], 'f4').reshape(1, 3, 1, 1)).sum(1, keepdims=True)
    px = px * col(np.exp(g.normal(0, 0.1 * strong, (n, 3)) * ~gray[:, None]))
    mean = px.mean((1, 2, 3), keepdims=True)
    px = (px - mean) * col(np.exp(g.normal(0, 0.25 * strong, n))) + mean + col(g.normal(0, 18 * strong, n))
    px = px * col(np.where(g.random(n) < 0.2, g.uniform(0.12, 0.6, n), 1))
    noise = g.standard_normal(px.shape, 'f4') * col(np.where(g.random(n) < 0.4, g.uniform(0, 9, n), 0))
    return np.clip(px + noise, 0, 255)


def normalised(px):
    return torch.from_numpy(px.astype('f4') * np.float32(0.0078125) - np.float32(0.99609375))


# --- training windows -------------------------------------------------------------------------------------------------------

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

    def __init__(self, faces, index, backs, seed):
        self.faces, self.index, self.albums, self.backs = faces, index, face_albums(faces), backs
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
        px = relight(np.concatenate([px, back]), g)
        px[:len(dark)][np.broadcast_to(dark, (len(dark), 3, k, k))] = 0
        label = np.concatenate([label, np.zeros(m, int)])
        want = np.concatenate([want, np.zeros((m, 4))]).astype('f4')
        return normalised(px), torch.from_numpy(label), torch.from_numpy(want)


def train(stage, windows, steps, rate, batch=BATCH, net=None):
    net = net or make(stage)
    net.train()
    opt = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-4)
    t0, run = time.time(), np.zeros(4)
    for step in range(steps):
        for p in opt.param_groups:
            p['lr'] = rate * (0.5 + 0.5 * np.cos(np.pi * step / steps)) * min(1, (step + 1) / 30) + 1e-5
        x, label, want = windows.draw(stage, batch)
        y = net(x).reshape(len(x), 6)
        said, is_face = label >= 0, label != 0
        each = F.cross_entropy(y[said, :2], label[said], reduction='none')
        hard = torch.topk(each, int(0.7 * len(each)))[0].mean()
        where = F.smooth_l1_loss(y[is_face, 2:], want[is_face], beta=0.05)
        loss = hard + 4 * where
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            right = (y[said, 1] > y[said, 0]) == (label[said] > 0)
            off = (y[label == 1, 2:] - want[label == 1]).abs().mean()
            run += [float(loss), float(right[label[said] > 0].float().mean()), float(right[label[said] == 0].float().mean()), float(off)]
        if step % 200 == 199:
            r = run / 200
            print(f'{stage}: step {step + 1}, loss {r[0]:.4f}, faces right {r[1]:.4f}, others {r[2]:.4f}, offsets {r[3]:.4f}, '
                  f'{time.time() - t0:.0f} s', flush=True)
            run[:] = 0
    return net.eval()


# --- the cascade, as lib/detect/cascade.c runs it ---------------------------------------------------------------------------------

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


def nms(box, score, threshold, least=False):
    """Kept indices by falling score; overlap over the union, or over the smaller box."""
    b = np.rint(box)
    x1, y1, x2, y2 = b[:, 0], b[:, 1], b[:, 0] + b[:, 2], b[:, 1] + b[:, 3]
    area = b[:, 2] * b[:, 3]
    order, keep = np.lexsort((np.arange(len(b)), score))[::-1], []
    while len(order):
        i, rest = order[0], order[1:]
        keep.append(i)
        w = np.minimum(x2[i], x2[rest]) - np.maximum(x1[i], x1[rest])
        h = np.minimum(y2[i], y2[rest]) - np.maximum(y1[i], y1[rest])
        both = np.clip(w, 0, None) * np.clip(h, 0, None)
        base = np.minimum(area[i], area[rest]) if least else area[i] + area[rest] - both
        order = rest[~(both > threshold * base)]
    return np.array(keep, int)


def corrected(box, off, grow=0):
    b = np.rint(box)
    w, h = b[:, 2] + grow, b[:, 3] + grow
    x1, y1 = b[:, 0] + off[:, 0] * w, b[:, 1] + off[:, 1] * h
    x2, y2 = b[:, 0] + w + off[:, 2] * w, b[:, 1] + h + off[:, 3] * h
    return np.stack([x1, y1, x2 - x1, y2 - y1], 1)


def squared(b):
    m = np.maximum(b[:, 2], b[:, 3])
    return np.trunc(np.stack([b[:, 0] + (b[:, 2] - m) / 2, b[:, 1] + (b[:, 3] - m) / 2, m, m], 1))


def probability(y):
    return 1 / (1 + np.exp(np.clip(y[:, 0] - y[:, 1], -80, 80)))


class Cascade:
    """The stages in nets {'pnet': .., ..}; fewer than three give the boxes that the next one would look at."""

    def __init__(self, nets, thresholds=THRESHOLDS, smallest=SMALLEST):
        self.nets, self.smallest = nets, smallest
        self.t = dict(zip(SIDES, thresholds))

    @torch.no_grad()
    def proposals(self, bgr):
        h, w = bgr.shape[:2]
        boxes, offs, scores = [], [], []
        n = int(np.floor(np.log(self.smallest / min(w, h)) / np.log(FACTOR))) + 1
        for i in range(max(n, 0)):
            s = 12 / self.smallest * FACTOR ** i
            y = self.nets['pnet'](resized(bgr, int(np.ceil(w * s)), int(np.ceil(h * s))))[0].numpy()
            p = probability(y[None])[0]
            cx, cy = np.nonzero(p.T >= self.t['pnet'])
            x1, x2, y1, y2 = (np.trunc((2 * c + k) / s) for c, k in ((cx, 1), (cx, 12), (cy, 1), (cy, 12)))
            b = np.stack([x1, y1, x2 - x1, y2 - y1], 1)
            keep = nms(b, p[cy, cx], 0.5)
            boxes.append(b[keep]), offs.append(y[2:, cy, cx].T[keep]), scores.append(p[cy, cx][keep])
        if not boxes:
            return np.empty((0, 4)), np.empty(0)
        b, o, p = np.concatenate(boxes), np.concatenate(offs), np.concatenate(scores)
        keep = nms(b, p, 0.7)
        return squared(corrected(b[keep], o[keep])), p[keep]

    @torch.no_grad()
    def outputs(self, stage, album, pic, b):
        pic = np.full(len(b), pic)
        if not len(b):
            return np.empty((0, 6), 'f4')
        return self.nets[stage](normalised(sample(album, pic, b[:, 0] - 1, b[:, 1] - 1, b[:, 2] + 1, SIDES[stage], black=True)[0])).numpy()

    def detect(self, bgr):
        """Boxes [n, 4], scores [n]; of the full cascade: landmark boxes."""
        b, p = self.proposals(bgr)
        album = Album.of([bgr])
        if 'rnet' not in self.nets:
            return b, p
        y = self.outputs('rnet', album, 0, b)
        p = probability(y)
        k = np.flatnonzero(p >= self.t['rnet'])
        k = k[nms(b[k], p[k], 0.7)]
        b, p = squared(corrected(b[k], y[k, 2:])), p[k]
        if 'onet' not in self.nets:
            return b, p
        y = self.outputs('onet', album, 0, b)
        p = probability(y)
        k = np.flatnonzero(p >= self.t['onet'])
        b, p = corrected(b[k], y[k, 2:], 1), p[k]
        k = nms(b, p, 0.7, least=True)
        b, p = b[k], p[k]
        return np.stack([b[:, 0] + b[:, 2] * BOX[0], b[:, 1] + b[:, 3] * BOX[1], b[:, 2] * BOX[2], b[:, 3] * BOX[3]], 1), p


def mine(nets, windows, thresholds, n_face, rounds):
    """What the stages trained so far take for faces and are none becomes windows.hard; their number."""
    g, found = windows.g, {}
    back = windows.backs
    work = [(back, i, None) for i in range(back.n)] * rounds
    level = g.choice([0, 1, 2], n_face)
    work += [(windows.albums[l], i, l) for l, i in zip(level, g.choice(windows.index, n_face))]
    for album, i, l in work:
        w, h = album.w[i], album.h[i]
        bgr = album.pixels[album.at[i]:album.at[i] + w * h].view('u1').reshape(h, w, 4)[..., :3]
        lit = relight(bgr.transpose(2, 0, 1)[None].astype('f4'), g)[0].transpose(1, 2, 0)
        lit = np.rint(lit).astype('u1')
        smallest = g.uniform(18, 40) if l is None else SMALLEST * LEVELS[l] / data.SIDE * g.uniform(0.4, 0.8)
        c = Cascade({k: v for k, v in nets.items() if k != 'onet'}, thresholds, smallest)
        b = c.detect(lit)[0]
        if 'onet' in nets:                                   # what the last stage itself takes for a face
            c.nets = nets
            b = b[probability(c.outputs('onet', Album.of([lit]), 0, b)) >= thresholds[2]]
        if l is not None:
            fb = face_box((windows.xy[i] + 0.5) * (LEVELS[l] / data.SIDE) - 0.5)
            q = max(fb[2] - fb[0], fb[3] - fb[1])
            over = iou(b[:, 0] - 1, b[:, 1] - 1, b[:, 2] + 1, (fb[0] + fb[2] - q) / 2, (fb[1] + fb[3] - q) / 2, q)
            b = b[over < 0.3]
        b = b[b[:, 2] >= 8]
        found.setdefault(album, []).append(np.column_stack([np.full(len(b), i), b[:, 0] - 1, b[:, 1] - 1, b[:, 2] + 1]))
    n = 0
    for album, parts in found.items():
        v = np.concatenate(parts)
        n += len(v)
        if len(v):
            windows.hard[album] = (v[:, 0].astype(int), v[:, 1], v[:, 2], v[:, 3])
    return n


# --- result -----------------------------------------------------------------------------------------------------------------

def kept(name, step):
    """A trained network from the cache; step makes it where it is not there."""
    stage, f = name.split('-')[0], data.cached(f'detector-{name}.npz')
    if not os.path.exists(f):
        t, cpu = time.time(), time.process_time()
        net = step()
        np.savez(f, **{k: v.numpy() for k, v in net.state_dict().items()})
        print(f'{name}: {time.time() - t:.0f} s, of them {time.process_time() - cpu:.0f} s at work', flush=True)
    net, done = make(stage), np.load(f)
    net.load_state_dict({k: torch.from_numpy(done[k]) for k in done.files})
    return net.eval()


def main():
    faces, backs, nets = data.Faces(), Album.of(data.backgrounds()), {}

    def learn(stage, seed, steps, rate, thresholds=None, n_face=0, rounds=0):
        def step():
            w = Windows(faces, faces.train, backs, seed)
            if thresholds:
                n = mine(nets, w, thresholds, n_face, rounds)
                print(f'{stage}: {n} false alarms to learn from', flush=True)
            return train(stage, w, steps, rate, net=nets.get(stage))
        return step

    nets['pnet'] = kept('pnet', learn('pnet', 12, 3000, 0.01))
    nets['rnet'] = kept('rnet', learn('rnet', 24, 1200, 0.006, [0.5, 0, 0], 500, 2))
    nets['onet'] = kept('onet', learn('onet', 36, 1200, 0.006, [0.5, 0.4, 0], 800, 4))
    nets['onet'] = kept('onet-again', learn('onet', 37, 500, 0.002, [0.5, 0.4, 0.2], 800, 4))
    np.savez(data.cached('detector.npz'), **{f'{s}.{k}': v.numpy() for s, n in nets.items() for k, v in n.state_dict().items()})


def trained():
    """The stages of the cache."""
    nets, done = {}, np.load(data.cached('detector.npz'))
    for stage in SIDES:
        nets[stage] = make(stage)
        nets[stage].load_state_dict({k: torch.from_numpy(done[f'{stage}.{k}']) for k in nets[stage].state_dict()})
        nets[stage].eval()
    return nets


def export(pack, faces=None, nets=None, thresholds=THRESHOLDS):
    """mtcnn/..., half precision."""
    for stage, net in (nets or trained()).items():
        table, p, n_in = [], f'mtcnn/{stage}', 3
        for i, (code, w, b, kernel, stride) in enumerate(layers(net)):
            n_out = len(w) if code != 1 else n_in
            flat = w.shape[1] if code == 2 else n_in
            table.append([code, flat if code in (0, 2) else 0, n_out, *(kernel if len(kernel) == 2 and code != 2 else (0, 0)), *stride, 0])
            if w is not None:
                pack.half(f'{p}/{i}/weight', w)
            if b is not None:
                pack.half(f'{p}/{i}/bias', b)
            n_in = n_out
        pack.add(f'{p}/layers', np.array(table, 'i4'))
    pack.add('mtcnn/cascade', np.array([SMALLEST, *thresholds, *SIDES.values(), *BOX]))


if __name__ == '__main__':
    torch.set_num_threads(int(os.environ.get('THREADS', '1')))
    main()
