# SPDX-License-Identifier: BSD-2-Clause
"""Fits of the landmark model by the programs' own code (fit.c), and how far they are from labels."""
import os
import subprocess
import numpy as np
import data
from pack import Pack

OUTER = (36, 45)


def accept_all(pack):
    """A validator that accepts everything, for packs that have none yet."""
    tri = np.array([[0, 16, 8]], 'i4')
    pack.add('validator/views', np.zeros((1, 3)))
    pack.add('validator/0/triangles', tri)
    pack.add('validator/0/alpha', np.zeros((1, 3), 'f4'))
    pack.add('validator/0/beta', np.zeros((1, 3), 'f4'))
    pixels = np.full((60, 60), -1, 'i4')
    pixels[30, 30] = 0
    pack.add('validator/0/pixels', pixels)
    for name, v in (('mean', [0]), ('std', [1]), ('min', [0, 0])):
        pack.add(f'validator/0/{name}', np.array(v, 'f4'))
    pack.add('validator/0/dest', np.zeros((2, 68), 'f4'))
    pack.add('validator/0/layers', np.array([[0, 1, 1, 1, 1, 1, 1, 0], [1, 1, 1, 5, 5, 5, 5, 0], [1, 1, 1, 4, 4, 4, 4, 0], [2, 9, 4, 0, 0, 0, 0, 0]], 'i4'))
    pack.add('validator/0/0/weight', np.zeros((1, 1, 1, 1), 'f4'))
    pack.add('validator/0/0/bias', np.zeros(1, 'f4'))
    pack.add('validator/0/3/weight', np.zeros((4, 9), 'f4'))
    pack.add('validator/0/3/bias', np.array([1, 0, 0, 0], 'f4'))


def write_pack(path, faces, *exports):
    """A pack of landmarks alone."""
    p = Pack()
    p.text('meta/set', 'starter')
    for e in exports:
        e(p, faces)
    p.save(path)


class Fits:
    """success, certainty, likelihood [n]; pose [n, 6]; xy [n, 68, 2]."""

    def __init__(self, pack, pictures, boxes, views):
        """pictures: [n, side, side] bytes; boxes: rows picture, x, y, w, h."""
        raw = data.cached(f'pictures-{os.getpid()}.raw')
        np.ascontiguousarray(pictures).tofile(raw)
        views = np.broadcast_to(views, len(boxes))
        lines = ''.join('%d %.6g %.6g %.6g %.6g %d\n' % (*b, v) for b, v in zip(boxes, views))
        try:
            out = subprocess.run([data.cached('fit'), pack, raw, str(pictures.shape[1])], input=lines, stdout=subprocess.PIPE, text=True,
                                 check=True).stdout
        finally:
            os.remove(raw)
        v = np.array(out.split(), float).reshape(len(boxes), -1)
        self.success, self.certainty, self.likelihood, self.pose = v[:, 0] > 0, v[:, 1], v[:, 2], v[:, 3:9]
        self.xy = v[:, 9:].reshape(-1, 2, 68).transpose(0, 2, 1)


def errors(xy, label, index=slice(None)):
    """Mean distance over landmarks as a share of the labels' outer-eye distance (in three dimensions where they have them), per shape."""
    a, b = OUTER
    size = np.linalg.norm(label[:, a] - label[:, b], axis=1)
    return np.linalg.norm(xy - label[..., :2], axis=2)[:, index].mean(1) / size


def tight_boxes(points, rng, shift=0.04, size=0.05):
    """Boxes of the points, off by a share of their size (standard deviations): x, y, w, h."""
    lo, hi = points[..., :2].min(1), points[..., :2].max(1)
    w, c = hi - lo, (lo + hi) / 2
    side = w.max(1, keepdims=True)
    c = c + rng.normal(0, shift, c.shape) * side
    w = w * np.exp(rng.normal(0, size, (len(w), 1)))
    return np.concatenate([c - w / 2, w], 1)
