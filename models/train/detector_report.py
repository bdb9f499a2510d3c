# SPDX-License-Identifier: BSD-2-Clause
"""How well a pack's detector finds faces, through fa-detect itself: hold-out stills at several sizes, face-free pictures, clips.

    python3 detector_report.py PACK      BIN: folder of the programs, SHARED: folder with videos/ and gold/ (left out where absent)
"""
import json
import os
import subprocess
import sys
import tempfile
import numpy as np
from PIL import Image
import data
from windows import shrunk

BIN = os.environ.get('BIN', '../../build/bin')
SHARED = os.environ.get('SHARED', '../../../shared')
FACE_FREE = {'face_then_none_vfr': range(45, 60)}             # frames of clips, from 0
SIZES = [(192, 110), (140, 80), (105, 60), (70, 40)]         # picture, face, pixels


def found(pack, source, limit=None):
    """Boxes [n, 5] of every frame of a clip, a picture or a folder of pictures."""
    frames = ['--frames', str(limit)] if limit else []
    decode = subprocess.Popen([f'{BIN}/fa-decode', *frames, source], stdout=subprocess.PIPE)
    detect = subprocess.Popen([f'{BIN}/fa-detect', '-a', '-q', '--model', pack], stdin=decode.stdout, stdout=subprocess.PIPE)
    decode.stdout.close()
    text = subprocess.run([f'{BIN}/fa-view', '-j', '-r', 'faces'], stdin=detect.stdout, capture_output=True, text=True, check=True).stdout
    if detect.wait():
        raise SystemExit('fa-detect failed on ' + source)
    return [np.array(json.loads(l).get('box', []), float).reshape(-1, 5) for l in text.splitlines()]


def found_in(pack, pictures):
    with tempfile.TemporaryDirectory() as d:
        for i, p in enumerate(pictures):
            Image.fromarray(np.ascontiguousarray(p[..., ::-1])).save(f'{d}/{i:05}.bmp')
        return found(pack, d)


def overlap(box, tight):
    """Intersection over union of boxes x, y, w, h with one x0, y0, x1, y1."""
    w = np.minimum(box[:, 0] + box[:, 2], tight[2]) - np.maximum(box[:, 0], tight[0])
    h = np.minimum(box[:, 1] + box[:, 3], tight[3]) - np.maximum(box[:, 1], tight[1])
    both = np.clip(w, 0, None) * np.clip(h, 0, None)
    return both / (box[:, 2] * box[:, 3] + (tight[2] - tight[0]) * (tight[3] - tight[1]) - both)


def tight_box(p):
    return np.array([p[:, 0].min(), p[:, 1].min(), p[:, 0].max(), p[:, 1].max()])


def best(boxes, tight):
    o = overlap(boxes, tight)
    return (o.max(), int((o < 0.3).sum())) if len(o) else (0.0, 0)


def stills(pack, faces):
    yaw = np.abs(faces.col('yaw')[faces.holdout])
    for side, size in SIZES:
        got = found_in(pack, [shrunk(faces.bgr()[i], side) for i in faces.holdout])
        v = [best(b, tight_box((faces.points[i, :, :2] + 0.5) * (side / data.SIDE) - 0.5)) for b, i in zip(got, faces.holdout)]
        o, extra = np.array([a for a, _ in v]), sum(e for _, e in v)
        bands = ', '.join(f'{(o[(yaw >= a) & (yaw < b)] >= 0.5).mean():.3f} at {a}-{b} deg' for a, b in ((0, 15), (15, 30), (30, 90)))
        print(f'hold-out stills, face {size} px: found {np.mean(o >= 0.5):.4f} of {len(o)} ({bands}), mean overlap {o[o >= 0.5].mean():.3f}, '
              f'others beside it {extra}', flush=True)
    for dim in (0.5, 0.25):
        got = found_in(pack, [(faces.bgr()[i] * dim).astype('u1') for i in faces.holdout])
        o = np.array([best(b, tight_box(faces.points[i, :, :2]))[0] for b, i in zip(got, faces.holdout)])
        print(f'hold-out stills, light x {dim}: found {np.mean(o >= 0.5):.4f}', flush=True)


def face_free():
    table = [r for r in data.rows('background.tsv') if r['split'] == 'holdout']
    return [p[..., ::-1] for p in data.pictures('background.bin', table, 'RGB')]


def nothing(pack):
    pictures = face_free()
    for scale in (1, 2, 4):
        p = [np.asarray(Image.fromarray(np.ascontiguousarray(a)).resize((scale * a.shape[1], scale * a.shape[0]), Image.BICUBIC)) for a in pictures]
        n, mega = sum(len(b) for b in found_in(pack, p)), sum(a.shape[0] * a.shape[1] for a in p) / 1e6
        print(f'{len(p)} face-free hold-out pictures, enlarged x {scale}: {n} false faces, {n / mega:.3f} a megapixel', flush=True)


def gold_of(name):
    """success [n], tight boxes [n, 4] of the reference's landmarks."""
    raw = subprocess.run(['zstd', '-dcq', f'{SHARED}/gold/{name}/clnf.csv.zst'], capture_output=True, text=True, check=True).stdout.splitlines()
    head = raw[0].split(',')
    v = np.array([l.split(',') for l in raw[1:]], float)
    x, y = (v[:, [head.index(f'{c}_{k}') for k in range(68)]] for c in 'xy')
    return v[:, head.index('success')] == 1, np.stack([x.min(1), y.min(1), x.max(1), y.max(1)], 1)


def clips(pack):
    for entry in sorted(os.listdir(f'{SHARED}/videos')) if os.path.isdir(f'{SHARED}/videos') else []:
        name = entry.split('.')[0]
        if not os.path.exists(f'{SHARED}/gold/{name}/clnf.csv.zst'):
            continue
        success, tight = gold_of(name)
        got = found(pack, f'{SHARED}/videos/{entry}')[:len(success)]
        o = np.array([overlap(b, t).max() if len(b) else 0 for b, t in zip(got, tight)])
        wide = np.array([overlap(b[[b[:, 2].argmax()]], t)[0] if len(b) else 0 for b, t in zip(got, tight)])
        free = FACE_FREE.get(name, [])
        false = sum(len(got[i]) for i in free)
        apart = sum(int((overlap(b, t) < 0.3).sum()) for b, t, s in zip(got, tight, success) if s)
        first = int(np.flatnonzero(success)[0])
        print(f'{name}: of {int(success.sum())} frames with a face found {np.mean(o[success] >= 0.5):.4f} (as the widest {np.mean(wide[success] >= 0.5):.4f}), '
              f'mean overlap {o[success].mean():.3f}, first one {"found" if wide[first] >= 0.5 else "MISSED"} (frame {first + 1}); '
              f'boxes elsewhere {apart}; on {len(free)} face-free frames: {false} boxes', flush=True)


if __name__ == '__main__':
    pack = os.path.abspath(sys.argv[1])
    stills(pack, data.Faces())
    nothing(pack)
    clips(pack)
