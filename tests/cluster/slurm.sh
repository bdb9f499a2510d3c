#!/usr/bin/env bash
# fa-slurm on a real Slurm of two nodes: 40 clips as an array job; with a node that dies; with scancel; each against one machine's results.
. tests/cli/lib.sh
. tests/clips.sh
need_clips cluster || exit 0
nodes=$PWD/tests/cluster/slurm-nodes D=$TMP/slurm v=$TMP/clips n=40
cut_clips $n "$v"
if ! why=$("$nodes" start "$D" 1 2>&1); then skip cluster "$why"; exit 0; fi
trap '"$nodes" stop "$D"; rm -rf "$TMP" "$FA_SHM_DIR"' EXIT
export FA_SHM_DIR=/dev/shm/fa-cluster-test.$$; mkdir "$FA_SHM_DIR"
export SLURM_CONF=$D/slurm.conf
fa -q -j 2 -o "$TMP/one/" --tree "$v" --files-from <(find "$v" -name '*.avi') || { echo "FAIL cluster: no results to compare with"; exit 1; }

within() { # SECONDS command...: it must succeed within that time
    local end=$((SECONDS + $1)); shift
    until "$@"; do [ $SECONDS -lt $end ] || { echo "not within the time: $*"; squeue; return 1; }; sleep 0.5; done
}
ended() { [ -z "$(squeue -h)" ]; }
results() { find "$1" -name '*.csv' -not -path '*/.fa-slurm/*' | wc -l; }
staged() { ls "$FA_SHM_DIR" | grep -q '^fa-model-'; }
some() { [ "$(results "$1")" -ge 3 ]; }
same_results() { # OUT: the CSVs of one machine, no other file of results than theirs
    (cd "$TMP/one" && find . -name '*.csv' | sort) >"$TMP/want"; (cd "$1" && find . -name '*.csv' | sort) | same - "$TMP/want" || return 1
    local f; while read -r f; do same "$TMP/one/$f" "$1/$f" || return 1; done <"$TMP/want"
    no_rest "$1"
}
no_rest() { local rest; rest=$(find "$1" -name '*.tmp*' -o -name '*.partial'; ls "$FA_SHM_DIR"); [ -z "$rest" ] || { echo "left: $rest"; return 1; }; }
ours() { grep -laz "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ 2>/dev/null | while read -r f; do p=${f%/environ}; tr '\0' ' ' <"$p/cmdline"; done | grep -E 'fa[ -]|ffmpeg|job.sh' | grep -v grep; }
states() { local o; for o in "$TMP"/o?; do [ ! -d "$o/.fa-slurm" ] || { fa-slurm --status "$o"; tail -n 3 "$o"/.fa-slurm/run.*/log.*; }; done; }

an_array_job_gives_every_clips_csv() {
    fa-slurm -q -c 1 --per-task 8 -o "$TMP/o1" "$v" && within 60 staged && within 180 ended && same_results "$TMP/o1" || { states; return 1; }
    fa-slurm --status "$TMP/o1" | tee "$TMP/status" | grep -q "^clips.$n: $n done, 0 running, 0 failed, 0 left" && ! ours
}
each_clip_has_a_line_in_a_job_log() {
    cat "$TMP"/o1/.fa-slurm/run.1/joblog.* | awk -F '\t' '$1 == "Seq" { next } NF != 9 || $7 != 0 || $8 != 0 { exit 1 } { n++ } END { exit n != '$n' }'
}
resume_has_nothing_to_do_when_all_is_done() { fa-slurm --resume "$TMP/o1" 2>"$TMP/err" && want_err 'nothing is left' && [ ! -e "$TMP/o1/.fa-slurm/run.2" ]; }
models_are_staged_once_and_gone_at_the_end() { ! grep -q 'not staged' "$TMP"/o1/.fa-slurm/run.1/log.* && ! ls "$FA_SHM_DIR" | grep .; }
scancel_leaves_nothing_behind_and_resume_goes_on() {
    local job; job=$(fa-slurm -q -c 1 --per-task 8 -o "$TMP/o2" "$v") && within 60 some "$TMP/o2" && scancel "$job" && within 30 ended || { states; return 1; }
    sleep 1; ! ours && no_rest "$TMP/o2" && [ "$(results "$TMP/o2")" -lt $n ] || { states; return 1; }
    ! fa-slurm --status "$TMP/o2" >"$TMP/status" && grep -qE "^clips.$n: [0-9]+ done, 0 running, 0 failed, [1-9][0-9]* left" "$TMP/status" || { cat "$TMP/status"; return 1; }
    local before; before=$(results "$TMP/o2")
    fa-slurm -q --resume "$TMP/o2" && [ "$(cat "$TMP"/o2/.fa-slurm/run.2/list.* | tr -dc '\0' | wc -c)" = $((n - before)) ] && within 180 ended && same_results "$TMP/o2" || { states; return 1; }
}
a_dead_node_costs_no_result() {
    fa-slurm -q -c 1 --per-task 8 -o "$TMP/o3" "$v" && within 60 some "$TMP/o3" && "$nodes" kill "$D" n1 && [ "$(results "$TMP/o3")" -lt $n ] && within 240 ended || { states; return 1; }
    fa-slurm -q --resume "$TMP/o3" && within 120 ended && same_results "$TMP/o3" || { states; return 1; }
}
for f in an_array_job_gives_every_clips_csv each_clip_has_a_line_in_a_job_log resume_has_nothing_to_do_when_all_is_done models_are_staged_once_and_gone_at_the_end \
    scancel_leaves_nothing_behind_and_resume_goes_on a_dead_node_costs_no_result; do t $f; done
exit $failed
