#!/usr/bin/env bash
# fa-detect: when it looks, what it passes on, and how it ends.
. tests/cli/lib.sh
export OPENFACE_MODELS_DIR=${OPENFACE_MODELS_DIR:-$PWD/${B:-build}/models-cache}
LIST=$FA_SHARED/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt
CLIP=$FA_SHARED/videos/default.wmv
STILL=$FA_SHARED/videos/images/sample3.jpg

detect() { fa-detect --model "$LIST" "$@"; }
# NAME SIZE FRAMES: a clip of moving bars, no face in it
bars() { ffmpeg -nostdin -loglevel error -y -f lavfi -i "testsrc=size=$2:rate=25" -frames:v "$3" -c:v ffv1 -pix_fmt bgr0 "$TMP/$1.mkv"; }
looked() { fa-view -r faces "$1" | sed 's/.* frame=\([0-9]*\) .* n=\([0-9]*\).*/\1:\2/' | tr '\n' ' '; }
status_of() { fa-view -r end "$1" 2>/dev/null | sed 's/.* status=\([0-9]*\) .*/\1/' | tr '\n' ' '; }
eq() { [ "$1" = "$2" ] || { echo "got  $1"; echo "want $2"; return 1; }; }

help_and_version_exit_0() {
    want_rc 0 fa-detect -h && grep -q usage "$TMP/out" && want_rc 0 fa-detect --version && grep -q '^fa-detect ' "$TMP/out"
}
wrong_use_exits_2() {
    local a
    for a in "--nonsense" "-n 0" "-n x" "-t 0" "-z 20" "a b"; do
        want_rc 2 fa-detect $a || return 1
        want_err "try 'fa-detect -h'" || return 1
    done
}
a_missing_model_exits_3() {
    want_rc 3 fa-detect --model "$TMP/none.txt" && want_err 'none\.txt'
    echo "not a pack" >"$TMP/bad.pack"
    want_rc 3 fa-detect --model "$TMP/bad.pack" && want_err 'bad\.pack' && [ ! -s "$TMP/out" ]
}
every_option_is_in_the_page() {
    local o
    for o in $(fa-detect -h | grep -oE -- '(^|[ ,])-(-[a-z]+|[a-z])' | tr -d ' ,' | sort -u); do
        case $o in --*) o="Fl -${o#--}";; *) o="Fl ${o#-}";; esac
        grep -qF -- "$o" man/fa-detect.1 || { echo "missing: $o"; return 1; }
    done
    mandoc -Tlint -W warning man/fa-detect.1
}

