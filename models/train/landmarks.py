# SPDX-License-Identifier: BSD-2-Clause
"""Patch experts: per scale, view and landmark a small network that says how likely the landmark is in the middle of an 11 x 11 window.

That is the engine's kind "cen" (lib/expert/cen.c): a window less its mean, over its norm, through 121 - HIDDEN - 16 - 1, ReLU, logistic
at the end. A sample is an area of interest cut as the engine cuts it (similarity of the shape to the upright reference shape at the
scale), off by a random shift, turn and size, as a fit's start is; the map it should give is a Gaussian around the label. The frontal
view is trained on all faces and their mirror images, so that the two sides of a face share experts; the turned view on the faces that
look to the image's left, and the others mirrored; the view to the right is its mirror image.
"""
import os
import time
import numpy as np
import torch
import torch.nn.functional as F
import data

SCALES = [0.25, 0.35, 0.5]
VIEWS = [(0, -20, 20), (30, 12, 91)]             # centre, faces with yaw from .. to, degrees
STEPS = int(os.environ.get('STEPS', 1500))
BATCH, HIDDEN, SECOND, SUPPORT, WINDOW = 24, 32, 16, 11, 11
FEW = 200                                        # faces that a view is trained on at least
STRIDE = 2                                       # training looks at every other place of a map; shifts are not whole
AREA = WINDOW + SUPPORT - 1
TAPS = SUPPORT ** 2
LAYERS = [(TAPS, HIDDEN, 2), (HIDDEN, SECOND, 2), (SECOND, 1, 0)]      # inputs, outputs, activation


class Samples:
    """Areas of interest with their label's place, from random faces of a view."""

    def __init__(self, faces, scale, lo, hi, rng, index, points):
        self.gray, self.rng, self.scale, self.mirror, self.points = faces.gray(), rng, scale, faces.mirror, points
        yaw, noise = faces.col('yaw'), faces.col('noise')
        straight = index[(yaw[index] >= lo) & (yaw[index] < hi)]
        turned = index[(-yaw[index] >= lo) & (-yaw[index] < hi)]
        self.pick = np.concatenate([np.stack([straight, 0 * straight], 1), np.stack([turned, 0 * turned + 1], 1)])
        if len(self.pick) < FEW:                 # data of few turned heads: those that turn most
            most = index[np.argsort(-np.abs(yaw[index]), kind='stable')[:FEW]]
            self.pick = np.stack([most, yaw[most] < 0], 1).astype(int)
        self.noise = noise
        mean, _, _ = data.read_pdm(data.path('pdm68.txt'))
        p = faces.points
        s, r, t = data.procrustes(p.astype('f8'), np.broadcast_to(mean.T, p.shape))
        upright = s[:, None, None] * (p @ r.transpose(0, 2, 1)) + t[:, None]
        self.xy = {0: p[..., :2].copy(), 1: self._flip(p[..., :2], data.SIDE - 1)}
        ref = {0: upright[..., :2], 1: self._flip(upright[..., :2], 0)}
        self.size, self.turn = {}, {}
        for m in (0, 1):                         # reference (at this scale) to image: size * turn
            s, r, _ = data.procrustes(scale * ref[m], self.xy[m].astype('f8'))
            self.size[m], self.turn[m] = s.astype('f4'), np.arctan2(r[:, 1, 0], r[:, 0, 0]).astype('f4')

    def _flip(self, p, last):
        q = p[:, self.mirror].copy()
        q[..., 0] = last - q[..., 0]
        return q

    def draw(self, n, shift=5.0, turn=5.0, size=0.07):
        g, k = self.rng, len(self.points)
        at = self.pick[g.integers(0, len(self.pick), n)]
        i, m = at[:, 0], at[:, 1]
        px = self.gray[i].astype('f4')
        px[m == 1] = px[m == 1][:, :, ::-1]
        px = torch.from_numpy(px)[:, None]
        for j in np.flatnonzero(g.random(n) < 0.3):           # softer pictures, as from small faces
            f = float(g.uniform(0.4, 0.9))
            low = F.interpolate(px[j:j + 1], scale_factor=f, mode='bilinear', align_corners=False, antialias=True)
            px[j:j + 1] = F.interpolate(low, size=data.SIDE, mode='bilinear', align_corners=False)
        xy = np.where(m[:, None, None] == 1, self.xy[1][i], self.xy[0][i])[:, self.points]
        s = np.where(m == 1, self.size[1][i], self.size[0][i]) * np.exp(g.normal(0, size, n))
        a = np.where(m == 1, self.turn[1][i], self.turn[0][i]) + g.normal(0, np.radians(turn), n)
        off = g.uniform(-shift, shift, (n, k, 2)).astype('f4')   # of the area's centre from the label, reference pixels
        u = (np.arange(AREA) - (AREA - 1) / 2).astype('f4')
        gx = off[..., 0][:, :, None, None] + u[None, None, None, :]
        gy = off[..., 1][:, :, None, None] + u[None, None, :, None]
        unit = np.float32(2 / data.SIDE)
        c, d = ((f * s * unit).astype('f4')[:, None, None, None] for f in (np.cos(a), np.sin(a)))
        at = ((xy + 0.5) * unit - 1).astype('f4')
        grid = np.empty((n, k, AREA, AREA, 2), 'f4')
        grid[..., 0] = (at[..., 0][:, :, None, None] - d * gy) + c * gx
        grid[..., 1] = (at[..., 1][:, :, None, None] + c * gy) + d * gx
        grid = torch.from_numpy(grid.reshape(n, k * AREA, AREA, 2))
        area = F.grid_sample(px, grid, mode='bilinear', padding_mode='zeros', align_corners=False).reshape(n, k, AREA, AREA)
        w = (np.arange(0, WINDOW, STRIDE) - (WINDOW - 1) / 2).astype('f4')
        blur = (-0.5 / (1.0 + (self.noise[i] * 90 * self.scale) ** 2)).astype('f4')[:, None, None]   # variance, pixels^2
        wx = np.exp((off[..., 0][..., None] + w) ** 2 * blur)
        wy = np.exp((off[..., 1][..., None] + w) ** 2 * blur)
        want = wy[:, :, :, None] * wx[:, :, None, :]
        weight = (0.012 / np.clip(self.noise[i], 0.006, 0.05)).astype('f4')
        return area, torch.from_numpy(want).flatten(2), torch.from_numpy(weight)


