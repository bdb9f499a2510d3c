#!/usr/bin/env bash
# What a clip costs besides its frames: CPU time of fa over N clips of one second against the same clips through one pipe (programs
# started and models opened once), and against the same frames as one video (ffprobe and ffmpeg started once, too).
#   usage: tests/bench/startup.sh [N]      (default 60; the clip and models beside the project, else the starter set)
set -euo pipefail
B=${B:-build}; PATH="$PWD/$B/bin:$PATH"; cost=$PWD/$B/tests/bench/cost
. tests/cli/lib.sh
. tests/clips.sh
need_clips startup >&2 || exit 0
n=${1:-60} T=$TMP
for i in $(seq 4); do ffmpeg -nostdin -v error -ss $((i * 2)) -i "$face" -t 1 -c:v mpeg4 -q:v 2 -an "$T/part$i.avi"; done
for i in $(seq "$n"); do ln -s "part$((i % 4 + 1)).avi" "$T/c$i.avi"; echo "file '$T/part$((i % 4 + 1)).avi'"; done >"$T/concat"
ffmpeg -nostdin -v error -f concat -safe 0 -i "$T/concat" -c copy "$T/all.avi"
fa -q -o "$T/warm.csv" "$T/part1.avi"                            # packs the models once

cpu() { $cost "$T/figure" "$@" >/dev/null; cut -d' ' -f1 "$T/figure"; }           # ms, user and system, with children
whole() { fa -q -j "$1" -o "$T/out$1/" "$T"/c*.avi; }
pipe() { fa-decode "$T"/c*.avi | fa-detect | fa-landmarks | fa-aus | fa-csv --clip-column; }
export -f whole pipe; export T
each=$(cpu bash -c 'whole 1'); one=$(cpu bash -c pipe)
decode=$(cpu fa-decode "$T"/c*.avi); decode_one=$(cpu fa-decode "$T/all.avi")
start=$(date +%s%N); whole "$(nproc)" 2>/dev/null; wall=$((($(date +%s%N) - start) / 1000000))
awk -v n="$n" -v each="$each" -v one="$one" -v decode="$decode" -v decode_one="$decode_one" -v wall="$wall" -v cpus="$(nproc)" 'BEGIN {
    programs = (each - one) / n; ffmpeg = (decode - decode_one) / n; work = one - ffmpeg * n
    printf "startup_programs_and_models_per_clip %.1f ms\nstartup_ffprobe_and_ffmpeg_per_clip %.1f ms\ncompute_per_one_second_clip %.1f ms\n", programs, ffmpeg, work / n
    printf "lost_to_programs_and_models %.1f %%\nlost_to_startup_with_ffmpeg %.1f %%\nwall_of_one_second_clips_all_cpus %.1f ms\n", 100 * programs * n / each, 100 * (each - work) / each, wall / n
    printf "wall_over_cpu_time_all_cpus %.2f ratio\n", wall * cpus / each }'
