#!/usr/bin/env bash
# fa-csv: streams made by tests/unit/table_stream (see its head) to CSV.
. tests/cli/lib.sh
make_stream=${B:-build}/tests/unit/table_stream
stream() { local out=$1; shift; "$make_stream" make "$@" >"$out"; }
each() { D=$TMP/$1.d; mkdir "$D"; t "$1"; }      # a folder of its own for each test
columns() { head -1 "$1" | tr ',' '\n' | wc -l; }
rows() { echo $(($(wc -l <"$1") - 1)); }
is() { [ "$1" = "$2" ] || { echo "got '$1', want '$2'"; return 1; }; }

gold_values_become_the_golds_bytes() {
    local g late
    for g in default/clnf default/clnf_static face_then_none_vfr/clnf image_sequence/clnf; do
        for late in now late; do
            stream "$D/s" gold="$FA_SHARED/gold/$g.csv.zst" aus=$late &&
            zstd -dcq "$FA_SHARED/gold/$g.csv.zst" >"$D/want" && want_rc 0 fa-csv "$D/s" && same "$TMP/out" "$D/want" || return 1
        done
    done
    for g in sample1 sample2 sample6; do
        zstd -dcq "$FA_SHARED/gold/images/$g.csv.zst" >"$D/want"
        stream "$D/s" kind=still gold="$FA_SHARED/gold/images/$g.csv.zst" faces="$(rows "$D/want")" &&
        want_rc 0 fa-csv "$D/s" && same "$TMP/out" "$D/want" || return 1
    done
}
same_bytes_by_pipe_file_and_folder() {
    stream "$D/s" frames=20 name=a/x.y.mp4
    fa-csv <"$D/s" >"$D/1" && cat "$D/s" | fa-csv - >"$D/2" && fa-csv -o "$D/3" "$D/s" &&
    fa-csv --line-buffered -o "$D/new/folder/" "$D/s" && same "$D/1" "$D/2" && same "$D/1" "$D/3" && same "$D/1" "$D/new/folder/x.y.csv" &&
    zstd -q <"$D/s" | fa-csv >"$D/4" && fa-csv -o /dev/stdout "$D/s" >"$D/5" && same "$D/1" "$D/5" && [ -L /dev/stdout ] && same "$D/1" "$D/4" && is "$(columns "$D/1")" 714 && is "$(rows "$D/1")" 20
}
groups_by_openface_names_with_one_dash_or_two() {
    local o n; stream "$D/s"
    while read -r n o; do
        fa-csv $o "$D/s" >"$D/1" && is "$(columns "$D/1")" "$n" || { echo "options $o"; return 1; }
    done <<'LIST'
714
293 -gaze
293 --gaze
11 -pose
141 -2Dfp
209 -3Dfp
45 -pdmparams
40 -aus
46 -pose -aus --pose
714 -aus -gaze -pdmparams -3Dfp --2Dfp -pose
LIST
}
options_for_numbers_separators_and_extra_columns() {
    stream "$D/s" frames=2
    fa-csv -pose "$D/s" >"$D/1" && fa-csv -pose --of21 "$D/s" >"$D/2" && same <(sed 's/,/, /g' "$D/1") "$D/2" &&
    is "$(fa-csv -pose --precision 5 "$D/s" | sed -n 3p | grep -cE '^2,0,0.03333,0.97500,1(,-?[0-9]+[.][0-9]{5}){6}$')" 1 &&
    fa-csv --distance --pts --clip-column "$D/s" >"$D/3" && is "$(columns "$D/3")" 734 &&
    same <(cut -d, -f1-714 "$D/3") <(fa-csv "$D/s") &&
    is "$(sed -n 2p "$D/3" | cut -d, -f733-734)" 0.000586,in/clip0.mp4 && is "$(head -1 "$D/3" | cut -d, -f715,732-)" AU01_d,AU45_d,pts_time,clip
}
stream_without_fa_aus_has_no_au_columns() {
    stream "$D/s" aus=none && want_rc 0 fa-csv "$D/s" && is "$(columns "$TMP/out")" 679 && is "$(rows "$TMP/out")" 3 &&
    want_rc 1 fa-csv -aus "$D/s" && want_err 'no action units in this stream' && [ ! -s "$TMP/out" ] &&
    stream "$D/s" fa-aus=0 && want_rc 0 fa-csv "$D/s" && is "$(columns "$TMP/out")" 714     # told by the first face's record
}
several_clips_go_to_a_folder_or_one_marked_table() {
    stream "$D/s" clips=2 && fa-csv -o "$D/d/" "$D/s" && is "$(ls "$D/d" | tr '\n' ' ')" 'clip0.csv clip1.csv ' && same "$D/d/clip0.csv" "$D/d/clip1.csv" &&
    want_rc 0 fa-csv --clip-column "$D/s" && is "$(rows "$TMP/out")" 6 && is "$(grep -c ',in/clip1.mp4$' "$TMP/out")" 3 &&
    want_rc 2 fa-csv "$D/s" && want_err 'a second clip' && is "$(rows "$TMP/out")" 3 &&
    want_rc 2 fa-csv -o "$D/one.csv" "$D/s" && [ ! -e "$D/one.csv" ] && is "$(rows "$D/one.csv.partial")" 3 &&
    stream "$D/s" clips=2 name=same.mp4 && want_rc 2 fa-csv -o "$D/e/" "$D/s" && want_err 'also called same'
}
failed_clip_keeps_its_rows_as_partial_and_names_the_culprit() {
    stream "$D/s" status=1 words=broken && want_rc 1 fa-csv -o "$D/x.csv" "$D/s" && want_err 'in/clip0.mp4: fa-decode: broken' &&
    [ ! -e "$D/x.csv" ] && is "$(rows "$D/x.csv.partial")" 3 &&
    stream "$D/s" status=3 words=memory && want_rc 3 fa-csv -o "$D/d/" "$D/s" && is "$(ls "$D/d")" clip0.csv.partial &&
    stream "$D/s" status=1 words=empty frames=0 && want_rc 1 fa-csv -o "$D/y.csv" "$D/s" && [ ! -e "$D/y.csv.partial" ] &&
    stream "$D/s" && want_rc 0 fa-csv -o "$D/x.csv" "$D/s" && is "$(rows "$D/x.csv")" 3
}
truncated_stream_is_an_error_wherever_it_is_cut() {
    local cut size; stream "$D/s" frames=2; size=$(stat -c %s "$D/s")
    for cut in 1 64 100 200 5000 9000 $((size - 100)) $((size - 64)) "$size"; do
        rm -f "$TMP"/x.csv*
        stream "$D/s" frames=2 cut="$cut" && want_rc 1 fa-csv -o "$D/x.csv" "$D/s" && [ -s "$TMP/err" ] && [ ! -e "$D/x.csv" ] || { echo "cut $cut"; return 1; }
        [ "$cut" -gt 100 ] || is "$(rows "$D/x.csv.partial")" 2 || return 1
    done
    head -c 3000 /dev/urandom >"$D/r"; want_rc 1 fa-csv "$D/r" && [ ! -s "$TMP/out" ]
}
rows_that_waited_for_aus_are_kept_without_them() {
    stream "$D/s" frames=5 aus=late cut=6000 && want_rc 1 fa-csv -o "$D/x.csv" "$D/s" && [ ! -e "$D/x.csv" ] && is "$(columns "$D/x.csv.partial")" 679 && is "$(rows "$D/x.csv.partial")" 4
}
faulty_clips_are_named() {
    stream "$D/s" skip=2 noaus=2 && want_rc 1 fa-csv "$D/s" && want_err 'in/clip0.mp4: frame 2: no LANDMARKS record' &&
    stream "$D/s" skip=3 noaus=3 && want_rc 1 fa-csv "$D/s" && want_err 'no LANDMARKS record after frame 2' &&
    stream "$D/s" noaus=2 && want_rc 1 fa-csv "$D/s" && want_err 'frame 2 face 0: no AUS record' &&
    stream "$D/s" noaus=3 && want_rc 1 fa-csv "$D/s" && want_err 'faces without AUS records' &&
    stream "$D/s" noaus=2 && want_rc 0 fa-csv -pose "$D/s" &&
    stream "$D/s" modes=2 && want_rc 1 fa-csv "$D/s" && want_err 'frame 2: its faces have other columns' &&
    stream "$D/s" frames=0 && want_rc 1 fa-csv -o "$D/x.csv" "$D/s" && want_err 'no frame in this clip' && [ ! -e "$D/x.csv" ]
}
several_faces_have_rows_only_where_they_are() {
    stream "$D/s" faces=3 skip=2 noaus=2 && want_rc 0 fa-csv "$D/s" && is "$(cut -d, -f1,2 "$TMP/out" | tr '\n' ' ')" 'frame,face_id 1,0 1,1 1,2 3,0 3,1 3,2 '
}
still_without_a_face_has_a_note_and_no_csv() {
    stream "$D/s" kind=still faces=0 name=pic.v1.jpg && want_rc 0 fa-csv --details -o "$D/d/" "$D/s" && want_err 'pic.v1.jpg: no face, no CSV' &&
    is "$(ls "$D/d")" pic.v1_of_details.txt && is "$(wc -l <"$D/d/pic.v1_of_details.txt")" 3 &&
    stream "$D/s" kind=still faces=2 && want_rc 0 fa-csv "$D/s" && is "$(columns "$TMP/out")" 711 && is "$(sed -n 3p "$TMP/out" | cut -d, -f1,2)" 1,0.975 &&
    is "$(tail -1 "$TMP/out" | grep -cE '(,[01][.]0){18}$')" 1
}
details_file_lies_beside_the_csv() {
    stream "$D/s" name=/in/clip0.mp4 && want_rc 0 fa-csv --details -pose -2Dfp -o "$D/t.csv" "$D/s" &&
    same "$D/t_of_details.txt" <(printf '%s\n' 'Input:/in/clip0.mp4' 'Input full path:/in/clip0.mp4' 'Camera parameters:500,500,320,240' 'Output csv:t.csv' \
        'Gaze: 0' 'AUs: 0' 'Landmarks 2D: 1' 'Landmarks 3D: 0' 'Pose: 1' 'Shape parameters: 0')
}
wrong_use_and_bad_places() {
    stream "$D/s"
    want_rc 2 fa-csv --no-such-option && want_rc 2 fa-csv a b && want_rc 2 fa-csv --precision 16 "$D/s" && want_rc 2 fa-csv --details "$D/s" &&
    want_rc 2 fa-csv --distance -pose "$D/s" && want_rc 1 fa-csv "$D/none" && want_err 'No such file' && want_rc 1 fa-csv "$D" && want_rc 1 fa-csv /dev/null &&
    want_rc 3 fa-csv -o "$D/no/such/x.csv" "$D/s" && want_rc 3 bash -c "fa-csv '$D/s' >/dev/full" && want_err 'No space left' &&
    want_rc 3 fa-csv -o /dev/full "$D/s" && [ -c /dev/full ] && want_rc 0 fa-csv -h && want_rc 0 fa-csv --version && is "$(cut -d' ' -f1 "$TMP/out")" fa-csv
    fa-csv "$D/s" 2>"$TMP/err" | true; [ ! -s "$TMP/err" ]
}
decimal_point_is_a_point_in_any_locale() {
    stream "$D/s" && fa-csv "$D/s" >"$D/1" && LC_ALL=de_DE.UTF-8 fa-csv "$D/s" >"$D/2" && same "$D/1" "$D/2"
}
rows_arrive_at_once_when_line_buffered() {
    stream "$D/s" frames=50 aus=none
    { head -c 20000 "$D/s"; sleep 3; tail -c +20001 "$D/s"; } | fa-csv --line-buffered >"$D/1" &
    local n=0 i; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; n=$(wc -l <"$D/1"); [ "$n" -lt 2 ] || break; done; wait
    [ "$n" -ge 2 ] && [ "$n" -lt 51 ] && is "$(rows "$D/1")" 50
}
if [ -d "$FA_SHARED/gold" ]; then each gold_values_become_the_golds_bytes; else skip gold_values_become_the_golds_bytes 'no shared folder'; fi
each same_bytes_by_pipe_file_and_folder
each groups_by_openface_names_with_one_dash_or_two
each options_for_numbers_separators_and_extra_columns
each stream_without_fa_aus_has_no_au_columns
each several_clips_go_to_a_folder_or_one_marked_table
each failed_clip_keeps_its_rows_as_partial_and_names_the_culprit
each truncated_stream_is_an_error_wherever_it_is_cut
each rows_that_waited_for_aus_are_kept_without_them
each faulty_clips_are_named
each several_faces_have_rows_only_where_they_are
each still_without_a_face_has_a_note_and_no_csv
each details_file_lies_beside_the_csv
each wrong_use_and_bad_places
each decimal_point_is_a_point_in_any_locale
each rows_arrive_at_once_when_line_buffered
exit $failed
