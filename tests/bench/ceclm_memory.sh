#!/usr/bin/env bash
# Resident memory of fa-landmarks with a CE-CLM set of the production size: one process, then eight at once over the same pack, from
# /proc/PID/smaps_rollup after 60 frames, while each waits for more. Sum of Pss: what they take together, shared pages counted once.
#   usage: tests/bench/ceclm_memory.sh        exit 1: one process takes more than the pack and 30 MB, or eight do not share the pack
set -euo pipefail
B=${B:-build}; PATH="$PWD/$B/bin:$PATH"
shared=${FA_SHARED:-../shared} clip=${FA_SHARED:-../shared}/videos/default.wmv
for f in "$shared/cen-test/model/main_ceclm_general.txt" "$clip" "$shared/tools/make_cen.py"; do
    [ -r "$f" ] || { echo "ceclm_memory.sh: no ${f##*/} here: skipped" >&2; exit 0; }
done
/usr/bin/python3 -c 'import numpy' 2>/dev/null || { echo "ceclm_memory.sh: no python3-numpy: skipped" >&2; exit 0; }
T=$(mktemp -d); pids=() holders=()
finish() { kill "${pids[@]}" "${holders[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$T"; }
trap finish EXIT
. tests/bench/cen_set.bash
cen_set padded "$T/ceclm.pack"
fa-decode --frames 60 "$clip" | fa-detect --model "$T/ceclm.pack" >"$T/60.fas"
start() { # N: that many processes, each fed the frames and then left waiting
    local i
    for i in $(seq "$1"); do
        mkfifo "$T/in$i"
        { cat "$T/60.fas"; exec sleep 600; } >"$T/in$i" & holders+=($!)
        fa-landmarks --model "$T/ceclm.pack" "$T/in$i" >/dev/null & pids+=($!)
    done
}
ticks() { local p n=0; for p in "${pids[@]}"; do n=$((n + $(awk '{ print $14 + $15 }' "/proc/$p/stat"))); done; echo $n; }
settle() { # until no process uses the CPU any more
    local last=-1 now
    while now=$(ticks); [ "$now" != "$last" ] || [ "$now" = 0 ]; do last=$now; sleep 3; done
}
pack_mb=$(stat -c %s "$T/ceclm.pack" | awk '{ printf "%.1f", $1 / 1e6 }')
table() { # what: one line a process and their sum, MB
    local p
    for p in "${pids[@]}"; do
        awk -v p="$p" '/^(Rss|Pss|Private_Clean|Private_Dirty):/ { v[$1] += $2 }
            END { printf "%d %.1f %.1f %.1f\n", p, v["Rss:"] * 1.024e-3, v["Pss:"] * 1.024e-3, v["Private_Dirty:"] * 1.024e-3 }' "/proc/$p/smaps_rollup"
    done | awk -v what="$1" -v pack="$pack_mb" '
        BEGIN { printf "%-12s %10s %10s %14s\n", what, "Rss MB", "Pss MB", "own pages MB" }
        { printf "%-12s %10.1f %10.1f %14.1f\n", "process " NR, $2, $3, $4; if ($2 > most) most = $2; pss += $3; own += $4 }
        END { printf "%-12s %10s %10.1f %14.1f     (the pack: %.1f MB)\n", "together", "", pss, own, pack
              if (NR == 1 && most > pack + 30) { print "FAIL more than the pack and 30 MB"; exit 1 }
              if (NR > 1 && pss > most + own + 30) { print "FAIL the pack is not shared"; exit 1 } }'
}
start 1; settle; table 'one'
kill "${pids[@]}" "${holders[@]}" 2>/dev/null || true; wait 2>/dev/null || true; pids=() holders=(); rm -f "$T"/in*
start 8; settle; table 'eight'
