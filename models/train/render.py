# SPDX-License-Identifier: BSD-2-Clause
"""Draws the mean face of meanface.py: its head as textured triangles with a depth buffer, a pinhole camera, soft light."""
import numpy as np
from scipy.ndimage import gaussian_filter
import data
from meanface import EYES, HIGH, INNER_LIP, N, OVAL, PX, WIDE, X0, Y0, rings

SUPER = 2                                                # samples a pixel and axis
PIVOT = np.array([0, 60, 70.0])                          # the head turns about a point in the neck


def smooth(x, lo, hi):
    t = np.clip((x - lo) / (hi - lo), 0, 1)
    return t * t * (3 - 2 * t)


def rotation(yaw, pitch, roll):
    """Rx(pitch) Ry(yaw) Rz(roll), degrees."""
    (cx, cy, cz), (sx, sy, sz) = (f(np.radians([pitch, yaw, roll])) for f in (np.cos, np.sin))
    rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return rx @ ry @ rz


def haired(base, own, gx, gy):
    """The mean's colours where they are the person's, those of near texels elsewhere, and hair combed back from the forehead: the pictures
    end above it."""
    angle, radius = np.arctan2(gx, gy + 20), np.hypot(gx, gy + 20)      # strands run from the crown
    strand = gaussian_filter(np.random.default_rng(data.SEED).normal(size=(64, 900)), (3, 0.8), mode='wrap')
    strand = strand[(radius / 4).astype(int) % 64, ((angle / (2 * np.pi) + 0.5) * 899).astype(int)] / strand.std()
    tone = base[(abs(abs(gx) - 72) < 6) & (abs(gy + 45) < 12)].mean(0) * 0.9
    shine = 1 + 0.25 * smooth(-gy, 60, 130) * smooth(60 - abs(gx), 0, 60)
    hair = tone * ((1 + 0.10 * gaussian_filter(strand, 0.8)) * shine)[..., None]
    sure = smooth(own, 0.5, 0.95)[..., None]
    near = gaussian_filter(base * sure, (6, 6, 0)) / np.maximum(gaussian_filter(sure, (6, 6, 0)), 1e-3)
    base = base * sure + near * (1 - sure)
    for place in (smooth(-gy, 66, 84), smooth(-gy, 5, 45) * smooth(abs(gx), 62, 74)):          # above, beside the temples
        base = base * (1 - place)[..., None] + hair * place[..., None]
    return base


def outline(own, mesh, gx, gy):
    """Opacity: an ellipse for the skull, below the mean's own outline, which ends softly at the jaw and above the neck's foot."""
    skull = (gx / 83) ** 2 + ((gy + 25) / np.where(gy < -25, 94, 75)) ** 2
    cap = smooth(1.06 - skull, 0, 0.12) * (gy < 5)
    own = smooth(gaussian_filter(own, 4), 0.45, 0.82) * smooth(52 - abs(gx) + 200 * (gy < 108), 0, 12) * smooth(154 - gy, 0, 32)
    jaw = smooth(gaussian_filter(mesh, 6), 0.4, 0.95)
    own = own * np.maximum(jaw, np.maximum(smooth(-gy, -55, -35), smooth(48 - abs(gx), 0, 16)))
    up = smooth(-gy, 5, 45)
    return (own * (1 - up) + cap * up).astype('f4')


