# SPDX-License-Identifier: BSD-2-Clause
"""Writes model packs (man/fa-model.5): what lib/model/builder.c does, for the training code.

    p = Pack()
    p.text('meta/set', 'starter')
    p.add('main/pdm/mean', mean)                 # by dtype: uint8, int32, float32, float64
    p.half('mtcnn/pnet/0/weight', w)             # float16 that programs see as float32
    p.half('au/dynamic/reg/weights', w, 'f64')   # float16 that programs see as float64
    p.save('starter.pack')

Needs numpy, and libxxhash, which the programs need too.
"""
import ctypes
import os
import struct
import numpy as np

TYPES = {np.dtype('uint8'): 0, np.dtype('<i4'): 4, np.dtype('<f4'): 5, np.dtype('<f8'): 6}
HALF = {'f32': 16, 'f64': 17}

_xxh = ctypes.CDLL('libxxhash.so.0')
_xxh.XXH3_64bits.restype = ctypes.c_uint64
_xxh.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def xxh3(data):
    return _xxh.XXH3_64bits(data, len(data))


def padded(n, m=64):
    return (n + m - 1) // m * m


class Pack:
    def __init__(self):
        self.items = {}

    def _put(self, name, kind, a):
        raw = name.encode()
        if not 0 < len(raw) < 64 or raw in self.items or a.ndim > 4:
            raise ValueError('bad or double tensor: ' + name)
        self.items[raw] = (kind, a.shape, np.ascontiguousarray(a).tobytes())

    def add(self, name, a):
        a = np.asarray(a)
        self._put(name, TYPES[a.dtype.newbyteorder('<') if a.dtype.itemsize > 1 else a.dtype], a)

    def half(self, name, a, seen_as='f32'):
        h = np.asarray(a).astype('<f2')
        if not np.isfinite(h).all():
            raise ValueError('does not fit into float16: ' + name)
        self._put(name, HALF[seen_as], h)

    def text(self, name, s):
        self.add(name, np.frombuffer(s.encode(), 'uint8'))

    def bytes(self):
        names = sorted(self.items)
        end = at = 64 + 128 * len(names)
        table, data = b'', b''
        for n in names:
            kind, shape, raw = self.items[n]
            gap = padded(at) - at
            data += b'\0' * gap
            at += gap
            dims = tuple(shape) + (0,) * (4 - len(shape))
            table += struct.pack('<64sII4IQQ24x', n, kind, len(shape), *dims, at, len(raw))
            data += raw
            at += len(raw)
        data += b'\0' * (padded(at) - at)
        head = struct.pack('<8sIIQQQ16x', b'FAMODEL\n', 1, len(names), end + len(data), xxh3(table), xxh3(data))
        return head + struct.pack('<Q', xxh3(head)) + table + data

    def save(self, path):
        with open(path + '.part', 'wb') as f:
            f.write(self.bytes())
        os.replace(path + '.part', path)
