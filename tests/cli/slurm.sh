#!/usr/bin/env bash
# fa-slurm without a Slurm: what it finds, deals out, writes and says, with programs that stand for sbatch and squeue; tasks are run by hand.
. tests/cli/lib.sh
. tests/clips.sh
need_clips slurm || exit 0
run=$FA_BIN/fa-slurm
mkdir -p "$TMP/fake" "$TMP/tmp"; export TMPDIR=$TMP/tmp
# sbatch notes its words, a line each; squeue says what a test put into $TMP/queue.
printf '#!/bin/sh\nprintf "%%s\\n" "$@" >"%s/sbatch"\necho 42\n' "$TMP" >"$TMP/fake/sbatch"
printf '#!/bin/sh\ncat "%s/queue" 2>/dev/null; :\n' "$TMP" >"$TMP/fake/squeue"
printf '#!/bin/sh\necho "MaxArraySize            = 5"\n' >"$TMP/fake/scontrol"
chmod +x "$TMP"/fake/*; PATH=$TMP/fake:$PATH

lav() { ffmpeg -nostdin -v error -y -f lavfi -i "testsrc2=s=64x48:r=5:d=$1" -c:v mpeg4 "$2" || exit 1; }
v=$TMP/videos; nl=$v/b/$'new\nline.mp4'
mkdir -p "$v/a" "$v/b" "$v/.hidden" "$TMP/empty/sub"
for i in 1 2 3 4 5 6 7 8; do lav $i "$v/a/c$i.avi"; done
cp "$v/a/c1.avi" "$v/b/c1.avi"; cp "$v/a/c2.avi" "$nl"; cp "$v/a/c2.avi" "$v/b/with blank  'quote.avi"; cp "$v/a/c3.avi" "$v/b/no ending"; cp "$v/a/c1.avi" "$v/.hidden/x.avi"
ffmpeg -nostdin -v error -y -i "$v/a/c1.avi" -frames:v 1 "$v/b/picture.png"; echo words >"$v/readme.txt"; echo words >"$TMP/empty/sub/x.txt"
n=12
listed() { cat "$1"/.fa-slurm/run.${2:-1}/list.* | tr '\n\0' '?\n' | sort; }
tasks() { cat "$1/.fa-slurm/run.${2:-1}/tasks"; }

dry_run_prints_a_script_and_writes_nothing() {
    rm -f "$TMP/sbatch"
    want_rc 0 "$run" -n -o "$TMP/dry/out" "$v" && [ ! -e "$TMP/dry" ] && [ ! -e "$TMP/sbatch" ] && sh -n "$TMP/out" && want_err "$n clips" || return 1
    grep -q '^#SBATCH --array=1-1$' "$TMP/out" && grep -q 'signal=B:TERM@60' "$TMP/out" && grep -q '^#SBATCH --requeue' "$TMP/out" || return 1
    ! command -v shellcheck >/dev/null || shellcheck -s sh "$TMP/out"
    [ -z "$(ls "$TMPDIR")" ] || { echo "left in TMPDIR: $(ls "$TMPDIR")"; return 1; }
}
videos_are_found_by_what_they_are() {
    want_rc 0 "$run" -o "$TMP/o1" "$v" && [ "$(cat "$TMP/out")" = 42 ] &&
    { for i in 1 2 3 4 5 6 7 8; do echo "$v/a/c$i.avi"; done; printf '%s\n' "$v/b/c1.avi" "$v/b/new?line.mp4" "$v/b/no ending" "$v/b/with blank  'quote.avi"; } | sort | same - <(listed "$TMP/o1")
}
the_job_gets_its_script_its_tasks_and_its_number() {
    same "$TMP/sbatch" <(printf '%s\n' --parsable --array=1-1 "--output=$TMP/o1/.fa-slurm/run.1/log.%a" "$TMP/o1/.fa-slurm/job.sh" 1) && [ "$(cat "$TMP/o1/.fa-slurm/run.1/job")" = 42 ]
}
options_reach_slurm_and_the_script() {
    want_rc 0 "$run" -n -o "$TMP/x y" -c 3 --mem=7G --time 1:00:00 -pfast -A "our lab" --keep --fa "-aus --precision 3" "$v" -- --qos=high --comment "it's" || return 1
    local w; for w in "--cpus-per-task=3 --mem=7G --time=1:00:00" "--partition='fast'" "--account='our lab'" "'--qos=high' '--comment' 'it'\\\\''s'" "output='$TMP/x y/.fa-slurm"; do
        grep -q "^#SBATCH .*$w" "$TMP/out" || { echo "no $w"; return 1; }
    done
    grep -q '^keep=1' "$TMP/out" && grep -q '^set -- .*-aus --precision 3 *# options' "$TMP/out"
}
tasks_get_even_loads_and_the_longest_clip_first() {
    want_rc 0 "$run" -o "$TMP/o2" --per-task 4 "$v/a" && [ "$(tasks "$TMP/o2")" = 2 ] || return 1
    local t; for t in 1 2; do      # 1 + .. + 8 seconds
        tr '\0' '\n' <"$TMP/o2/.fa-slurm/run.1/list.$t" | sed 's/.*c\(.\).avi/\1/' | awk '{ sum += $1; if (NR > 1 && $1 > last) exit 1; last = $1 } END { exit sum != 18 }' || { echo "task $t"; return 1; }
    done
}
an_array_is_no_larger_than_slurm_allows() { want_rc 0 "$run" -o "$TMP/o3" --per-task 1 "$v" && [ "$(tasks "$TMP/o3")" = 4 ] && [ "$(listed "$TMP/o3" | wc -l)" = $n ]; }
lists_are_cut_by_newlines_or_nuls() {
    (cd "$v" && printf 'a/c1.avi\n\n./b/c1.avi\n' >"$TMP/lines" && printf 'a/c1.avi\0%s\0' "$nl" >"$TMP/nuls" &&
    want_rc 0 "$run" -o "$TMP/o4" --files-from "$TMP/lines" && printf '%s\n' "$v/a/c1.avi" "$v/b/c1.avi" | same - <(listed "$TMP/o4") &&
    "$run" -q -o "$TMP/o5" --files-from - <"$TMP/nuls" >/dev/null && printf '%s\n' "$v/a/c1.avi" "$v/b/new?line.mp4" | same - <(listed "$TMP/o5"))
}
clips_of_one_name_in_different_folders_keep_their_folders() {
    tr '\n\0' '?\n' <"$TMP/o4/.fa-slurm/clips" | cut -f2 | sort | paste -sd' ' | grep -qx 'a/c1 b/c1' && grep -qx "tree='$v' .*" "$TMP/o4/.fa-slurm/job.sh"
}
clips_that_would_write_one_file_are_refused() {
    mkdir -p "$TMP/twins"; cp "$v/a/c1.avi" "$TMP/twins/x.avi"; cp "$v/a/c1.avi" "$TMP/twins/x.mp4"
    want_rc 2 "$run" -o "$TMP/o6" "$TMP/twins" && want_err 'x.avi and .*x.mp4 would both write x.csv' && [ ! -e "$TMP/o6" ] && want_rc 0 "$run" -n -o "$TMP/o6" "$v/a/c1.avi" "$v/a/../a/c1.avi" && want_err '1 clips'
}
a_folder_without_videos_is_bad_input() { want_rc 1 "$run" -o "$TMP/o7" "$TMP/empty" && want_err 'no video found' && [ ! -e "$TMP/o7" ]; }
unreadable_files_are_named_and_tried_with_the_others() {
    mkdir -p "$TMP/mixed"; cp "$v/a/c1.avi" "$TMP/mixed/good.avi"; echo no >"$TMP/mixed/bad.mp4"; ln -sf /nowhere "$TMP/mixed/gone.mov"
    want_rc 0 "$run" -o "$TMP/o8" "$TMP/mixed" && want_err 'mixed/bad.mp4: does not look like a clip' && want_err 'mixed/gone.mov' && [ "$(listed "$TMP/o8" | wc -l)" = 3 ]
}
results_that_cannot_be_written_are_this_machines_fault() { : >"$TMP/file"; want_rc 3 "$run" -o "$TMP/file/out" "$v/a" && want_err 'cannot be written'; }
a_full_disk_is_this_machines_fault() {
    mkdir "$TMP/tiny" && mount -t tmpfs -o size=4k,nr_inodes=5 none "$TMP/tiny" 2>/dev/null || return 0       # only root can make one
    rm -f "$TMP/sbatch"; want_rc 3 "$run" -o "$TMP/tiny/out" --per-task 1 "$v" && want_err 'cannot be (written|made)' && [ ! -e "$TMP/sbatch" ]; local rc=$?
    umount "$TMP/tiny"; return $rc
}
a_refusing_sbatch_is_heard_and_leaves_no_submission() {
    mkdir -p "$TMP/refuse"; printf '#!/bin/sh\necho "sbatch: error: invalid partition specified: nix" >&2; exit 1\n' >"$TMP/refuse/sbatch"; chmod +x "$TMP/refuse/sbatch"
    (PATH=$TMP/refuse:$PATH; want_rc 3 "$run" -p nix -o "$TMP/o9" "$v/a") && want_err 'invalid partition specified: nix' && want_err 'nothing was submitted' && [ ! -e "$TMP/o9/.fa-slurm/run.1" ] && want_rc 0 "$run" -o "$TMP/o9" "$v/a"
}
a_machine_without_slurm_is_told_so() {
    mkdir -p "$TMP/bare"; local p; for p in sh env sed tr cat mktemp rm dirname; do ln -sf "$(command -v $p)" "$TMP/bare/$p"; done
    (PATH=$TMP/bare; export PATH; "$run" -o "$TMP/o10" "$v" >"$TMP/out" 2>"$TMP/err"; [ $? = 3 ]) && want_err 'no Slurm on this machine'
}
another_option_set_is_noticed() {
    want_rc 1 "$run" -o "$TMP/o1" --fa --wild "$v" && want_err "made with other options .*--wild" && [ ! -e "$TMP/o1/.fa-slurm/run.2" ] && want_rc 1 "$run" -o "$TMP/o1" "$v/a" && want_err 'folders of clips below' &&
    want_rc 0 "$run" -o "$TMP/o1" "$v" && [ -e "$TMP/o1/.fa-slurm/run.2/list.1" ] && want_rc 0 "$run" --force -o "$TMP/o1" --fa --wild "$v" && grep -q '^set -- .*--wild' "$TMP/o1/.fa-slurm/job.sh"
}
missing_models_are_said_before_submitting() { rm -f "$TMP/sbatch"; want_rc 3 "$run" -o "$TMP/o11" --model /nowhere.pack "$v/a" && want_err nowhere && [ ! -e "$TMP/sbatch" ] && [ ! -e "$TMP/o11" ]; }
# Tasks by hand, as Slurm would start them; in a tmpfs of their own, so that no other test's models are in the way.
task() { # OUT RUN TASK
    SLURM_ARRAY_JOB_ID=42 SLURM_ARRAY_TASK_ID=$3 SLURM_CPUS_PER_TASK=2 sh "$1/.fa-slurm/job.sh" "$2" >>"$1/.fa-slurm/run.$2/log.$3" 2>&1
}
status() { "$run" --status "$@" >"$TMP/status" 2>"$TMP/err"; local rc=$?; cat "$TMP/status" "$TMP/err"; return $rc; }
t1=$TMP/t1; mkdir -p "$TMP/small/p" "$TMP/small/q"; for i in p/a p/b q/a; do cp "$v/a/c1.avi" "$TMP/small/$i.avi"; done; printf 'no' >"$TMP/small/q/bad.mp4"
a_task_measures_its_clips_and_status_tells() {
    want_rc 0 "$run" --per-task 2 -o "$t1" "$TMP/small" || return 1
    status "$t1" && return 1; grep -q '^clips.4: 0 done, 0 running, 0 failed, 4 left' "$TMP/status" || return 1
    task "$t1" 1 1; task "$t1" 1 2; [ -s "$t1/p/a.csv" ] && [ -s "$t1/p/b.csv" ] && [ -s "$t1/q/a.csv" ] && [ ! -e "$t1/q/bad.csv" ] && [ -z "$(ls "$FA_SHM_DIR")" ] || { cat "$t1"/.fa-slurm/run.1/log.*; return 1; }
    status "$t1" && return 1; grep -q '^clips.4: 3 done, 0 running, 1 failed, 0 left' "$TMP/status" && grep -q '^failed.*q/bad.mp4: fa-decode: .*Invalid data' "$TMP/status" && grep -q '^speed.[0-9]* frames/s' "$TMP/status"
}
the_log_of_a_task_has_parallels_columns() { awk -F '\t' 'NR > 0 && NF != 9 { exit 1 } $1 == "Seq" { next } { n++; bad += $7 } END { exit n != 4 || bad != 1 }' "$t1"/.fa-slurm/run.1/joblog.*; }
resume_submits_what_is_not_done_and_no_more() {
    want_rc 0 "$run" --resume "$t1" && [ "$(listed "$t1" 2)" = "$TMP/small/q/bad.mp4" ] && [ "$(tail -1 "$TMP/sbatch")" = 2 ] || return 1
    rm "$t1/p/b.csv"; cp "$v/a/c2.avi" "$TMP/small/q/a.avi"         # a lost result; a clip that is another now
    want_rc 0 "$run" --resume "$t1" -v --mem 9G -- --qos=low && want_err 'q/a.*has changed.*done again' && printf '%s\n' "$TMP/small/p/b.avi" "$TMP/small/q/a.avi" "$TMP/small/q/bad.mp4" | same - <(listed "$t1" 3) &&
    grep -qx -e --mem=9G "$TMP/sbatch" && grep -qx -e --qos=low "$TMP/sbatch" || return 1
    want_rc 0 "$run" --resume --quick "$t1" && [ "$(listed "$t1" 4 | wc -l)" = 2 ]
}
clips_of_tasks_in_the_queue_are_left_to_them() {
    echo '1 R n0' >"$TMP/queue"; want_rc 0 "$run" --resume "$t1" && want_err 'left to them|nothing is left'; local rc=$?; rm "$TMP/queue"; return $rc
}
resumed_tasks_finish_it_and_keep_the_rest() {
    local before after; before=$(stat -c '%i %.Z' "$t1/p/a.csv"); task "$t1" 3 1; after=$(stat -c '%i %.Z' "$t1/p/a.csv")
    [ "$before" = "$after" ] && [ -s "$t1/p/b.csv" ] && ! status "$t1" && grep -q '3 done, 0 running, 1 failed, 0 left' "$TMP/status"
}
models_that_disappear_between_tasks_are_this_machines_fault() {
    cp "$pack" "$TMP/own.pack" && want_rc 0 "$run" --per-task 1 --model "$TMP/own.pack" -o "$TMP/t2" "$TMP/small/p" && task "$TMP/t2" 1 1 && rm "$TMP/own.pack" || return 1
    task "$TMP/t2" 1 2; [ $? = 3 ] && ! status "$TMP/t2" && grep -q '1 done, 0 running, 0 failed, 1 left' "$TMP/status" && grep -q '^said.1 task.*own.pack' "$TMP/status" && [ -z "$(ls "$FA_SHM_DIR")" ]
}
near_its_time_limit_a_task_takes_no_new_clip() {
    mkdir "$TMP/cwd" "$TMP/three"; cp "$v/a/c8.avi" "$TMP/three/short.avi"     # two long ones go first, and outlast the second that is left
    ffmpeg -nostdin -v error -y -stream_loop 400 -i "$v/a/c8.avi" -c copy "$TMP/three/long.avi" && cp "$TMP/three/long.avi" "$TMP/three/long2.avi"
    want_rc 0 "$run" --per-task 3 -o "$TMP/t4" "$TMP/three" && echo 0:30 >"$TMP/queue" || return 1       # what squeue says of the time left: less than the margin
    (cd "$TMP/cwd" && task "$TMP/t4" 1 1); local rc=$?; rm "$TMP/queue"
    [ $rc = 3 ] && grep -q 'left at the deadline' "$TMP/t4/.fa-slurm/run.1/log.1" && [ -z "$(ls "$TMP/cwd")" ] || { ls "$TMP/cwd"; cat "$TMP/t4/.fa-slurm/run.1/log.1"; return 1; }
}
a_task_told_to_end_leaves_nothing_half_done() {
    mkdir "$TMP/long"; cp "$v/a/c8.avi" "$TMP/long/x.avi"; ffmpeg -nostdin -v error -y -stream_loop 200 -i "$v/a/c8.avi" -c copy "$TMP/long/y.avi"
    want_rc 0 "$run" -o "$TMP/t3" "$TMP/long" || return 1
    sed -i 's/--grace 20/--grace 0/' "$TMP/t3/.fa-slurm/job.sh"
    task "$TMP/t3" 1 1 & local pid=$! k; for k in $(seq 100); do [ -e "$TMP/t3/x.csv" ] && break; sleep 0.2; done
    kill -TERM $(children $pid); wait $pid
    [ -e "$TMP/t3/x.csv" ] && [ ! -e "$TMP/t3/y.csv" ] && [ -z "$(find "$TMP/t3" -name '*.tmp*' -o -name '*.partial')" ] && [ -z "$(ls "$FA_SHM_DIR")" ]
}
wrong_use_is_2() {
    local o
    for o in "" "-o x" "$v" "-o x --nonsense $v" "-o x --per-task 0 $v" "-o x -c many $v" "-o x --fa --nonsense $v" "-o x --tree /nowhere $v" "--status x $v" "--resume x --fa --wild" "-o"; do
        want_rc 2 "$run" $o || { echo "$o"; return 1; }
    done
    want_rc 1 "$run" --status "$TMP/empty" && want_err 'no job of fa-slurm' && want_rc 0 "$run" -h && want_rc 0 "$run" --version && grep -q '^fa-slurm [0-9]' "$TMP/out"
}
for f in dry_run_prints_a_script_and_writes_nothing videos_are_found_by_what_they_are the_job_gets_its_script_its_tasks_and_its_number options_reach_slurm_and_the_script \
    tasks_get_even_loads_and_the_longest_clip_first an_array_is_no_larger_than_slurm_allows lists_are_cut_by_newlines_or_nuls clips_of_one_name_in_different_folders_keep_their_folders \
    clips_that_would_write_one_file_are_refused a_folder_without_videos_is_bad_input unreadable_files_are_named_and_tried_with_the_others \
    results_that_cannot_be_written_are_this_machines_fault a_full_disk_is_this_machines_fault a_refusing_sbatch_is_heard_and_leaves_no_submission a_machine_without_slurm_is_told_so another_option_set_is_noticed \
    missing_models_are_said_before_submitting wrong_use_is_2; do t $f; done
# Models are staged in a tmpfs of these tests' own.
export FA_SHM_DIR=/dev/shm/fa-slurm-test.$$ pack
if mkdir "$FA_SHM_DIR" 2>/dev/null; then trap 'rm -rf "$TMP" "$FA_SHM_DIR"' EXIT; else unset FA_SHM_DIR; skip tasks 'no /dev/shm'; exit $failed; fi
pack=$(fa-models pack -o "$TMP/whole.pack" "$FA_MODELS" >/dev/null 2>&1 && echo "$TMP/whole.pack")
for f in a_task_measures_its_clips_and_status_tells the_log_of_a_task_has_parallels_columns resume_submits_what_is_not_done_and_no_more clips_of_tasks_in_the_queue_are_left_to_them \
    resumed_tasks_finish_it_and_keep_the_rest models_that_disappear_between_tasks_are_this_machines_fault near_its_time_limit_a_task_takes_no_new_clip a_task_told_to_end_leaves_nothing_half_done; do t $f; done
exit $failed