class Head:
    """Geometry and texture as functions of how far each action is driven, 0..1."""

    def __init__(self):
        z = np.load(data.cached('meanface.npz'))
        self.uv, triangles = z['uv'], z['triangles']
        self.move = {k[5:]: z[k] for k in z.files if k.startswith('move_')}
        self.neutral = z['neutral'].copy()
        for up, low in zip(INNER_LIP[1:10], INNER_LIP[:10:-1]):        # the mean of all lips is ajar: shut it
            half = (self.neutral[low] - self.neutral[up]) / 2
            self.neutral[up] += half
            self.neutral[low] -= half
        eye = np.array([any(set(t) <= set(e) for e in EYES) for t in triangles])
        self.skin, self.eyes = triangles[~eye], triangles[eye]
        self._texture(z)

    def _texture(self, z):
        gx, gy = np.meshgrid(X0 + np.arange(WIDE) / PX, Y0 + np.arange(HIGH) / PX)
        mesh = (z['lids'].sum(2) > 0).astype('f4')
        edge = smooth(gaussian_filter(mesh, 8), 0.6, 0.98)[..., None]
        base = haired(z['base'], z['own'], gx, gy)
        self.base = base + 0.7 * edge * (base - gaussian_filter(base, (2.2, 2.2, 0)))     # means are soft
        self.alpha = outline(z['own'], mesh, gx, gy)
        fine = lambda t, s: t - gaussian_filter(t, (s, s, 0))             # no changes of light or complexion
        around = lambda x, y, rx, ry: edge * np.exp(-np.maximum(0, ((abs(gx) - x) / rx) ** 2 + ((gy - y) / ry) ** 2 - 0.5))[..., None]
        mouth, eyes, brows = around(0, 75, 48, 42), around(30, 0, 26, 17), around(22, -22, 40, 16)
        self.tint = {'smile': fine(z['tint_smile'], 24) * mouth, 'frown': 1.6 * fine(z['tint_frown'], 20) * brows,
                     'brow_inner': fine(z['tint_brow_inner'], 20) * brows, 'brow_outer': fine(z['tint_brow_outer'], 20) * brows,
                     'squint': fine(z['tint_squint'], 20) * eyes, 'blink': fine(z['lids'] - z['base'], 26) * eyes}
        self.inside = gaussian_filter(z['mouth'], 1.0)[..., None]
        self.teeth, self.dark = z['teeth'], z['dark']

    def texture(self, a):
        t = self.base
        for n, d in self.tint.items():
            if a.get(n, 0) > 0:
                t = t + a[n] * d
        smiling = a.get('smile', 0) / (a.get('smile', 0) + a.get('jaw', 0) + 1e-3)
        t = t * (1 - self.inside) + (self.teeth * smiling + self.dark * (1 - smiling)) * self.inside
        return np.concatenate([np.clip(t, 0, 255), 255 * self.alpha[..., None]], 2).astype('f4')

    def vertices(self, a):
        """Face and rings, 576 x 3; and the same with open lids for the eyes behind them."""
        v = self.neutral + sum(x * self.move[n] for n, x in a.items() if n not in ('blink',))
        still = self.neutral[OVAL]
        around = rings(self.neutral)
        around = np.concatenate([r + (v[OVAL] - still) * k for r, k in zip(around, (1, 0.4, 0))])
        eyes = self.neutral + a.get('brow_inner', 0) * self.move['wide'] * 0.2
        eyes = np.concatenate([eyes + [0, 0, 2], around])
        shut = a.get('blink', 0)
        if shut > 0:
            v = v + 1.4 * shut * self.move['blink']
            for e in EYES:
                for k in range(1, 8):
                    up, low = e[k], e[16 - k]
                    free = self.neutral[up] + (v[up] - self.neutral[up]) * (1 - shut)
                    v[up] = free + (v[low] - free) * shut
        return np.concatenate([v, around]), eyes


