#!/usr/bin/env bash
# 200 short clips, fa killed by SIGKILL at 20 random moments and resumed, then let through: 200 right outputs, none partial, and no
# clip computed again once it was complete. The same under GNU parallel, if it is here.   FA_CLIPS and FA_KILLS make it smaller.
. tests/cli/lib.sh
model=$FA_SHARED/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt
clip=$FA_SHARED/videos/small320.mp4
if [ ! -r "$model" ] || [ ! -r "$clip" ]; then skip resume_200 "no models or clips beside the project"; exit 0; fi
export FA_MODELS; FA_MODELS=$(realpath "$model"); clip=$(realpath "$clip")
unset N_WORKERS
clips=${FA_CLIPS:-200} kills=${FA_KILLS:-20}
mkdir "$TMP/w" && cd "$TMP/w" && mkdir in want || exit 1
# Different clips of a few frames: a window of the source that moves, with its own name.
for i in $(seq -w "$clips"); do ffmpeg -nostdin -v error -ss "$(awk -v i="$i" 'BEGIN { printf "%.3f", (i - 1) % 40 / 20 }')" -i "$clip" -frames:v 3 -c:v ffv1 -metadata title="$i" -an "in/c $i.avi" || exit 1; done
began=$EPOCHREALTIME
fa -j 4 -o want/ in/*.avi || { echo "FAIL resume_200: the run to compare with"; exit 1; }
span=$(awk -v a="$began" -v b="$EPOCHREALTIME" -v n="$clips" 'BEGIN { printf "%.3f", 16 * (b - a) / n }')     # four times a clip's, four at once
RANDOM=${FA_SEED:-7}; echo "NOTE seed ${FA_SEED:-7}"

whole() { # the CSVs in out that are complete by what is beside them
    local j
    for j in out/*.json; do [ -e "$j" ] && grep -q '^ "status": 0' "$j" && [ -e "${j%.json}.csv" ] && basename "$j" .json; done
}
all_right() {
    local f
    for f in want/*.csv; do same "$f" "out/${f#want/}" || return 1; done
    [ "$(find out -type f | wc -l)" = $((2 * clips)) ] || { find out -type f | grep -v 'csv$\|json$'; return 1; }
}
check_kept() { # what was complete before this run has still its inode
    local name inode
    while read -r inode name; do [ "$(stat -c %i "out/$name.csv")" = "$inode" ] || { echo "$name was computed again"; return 1; }; done <kept
}
killed_and_resumed() { # COMMAND...: run in the background; kills its process group
    local k pid name
    rm -rf out; mkdir out; : >kept
    for k in $(seq "$kills"); do
        setsid "$@" >run.log 2>&1 & pid=$!
        # Every second run first gets some clips done, so that kills fall into all parts of the work, however busy the machine is.
        [ $((k % 2)) = 1 ] || wait_for_outputs $pid $(($(ls out | grep -c json) + 1 + RANDOM % (2 * clips / kills)))
        sleep "$(awk -v r=$RANDOM -v s=$span 'BEGIN { printf "%.2f", r / 32768 * s }')"
        kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
        [ "$1" = fa ] || kill -9 -- -$pid 2>/dev/null
        for _ in $(seq 60); do pgrep_fa || break; sleep 0.05; done
        check_kept || return 1
        whole | while read -r name; do echo "$(stat -c %i "out/$name.csv") $name"; done >kept
        for f in out/*.csv; do [ ! -e "$f" ] || same "$f" "want/${f#out/}" || { echo "$f is partial after kill $k"; return 1; }; done
    done
    echo "NOTE $1: $(wc -l <kept) of $clips clips were complete after $kills kills" >&3
    "$@" >run.log 2>&1 || { tail -5 run.log; return 1; }
    check_kept && all_right
}
wait_for_outputs() { # PID N: until there are N, or the program has ended
    while [ "$(ls out | grep -c json)" -lt "$2" ] && alive "$1"; do sleep 0.05; done
}
exec 3>&1
pgrep_fa() { local p; for p in /proc/[0-9]*; do [ "$(readlink "$p/cwd" 2>/dev/null)" = "$PWD" ] && grep -q '^fa' "$p/comm" 2>/dev/null && return 0; done; return 1; }
fa_killed_at_random_moments_resumes() { killed_and_resumed fa --resume -j 4 -o out/ in/*.avi; }
parallel_killed_at_random_moments_resumes() { killed_and_resumed parallel --will-cite -j 8 fa --resume -o out/ {} ::: in/*.avi; }
t fa_killed_at_random_moments_resumes
if command -v parallel >/dev/null; then t parallel_killed_at_random_moments_resumes; else skip parallel_killed_at_random_moments_resumes 'no GNU parallel'; fi
exit $failed
