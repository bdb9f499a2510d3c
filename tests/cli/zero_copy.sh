#!/usr/bin/env bash
# Frames by reference (fa-decode -S): the same bytes as inline, clear words where no reference can be followed, and what is left when any
# program of the pipe is killed at any moment: nothing, within a second.   FA_KILLS=N: only the kills, N of each program (tests/gold).
. tests/cli/lib.sh
if ! command -v ffmpeg >/dev/null; then skip zero_copy "no ffmpeg"; exit 0; fi
model=$FA_SHARED/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt
clip=$FA_SHARED/videos/default.wmv
lav() { ffmpeg -nostdin -v error -y -f lavfi -i "$@" || exit 1; }        # SOURCE options.. OUT
lav testsrc2=s=160x120:r=25:d=2 -c:v ffv1 "$TMP/a.avi"
status() { echo "${PIPESTATUS[*]}"; }                                     # of the pipe just run
want() { [ "$1" = "$2" ] || { echo "got '$1', want '$2'"; [ ! -s "$TMP/err" ] || cat "$TMP/err"; return 1; }; }

# --- Without any model. -----------------------------------------------------------------------------------------------------------------

references_and_pixels_are_the_same_frames() {
    fa-decode "$TMP/a.avi" | fa-view -j --pixels >"$TMP/inline" && fa-decode -S "$TMP/a.avi" | fa-view -j --pixels >"$TMP/ref" || return 1
    [ "$(grep -c ref_slot "$TMP/ref")" = 50 ] && ! grep -q ref_slot "$TMP/inline" &&
    sed 's/"bytes":[0-9]*,"version":2/"bytes":57664,"version":1/; s/,"ref_[^,}]*//g' "$TMP/ref" >"$TMP/ref1" && same "$TMP/inline" "$TMP/ref1"
}
what_is_not_a_pipe_gets_pixels() {
    fa-decode "$TMP/a.avi" >"$TMP/inline.fas" && fa-decode -S "$TMP/a.avi" >"$TMP/s.fas" && same "$TMP/inline.fas" "$TMP/s.fas" &&
    fa-decode -S -o "$TMP/o.fas" "$TMP/a.avi" && same "$TMP/inline.fas" "$TMP/o.fas" && want_rc 2 fa-decode -S -z 3 "$TMP/a.avi" && want_err 'exclude each other' &&
    fa-decode "$TMP/a.avi" | fa-view --cut -f 7-30 -o "$TMP/c1.fas" && fa-decode -S "$TMP/a.avi" | fa-view --cut -f 7-30 -o "$TMP/c2.fas" && same "$TMP/c1.fas" "$TMP/c2.fas" &&
    fa-decode -S "$TMP/a.avi" | fa-view --cut -f 7-30 -z 3 -o "$TMP/c3.fas" && fa-view -j --pixels "$TMP/c3.fas" >"$TMP/j3" && fa-view -j --pixels "$TMP/c1.fas" | cmp - "$TMP/j3"
}
references_pass_through_programs_of_ours() {
    fa-decode -S "$TMP/a.avi" | fa-view --cut | fa-view --cut | fa-view -c >"$TMP/out"; want "$(status)" '0 0 0 0' && grep -q ' FRAME=50 ' "$TMP/out"
}
sizes_may_change_and_stills_be_among_clips() {
    lav testsrc2=s=64x48 -frames:v 3 "$TMP/p1_%d.png"; lav testsrc2=s=500x400 -frames:v 9 "$TMP/p2_%d.png"; lav testsrc2=s=1200x900 -frames:v 1 "$TMP/p3.jpg"
    lav gradients=s=90x70 -frames:v 1 -pix_fmt rgb48be "$TMP/p4_16.png"
    set -- "$TMP/a.avi" "$TMP/p1_%d.png" "$TMP/p3.jpg" "$TMP/p4_16.png" "$TMP/a.avi" "$TMP/p2_%d.png" "$TMP/none.mp4"
    fa-decode "$@" 2>/dev/null | fa-view --cut -o "$TMP/m1.fas"; want "$(status)" '1 1' || return 1
    fa-decode -S "$@" 2>/dev/null | fa-view --cut -o "$TMP/m2.fas"; want "$(status)" '1 1' || return 1
    mkdir -p "$TMP/mix"; cp "$TMP"/p[12]_[123].png "$TMP/mix"                     # one clip, two sizes
    fa-decode "$TMP/mix" | fa-view -j --pixels | grep -v '"version":2' >"$TMP/x1"; fa-decode -S "$TMP/mix" | fa-view --cut | fa-view --cut -o "$TMP/x.fas"; fa-view -j --pixels "$TMP/x.fas" >"$TMP/x2"
    [ "$(grep -c '"FRAME"' "$TMP/x2")" = 6 ] && grep FRAME "$TMP/x1" | cmp - <(grep FRAME "$TMP/x2") && same "$TMP"/m1.fas* "$TMP"/m2.fas*
}
a_stream_that_was_saved_with_cat_or_tee_is_refused() {
    fa-decode -S --frames 4 "$TMP/a.avi" 2>/dev/null | cat >"$TMP/cat.fas"
    want "$(status)" '2 0' && want_rc 1 fa-view "$TMP/cat.fas" && want_err 'cat.fas: clip 0 .*: frame 1: FRAME record: frames by reference need a direct pipe from' &&
    [ "$(wc -l <"$TMP/err")" = 1 ] && [ "$(wc -l <"$TMP/out")" = 1 ]
}
cat_and_tee_between_are_noticed_on_both_sides() {
    # cat may sit there until we find it out (2), or be ended by what we write next (3)
    fa-decode -S "$TMP/a.avi" 2>"$TMP/err1" | cat | fa-view >"$TMP/out" 2>"$TMP/err"; set -- $(status)
    want "$3" 1 && want_err 'direct pipe' && case $1 in
    2) grep -q 'fa-decode: .*a.avi: what reads the output (cat, tee, .*) does not take frames by reference' "$TMP/err1";; 3) [ ! -s "$TMP/err1" ];; *) false;; esac || { echo "$*"; cat "$TMP/err1"; return 1; }
    fa-decode -S "$TMP/a.avi" 2>"$TMP/err1" | { trap '' PIPE; tee "$TMP/tee.fas" 2>/dev/null; } | fa-view >"$TMP/out" 2>"$TMP/err"; set -- $(status)
    want "$3" 1 && want_err 'direct pipe' && [[ $1 = [23] ]] || { echo "$*"; cat "$TMP/err1"; return 1; }
}
a_cat_further_down_is_noticed_by_the_program_before_it() {
    fa-decode -S "$TMP/a.avi" 2>"$TMP/err0" | fa-view --cut 2>"$TMP/err1" | cat >"$TMP/cat2.fas"
    set -- $(status); want "$1 $2 $3" '3 2 0' && want_rc 1 fa-view "$TMP/cat2.fas" && want_err 'direct pipe' && [ ! -s "$TMP/err0" ] &&
    grep -q 'fa-view: .*does not take frames by reference' "$TMP/err1" || { cat "$TMP/err0" "$TMP/err1"; return 1; }
}
another_users_program_is_told() {
    cp "$FA_BIN/fa-view" "$TMP/fa-view-copy"; chmod 755 "$TMP" "$TMP/fa-view-copy"
    fa-decode -S "$TMP/a.avi" 2>"$TMP/err1" | setpriv --reuid=65534 --regid=65534 --clear-groups "$TMP/fa-view-copy" >"$TMP/out" 2>"$TMP/err"
    want "$(status)" '3 3' && want_err 'frame 1: FRAME record: the frames are in the memory of process [0-9]*, which is another user' && [ ! -s "$TMP/err1" ]
}
no_memory_for_the_ring_is_said() {
    prlimit --fsize=200000 fa-decode -S "$TMP/a.avi" 2>"$TMP/err" | fa-view -c >"$TMP/out" 2>/dev/null
    want "$(status)" '3 1' && want_err 'a.avi: no shared memory for 6 frames of 57600 bytes: File too large' && grep -q 'status=3 .*FRAME=0 .*no shared memory' "$TMP/out"
}
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }
a_blocked_decoder_does_not_spin() {
    mkfifo "$TMP/fifo"
    fa-view "$TMP/fifo" >/dev/null & local view=$!
    fa-decode -S "$TMP/a.avi" >"$TMP/fifo" & local dec=$!
    kill -STOP $view; sleep 0.7                                              # before or in the middle of reading: no matter
    local t0 t1; t0=$(ticks $dec); sleep 1; t1=$(ticks $dec)
    kill -CONT $view; wait $dec; local r1=$?; wait $view
    [ $? = 0 ] && [ $r1 = 0 ] && [ $((t1 - t0)) -le 2 ] || { echo "statuses $r1, $((t1 - t0)) ticks in a second of waiting"; return 1; }
}
a_reader_that_dies_before_the_first_frame_is_noticed() {    # while standard input is copied, which has not ended
    mkfifo "$TMP/in"; sleep 20 >"$TMP/in" & local pid=$! t0=$SECONDS
    fa-decode - <"$TMP/in" 2>"$TMP/err" | true; want "$(status)" '3 0'; local r=$?
    kill $pid; [ $r = 0 ] && [ ! -s "$TMP/err" ] && [ $((SECONDS - t0)) -lt 5 ]
}
nothing_has_a_name() {
    fa-decode -S "$TMP/a.avi" | { fa-view -f 1 >/dev/null; find /dev/shm /tmp -maxdepth 1 -name '*fa-ring*' 2>/dev/null; } >"$TMP/out"; [ ! -s "$TMP/out" ]
}

