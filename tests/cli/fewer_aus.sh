#!/usr/bin/env bash
# A model set that lacks action units has no column for them, anywhere; comparisons say which columns are missing.
. tests/cli/lib.sh
set=$PWD/models/starter/starter.pack
[ -r "$set" ] || { skip fewer_aus "no starter set"; exit 0; }
export FA_MODELS=$set
ffmpeg -nostdin -v error -i models/starter/demo.mp4 -frames:v 12 -c:v ffv1 -an "$TMP/part.avi" || exit 1
units=$(fa-models show "$set" | awk -F '\t' '$1 == "au/dynamic/reg/names" { print $3 + 0 }')

au_columns() { head -1 "$1" | tr , '\n' | tr -d ' ' | grep -c '^AU[0-9]*_[rc]$'; }
the_csv_has_two_columns_a_unit_and_no_more() {
    want_rc 0 fa -o "$TMP/few.csv" "$TMP/part.avi" && [ "$units" -gt 0 ] && [ "$units" -lt 17 ] && [ "$(au_columns "$TMP/few.csv")" = $((2 * units)) ]
}
static_online_and_chosen_columns_have_the_same_units() {
    local o
    for o in --au-static --online -aus --of21; do
        want_rc 0 fa $o "$TMP/part.avi" && [ "$(au_columns "$TMP/out")" = $((2 * units)) ] || { echo "with $o"; return 1; }
    done
    want_rc 0 fa --distance "$TMP/part.avi" && [ "$(head -1 "$TMP/out" | grep -o 'AU[0-9]*_d' | wc -l)" = "$units" ]
}
calibration_is_saved_and_taken_again() {
    want_rc 0 fa --save-median "$TMP/median" "$TMP/part.avi" && want_rc 0 fa --median "$TMP/median" "$TMP/part.avi" && [ "$(au_columns "$TMP/out")" = $((2 * units)) ]
}
a_comparison_names_the_columns_that_are_missing() {
    fa "$TMP/part.avi" >"$TMP/few.csv" && sed '1s/AU12_r/AU99_r/' "$TMP/few.csv" >"$TMP/other.csv" || return 1
    want_rc 0 fa-compare "$TMP/few.csv" "$TMP/few.csv" && ! grep -q missing "$TMP/out" &&
        want_rc 0 fa-compare "$TMP/other.csv" "$TMP/few.csv" && grep -qx 'columns missing: 1 AU99_r' "$TMP/out" &&
        want_rc 1 fa-compare --gate "$TMP/other.csv" "$TMP/few.csv" && grep -q 'columns missing: AU99_r' "$TMP/out"
}
a_report_counts_the_units_there_are() { fa -o "$TMP/few.csv" "$TMP/part.avi" && want_rc 0 fa-report "$TMP/few.csv" && grep -q '100.0 .*few.csv' "$TMP/out"; }
t the_csv_has_two_columns_a_unit_and_no_more
t static_online_and_chosen_columns_have_the_same_units
t calibration_is_saved_and_taken_again
t a_comparison_names_the_columns_that_are_missing
t a_report_counts_the_units_there_are
exit $failed
