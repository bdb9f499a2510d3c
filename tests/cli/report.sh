#!/usr/bin/env bash
# fa-report: what it says of good, poor, failed, changed and strange results.
. tests/cli/lib.sh
d=$TMP/results; mkdir -p "$d/sub"
csv() { # FILE STEP... : a CSV with a row at each time; success and confidence from $s and $c
    local f=$1 i=0 t=0 x; shift
    { echo frame,face_id,timestamp,confidence,success,AU01_c,AU45_c
      for x in "$@"; do i=$((i + 1)); t=$(awk "BEGIN { printf \"%.3f\", $t + $x }"); echo "$i,0,$t,${c:-0.98},${s:-1},$((i == 2)).00,0.00"; done; } >"$f"
}
csv "$d/good.csv" 0 .04 .04 .04 .04
s=0 c=0.02 csv "$d/none.csv" 0 .04 .04 .04
c=0.50 csv "$d/low.csv" 0 .04 .04 .04
csv "$d/sub/gap.csv" 0 .04 .04 .04 .12 .04 .04
csv "$d/sub/with blank.csv" 0 .04 .033 .04 .047 .04 .04
printf '{"fa-tools": "0", "clip": "v/bad\\n.mp4", "status": 1, "words": "no video", "rows": 0}' >"$d/bad.json"
echo '{"mine": [1]}' >"$d/other.json"
line() { fa-report --tsv "$d" 2>/dev/null | grep -F "$1"; }

every_result_below_the_folder_has_a_line() { [ "$(fa-report --tsv "$d" 2>/dev/null | wc -l)" = 7 ]; }
a_clip_is_measured_by_its_rows() { [ "$(line good.csv)" = "$(printf '%s\t5\t100.00\t0.9800\tAU01\tno provenance' "$d/good.csv")" ]; }
warnings_name_what_is_wrong() {
    line none.csv | grep -q 'no face' && line low.csv | grep -q 'low confidence' && line gap.csv | grep -q 'dropped frames' &&
    line 'with blank.csv' | grep -q VFR && ! line gap.csv | grep -q VFR && ! line good.csv | grep -qE 'VFR|dropped|low|face,'
}
a_failed_clip_is_reported_by_its_json() { [ "$(line 'v/bad')" = "$(printf 'v/bad?.mp4\t0\t0.00\t0.0000\t\tfailed: no video')" ]; }
thresholds_decide_the_status() {
    want_rc 0 fa-report --min-success 100 --min-confidence 0.9 "$d/good.csv" && want_rc 1 fa-report --min-confidence 0.9 "$d/low.csv" && want_err 'low.csv: mean confidence' &&
    want_rc 1 fa-report --min-success 50 "$d/none.csv" && want_err 'success 0.0 %' && want_rc 1 fa-report --strict "$d/good.csv" && want_rc 1 fa-report "$d"
}
a_csv_that_is_not_its_provenances_is_noticed() {
    mkdir -p "$TMP/c"; cp "$d/good.csv" "$TMP/c/x.csv"
    echo '{"fa-tools": "0", "clip": "x", "status": 0, "rows": 5, "promised": 9, "frames": 5, "csv_xxh3": "0000000000000000"}' >"$TMP/c/x.json"
    want_rc 0 fa-report --tsv "$TMP/c" && grep -q 'dropped frames, changed' "$TMP/out"
}
json_has_an_object_a_line() {
    command -v python3 >/dev/null || return 0
    fa-report --json "$d" 2>/dev/null | python3 -c 'import json, sys; r = [json.loads(l) for l in sys.stdin]; assert len(r) == 6 and any(x["clip"] == "v/bad\n.mp4" for x in r)'
}
bad_files_are_named_and_the_others_reported() {
    mkdir -p "$TMP/b/empty"; cp "$d/good.csv" "$TMP/b/"; printf 'frame,x\n1,cut' >"$TMP/b/a.csv"; cp "$d/good.csv" "$TMP/b/z.csv"; echo no >"$TMP/b/z.json"
    want_rc 1 fa-report --tsv "$TMP/b" && want_err 'a.csv: line 2' && want_err 'z.json: not a provenance file' && grep -q good.csv "$TMP/out" &&
    want_rc 1 fa-report "$TMP/b/empty" && want_err 'no results' && want_rc 1 fa-report "$TMP/nowhere" && want_rc 2 fa-report && want_rc 2 fa-report --min-success 101 x
}
a_full_disk_is_status_3() { fa-report "$d/good.csv" >/dev/full 2>/dev/null; [ $? = 3 ]; }
for f in every_result_below_the_folder_has_a_line a_clip_is_measured_by_its_rows warnings_name_what_is_wrong a_failed_clip_is_reported_by_its_json \
    thresholds_decide_the_status a_csv_that_is_not_its_provenances_is_noticed json_has_an_object_a_line bad_files_are_named_and_the_others_reported \
    a_full_disk_is_status_3; do t $f; done
exit $failed
