#!/usr/bin/env bash
# What running many clips at once gains and costs, on two CPUs: lines "name value unit".   usage: tests/bench/many.sh [ROUNDS]
# Rounds are interleaved and medians taken, since the machine may be busy; the load is printed before and after. -j 1 already uses more
# than one CPU, because the stages of one pipe run side by side: so the same is also run on one CPU (taskset), for what two bring.
# FA_CPUS chooses the two CPUs (default 0,1), FA_CLIPS the number of one-second clips (default 200), FA_PARTS what to measure;
# FA_UNDER="chrt -r 1" (root) takes the CPUs for the timed runs on a machine that others use too, FA_PAUSE=3 leaves them that many seconds
# between two runs.
set -euo pipefail
B=${B:-build}; PATH="$PWD/$B/bin:$PATH"; cost=$PWD/$B/tests/bench/cost
shared=${FA_SHARED:-../shared} rounds=${1:-5} cpus=${FA_CPUS:-0,1} clips=${FA_CLIPS:-200} parts=${FA_PARTS:-two long overlap short}
clip=$(realpath "$shared/videos/default.wmv" 2>/dev/null) || true
model=$(realpath "$shared/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt" 2>/dev/null) || true
[ -r "$clip" ] && [ -r "$model" ] || { echo "many.sh: no clip or no model here: skipped" >&2; exit 0; }
[ "$(nproc)" -ge 2 ] || { echo "many.sh: one CPU only: skipped" >&2; exit 0; }
export FA_MODELS=$model; unset N_WORKERS
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
cd "$T"
echo "load_before $(cut -d' ' -f1 /proc/loadavg) processes"
timed() { # NAME COMMAND...: appends "NAME wall cpu" (seconds; of all children) to figures
    local name=$1 t; shift
    sleep "${FA_PAUSE:-0}"
    t=$( { TIMEFORMAT='%R %U %S'; time ${FA_UNDER:-} "$@" >/dev/null 2>err; } 2>&1 ) || { echo "many.sh: $*: failed" >&2; cat err >&2; exit 1; }
    awk -v n="$name" '{ print n, $1, $2 + $3 }' <<<"$t" >>figures
}
median() { awk -v n="$1" -v c="$2" '$1 == n { print $c }' figures | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ratio() { awk -v a="$(median "$1" 2)" -v b="$(median "$2" 2)" 'BEGIN { printf "%.2f", a / b }'; }
show() { local n; for n; do echo "${n}_wall $(median $n 2) s"; echo "${n}_cpu $(median $n 3) s"; done; }
one=${cpus%%[,-]*}
fa --frames 1 "$clip" >/dev/null                       # packs the model once
: >figures

if [[ $parts == *two* ]]; then
    ffmpeg -nostdin -v error -i "$clip" -frames:v 150 -c:v copy -an a.wmv; cp a.wmv b.wmv
    for _ in $(seq $rounds); do
        timed two_clips_j1_one_cpu taskset -c $one fa -j 1 -o o/ a.wmv b.wmv
        timed two_clips_j1 taskset -c $cpus fa -j 1 -o o/ a.wmv b.wmv
        timed two_clips_j2 taskset -c $cpus fa -j 2 -o o/ a.wmv b.wmv
    done
    show two_clips_j1_one_cpu two_clips_j1 two_clips_j2
    echo "two_at_once_gain $(ratio two_clips_j1 two_clips_j2) times"
    echo "two_at_once_gain_over_one_cpu $(ratio two_clips_j1_one_cpu two_clips_j2) times"
fi
if [[ $parts == *long* ]]; then
    ffmpeg -nostdin -v error -stream_loop 11 -i "$clip" -c:v mpeg4 -q:v 3 -an long.avi
    for _ in $(seq $rounds); do
        timed segments_j1_one_cpu taskset -c $one fa --segments 60s -j 1 -o s1.csv long.avi
        timed segments_j1 taskset -c $cpus fa --segments 60s -j 1 -o s1.csv long.avi
        timed segments_j2 taskset -c $cpus fa --segments 60s -j 2 -o s2.csv long.avi
        timed uncut_one_cpu taskset -c $one fa -o u.csv long.avi
        timed uncut taskset -c $cpus fa -o u.csv long.avi
    done
    cmp s1.csv s2.csv
    show segments_j1_one_cpu segments_j1 segments_j2 uncut_one_cpu uncut
    echo "segments_gain $(ratio segments_j1 segments_j2) times"
    echo "segments_gain_over_one_cpu $(ratio segments_j1_one_cpu segments_j2) times"
    echo "segments_gain_over_uncut $(ratio uncut segments_j2) times"
fi
if [[ $parts == *overlap* ]]; then
    for _ in $(seq $rounds); do
        timed pipeline_one_cpu taskset -c $one fa -o p.csv "$clip"
        timed pipeline taskset -c $cpus fa -o p.csv "$clip"
        # Each stage by itself: its CPU time, ffmpeg's and ffprobe's included.
        timed decode_alone fa-decode -o f.fas "$clip"
        timed detect_alone fa-detect -o d.fas f.fas
        timed landmarks_alone fa-landmarks -o l.fas d.fas
        timed aus_alone fa-aus -o a.fas l.fas
        timed csv_alone fa-csv -o c.csv a.fas
    done
    show pipeline_one_cpu pipeline
    sum=$(for s in decode detect landmarks aus csv; do median ${s}_alone 3; done | awk '{ s += $1 } END { print s }')
    echo "stages_cpu_sum $sum s"
    echo "pipeline_gain_over_one_cpu $(ratio pipeline_one_cpu pipeline) times"
    echo "pipeline_overlap $(awk -v a="$sum" -v b="$(median pipeline 2)" 'BEGIN { printf "%.2f", a / b }') times"
fi
if [[ $parts == *short* ]]; then
    mkdir in
    for i in $(seq -w $clips); do ffmpeg -nostdin -v error -ss $((10#$i % 18)) -i "$clip" -t 1 -c:v mpeg4 -q:v 3 -an -metadata title=$i in/$i.avi; done
    # What the same frames cost where every program starts once and reads all clips in one stream: the rest is start-up. ffprobe and ffmpeg
    # start once a clip in both. Outputs in memory too, where no disk makes fsync wait.
    mem=$(mktemp -d /dev/shm/fa-many.XXXXXX); trap 'rm -rf "$T" "$mem"' EXIT
    for _ in $(seq $(((rounds + 1) / 2))); do
        rm -rf o; timed short_j2 taskset -c $cpus fa -j 2 -o o/ in/*.avi
        rm -rf o; timed short_j3 taskset -c $cpus fa -j 3 -o o/ in/*.avi
        rm -rf "$mem/o"; timed short_j2_in_memory taskset -c $cpus fa -j 2 -o "$mem/o/" in/*.avi
        rm -rf o; timed short_one_stream bash -c 'fa-decode -S in/*.avi | fa-detect | fa-landmarks | fa-aus | fa-csv --provenance -o o/'
        timed short_kept fa --resume -o "$mem/o/" in/*.avi
    done
    show short_j2 short_j3 short_j2_in_memory short_one_stream
    for s in short_j2 short_j3 short_j2_in_memory; do
        awk -v n=$s -v w="$(median $s 2)" -v c="$(median $s 3)" 'BEGIN { printf "%s_wall_lost %.1f %%\n", n, 100 * (1 - c / (2 * w)) }'
    done
    awk -v c="$(median short_j2_in_memory 3)" -v s="$(median short_one_stream 3)" -v k="$(median short_kept 2)" -v n=$clips 'BEGIN {
        printf "short_start_up_per_clip %.1f ms\nshort_cpu_lost_to_start_up %.1f %%\nshort_clip_kept_by_resume %.2f ms\n", 1000 * (c - s) / n, 100 * (1 - s / c), 1000 * k / n }'
fi
echo "load_after $(cut -d' ' -f1 /proc/loadavg) processes"