a_clip_without_a_face_is_looked_at_on_frames_1_13_25() {
    bars none 96x80 30
    fa-decode "$TMP/none.mkv" | detect >"$TMP/s" || return 1
    eq "$(looked "$TMP/s")" "1:0 13:0 25:0 " && eq "$(status_of "$TMP/s")" "0 "
}
options_choose_the_frames() {
    bars few 96x80 7
    fa-decode -o "$TMP/few" "$TMP/few.mkv" || return 1
    eq "$(looked <(detect -a "$TMP/few"))" "1:0 2:0 3:0 4:0 5:0 6:0 7:0 " && eq "$(looked <(detect -n 3 "$TMP/few"))" "1:0 4:0 7:0 " &&
        eq "$(looked <(detect -n 1000 "$TMP/few"))" "1:0 "
}
all_other_records_pass_unchanged() {
    bars pass 96x80 3
    fa-decode -o "$TMP/in" "$TMP/pass.mkv" && detect -o "$TMP/outs" "$TMP/in" || return 1
    fa-view -j --pixels -r frame -r end "$TMP/in" >"$TMP/a" && fa-view -j --pixels -r frame -r end "$TMP/outs" >"$TMP/b" && same "$TMP/a" "$TMP/b" &&
        fa-view -r clip "$TMP/outs" | grep -q 'fa-decode version=.*fa-detect version=[^ ]* model=[0-9a-f]\{16\}'
}
a_second_run_replaces_the_faces_of_the_first() {
    bars twice 96x80 4
    fa-decode "$TMP/twice.mkv" | detect -a | detect -n 2 >"$TMP/s" && eq "$(looked "$TMP/s")" "1:0 3:0 "
}
frames_too_small_for_a_face_have_none() {
    local s
    for s in 1x1 16x16 42x42 59x100 100x59 61x67 321x241; do
        { printf 'P6 %s 255\n' "${s/x/ }"; head -c $((3 * ${s/x/*})) /dev/zero; } >"$TMP/$s.ppm"
        fa-decode "$TMP/$s.ppm" | detect >"$TMP/s" || return 1
        eq "$s $(looked "$TMP/s")" "$s 1:0 " || return 1
    done
}
compressed_streams_hold_the_same_records() {
    bars zip 96x80 3
    fa-decode -z 3 "$TMP/zip.mkv" | detect -a -z 2 >"$TMP/z" && fa-decode "$TMP/zip.mkv" | detect -a >"$TMP/p" &&
        [ "$(stat -c %s "$TMP/z")" -lt "$(stat -c %s "$TMP/p")" ] && fa-view -j --pixels -r frame -r faces -r end "$TMP/z" >"$TMP/a" &&
        fa-view -j --pixels -r frame -r faces -r end "$TMP/p" >"$TMP/b" && same "$TMP/a" "$TMP/b"
}
a_cut_input_keeps_what_was_whole_and_exits_1() {
    local size at rc
    bars cut 96x80 5
    fa-decode -o "$TMP/whole" "$TMP/cut.mkv"
    size=$(stat -c %s "$TMP/whole")
    for at in 0 10 1000 $((size / 2)) $((size - 1)); do
        head -c $at "$TMP/whole" | detect -a >"$TMP/s" 2>"$TMP/err"; rc=$?
        eq "$at: $rc" "$at: 1" && want_err '^fa-detect: ' || return 1
        [ $at -lt 1000 ] || eq "$(status_of "$TMP/s")" "1 " || return 1
    done
    eq "$(fa-view -r frame "$TMP/s" 2>/dev/null | wc -l)" 5
}
garbage_exits_1() {
    head -c 5000 /dev/urandom | detect >"$TMP/s" 2>"$TMP/err"
    eq $? 1 && want_err '^fa-detect: '
    want_rc 1 fa-detect --model "$LIST" "$TMP/no-such-file" && want_err 'no-such-file'
}
a_flipped_byte_exits_1() {
    bars flip 96x80 2
    fa-decode -o "$TMP/flip" "$TMP/flip.mkv"
    printf '\377' | dd of="$TMP/flip" bs=1 seek=9000 conv=notrunc status=none
    detect "$TMP/flip" >"$TMP/s" 2>"$TMP/err"
    eq $? 1 && eq "$(status_of "$TMP/s")" "1 "
}
an_unfinished_output_does_not_take_its_name() {
    bars part 96x80 3
    fa-decode "$TMP/part.mkv" | head -c 60000 | detect -o "$TMP/never" 2>/dev/null
    eq "${PIPESTATUS[2]}" 1 && [ ! -e "$TMP/never" ] && fa-decode "$TMP/part.mkv" | detect -o "$TMP/named" && [ -s "$TMP/named" ]
}
a_full_disk_exits_3() {
    bars full 96x80 2
    fa-decode "$TMP/full.mkv" | detect >/dev/full 2>"$TMP/err"
    eq "${PIPESTATUS[1]}" 3 && want_err 'No space left'
}
a_reader_that_leaves_ends_it_silently_with_3() {
    local rc
    bars gone 320x240 60
    fa-decode -o "$TMP/gone" "$TMP/gone.mkv"
    { detect "$TMP/gone" 2>"$TMP/err"; echo $? >"$TMP/rc"; } | head -c 100 >/dev/null
    eq "$(cat "$TMP/rc")" 3 && [ ! -s "$TMP/err" ]
}

a_found_face_ends_the_search_of_its_clip() {
    fa-decode --frames 30 "$CLIP" "$CLIP" | detect >"$TMP/s" && eq "$(looked "$TMP/s")" "1:1 1:1 " && eq "$(status_of "$TMP/s")" "0 0 "
}
the_face_is_the_references() {
    fa-decode --frames 1 "$CLIP" | detect | fa-view -r faces | sed 's/.*box=//' | awk -F, '
        { split("147.3712 179.3495 190.9170 197.1908", want, " "); for (i = 1; i <= 4; i++) if (($i - want[i])^2 > 1e-6) exit 1; n++ } END { exit n != 1 }'
}
every_still_is_looked_at() {
    fa-decode "$STILL" "$STILL" | detect >"$TMP/s" && eq "$(looked "$TMP/s")" "1:1 1:1 "
}
same_bytes_for_any_threads_and_instruction_set() {
    local t m
    fa-decode -o "$TMP/in" --frames 3 "$CLIP" && detect -a -o "$TMP/one" "$TMP/in" || return 1
    for t in 2 3 8; do detect -a -t $t "$TMP/in" >"$TMP/s" && same "$TMP/one" "$TMP/s" || return 1; done
    for m in 0 1; do FA_CPU_MASK=$m detect -a "$TMP/in" >"$TMP/s" && same "$TMP/one" "$TMP/s" || return 1; done
}
memory_stays_below_100_MB() {
    local kb
    fa-decode -o "$TMP/in" --frames 40 "$CLIP" || return 1
    kb=$(detect -a "$TMP/in" 2>/dev/null >"$TMP/s" & pid=$!; while kill -0 $pid 2>/dev/null; do grep -h VmHWM /proc/$pid/status; done 2>/dev/null | tail -1 | awk '{ print $2 }')
    echo "peak $kb kB"
    [ -n "$kb" ] && [ "$kb" -lt 100000 ]
}

for f in help_and_version_exit_0 wrong_use_exits_2 a_missing_model_exits_3 every_option_is_in_the_page; do t $f; done
model_tests="a_clip_without_a_face_is_looked_at_on_frames_1_13_25 options_choose_the_frames all_other_records_pass_unchanged
    a_second_run_replaces_the_faces_of_the_first frames_too_small_for_a_face_have_none compressed_streams_hold_the_same_records
    a_cut_input_keeps_what_was_whole_and_exits_1 garbage_exits_1 a_flipped_byte_exits_1 an_unfinished_output_does_not_take_its_name
    a_full_disk_exits_3 a_reader_that_leaves_ends_it_silently_with_3"
clip_tests="a_found_face_ends_the_search_of_its_clip the_face_is_the_references every_still_is_looked_at
    same_bytes_for_any_threads_and_instruction_set memory_stays_below_100_MB"
for f in $model_tests; do if [ -r "$LIST" ]; then t $f; else skip $f "no models"; fi; done
for f in $clip_tests; do if [ -r "$LIST" ] && [ -r "$CLIP" ]; then t $f; else skip $f "no models or clips"; fi; done
exit $failed
