# SPDX-License-Identifier: BSD-2-Clause
"""The demo clip: the mean face through known turns, expressions and blinks; models/starter/demo.mp4 and its truth, demo.tsv.

    python3 clip.py FOLDER        writes FOLDER/demo.mp4 and FOLDER/demo.tsv

demo.tsv has a line a frame: face (1 there, 0 not), yaw, pitch, roll (degrees, R = Rx(pitch) Ry(yaw) Rz(roll) from the head's frame to
the camera's, both x right, y down, z away; positive yaw: the nose points to image left, positive pitch: down, positive roll: clockwise),
the action units as driven (0..5; a script's strengths, not a coder's), then x and y of the 68 points in pixels (every fifth line, to be short; empty
elsewhere), all 0 without a face.
Jaw points are fixed places of the mesh's border, brows, eyes and lips those of map68.tsv.
"""
import csv
import os
import subprocess
import sys
import numpy as np
from PIL import Image
import data
import meanface
import render

W, H, FPS, FOCAL, LENGTH = 640, 480, 25, 500.0, 20.0

# Key frames: (seconds, value), eased between.
POSE = {
    'yaw': [(1.2, 0), (2.2, 26), (2.5, 26), (3.9, -26), (4.2, -26), (5.2, 0), (16.4, 0), (17.2, -12), (18.6, 12), (19.4, 0)],
    'pitch': [(5.2, 0), (5.8, 12), (6.0, 12), (6.9, -12), (7.1, -12), (7.7, 0), (16.4, 0), (17.6, 5), (18.6, 0)],
    'roll': [(7.7, 0), (8.2, 15), (8.3, 15), (9.1, -15), (9.2, -15), (9.8, 0), (17.0, 0), (17.8, -6), (18.8, 0)],
}
PLACE = {                                                # mm from the camera
    'x': [(0, 0), (1.0, -8), (2.6, 4), (5.0, -4), (8.0, 6), (10.0, 0), (14.8, 0), (14.9, -95), (16.2, -95), (18.8, 90), (20, 80)],
    'y': [(0, -22), (3.0, -18), (6.0, -26), (10.0, -20), (14.8, -20), (14.9, 12), (16.2, 12), (17.6, -35), (19.0, -20)],
    'z': [(0, 455), (10.0, 440), (14.8, 440), (14.9, 640), (16.2, 640), (18.6, 400), (20, 400)],
}
ACTION = {
    'smile': [(10.0, 0), (10.4, 1), (11.2, 1), (11.6, 0), (17.4, 0), (17.9, 1), (18.5, 1), (18.9, 0)],
    'brows': [(11.9, 0), (12.15, 1), (12.7, 1), (12.95, 0)],
    'frown': [(13.1, 0), (13.35, 1), (13.75, 1), (14.0, 0)],
    'jaw': [(14.0, 0), (14.25, 1), (14.45, 1), (14.7, 0), (19.1, 0), (19.35, 0.8), (19.5, 0.8), (19.75, 0)],
}
BLINKS = [0.7, 1.0, 4.05, 7.5, 9.9, 11.72, 13.0, 16.7, 19.0]     # closed at these seconds
AWAY = (14.8, 15.9)                                              # no face between these
AUS = ['AU01', 'AU02', 'AU04', 'AU06', 'AU12', 'AU25', 'AU26', 'AU45']


def key(track, t):
    for (t0, v0), (t1, v1) in zip(track, track[1:]):
        if t <= t1:
            return v0 + (v1 - v0) * float(render.smooth(t, t0, t1))
    return track[-1][1]


def blink(t):
    """Shut in 0.1 s, 0.08 s closed, open in 0.16 s."""
    return max(float(np.interp(t - at, [-0.14, -0.04, 0.04, 0.20], [0, 1, 1, 0])) for at in BLINKS)


