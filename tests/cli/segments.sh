#!/usr/bin/env bash
# One clip in segments: the cut depends on clip and length alone; frames and times are the uncut clip's; landmarks are the uncut
# clip's but for the tracker's memory of more than two seconds; nothing is left when it fails.
. tests/cli/lib.sh
model=$FA_SHARED/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt
clip=$FA_SHARED/videos/default.wmv
if [ ! -r "$model" ] || [ ! -r "$clip" ]; then skip segments "no models or clips beside the project"; exit 0; fi
export FA_MODELS; FA_MODELS=$(realpath "$model"); clip=$(realpath "$clip") vfr=$(realpath "$FA_SHARED/videos/face_then_none_vfr.mp4")
unset N_WORKERS
mkdir "$TMP/w" && cd "$TMP/w" || exit 1
ffmpeg -nostdin -v error -i "$clip" -t 11 -vf scale=320:240 -c:v mpeg4 -q:v 2 -an long.avi && ffmpeg -nostdin -v error -i long.avi -t 1 -c:v copy -an short.avi || exit 1
fa --segments 4 -o s4.csv long.avi && fa -o whole.csv long.avi || exit 1
frames_and_times() { cut -d, -f1-3 "$1"; }

any_number_at_a_time_gives_the_same_bytes() { local j; for j in 2 16; do fa --segments 4s -j $j -o j$j.csv long.avi && same s4.csv j$j.csv || return 1; done; }
frames_and_times_are_the_whole_clips() {
    same <(frames_and_times s4.csv) <(frames_and_times whole.csv) && fa --cfr --segments 4 -o c4.csv long.avi && fa --cfr -o c.csv long.avi && same <(frames_and_times c4.csv) <(frames_and_times c.csv)
}
numbers_are_the_whole_clips_within_the_noise_floor() { ! cmp -s s4.csv whole.csv && want_rc 0 fa-compare --gate whole.csv s4.csv; }
variable_rates_and_lost_faces_are_cut_alike() {
    [ -r "$vfr" ] || return 0
    fa --segments 4 -j 2 -o v4.csv "$vfr" && fa -o v.csv "$vfr" && same <(frames_and_times v4.csv) <(frames_and_times v.csv)
}
a_clip_shorter_than_a_segment_is_not_cut() { fa --segments 8 -o n8.csv short.avi && fa -o n.csv short.avi && same n8.csv n.csv && fa --segments 0.5m -o n30.csv long.avi && same n30.csv whole.csv; }
pictures_are_not_cut() { ffmpeg -nostdin -v error -i long.avi -frames:v 1 one.png && fa --segments 4 -o p4.csv one.png && fa -o p.csv one.png && same p4.csv p.csv; }
many_clips_some_of_them_cut() {
    mkdir -p in; cp long.avi in/a.avi; cp short.avi in/b.avi; cp long.avi in/c.avi; printf 'no' >in/bad.avi
    want_rc 1 fa --segments 4 -j 3 --joblog log -o many/ in/*.avi && same s4.csv many/a.csv && same s4.csv many/c.csv && same n.csv many/b.csv && [ ! -e many/bad.csv ] &&
        [ "$(tail -n +2 log | wc -l)" = 4 ] && awk -F'\t' '$1 == 1' log | grep -q '# 165 frames' || return 1
    touch stamp; sleep 0.01; want_rc 1 fa --resume --segments 4.0 -o many/ in/*.avi && [ -z "$(find many -name '*.csv' -newer stamp)" ] && want_rc 1 fa --resume -o many/ in/*.avi && same whole.csv many/a.csv
}
segments_by_hand_give_the_same_stream() {
    fa-decode --duration 4.001 long.avi | fa-detect | fa-landmarks -o 0.fas && fa-decode --start 2 --duration 6.001 long.avi | fa-detect | fa-landmarks -z 1 -o 1.fas && fa-decode --start 6 long.avi | fa-detect | fa-landmarks -o 2.fas &&
        fa-join --segments 4 0.fas 1.fas 2.fas -o all.fas && fa-aus all.fas | fa-csv >hand.csv && same s4.csv hand.csv || return 1
    fa-view -k all.fas && fa-view -r clip all.fas | grep -q 'fa-join version=[^ ]* segments=4 warm_up=2 of=3' && ! fa-view -r clip all.fas | grep -q 'duration=' &&
        printf '0.fas\n1.fas\n2.fas\n' | fa-join --segments 4 --files-from 3 | cmp - all.fas
}
broken_segments_are_told() {
    head -c 100000 1.fas >cut.fas
    want_rc 1 fa-join --segments 4 0.fas cut.fas 2.fas && want_err 'cut.fas' && fa-view -s "$TMP/out" | grep -q . || return 1
    want_rc 1 fa-join --segments 4 0.fas none.fas && want_err none.fas && fa-decode --frames 3 short.avi | fa-detect | fa-landmarks -o other.fas && want_rc 1 fa-join --segments 4 0.fas other.fas && want_err 'another clip' &&
        want_rc 2 fa-join 0.fas && want_rc 2 fa-join --segments 4 && want_rc 1 bash -c 'printf "0.fas\n" | fa-join --segments 4 --files-from 2 >x' && want_rc 2 fa-join --segments 1 0.fas
}
a_damaged_clip_ends_with_status_1_and_what_there_is() {
    ffmpeg -nostdin -v error -i long.avi -c:v mpeg4 -q:v 3 hurt.avi && printf '%2000s' x | tr ' ' '\377' | dd of=hurt.avi bs=1 seek=150000 conv=notrunc 2>/dev/null
    fa -o hurt0.csv hurt.avi 2>/dev/null; [ $? = 1 ] || { echo 'not damaged enough'; return 1; }
    want_rc 1 fa --segments 4 -j 2 -o hurt.csv hurt.avi && [ ! -e hurt.csv ] && [ -s hurt.csv.partial ] && want_err 'fa-csv: hurt.avi: fa-decode' && same <(frames_and_times hurt0.csv.partial) <(frames_and_times hurt.csv.partial)
}
a_killed_stage_fails_the_clip_and_leaves_nothing() {
    local s pid child rc
    for s in fa-landmarks fa-join fa-aus fa-decode; do
        fa --segments 4 -j 2 -o kill.csv long.avi 2>"$TMP/err" & pid=$!
        child=
        for _ in $(seq 200); do
            child=$(child_named $pid $s) && break
            sleep 0.02
        done
        kill -9 "$child"; wait $pid; rc=$?
        [ $rc = 3 ] && want_err "$s was killed by signal 9" && [ ! -e kill.csv ] && ! ls kill.csv.tmp* 2>/dev/null || { echo "$s: $rc"; return 1; }
        rm -f kill.*
    done
}
a_signal_ends_all() {
    fa --segments 4 -j 2 -o sig.csv long.avi 2>"$TMP/err" & local pid=$! kids
    sleep 0.5; kids=$(children $pid)
    kill -INT $pid; wait $pid; [ $? = 130 ] && ! ls sig.* 2>/dev/null || return 1
    gone $kids
}
what_cannot_be_cut_is_refused() {
    local o
    for o in '--start 3' '--duration 3' '--frames 9' '--aligned x'; do want_rc 2 fa --segments 4 $o -o x.csv long.avi || return 1; done     # shellcheck disable=SC2086
    for o in 0 3.9 x 4x s ''; do want_rc 2 fa --segments "$o" -o x.csv long.avi || { echo "$o"; return 1; }; done
}
for f in any_number_at_a_time_gives_the_same_bytes frames_and_times_are_the_whole_clips numbers_are_the_whole_clips_within_the_noise_floor \
    variable_rates_and_lost_faces_are_cut_alike a_clip_shorter_than_a_segment_is_not_cut pictures_are_not_cut many_clips_some_of_them_cut \
    segments_by_hand_give_the_same_stream broken_segments_are_told a_damaged_clip_ends_with_status_1_and_what_there_is \
    a_killed_stage_fails_the_clip_and_leaves_nothing a_signal_ends_all what_cannot_be_cut_is_refused; do t $f; done
exit $failed
