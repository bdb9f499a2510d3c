# SPDX-License-Identifier: BSD-2-Clause
"""A person who does not exist: the average of some hundred faces of the training split, as a 3-D mesh that can move.

Everything lives in the canonical frame: millimetres (outer eye corners 90 apart), x right, y down, z away from the viewer. Faces come
in by a similarity over vertices that expressions leave alone. From them:
  neutral   468 x 3 vertices and, by regression on the teacher's scores, what each expression adds to them;
  textures  on a flat map of the mesh (mouth and eyes open, so that lips and lids have room): each face is cut up into the mesh's triangles
            and laid onto that map, then averaged. Base and outline (hair, ears, neck) come from the permissive rows that have a plain
            backdrop; expressions add what regression over all colour faces finds; the inside of the mouth and closed lids are
            averages of the faces that show them.
No single picture survives that: the least averaged texel is a mean of dozens.
"""
import numpy as np
from scipy.spatial import Delaunay
import data

N = 468                                                  # vertices of the mesh without the irises
PX, X0, Y0, WIDE, HIGH = 2.0, -130, -145, 520, 670       # the map: texels per mm, origin in mm, size
STABLE = [33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 127, 356, 234, 454, 10, 109, 338, 103, 332, 54, 284, 98, 327]
OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
        148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
