#!/usr/bin/env bash
# fa-decode: good inputs under any name, bad inputs of any kind, and what it leaves behind when it dies.
. tests/cli/lib.sh
if ! command -v ffmpeg >/dev/null; then skip decode "no ffmpeg"; exit 0; fi
DEC=$FA_BIN/fa-decode

lav() { ffmpeg -nostdin -v error -y -f lavfi -i "$@" || exit 1; }        # SOURCE options.. OUT
lav testsrc2=s=160x120:r=25:d=2 -c:v mpeg4 -q:v 3 "$TMP/a.avi"
lav testsrc2=s=160x120:r=25:d=2 -c:v mpeg4 -q:v 3 "$TMP/a.mp4"
lav testsrc2=s=160x120:r=25:d=2 -c:v mpeg4 -q:v 3 -f mpegts "$TMP/a.ts"
lav testsrc2=s=64x48 -frames:v 4 "$TMP/p%d.png"

n_frames() { fa-view -c "$1" | sed -n "${2:-1}s/.* FRAME=\([0-9]*\) .*/\1/p"; }
end_status() { fa-view -r end "$1" 2>/dev/null | sed -n "${2:-1}s/.* status=\([0-9]*\) .*/\1/p"; }
# STATUS FRAMES REGEX command...: exit status, END's status and frames, message; the stream must be whole
ends() {
    local status=$1 n=$2 re=$3; shift 3
    want_rc "$status" "$@" || return 1
    cp "$TMP/out" "$TMP/stream"
    fa-view -k "$TMP/stream" >/dev/null 2>"$TMP/view"
    [ "$(end_status "$TMP/stream")" = "$status" ] || { echo "END status: $(end_status "$TMP/stream")"; cat "$TMP/view"; return 1; }
    local got; got=$(n_frames "$TMP/stream")
    case $n in ">"*) [ "$got" -gt "${n#>}" ];; *) [ "$got" = "$n" ];; esac || { echo "$got frames, want $n"; return 1; }
    if [ -z "$re" ]; then [ ! -s "$TMP/err" ] || { echo "unexpected words:"; cat "$TMP/err"; return 1; }; else want_err "$re"; fi
}
# A wrapper named ffmpeg that runs the shell words given
wrapper() { mkdir -p "$TMP/wrap"; printf '#!/bin/sh\n%s\n' "$1" >"$TMP/wrap/ffmpeg"; chmod +x "$TMP/wrap/ffmpeg"; }

