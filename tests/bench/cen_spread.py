#!/usr/bin/python3
"""cen_spread.py TOOLS SMALLSET OUT: a CEN set of the production shapes whose neurons behave like trained ones.

make_cen.py --zero-pad-from fills the added neurons with zeros: kernels that skip what a rectifier left at zero would then skip nearly
everything and look faster than with real weights. Here each neuron of the small trained set is copied until the layer is full, and what
follows divides by the number of copies. Responses are those of the small set but for rounding, and as many activations are zero.
TOOLS: the folder of make_cen.py, whose reader and writer are used."""
import os, sys
import numpy as np

tools, small, out = sys.argv[1:4]
sys.path.insert(0, tools)
import make_cen

os.makedirs(out, exist_ok=True)
for k, scale in enumerate(make_cen.SCALES):
    sizes = [122, 300, 100, 50, 1] if k < 2 else [122, 500, 200, 100, 1]
    name = 'cen_patches_%s_of.dat' % scale
    _, _, visible, _, _, experts, confidence = make_cen.read(os.path.join(small, name))
    for key, layers in experts.items():
        wide = []
        for i, (act, w, b) in enumerate(layers):
            n_out, n_in = w.shape
            rows, cols = np.arange(sizes[i + 1]) % n_out, np.arange(sizes[i]) % n_in
            copies = np.bincount(cols, minlength=n_in)[cols]
            wide.append((act, (w[np.ix_(rows, cols)] / copies).astype(np.float32), b[rows]))
        experts[key] = wide
    make_cen.write(os.path.join(out, name), scale, visible, experts, confidence)
