#!/usr/bin/env bash
# The recipes of fa-cluster(7) with GNU parallel: one host, killed and resumed; several hosts. tests/gold/parallel.sh has more of all.
. tests/cli/lib.sh
. tests/clips.sh
need_clips parallel || exit 0
if ! parallel --version 2>/dev/null | grep -q '^GNU parallel'; then skip parallel 'no GNU parallel'; exit 0; fi
n=${FA_PARALLEL_CLIPS:-12} kills=${FA_PARALLEL_KILLS:-2} starts=${FA_PARALLEL_STARTS:-12}
v=$TMP/clips; cut_clips "$n" "$v" || { echo 'FAIL parallel: no clips'; exit 1; }
mv "$v/0/1.avi" "$v/0/one  with 'odd"$'\n'"name.avi"
export HOME=$TMP/home v TMP; mkdir -p "$HOME/.parallel"; : >"$HOME/.parallel/will-cite"
find "$v" -name '*.avi' -print0 >"$TMP/list"
fa -q -j 2 -o "$TMP/one/" --tree "$v" -0 --files-from "$TMP/list" || { echo 'FAIL parallel: no results to compare with'; exit 1; }

csvs() { (cd "$1" && find . -name '*.csv' -print0 | LC_ALL=C sort -z | tr '\n\0' '?\n'); }
same_results() { # OUT: the CSVs of one fa alone, and nothing half done
    csvs "$TMP/one" | same - <(csvs "$1") && (cd "$TMP/one" && find . -name '*.csv' -exec cmp {} "$1/{}" \;) && ! find "$1" -name '*.tmp*' -o -name '*.partial' | grep .
}
# The recipe, as a program: JOBS, name of the folder and log.
cat >"$TMP/recipe" <<'END'
parallel -0 -j "$1" --joblog "$TMP/log.$2" --resume fa -q -o "$TMP/$2/" --tree "$v" --resume {} <"$TMP/list"
END
recipe() { bash "$TMP/recipe" "$@"; }
# What is done and when; a clip computed again has another file.
finished() { find "$1" -name '*.json' -print0 2>/dev/null | sed -z 's/json$/csv/' | xargs -0 -r stat -c '%i %.Z %n' | tr -d '\n' | sed 's/csv/csv\n/g' | LC_ALL=C sort; }
kill_session() { # SID: every process in it, until there is none
    local f pids pid state rest
    while pids=
        for f in /proc/[0-9]*/stat; do
            { rest=$(cat "$f"); } 2>/dev/null || continue
            pid=${rest%% *}; read -r state _ _ sid _ <<<"${rest##*) }"
            [ "$sid" != "$1" ] || [ "$state" = Z ] || pids="$pids $pid"
        done
        [ -n "$pids" ]; do kill -9 $pids 2>/dev/null; done
}

one_host_gives_every_csv_whatever_the_names() { recipe 4 a && same_results "$TMP/a" && [ "$(awk -F '\t' '$7 == "0"' "$TMP/log.a" | wc -l)" = "$n" ]; }
a_lost_job_log_costs_nothing() { finished "$TMP/a" >"$TMP/before"; [ "$(wc -l <"$TMP/before")" = "$n" ] && rm "$TMP/log.a" && recipe 4 a && finished "$TMP/a" | same - "$TMP/before"; }
killed_and_resumed_every_clip_is_finished_once() {
    local k killed=0 pid
    : >"$TMP/before"
    for k in $(seq "$kills"); do
        setsid bash "$TMP/recipe" 8 b 2>/dev/null & pid=$!
        sleep "$(awk "BEGIN { srand($RANDOM); print 0.2 + rand() * ${FA_PARALLEL_WAIT:-1.5} }")"
        ! kill -0 $pid 2>/dev/null || killed=$((killed + 1))
        kill_session $pid; wait $pid 2>/dev/null
        finished "$TMP/b" >"$TMP/after"; comm -23 "$TMP/before" "$TMP/after" | grep . && { echo "kill $k: computed again"; return 1; }
        mv "$TMP/after" "$TMP/before"
    done
    recipe 8 b && finished "$TMP/b" >"$TMP/after" && ! comm -23 "$TMP/before" "$TMP/after" | grep . && same_results "$TMP/b" && [ $killed -gt 0 ]
}
many_starts_at_once_share_nothing_by_mistake() {
    mkdir "$TMP/c" && seq "$starts" | parallel -j "$starts" fa -q -o "$TMP/c/{}.csv" "$v/0/2.avi" && [ "$(find "$TMP/c" -name '*.csv' -exec cmp "$TMP/one/0/2.csv" {} \; -print | wc -l)" = "$starts" ] && [ "$(find "$TMP/c" -type f | wc -l)" = "$starts" ]
}
retries_are_for_machines_not_for_bad_clips() {
    echo no >"$TMP/bad.mp4"
    parallel --retries 3 --joblog "$TMP/log.d" 'echo x >>'"$TMP"'/tries.d; fa -q -o '"$TMP"'/d/ {} || [ $? = 1 ]' ::: "$TMP/bad.mp4" 2>"$TMP/err" && [ "$(wc -l <"$TMP/tries.d")" = 1 ] || return 1
    parallel --retries 3 'echo x >>'"$TMP"'/tries.e; fa -q --model /nowhere.pack -o '"$TMP"'/e/ {} || [ $? = 1 ]' ::: "$v/0/2.avi" 2>/dev/null && return 1
    [ "$(wc -l <"$TMP/tries.e")" = 3 ]
}
halt_stops_at_a_machines_fault() {
    parallel -j 1 --halt now,fail=1 'echo x >>'"$TMP"'/tries.f; fa -q --model /nowhere.pack -o '"$TMP"'/f/ {} || [ $? = 1 ]' ::: "$v/0/2.avi" "$v/0/3.avi" "$v/0/4.avi" 2>/dev/null && return 1
    [ "$(wc -l <"$TMP/tries.f")" = 1 ]
}
for f in one_host_gives_every_csv_whatever_the_names a_lost_job_log_costs_nothing killed_and_resumed_every_clip_is_finished_once many_starts_at_once_share_nothing_by_mistake \
    retries_are_for_machines_not_for_bad_clips halt_stops_at_a_machines_fault; do t $f; done