def logits(area, net):
    """[n, k, AREA, AREA] -> [n, k, places], a grouped convolution a layer (the first on windows normalised after the fact)."""
    k = area.shape[1]
    area = area - area.mean((2, 3), keepdim=True)             # windows lose their mean below; less is lost to rounding so
    mean = F.avg_pool2d(area, SUPPORT, STRIDE)
    f = (TAPS * (F.avg_pool2d(area * area, SUPPORT, STRIDE) - mean * mean)).clamp_min(1e-3).rsqrt()
    w, b = net[0], net[1]
    z = F.conv2d(area, w, groups=k, stride=STRIDE).unflatten(1, (k, HIDDEN))
    x = ((z - mean[:, :, None] * w.sum((1, 2, 3)).reshape(1, k, HIDDEN, 1, 1)) * f[:, :, None]).flatten(1, 2) + b[:, None, None]
    for j in (2, 4):
        x = F.conv2d(torch.relu(x), net[j], net[j + 1], groups=k)
    return x.flatten(2)


def start(k):
    """Weights [k * out, in, ..] and biases [k * out]; windows have norm 1, so the first layer's weights are of the size of 1."""
    net = []
    for n_in, n_out, act in LAYERS:
        shape = (1, SUPPORT, SUPPORT) if n_in == TAPS else (n_in, 1, 1)
        net += [torch.randn(k * n_out, *shape) * (2.0 if n_in == TAPS else (2.0 / n_in) ** 0.5), torch.full((k * n_out,), 0.0 if act else -2.0)]
    return [t.requires_grad_() for t in net]


def points_of(faces, v):
    """The landmarks that view v trains: one side and the middle of the frontal one."""
    all68 = np.arange(68)
    return all68 if v else all68[all68 <= faces.mirror]


def train(faces, k, v):
    centre, lo, hi = VIEWS[v]
    rng = np.random.default_rng([data.SEED, k, v])
    torch.manual_seed(data.SEED + 10 * k + v)
    points = points_of(faces, v)
    s = Samples(faces, SCALES[k], lo, hi, rng, faces.train, points)
    if v == 0:                                   # both sides of each face
        s.pick = np.concatenate([s.pick, s.pick * [1, -1] + [0, 1]])
    net = start(len(points))
    opt = torch.optim.Adam(net, betas=(0.9, 0.99))
    t0, run = time.process_time(), np.zeros(2)
    for step in range(STEPS):
        for g in opt.param_groups:
            g['lr'] = 0.012 * (0.5 + 0.5 * np.cos(np.pi * step / STEPS)) * min(1, (step + 10) / 50) + 1e-4
        area, want, weight = s.draw(BATCH)
        z = logits(area, net)
        point = F.binary_cross_entropy_with_logits(z, want, reduction='none').mean(2)
        log_r = F.logsigmoid(z)
        t = want / want.sum(2, keepdim=True)
        cross = (t * (t.clamp_min(1e-9).log() - (log_r - log_r.logsumexp(2, keepdim=True)))).sum(2)
        loss = (weight[:, None] * (point + 0.05 * cross)).mean(0).sum()
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        run += float(point.mean()), float(cross.mean())
        if step % 150 == 149:
            print(f'scale {SCALES[k]} view {centre}: step {step + 1}, losses {run[0] / 150:.4f} {run[1] / 150:.4f}, {time.process_time() - t0:.0f} s CPU', flush=True)
            run[:] = 0
    np.savez(data.cached(f'experts-{k}-{v}.npz'), *[t.detach().numpy() for t in net])