INNER_LIP = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95]
EYES = [[33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
        [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249]]     # corner, upper lid, corner, lower lid

# The regression's scores; the first ones are used, the rest keep their share out of those.
SCORES = ['smile', 'brow_inner', 'brow_outer', 'frown', 'jaw', 'blink', 'squint', 'upper', 'lower', 'wide',
          'pucker', 'press', 'roll', 'shrug', 'down']


def scores(faces):
    b = np.fromfile(data.path('blend52.u8'), 'u1').reshape(faces.n, 52) / 255
    at = {n: i for i, n in enumerate(open(data.path('blend52.names')).read().split())}
    both = lambda n: (b[:, at[n + 'Left']] + b[:, at[n + 'Right']]) / 2
    one = lambda n: b[:, at[n]]
    return np.stack([both('mouthSmile'), one('browInnerUp'), both('browOuterUp'), both('browDown'), one('jawOpen'), both('eyeBlink'),
                     both('eyeSquint'), both('mouthUpperUp'), both('mouthLowerDown'), both('eyeWide'), one('mouthPucker'),
                     both('mouthPress'), one('mouthRollLower'), one('mouthShrugLower'), both('eyeLookDown')], 1)


def ridge(a, y, weight, k=3.0):
    """Columns of a beyond the scores (constant, pose) come last and the constant is not shrunk."""
    shrink = np.ones(a.shape[1])
    shrink[len(SCORES)] = 1e-6
    return np.linalg.solve((a * weight[:, None]).T @ a + np.diag(shrink) * weight.mean() * k, (a * weight[:, None]).T @ y)


class Shape:
    """Neutral vertices and what a score of 1 adds."""

    def __init__(self, faces, mesh):
        yaw, noise = faces.col('yaw'), faces.col('noise')
        use = np.array([i for i in faces.train if noise[i] < 0.025 and abs(yaw[i]) < 25])
        m = mesh[use].astype('f8')
        x = (m - m.mean(1, keepdims=True)) @ faces.rot[use].astype('f8')
        x *= (90 / np.linalg.norm(x[:, 33] - x[:, 263], axis=1))[:, None, None]
        mean = x.mean(0)
        for _ in range(4):
            s, r, t = data.procrustes(x[:, STABLE], np.broadcast_to(mean[STABLE], (len(x), len(STABLE), 3)))
            y = s[:, None, None] * (x @ r.transpose(0, 2, 1)) + t[:, None]
            mean = y.mean(0) - y.mean(0)[STABLE].mean(0)
            mean *= 90 / np.linalg.norm(mean[33] - mean[263])
        self.mean = mean
        a = np.concatenate([scores(faces)[use], np.ones((len(use), 1)), np.stack([yaw, faces.col('pitch')], 1)[use] / 20], 1)
        c = ridge(a, y.reshape(len(use), -1), 1 / (0.01 + noise[use])).reshape(-1, N, 3)
        mirror = np.loadtxt(data.path('mirror478.txt'), int)[:N]
        c = (c + c[:, mirror] * [-1, 1, 1]) / 2
        self.neutral = c[len(SCORES)]
        self.add = {n: c[i] for i, n in enumerate(SCORES)}
        above = 1 / (1 + np.exp((self.neutral[:, 1] - 32) / 4))       # eyes do not move the mouth, in spite of people who do both
        for n in ('blink', 'squint', 'wide'):
            self.add[n] = self.add[n] * above[:, None]

    def of(self, **score):
        return self.neutral + sum(v * self.add[n] for n, v in score.items())


def rings(face):
    """Three rings around the face for ears, hair and neck: 108 vertices behind the 468."""
    edge = face[OVAL]
    out = (edge - [0, 25, 0])[:, :2]
    out /= np.linalg.norm(out, axis=1)[:, None]
    up, down = np.maximum(0, -out[:, 1]), np.maximum(0, out[:, 1])
    z = [12 + 10 * down, 36 + 4 * down, 70 - 20 * down]
    return [np.concatenate([edge[:, :2] + out * (d * (1 + 0.5 * up))[:, None], (edge[:, 2] + z[k])[:, None]], 1) for k, d in enumerate((10, 26, 60))]


class Map:
    """The flat map of mesh and rings: triangles, and for each texel its triangle and weights."""

    def __init__(self, shape):
        self.face = shape.of(jaw=0.45, wide=0.3, lower=0.3)
        self.rings = rings(self.face)
        v = np.concatenate([self.face] + self.rings)
        net = Delaunay(v[:, :2])
        self.triangles, self.uv = net.simplices, (v[:, :2] - [X0, Y0]) * PX
        gx, gy = np.meshgrid(X0 + np.arange(WIDE) / PX, Y0 + np.arange(HIGH) / PX)
        p = np.stack([gx.ravel(), gy.ravel()], 1)
        at = net.find_simplex(p)
        t = net.transform[at]
        w = np.einsum('nij,nj->ni', t[:, :2], p - t[:, 2])
        self.weight = np.concatenate([w, 1 - w.sum(1, keepdims=True)], 1)[..., None]
        self.vertex, self.inside, self.xy = net.simplices[at], at >= 0, p
        self.on_face = self.inside & (self.vertex < N).all(1)

    def lay(self, picture, mesh, shape, texels):
        """One face on the map: colours [n, 3], and where the picture has any."""
        s, r, t = (v[0] for v in data.procrustes(shape.mean[None, STABLE], mesh[None, STABLE].astype('f8')))
        off = ((mesh[OVAL] - t) @ r) / s - self.face[OVAL]
        around = np.concatenate([ring + off * k for ring, k in zip(self.rings, (1, 0.8, 0.5))])
        v = np.concatenate([mesh, s * around @ r.T + t])[:, :2]
        q = (v[self.vertex[texels]] * self.weight[texels]).sum(1)
        there = ((q >= 0) & (q < data.SIDE - 1)).all(1)
        q = np.clip(q, 0, data.SIDE - 1.001)
        i = q.astype(int)
        fx, fy = (q - i).astype('f4').T[..., None]
        p = picture.astype('f4')
        top = p[i[:, 1], i[:, 0]] * (1 - fx) + p[i[:, 1], i[:, 0] + 1] * fx
        low = p[i[:, 1] + 1, i[:, 0]] * (1 - fx) + p[i[:, 1] + 1, i[:, 0] + 1] * fx
        return top * (1 - fy) + low * fy, there


def polygon(map_, ids):
    """1 inside the polygon of these vertices, flat map."""
    from PIL import Image, ImageDraw
    im = Image.new('L', (WIDE, HIGH))
    ImageDraw.Draw(im).polygon([tuple(p) for p in map_.uv[ids]], fill=255)
    return np.asarray(im) / 255.0


def base_texture(faces, mesh, shape, m, chosen):
    """Mean colours and how far a texel belongs to the person, by difference from the plain backdrop."""
    everything = np.flatnonzero(m.inside)
    total, n, own = np.zeros((WIDE * HIGH, 3)), np.zeros(WIDE * HIGH), np.zeros(WIDE * HIGH)
    for i in chosen:
        c, there = m.lay(faces.bgr()[i], mesh[i], shape, everything)
        edge = faces.bgr()[i][:60].astype('f4')
        drop = np.median(np.concatenate([edge[:, :6].reshape(-1, 3), edge[:, -6:].reshape(-1, 3)]), 0)
        a = np.clip((np.abs(c - drop).max(1) - 14) / 20, 0, 1)
        a[m.on_face[everything]] = 1
        total[everything] += c * (a * there)[:, None]
        own[everything] += a * there
        n[everything] += there
    return ((total / np.maximum(own, 1e-3)[:, None]).reshape(HIGH, WIDE, 3), (own / np.maximum(n, 1)).reshape(HIGH, WIDE),
            n.reshape(HIGH, WIDE))


def expression_textures(faces, mesh, shape, m, base, chosen):
    """What the first scores add to the face's texels; then means of open mouths, smiling and not, and of closed lids."""
    texels = np.flatnonzero(m.on_face)
    sc = scores(faces)
    a = np.concatenate([sc[chosen], np.ones((len(chosen), 1)), np.stack([faces.col('yaw'), faces.col('pitch')], 1)[chosen] / 20], 1)
    x, y = m.xy[texels].T
    skin = (abs(x) > 20) & (abs(x) < 48) & (y > 22) & (y < 48)
    level = base.reshape(-1, 3)[texels][skin].mean(0)
    gap = faces.col('au25')[chosen]
    kinds = np.stack([np.clip((a[:, 0] - 0.6) / 0.2, 0, 1) * np.clip((gap - 0.5) / 0.2, 0, 1) * (a[:, 4] < 0.3),
                      np.clip((a[:, 4] - 0.35) / 0.2, 0, 1) * (a[:, 0] < 0.5) * np.clip((gap - 0.7) / 0.2, 0, 1),
                      np.clip((a[:, 5] - 0.45) / 0.15, 0, 1) * (a[:, 14] < 0.75)], 1)
    print('faces: expressions %d, smiling mouths %d, open mouths %d, closed eyes %d' % (len(chosen), *(kinds > 0).sum(0)), flush=True)
    ata, aty = a.T @ a, np.zeros((a.shape[1], len(texels) * 3), 'f4')
    means = np.zeros((3, len(texels) * 3))
    for k, i in enumerate(chosen):
        c, _ = m.lay(faces.bgr()[i], mesh[i], shape, texels)
        c *= level / np.maximum(c[skin].mean(0), 20)
        aty += np.outer(a[k], c.ravel()).astype('f4')
        for j in np.flatnonzero(kinds[k]):
            means[j] += kinds[k, j] * c.ravel()
    shrink = np.full(a.shape[1], 10.0)
    shrink[len(SCORES)] = 1e-6
    coef = np.linalg.solve(ata + np.diag(shrink), aty.astype('f8'))
    full = lambda v: _spread(v.reshape(-1, 3), texels)
    return {n: full(coef[i]) for i, n in enumerate(SCORES[:10])}, [full(v / w) for v, w in zip(means, kinds.sum(0))]


def _spread(v, texels):
    out = np.zeros((HIGH * WIDE, 3), 'f4')
    out[texels] = v
    return out.reshape(HIGH, WIDE, 3)


def build():
    """All of it as arrays, cached as meanface.npz."""
    faces = data.Faces()
    mesh = faces.mesh()[:, :N]
    shape = Shape(faces, mesh)
    m = Map(shape)
    col = {n: faces.col(n) for n in ('yaw', 'noise', 'gray')}
    smile = scores(faces)[:, 0]
    source = faces.col('source', str)
    plain = [i for i in faces.train if source[i] in ('face-research-lab-london', 'young-adult-canada') and smile[i] < 0.3 and abs(col['yaw'][i]) < 12]
    colour = np.array([i for i in faces.train if col['gray'][i] == 0 and col['noise'][i] < 0.024 and abs(col['yaw'][i]) < 18])
    print('faces: base %d' % len(plain), flush=True)
    base, own, seen = base_texture(faces, mesh, shape, m, plain)
    adds, means = expression_textures(faces, mesh, shape, m, base, colour)
    np.savez(data.cached('meanface.npz'), neutral=shape.neutral, base=base.astype('f4'), own=own.astype('f4'), seen=seen.astype('f4'), map_face=m.face,
             triangles=m.triangles, uv=m.uv, teeth=means[0], dark=means[1], lids=means[2], mouth=polygon(m, INNER_LIP).astype('f4'),
             eyes=np.maximum(*(polygon(m, e) for e in EYES)).astype('f4'),
             **{'move_' + n: v for n, v in shape.add.items()}, **{'tint_' + n: v for n, v in adds.items()})


if __name__ == '__main__':
    build()
