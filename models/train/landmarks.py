# SPDX-License-Identifier: BSD-2-Clause
"""Patch experts: per scale, view and landmark eight neurons on a normalised 11 x 11 patch, z = w . x + b, map = sum a / (1 + e^-z).

That is the engine's kind "ccnf" without smoothing terms (lib/expert/ccnf.c). A sample is an area of interest cut as the engine
cuts it (spec: similarity of the shape to the upright reference shape at the scale), off by a random shift, turn and
size, as a fit's start is; the map it should give is a Gaussian around the label. Views of positive yaw are trained on both halves
of the data, the other half mirrored; those of negative yaw are their mirror images.
"""
import os
import sys
import time
import numpy as np
import torch
import torch.nn.functional as F
import data

SCALES = [0.25, 0.35, 0.5]
VIEWS = [(0, -16, 16), (22, 8, 40), (42, 26, 91)]            # centre, faces with yaw from .. to, degrees
STEPS = [(900, 700, 450)] * 3
BATCH, NEURONS, SUPPORT, WINDOW = 64, 8, 11, 11
STRIDE = 2                                                   # training looks at every other place of a map; shifts are not whole
AREA = WINDOW + SUPPORT - 1


class Samples:
    """Areas of interest with their label's place, from random faces of a view."""

    def __init__(self, faces, scale, lo, hi, rng, index):
        self.gray, self.rng, self.scale, self.mirror = faces.gray(), rng, scale, faces.mirror
        yaw, noise = faces.col('yaw'), faces.col('noise')
        straight = index[(yaw[index] >= lo) & (yaw[index] < hi)]
        turned = index[(-yaw[index] >= lo) & (-yaw[index] < hi)]
        self.pick = np.concatenate([np.stack([straight, 0 * straight], 1), np.stack([turned, 0 * turned + 1], 1)])
        self.noise = noise
        mean, _, _ = data.read_pdm(data.path('pdm68.txt'))
        p = faces.points
        s, r, t = data.procrustes(p.astype('f8'), np.broadcast_to(mean.T, p.shape))
        upright = s[:, None, None] * (p @ r.transpose(0, 2, 1)) + t[:, None]
        self.xy = {0: p[..., :2].copy(), 1: self._flip(p[..., :2], data.SIDE - 1)}
        ref = {0: upright[..., :2], 1: self._flip(upright[..., :2], 0)}
        self.size, self.turn = {}, {}
        for m in (0, 1):                                      # reference (at this scale) to image: size * turn
            s, r, _ = data.procrustes(scale * ref[m], self.xy[m].astype('f8'))
            self.size[m], self.turn[m] = s.astype('f4'), np.arctan2(r[:, 1, 0], r[:, 0, 0]).astype('f4')

    def _flip(self, p, last):
        q = p[:, self.mirror].copy()
        q[..., 0] = last - q[..., 0]
        return q

    def draw(self, n, shift=5.0, turn=5.0, size=0.07):
        g = self.rng
        at = self.pick[g.integers(0, len(self.pick), n)]
        i, m = at[:, 0], at[:, 1]
        px = self.gray[i].astype('f4')
        px[m == 1] = px[m == 1][:, :, ::-1]
        px = torch.from_numpy(px)[:, None]
        for k in np.flatnonzero(g.random(n) < 0.3):           # softer pictures, as from small faces
            f = float(g.uniform(0.4, 0.9))
            low = F.interpolate(px[k:k + 1], scale_factor=f, mode='bilinear', align_corners=False, antialias=True)
            px[k:k + 1] = F.interpolate(low, size=data.SIDE, mode='bilinear', align_corners=False)
        xy = np.where(m[:, None, None] == 1, self.xy[1][i], self.xy[0][i])
        s = np.where(m == 1, self.size[1][i], self.size[0][i]) * np.exp(g.normal(0, size, n))
        a = np.where(m == 1, self.turn[1][i], self.turn[0][i]) + g.normal(0, np.radians(turn), n)
        off = g.uniform(-shift, shift, (n, 68, 2)).astype('f4')   # of the area's centre from the label, reference pixels
        u = (np.arange(AREA) - (AREA - 1) / 2).astype('f4')
        gx = off[..., 0][:, :, None, None] + u[None, None, None, :]
        gy = off[..., 1][:, :, None, None] + u[None, None, :, None]
        k = np.float32(2 / data.SIDE)
        c, d = ((f * s * k).astype('f4')[:, None, None, None] for f in (np.cos(a), np.sin(a)))
        at = ((xy + 0.5) * k - 1).astype('f4')
        grid = np.empty((n, 68, AREA, AREA, 2), 'f4')
        grid[..., 0] = (at[..., 0][:, :, None, None] - d * gy) + c * gx
        grid[..., 1] = (at[..., 1][:, :, None, None] + c * gy) + d * gx
        grid = torch.from_numpy(grid.reshape(n, 68 * AREA, AREA, 2))
        area = F.grid_sample(px, grid, mode='bilinear', padding_mode='zeros', align_corners=False).reshape(n, 68, AREA, AREA)
        w = (np.arange(0, WINDOW, STRIDE) - (WINDOW - 1) / 2).astype('f4')
        blur = (-0.5 / (1.0 + (self.noise[i] * 90 * self.scale) ** 2)).astype('f4')[:, None, None]   # variance, pixels^2
        wx = np.exp((off[..., 0][..., None] + w) ** 2 * blur)
        wy = np.exp((off[..., 1][..., None] + w) ** 2 * blur)
        want = wy[:, :, :, None] * wx[:, :, None, :]
        weight = (0.012 / np.clip(self.noise[i], 0.006, 0.05)).astype('f4')
        return area, torch.from_numpy(want), torch.from_numpy(weight)


