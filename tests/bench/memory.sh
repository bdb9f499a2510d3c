#!/usr/bin/env bash
# Peak memory of each program over a clip of 10,000 frames (a short clip looped), and over its first 1,000: flat means equal.
set -euo pipefail
B=${B:-build}; PATH="$PWD/$B/bin:$PATH"; cost=$PWD/$B/tests/bench/cost
shared=${FA_SHARED:-../shared}
clip=$shared/videos/default.wmv
model=$shared/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt
[ -r "$clip" ] && [ -r "$model" ] || { echo "memory.sh: no clip or no model here: skipped" >&2; exit 0; }
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
ffmpeg -nostdin -v error -stream_loop -1 -i "$clip" -frames:v 10000 -c:v mpeg4 -q:v 4 -an "$T/long.avi"
for n in 1000 10000; do
    $cost "$T/1" fa-decode --frames $n "$T/long.avi" | $cost "$T/2" fa-detect --model "$model" | $cost "$T/3" fa-landmarks --model "$model" |
        $cost "$T/4" fa-aus --model "$model" | $cost "$T/5" fa-csv >"$T/out.csv"
    i=0
    for p in fa-decode fa-detect fa-landmarks fa-aus fa-csv; do
        i=$((i + 1)); echo "${p}_peak_${n}_frames $(awk '{ printf "%.1f", $2 / 1024 }' "$T/$i") MiB"
    done
done
