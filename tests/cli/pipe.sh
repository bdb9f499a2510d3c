#!/usr/bin/env bash
# The whole pipe: one command or five, saved or live, one clip or many, any threads or kernels: the same bytes. And what happens when
# something breaks: each stage killed in turn, a reader that goes away, clips that are no clips.
. tests/cli/lib.sh
pipe_material || { skip pipe "no models or clips"; exit 0; }
export FA_MODELS=$model
part=$TMP/part.avi                 # 40 frames with a face, frames copied bit for bit
ffmpeg -nostdin -v error -i "$clip" -frames:v 40 -c:v ffv1 -an "$part" || exit 1
fa-decode "$part" | fa-detect | fa-landmarks | tee "$TMP/marks.fas" | fa-aus | fa-csv >"$TMP/pipe.csv"

fa_writes_what_the_pipe_writes() { fa "$part" >"$TMP/fa.csv" && same "$TMP/fa.csv" "$TMP/pipe.csv"; }
the_csv_has_its_columns_and_a_row_a_frame() {       # 714; the starter set has no eyes (288) and fewer action units
    local n; n=$(head -1 "$TMP/pipe.csv" | tr , '\n' | wc -l)
    if [ $own = 0 ]; then [ "$n" = 714 ]; else [ "$n" -gt 391 ] && [ "$n" -lt 426 ]; fi && [ "$(wc -l <"$TMP/pipe.csv")" = 41 ]
}
a_saved_stream_gives_the_live_pipes_bytes() {
    fa-aus "$TMP/marks.fas" | fa-csv >"$TMP/saved.csv" && same "$TMP/saved.csv" "$TMP/pipe.csv" &&
    fa-decode "$part" | fa-detect -z 3 | fa-landmarks -z 1 -o "$TMP/z.fas" && fa-aus "$TMP/z.fas" | fa-csv >"$TMP/z.csv" && same "$TMP/z.csv" "$TMP/pipe.csv"
}
threads_do_not_change_a_byte() { fa -t 3 "$part" >"$TMP/t3.csv" && same "$TMP/t3.csv" "$TMP/pipe.csv"; }
kernels_do_not_change_a_byte() {
    local m
    for m in 0 1; do FA_CPU_MASK=$m fa --frames 8 "$part" >"$TMP/k$m.csv" || return 1; done
    fa --frames 8 "$part" >"$TMP/k.csv" && same "$TMP/k0.csv" "$TMP/k.csv" && same "$TMP/k1.csv" "$TMP/k.csv"
}
three_clips_in_one_stream_equal_three_runs() {
    local a=$still b=$TMP/b.avi
    ffmpeg -nostdin -v error -ss 5 -i "$clip" -frames:v 10 -c:v ffv1 -an "$b" || return 1
    mkdir -p "$TMP/one" "$TMP/many" "$TMP/fa"
    fa-decode "$part" "$a" "$b" | fa-detect | fa-landmarks | fa-aus | fa-csv -o "$TMP/one/" || return 1
    fa -o "$TMP/fa/" "$part" "$a" "$b" || return 1
    for f in "$part" "$a" "$b"; do fa "$f" >"$TMP/many/$(basename "${f%.*}").csv" || return 1; done
    for f in part sample1 b; do same "$TMP/one/$f.csv" "$TMP/many/$f.csv" && same "$TMP/fa/$f.csv" "$TMP/many/$f.csv" || return 1; done
}
the_detectors_faces_in_the_stream_are_used() {   # found on every frame: the first frame's box is the one that starts tracking
    fa --detect-all --frames 5 "$part" >"$TMP/a.csv" && fa --frames 5 "$part" >"$TMP/s.csv" && same "$TMP/a.csv" "$TMP/s.csv"
}
a_clip_without_a_face_has_rows_without_success() {
    ffmpeg -nostdin -v error -f lavfi -i testsrc=s=160x120:r=10 -t 3 -c:v ffv1 "$TMP/noface.avi" || return 1
    want_rc 0 fa "$TMP/noface.avi" && [ "$(awk -F, 'NR>1 && $5==0' "$TMP/out" | wc -l)" = 30 ] &&
        awk -F, 'NR==1{ for (i = 1; i <= NF; i++) at[$i] = i } NR==2{ exit !($4=="0.00" && $at["pose_Tx"]=="0.0" && $at["x_0"]=="0.0" && $at["p_scale"]=="1.000") }' "$TMP/out"
}
small_and_odd_frames_pass() {
    local s
    for s in 1x1 16x16 33x47 60x60; do
        ffmpeg -nostdin -v error -f lavfi -i testsrc=s=$s:r=5 -t 1 -c:v ffv1 -pix_fmt bgr0 "$TMP/$s.avi" || return 1
        want_rc 0 fa "$TMP/$s.avi" && [ "$(wc -l <"$TMP/out")" = 6 ] || { echo "$s"; return 1; }
    done
}
bad_clips_say_what_is_wrong() {
    printf 'not a video\n' >"$TMP/text.mp4"; : >"$TMP/empty.mp4"
    want_rc 1 fa "$TMP/none.mp4" && want_err 'fa-decode: .*none.mp4' &&
    want_rc 1 fa "$TMP/text.mp4" && want_err 'fa-decode: .*text.mp4' && [ "$(wc -l <"$TMP/err")" = 1 ] &&
    want_rc 1 fa "$TMP/empty.mp4" && want_err 'fa-decode: .*empty.mp4' &&
    want_rc 2 fa && want_rc 2 fa --no-such-option x && want_rc 2 fa "$part" "$part" && want_rc 2 fa -o "$TMP/x/" "$part" "$part"
}
a_missing_model_is_this_machines_fault() {
    want_rc 3 fa --model "$TMP/none.txt" "$part" && want_err 'none.txt' || return 1
    OPENFACE_MODELS_DIR=$TMP/nowhere FA_MODELS=clm want_rc 3 fa "$part" && want_err 'fa-models'
}
a_bad_clip_leaves_no_csv_and_the_others_are_done() {
    printf 'no\n' >"$TMP/bad.mp4"; mkdir -p "$TMP/k"
    want_rc 1 fa -k --frames 3 -o "$TMP/k/" "$TMP/bad.mp4" "$part" && [ ! -e "$TMP/k/bad.csv" ] && [ -s "$TMP/k/part.csv" ] && [ "$(ls "$TMP/k" | grep -c tmp)" = 0 ]
}
strange_names_work() {
    local d=$TMP/names n i=0
    mkdir -p "$d/out"
    for n in 'with blank.avi' $'new\nline.avi' '-dash.avi' 'ümläut.avi' "quo'te.avi" '100%.avi'; do
        cp "$part" "$d/$n"; ( cd "$d" && fa --frames 2 -o out/ "./$n" ) && [ -s "$d/out/${n%.avi}.csv" ] || { echo "$n"; return 1; }
    done
    ( cd "$d" && fa --frames 2 -- -dash.avi ) >"$TMP/dash.csv" && [ -s "$TMP/dash.csv" ]
}
a_full_disk_is_status_3() { fa --frames 3 "$part" >/dev/full 2>"$TMP/err"; [ $? = 3 ] && want_err 'fa-csv'; }
a_reader_that_goes_away_ends_the_pipe_quietly() { [ "$( fa "$part" 2>"$TMP/err" | head -1 | wc -l )" = 1 ] && [ ! -s "$TMP/err" ]; }
killed() { # STAGE SIGNAL: starts fa on a long clip, kills that stage, checks fa's end, its words and that nothing is left
    local stage=$1 sig=$2 rc f=$TMP/kill.csv
    fa -o "$f" "$clip" 2>"$TMP/err" & local pid=$!
    local child=
    for _ in $(seq 200); do child=$(child_named $pid "$stage") && break; sleep 0.01; done
    sleep 0.15
    kill -"$sig" "$child"
    wait $pid; rc=$?
    [ $rc = 3 ] || { echo "$stage: exit $rc"; cat "$TMP/err"; return 1; }
    want_err "$stage was killed by signal" && [ ! -e "$f" ] && ! ls "$TMP"/kill.csv.tmp* 2>/dev/null && [ -z "$(children $pid)" ]
}
a_killed_stage_is_named_and_leaves_nothing() {
    for s in fa-decode fa-detect fa-landmarks fa-aus fa-csv; do killed $s KILL || return 1; rm -f "$TMP"/kill.csv*; done
}
interrupting_fa_ends_all_stages() {
    fa -o "$TMP/int.csv" "$clip" 2>/dev/null & local pid=$!
    sleep 0.4; kill -TERM $pid; wait $pid; [ $? = 143 ] || return 1
    sleep 0.1; [ ! -e "$TMP/int.csv" ] && ! ls "$TMP"/int.csv.tmp* 2>/dev/null
}
dry_run_prints_a_pipe_that_runs() {
    (cd "$TMP" && bash -c "$(fa -n --frames 4 part.avi)") >"$TMP/dry.csv" && fa --frames 4 "$part" >"$TMP/wet.csv" && same "$TMP/dry.csv" "$TMP/wet.csv"
}

for f in fa_writes_what_the_pipe_writes the_csv_has_its_columns_and_a_row_a_frame a_saved_stream_gives_the_live_pipes_bytes \
    threads_do_not_change_a_byte kernels_do_not_change_a_byte three_clips_in_one_stream_equal_three_runs the_detectors_faces_in_the_stream_are_used \
    a_clip_without_a_face_has_rows_without_success small_and_odd_frames_pass bad_clips_say_what_is_wrong a_missing_model_is_this_machines_fault \
    a_bad_clip_leaves_no_csv_and_the_others_are_done strange_names_work a_full_disk_is_status_3 a_reader_that_goes_away_ends_the_pipe_quietly \
    a_killed_stage_is_named_and_leaves_nothing interrupting_fa_ends_all_stages dry_run_prints_a_pipe_that_runs; do t $f; done
exit $failed
