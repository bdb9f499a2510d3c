# SPDX-License-Identifier: BSD-2-Clause
"""Action units: linear models on FHOG and geometry (spec/aus 7.1) that come from the programs' own code (features.c), with landmarks as
the set's own landmark model finds them, and with labels a little off.

Targets are the teacher's proxies made 0..5: 0 at the 40 % quantile of the training pictures, which stands for a face at rest (squint
and blink scores are not 0 there), 5 at the 99 % quantile. Two sets, as the engine has them. Static, for stills: ridge regression
over people. Dynamic, for clips, where the clip's medians stand for the neutral face and are taken off: ridge regression over people
(each against the mean face) and over differences within people that have several pictures (each against the person's median). Presence: the
same line above the threshold with the best F1 against a proxy of at least 1. The ridge and all thresholds are chosen with people left
out (folds over person keys); the hold-out split is for figures alone.

    aus.py           trains into the cache        aus.py report    figures with people left out
"""
import os
import subprocess
import sys
import numpy as np
import torch
import torch.nn.functional as F
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial import Delaunay
import data
import fitter
import landmarks
from pack import Pack

AUS = ['AU01', 'AU02', 'AU04', 'AU06', 'AU07', 'AU10', 'AU12', 'AU25', 'AU26', 'AU45']
# Of the dynamic set, those that a clip's median is taken off, with the share of its frames that counts as neutral. A person may smile
# all through a clip: AU6, 10 and 12 are static there too.
DYNAMIC = {'AU01': 0.5, 'AU02': 0.5, 'AU04': 0.5, 'AU07': 0.5, 'AU25': 0.3, 'AU26': 0.4, 'AU45': 0.5}
N_HOG, N_GEOM, N, PADDED = 4464, 238, 4702, 4704
FOLDS, RIDGE, WITHIN = 5, [60, 150], 3.0              # WITHIN: weight of a row of differences
PRESENT, REST = 1.0, 0.4
ROW = np.dtype([('picture', '<i4'), ('mirrored', '<i4'), ('xy', '<f4', (2, 68))])
# Columns with a weight: FHOG's signed orientations and textures (unsigned ones are sums of the former), and the shape's parameters (the
# rest of the geometry is linear in them).
_h = np.arange(N_HOG) % 31
USED = np.concatenate([np.flatnonzero((_h < 18) | (_h >= 27)), np.arange(N_HOG + 204, N)])


def proxies(faces):
    """The teacher's, [n, AUs], up to v99 = 1."""
    v = np.stack([faces.col(a.lower()) for a in AUS], 1)
    return np.minimum(1, v / np.quantile(v[faces.train], 0.99, axis=0))


def targets(faces):
    """[n, AUs] 0..5."""
    v = proxies(faces)
    rest = np.quantile(v[faces.train], REST, axis=0)
    return 5 * np.maximum(0, v - rest) / (1 - rest)


def export_frame(pack):
    """What alignment needs: the shape model, and triangles over the landmarks of its mean with brows and jaw ends raised as the mask has them."""
    landmarks.export_pdm(pack, 'au')
    mean, _, _ = data.read_pdm(data.path('pdm68.txt'))
    p = mean[:2].T.copy()
    p[[0, 16] + list(range(17, 27)), 1] -= 30 / 0.7
    pack.add('au/triangles', Delaunay(p).simplices.astype('i4'))


def jittered(faces, rng):
    """Labels off as a fit's landmarks are: by modes of the shape, a similarity, and a little each; about 2 % of the outer-eye distance."""
    _, modes, var = data.read_pdm(data.path('pdm68.txt'))
    p = faces.points[..., :2].astype('f8')
    eyes = np.linalg.norm(faces.points[:, 36] - faces.points[:, 45], axis=1)
    q = rng.normal(0, 0.2, (faces.n, len(var))) * np.sqrt(var)
    move = np.einsum('nm,mkp->npk', q, modes) @ faces.rot.transpose(0, 2, 1).astype('f8')
    centre = p.mean(1, keepdims=True)
    turn = rng.normal(0, np.radians(1), (faces.n, 1, 1))
    size = rng.normal(0, 0.01, (faces.n, 1, 1))
    c = p - centre
    off = move[..., :2] / 90 + rng.normal(0, 0.008, (faces.n, 1, 2)) + rng.normal(0, 0.006, p.shape)
    return centre + c * (1 + size) + turn * np.stack([-c[..., 1], c[..., 0]], 2) + off * eyes[:, None, None]