good_clips_print_nothing() {
    [ -d "$FA_SHARED/videos" ] || { ends 0 50 "" "$DEC" "$TMP/a.avi"; return; }
    local f
    for f in "$FA_SHARED"/videos/{small320.mp4,odd321x241.avi,rotate90.mp4,changeLighting.wmv,face_then_none_vfr.mp4,image_sequence_16bit,images/sample1.jpg}; do
        "$DEC" "$f" 2>&1 >/dev/null | grep . && return 1
    done
    return 0
}
missing_file()         { ends 1 0 "none.mp4: No such file" "$DEC" "$TMP/none.mp4"; }
folder_without_pictures() { mkdir -p "$TMP/no"; touch "$TMP/no/a.JPG" "$TMP/no/b.txt"; ends 1 0 "no: a folder without" "$DEC" "$TMP/no"; }
empty_file()           { : >"$TMP/e.mp4"; ends 1 0 "e.mp4: empty file" "$DEC" "$TMP/e.mp4" && ends 1 0 "input: empty file" sh -c ": | '$DEC' -"; }
text_file() {
    yes 'some words' | head -200 >"$TMP/t.txt"; cp "$TMP/t.txt" "$TMP/t.mp4"
    ends 1 0 "t.txt: not a video" "$DEC" "$TMP/t.txt" && ends 1 0 "t.mp4: ffprobe: .*Invalid data" "$DEC" "$TMP/t.mp4"
}
audio_only()           { lav sine=d=1 "$TMP/s.wav" && ends 1 0 "no video stream" "$DEC" "$TMP/s.wav"; }
cover_picture_is_no_video() {
    ffmpeg -nostdin -v error -y -f lavfi -i sine=d=1 -i "$TMP/p1.png" -map 0 -map 1 -c:v png -disposition:v attached_pic "$TMP/c.mp3" || return 1
    ends 1 0 "no video stream" "$DEC" "$TMP/c.mp3"
}
mp4_without_its_index() { head -c 20000 "$TMP/a.mp4" >"$TMP/cut.mp4"; ends 1 0 "moov atom not found" "$DEC" "$TMP/cut.mp4"; }
cut_video_keeps_what_is_whole() {
    local f
    for f in a.ts a.avi; do
        head -c $(($(stat -c %s "$TMP/$f") / 2 + 31)) "$TMP/$f" >"$TMP/cut.${f#a.}"
        ends 1 ">15" "frame [0-9]+: ffmpeg: " "$DEC" "$TMP/cut.${f#a.}" || return 1
    done
}
corrupt_packets_are_told_after_all_frames() {
    local size i; size=$(stat -c %s "$TMP/a.avi"); cp "$TMP/a.avi" "$TMP/bad.avi"
    for i in $(seq $((size / 3)) 211 $((size / 2))); do printf '\x55\xaa' | dd of="$TMP/bad.avi" bs=1 seek="$i" conv=notrunc status=none; done
    ends 1 ">40" "bad.avi: frame [0-9]+: ffmpeg: mpeg4: " "$DEC" "$TMP/bad.avi"
}
ffmpeg_missing() {
    mkdir -p "$TMP/bin"; ends 3 0 "ffmpeg installed.*not found" env PATH="$TMP/bin" "$DEC" "$TMP/a.avi" || return 1
    ln -sf "$(command -v ffprobe)" "$TMP/bin/ffprobe"; ends 3 0 "ffmpeg: program not found" env PATH="$TMP/bin" "$DEC" "$TMP/a.avi"
}
# The wrapper hands on 20 whole frames (57,600 bytes each) and a bit, then dies by a signal.
ffmpeg_killed() {
    wrapper 'kill -9 $$'; ends 3 0 "a.avi: ffmpeg: killed by signal 9" env PATH="$TMP/wrap:$PATH" "$DEC" "$TMP/a.avi" || return 1
    wrapper "$(command -v ffmpeg) \"\$@\" 2>/dev/null | head -c 1200000; kill -9 \$\$"
    ends 3 20 "a.avi: ffmpeg: killed by signal 9" env PATH="$TMP/wrap:$PATH" "$DEC" "$TMP/a.avi"
}
ffmpeg_that_stops_inside_a_frame_is_noticed() {
    wrapper "$(command -v ffmpeg) \"\$@\" 2>/dev/null | head -c 100000; exit 0"
    ends 3 1 "stopped inside frame 2" env PATH="$TMP/wrap:$PATH" "$DEC" "$TMP/a.avi"
}
ffprobe_killed() {
    mkdir -p "$TMP/wp"; printf '#!/bin/sh\nkill -9 $$\n' >"$TMP/wp/ffprobe"; chmod +x "$TMP/wp/ffprobe"
    ends 3 0 "ffprobe: killed by signal 9" env PATH="$TMP/wp:$PATH" "$DEC" "$TMP/a.avi"
}
frames_of_any_size() {
    local s
    for s in 1x1 16x16 17x33 641x1 8000x6000; do
        lav "testsrc=s=$s:r=5:d=0.2" -c:v ffv1 "$TMP/s.mkv"
        ends 0 1 "" "$DEC" "$TMP/s.mkv" || { echo "$s"; return 1; }
        fa-view -r clip "$TMP/stream" | grep -q " w=${s%x*} h=${s#*x} " || return 1
    done
}
too_large_a_frame_is_refused() {
    lav color=s=16400x16 -frames:v 1 "$TMP/big.png"; mkdir -p "$TMP/big"; cp "$TMP/big.png" "$TMP/big/"
    ends 1 0 "16400x16 is larger than the limit of 16384" "$DEC" "$TMP/big.png" && ends 1 0 "big.png: 16400x16 is larger" "$DEC" "$TMP/big"
}
size_change_keeps_the_first_size() {
    lav testsrc2=s=160x120:r=25:d=1 -c:v mpeg2video -f mpegts "$TMP/1.ts"; lav testsrc2=s=80x64:r=25:d=1 -c:v mpeg2video -f mpegts "$TMP/2.ts"
    cat "$TMP/1.ts" "$TMP/2.ts" >"$TMP/change.ts"
    # ffmpeg's own count: it may lose a frame at the seam
    local n; n=$(($(ffmpeg -nostdin -v error -i "$TMP/change.ts" -vsync passthrough -f rawvideo -pix_fmt bgr24 - | wc -c) / 57600))
    [ "$n" -ge 49 ] && ends 0 $n "" "$DEC" "$TMP/change.ts" && [ "$(fa-view -r frame "$TMP/stream" | grep -c ' w=160 h=120 ')" = $n ]
}
unknown_frame_rate_counts_as_30() {
    lav testsrc2=s=160x120:r=25:d=1 -c:v libx264 -bsf:v h264_metadata=tick_rate=0 -f h264 "$TMP/raw.h264" 2>/dev/null || lav testsrc2=s=160x120:r=25:d=1 -c:v mpeg4 -f m4v "$TMP/raw.h264"
    ends 0 25 "" "$DEC" --cfr "$TMP/raw.h264" || return 1
    # ffprobe that knows no rate at all, as some captures have it
    mkdir -p "$TMP/wp0"; printf '#!/bin/sh\n%s "$@" | sed "s|frame_rate=.*|frame_rate=\\"0/0\\"|"\n' "$(command -v ffprobe)" >"$TMP/wp0/ffprobe"; chmod +x "$TMP/wp0/ffprobe"
    ends 0 50 "" env PATH="$TMP/wp0:$PATH" "$DEC" --cfr "$TMP/a.avi" || return 1
    fa-view -r clip "$TMP/stream" | grep -q "fps_num=0 fps_den=0" && fa-view -j -f 31 -r frame "$TMP/stream" | grep -qE '"t":1[,.]'
}
names_mean_nothing() {
    local n i=0
    cd "$TMP" || return 1
    for n in 'a b.avi' $'new\nline.avi' '-dash.avi' 'grün.avi' 'c:d.avi' '50%.avi' 'p%03d.avi' "q'\"*?{x}.avi" '[1].avi' 'pipe:0.avi'; do
        cp a.avi "./$n"; ends 0 50 "" "$DEC" -- "$n" || { printf '%s\n' "$n"; return 1; }
        fa-view -j -r clip "$TMP/stream" >"$TMP/clip.$i"; i=$((i + 1))
    done
    for n in 'p%03d.png' 'a*b?.png' $'x\ny.png' '-p.png'; do cp p1.png "./$n"; ends 0 1 "" "$DEC" -- "$n" || { printf '%s\n' "$n"; return 1; }; done
    mkdir -p f; for n in "it's.png" '-x.png' 'p%d.png' $'n\nl.png' 'ü b.png'; do cp p1.png "f/$n"; done
    ends 0 5 "" "$DEC" f
}
standard_input_may_be_a_file_or_a_pipe() {
    "$DEC" "$TMP/a.mp4" | tail -c +513 | head -c -640 | sha256sum >"$TMP/want"
    local how
    for how in "'$DEC' - <'$TMP/a.mp4'" "cat '$TMP/a.mp4' | '$DEC' -"; do
        sh -c "$how" | tail -c +513 | head -c -640 | sha256sum | same - "$TMP/want" || return 1
    done
    ends 0 1 "" sh -c "cat '$TMP/p1.png' | '$DEC' -"
}
no_input_is_left_in_tmp() { mkdir -p "$TMP/td"; sh -c "cat '$TMP/a.mp4' | TMPDIR='$TMP/td' '$DEC' -" >/dev/null && [ -z "$(ls -A "$TMP/td")" ]; }
pattern_is_a_sequence() {
    ends 0 4 "" "$DEC" "$TMP/p%d.png" && fa-view -r clip "$TMP/stream" | grep -q kind=sequence || return 1
    ends 1 0 "no such file, and no picture of this pattern" "$DEC" "$TMP/none%03d.png"
}
pictures_in_a_row_are_a_video() {
    lav testsrc2=s=64x48:r=10:d=1 -f mjpeg "$TMP/w.mjpeg"
    ends 0 10 "" "$DEC" "$TMP/w.mjpeg" && fa-view -r clip "$TMP/stream" | grep -q kind=video
}
single_picture_is_a_still() { ends 0 1 "" "$DEC" "$TMP/p1.png" && fa-view -r clip "$TMP/stream" | grep -q kind=still; }
several_inputs_are_several_clips() {
    want_rc 1 "$DEC" "$TMP/a.avi" "$TMP/none.mp4" "$TMP/p1.png" && cp "$TMP/out" "$TMP/stream" || return 1
    [ "$(end_status "$TMP/stream" 1)$(end_status "$TMP/stream" 2)$(end_status "$TMP/stream" 3)" = 010 ] && [ "$(n_frames "$TMP/stream" 3)" = 1 ]
}
start_duration_and_frames_are_no_errors() {
    ends 0 7 "" "$DEC" --frames 7 "$TMP/a.avi" && ends 0 25 "" "$DEC" --start 1 "$TMP/a.ts" && ends 0 10 "" "$DEC" --start 0.4 --duration 0.4 "$TMP/a.mp4" || return 1
    fa-view -j -f 1 -r frame "$TMP/stream" | grep -q '"t":0.4' || return 1
    ends 1 0 "no frame at or after the start" "$DEC" --start 99 "$TMP/a.avi" && ends 0 2 "" "$DEC" --frames 2 "$TMP/p%d.png"
}
# Some containers have no index; frames may lean on others far before: after a start they must be those of a whole decode all the same.
frames_after_a_start_are_those_of_the_whole() {
    local f
    lav testsrc2=s=64x48:r=5:d=40 -c:v mpeg4 -g 120 "$TMP/l.ts"; lav testsrc2=s=64x48:r=5:d=40 -c:v mpeg4 -g 120 "$TMP/l.avi"
    lav testsrc2=s=64x48:r=5:d=40 -c:v mpeg2video -r 25 -g 200 -bf 2 "$TMP/l.mkv"
    for f in l.ts l.avi l.mkv; do
        "$DEC" "$TMP/$f" | fa-view -j --pixels -r frame | sed 's/"frame":[0-9]*//' | awk -v FS='"t":' '$2 + 0 >= 29.9999 && $2 + 0 < 31.9999' >"$TMP/whole"
        ends 0 "$(wc -l <"$TMP/whole")" "" "$DEC" --start 30 --duration 2 "$TMP/$f" || { echo $f; return 1; }
        fa-view -j --pixels -r frame "$TMP/stream" | sed 's/"frame":[0-9]*//' | same - "$TMP/whole" || { echo $f; return 1; }
    done
}
rotation_is_applied_unless_told() {
    ffmpeg -nostdin -v error -y -i "$TMP/a.mp4" -c copy -metadata:s:v:0 rotate=270 "$TMP/r.mp4" || return 1
    ends 0 1 "" "$DEC" --frames 1 "$TMP/r.mp4" && fa-view -r clip "$TMP/stream" | grep -q "w=120 h=160 .* rotation=90 " || return 1
    ends 0 1 "" "$DEC" --frames 1 --no-autorotate "$TMP/r.mp4" && fa-view -r clip "$TMP/stream" | grep -q "w=160 h=120 .* rotation=0 "
}
# A JPEG whose EXIF says "turn me": alone and in a folder it comes out the same and upright.
exif_orientation_is_applied() {
    ffmpeg -nostdin -v error -y -i "$TMP/p1.png" "$TMP/o.jpg" && mkdir -p "$TMP/exif" || return 1
    { printf '\xff\xd8\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00'; tail -c +3 "$TMP/o.jpg"; } >"$TMP/exif/1.jpg"
    cp "$TMP/o.jpg" "$TMP/exif/2.jpg"
    ends 0 1 "" "$DEC" "$TMP/exif/1.jpg" && fa-view -j --pixels -r frame "$TMP/stream" | grep -o '"px":.*' >"$TMP/one" && [ -s "$TMP/one" ] || return 1
    ends 0 2 "" "$DEC" "$TMP/exif" && fa-view -j --pixels -f 1 -r frame "$TMP/stream" | grep -o '"px":.*' | same - "$TMP/one" || return 1
    fa-view -r frame "$TMP/stream" | sed -n 's/.*\( w=.* h=[0-9]*\) .*/\1/p' | tr '\n' ';' | grep -q '^ w=48 h=64; w=64 h=48;$'
}
color_tag_matters_only_when_asked() {
    lav testsrc2=s=64x48:d=0.1 -c:v ffv1 -pix_fmt yuv420p -colorspace bt709 "$TMP/709.mkv"; lav testsrc2=s=64x48:d=0.1 -c:v ffv1 -pix_fmt yuv420p "$TMP/un.mkv"
    px() { "$DEC" "$@" | fa-view -j --pixels -f 1 -r frame | grep -o '"px":.*' | sha256sum; }
    [ "$(px "$TMP/709.mkv")" = "$(px "$TMP/un.mkv")" ] && [ "$(px --color tag "$TMP/709.mkv")" != "$(px --color tag "$TMP/un.mkv")" ]
}
same_frames_compressed() {
    "$DEC" "$TMP/a.avi" | fa-view --cut >"$TMP/plain"; "$DEC" -z 3 "$TMP/a.avi" >"$TMP/z"
    [ "$(stat -c %s "$TMP/z")" -lt "$(stat -c %s "$TMP/plain")" ] && fa-view --cut "$TMP/z" | same - "$TMP/plain"
}
output_takes_its_name_when_complete() {
    want_rc 0 "$DEC" -o "$TMP/x.far" "$TMP/a.avi" && [ "$(n_frames "$TMP/x.far")" = 50 ] || return 1
    want_rc 1 "$DEC" -o "$TMP/y.far" "$TMP/cut.avi" && [ ! -e "$TMP/y.far" ] && [ "$(n_frames "$TMP/y.far.partial")" -gt 15 ]
}
disk_full()            { local rc; "$DEC" "$TMP/a.avi" >/dev/full 2>"$TMP/err"; rc=$?; [ $rc = 3 ] && want_err "No space left"; }
reader_gone_is_silent() {
    local st
    { "$DEC" "$TMP/a.avi" 2>"$TMP/err"; echo $? >"$TMP/rc"; } | head -c 100 >/dev/null
    st=$(cat "$TMP/rc"); [ "$st" = 3 ] && [ ! -s "$TMP/err" ] || { echo "status $st"; cat "$TMP/err"; return 1; }
}
probe_says_what_an_input_is() {
    local odd=$TMP/$'odd\nname.mp4'; cp "$TMP/a.mp4" "$odd"; mkdir -p "$TMP/seq"; cp "$TMP"/p?.png "$TMP/seq"; echo words >"$TMP/w.txt"
    want_rc 1 "$DEC" --probe -0 "$odd" "$TMP/seq" "$TMP/w.txt" "$TMP/none.mp4" "$TMP/p1.png" && want_err 'w.txt: ' && want_err 'none.mp4: No such file' &&
    printf 'video\t160\t120\t25\t50\t2.000\t%s\0sequence\t0\t0\t0\t4\t0.133\t%s\0still\t64\t48\t0\t1\t0.000\t%s\0' "$odd" "$TMP/seq" "$TMP/p1.png" | same - "$TMP/out"
}
wrong_use_is_2() {
    local o
    for o in --nonsense "--color red" "--start -1" "--frames 0" "--fx 500" "-z 20" "--start x"; do want_rc 2 "$DEC" $o "$TMP/a.avi" && want_err "try 'fa-decode -h'" || { echo "$o"; return 1; }; done
    want_rc 2 "$DEC" && ends 2 0 "pictures have no times" "$DEC" --start 1 "$TMP/p1.png"
}
terminal_is_refused() {
    command -v script >/dev/null || return 0
    script -qec "$DEC $TMP/a.avi; echo rc=\$?" /dev/null </dev/null | tr -d '\r' | grep -q 'rc=2'
}
help_and_version()     { want_rc 0 "$DEC" -h && grep -q ^usage "$TMP/out" && want_rc 0 "$DEC" --version && grep -q '^fa-decode [0-9]' "$TMP/out"; }

