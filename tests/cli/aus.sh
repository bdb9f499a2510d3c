#!/usr/bin/env bash
# fa-aus from outside: modes, files beside the stream, wrong use, bad input.
. tests/cli/lib.sh
model=$FA_SHARED/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt
clip=$FA_SHARED/videos/default.wmv
if [ ! -r "$model" ] || [ ! -r "$clip" ]; then skip aus "no models or clips beside the project"; exit 0; fi
export FA_MODELS=$model
fa-decode --frames 50 "$clip" | fa-detect | fa-landmarks >"$TMP/marks.fas" || exit 1
fa-aus "$TMP/marks.fas" >"$TMP/aus.fas" || exit 1
count() { fa-view -r "$1" "$2" | wc -l; }        # TYPE FILE

every_frame_gets_its_action_units() {
    [ "$(count aus "$TMP/aus.fas")" = 50 ] && [ "$(count crop "$TMP/aus.fas")" = 0 ] && [ "$(count landmarks "$TMP/aus.fas")" = 50 ] &&
    fa-view -k "$TMP/aus.fas" && fa-view -r clip "$TMP/aus.fas" | grep -q 'fa-aus version=.* mode=whole-clip set=dynamic'
}
pipe_file_threads_and_kernels_give_the_same_bytes() {
    fa-aus <"$TMP/marks.fas" | cmp - "$TMP/aus.fas" && cat "$TMP/marks.fas" | fa-aus -t 3 -o "$TMP/o.fas" && same "$TMP/o.fas" "$TMP/aus.fas" || return 1
    local m
    for m in 0 1; do FA_CPU_MASK=$m fa-aus "$TMP/marks.fas" | cmp - "$TMP/aus.fas" || return 1; done
    fa-aus -z 3 "$TMP/marks.fas" | zstd -dc | cmp - "$TMP/aus.fas"
}
kept_crops_make_the_output_input_again() {
    fa-aus --keep-crops "$TMP/marks.fas" >"$TMP/kept.fas" && [ "$(count crop "$TMP/kept.fas")" = 50 ] &&
    fa-aus "$TMP/kept.fas" | fa-view -r aus >"$TMP/again" && fa-view -r aus "$TMP/aus.fas" | cmp - "$TMP/again"
}
dropped_crops_are_named_with_the_remedy() {
    want_rc 1 fa-aus "$TMP/aus.fas" && want_err '^fa-aus: .*frame 1: no aligned faces in this stream; run fa-landmarks again$' || return 1
    fa-aus "$TMP/aus.fas" 2>/dev/null | fa-view | grep -q 'END.*no aligned faces'
}
modes_differ_and_say_so() {
    local m
    for m in --online --au-static --image; do
        fa-aus $m "$TMP/marks.fas" >"$TMP/m.fas" && [ "$(count aus "$TMP/m.fas")" = 50 ] || return 1
        fa-view -r aus "$TMP/m.fas" >"$TMP/m.txt"
        fa-view -r aus "$TMP/aus.fas" | cmp -s - "$TMP/m.txt" && { echo "$m changes nothing"; return 1; }
    done
    fa-aus --online "$TMP/marks.fas" | fa-view -r clip | grep -q 'mode=online set=dynamic' &&
    fa-aus --au-static "$TMP/marks.fas" | fa-view -r clip | grep -q 'mode=whole-clip set=static' &&
    fa-aus --image "$TMP/marks.fas" | fa-view -r clip | grep -q 'mode=image set=static'
}
online_values_come_while_the_clip_still_runs() {
    # Half the clip, then silence: its values must not wait for the rest.
    local i
    mkfifo "$TMP/live"
    fa-aus --online "$TMP/live" >"$TMP/live.out" 2>/dev/null &
    exec 9>"$TMP/live"
    head -c $(($(stat -c %s "$TMP/marks.fas") / 2)) "$TMP/marks.fas" >&9
    for i in $(seq 200); do [ "$(fa-view -r aus "$TMP/live.out" 2>/dev/null | wc -l)" -ge 20 ] && break; sleep 0.1; done
    exec 9>&-
    wait
    [ "$i" -lt 200 ]
}
a_clip_cut_short_is_measured_as_far_as_it_goes() {
    head -c $(($(stat -c %s "$TMP/marks.fas") / 2)) "$TMP/marks.fas" >"$TMP/cut.fas"
    want_rc 1 fa-aus -o "$TMP/cut.out" "$TMP/cut.fas" && [ ! -e "$TMP/cut.out" ] && [ -s "$TMP/cut.out.partial" ] &&
    [ "$(count aus "$TMP/cut.out.partial")" -ge 20 ] && fa-view "$TMP/cut.out.partial" | tail -1 | grep -q 'END.*status=1'
}
hog_file_has_a_record_a_frame() {
    fa-aus --hog "$TMP/one.hog" "$TMP/marks.fas" >/dev/null && [ "$(stat -c %s "$TMP/one.hog")" = $((50 * 17872)) ] &&
    fa-aus --hog "$TMP/hogs/" "$TMP/marks.fas" >/dev/null && same "$TMP/one.hog" "$TMP/hogs/default.hog" || return 1
    fa-decode --frames 3 "$clip" "$clip" | fa-detect | fa-landmarks >"$TMP/two.fas" &&
    want_rc 2 fa-aus --hog "$TMP/both.hog" "$TMP/two.fas" && want_err 'name a folder'
}
medians_carry_over_and_bad_files_are_refused() {
    fa-aus --save-median "$TMP/s.median" "$TMP/marks.fas" | cmp - "$TMP/aus.fas" &&
    fa-aus --median "$TMP/s.median" "$TMP/marks.fas" >"$TMP/m.fas" && [ "$(count aus "$TMP/m.fas")" = 50 ] &&
    fa-view -r clip "$TMP/m.fas" | grep -q ' median=' || return 1
    cmp -s "$TMP/m.fas" "$TMP/aus.fas" && return 1
    want_rc 1 fa-aus --median "$TMP/none" "$TMP/marks.fas" && want_err 'none: No such file' &&
    want_rc 1 fa-aus --median "$TMP/marks.fas" "$TMP/marks.fas" && want_err 'not a file of medians' || return 1
    head -c 5000 "$TMP/s.median" >"$TMP/cut.median"
    want_rc 1 fa-aus --median "$TMP/cut.median" "$TMP/marks.fas" && want_err 'cut.median: the file is cut short' &&
    want_rc 3 fa-aus --save-median "$TMP/no/such/folder" "$TMP/marks.fas"
}
wrong_use_exits_2_bad_input_1_no_model_3() {
    want_rc 2 fa-aus --no-such-option && want_rc 2 fa-aus a b && want_rc 2 fa-aus --image --online && want_rc 2 fa-aus -z 20 &&
    want_rc 1 fa-aus /dev/null && want_rc 1 fa-aus "$TMP/none.fas" && want_rc 1 fa-aus man/fa-aus.1 &&
    want_rc 3 fa-aus --model "$TMP/none.txt" "$TMP/marks.fas" && want_rc 3 env TMPDIR="$TMP/marks.fas" fa-aus -o "$TMP/none/x" "$TMP/marks.fas" || return 1
    want_rc 0 fa-aus -h && grep -q '^usage: fa-aus' "$TMP/out" && want_rc 0 fa-aus --version && grep -q '^fa-aus ' "$TMP/out" &&
    want_rc 0 fa-aus -v -o /dev/null "$TMP/marks.fas" && want_err '^fa-aus: clips: 1, faces: 50, not accepted: 0$'
}
every_option_is_in_the_page() {
    local o
    for o in $(fa-aus -h | grep -oE -- '--[a-z-]+' | sort -u); do
        grep -q -- "Fl ${o#-}" man/fa-aus.1 || { echo "man/fa-aus.1 lacks $o"; return 1; }
    done
}
for f in every_frame_gets_its_action_units pipe_file_threads_and_kernels_give_the_same_bytes kept_crops_make_the_output_input_again \
         dropped_crops_are_named_with_the_remedy modes_differ_and_say_so online_values_come_while_the_clip_still_runs \
         a_clip_cut_short_is_measured_as_far_as_it_goes hog_file_has_a_record_a_frame medians_carry_over_and_bad_files_are_refused \
         wrong_use_exits_2_bad_input_1_no_model_3 every_option_is_in_the_page; do t $f; done
exit $failed
