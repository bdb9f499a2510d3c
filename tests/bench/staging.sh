#!/usr/bin/env bash
# What a worker costs when the models are staged: time to attach, and the memory of 32 workers that are alive in the middle of a clip of
# 640x480, each stage by itself (MB = 10^6 bytes). "image" is the models' memory: what all 32 have of it together (sum of Pss) is one copy.
set -euo pipefail
B=${B:-build}; B=$(realpath "$B"); PATH="$B/bin:$PATH"
shared=${FA_SHARED:-../shared} n=${WORKERS:-32}
clip=$shared/videos/default.wmv
model=$shared/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt
[ -r "$clip" ] && [ -r "$model" ] || { echo "staging.sh: no clip or no model here: skipped" >&2; exit 0; }
FA_SHM_DIR=$(mktemp -d /dev/shm/fa-bench.XXXXXX) || { echo "staging.sh: /dev/shm cannot be written: skipped" >&2; exit 0; }
T=$(mktemp -d); started=""
trap 'kill $started 2>/dev/null || true; rm -rf "$T" "$FA_SHM_DIR"' EXIT
export FA_SHM_DIR FA_MODELS; FA_MODELS=$(realpath "$model")
fa-decode --frames 60 -o "$T/fa-detect" "$clip"
fa-detect -o "$T/fa-landmarks" "$T/fa-detect"; fa-landmarks -o "$T/fa-aus" "$T/fa-landmarks"; fa-aus -o "$T/fa-csv" "$T/fa-aus"
"$B/tests/bench/attach"
shmload -N >"$T/images"
"$B/tests/bench/attach"
size=$(stat -c %s "$(head -1 "$T/images")")
printf '%-14s%18s%18s%18s\n' "$n x" private_MB_each image_MB_sum "of_MB"
# NAME PID...: a row of the table, the largest private memory and the sum of the shared image's
row() {
    local name=$1; shift
    for p in "$@"; do
        awk -v dir="$FA_SHM_DIR" '/^[0-9a-f]+-[0-9a-f]+ /{ image = index($0, dir) } /^Pss:/ && image { pss += $2 } /^Private_(Clean|Dirty):/ && !image { own += $2 }
            END { print own * 1.024e-3, pss * 1.024e-3 }' "/proc/$p/smaps"
    done | awk -v s="$name" -v size="$size" '{ own = $1 > own ? $1 : own; pss += $2 } END { printf "%-14s%18.1f%18.1f%18.1f\n", s, own, pss, size / 1e6 }'
}
# Returns when none of the processes has used the CPU for a second.
settle() {
    local p a b
    while :; do
        a=$(for p in "$@"; do cut -d' ' -f14,15 "/proc/$p/stat"; done); sleep 1
        b=$(for p in "$@"; do cut -d' ' -f14,15 "/proc/$p/stat"; done); [ "$a" != "$b" ] || return 0
    done
}
for s in fa-detect fa-landmarks fa-aus fa-csv; do
    pids=""
    for i in $(seq "$n"); do           # fed by a pipe that stays open: done with 60 frames, waiting for more
        mkfifo "$T/$s.$i"
        "$s" <"$T/$s.$i" >/dev/null 2>&1 & pids="$pids $!"
        { cat "$T/$s"; exec sleep 600; } >"$T/$s.$i" 2>/dev/null & started="$started $!"
    done
    settle $pids; row $s $pids
    kill $pids $started 2>/dev/null || true; wait $pids 2>/dev/null || true; started=""
done
mkfifo "$T/out"                        # nobody reads: full pipe, waiting
sleep 600 <"$T/out" & started=$!
fa-decode "$clip" >"$T/out" 2>/dev/null & p=$!; started="$started $p"
settle $p; row fa-decode $p; row "its ffmpeg" $(cat /proc/$p/task/$p/children)
