# SPDX-License-Identifier: BSD-2-Clause
"""How good a set is:  report.py starter.pack

On the hold-out pictures against their labels, and, where VIDEOS and GOLD (default ../../../shared) are at hand, on clips against what OpenFace
makes of them. Everything is measured through the programs. Distances are shares of the outer-eye distance.
"""
import csv
import importlib
import io
import os
import resource
import subprocess
import sys
import numpy as np
import data
import fitter
import stream

SHARED = os.environ.get('SHARED', '../../../shared')
INNER49 = [i for i in range(17, 68) if i not in (60, 64)]
PARTS = {'jaw': range(17), 'brows': range(17, 27), 'nose': range(27, 36), 'eyes': range(36, 48), 'mouth': range(48, 68)}


def percent(v):
    return f'{100 * v:6.2f}'


def stills(pack, faces):
    """Per hold-out picture: found, accepted, landmarks (NaN where no face was found)."""
    bgr, label = faces.bgr(), faces.points
    blob = b''.join(stream.still(k, bgr[i]) for k, i in enumerate(faces.holdout))
    out = stream.run('fa-detect | fa-landmarks', pack, blob)
    n = len(faces.holdout)
    xy, accepted, best = np.full((n, 68, 2), np.nan), np.zeros(n, bool), np.full(n, np.inf)
    for kind, clip, _, _, payload in stream.read(out):
        if kind == stream.LANDMARKS:
            m, own = stream.Marks(payload), label[faces.holdout[clip]][:, :2]
            far = np.linalg.norm(m.xy.mean(0) - own.mean(0)) / np.ptp(own, axis=0).max()
            if far < min(best[clip], 0.35):
                xy[clip], accepted[clip], best[clip] = m.xy, m.accepted, far
    return xy, accepted


def report_stills(pack, faces):
    xy, accepted = stills(pack, faces)
    label, yaw = faces.points[faces.holdout], np.abs(faces.col('yaw')[faces.holdout])
    found = np.isfinite(xy[:, 0, 0])
    print(f'hold-out pictures: {len(xy)}, a face found in {percent(found.mean())} %, landmarks accepted in {percent(accepted.mean())} %\n')
    print('error, % of outer-eye distance, found faces\n  yaw       pictures   mean  median    90 %   inner   ' + '   '.join(f'{k:>5}' for k in PARTS))
    for lo, hi in ((0, 91), (0, 15), (15, 30), (30, 91)):
        k = found & (yaw >= lo) & (yaw < hi)
        if k.any():
            e = fitter.errors(xy[k], label[k])
            rest = [fitter.errors(xy[k], label[k], list(r)).mean() for r in (range(17, 68), *PARTS.values())]
            print(f'  {lo:2}..{hi:2} {k.sum():12} {percent(e.mean())}  {percent(np.median(e))}  {percent(np.quantile(e, 0.9))}  ' + '  '.join(percent(v) for v in rest))
    print()


def report_backgrounds(pack):
    pictures = data.backgrounds('holdout')
    out = stream.run('fa-detect | fa-landmarks', pack, b''.join(stream.still(k, p) for k, p in enumerate(pictures)))
    marks = [stream.Marks(p) for kind, _, _, _, p in stream.read(out) if kind == stream.LANDMARKS]
    print(f'hold-out pictures without a face: {len(pictures)}, detections {len(marks)}, accepted by the validator {sum(m.accepted for m in marks)}\n')


def table(text):
    rows = list(csv.reader(io.StringIO(text), skipinitialspace=True))
    return {h: i for i, h in enumerate(rows[0])}, np.array(rows[1:], float)


def points(at, rows):
    return np.stack([rows[:, at[f'{c}_0']:at[f'{c}_67'] + 1] for c in 'xy'], 2)


def report_clips(pack):
    videos, gold = os.path.join(SHARED, 'videos'), os.path.join(SHARED, 'gold')
    names = sorted(n for n in os.listdir(videos) if os.path.isdir(os.path.join(gold, os.path.splitext(n)[0]))) if os.path.isdir(videos) else []
    names = [n for n in names if n not in ('images', 'licenses.txt')]
    if not names:
        return
    print('clips against OpenFace 2.2 (CLNF): frames that it tracks, of these tracked (%), tracked where it has no face;\n'
          'distance of landmarks, % of outer-eye distance, on frames tracked by both; CPU of fa-landmarks, ms a frame')
    print('  clip                 frames     ref    also   extra    mean  inner49  ' + '  '.join(f'{k:>6}' for k in PARTS) + '     CPU')
    for n in names:
        csv_zst = os.path.join(gold, os.path.splitext(n)[0], 'clnf.csv.zst')
        at, ref = table(subprocess.run(['zstd', '-dc', csv_zst], stdout=subprocess.PIPE, text=True, check=True).stdout)
        saved = data.cached('report.fas')
        stream.run(f"fa-decode '{os.path.join(videos, n)}' | fa-detect -o '{saved}'", pack)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        marks = stream.run(f"fa-landmarks '{saved}'", pack)
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        os.remove(saved)
        ours = [stream.Marks(p) for kind, _, _, _, p in stream.read(marks) if kind == stream.LANDMARKS]
        k = min(len(ours), len(ref))
        ref, xy = ref[:k], np.stack([m.xy for m in ours[:k]])
        tracked, does = np.array([m.success for m in ours[:k]], bool), ref[:, at['success']] == 1
        both, want = tracked & does, points(at, ref)
        e = [fitter.errors(xy[both], want[both], i).mean() if both.any() else np.nan for i in (slice(None), INNER49, *map(list, PARTS.values()))]
        print(f'  {n:20} {k:6}  {does.sum():6}  {percent(both.sum() / max(1, does.sum()))}  {(tracked & ~does).sum():6}  ' + '  '.join(percent(v) for v in e) +
              f'  {1000 * cpu / k:6.2f}', flush=True)
    print()


def main(pack):
    faces = data.Faces()
    print(f'{pack}: {os.path.getsize(pack) / 1e6:.2f} MB\n')
    report_stills(pack, faces)
    report_backgrounds(pack)
    report_clips(pack)
    for name in ('detector', 'aus'):                 # their own, where they have more to say
        part = importlib.import_module(name)
        if hasattr(part, 'report'):
            part.report(faces)


if __name__ == '__main__':
    main(sys.argv[1])
