#!/usr/bin/env bash
# Packs written by the training code are packs to the programs, float16 included; and the set in the box is what they fall back to.
. tests/cli/lib.sh
PY=${PYTHON:-/usr/bin/python3}

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

# --- the set in the box -----------------------------------------------------------------------------------------------------
bare() { OPENFACE_MODELS_DIR=$TMP/none FA_MODELS='' "$@"; }      # no OpenFace models
clip=models/starter/demo.mp4

the_pack_in_the_box_is_whole_small_and_names_its_licence() {
    want_rc 0 fa-models verify models/starter/starter.pack && [ "$(stat -c %s models/starter/starter.pack)" -le 6000000 ] &&
    want_rc 0 fa-models show models/starter/starter.pack && grep -q "^meta/licence	u8" "$TMP/out" && grep -aq "CC BY-NC 4.0" models/starter/starter.pack
}
without_openface_models_it_is_used_and_said_once() {
    bare want_rc 0 fa --frames 3 -o "$TMP/own.csv" "$clip" || return 1
    [ "$(wc -l <"$TMP/err")" = 1 ] && want_err 'starter.*fa-models get' && [ "$(wc -l <"$TMP/own.csv")" = 4 ] || { cat "$TMP/err"; return 1; }
    fa-decode --frames 3 "$clip" | bare fa-detect 2>"$TMP/e1" | bare fa-landmarks 2>"$TMP/e2" | bare fa-aus 2>"$TMP/e3" | fa-csv >"$TMP/pipe.csv" 2>"$TMP/e4" &&
    same "$TMP/own.csv" "$TMP/pipe.csv" && [ "$(cat "$TMP"/e? | wc -l)" = 1 ] && grep -q starter "$TMP/e2"
}
asked_for_by_name_it_needs_no_words() {
    bare want_rc 0 fa --model starter --frames 3 -o "$TMP/name.csv" "$clip" && [ ! -s "$TMP/err" ] && same "$TMP/name.csv" "$TMP/own.csv"
}
the_json_names_it() {
    bare want_rc 0 fa --provenance --frames 3 -o "$TMP/json/" "$clip" &&
        grep -q "model=$(bare fa-models verify models/starter/starter.pack | cut -f 4)" "$TMP/json/demo.json"
}
what_it_does_not_measure_has_no_column() {
    local h; h=$(head -1 "$TMP/own.csv" | tr , '\n')
    ! grep -qE '^(gaze|eye_lmk)' <<<"$h" && grep -q '^AU12_r$' <<<"$h" && ! grep -qE '^AU(09|23)_' <<<"$h"
}
an_installed_program_finds_it() {
    mkdir -p "$TMP/usr/bin" "$TMP/usr/share/fa-tools" && cp "$FA_BIN/fa-models" "$TMP/usr/bin/" &&
    cp tests/fuzz/corpus/pack/small "$TMP/usr/share/fa-tools/starter.pack" && bare want_rc 0 "$TMP/usr/bin/fa-models" show starter && grep -q '^a/1' "$TMP/out"
}

for f in a_pack_of_the_training_code_is_whole_to_fa_models its_float16_is_shown_as_what_programs_see a_flipped_byte_of_its_weights_is_found; do
    if "$PY" -c 'import numpy' 2>/dev/null; then t $f; else skip $f "no python3 with numpy"; fi
done
for f in the_pack_in_the_box_is_whole_small_and_names_its_licence without_openface_models_it_is_used_and_said_once asked_for_by_name_it_needs_no_words \
    the_json_names_it what_it_does_not_measure_has_no_column an_installed_program_finds_it; do t $f; done
exit $failed