def mirrored(faces, xy):
    xy = xy[:, faces.mirror]
    xy[..., 0] = data.SIDE - 1 - xy[..., 0]
    return xy


def fitted(faces, rng, flip):
    """Landmarks as the set's own landmark model finds them, in the faces or their mirror images."""
    pack = data.cached('au-landmarks.pack')
    if not os.path.exists(pack):
        fitter.write_pack(pack, faces, landmarks.export, lambda p, f: fitter.accept_all(p))
    label = faces.points[..., :2]
    boxes = fitter.tight_boxes(mirrored(faces, label) if flip else label, rng, 0.02, 0.03)
    views = np.where(abs(faces.col('yaw')) > 12, 11, 1)                 # as a tracker would, which has seen the head turn
    gray = faces.gray()[:, :, ::-1] if flip else faces.gray()
    return fitter.Fits(pack, gray, np.concatenate([np.arange(faces.n)[:, None], boxes], 1), views).xy


def points(faces):
    """[4, n, 68, 2] in the faces and, every second time, in their mirror images: fits, fits, labels a little off, the same."""
    rng = np.random.default_rng([data.SEED, 45])
    return np.stack([fitted(faces, rng, 0), fitted(faces, rng, 1), jittered(faces, rng), mirrored(faces, jittered(faces, rng))]).astype('f4')


