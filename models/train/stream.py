# SPDX-License-Identifier: BSD-2-Clause
"""Record streams (man/fa-stream.5) to and from the programs: pictures in, faces and landmarks out."""
import os
import struct
import subprocess
import numpy as np
from pack import padded, xxh3

CLIP, FRAME, FACES, LANDMARKS, CROP, AUS, END = range(1, 8)
BIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../build/bin')


def record(kind, clip, frame, payload):
    head = struct.pack('<4sHHIIQQiIQQ', b'FAR1', kind, 1, 0, clip, len(payload), frame, -1, 0, xxh3(payload), 0)
    return head + struct.pack('<Q', xxh3(head)) + payload + b'\0' * (padded(len(payload)) - len(payload))


def still(clip, bgr):
    """A picture [h, w, 3] as a clip of its own."""
    h, w = bgr.shape[:2]
    f = 500 * w / 640
    about = struct.pack('<IIiiIIffffiIQII', 2, 0, w, h, 0, 0, f, f, w / 2, h / 2, 0, 2, 1, 0, 0) + b'x\0'
    frame = struct.pack('<iiIIdqqqQQ', w, h, 1, 0, 0.0, -2 ** 63, 0, 0, 3 * h * w, 0) + np.ascontiguousarray(bgr).tobytes()
    return record(CLIP, clip, 0, about) + record(FRAME, clip, 1, frame) + record(END, clip, 0, struct.pack('<IIQI12x', 0, 0, 1, 0))


def read(blob):
    """(kind, clip, frame, face, payload) of every record."""
    at = 0
    while at < len(blob):
        kind, = struct.unpack_from('<H', blob, at + 4)
        clip, size, frame, face = struct.unpack_from('<IQQi', blob, at + 12)
        yield kind, clip, frame, face, blob[at + 64:at + 64 + size]
        at += 64 + padded(size)


def boxes(payload):
    n, = struct.unpack_from('<i', payload)
    return np.frombuffer(payload, '<f4', 5 * n, 16).reshape(n, 5)


class Marks:
    def __init__(self, payload):
        n, m = struct.unpack_from('<ii', payload)
        self.success, self.accepted = struct.unpack_from('<II', payload, 12)
        self.certainty, self.likelihood = struct.unpack_from('<ff', payload, 24)
        self.pose = np.frombuffer(payload, '<f4', 6, 56)
        self.xy = np.frombuffer(payload, '<f4', 2 * n, 128 + 4 * m).reshape(2, n).T


def run(pipe, pack, data=b''):
    """A shell pipe of the programs with this model; its output."""
    env = dict(os.environ, PATH=BIN + ':' + os.environ['PATH'], FA_MODELS=os.path.abspath(pack))
    return subprocess.run(['bash', '-o', 'pipefail', '-c', pipe], input=data, stdout=subprocess.PIPE, env=env, check=True).stdout
