# SPDX-License-Identifier: BSD-2-Clause
"""The landmark validator: a small network that sees the face warped to a frame of reference by its landmarks, and says how far the landmarks
are from a face's.

Its classes are the mean error in steps of a fortieth of the outer-eye distance, so that the programs' threshold (certainty above 0.725) means
less than a tenth. It learns from shapes near labels, from what the fitter makes of good, bad and hopeless boxes on training faces,
and from fits and shapes on pictures without faces. Pictures are cut as lib/fit/validator.c does it. One view serves all head turns.
"""
import os
import time
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from scipy.spatial import Delaunay
import data
import fitter
import landmarks

SIDE, BINS, STEP = 60, 16, 1 / 40
STEPS, BATCH = int(os.environ.get('VALIDATOR_STEPS', 2500)), 64


class Frame:
    """The frame of reference: the mean shape, upright, its triangles, and where each pixel's gray value comes from."""

    def __init__(self):
        mean, _, _ = data.read_pdm(data.path('pdm68.txt'))
        xy = mean[:2].T
        self.dest = xy * (SIDE - 1.5) / np.ptp(xy, axis=0).max()
        self.low = self.dest.min(0) - (SIDE - 1 - np.ptp(self.dest, axis=0)) / 2
        tri = Delaunay(self.dest).simplices
        flat = np.abs(np.cross(self.dest[tri[:, 1]] - self.dest[tri[:, 0]], self.dest[tri[:, 2]] - self.dest[tri[:, 0]])) < 0.5
        self.triangles = tri[~flat].astype('i4')
        a, b, c = (self.dest[self.triangles[:, k]] for k in range(3))
        m = np.linalg.inv(np.stack([b - a, c - a], 2))            # x - a -> shares of b - a and of c - a
        self.alpha, self.beta = (np.concatenate([-(m[:, k] * a).sum(1, keepdims=True), m[:, k]], 1) for k in (0, 1))
        y, x = np.mgrid[:SIDE, :SIDE].reshape(2, -1)
        one = np.stack([np.ones(SIDE * SIDE), x + self.low[0], y + self.low[1]])
        s, t = self.alpha @ one, self.beta @ one                  # [triangle, pixel]
        inside = (s >= -1e-9) & (t >= -1e-9) & (s + t <= 1 + 1e-9)
        self.of_pixel = np.where(inside.any(0), inside.argmax(0), -1).astype('i4')
        self.mask = np.flatnonzero(self.of_pixel >= 0)
        tri = self.of_pixel[self.mask]
        s, t = s[tri, self.mask], t[tri, self.mask]
        self.share = np.stack([1 - s - t, s, t], 1).astype('f4')  # of the three corners, per mask pixel
        self.corner = self.triangles[tri]

    def cut(self, gray, xy):
        """Gray values [mask] of a picture under landmarks [68, 2], normalised."""
        at = np.einsum('pc,pcd->pd', self.share, xy[self.corner].astype('f4'))
        lo = np.floor(np.clip(xy.min(0) - 3, 0, None)).astype(int)
        hi = np.floor(np.minimum(xy.max(0) + 3, np.array(gray.shape[::-1]) - 1)).astype(int)
        if hi[0] - lo[0] < 2 or hi[1] - lo[1] < 2:
            return None
        px = np.pad(gray[lo[1]:hi[1], lo[0]:hi[0]].astype('f4'), 1)
        h, w = px.shape
        u = np.clip(at - lo + 1, 0, [w - 1.001, h - 1.001])
        i = u.astype(int)
        f = u - i
        x, y = i.T
        v = (px[y, x] * (1 - f[:, 0]) + px[y, x + 1] * f[:, 0]) * (1 - f[:, 1]) + (px[y + 1, x] * (1 - f[:, 0]) + px[y + 1, x + 1] * f[:, 0]) * f[:, 1]
        sd = v.std()
        return (v - v.mean()) / (sd if sd > 0 else 1)


class Net(nn.Module):
    """Layers as (code, in, out, kernel, stride) of the pack: 0 convolution, 1 pool, 2 fully connected, 3 ReLU."""
    layers = [(0, 1, 8, 5, 1), (3,), (1, 8, 8, 2, 2), (0, 8, 12, 5, 1), (3,), (1, 12, 12, 2, 2), (0, 12, 16, 3, 1), (3,), (1, 16, 16, 2, 2),
              (2, 400, 32, 0, 0), (3,), (2, 32, BINS, 0, 0)]

    def __init__(self):
        super().__init__()
        made = {0: lambda i, o, k, s: nn.Conv2d(i, o, k), 2: lambda i, o, k, s: nn.Linear(i, o)}
        self.body = nn.ModuleList([made[l[0]](*l[1:]) if l[0] in made else nn.Identity() for l in self.layers])

    def forward(self, x):
        for l, m in zip(self.layers, self.body):
            if l[0] == 1:
                x = F.max_pool2d(x, l[3], l[4])
            elif l[0] == 3:
                x = torch.relu(x)
            else:
                x = m(x.flatten(1) if l[0] == 2 else x)
        return x


