#!/usr/bin/env bash
# CPU time of every stage on one clip after decoding, one thread, and the peak memory of each program.
#   usage: tests/bench/pipe.sh [CLIP] [MODEL]        (default: default.wmv and the CLNF set beside the project)
# A tracked frame's cost is (whole clip - first frame alone) / (frames - 1); five rounds, the median. Each round runs every stage
# on the same saved stream, so that the stages' figures belong together.
set -euo pipefail
B=${B:-build}; PATH="$PWD/$B/bin:$PATH"; cost=$B/tests/bench/cost
shared=${FA_SHARED:-../shared}
clip=${1:-$shared/videos/default.wmv}
model=${2:-$shared/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt}
[ -r "$clip" ] && [ -r "$model" ] || { echo "pipe.sh: no clip or no model here: skipped" >&2; exit 0; }
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
fa-decode "$clip" >"$T/all.fas"
fa-decode --frames 1 "$clip" >"$T/one.fas"
n=$(fa-view -c "$T/all.fas" | sed 's/.* FRAME=\([0-9]*\).*/\1/')
fa-landmarks --model "$model" "$T/one.fas" >/dev/null            # packs the model once
chain() { # all|one: runs the stages one after the other; appends "stage cpu peak" lines to $T/figures
    local f=$T/$1.fas
    $cost "$T/c" fa-detect --model "$model" "$f" >"$T/det.fas";       echo "$1 fa-detect $(cut -d' ' -f1,2 "$T/c")" >>"$T/figures"
    $cost "$T/c" fa-landmarks --model "$model" "$T/det.fas" >"$T/lm.fas"; echo "$1 fa-landmarks $(cut -d' ' -f1,2 "$T/c")" >>"$T/figures"
    $cost "$T/c" fa-aus --model "$model" "$T/lm.fas" >"$T/au.fas";    echo "$1 fa-aus $(cut -d' ' -f1,2 "$T/c")" >>"$T/figures"
    $cost "$T/c" fa-csv "$T/au.fas" >"$T/out.csv";                    echo "$1 fa-csv $(cut -d' ' -f1,2 "$T/c")" >>"$T/figures"
}
for round in 1 2 3 4 5; do chain one; chain all; done
awk -v n="$n" '
    function median(key,   k, i, j, v, t) { k = count[key]; for (i = 1; i <= k; i++) v[i] = val[key, i]
        for (i = 2; i <= k; i++) for (j = i; j > 1 && v[j - 1] > v[j]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
        return v[int((k + 1) / 2)] }
    { key = $1 " " $2; val[key, ++count[key]] = $3; if ($4 > peak[$2]) peak[$2] = $4 }
    END { m = split("fa-detect fa-landmarks fa-aus fa-csv", s, " ")
          for (i = 1; i <= m; i++) {
              one = median("one " s[i]); all = median("all " s[i]); per = (all - one) / (n - 1)
              printf "%s_per_tracked_frame %.3f ms\n%s_first_frame_and_start %.1f ms\n%s_peak %.1f MiB\n", s[i], per, s[i], one, s[i], peak[s[i]] / 1024
              total += per; first += one }
          printf "after_decoding_per_tracked_frame %.3f ms\nafter_decoding_first_frame_and_start %.1f ms\n", total, first }' "$T/figures"
