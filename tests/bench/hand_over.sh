#!/usr/bin/env bash
# Frames of 1080p between the programs, inline and by reference (fa-decode -S), side by side: CPU time of each program a frame, and the bytes
# that each reads and writes a frame, in MB. A frame has 6.22 MB; ffmpeg's pipe into fa-decode carries it once in both columns, and by
# reference nothing else does. tests/bench/hand_over.c has the cost of the hand-over alone.
#   usage: tests/bench/hand_over.sh [CLIP] [MODEL]     (default: default.wmv scaled to 1920x1080, 60 frames, and the CLNF set)
# Bytes are those of read, write and their like, by strace where it is installed, else rchar and wchar of /proc/PID/io (for fa-decode with
# those of its ffmpeg, which reads the clip and writes each frame once).
set -euo pipefail
B=${B:-build}; PATH="$PWD/$B/bin:$PATH"; cost=$PWD/$B/tests/bench/cost
shared=${FA_SHARED:-../shared}
model=${2:-$shared/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt}
command -v ffmpeg >/dev/null || { echo "hand_over.sh: no ffmpeg here: skipped" >&2; exit 0; }
[ -r "$model" ] || { echo "hand_over.sh: no model here: skipped" >&2; exit 0; }
export FA_MODELS=$model
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
n=60 clip=$T/clip.avi
if [ -r "${1:-$shared/videos/default.wmv}" ]; then
    ffmpeg -nostdin -v error -i "${1:-$shared/videos/default.wmv}" -vf scale=1920:1080 -frames:v $n -c:v mpeg4 -q:v 3 -an "$clip"
else
    ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=1920x1080:r=30 -frames:v $n -c:v mpeg4 -q:v 3 "$clip"
fi
fa-decode --frames 1 "$clip" | fa-detect | fa-landmarks >/dev/null           # packs the model once
names="fa-decode fa-detect fa-landmarks"

# Of all frames and of the first alone, so that program start is not in it. Five rounds, the median.
pipe() { # OPTION FRAMES TAG
    $cost "$T/0" fa-decode $1 --threads 1 --frames "$2" "$clip" | $cost "$T/1" fa-detect | $cost "$T/2" fa-landmarks >"$T/out$1.fas"
    local i=0 p
    for p in $names; do echo "$p $3 $2 $(cut -d' ' -f1 "$T/$i")" >>"$T/cpu"; i=$((i + 1)); done
}
for round in 1 2 3 4 5; do for frames in 1 $n; do pipe "" $frames inline; pipe -S $frames reference; done; done
cmp "$T/out.fas" "$T/out-S.fas"                                              # the same bytes
awk -v n=$n -v names="$names" '
    function median(key,   k, i, j, v, t) { k = count[key]; for (i = 1; i <= k; i++) v[i] = val[key, i]
        for (i = 2; i <= k; i++) for (j = i; j > 1 && v[j - 1] > v[j]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
        return v[int((k + 1) / 2)] }
    { key = $1 " " $2 " " $3; val[key, ++count[key]] = $4 }
    END { m = split(names, s, " ")
          for (i = 1; i <= m; i++) {
              a = (median(s[i] " inline " n) - median(s[i] " inline 1")) / (n - 1); b = (median(s[i] " reference " n) - median(s[i] " reference 1")) / (n - 1)
              printf "hand_over_1080p_%s_inline_cpu %.3f ms/frame\nhand_over_1080p_%s_reference_cpu %.3f ms/frame\n", s[i], a, s[i], b } }' "$T/cpu"

calls=read,readv,pread64,preadv,write,writev,pwrite64,pwritev,splice,vmsplice,sendfile,copy_file_range,process_vm_readv,process_vm_writev
traced() { # FILE command...: bytes read and written by the command itself
    local f=$1; shift
    if command -v strace >/dev/null; then strace -qq -e trace=$calls -e signal=none -o "$f" "$@"; else "$cost" "$f" "$@"; fi
}
bytes() { # FILE read|write: MB a frame
    if command -v strace >/dev/null; then
        awk -v want="$2" -v n=$n '{ call = $1; sub(/\(.*/, "", call); r = call ~ /read/ || call == "sendfile" || call == "splice" || call == "vmsplice" || call == "copy_file_range"
            if ((want == "read") == r && match($0, / = [0-9]+$/)) sum += substr($0, RSTART + 3) } END { printf "%.3f", sum / 1e6 / n }' "$1"
    else
        awk -v want="$2" -v n=$n '{ printf "%.3f", (want == "read" ? $4 : $5) / 1e6 / n }' "$1"
    fi
}
for how in inline reference; do
    [ $how = inline ] && o="" || o=-S
    traced "$T/b0" fa-decode $o "$clip" | traced "$T/b1" fa-detect | traced "$T/b2" fa-landmarks >/dev/null
    i=0
    for p in $names; do
        echo "hand_over_1080p_${p}_${how}_read $(bytes "$T/b$i" read) MB/frame"
        echo "hand_over_1080p_${p}_${how}_written $(bytes "$T/b$i" write) MB/frame"
        i=$((i + 1))
    done
done