# The children of a dead fa-decode: the wrapper notes its process id and becomes ffmpeg.
dies_without_orphans() { # SIGNAL
    wrapper "echo \$\$ >'$TMP/pid'; exec $(command -v ffmpeg) \"\$@\""
    lav testsrc2=s=640x480:r=25:d=20 -c:v mpeg4 -q:v 2 "$TMP/long.avi"
    rm -f "$TMP/pid"; mkfifo "$TMP/fifo.$1"
    PATH="$TMP/wrap:$PATH" env --default-signal=INT "$DEC" "$TMP/long.avi" >"$TMP/fifo.$1" 2>/dev/null & local dec=$!
    exec 8<"$TMP/fifo.$1"; head -c 3000000 <&8 >/dev/null
    local pid i; pid=$(cat "$TMP/pid"); kill -0 "$pid" || { echo "no ffmpeg was running"; return 1; }
    kill "-$1" $dec
    for i in $(seq 100); do
        case $(cut -d' ' -f3 "/proc/$pid/stat" 2>/dev/null) in ''|Z) exec 8<&-; return 0;; esac
        sleep 0.05
    done
    echo "ffmpeg $pid still runs"; kill -9 "$pid"; return 1
}
sigint_leaves_no_ffmpeg()  { dies_without_orphans INT && dies_without_orphans TERM; }
sigkill_leaves_no_ffmpeg() { dies_without_orphans KILL; }

for test in good_clips_print_nothing missing_file folder_without_pictures empty_file text_file audio_only cover_picture_is_no_video mp4_without_its_index \
    cut_video_keeps_what_is_whole corrupt_packets_are_told_after_all_frames ffmpeg_missing ffmpeg_killed ffmpeg_that_stops_inside_a_frame_is_noticed ffprobe_killed \
    frames_of_any_size too_large_a_frame_is_refused size_change_keeps_the_first_size unknown_frame_rate_counts_as_30 names_mean_nothing \
    standard_input_may_be_a_file_or_a_pipe no_input_is_left_in_tmp pattern_is_a_sequence pictures_in_a_row_are_a_video single_picture_is_a_still several_inputs_are_several_clips \
    start_duration_and_frames_are_no_errors frames_after_a_start_are_those_of_the_whole rotation_is_applied_unless_told exif_orientation_is_applied color_tag_matters_only_when_asked same_frames_compressed \
    probe_says_what_an_input_is output_takes_its_name_when_complete disk_full reader_gone_is_silent wrong_use_is_2 terminal_is_refused help_and_version sigint_leaves_no_ffmpeg \
    sigkill_leaves_no_ffmpeg; do
    t $test
done
exit $failed
