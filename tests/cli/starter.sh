#!/usr/bin/env bash
# Packs written by the training code are packs to the programs, float16 included.
. tests/cli/lib.sh
PY=${PYTHON:-/usr/bin/python3}
"$PY" -c 'import numpy' 2>/dev/null || { skip starter "no python3 with numpy"; exit 0; }

write_pack() {
    PYTHONPATH=models/train PYTHONDONTWRITEBYTECODE=1 "$PY" - "$1" <<'EOF'
import sys
import numpy as np
from pack import Pack
p = Pack()
p.text('meta/set', 'starter')
p.half('b/weight', np.array([[1.5, -2, 2 ** -24], [65504, 0, -0.25]]))
p.half('c/weight', np.array([0.5, 3]), 'f64')
p.add('a', np.arange(5, dtype='i4'))
p.save(sys.argv[1])
EOF
}

a_pack_of_the_training_code_is_whole_to_fa_models() {
    write_pack "$TMP/half.pack" && want_rc 0 fa-models verify "$TMP/half.pack" && grep -q "^pack.*half.pack" "$TMP/out"
}
its_float16_is_shown_as_what_programs_see() {
    write_pack "$TMP/half.pack" && want_rc 0 fa-models show "$TMP/half.pack" &&
        grep -q "^b/weight	f32	2x3" "$TMP/out" && grep -q "^c/weight	f64	2" "$TMP/out"
}
a_flipped_byte_of_its_weights_is_found() {
    write_pack "$TMP/flip.pack"
    local n; n=$(stat -c %s "$TMP/flip.pack")
    printf '\x7f' | dd of="$TMP/flip.pack" bs=1 seek=$((n - 128)) conv=notrunc 2>/dev/null
    want_rc 3 fa-models verify "$TMP/flip.pack" && want_err "flip.pack.*checksum differs"
}
t a_pack_of_the_training_code_is_whole_to_fa_models
t its_float16_is_shown_as_what_programs_see
t a_flipped_byte_of_its_weights_is_found
exit $failed