def describe(faces):
    """[4, n, 4702] for points()."""
    p = Pack()
    export_frame(p)
    p.save(data.cached('au-frame.pack'))
    faces.bgr()
    pictures = data.cached('bgr.npy')
    offset = os.path.getsize(pictures) - faces.n * data.SIDE * data.SIDE * 3
    xy = data.keep('au-points', lambda: points(faces))
    rows = np.zeros(xy.shape[:2], ROW)
    for d in range(len(xy)):
        rows[d]['picture'], rows[d]['mirrored'], rows[d]['xy'] = np.arange(faces.n), d % 2, xy[d].transpose(0, 2, 1)
    out = subprocess.run([data.cached('features'), data.cached('au-frame.pack'), pictures, str(offset), str(data.SIDE)],
                         input=rows.tobytes(), stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(out, '<f4').reshape(len(xy), faces.n, N)


def gram(x, y):
    """x' x and x' y. The product goes through torch's convolution, several times as fast as Debian's plain BLAS."""
    if len(x) == 0:                                      # nobody in this fold has several pictures
        return np.zeros((x.shape[1], x.shape[1])), np.zeros((x.shape[1], y.shape[1]))
    t = torch.from_numpy(np.ascontiguousarray(x.T))[..., None, None]
    return F.conv2d(t, t)[..., 0, 0].numpy().astype('f8'), (x.T @ y.astype('f4')).astype('f8')


class Rows:
    """The training split as regression rows with a constant behind them, by fold of people; `within`: differences from a person's median."""

    def __init__(self, faces, x, y, index):
        self.faces, self.x, self.y, self.index = faces, x, y, index
        person = faces.col('person', str)[index]
        keys = np.unique(person)
        of = dict(zip(keys, np.random.default_rng(data.SEED).permutation(len(keys)) % FOLDS))
        self.fold = np.array([of[p] for p in person])
        self.groups = [g for g in (index[person == k] for k in keys[np.unique(person, return_counts=True)[1] >= 4])]
        self.group_fold = np.array([of[faces.rows[g[0]]['person']] for g in self.groups])
        label = faces.points[..., :2]
        miss = np.stack([fitter.errors(p, mirrored(faces, label) if d % 2 else label) for d, p in enumerate(np.load(data.cached('au-points.npy')))])
        noise = faces.col('noise')
        self.weight = np.where(miss < 0.08, 1 / (1 + (noise / 0.02) ** 2), 0)
        self.mean = x[0][index][:, USED].mean(0)

    def between(self, k):
        i = self.index[self.fold == k]
        x = np.concatenate([self.x[d][i][:, USED] - self.mean for d in range(len(self.x))])
        w = np.sqrt(np.concatenate([self.weight[d][i] for d in range(len(self.x))])).astype('f4')[:, None]
        return np.concatenate([x, np.ones((len(x), 1), 'f4')], 1) * w, np.tile(self.y[i], (len(self.x), 1)) * w

    def within(self, k):
        xs, ys = [np.zeros((0, len(USED) + 1), 'f4')], [np.zeros((0, len(AUS)))]
        for g in [g for g, f in zip(self.groups, self.group_fold) if f == k]:
            for d in range(len(self.x)):
                w = np.sqrt(self.weight[d][g])[:, None].astype('f4')
                x = self.x[d][g][:, USED]
                xs.append(np.pad(x - np.median(x, 0), ((0, 0), (0, 1))) * w)
                ys.append((self.y[g] - np.median(self.y[g], 0)) * w)
        return np.concatenate(xs), np.concatenate(ys)


def solve(g, b, ridge):
    d = np.full(len(g), ridge, 'f8')
    d[-1] = 1e-6
    return cho_solve(cho_factor(g + np.diag(d), overwrite_a=True, check_finite=False), b, check_finite=False)


def correlation(a, b):
    a, b = a - a.mean(0), b - b.mean(0)
    return (a * b).sum(0) / np.sqrt((a ** 2).sum(0) * (b ** 2).sum(0) + 1e-12)


def within_correlation(rows, x, y, groups, w):
    """Over the differences from the medians of people with ten pictures or more."""
    p, q = [], []
    for g in groups:
        if len(g) >= 10:
            z = x[0][g][:, USED]
            p.append((z - np.median(z, 0)) @ w[:-1])
            q.append(y[g] - np.median(y[g], 0))
    return correlation(np.concatenate(p), np.concatenate(q)) if p else np.full(len(AUS), np.nan)


def best_threshold(value, truth):
    """Of 0.3 .. 2.5, that with the best F1."""
    def f1(t):
        hit = (value > t) & truth
        return 2 * hit.sum() / max(1, (value > t).sum() + truth.sum())
    t = max(np.arange(0.3, 2.5, 0.05), key=f1)
    return t, f1(t)


def train(faces):
    torch.set_num_threads(int(os.environ.get('THREADS', '2')))
    x, y, v = data.keep('au-rows', lambda: describe(faces)), targets(faces), proxies(faces)
    rows = Rows(faces, x, y, faces.train)
    n = len(USED) + 1
    g = {kind: [gram(*getattr(rows, kind)(k)) for k in range(FOLDS)] for kind in ('between', 'within')}
    total = {kind: [sum(v[i] for v in g[kind]) for i in (0, 1)] for kind in g}
    mix = lambda kind, but=None: [total['between'][i] + (WITHIN * total['within'][i] if kind == 'dynamic' else 0)
                                  - (0 if but is None else g['between'][but][i] + (WITHIN * g['within'][but][i] if kind == 'dynamic' else 0)) for i in (0, 1)]
    out = {'mean': rows.mean, 'ridge': RIDGE}
    for kind in ('static', 'dynamic'):
        tried = []
        for ridge in RIDGE:
            value, inner = np.zeros((len(faces.train), len(AUS))), []
            for k in range(FOLDS):
                w = solve(*mix(kind, k), ridge)
                i = rows.fold == k
                value[i] = (x[0][faces.train[i]][:, USED] - rows.mean) @ w[:-1] + w[-1]
                inner.append(within_correlation(rows, x, y, [v for v, f in zip(rows.groups, rows.group_fold) if f == k], w))
            tried.append((correlation(np.clip(value, 0, 5), v[faces.train]), np.nan_to_num(np.nanmean(inner, 0)), value))
            print(f'{kind}: ridge {ridge}: mean r {tried[-1][0].mean():.3f}, within people {tried[-1][1].mean():.3f}', flush=True)
        best = int(np.argmax([t[0].mean() + (t[1].mean() if kind == 'dynamic' else 0) for t in tried]))
        r, inner, value = tried[best]
        cut = [best_threshold(value[:, a], y[faces.train][:, a] >= PRESENT) for a in range(len(AUS))]
        out.update({kind + '_w': solve(*mix(kind), RIDGE[best]), kind + '_r': r, kind + '_within': inner, kind + '_ridge': RIDGE[best],
                    kind + '_threshold': np.array([c[0] for c in cut]), kind + '_f1': np.array([c[1] for c in cut])})
    assert len(out['static_w']) == n
    neutral = faces.train[(y[faces.train] < 0.6).all(1)]
    out['neutral'] = x[0][neutral][:, USED].mean(0)
    np.savez(data.cached('aus.npz'), **out)


def report(faces):
    """Per unit: r against the teacher with people left out (train), on the hold-out split, within people; F1 of presence."""
    z, x, y = np.load(data.cached('aus.npz')), np.load(data.cached('au-rows.npy'), mmap_mode='r'), targets(faces)
    h, person = faces.holdout, faces.col('person', str)
    groups = [h[person[h] == p] for p in np.unique(person[h])]
    print('unit  folds  within  hold-out  within  F1 folds  F1 hold-out  threshold')
    for kind in ('static', 'dynamic'):
        w = z[kind + '_w']
        value = np.clip((x[0][h][:, USED] - z['mean']) @ w[:-1] + w[-1], 0, 5)
        r, inner = correlation(value, proxies(faces)[h]), within_correlation(None, x, y, groups, w)
        for a, name in enumerate(AUS):
            says, is_ = value[:, a] > z[kind + '_threshold'][a], y[h][:, a] >= PRESENT
            print(f"{name}  {z[kind + '_r'][a]:.3f}  {z[kind + '_within'][a]:.3f}   {r[a]:.3f}     {inner[a]:.3f}   {z[kind + '_f1'][a]:.3f}"
                  f"     {2 * (says & is_).sum() / max(1, says.sum() + is_.sum()):.3f}        {z[kind + '_threshold'][a]:.2f}")
        print(f"{kind}, ridge {z[kind + '_ridge']}: mean r {z[kind + '_r'].mean():.3f} with people left out, {r.mean():.3f} on the hold-out split")


def export(pack, faces):
    """The sets "static" and "dynamic" (man/fa-model.5)."""
    z = np.load(data.cached('aus.npz'))
    export_frame(pack)
    for set_ in ('static', 'dynamic'):
        kinds = ['dynamic' if set_ == 'dynamic' and a in DYNAMIC else 'static' for a in AUS]
        weights, bias, threshold = np.zeros((len(AUS), PADDED)), np.zeros(len(AUS)), np.zeros(len(AUS))
        for a, kind in enumerate(kinds):
            w = z[kind + '_w'][:, a]
            weights[a, USED] = w[:-1].astype('f2')
            bias[a] = w[-1] + weights[a, USED] @ ((z['neutral'] if kind == 'dynamic' else 0) - z['mean'])
            threshold[a] = z[kind + '_threshold'][a]
        for group in ('reg', 'class'):
            p = f'au/{set_}/{group}/'
            pack.add(p + 'names', np.array([list(a.encode().ljust(8, b'\0')) for a in AUS], 'u1'))
            pack.half(p + 'weights', weights, 'f64')
            pack.add(p + 'bias', bias - (threshold if group == 'class' else 0))
            pack.add(p + 'dynamic', np.array([k == 'dynamic' for k in kinds], 'i4'))
        pack.add(f'au/{set_}/reg/cutoff', np.array([DYNAMIC[a] if k == 'dynamic' else -1.0 for a, k in zip(AUS, kinds)]))
        pack.add(f'au/{set_}/class/values', np.tile([1.0, 0.0], (len(AUS), 1)))


def main():
    if not os.path.exists(data.cached('aus.npz')):
        train(data.Faces())


if __name__ == '__main__':
    if sys.argv[1:] == ['report']:
        report(data.Faces())
    else:
        main()
