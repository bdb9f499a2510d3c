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
from windows import BATCH, LEVELS, SIDES, Album, Windows, face_box, iou, normalised, relight, resized, sample

SMALLEST = 48                                                # side of the smallest window, frame pixels
FACTOR = 0.709
THRESHOLDS = [0.6, 0.7, 0.8]
BOX = [0.0, 0.2, 1.0, 0.8]                                   # x += w * .., y += h * .., w *= .., h *= ..: landmark box of a face box


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


# --- the cascade, as lib/detect/cascade.c runs it ---------------------------------------------------------------------------------

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


# --- training ---------------------------------------------------------------------------------------------------------------

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
        b = Cascade(nets, thresholds, smallest).detect(lit)[0]
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


def train(stage, windows, steps, rate, net=None, batch=BATCH):
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


# --- result -----------------------------------------------------------------------------------------------------------------

def kept(name, step):
    """A trained network from the cache; step makes it where it is not there. name: stage, or stage-what."""
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

    def learn(stage, seed, steps, rate, thresholds=None, n_face=0, rounds=0, grain=9):
        def step():
            w = Windows(faces, faces.train, backs, seed, grain)
            if thresholds:
                n = mine({k: v for k, v in nets.items() if k != stage}, w, thresholds, n_face, rounds)
                print(f'{stage}: {n} false alarms to learn from', flush=True)
            return train(stage, w, steps, rate, nets.get(stage))
        return step

    nets['pnet'] = kept('pnet', learn('pnet', 12, 3000, 0.01))
    nets['rnet'] = kept('rnet', learn('rnet', 24, 1200, 0.006, [0.5], 500, 2))
    nets['onet'] = kept('onet', learn('onet', 36, 1200, 0.006, [0.5, 0.4], 800, 4))
    nets['onet'] = kept('onet-grain', learn('onet', 37, 400, 0.002, [0.5, 0.4], 800, 3, 30))
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