def network(net, e):
    """Expert e of a trained view in the order of lib/kern/fa_kern_cen.h."""
    out = []
    for j, (n_in, n_out, _) in enumerate(LAYERS):
        w = net[2 * j].reshape(-1, n_out, n_in)[e].T
        blocks = [np.pad(net[2 * j + 1].reshape(-1, n_out)[e], (0, -n_out % 16))]
        for o in range(0, n_out, 16):
            part = w[:, o:o + 16]
            blocks.append(np.pad(part, ((0, 0), (0, -part.shape[1] % 8))).ravel())
        flat = np.concatenate(blocks)
        out.append(np.pad(flat, (0, -len(flat) % 16)))
    return np.concatenate(out)


# How the experts are used: sigma, weights of prior and confidences; iterations, all start rotations in stills; windows by scale at
# detection and when tracking.
FIT, COUNTS = [1.5, 25, 0], [5, 11]
WINDOWS = [[13, 11, 7], [0, 9, 7]]


def export_pdm(pack, prefix):
    """The shape model of the data in P/pdm."""
    mean, modes, var = data.read_pdm(data.path('pdm68.txt'))
    pad = ((0, 0), (0, 80 - 68))
    pack.add(f'{prefix}/pdm/points', np.array([68], 'i4'))
    pack.add(f'{prefix}/pdm/mean', np.pad(mean, pad).astype('f4'))
    pack.add(f'{prefix}/pdm/modes', np.pad(modes, ((0, 0),) + pad).astype('f4'))
    pack.add(f'{prefix}/pdm/variances', var.astype('f4'))


def export(pack, faces, prefix='main'):
    """Views 0, +, - of the kind cen; mirrored ones share the networks of the others."""
    yaw, half = np.radians([0, VIEWS[1][0], -VIEWS[1][0]]), points_of(faces, 0)
    centres = np.zeros((3, 3))
    centres[:, 1] = yaw
    index, flip = np.zeros((3, 68), 'i4'), np.zeros((3, 68), 'i4')
    for i in range(68):
        own = i <= faces.mirror[i]
        index[0, i] = np.searchsorted(half, i if own else faces.mirror[i])
        flip[0, i] = not own
        index[1, i] = len(half) + i
        index[2, i], flip[2, i] = len(half) + faces.mirror[i], 1
    export_pdm(pack, prefix)
    pack.add(f'{prefix}/fit/values', np.array(FIT, 'f4'))
    pack.add(f'{prefix}/fit/counts', np.array(COUNTS, 'i4'))
    pack.add(f'{prefix}/fit/windows', np.array(WINDOWS, 'i4'))
    pack.text(f'{prefix}/experts/kind', 'cen')
    pack.add(f'{prefix}/experts/scales', np.array(SCALES))
    for k in range(len(SCALES)):
        p, all_nets = f'{prefix}/experts/{k}/', []
        for v in range(len(VIEWS)):
            z = np.load(data.cached(f'experts-{k}-{v}.npz'))
            net = [z[n] for n in z.files]
            all_nets += [network(net, e) for e in range(len(points_of(faces, v)))]
        pack.add(p + 'centres', centres)
        pack.add(p + 'visible', np.ones((3, 68), 'i4'))
        pack.add(p + 'confidence', np.ones((3, 68), 'f4'))
        pack.add(p + 'index', index)
        pack.add(p + 'flip', flip)
        pack.add(p + 'layers', np.array(LAYERS, 'i4'))
        pack.half(p + 'networks', np.stack(all_nets))


def main():
    torch.set_num_threads(int(os.environ.get('THREADS', '2')))
    faces = data.Faces()
    for v in range(len(VIEWS)):
        for k in range(len(SCALES)):
            if not os.path.exists(data.cached(f'experts-{k}-{v}.npz')):
                train(faces, k, v)


if __name__ == '__main__':
    main()