def normaliser(area):
    """mean and 1 / norm of every window."""
    mean = F.avg_pool2d(area, SUPPORT, STRIDE)
    square = F.avg_pool2d(area * area, SUPPORT, STRIDE)
    norm = (SUPPORT ** 2 * (square - mean * mean)).clamp_min(1e-3).sqrt()
    return mean, 1 / norm


def respond(area, w, b, a):
    """w [68*8, 1, 11, 11], b [68*8], a [68, 8] -> maps [n, 68, 6, 6]."""
    n = area.shape[0]
    area = area - area.mean((2, 3), keepdim=True)             # windows lose their mean below; less is lost to rounding so
    mean, f = normaliser(area)
    z = F.conv2d(area, w, groups=68, stride=STRIDE).unflatten(1, (68, NEURONS))
    total = w.sum((1, 2, 3)).reshape(1, 68, NEURONS, 1, 1)
    z = (z - mean[:, :, None] * total) * f[:, :, None] + b.reshape(1, 68, NEURONS, 1, 1)
    return (torch.sigmoid(z) * a[None, :, :, None, None]).sum(2)


def templates(samples):
    """Start values: normalised patches of random faces at the label."""
    area, _, _ = samples.draw(NEURONS, shift=0.01, turn=2.0, size=0.02)
    k = (AREA - SUPPORT) // 2
    patch = area[:, :, k:k + SUPPORT, k:k + SUPPORT]
    patch = patch - patch.mean((2, 3), keepdim=True)
    patch = patch / patch.pow(2).sum((2, 3), keepdim=True).sqrt().clamp_min(1e-3)
    return patch.transpose(0, 1).reshape(68 * NEURONS, 1, SUPPORT, SUPPORT).contiguous()


