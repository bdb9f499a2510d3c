# SPDX-License-Identifier: BSD-2-Clause
"""Trains what is not in the cache and puts all parts into one pack:  assemble.py starter.pack

A part is a module with main(), which trains it into the cache unless it is there, and export(pack, faces).
"""
import importlib
import os
import subprocess
import sys
import time
import data
from pack import Pack

PARTS = ['landmarks', 'validator', 'detector', 'aus']
LICENCE = """The starter set of fa-tools, trained by models/train on the open face set. CC BY-NC 4.0: most of its training pictures
come from research collections. Not for recognising people, nor for decisions about them. models/starter/README.md says more."""


def sources():
    """What it was trained on, in the form of meta/sources: digest, bytes, name."""
    import hashlib
    lines = []
    for name in ('faces.bin', 'faces.tsv', 'points68.i16', 'blend52.u8', 'rot.f32', 'mesh478.i16d.xz', 'pdm68.txt', 'background.bin'):
        with open(data.path(name), 'rb') as f:
            b = f.read()
        lines.append(f'{hashlib.sha256(b).hexdigest()}  {len(b)}  openset/{name}\n')
    return ''.join(lines)


def main(out):
    faces, pack, t0 = data.Faces(), Pack(), time.time()
    pack.text('meta/set', 'starter')
    pack.text('meta/licence', LICENCE)
    pack.text('meta/sources', sources())
    for name in PARTS:
        t = time.time()
        subprocess.run([sys.executable, name + '.py'], check=True)      # a process of its own: memory and thread counts
        importlib.import_module(name).export(pack, faces)
        print(f'{name}: {time.time() - t:.0f} s', flush=True)
    pack.save(out)
    print(f'{out}: {os.path.getsize(out)} bytes, {time.time() - t0:.0f} s')


if __name__ == '__main__':
    main(sys.argv[1])