# --- Several hosts: this one, twice, by an sshd on the loopback ---
sshd=$(command -v sshd || ls /usr/sbin/sshd 2>/dev/null) S=$TMP/ssh port=$((20000 + $$ % 20000))
if [ -z "$sshd" ] || ! mkdir -p /run/sshd 2>/dev/null; then skip several_hosts 'no sshd, or not root'; exit $failed; fi
mkdir -m 700 "$S"; ssh-keygen -q -t ed25519 -N '' -f "$S/host"; ssh-keygen -q -t ed25519 -N '' -f "$S/user"; cp "$S/user.pub" "$S/authorized"
printf '%s\n' "Port $port" 'ListenAddress 127.0.0.1' "HostKey $S/host" "AuthorizedKeysFile $S/authorized" 'StrictModes no' 'UsePAM no' 'PermitRootLogin yes' \
    'PasswordAuthentication no' "PidFile $S/pid" 'MaxStartups 100' >"$S/sshd_config"
printf 'Host one two\n HostName 127.0.0.1\n Port %s\n IdentityFile %s\n UserKnownHostsFile %s\n StrictHostKeyChecking accept-new\n IdentitiesOnly yes\n LogLevel ERROR\n' "$port" "$S/user" "$S/known" >"$S/config"
"$sshd" -f "$S/sshd_config" -D -E "$S/log" & sshd_pid=$!
trap 'kill $sshd_pid 2>/dev/null; rm -rf "$TMP"' EXIT
for k in 1 2 3 4 5 6 7 8 9 10; do ssh -F "$S/config" one true 2>/dev/null && break; sleep 0.3; done
if ! ssh -F "$S/config" one true 2>"$TMP/err"; then skip several_hosts "no login on the loopback: $(head -1 "$TMP/err")"; exit $failed; fi
hosts_that_share_a_folder_share_the_clips() {
    parallel -0 --ssh "ssh -F $S/config" -S 2/one,2/two --env FA_MODELS --env OPENFACE_MODELS_DIR --joblog "$TMP/log.g" "$FA_BIN/fa" -q -o "$TMP/g/" --tree "$v" --resume {} <"$TMP/list" &&
    same_results "$TMP/g" && [ "$(cut -f2 "$TMP/log.g" | sort -u | grep -c 'one$\|two$')" = 2 ]
}
hosts_that_share_nothing_get_the_clip_and_send_the_csv() {
    mkdir -p "$TMP/h" && cd "$TMP/h" && cp "$v/0/2.avi" "$v/0/3.avi" . &&
    parallel --ssh "ssh -F $S/config" -S 1/one,1/two --env FA_MODELS --env OPENFACE_MODELS_DIR --workdir ... --transferfile {} --return '{.}.csv' --cleanup "$FA_BIN/fa" -q -o '{.}.csv' {} ::: 2.avi 3.avi &&
    same 2.csv "$TMP/one/0/2.csv" && same 3.csv "$TMP/one/0/3.csv"
}
t hosts_that_share_a_folder_share_the_clips
if command -v rsync >/dev/null; then t hosts_that_share_nothing_get_the_clip_and_send_the_csv; else skip hosts_that_share_nothing_get_the_clip_and_send_the_csv 'no rsync'; fi
exit $failed
