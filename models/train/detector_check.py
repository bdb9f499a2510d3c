# SPDX-License-Identifier: BSD-2-Clause
"""Training and programs must see the same: the cascade of detector.py and fa-detect on one picture, with the networks of one pack.

    python3 detector_check.py BIN [PACK PICTURE]      without a pack: networks of random weights on a made picture
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
import detector
from pack import Pack

TYPES = {0: 'u1', 4: '<i4', 5: '<f4', 6: '<f8', 16: '<f2', 17: '<f2'}


def tensors(path):
    with open(path, 'rb') as f:
        raw = f.read()
    out = {}
    for i in range(struct.unpack_from('<I', raw, 12)[0]):
        name, kind, ndim, *dims, at, length = struct.unpack_from('<64sII4IQQ', raw, 64 + 128 * i)
        out[name.rstrip(b'\0').decode()] = np.frombuffer(raw, TYPES[kind], length // np.dtype(TYPES[kind]).itemsize, at).reshape(dims[:ndim])
    return out


def network(t, prefix):
    """The function that a pack's layer table stands for, in plain float."""
    def run(x):
        for i, (code, n_in, _, _, kw, _, sx, _) in enumerate(t[f'{prefix}/layers'].tolist()):
            w, b = (torch.from_numpy(t[f'{prefix}/{i}/{k}'].astype('f4')) if f'{prefix}/{i}/{k}' in t else None for k in ('weight', 'bias'))
            if code == 0:
                x = F.conv2d(x, w, b)
            elif code == 1:
                x = F.max_pool2d(x, kw, sx, ceil_mode=True)
            elif code == 2:
                x = F.conv2d(x, w[:, :, None, None], b) if x.ndim == 4 and x.shape[1] == n_in else F.linear(x.flatten(1), w, b)
            else:
                x = F.prelu(x, w)
        return x
    return run


def random_networks():
    nets = {}
    for stage in detector.SIDES:
        nets[stage] = detector.make(stage).eval()
        with torch.no_grad():                                # scores apart from each other, small offsets
            nets[stage][-1].weight[:2] *= 12
            nets[stage][-1].weight[2:] *= 0.3
    return nets


def made_picture(w=200, h=150):
    g = np.random.default_rng(7)
    small = g.integers(0, 256, (h // 10, w // 10, 3), 'u1')
    return np.asarray(Image.fromarray(small).resize((w, h), Image.BICUBIC))[..., ::-1]


def main(folder, path=None, picture=None):
    with tempfile.TemporaryDirectory() as d:
        if path is None:
            path, pack = d + '/random.pack', Pack()
            pack.text('meta/set', 'random')
            detector.export(pack, nets=random_networks(), thresholds=[0.5, 0.4, 0.4])
            pack.save(path)
        bgr = np.asarray(Image.open(picture).convert('RGB'))[..., ::-1] if picture else made_picture()
        Image.fromarray(np.ascontiguousarray(bgr[..., ::-1])).save(d + '/picture.bmp')
        decode = subprocess.run([folder + '/fa-decode', d + '/picture.bmp'], stdout=subprocess.PIPE, check=True).stdout
        detect = subprocess.run([folder + '/fa-detect', '-q', '--model', path], input=decode, stdout=subprocess.PIPE, check=True).stdout
        view = subprocess.run([folder + '/fa-view', '-j', '-r', 'faces'], input=detect, stdout=subprocess.PIPE, check=True).stdout
        t = tensors(path)
    got = np.array(json.loads(view).get('box', []), float).reshape(-1, 5)
    numbers = t['mtcnn/cascade']
    assert numbers[4:].tolist() == [*detector.SIDES.values(), *detector.BOX]
    nets = {stage: network(t, 'mtcnn/' + stage) for stage in detector.SIDES}
    box, score = detector.Cascade(nets, numbers[1:4].astype('f4'), numbers[0]).detect(np.ascontiguousarray(bgr))
    want = np.column_stack([box, score])[:len(got) or None]
    if not len(want) or want.shape != got.shape:
        sys.exit(f'fa-detect has {len(got)} boxes, training {len(box)}')
    apart = np.abs(got - want).max(0)
    print(f'{len(got)} boxes; furthest apart: {apart[:4].max():.2g} pixels, score {apart[4]:.2g}')
    if apart[:4].max() > 1e-2 or apart[4] > 1e-4:
        sys.exit('training and fa-detect differ')


if __name__ == '__main__':
    torch.set_num_threads(1)
    main(os.path.abspath(sys.argv[1]), *sys.argv[2:])
