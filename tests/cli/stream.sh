#!/usr/bin/env bash
# Record streams from outside: fa-view, the manual pages, and the small reader printed in fa-stream(5).
. tests/cli/lib.sh
S=tests/fuzz/corpus/stream
GOOD="$S/all.fas $S/pixels.fas $S/unknown.fas"
have() { command -v "$1" >/dev/null; }

the_reader_in_the_manual_agrees_with_fa_view() {
    sed -n '/begin fa\\-walk.c/,/end fa\\-walk.c/p' man/fa-stream.5 | sed 's/\\-/-/g; s/\\(aq/'\''/g; s/\\e/\\/g' >"$TMP/fa-walk.c"
    [ "$(wc -l <"$TMP/fa-walk.c")" -gt 40 ] || { echo "no program in the page"; return 1; }
    "${CC:-cc}" -std=c11 -Wall -Werror -o "$TMP/fa-walk" "$TMP/fa-walk.c" || return 1
    for f in $GOOD $S/clips.fas; do
        "$TMP/fa-walk" <"$f" >"$TMP/walk"; echo "exit $?" >>"$TMP/walk"
        { fa-view -q "$f" 2>/dev/null; echo "exit $?"; } |
            awk '/^exit/ { print; next } { s = $1; for (i = 2; i <= NF; i++) if (i <= 5 || $i ~ /^certainty=/) s = s " " $i; print s }' >"$TMP/view"
        same "$TMP/walk" "$TMP/view" || { diff "$TMP/walk" "$TMP/view"; return 1; }
    done
    grep -q certainty=0.515625 <("$TMP/fa-walk" <$S/all.fas) || return 1
    head -c 1000 $S/all.fas | "$TMP/fa-walk" >/dev/null 2>"$TMP/err" && return 1
    want_err 'stops'
}
good_streams_check_silently() {
    for f in $GOOD; do
        want_rc 0 fa-view -k "$f" || return 1
        [ ! -s "$TMP/out" ] && [ ! -s "$TMP/err" ] || { echo "$f: not silent"; return 1; }
    done
    want_rc 0 fa-view -k $GOOD && fa-view -k <$S/all.fas && fa-view -k - <$S/all.fas
}
damage_is_named_with_input_clip_and_frame() {
    head -c 800 $S/all.fas >"$TMP/cut.fas"
    want_rc 1 fa-view -k "$TMP/cut.fas" && want_err "^fa-view: $TMP/cut.fas: clip 0 \(a.mp4\): frame 1: LANDMARKS record: the stream stops" || return 1
    cp $S/all.fas "$TMP/flip.fas"; printf 'X' | dd of="$TMP/flip.fas" bs=1 seek=700 conv=notrunc status=none
    for how in -k -c -s -j --cut ''; do
        want_rc 1 fa-view $how "$TMP/flip.fas" && want_err 'clip 0 \(a.mp4\): frame 1: .*(check|damaged)' || return 1
        [ "$(wc -l <"$TMP/err")" -eq 1 ] || return 1
    done
    want_rc 1 fa-view -k /dev/null && want_err 'empty input' || return 1
    want_rc 1 fa-view -k man/fa-view.1 && want_err 'not a record stream' || return 1
    want_rc 1 fa-view -k "$TMP/none.fas" && want_err 'none.fas: No such file' || return 1
    want_rc 1 fa-view -k "$TMP" && want_err 'directory'
}
all_inputs_are_looked_at_after_a_bad_one() {
    want_rc 1 fa-view -c /dev/null $S/all.fas && grep -q 'all.fas" clip=0 name="a.mp4" status=0' "$TMP/out"
}
a_failed_or_missing_end_is_exit_1() {
    want_rc 1 fa-view -k $S/clips.fas && want_err 'clip 5 \(b c.mp4\): ended with status 1 by fa-detect: no "face" model' || return 1
    head -c $(($(stat -c %s $S/all.fas) - 128)) $S/all.fas >"$TMP/noend.fas"
    want_rc 1 fa-view -c "$TMP/noend.fas" && want_err 'before END' && grep -q 'status=missing CLIP=1 FRAME=1' "$TMP/out"
}
a_lost_frame_is_noticed() {
    { head -c 1280 $S/pixels.fas; tail -c 128 $S/pixels.fas; } >"$TMP/lost.fas"
    want_rc 1 fa-view -k "$TMP/lost.fas" && want_err 'END counts 2 frames, the stream has 1'
}
counts_are_right() {
    want_rc 1 fa-view -c $S/clips.fas || return 1
    cat >"$TMP/want" <<'END'
file="tests/fuzz/corpus/stream/clips.fas" clip=0 name="a.mp4" status=0 CLIP=1 FRAME=1 FACES=1 LANDMARKS=2 CROP=2 AUS=2 END=1 other=0
file="tests/fuzz/corpus/stream/clips.fas" clip=5 name="b c.mp4" status=1 CLIP=1 FRAME=1 FACES=1 LANDMARKS=0 CROP=0 AUS=0 END=1 other=0 stage="fa-detect" words="no \"face\" model"
END
    same "$TMP/want" "$TMP/out"
}
sizes_add_up_to_the_file() {
    for f in $GOOD; do
        want_rc 0 fa-view -s "$f" && grep -qx "total bytes=$(stat -c %s "$f")" "$TMP/out" || return 1
        awk '/records=/ { split($3, a, "="); n += a[2] } /^total/ { split($2, a, "="); exit n != a[2] }' "$TMP/out" || return 1
    done
}
unknown_types_are_shown_counted_and_kept() {
    want_rc 0 fa-view -r other $S/unknown.fas && grep -qx 'TYPE99 clip=0 frame=0 face=-1 bytes=4 version=7' "$TMP/out" || return 1
    want_rc 0 fa-view -c $S/unknown.fas && grep -q 'other=1' "$TMP/out" || return 1
    want_rc 0 fa-view -j --pixels -r other $S/unknown.fas && grep -q '"data":"bmV3cw=="' "$TMP/out" || return 1
    want_rc 0 fa-view --cut -o "$TMP/u.fas" $S/unknown.fas && fa-view -c "$TMP/u.fas" | grep -q other=1
}
frames_and_types_are_chosen() {
    [ "$(fa-view -f 2-2 -r frame $S/pixels.fas | cut -d' ' -f1-3)" = 'FRAME clip=0 frame=2' ] || return 1
    [ "$(fa-view -f 2- $S/pixels.fas | cut -d' ' -f1 | tr '\n' ' ')" = 'CLIP FRAME FACES END ' ] || return 1
    [ "$(fa-view -f -1 -r FRAME -r Faces $S/pixels.fas | wc -l)" -eq 2 ] && [ "$(fa-view -f 3 -r frame $S/pixels.fas | wc -l)" -eq 0 ]
}
a_cut_is_a_whole_stream_again() {
    want_rc 0 fa-view --cut -f 2-2 -o "$TMP/c.fas" $S/pixels.fas && want_rc 0 fa-view -k "$TMP/c.fas" || return 1
    fa-view -c "$TMP/c.fas" | grep -q 'FRAME=1 FACES=1' && fa-view -r end "$TMP/c.fas" | grep -q 'n_frame=1' || return 1
    fa-view -r clip "$TMP/c.fas" | grep -q 'fa-decode version=0.1.0\\nfa-view version=.* cut frames=2-2' || return 1
    fa-view -j --pixels -f 2 -r frame $S/pixels.fas >"$TMP/a"; fa-view -j --pixels -r frame "$TMP/c.fas" >"$TMP/b"
    [ -s "$TMP/a" ] && same "$TMP/a" "$TMP/b" || return 1
    fa-view --cut -r landmarks <$S/all.fas | fa-view -c | grep -q 'FRAME=1 FACES=0 LANDMARKS=1 CROP=0 AUS=0 END=1' || return 1
    fa-view --cut -r landmarks $S/all.fas | fa-view -r frame | grep -q 'format=none' || return 1
    fa-view --cut -z 3 $S/pixels.fas >"$TMP/z.zst" && [ "$(head -c 4 "$TMP/z.zst" | od -An -tx1 | tr -d ' ')" = 28b52ffd ] || return 1
    fa-view -k "$TMP/z.zst"
}
a_cut_of_a_broken_stream_says_so() {
    head -c 900 $S/all.fas >"$TMP/cut.fas"
    want_rc 1 fa-view --cut -o "$TMP/p.fas" "$TMP/cut.fas" || return 1
    [ ! -e "$TMP/p.fas" ] && [ -e "$TMP/p.fas.partial" ] || return 1
    want_rc 1 fa-view -c "$TMP/p.fas.partial" && want_err 'ended with status 1 by fa-view: .*cut.fas: clip 0' && grep -q 'status=1 CLIP=1 FRAME=1' "$TMP/out"
}
json_lines_lose_nothing() {
    fa-view -j --pixels $S/all.fas >"$TMP/j" || return 1
    python3 - "$TMP/j" $S/all.fas <<'END'
import base64, json, struct, sys
records = [json.loads(line) for line in open(sys.argv[1])]
raw, at, seen = open(sys.argv[2], 'rb').read(), 0, 0
for r in records:
    kind, n = struct.unpack_from('<H', raw, at + 4)[0], struct.unpack_from('<Q', raw, at + 16)[0]
    p = raw[at + 64:at + 64 + n]
    at += 64 + (n + 63) // 64 * 64
    assert r['bytes'] == n
    floats = lambda v: struct.pack('<%df' % len(v), *v)
    if r['type'] == 'LANDMARKS':
        assert floats(r['local'] + r['xy'] + r['xyz'] + r['eye_xy'] + r['eye_xyz']) == p[128:]
        assert floats([r['certainty'], r['likelihood']] + r['global'] + r['pose'] + r['gaze_0'] + r['gaze_1'] + r['gaze_angle']) == p[24:112]
        seen += 1
    if r['type'] == 'FRAME':
        assert base64.b64decode(r['px']) == p[64:64 + 48] and struct.pack('<d', r['t']) == p[16:24]
        seen += 1
    if r['type'] == 'FACES':
        assert floats([x for b in r['box'] for x in b]) == p[16:]
        seen += 1
    if r['type'] == 'AUS':
        v = list(r['r'].values()) + list(r['c'].values()) + list(r['distance'].values())
        assert struct.pack('<%dd' % len(v), *v) == p[16 + 8 * 3:] and list(r['r']) == ['AU01', 'AU12']
        seen += 1
    if r['type'] == 'CROP':
        assert base64.b64decode(r['px']) == p[192:] and floats(r['warp'] + r['global']) == p[16:64]
        seen += 1
assert at == len(raw) and seen == 5, (at, seen)
END
}
pixels_stay_out_of_json_unless_asked() {
    ! fa-view -j $S/pixels.fas | grep -q '"px"' && fa-view -j --pixels $S/pixels.fas | grep -q '"px"'
}
zstd_of_others_and_several_frames_are_read() {
    zstd -q -c $S/all.fas >"$TMP/a.zst" && fa-view $S/all.fas >"$TMP/a" && fa-view "$TMP/a.zst" >"$TMP/b" && same "$TMP/a" "$TMP/b" || return 1
    for n in 500 1000; do
        { head -c $n $S/all.fas | zstd -q -c; tail -c +$((n + 1)) $S/all.fas | zstd -q -19 -c; } >"$TMP/two.zst"
        fa-view <"$TMP/two.zst" >"$TMP/b" && same "$TMP/a" "$TMP/b" || return 1
    done
    fa-view --cut -z 5 $S/all.fas | zstd -q -dc | fa-view -k
}
a_full_disk_is_exit_3() {
    for how in '' -j -c --cut '--cut -z 3'; do
        fa-view $how $S/all.fas >/dev/full 2>"$TMP/err"; [ $? -eq 3 ] || { echo "exit of '$how'"; return 1; }
        want_err 'No space left' || return 1
        [ "$(wc -l <"$TMP/err")" -eq 1 ] || { cat "$TMP/err"; return 1; }
    done
}
a_closed_pipe_ends_silently() {
    exec 3> >(exit 0); wait $!   # the reader is gone before fa-view starts to write
    for how in '' -j -c --cut '--cut -z 1'; do
        fa-view $how $S/all.fas >&3 2>"$TMP/err"; [ $? -eq 3 ] || { echo "exit of '$how'"; return 1; }
        [ ! -s "$TMP/err" ] || { cat "$TMP/err"; return 1; }
    done
}
a_terminal_is_refused() {
    script -qec "fa-view --cut $PWD/$S/all.fas" /dev/null >"$TMP/err" </dev/null; [ $? -eq 2 ] && want_err 'is a terminal' || return 1
    script -qec "fa-view" /dev/null >"$TMP/err" </dev/null; [ $? -eq 2 ] && want_err 'standard input: a terminal'
}
wrong_use_is_exit_2() {
    for a in '-f 0' '-f 5-2' '-f x' '-f -' '-f 1-2-3' '-r nose' '-z 20 --cut' '-z 3' '-j -c' '-j --cut' '--cut -k' '--pixels' '--cut a b' '-x' '--nonsense'; do
        want_rc 2 fa-view $a && want_err "try 'fa-view -h'" || return 1
    done
    want_rc 0 fa-view -h && grep -q '^usage: fa-view' "$TMP/out" && want_rc 0 fa-view --version && grep -q '^fa-view [0-9]' "$TMP/out"
}
every_option_is_in_the_page() {
    fa-view -h | grep -oE '^  -{1,2}[a-z]+' | sed 's/^  -*//' >"$TMP/opts"
    [ "$(wc -l <"$TMP/opts")" -ge 11 ] || return 1
    while read -r o; do
        case $o in ?) grep -qE "^\.It Fl $o|, $o|Fl $o" man/fa-view.1 ;; *) grep -qE "^\.It .*Fl -$o" man/fa-view.1 ;; esac || { echo "-$o is not in the page"; return 1; }
    done <"$TMP/opts"
}
pages_are_clean() {
    ! mandoc -Tlint man/fa-stream.5 man/fa-view.1 2>&1 | grep -vE 'referenced manual not found|outdated mandoc.db'
}

