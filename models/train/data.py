# SPDX-License-Identifier: BSD-2-Clause
"""The training pictures and labels in memory, mirrored where asked, with the hold-out split kept apart.

DATA is a folder in the layout of the open face set: faces.bin, faces.tsv, points68.i16, pdm68.txt, background.bin, ...
LICENCE=permissive takes the rows of that class only. CACHE keeps decoded pictures and finished parts between runs.
"""
import csv
import io
import os
import numpy as np
from PIL import Image

DATA = os.environ.get('DATA', '../../../shared/openset')
CACHE = os.environ.get('CACHE', '../../build/train')
LICENCE = os.environ.get('LICENCE', 'all')
SIDE = 192
SEED = 20261125
os.makedirs(CACHE, exist_ok=True)


def path(name):
    return os.path.join(DATA, name)


def cached(name):
    return os.path.join(CACHE, name)


def rows(name):
    with open(path(name)) as f:
        return list(csv.DictReader(f, delimiter='\t'))


def decode(blob, mode):
    return np.asarray(Image.open(io.BytesIO(blob)).convert(mode))


def pictures(name, table, mode):
    with open(path(name), 'rb') as f:
        blob = f.read()
    return [decode(blob[int(r['off']):int(r['off']) + int(r['len'])], mode) for r in table]


def keep(name, make):
    """An array computed once and kept in the cache."""
    f = cached(name + '.npy')
    if not os.path.exists(f):
        np.save(f + '.part.npy', make())
        os.replace(f + '.part.npy', f)
    return np.load(f, mmap_mode='r')


class Faces:
    def __init__(self):
        self.rows = rows('faces.tsv')
        self.n = len(self.rows)
        self.points = np.fromfile(path('points68.i16'), '<i2').reshape(self.n, 68, 3).astype('f4') / 64
        self.rot = np.fromfile(path('rot.f32'), '<f4').reshape(self.n, 3, 3)
        self.mirror = np.loadtxt(path('mirror68.txt'), int)
        split = self.col('split', str)
        allowed = np.ones(self.n, bool) if LICENCE == 'all' else self.col('licence', str) == LICENCE
        self.train = np.flatnonzero((split == 'train') & allowed)
        self.holdout = np.flatnonzero(split == 'holdout')

    def col(self, name, kind=float):
        return np.array([kind(r[name]) for r in self.rows])

    def bgr(self):
        return keep('bgr', lambda: np.stack(pictures('faces.bin', self.rows, 'RGB'))[..., ::-1])

    def gray(self):
        """As the programs make it (fa_gray_from_bgr)."""
        def make():
            b = self.bgr()
            out = np.empty(b.shape[:3], 'u1')
            for i in range(0, self.n, 256):
                v = b[i:i + 256].astype('i4')
                out[i:i + 256] = (3735 * v[..., 0] + 19235 * v[..., 1] + 9798 * v[..., 2] + 16384) >> 15
            return out
        return keep('gray', make)

    def mesh(self):
        import lzma
        d = np.frombuffer(lzma.open(path('mesh478.i16d.xz')).read(), '<i2').reshape(3, self.n, 478)
        return np.moveaxis(np.cumsum(d, axis=2, dtype='i2'), 0, 2).astype('f4') / 32


def backgrounds(split='train'):
    """Face-free pictures, B,G,R."""
    t = [r for r in rows('background.tsv') if r['split'] == split and (LICENCE == 'all' or split == 'holdout' or r['licence'] == LICENCE)]
    return [p[..., ::-1] for p in pictures('background.bin', t, 'RGB')]


def read_pdm(name):
    """mean [3, 68], modes [m, 3, 68], variances [m] of the usual text form."""
    lines = [l for l in open(name) if l.strip() and not l.startswith('#')]
    out, k = [], 0
    for _ in range(3):
        r, c = int(lines[k]), int(lines[k + 1])
        out.append(np.array(' '.join(lines[k + 3:k + 3 + r]).split(), float).reshape(r, c))
        k += 3 + r
    mean, modes, var = out
    return mean.reshape(3, 68), modes.T.reshape(-1, 3, 68), var.ravel()


def procrustes(x, y):
    """Per shape the similarity s, R, t with s R x + t nearest to y; x, y: [n, k, d]."""
    mx, my = x.mean(1, keepdims=True), y.mean(1, keepdims=True)
    a, b = x - mx, y - my
    u, d, vt = np.linalg.svd(np.einsum('nki,nkj->nij', b, a))
    flip = np.sign(np.linalg.det(u @ vt))
    d[:, -1] *= flip
    u[:, :, -1] *= flip[:, None]
    r = u @ vt
    s = d.sum(1) / (a ** 2).sum((1, 2))
    return s, r, (my - s[:, None, None] * (mx @ r.transpose(0, 2, 1)))[:, 0]