def driven(t):
    a = {n: key(track, t) for n, track in ACTION.items()}
    a['blink'] = blink(t)
    scores = {'smile': 0.95 * a['smile'], 'upper': 0.40 * a['smile'], 'squint': 0.5 * a['smile'], 'brow_inner': 0.9 * a['brows'],
              'brow_outer': 0.9 * a['brows'], 'frown': 1.1 * a['frown'], 'jaw': 0.6 * a['jaw'],
              'lower': 0.25 * a['smile'] + 0.15 * a['jaw'], 'blink': a['blink']}
    au = {'AU01': a['brows'], 'AU02': a['brows'], 'AU04': a['frown'], 'AU06': a['smile'], 'AU12': a['smile'],
          'AU25': min(1, 0.7 * a['smile'] + a['jaw']), 'AU26': a['jaw'], 'AU45': a['blink']}
    return scores, au


def background(t):
    """Soft shapes that drift, at a quarter of the size; noise would cost bytes and prove nothing."""
    w, h = W // 4, H // 4
    x, y = np.meshgrid(np.arange(w) / w, np.arange(h) / h)
    c = np.stack([120 + 45 * y + 12 * np.sin(0.5 * t), 128 + 30 * (1 - y), 118 + 40 * x + 10 * np.cos(0.4 * t)], 2)
    discs = [(0.15, 0.3, 0.13, (70, 20, -30)), (0.85, 0.2, 0.17, (-40, 10, 50)), (0.7, 0.75, 0.11, (-35, -45, 10)), (0.3, 0.85, 0.2, (25, -20, 30))]
    for k, (px, py, r, tone) in enumerate(discs):
        d = np.hypot((x - px - 0.06 * np.sin(0.7 * t + 2 * k)) * w / h, y - py - 0.05 * np.cos(0.6 * t + k)) / r
        c += (1 - render.smooth(d, 0.8, 1.05))[..., None] * tone
    c += (8 * np.sign(np.sin(40 * (x + 0.02 * t))))[..., None] * (y > 0.6)[..., None]
    return np.asarray(Image.fromarray(np.clip(c, 0, 255).astype('u1')).resize((W, H), Image.BILINEAR)).astype('f4')


def points68(p):
    out = np.zeros((68, 2))
    with open(data.path('map68.tsv')) as f:
        for r in csv.DictReader(f, delimiter='\t'):
            out[int(r['point'])] += float(r['weight']) * p[int(r['vertex']), :2]
    return out


def frames():
    head, camera = render.Head(), render.Camera(W, H, FOCAL)
    for i in range(round(LENGTH * FPS)):
        t = i / FPS
        b = background(t)
        if AWAY[0] <= t < AWAY[1]:
            yield i, b, None
            continue
        pose = [key(POSE[n], t) for n in ('yaw', 'pitch', 'roll')]
        place = np.array([key(PLACE[n], t) for n in ('x', 'y', 'z')])
        scores, au = driven(t)
        picture, p = render.frame(head, camera, b, pose, place, scores)
        yield i, picture, (pose, au, points68(p))


def main(folder):
    if not os.path.exists(data.cached('meanface.npz')):
        meanface.build()
    video = subprocess.Popen(['ffmpeg', '-v', 'error', '-y', '-f', 'rawvideo', '-pix_fmt', 'bgr24', '-s', f'{W}x{H}', '-r', str(FPS), '-i', '-',
                              '-c:v', 'libx264', '-preset', 'medium', '-crf', '24', '-threads', '1', '-pix_fmt', 'yuv420p', '-fflags', '+bitexact',
                              '-flags:v', '+bitexact', '-movflags', '+faststart', os.path.join(folder, 'demo.mp4')], stdin=subprocess.PIPE)
    with open(os.path.join(folder, 'demo.tsv'), 'w') as out:
        print('frame', 'face', 'yaw', 'pitch', 'roll', *AUS, *(f'{c}{k}' for c in 'xy' for k in range(68)), sep='\t', file=out)
        for i, picture, truth in frames():
            video.stdin.write(np.clip(np.rint(picture), 0, 255).astype('u1').tobytes())
            pose, au, xy = truth or ((0, 0, 0), {}, np.zeros((68, 2)))
            print(i + 1, int(truth is not None), *(f'{v:.1f}' for v in pose), *(f'{5 * au.get(n, 0):.2f}' for n in AUS),
                  *(f'{v:.1f}' if i % 5 == 0 else '' for v in xy.T.ravel()), sep='\t', file=out)
    video.stdin.close()
    if video.wait():
        sys.exit('clip.py: ffmpeg failed')


if __name__ == '__main__':
    main(sys.argv[1])
