#!/usr/bin/env python3
"""state.py STATE.f32 <LANDMARKS as JSON lines: the tracker's state of every frame against the reference's at full precision
(shared/cen-test/README, golds): success and the model's own flag equal; landmarks and certainty within what the reference differs
from itself by when its BLAS rounds otherwise. Prints one line; exit 1 when a bound is broken."""
import array, json, math, sys

N = 182                                    # frame, success, accepted, certainty, likelihood, view, 6 global, 34 local, 68 x, 68 y
want = array.array('f')
with open(sys.argv[1], 'rb') as f:
    want.frombytes(f.read())
if sys.byteorder == 'big':
    want.byteswap()
rows, flags, certain, distance, likely, pose, local = len(want) // N, 0, 0, [], [], [], []
got = [json.loads(line) for line in sys.stdin]
for i, g in enumerate(got[:rows]):
    w = want[N * i:N * (i + 1)]
    assert g['frame'] == w[0], (g['frame'], w[0])
    flags += (g['success'] != 0) != (w[1] != 0) or (g['accepted'] != 0) != (w[2] != 0)
    certain += abs(g['certainty'] - w[3]) > 1e-6
    if not (w[1] and g['success']):
        continue
    likely.append(abs(g['likelihood'] - w[4]))
    pose.append(max(abs(a - b) for a, b in zip(g['global'][1:4], w[7:10])))
    local.append(max(abs(a - b) for a, b in zip(g['local'], w[12:46])))
    distance += [math.hypot(g['xy'][k] - w[46 + k], g['xy'][68 + k] - w[114 + k]) for k in range(68)]
distance.sort()
mean, p99 = sum(distance) / len(distance), distance[len(distance) * 99 // 100]
print('%d frames: landmarks mean %.4f, 99%% %.3f, largest %.2f px; rotation %.4f rad, shape %.2f, likelihood %.4f; other flags %d, other certainty %d' %
      (rows, mean, p99, distance[-1], max(pose), max(local), max(likely), flags, certain))
sys.exit(len(got) < rows or flags > 0 or mean > 0.02 or p99 > 0.15 or certain > rows / 20)