# --- The whole pipe. ----------------------------------------------------------------------------------------------------------------------

by_reference_gives_the_bytes_of_inline_for_any_threads() {
    local n
    fa-decode "$part" | fa-detect | fa-landmarks -o "$TMP/i.fas" && fa-aus "$TMP/i.fas" | fa-csv >"$TMP/i.csv" && [ "$(wc -l <"$TMP/i.csv")" = 41 ] || return 1
    for n in 1 2 8; do
        fa-decode -S "$part" | fa-detect -t $n | fa-landmarks -t $n | tee "$TMP/r.fas" | fa-aus -t $n | fa-csv >"$TMP/r.csv"
        want "$(status)" '0 0 0 0 0 0' && same "$TMP/i.fas" "$TMP/r.fas" && same "$TMP/i.csv" "$TMP/r.csv" || { echo "-t $n"; return 1; }
    done
    fa-decode "$part" >"$TMP/f.fas" && fa-detect -o "$TMP/d.fas" "$TMP/f.fas" && fa-landmarks "$TMP/d.fas" | cmp - "$TMP/i.fas" &&
    fa-decode -S "$part" | fa-detect -a -o "$TMP/d2.fas" && fa-decode "$part" | fa-detect -a | cmp - "$TMP/d2.fas"
}
kept_frames_go_on_and_are_held_back_with_their_pixels() {
    fa-decode "$part" | fa-detect | fa-landmarks --keep-frames -o "$TMP/k1.fas" && fa-decode -S "$part" | fa-detect | fa-landmarks --keep-frames -o "$TMP/k2.fas" &&
    same "$TMP/k1.fas" "$TMP/k2.fas" && fa-aus "$TMP/k1.fas" >"$TMP/ka1.fas" && fa-decode -S "$part" | fa-detect | fa-landmarks --keep-frames | fa-aus >"$TMP/ka2.fas" && same "$TMP/ka1.fas" "$TMP/ka2.fas"
}
many_clips_and_their_details_are_the_same() {
    local s
    lav testsrc2=s=320x240:r=10:d=1 -c:v ffv1 "$TMP/noface.avi"
    for s in "" -S; do
        mkdir -p "$TMP/many$s"
        fa-decode $s "$part" "$FA_SHARED/videos/images/sample1.jpg" "$TMP/noface.avi" | fa-detect | fa-landmarks | fa-aus | fa-csv --details -o "$TMP/many$s/"
        want "$(status)" '0 0 0 0 0' || return 1
    done
    [ "$(ls "$TMP/many" | wc -l)" = 6 ] && diff -r "$TMP/many" "$TMP/many-S"
}