def normals(v, triangles):
    n = np.zeros_like(v)
    a, b, c = (v[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    face *= np.sign(-face[:, 2:] + 1e-9)                    # toward the viewer
    for k in range(3):
        np.add.at(n, triangles[:, k], face)
    return n / np.linalg.norm(n, axis=1, keepdims=True)


class Canvas:
    """Texture coordinates, light and depth of what is nearest, SUPER samples a pixel and axis."""

    def __init__(self, w, h):
        self.w, self.h = w * SUPER, h * SUPER
        self.depth = np.full((self.h, self.w), np.inf, 'f4')
        self.at = np.zeros((self.h, self.w, 3), 'f4')

    def draw(self, p, uvl, triangles):
        """p: x, y in pixels, depth; uvl: texture place and light of each vertex."""
        x, y = ((p[:, k] + 0.5) * SUPER - 0.5 for k in (0, 1))
        for t in triangles:
            tx, ty = x[t], y[t]
            x0, x1 = max(0, int(np.ceil(tx.min()))), min(self.w - 1, int(tx.max()))
            y0, y1 = max(0, int(np.ceil(ty.min()))), min(self.h - 1, int(ty.max()))
            area = (tx[1] - tx[0]) * (ty[2] - ty[0]) - (tx[2] - tx[0]) * (ty[1] - ty[0])
            if x1 < x0 or y1 < y0 or abs(area) < 1e-6:
                continue
            gx, gy = np.arange(x0, x1 + 1)[None, :], np.arange(y0, y1 + 1)[:, None]
            w1 = ((gx - tx[0]) * (ty[2] - ty[0]) - (tx[2] - tx[0]) * (gy - ty[0])) / area
            w2 = ((tx[1] - tx[0]) * (gy - ty[0]) - (gx - tx[0]) * (ty[1] - ty[0])) / area
            w0 = 1 - w1 - w2
            z = w0 * p[t[0], 2] + w1 * p[t[1], 2] + w2 * p[t[2], 2]
            d = self.depth[y0:y1 + 1, x0:x1 + 1]
            hit = (w0 >= -1e-6) & (w1 >= -1e-6) & (w2 >= -1e-6) & (z < d)
            if hit.any():
                d[hit] = z[hit]
                self.at[y0:y1 + 1, x0:x1 + 1][hit] = w0[hit][:, None] * uvl[t[0]] + w1[hit][:, None] * uvl[t[1]] + w2[hit][:, None] * uvl[t[2]]

    def over(self, picture, texture):
        """The drawn head over a float picture [h, w, 3]."""
        out = np.zeros((self.h, self.w, 4), 'f4')
        seen = np.isfinite(self.depth)
        u, v, light = self.at[seen].T
        u, v = np.clip(u, 0, WIDE - 1.001), np.clip(v, 0, HIGH - 1.001)
        i, j = u.astype(int), v.astype(int)
        fx, fy = (u - i)[:, None], (v - j)[:, None]
        c = (texture[j, i] * (1 - fx) + texture[j, i + 1] * fx) * (1 - fy) + (texture[j + 1, i] * (1 - fx) + texture[j + 1, i + 1] * fx) * fy
        a = c[:, 3:] / 255
        out[seen] = np.concatenate([np.clip(c[:, :3] * light[:, None], 0, 255) * a, a], 1)
        out = out.reshape(self.h // SUPER, SUPER, self.w // SUPER, SUPER, 4).mean((1, 3))
        return picture * (1 - out[..., 3:]) + out[..., :3]


class Camera:
    def __init__(self, w, h, focal):
        self.w, self.h, self.focal = w, h, focal

    def project(self, v):
        return np.stack([self.focal * v[:, 0] / v[:, 2] + (self.w - 1) / 2, self.focal * v[:, 1] / v[:, 2] + (self.h - 1) / 2, v[:, 2]], 1)


LIGHT = np.array([-0.35, -0.5, -0.8]) / np.linalg.norm([-0.35, -0.5, -0.8])


def below(camera, place):
    """Each pixel's place in mm from the neck's foot."""
    k = place[2] + PIVOT[2] - 20
    gx, gy = np.meshgrid(np.arange(camera.w), np.arange(camera.h))
    return (gx - (camera.w - 1) / 2) * k / camera.focal - place[0], (gy - (camera.h - 1) / 2) * k / camera.focal - place[1] - 152


def neck(picture, camera, place):
    """Skin behind the chin, for the parts of the neck that the turned head leaves bare."""
    x, y = below(camera, place)
    half = 53 + np.maximum(0, y + 30) ** 2 / 250
    inside = (smooth(half - abs(x), -1.5, 1.5) * (y > -130))[..., None]
    skin = np.array([122, 134, 168.0]) * (1 - 0.34 * (x / half) ** 4 - 0.22 * smooth(-y, 0, 42) - 0.05 * (x / half))[..., None]
    return picture * (1 - inside) + np.clip(skin, 0, 255) * inside


def body(picture, camera, place):
    """A plain pullover, over the neck's foot."""
    x, y = below(camera, place)
    side = np.maximum(0, abs(x) - 62)
    top = np.where(side > 0, 0.28 * side + (side / 26) ** 2 * 1.2, 16 * (1 - (x / 62) ** 2))
    inside = smooth(y - top, -1.5, 1.5)[..., None]
    fold = 1 - 0.25 * smooth(abs(x), 60, 220) - 0.18 * (1 - smooth(y - top, 2, 40)) + 0.05 * np.sin(x / 17 + y / 40)
    collar = 1 - 0.3 * (1 - smooth(y - top, 6, 10)) * (1 - smooth(abs(x), 60, 72))
    wool = np.array([96, 78, 58.0]) * (fold * collar)[..., None]
    return picture * (1 - inside) + wool * inside


def frame(head, camera, background, pose, place, a):
    """One picture [h, w, 3] B,G,R, and the face's vertices in pixels, 468 x 3. pose: yaw, pitch, roll; place: mm from the camera."""
    r = rotation(*pose)
    v, eyes = head.vertices(a)
    world = lambda x: (x - PIVOT) @ r.T + PIVOT + place
    lit = normals(world(v), head.skin) @ LIGHT
    usual = normals(v, head.skin) @ LIGHT
    light = 1 + 0.45 * (lit - usual)
    light[N:] = 1 + 0.25 * (lit - usual)[N:]
    p = camera.project(world(v))
    c = Canvas(camera.w, camera.h)
    c.draw(p, np.concatenate([head.uv, light[:, None]], 1), head.skin)
    if a.get('blink', 0) < 0.95:
        c.draw(camera.project(world(eyes)), np.concatenate([head.uv, light[:, None]], 1), head.eyes)
    picture = c.over(neck(background, camera, place), head.texture(a))
    return body(picture, camera, place), p[:N]
