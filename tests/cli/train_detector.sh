#!/usr/bin/env bash
# The detector's training code and fa-detect: what the one learns on is what the other sees.
. tests/cli/lib.sh
PYTHON=/usr/bin/python3
export CACHE=$TMP/cache
SET=models/starter/starter.pack

check() { (cd models/train && $PYTHON detector_check.py "$@"); }

fa_detect_computes_the_training_codes_cascade_of_random_networks() { check "$FA_BIN"; }
fa_detect_computes_the_training_codes_cascade_of_the_starter_set() {
    ffmpeg -nostdin -loglevel error -y -i "$CLIP" -frames:v 1 "$TMP/face.png" && check "$FA_BIN" "$PWD/$SET" "$TMP/face.png"
}

CLIP=$(ls "$PWD"/models/starter/*.mp4 2>/dev/null | head -1)
t1=fa_detect_computes_the_training_codes_cascade_of_random_networks
t2=fa_detect_computes_the_training_codes_cascade_of_the_starter_set
if ! $PYTHON -c 'import torch, numpy, PIL' 2>/dev/null; then
    skip $t1 "no python3-torch"
    skip $t2 "no python3-torch"
else
    t $t1
    if [ -r "$SET" ] && [ -n "$CLIP" ]; then t $t2; else skip $t2 "no starter set"; fi
fi
exit $failed