# One program after the other is killed at a random moment. What it was part of must be gone within a second, with the right statuses: who
# wrote for it lost its reader (3, in silence) or was done; who read from it has a stream that stops (1) or had all of it already; a CSV
# is there only when it is whole.
names=(fa-decode fa-detect fa-landmarks fa-aus fa-csv)
stage() { local i=$1; echo $BASHPID >"$TMP/pid.$i"; shift; FA_KILL_MARK=$TMP exec "$@" 2>"$TMP/err.$i"; }
run_pipe() { # sets rc
    rm -f "$TMP"/kill.csv* "$TMP"/pid.?
    stage 0 fa-decode -S "$part" | stage 1 fa-detect | stage 2 fa-landmarks | stage 3 fa-aus | stage 4 fa-csv -o "$TMP/kill.csv"
    rc=("${PIPESTATUS[@]}")
}
marked() { grep -lz "^FA_KILL_MARK=$TMP\$" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3; }     # programs of run_pipe, ffmpeg too
killed_once() { # STAGE SECONDS
    local k=$1 i ended
    ( sleep "$2"; until [ -s "$TMP/pid.$k" ]; do sleep 0.005; done; kill -9 "$(cat "$TMP/pid.$k")" 2>/dev/null; echo "$EPOCHREALTIME" >"$TMP/when" ) &
    run_pipe 2>/dev/null
    ended=$EPOCHREALTIME
    wait
    what="${names[k]} killed after $2 s: statuses ${rc[*]}"
    [ "${rc[k]}" = 137 ] || { [ "${rc[*]}" = "0 0 0 0 0" ]; return; }          # too late: it was done
    late=$(awk -v a="$(cat "$TMP/when")" -v b="$ended" 'BEGIN { print (b - a > 1) }')
    for i in 0 1 2 3 4; do
        case $((i < k))$((i > k))${rc[i]} in
        103 | 100 | 011 | 010 | 00137) ;;
        *) echo "$what: ${names[i]} is wrong"; cat "$TMP/err.$i"; return 1;;
        esac
        [ $i -ge $k ] || [ ! -s "$TMP/err.$i" ] || { echo "$what: ${names[i]} said:"; cat "$TMP/err.$i"; return 1; }
    done
    if [ -e "$TMP/kill.csv" ] && ! cmp -s "$TMP/kill.csv" "$TMP/whole.csv"; then echo "$what: half a CSV has its name"; return 1; fi
    [ $k = 4 ] || ! ls "$TMP"/kill.csv.tmp* 2>/dev/null || { echo "$what: a temporary file is left"; return 1; }
    for i in 1 2 3 4 5 6 7 8 9 10; do [ -n "$(marked)" ] || break; sleep 0.1; done
    [ -z "$(marked)" ] || { echo "$what: still there:"; for i in $(marked); do cat "/proc/$i/cmdline" | tr '\0' ' '; done; return 1; }
    [ "$late" = 0 ]
}
killing_any_program_at_any_moment_ends_the_others() {
    local k n t0 try moment late=0 what='' hit=0
    run_pipe; cp "$TMP/kill.csv" "$TMP/whole.csv" || return 1
    t0=$EPOCHREALTIME; run_pipe; [ "${rc[*]}" = "0 0 0 0 0" ] || return 1
    took=$(awk -v a="$t0" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
    for k in 0 1 2 3 4; do
        for n in $(seq "${FA_KILLS:-3}"); do
            moment=$(awk -v r=$RANDOM -v d="$took" 'BEGIN { printf "%.3f", d * r / 32768 }')
            for try in 1 2 3 4 5; do                 # again when it took longer: this may be a busy machine
                late=0; killed_once $k "$moment" && break
                [ "$late" = 1 ] && [ $try -lt 5 ] || { [ "$late" = 0 ] || echo "$what: not within a second"; return 1; }
            done
            [ "${rc[k]}" != 137 ] || hit=$((hit + 1))
        done
    done
    echo "$hit kills" >&2
    [ $hit -ge "${FA_KILLS:-3}" ] || { echo "only $hit of $((${FA_KILLS:-3} * 5)) kills came before the end"; return 1; }
    [ -z "$(find /dev/shm -maxdepth 1 -name '*fa-ring*')" ]
}

if [ -z "${FA_KILLS:-}" ]; then
    for f in references_and_pixels_are_the_same_frames what_is_not_a_pipe_gets_pixels references_pass_through_programs_of_ours \
        sizes_may_change_and_stills_be_among_clips a_stream_that_was_saved_with_cat_or_tee_is_refused cat_and_tee_between_are_noticed_on_both_sides \
        a_cat_further_down_is_noticed_by_the_program_before_it no_memory_for_the_ring_is_said \
        a_blocked_decoder_does_not_spin a_reader_that_dies_before_the_first_frame_is_noticed nothing_has_a_name; do t $f; done
    if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then t another_users_program_is_told; else skip another_users_program_is_told "not root"; fi
fi
if [ ! -r "$model" ] || [ ! -r "$clip" ]; then skip zero_copy_pipe "no models or clips beside the project"; exit $failed; fi
model=$(realpath "$model") FA_SHARED=$(realpath "$FA_SHARED")
export FA_MODELS=$model
part=$TMP/part.avi
ffmpeg -nostdin -v error -i "$clip" -frames:v 40 -c:v ffv1 -an "$part" || exit 1
if [ -z "${FA_KILLS:-}" ]; then
    for f in by_reference_gives_the_bytes_of_inline_for_any_threads kept_frames_go_on_and_are_held_back_with_their_pixels many_clips_and_their_details_are_the_same; do t $f; done
fi
t killing_any_program_at_any_moment_ends_the_others
exit $failed
