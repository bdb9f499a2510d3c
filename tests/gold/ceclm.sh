#!/usr/bin/env bash
# CE-CLM on whole clips against the reference: the small trained set beside the project, on every clip that has a gold, with
# both roads through early termination; judged by fa-compare and by the project's judge.
. tests/cli/lib.sh
set=$FA_SHARED/cen-test videos=$FA_SHARED/videos judge=$FA_SHARED/tools/compare.py
if [ ! -d "$set/gold" ] || [ ! -d "$videos" ]; then skip ceclm 'no CE-CLM golds or clips beside the project'; exit 0; fi
has_judge=0; /usr/bin/python3 -c 'import numpy' 2>/dev/null && has_judge=1

run() { # sets: gold (folder name); runs its clip with its variant of the set, to a stream of landmarks
    local model=$set/model clip=$gold frames=''
    case $gold in
        *_hardterm) model=$set/model_hardterm clip=default frames='--frames 30';;
        *_mixterm) model=$set/model_mixterm clip=default frames='--frames 30';;
    esac
    list=$model/main_ceclm_general.txt new=$TMP/$gold.csv
    set -o pipefail
    fa-decode --cfr $frames "$(ls -d "$videos/$clip".* | head -1)" | fa-detect --model "$list" | fa-landmarks --model "$list" -o "$TMP/$gold.fas"
}
one() {
    run || return 1
    fa-aus --model "$list" "$TMP/$gold.fas" | fa-csv -o "$new" || return 1
    # The gold of the clip with a varying rate assumes 30 frames a second (spec/README, decision c).
    if [ "$gold" = face_then_none_vfr ]; then
        awk -F, -v OFS=, 'NR > 1 { $3 = sprintf("%.3f", ($1 - 1) / 30) } 1' "$new" >"$new.30" && mv "$new.30" "$new"
    fi
    # Golds of long clips may hold their first frames only.
    local rows; rows=$(zstd -dcq "$set/gold/$gold/ceclm.csv.zst" | wc -l)
    head -n "$rows" "$new" >"$new.cut" && mv "$new.cut" "$new"
    want_rc 0 fa-compare --gate "$set/gold/$gold/ceclm.csv.zst" "$new" || { tail -3 "$TMP/out"; return 1; }
    [ $has_judge = 0 ] || want_rc 0 /usr/bin/python3 "$judge" --gate "$set/gold/$gold/ceclm.csv.zst" "$new" || { tail -1 "$TMP/out"; return 1; }
}
# The CSV has one decimal of a landmark; the state of the same run has all digits.
states() {
    zstd -dcq "$set/gold/$gold/state.f32.zst" >"$TMP/$gold.f32"
    fa-view -j -r landmarks "$TMP/$gold.fas" | python3 tests/gold/state.py "$TMP/$gold.f32" | tee -a "$TMP/states"
}
n=0
for d in "$set"/gold/*/; do
    gold=$(basename "$d")
    name=ceclm_${gold//[^A-Za-z0-9]/_}_passes_the_gate
    eval "$name() { one; }"
    t "$name"
    name=ceclm_${gold//[^A-Za-z0-9]/_}_has_the_references_state_at_full_precision
    eval "$name() { states; }"
    if command -v python3 >/dev/null; then t "$name"; tail -1 "$TMP/states" | sed "s/^/NOTE $gold: /"; else skip "$name" 'no python3'; fi
    n=$((n + 1))
done
[ $n -ge 8 ] || { echo "FAIL ceclm: only $n golds found"; exit 1; }
exit $failed