def random_shapes(label, rng):
    """Labels moved, turned, resized and bent, by little or much."""
    n = len(label)
    c = label.mean(1, keepdims=True)
    size = np.linalg.norm(label[:, 36] - label[:, 45], axis=1)[:, None, None]
    much = np.exp(rng.uniform(np.log(0.1), np.log(3), (n, 1, 1)))
    a = rng.normal(0, 0.12, n) * much[:, 0, 0]
    turn = np.stack([np.cos(a), -np.sin(a), np.sin(a), np.cos(a)], 1).reshape(n, 2, 2)
    other = label[rng.permutation(n)]
    other = (other - other.mean(1, keepdims=True)) * size / np.linalg.norm(other[:, 36] - other[:, 45], axis=1)[:, None, None]
    mix = np.clip(0.4 * much, 0, 1) * rng.random((n, 1, 1))
    shape = (label - c) * (1 - mix) + other * mix
    return c + np.einsum('nij,nkj->nki', turn, shape) * np.exp(rng.normal(0, 0.12, (n, 1, 1)) * much) + rng.normal(0, 0.1, (n, 1, 2)) * much * size


def background_crops(rng, n):
    """[n, 192, 192] gray pieces of pictures without a face."""
    out = np.empty((n, data.SIDE, data.SIDE), 'u1')
    pool = [(p.astype('i4') @ [3735, 19235, 9798] + 16384 >> 15).astype('u1') for p in data.backgrounds()]
    for i in range(n):
        g = pool[i % len(pool)]
        k = min(min(g.shape), int(rng.uniform(70, 260)))
        y, x = (int(rng.integers(0, s - k + 1)) for s in g.shape)
        t = torch.from_numpy(g[y:y + k, x:x + k].astype('f4'))[None, None]
        out[i] = F.interpolate(t, size=data.SIDE, mode='bilinear', align_corners=False, antialias=True)[0, 0].numpy().round()
    return out


def softened(gray, rng):
    """Every second picture as from a small or moving face."""
    out = np.array(gray)
    for i in range(0, len(out), 2):
        t = torch.from_numpy(out[i].astype('f4'))[None, None]
        low = F.interpolate(t, scale_factor=float(rng.uniform(0.25, 0.8)), mode='bilinear', align_corners=False, antialias=True)
        out[i] = F.interpolate(low, size=data.SIDE, mode='bilinear', align_corners=False)[0, 0].numpy().round()
    return out


def collect(faces, frame):
    """Warped faces [n, mask] and their errors."""
    rng = np.random.default_rng(data.SEED + 77)
    gray, pack = faces.gray(), data.cached('validator-fit.pack')
    fitter.write_pack(pack, faces, landmarks.export, lambda p, f: fitter.accept_all(p))
    cuts, errs = [], []

    def take(pictures, xy, err):
        for p, s, e in zip(pictures, xy, err):
            v = frame.cut(p, s)
            if v is not None:
                cuts.append(v.astype('f2'))
                errs.append(e)

    keep = faces.train[faces.col('noise')[faces.train] < 0.03]
    rare = faces.train[(np.abs(faces.col('yaw')[faces.train]) > 25) | (np.abs(faces.col('pitch')[faces.train]) > 17)]
    label, plain = faces.points, faces.points[..., :2].astype('f8')
    for some in (keep, keep, keep, rare, rare, rare, rare):   # shapes drawn; turned heads are few, so they count more
        xy = random_shapes(plain[some], rng)
        take(softened(gray[some], rng), xy, fitter.errors(xy, label[some]))
    for shift, size, part in ((0.06, 0.08, np.concatenate([rng.permutation(keep)[:2500], rare, rare])),          # fits: good boxes, bad boxes
                              (0.3, 0.3, rng.permutation(keep)[:1500])):
        boxes = np.concatenate([np.arange(len(part))[:, None], fitter.tight_boxes(label[part], rng, shift, size)], 1)
        px = softened(gray[part], rng)
        f = fitter.Fits(pack, px, boxes, np.where(np.arange(len(part)) % 4, 1, 11))
        take(px, f.xy, fitter.errors(f.xy, label[part]))
    back = background_crops(rng, 2500)                        # nothing there
    some = rng.integers(0, len(keep), len(back))
    boxes = fitter.tight_boxes(label[keep[some]], rng, 0.15, 0.25)
    f = fitter.Fits(pack, back, np.concatenate([np.arange(len(back))[:, None], boxes], 1), np.where(np.arange(len(back)) % 4, 1, 11))
    take(back, f.xy, np.full(len(back), 9.0))
    take(back, random_shapes(plain[keep[some]], rng), np.full(len(back), 9.0))
    return np.stack(cuts), np.array(errs, 'f4')


