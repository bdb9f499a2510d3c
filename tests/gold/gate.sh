#!/usr/bin/env bash
# Whole clips against the reference: fa on every video, image sequence and image that has a gold, judged by fa-compare and by the
# project's judge, which must agree. Two clips at a time (FA_GATE_JOBS).
. tests/cli/lib.sh
gold=$FA_SHARED/gold videos=$FA_SHARED/videos judge=$FA_SHARED/tools/compare.py
models=$FA_SHARED/openface-models/lib/local/LandmarkDetector/model
if [ ! -d "$gold" ] || [ ! -d "$videos" ] || [ ! -r "$models/main_clnf_general.txt" ]; then skip gate 'no golds, clips or models beside the project'; exit 0; fi
has_judge=0; /usr/bin/python3 -c 'import numpy' 2>/dev/null && has_judge=1

# CLIP KIND INPUT of every gold.
list() {
    local g clip kind input
    for g in "$gold"/*/*.csv.zst; do
        clip=$(basename "$(dirname "$g")") kind=$(basename "$g" .csv.zst)
        case $kind in *.hp) continue;; esac
        if [ "$clip" = images ]; then input=$(ls "$videos/images/$kind".* | head -1); else input=$(ls -d "$videos/$clip" "$videos/$clip".* 2>/dev/null | head -1); fi
        echo "$clip $kind $input"
    done
}
run() { # CLIP KIND INPUT
    local model=$models/main_clnf_general.txt static=
    case $2 in clm) model=$models/main_clm_general.txt;; clnf_static) static=--au-static;; esac
    mkdir -p "$TMP/new/$1"
    if [ "$1" = images ]; then fa --model "$model" "$3" -o "$TMP/new/$1/$2.csv"; else fa --cfr --model "$model" $static "$3" -o "$TMP/new/$1/$2.csv"; fi 2>"$TMP/new/$1/$2.err"
    echo $? >"$TMP/new/$1/$2.rc"
}
export -f run; export models TMP
list >"$TMP/list"
[ "$(wc -l <"$TMP/list")" -ge 20 ] || { echo "FAIL gate: only $(wc -l <"$TMP/list") golds found"; exit 1; }
xargs -P "${FA_GATE_JOBS:-2}" -L 1 bash -c 'run "$@"' run <"$TMP/list"

one() {
    local new=$TMP/new/$clip/$kind
    [ "$(cat "$new.rc")" = 0 ] || { echo "fa: exit $(cat "$new.rc")"; cat "$new.err"; return 1; }
    want_rc 0 fa-compare --gate "$gold/$clip/$kind.csv.zst" "$new.csv" || { cat "$TMP/out"; return 1; }
    [ $has_judge = 0 ] || want_rc 0 /usr/bin/python3 "$judge" --gate "$gold/$clip/$kind.csv.zst" "$new.csv" || { tail -1 "$TMP/out"; return 1; }
}
while read -r clip kind input; do
    name=${clip//[^A-Za-z0-9]/_}_${kind}_passes_the_gate
    eval "$name() { one; }"
    t "$name"
done <"$TMP/list"
the_whole_folder_passes_the_gate() {
    want_rc 0 fa-compare --gate-all "$TMP/new" --gold "$gold" || { grep -v ^ok "$TMP/out"; return 1; }
}
the_judge_says_the_same_line_for_line() {
    /usr/bin/python3 "$judge" --gate-all "$TMP/new" --gold "$gold" >"$TMP/judge"
    fa-compare --gate-all "$TMP/new" --gold "$gold" >"$TMP/ours"; same "$TMP/judge" "$TMP/ours"
}
t the_whole_folder_passes_the_gate
if [ $has_judge = 1 ]; then t the_judge_says_the_same_line_for_line; else skip the_judge_says_the_same_line_for_line 'no python3-numpy'; fi
exit $failed
