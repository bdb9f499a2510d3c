#!/usr/bin/env bash
# fa --resume: outputs that are complete and fit clip, models and options stay; all others are made again, and what changed is said.
. tests/cli/lib.sh
model=$FA_SHARED/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt
clip=$FA_SHARED/videos/default.wmv
if [ ! -r "$model" ] || [ ! -r "$clip" ]; then skip resume "no models or clips beside the project"; exit 0; fi
export FA_MODELS; FA_MODELS=$(realpath "$model"); clip=$(realpath "$clip"); clm=${FA_MODELS/clnf/clm}
unset N_WORKERS
mkdir "$TMP/w" && cd "$TMP/w" || exit 1
mkdir in
for i in 1 2 3; do ffmpeg -nostdin -v error -ss $i -i "$clip" -frames:v 4 -c:v ffv1 -an "in/c$i.avi" || exit 1; done
fa -j 2 -o done/ in/*.avi || exit 1
fresh() { rm -rf out; cp -a done out; touch stamp; sleep 0.01; }
made() { find out -name '*.csv' -newer stamp -printf '%f\n' | sort | tr '\n' ' '; }      # CSVs since fresh
all_right() { local i; for i in 1 2 3; do same "done/c$i.csv" "out/c$i.csv" || return 1; done; }
key() { sed -n "s/^ \"$2\": \(.*[^,]\),*\$/\1/p" "$1"; }

what_is_done_stays() { fresh; want_rc 0 fa --resume -j 2 -o out/ in/*.avi && [ -z "$(made)" ] && [ ! -s "$TMP/err" ] && all_right; }
what_is_missing_is_done() { fresh; rm out/c2.*; fa --resume -o out/ in/*.avi && [ "$(made)" = 'c2.csv ' ] && all_right; }
threads_workers_and_folders_are_no_options() {
    fresh; mv out moved; mkdir out; mv moved/* out; cp -r in elsewhere
    ( cd elsewhere && FA_MODELS=$FA_MODELS fa --resume -t 2 -j 3 --line-buffered -v -o ../out c1.avi c2.avi c3.avi 2>/dev/null ) && [ -z "$(made)" ]
}
numbers_are_compared_as_numbers() {
    rm -rf out; fa --start 0.0 --frames 3 -o out/ in/c1.avi && touch stamp && sleep 0.01 && fa --resume --frames 03 --start 0 -o out/ in/c1.avi && [ -z "$(made)" ] || return 1
    want_rc 0 fa --resume --frames 2 --start 0 -o out/ in/c1.avi && want_err 'other options' && [ "$(made)" = 'c1.csv ' ]
}
a_changed_option_is_said_and_all_is_done_again() {
    fresh; want_rc 0 fa --resume -j 2 --au-static -o out/ in/*.avi && [ "$(made)" = 'c1.csv c2.csv c3.csv ' ] && want_err 'out/c1.csv: made with other options or models \(fa .* model=[0-9a-f]{16}\): done again' &&
        want_err '^fa: 3 outputs did not fit' && [ "$(key out/c1.json request | sed 's/.*model=[0-9a-f]* //')" = '--au-static"' ]
}
a_changed_model_is_said() {
    [ -r "$clm" ] || return 0
    fresh; want_rc 0 fa --resume --model "$clm" -o out/ in/c1.avi && want_err 'other options or models' && [ "$(made)" = 'c1.csv ' ]
}
changed_medians_are_seen() {
    rm -rf out; fa --save-median m1 -o x.csv in/c1.avi && fa --save-median m2 -o x.csv in/c2.avi && cp m1 m && fa --median m -o out/ in/c3.avi && touch stamp && sleep 0.01 || return 1
    cp m1 other && fa --resume --median other -o out/ in/c3.avi && [ -z "$(made)" ] && cp m2 m && want_rc 0 fa --resume --median m -o out/ in/c3.avi && [ "$(made)" = 'c3.csv ' ]
}
a_changed_clip_is_said() {
    fresh; cp in/c3.avi keep; cp in/c1.avi in/c3.avi; touch -r keep in/c3.avi
    want_rc 0 fa --resume -o out/ in/*.avi; local ok=$?
    cp keep in/c3.avi; [ $ok = 0 ] && want_err 'out/c3.csv: in/c3.avi has changed: done again' && [ "$(made)" = 'c3.csv ' ] && same done/c1.csv out/c3.csv
}
a_csv_that_is_not_whole_is_never_taken_for_done() {
    fresh; head -c 5000 done/c1.csv >out/c1.csv; printf 'x' | dd of=out/c2.csv bs=1 seek=900 conv=notrunc 2>/dev/null; rm out/c3.json; touch stamp; sleep 0.01
    want_rc 0 fa --resume -o out/ in/*.avi && [ "$(made)" = 'c1.csv c2.csv c3.csv ' ] && all_right && want_err 'c1.csv: not the file that was finished'
}
a_damaged_provenance_is_done_again() {
    fresh; head -c 100 done/c1.json >out/c1.json; : >out/c2.json; sed 's/"csv_xxh3": "./&0/' done/c3.json >out/c3.json
    want_rc 0 fa --resume -o out/ in/*.avi && [ "$(made)" = 'c1.csv c2.csv c3.csv ' ] && all_right && same <(key out/c3.json csv_xxh3) <(key done/c3.json csv_xxh3)
}
a_failed_clip_is_tried_again() {
    rm -rf out; printf 'no\n' >in/d.avi; want_rc 1 fa -o out/ in/d.avi in/c1.avi && want_rc 1 fa --resume -o out/ in/d.avi in/c1.avi && touch stamp && sleep 0.01 || return 1
    cp in/c2.avi in/d.avi; want_rc 0 fa --resume -o out/ in/d.avi in/c1.avi; local ok=$?
    rm in/d.avi; [ $ok = 0 ] && [ "$(made)" = 'd.csv ' ] && same done/c2.csv out/d.csv
}
a_picture_without_a_face_is_done_once() {
    ffmpeg -nostdin -v error -f lavfi -i testsrc=s=160x120 -frames:v 1 in.png -y && rm -rf out && fa -o out/ in.png 2>/dev/null && [ ! -e out/in.csv ] && cp out/in.json first &&
        fa --resume -o out/ in.png && same first out/in.json
}
leftovers_of_killed_runs_go() {
    fresh; touch out/c1.csv.tmp123 out/c1.json.tmp7 out/c2_of_details.txt.tmp99 out/c1.csv.tmpx out/other.csv.tmp1
    fa --resume -o out/ in/*.avi && [ "$(ls out | grep -c tmp)" = 2 ] && [ -e out/c1.csv.tmpx ] && [ -e out/other.csv.tmp1 ]
}
a_single_file_can_be_resumed() {
    rm -f one.*; fa --resume -o one.csv in/c1.avi && [ -s one.json ] && cp one.json first && fa --resume -o one.csv in/c1.avi && same first one.json && fa --provenance -o two.csv in/c1.avi && [ -s two.json ]
}
without_provenance_there_is_none() { rm -rf out; fa --no-provenance -o out/ in/c1.avi && [ "$(ls out)" = c1.csv ] && want_rc 2 fa --no-provenance --resume -o out/ in/c1.avi && want_rc 2 fa --resume in/c1.avi; }
a_kill_at_any_moment_is_resumed() { # five moments here; tests/gold/resume.sh has many
    local k pid
    rm -rf out
    for k in 0.2 0.5 0.9 1.3 0.4; do
        fa --resume -j 2 -o out/ in/*.avi 2>/dev/null & pid=$!
        sleep $k; { kill -9 $pid; wait $pid; } 2>/dev/null
        find out -name '*.csv' -exec basename {} .csv \; | while read -r n; do cmp "done/$n.csv" "out/$n.csv" || echo differs; done | grep -q . && return 1
    done
    sleep 0.3; fa --resume -j 2 -o out/ in/*.avi && all_right && [ "$(ls out | wc -l)" = 6 ]
}
for f in what_is_done_stays what_is_missing_is_done threads_workers_and_folders_are_no_options numbers_are_compared_as_numbers \
    a_changed_option_is_said_and_all_is_done_again a_changed_model_is_said changed_medians_are_seen a_changed_clip_is_said \
    a_csv_that_is_not_whole_is_never_taken_for_done a_damaged_provenance_is_done_again a_failed_clip_is_tried_again \
    a_picture_without_a_face_is_done_once leftovers_of_killed_runs_go a_single_file_can_be_resumed without_provenance_there_is_none \
    a_kill_at_any_moment_is_resumed; do t $f; done
exit $failed
