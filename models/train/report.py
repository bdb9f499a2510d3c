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


def clips():
    """(path, its gold) of the clips that OpenFace's results are at hand for."""
    videos, gold = os.path.join(SHARED, 'videos'), os.path.join(SHARED, 'gold')
    for n in sorted(os.listdir(videos)) if os.path.isdir(videos) else ():
        csv_zst = os.path.join(gold, os.path.splitext(n)[0], 'clnf.csv.zst')
        if os.path.exists(csv_zst):
            yield os.path.join(videos, n), table(subprocess.run(['zstd', '-dc', csv_zst], stdout=subprocess.PIPE, text=True, check=True).stdout)


def report_clips(pack):
    print('clips against OpenFace 2.2 (CLNF): frames that it tracks, of these tracked (%), tracked where it has no face;\n'
          'distance of landmarks, % of outer-eye distance, on frames tracked by both; CPU of fa-landmarks, ms a frame')
    print('  clip                   frames     ref    also   extra    mean  inner49  ' + '  '.join(f'{k:>6}' for k in PARTS) + '     CPU')
    saved = data.cached('report.fas')
    for path, (at, ref) in clips():
        stream.run(f"fa-decode '{path}' | fa-detect -o '{saved}'", pack)
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
        print(f'  {os.path.basename(path):22} {k:6}  {does.sum():6}  {percent(both.sum() / max(1, does.sum()))}  {(tracked & ~does).sum():6}  ' +
              '  '.join(percent(v) for v in e) + f'  {1000 * cpu / k:6.2f}', flush=True)
    print()


def report_units(pack):
    """Action units against OpenFace's, over frames tracked by both, of the clips where OpenFace's intensity rises above 1."""
    r, agree = {}, {}
    for path, (at, ref) in clips():
        mine, own = table(stream.run(f"fa-decode '{path}' | fa-detect | fa-landmarks | fa-aus | fa-csv", pack).decode())
        k = min(len(own), len(ref))
        both = (own[:k, mine['success']] == 1) & (ref[:k, at['success']] == 1)
        for name in [n[:-2] for n in mine if n.startswith('AU') and n.endswith('_r') and n in at]:
            a, b = own[:k][both][:, mine[name + '_r']], ref[:k][both][:, at[name + '_r']]
            if both.sum() > 50 and b.max() >= 1:
                r.setdefault(name, []).append(np.corrcoef(a, b)[0, 1] if a.std() > 0 else 0.0)
            if both.any():
                agree.setdefault(name, []).append((own[:k][both][:, mine[name + '_c']] == ref[:k][both][:, at[name + '_c']]).mean())
    print('action units against OpenFace 2.2 on the clips: clips where it is active there, r of the intensities (mean, worst, best); share of frames with the\n'
          'same presence (all clips)')
    for name in sorted(agree):
        v = r.get(name, [])
        print(f'  {name} {len(v):4}  ' + (f'{np.mean(v):6.2f} {min(v):6.2f} {max(v):6.2f}' if v else ' ' * 20) + f'  {percent(np.mean(agree[name]))} %')
    every = [x for v in r.values() for x in v]
    if every:
        print(f'  mean r over {len(every)} active pairs of clip and unit: {np.mean(every):.2f}\n')


def main(pack):
    faces = data.Faces()
    print(f'{pack}: {os.path.getsize(pack) / 1e6:.2f} MB\n')
    report_stills(pack, faces)
    report_backgrounds(pack)
    if next(clips(), None):
        report_clips(pack)
        report_units(pack)
    importlib.import_module('aus').report(faces)
    print(flush=True)
    subprocess.run([sys.executable, 'detector_report.py', pack], env=dict(os.environ, BIN=stream.BIN, SHARED=SHARED), check=True)


if __name__ == '__main__':
    main(sys.argv[1])