def image(frame, cuts):
    x = torch.zeros(len(cuts), SIDE * SIDE)
    x[:, torch.from_numpy(frame.mask)] = cuts
    return x.reshape(-1, 1, SIDE, SIDE)


def flipper(frame, mirror):
    """Where a mirrored face's mask pixels lie in the mask, -1 where they do not."""
    at = np.full(SIDE * SIDE, -1)
    at[frame.mask] = np.arange(len(frame.mask))
    y, x = np.divmod(frame.mask, SIDE)
    return at[y * SIDE + SIDE - 1 - x]


def train():
    torch.set_num_threads(int(os.environ.get('THREADS', '2')))
    torch.manual_seed(data.SEED)
    faces, frame, rng = data.Faces(), Frame(), np.random.default_rng(data.SEED + 78)
    t0 = time.time()
    cuts, errs = collect(faces, frame)
    print(f'{len(cuts)} faces, {np.histogram(errs, [0, .05, .1, .2, .4, 5, 10])[0]}, {time.time() - t0:.0f} s', flush=True)
    mean, std = cuts.astype('f4').mean(0), cuts.astype('f4').std(0)
    cuts, flip = torch.from_numpy(((cuts - mean) / std).astype('f4')), torch.from_numpy(flipper(frame, faces.mirror))
    target = np.minimum(errs / STEP, BINS - 0.5)
    target = torch.from_numpy(np.exp(-0.5 * ((np.arange(BINS) + 0.5 - target[:, None]) / 0.8) ** 2).astype('f4'))
    target /= target.sum(1, keepdim=True)
    place = rng.permutation(len(cuts))
    test, rest = place[:1500], place[1500:]
    net = Net()
    opt = torch.optim.Adam(net.parameters(), lr=2e-3, weight_decay=1e-5)
    for step in range(STEPS):
        for g in opt.param_groups:
            g['lr'] = 2e-3 * (0.5 + 0.5 * np.cos(np.pi * step / STEPS)) + 1e-5
        i = torch.from_numpy(rng.choice(rest, BATCH))
        x = cuts[i]
        if step % 2:
            x = torch.where(flip >= 0, x[:, flip.clamp_min(0)], torch.zeros(()))
        loss = -(target[i] * F.log_softmax(net(image(frame, x)), 1)).sum(1).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 250 == 249:
            with torch.no_grad():
                says = torch.cat([net(image(frame, cuts[test[k:k + 250]])).argmax(1) for k in range(0, len(test), 250)]).numpy() < 4
            e = errs[test]
            print(f'step {step + 1}, loss {float(loss):.3f}; accepted: ' + ', '.join(
                f'{says[(e >= a) & (e < b)].mean():.3f} of {a:g}..{b:g}' for a, b in ((0, .05), (.05, .08), (.12, .2), (.2, .5), (.5, 20))), flush=True)
    np.savez(data.cached('validator.npz'), mean=mean, std=std, **{k: v.numpy() for k, v in net.state_dict().items()})


def export(pack, faces):
    z, frame = np.load(data.cached('validator.npz')), Frame()
    pack.add('validator/views', np.zeros((1, 3)))
    pack.half('validator/0/mean', z['mean'])
    pack.half('validator/0/std', z['std'])
    pack.add('validator/0/min', frame.low.astype('f4'))
    pack.add('validator/0/dest', frame.dest.T.astype('f4'))
    pack.add('validator/0/triangles', frame.triangles)
    pack.add('validator/0/pixels', frame.of_pixel.reshape(SIDE, SIDE))
    pack.add('validator/0/alpha', frame.alpha.astype('f4'))
    pack.add('validator/0/beta', frame.beta.astype('f4'))
    rows = []
    for k, l in enumerate(Net.layers):
        rows.append([l[0], *l[1:3], l[3], l[3], l[4], l[4], 0] if len(l) > 1 else [l[0]] + [0] * 7)
        if l[0] in (0, 2):
            pack.half(f'validator/0/{k}/weight', z[f'body.{k}.weight'])
            pack.half(f'validator/0/{k}/bias', z[f'body.{k}.bias'])
    pack.add('validator/0/layers', np.array(rows, 'i4'))


def main():
    if not os.path.exists(data.cached('validator.npz')):
        train()


if __name__ == '__main__':
    main()