t the_reader_in_the_manual_agrees_with_fa_view
t good_streams_check_silently
t damage_is_named_with_input_clip_and_frame
t all_inputs_are_looked_at_after_a_bad_one
t a_failed_or_missing_end_is_exit_1
t a_lost_frame_is_noticed
t counts_are_right
t sizes_add_up_to_the_file
t unknown_types_are_shown_counted_and_kept
t frames_and_types_are_chosen
t a_cut_is_a_whole_stream_again
t a_cut_of_a_broken_stream_says_so
if have python3; then t json_lines_lose_nothing; else skip json_lines_lose_nothing "no python3"; fi
t pixels_stay_out_of_json_unless_asked
if have zstd; then t zstd_of_others_and_several_frames_are_read; else skip zstd_of_others_and_several_frames_are_read "no zstd"; fi
if [ -e /dev/full ]; then t a_full_disk_is_exit_3; else skip a_full_disk_is_exit_3 "no /dev/full"; fi
t a_closed_pipe_ends_silently
if have script; then t a_terminal_is_refused; else skip a_terminal_is_refused "no script(1)"; fi
t wrong_use_is_exit_2
t every_option_is_in_the_page
if have mandoc; then t pages_are_clean; else skip pages_are_clean "no mandoc"; fi
exit $failed
