#!/usr/bin/env bash
# Where a CSV comes from: the JSON beside it, and what fa-compare says of two of them.
. tests/cli/lib.sh
pipe_material || { skip provenance "no models or clips"; exit 0; }
export FA_MODELS=$model
part=$TMP/part.avi
ffmpeg -nostdin -v error -i "$clip" -frames:v 6 -c:v ffv1 -an "$part" || exit 1
fa-decode "$part" | fa-detect | fa-landmarks >"$TMP/marks.fas"
fa-aus "$TMP/marks.fas" >"$TMP/aus.fas"
key() { sed -n "s/^ \"$2\": \(.*[^,]\),*\$/\1/p" "$1"; }

the_json_says_which_clip_models_and_frames() {
    fa-csv --provenance -o "$TMP/a/" "$TMP/aus.fas" && local j=$TMP/a/part.json &&
    [ "$(key "$j" clip)" = "\"$part\"" ] && [ "$(key "$j" clip_bytes)" = "$(stat -c %s "$part")" ] &&
    [ "$(key "$j" csv_bytes)" = "$(stat -c %s "$TMP/a/part.csv")" ] && [ "$(key "$j" frames)" = 6 ] &&
    [ "$(key "$j" success)" = "$(awk -F, 'NR>1 && $5==1' "$TMP/a/part.csv" | wc -l)" ] && [ "$(key "$j" status)" = 0 ] &&
    for s in detect landmarks aus; do key "$j" fa-$s | grep -q ' model=[0-9a-f]\{16\}' || return 1; done
}
it_is_the_same_for_a_file_and_a_folder() {
    fa-csv --provenance -o "$TMP/b.csv" "$TMP/aus.fas" && [ -s "$TMP/b.json" ] && want_rc 0 fa-compare --provenance "$TMP/a/part.csv" "$TMP/b.csv" && [ ! -s "$TMP/out" ]
}
another_option_is_named() {
    fa-aus --au-static "$TMP/marks.fas" | fa-csv --provenance -o "$TMP/c.csv" || return 1
    want_rc 1 fa-compare --provenance "$TMP/a/part.csv" "$TMP/c.json" && grep -q '^fa-aus:.* -.* +' "$TMP/out"
}
another_request_is_named() {
    fa-csv --request '--wild' -o "$TMP/d.csv" "$TMP/aus.fas" && want_rc 1 fa-compare --provenance "$TMP/a/part.csv" "$TMP/d.csv" && grep -qx 'request:  -> --wild' "$TMP/out"
}
a_failed_clip_has_a_json_that_says_why_and_no_csv() {
    rm -f "$TMP/e.csv"
    head -c $(($(stat -c %s "$TMP/aus.fas") - 4096)) "$TMP/aus.fas" >"$TMP/cut.fas"
    want_rc 1 fa-csv --provenance -o "$TMP/e.csv" "$TMP/cut.fas" && [ ! -e "$TMP/e.csv" ] && [ "$(key "$TMP/e.json" status)" = 1 ] &&
    [ "$(key "$TMP/e.json" stage)" = '"fa-csv"' ] && [ -n "$(key "$TMP/e.json" words)" ] && [ -z "$(key "$TMP/e.json" csv_xxh3)" ]
}
wrong_use_and_missing_files_are_said() {
    want_rc 2 fa-csv --provenance "$TMP/aus.fas" && want_err 'need -o' && want_rc 2 fa-csv --provenance --clip-column -o "$TMP/x.csv" "$TMP/aus.fas" &&
    want_rc 1 fa-compare --provenance "$TMP/a/part.csv" "$TMP/none.csv" && want_err 'none.json' &&
    printf 'no' >"$TMP/bad.json" && want_rc 1 fa-compare --provenance "$TMP/bad.json" "$TMP/a/part.csv" && want_err 'bad.json: not a provenance file' &&
    want_rc 2 fa-compare --provenance --gate "$TMP/a/part.csv" "$TMP/b.csv"
}
for f in the_json_says_which_clip_models_and_frames it_is_the_same_for_a_file_and_a_folder another_option_is_named another_request_is_named \
    a_failed_clip_has_a_json_that_says_why_and_no_csv wrong_use_and_missing_files_are_said; do t $f; done
exit $failed
