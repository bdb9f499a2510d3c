#!/usr/bin/env bash
# fa over many clips: any number at a time gives the bytes of one by one; bad clips among good; lists, names, folders, signals, the
# job log. What --resume keeps and does again is in resume.sh.
. tests/cli/lib.sh
model=$FA_SHARED/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt
clip=$FA_SHARED/videos/default.wmv
if [ ! -r "$model" ] || [ ! -r "$clip" ]; then skip many "no models or clips beside the project"; exit 0; fi
export FA_MODELS; FA_MODELS=$(realpath "$model"); clip=$(realpath "$clip")
unset N_WORKERS
mkdir "$TMP/w" && cd "$TMP/w" || exit 1
mkdir in sub one
for i in 1 2 3 4 5; do
    ffmpeg -nostdin -v error -ss $i -i "$clip" -frames:v 5 -c:v ffv1 -an "in/c$i.avi" || exit 1
    fa -o one/ "in/c$i.avi" || exit 1
done
same_as_one_by_one() { local i; for i in 1 2 3 4 5; do same "one/c$i.csv" "$1/c$i.csv" || return 1; done; }
nothing_temporary() { ! find "$1" -name '*.tmp*' -o -name '*.partial' | grep .; }

any_number_at_a_time_gives_the_same_bytes() {
    local j
    for j in 1 2 5; do fa -j $j -o "j$j/" in/*.avi && same_as_one_by_one "j$j" && nothing_temporary "j$j" || return 1; done
    N_WORKERS=2 fa -o env/ in/*.avi && same_as_one_by_one env && fa -j 0 -o zero/ in/*.avi && same_as_one_by_one zero
}
several_run_at_once() {
    fa -j 3 -o par/ --joblog par.log in/*.avi || return 1
    awk -F'\t' 'NR > 1 { printf "%.3f 1\n%.3f -1\n", $3, $3 + $4 - 0.01 }' par.log | sort -n |
        awk '{ n += $2; if (n > m) m = n } END { exit !(m == 3) }' || { cat par.log; return 1; }
}
bad_clips_harm_no_other_and_are_listed_at_the_end() {
    printf 'no\n' >bad.mp4; mkdir -p empty
    want_rc 1 fa -j 2 -o bad/ in/c1.avi bad.mp4 in/c2.avi missing.mp4 empty in/c3.avi in/c4.avi in/c5.avi && same_as_one_by_one bad && nothing_temporary bad || return 1
    [ ! -e bad/bad.csv ] && tail -4 "$TMP/err" >last && grep -q '^fa: 3 of 8 clips failed:$' last && grep -q '^fa:   bad.mp4 (status 1): fa-decode: bad.mp4: ' last &&
        grep -q '^fa:   missing.mp4 (status 1): fa-decode: missing.mp4: ' last && grep -q '^fa:   empty (status 1): ' last
}
fail_fast_begins_no_more() {
    printf 'no\n' >bad.mp4
    want_rc 1 fa --fail-fast -o ff/ bad.mp4 in/*.avi && [ ! -e ff/c1.csv ] && want_err '5 clips not done'
}
wrong_use_of_a_stage_is_told_once() { want_rc 2 fa --precision 99 -o use/ in/*.avi && [ "$(grep -c precision "$TMP/err")" = 2 ] && [ ! -e use/c2.json ]; }
lists_of_lines_and_of_nuls_work() {
    printf '%s\n' in/c1.avi '' in/c2.avi in/c3.avi >list && fa --files-from list -o list1/ in/c4.avi in/c5.avi && same_as_one_by_one list1 || return 1
    cp in/c1.avi $'new\nline.avi'; cp in/c2.avi 'with  blank.avi'
    find . -maxdepth 1 -name '*.avi' -print0 | fa -0 --files-from - -o list0/ && same one/c1.csv $'list0/new\nline.csv' && same one/c2.csv 'list0/with  blank.csv' || return 1
    want_rc 1 fa --files-from none -o x/ && want_err none && : >nothing && want_rc 1 fa --files-from nothing -o x/ && want_err 'no clip in the list' &&
        want_rc 2 fa -0 -o x/ in/c1.avi && printf 'a\0b' >nuls && want_rc 1 fa --files-from nuls -o x/ && want_err 'give -0'
}
clips_of_one_name_are_refused_or_kept_apart() {
    mkdir -p a/x a/y; cp in/c1.avi a/x/c.avi; cp in/c2.avi a/y/c.avi
    want_rc 2 fa -o twin/ a/x/c.avi a/y/c.avi && want_err "a/x/c.avi' and 'a/y/c.avi' would both write twin/c.csv" && [ ! -e twin ] || return 1
    fa -j 2 --tree a -o tree/ --hog hog/ a/x/c.avi a/y/c.avi && same one/c1.csv tree/x/c.csv && same one/c2.csv tree/y/c.csv && [ -s hog/x/c.hog ] && [ -s tree/y/c.json ] || return 1
    want_rc 2 fa --tree a -o tree/ in/c1.avi && want_err 'not below a' && want_rc 2 fa --tree nowhere -o tree/ in/c1.avi && want_rc 2 fa --tree a in/c1.avi
}
an_output_that_cannot_be_written_is_this_machines_fault() {
    : >file; want_rc 3 fa -o file/ in/c1.avi && want_rc 3 fa -o /proc/nowhere/ in/c1.avi && want_err nowhere
}
a_full_file_system_is_this_machines_fault_and_leaves_nothing_final() {
    command -v unshare >/dev/null && unshare -rm true 2>/dev/null || { echo no; return 0; }
    unshare -rm bash -c 'mkdir -p full && mount -t tmpfs -o size=16k none full && fa -j 2 -o full/ in/c1.avi in/c2.avi; echo $? >full.rc; ls full >full.ls' 2>"$TMP/err"
    [ "$(cat full.rc)" = 3 ] && want_err 'No space left' && ! grep -q 'csv$' full.ls
}
the_job_log_is_gnu_parallels() {
    printf 'no\n' >bad.mp4
    want_rc 1 fa -j 2 --joblog log -o log.d/ in/c1.avi bad.mp4 $'new\nline.avi' && fa --joblog log -o log.d/ in/c2.avi || return 1
    [ "$(head -1 log)" = "$(printf 'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand')" ] && [ "$(wc -l <log)" = 5 ] || return 1
    awk -F'\t' 'NR > 1 && (NF != 9 || $3 < 1e9 || $4 <= 0) { exit 1 }' log && awk -F'\t' '$1 == 2' log | grep -q "$(printf '\t1\t0\t')fa -o log.d/ -- bad.mp4  # 0 frames; fa-decode: bad.mp4" &&
        [ "$(awk -F'\t' '$1 == 3 { print $6 }' log)" = "$(stat -c %s $'log.d/new\nline.csv')" ] || return 1
    rm -r log.d; bash -c "$(awk -F'\t' '$1 == 3 { print $9 }' log)" && same one/c1.csv $'log.d/new\nline.csv'
}
gnu_parallel_retries_from_the_job_log() {
    command -v parallel >/dev/null || return 0
    printf 'no\n' >again.avi; want_rc 1 fa -j 2 --joblog retry -o retry.d/ in/c1.avi again.avi && cp in/c2.avi again.avi && touch stamp && sleep 0.01 &&
        parallel --will-cite --retry-failed --joblog retry && same one/c2.csv retry.d/again.csv && [ ! retry.d/c1.csv -nt stamp ]
}
signals_end_all_and_leave_no_partial_file() { # INT and TERM: dropped at once
    local s rc kids
    for s in INT TERM; do
        fa -j 2 -o "sig$s/" "$clip" in/c1.avi in/c2.avi in/c3.avi 2>"$TMP/err" & local pid=$!
        sleep 0.5; kids=$(children $pid); kill -$s $pid; wait $pid; rc=$?
        [ $rc = $((128 + $(kill -l $s))) ] && [ ! -e "sig$s/default.csv" ] && nothing_temporary "sig$s" && gone $kids || { echo "$s: $rc"; cat "$TMP/err"; ls "sig$s"; return 1; }
    done
}
grace_lets_a_running_clip_finish() {
    fa --grace 60 -o grace/ in/c1.avi in/c2.avi in/c3.avi in/c4.avi in/c5.avi 2>"$TMP/err" & local pid=$!
    for _ in $(seq 100); do [ -e grace/c1.csv ] && break; sleep 0.05; done
    kill -TERM $pid; wait $pid; [ $? = 143 ] && same one/c2.csv grace/c2.csv && [ ! -e grace/c5.csv ] && nothing_temporary grace && want_err 'clips not done'
}
a_deadline_leaves_the_rest() {
    want_rc 3 fa --deadline 0.001 -o late/ in/*.avi && want_err '[45] clips left at the deadline' && nothing_temporary late
}
killing_fa_ends_its_stages() {
    fa -o kill9/ "$clip" & local pid=$! kids=
    for _ in $(seq 100); do kids=$(children $pid); [ "$(wc -w <<<"$kids")" = 5 ] && break; sleep 0.02; done
    sleep 0.2; { kill -9 $pid; wait $pid; } 2>/dev/null
    gone $kids && [ ! -e kill9/default.csv ] && [ ! -e kill9/default.json ]
}
the_predecessors_environment_is_heeded() {
    want_rc 2 env N_WORKERS=x fa -o env2/ in/c1.avi && want_err N_WORKERS && want_rc 2 env CONVERGENCE_PROFILE=quick fa -o env2/ in/c1.avi && want_err CONVERGENCE_PROFILE &&
        want_rc 2 fa --profile quick -o env2/ in/c1.avi && [ ! -e env2 ] && CONVERGENCE_PROFILE=quick USE_NUMA=0 USE_SHARED_MEMORY=0 fa --profile fast -o env2/ in/c1.avi && same one/c1.csv env2/c1.csv
}
placement_does_not_change_a_byte() {
    local first; first=$(taskset -cp $$ | sed 's/.*: //; s/[,-].*//')
    fa -j 2 --cpus "$first" -o cpus/ in/*.avi && same_as_one_by_one cpus && fa --node 0 -o node/ in/*.avi && same_as_one_by_one node && taskset -c "$first" fa -j 0 -o mask/ in/*.avi && same_as_one_by_one mask &&
        want_rc 2 fa --cpus 4000 in/c1.avi && want_rc 2 taskset -c "$first" fa --cpus 0-4000 in/c1.avi && want_rc 2 fa --node 63 in/c1.avi
}
standard_input_is_a_clip() { fa - <in/c1.avi >stdin.csv && same one/c1.csv stdin.csv; }
quiet_without_a_terminal() { fa -j 2 -o quiet/ in/*.avi 2>err2 && [ ! -s err2 ]; }
a_terminal_sees_one_line_of_progress() {
    command -v script >/dev/null || return 0
    script -qec "fa -j 2 -o tty/ in/c1.avi in/c2.avi in/c3.avi in/c4.avi in/c5.avi" /dev/null </dev/null >tty.txt && [ "$(wc -l <tty.txt)" = 0 ] && tr '\r' '\n' <tty.txt | grep -qE '[0-9] done, 0 failed of 5 clips  [0-9.]+ fps'
}
for f in any_number_at_a_time_gives_the_same_bytes several_run_at_once bad_clips_harm_no_other_and_are_listed_at_the_end fail_fast_begins_no_more \
    wrong_use_of_a_stage_is_told_once lists_of_lines_and_of_nuls_work clips_of_one_name_are_refused_or_kept_apart \
    an_output_that_cannot_be_written_is_this_machines_fault a_full_file_system_is_this_machines_fault_and_leaves_nothing_final \
    the_job_log_is_gnu_parallels gnu_parallel_retries_from_the_job_log signals_end_all_and_leave_no_partial_file grace_lets_a_running_clip_finish a_deadline_leaves_the_rest \
    killing_fa_ends_its_stages the_predecessors_environment_is_heeded placement_does_not_change_a_byte standard_input_is_a_clip quiet_without_a_terminal a_terminal_sees_one_line_of_progress; do t $f; done
exit $failed