def train(faces, k, v):
    centre, lo, hi = VIEWS[v]
    rng = np.random.default_rng([data.SEED, k, v])
    torch.manual_seed(data.SEED + 10 * k + v)
    s = Samples(faces, SCALES[k], lo, hi, rng, faces.train)
    w = (6 * templates(s)).requires_grad_()
    b = torch.full((68 * NEURONS,), -4.0, requires_grad=True)
    a = torch.full((68, NEURONS), -1.0, requires_grad=True)
    opt = torch.optim.Adam([{'params': [w], 'lr': 0.04}, {'params': [b, a], 'lr': 0.04}])
    steps, t0, run = STEPS[k][v], time.time(), 0
    for step in range(steps):
        for g in opt.param_groups:
            g['lr'] = 0.04 * (0.5 + 0.5 * np.cos(np.pi * step / steps)) + 0.001
        area, want, weight = s.draw(BATCH)
        m = respond(area, w, b, F.softplus(a))
        square = ((m - want) ** 2).mean((2, 3)).mean(1)
        p = (m + 1e-4) / (m + 1e-4).sum((2, 3), keepdim=True)
        t = want / want.sum((2, 3), keepdim=True).clamp_min(1e-3)
        cross = -(t * p.log()).sum((2, 3)).mean(1)
        loss = (weight * (square + 0.004 * cross)).mean() + 1e-6 * w.pow(2).sum() / 68
        opt.zero_grad()
        loss.backward()
        opt.step()
        run += float(loss)
        if step % 150 == 149:
            print(f'scale {SCALES[k]} view {centre}: step {step + 1}, loss {run / 150:.5f}, {time.time() - t0:.0f} s', flush=True)
            run = 0
    np.savez(data.cached(f'experts-{k}-{v}.npz'), w=w.detach().numpy().reshape(68, NEURONS, SUPPORT, SUPPORT),
             b=b.detach().numpy().reshape(68, NEURONS), a=F.softplus(a).detach().numpy())


def export(pack, faces, prefix='main'):
    """All views, mirrored ones too, as tensors of the kind ccnf."""
    n_view = 2 * len(VIEWS) - 1
    yaw = [0] + [c for c, _, _ in VIEWS[1:]] + [-c for c, _, _ in VIEWS[1:]]
    centres = np.zeros((n_view, 3))
    centres[:, 1] = np.radians(yaw)
    pack.text(f'{prefix}/experts/kind', 'ccnf')
    pack.add(f'{prefix}/experts/scales', np.array(SCALES))
    for k in range(len(SCALES)):
        p, ws, bs, al = f'{prefix}/experts/{k}/', [], [], []
        for v in list(range(len(VIEWS))) + [-v for v in range(1, len(VIEWS))]:
            e = np.load(data.cached(f'experts-{k}-{abs(v)}.npz'))
            w, b, a = e['w'], e['b'], e['a']
            if v < 0:
                w, b, a = w[faces.mirror][..., ::-1], b[faces.mirror], a[faces.mirror]
            ws.append(w), bs.append(b), al.append(a)
        w = np.concatenate(ws).transpose(0, 2, 3, 1).reshape(n_view * 68, SUPPORT ** 2, NEURONS)
        n = len(w)
        pack.add(p + 'centres', centres)
        pack.add(p + 'visible', np.ones((n_view, 68), 'i4'))
        pack.add(p + 'confidence', np.ones((n_view, 68), 'f4'))
        pack.add(p + 'index', np.arange(n, dtype='i4').reshape(n_view, 68))
        pack.add(p + 'support', np.array([SUPPORT, SUPPORT], 'i4'))
        pack.add(p + 'neurons', np.full(n, NEURONS, 'i4'))
        pack.half(p + 'weights', w)
        pack.half(p + 'bias', np.concatenate(bs))
        pack.half(p + 'alpha', np.concatenate(al), 'f64')
        pack.add(p + 'alpha_sum', np.full(n, 0.5, 'f4'))      # the map is r / (2 alpha_sum): plain r
        pack.add(p + 'betas', np.zeros((n, 0)))


if __name__ == '__main__':
    torch.set_num_threads(int(os.environ.get('THREADS', '2')))
    faces = data.Faces()
    for v in range(len(VIEWS)):
        for k in range(len(SCALES)):
            if not os.path.exists(data.cached(f'experts-{k}-{v}.npz')):
                train(faces, k, v)
