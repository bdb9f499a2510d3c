#!/usr/bin/env bash
# shmload and the programs that use its images: the same bytes staged or not, two loaders at once, a full tmpfs, loaders killed half way,
# images that may not be trusted. All in a folder of its own below /dev/shm.
. tests/cli/lib.sh
model=$FA_SHARED/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt
clip=$FA_SHARED/videos/default.wmv
if [ ! -r "$model" ] || [ ! -r "$clip" ]; then skip shmload "no models or clips beside the project"; exit 0; fi
FA_SHM_DIR=$(mktemp -d /dev/shm/fa-test-shmload.XXXXXX 2>/dev/null) || { skip shmload "/dev/shm cannot be written"; exit 0; }
trap 'rm -rf "$TMP" "$FA_SHM_DIR"' EXIT
export FA_SHM_DIR FA_MODELS; FA_MODELS=$(realpath "$model")
unset USE_SHARED_MEMORY USE_NUMA
frames=$TMP/frames.fas
fa-decode --frames 8 "$clip" -o "$frames" && fa-models pack -o "$TMP/clnf.pack" "$FA_MODELS" >/dev/null || exit 1
image() { ls "$FA_SHM_DIR"/fa-model-* 2>/dev/null; }
empty() { [ -z "$(ls -A "$FA_SHM_DIR")" ]; }
from() { fa-detect -v </dev/null 2>&1 | sed -n 's/^fa-detect: model [0-9a-f]* from //p'; }      # where a program takes the model from

load_prints_the_image_and_programs_use_it() {
    shmload -d && empty && want_rc 0 shmload && [ "$(cat "$TMP/out")" = "$(image)" ] && [ "$(from)" = "$(image)" ] &&
    cmp "$(image)" "$TMP/clnf.pack" && [ "$(stat -c %a "$(image)")" = 444 ]
}
loading_again_keeps_the_image() {
    shmload >/dev/null && local i; i=$(stat -c %i "$(image)") && want_rc 0 shmload -v && want_err 'was staged already' && [ "$(stat -c %i "$(image)")" = "$i" ]
}
the_list_has_set_size_and_users() {
    local p; shmload >/dev/null; mkfifo "$TMP/hold"
    fa-detect "$TMP/hold" >/dev/null 2>&1 & p=$!
    exec 9>"$TMP/hold"; want_rc 0 shmload -l; exec 9>&-; wait $p
    awk -F'\t' -v p=$p -v size="$(stat -c %s "$TMP/clnf.pack")" -v u="$(id -u)" '{ n++; ok = $2 == "main_clnf_general" && length($3) == 16 && $4 == size && $5 == "any" && $6 == u &&
        $7 == "usable" && $8 == 1 && $9 == p } END { exit !(n == 1 && ok) }' "$TMP/out" || { cat "$TMP/out"; return 1; }
}
a_set_a_pack_and_a_hash_name_the_same_image() {
    shmload -d && shmload "$TMP/clnf.pack" >"$TMP/a" && shmload "$FA_MODELS" >"$TMP/b" && same "$TMP/a" "$TMP/b" && [ "$(image | wc -l)" = 1 ] &&
    local h; h=$(shmload -l | cut -f3) && want_rc 0 shmload -V "$h" && want_rc 0 shmload -d "$h" && empty && want_rc 0 shmload -d "$h" && want_rc 3 shmload -V "$h"
}
staged_or_not_the_bytes_are_the_same() {
    shmload -d; fa-detect "$frames" | fa-landmarks | tee "$TMP/file.fas" | fa-aus >"$TMP/file2.fas" &&
    shmload -N >/dev/null && fa-detect "$frames" | fa-landmarks | tee "$TMP/shm.fas" | fa-aus >"$TMP/shm2.fas" && same "$TMP/file.fas" "$TMP/shm.fas" && same "$TMP/file2.fas" "$TMP/shm2.fas" &&
    USE_NUMA=0 fa-aus "$TMP/shm.fas" >"$TMP/numa0.fas" && same "$TMP/numa0.fas" "$TMP/shm2.fas"
}
many_clips_at_once_with_images_give_the_same_csvs() {
    local i; for i in 1 2 3; do ln -sf "$(realpath "$clip")" "$TMP/c$i.wmv"; done
    shmload -d; fa --frames 8 -o "$TMP/one/" "$TMP"/c[123].wmv && shmload -N >/dev/null && fa -j 2 --frames 8 -o "$TMP/two/" "$TMP"/c[123].wmv || return 1
    for i in 1 2 3; do same "$TMP/one/c$i.csv" "$TMP/two/c$i.csv" || return 1; done
}
use_shared_memory_0_reads_the_file() { shmload >/dev/null && USE_SHARED_MEMORY=0 from | grep -q '\.pack$'; }
one_image_a_node_with_N() {
    shmload -d && want_rc 0 shmload -N && [ "$(wc -l <"$TMP/out")" = "$(ls -d /sys/devices/system/node/node[0-9]* 2>/dev/null | wc -l)" ] && image | grep -q 'node0$' && [ "$(from)" = "$(image | head -1)" ] &&
    shmload -d && USE_NUMA=0 shmload -N >"$TMP/out" && [ "$(image | wc -l)" = 1 ] && USE_NUMA=0 from | grep -q 'node0$'
}
waiting_ends_when_the_image_is_there() {
    shmload -d; want_rc 3 shmload -w --timeout 0.1 && want_err 'not staged after 0.1 s' || return 1
    shmload -w --timeout 60 & local p=$!; sleep 0.2; shmload >/dev/null && wait $p
}
two_loaders_at_once_do_no_harm() {
    local i p q
    for i in $(seq 20); do
        shmload -d; shmload >"$TMP/1" & p=$!; shmload -N >"$TMP/2" & q=$!; shmload >"$TMP/3" || return 1
        wait $p && wait $q && same "$TMP/1" "$TMP/3" && [ "$(image | wc -l)" = "$((1 + $(wc -l <"$TMP/2")))" ] && shmload -V >/dev/null || return 1
    done
}
a_loader_killed_half_way_leaves_nothing_to_take() {
    local i p
    for i in $(seq 50); do
        shmload -d; shmload >/dev/null 2>&1 & p=$!
        sleep "0.0$((RANDOM % 40 + 10))"; kill -9 $p 2>/dev/null; wait $p 2>/dev/null
        [ "$(ls -A "$FA_SHM_DIR" | wc -l)" -le 1 ] && shmload -V >/dev/null && shmload >/dev/null && shmload -V >/dev/null || return 1
    done
}
dropping_an_image_in_use_does_no_harm() {
    shmload >/dev/null; fa-landmarks "$TMP/file.fas.in" >"$TMP/drop.fas" & local p=$!; sleep 0.1; shmload -d; wait $p && same "$TMP/drop.fas" "$TMP/file.fas" && empty
}
a_damaged_image_is_named_and_the_file_used() {
    shmload >/dev/null; chmod 644 "$(image)"; truncate -s 1000 "$(image)"
    from | grep -q "^[^ ]*\.pack (.*cut short" && want_rc 3 shmload -V && want_err 'cut short' && shmload -l | grep -q refused && want_rc 0 fa-detect "$frames" && [ ! -s "$TMP/err" ] &&
    shmload >/dev/null && shmload -V >/dev/null && [ "$(from)" = "$(image)" ]
}
data_that_changed_are_found_by_V() {
    shmload >/dev/null; chmod 644 "$(image)"; printf X | dd of="$(image)" bs=1 seek=9000000 conv=notrunc status=none
    want_rc 3 shmload -V && want_err 'damaged data' && shmload >/dev/null && want_rc 0 shmload -V
}
an_image_that_others_may_write_is_refused() {
    shmload -d; shmload >/dev/null; chmod 646 "$(image)"; from | grep -q 'others may write it (mode 0646)' && shmload >/dev/null && [ "$(from)" = "$(image)" ]
}
an_image_of_another_user_is_refused() {
    shmload -d; shmload >/dev/null; chown 4321 "$(image)"; from | grep -q 'it belongs to user 4321' && shmload >/dev/null && [ "$(from)" = "$(image)" ]
}
# In a tmpfs of 8 MiB, in a mount namespace of our own.
a_full_tmpfs_is_an_error() {
    want_rc 3 unshare -rm sh -c "mount -t tmpfs -o size=8m none '$FA_SHM_DIR' && shmload; r=\$?; [ -z \"\$(ls -A '$FA_SHM_DIR')\" ] || r=99; fa-detect -v </dev/null 2>&1 | grep -q 'from [^ ]*pack$' || r=98; exit \$r" &&
    want_err 'No space left on device'
}
wrong_use_is_2() {
    local a
    for a in '-l x' '-l -V' '-N -d' '--timeout x' '--timeout' '-x'; do want_rc 2 shmload $a || return 1; done
    want_rc 3 shmload nosuchset && want_rc 0 shmload -h && grep -q '^usage: shmload' "$TMP/out" && want_rc 0 shmload --version && FA_SHM_DIR=/nonexistent want_rc 3 shmload && FA_SHM_DIR=/nonexistent want_rc 3 shmload -l &&
    FA_SHM_DIR=/nonexistent from | grep -q '\.pack$'
}
fa-detect "$frames" >"$TMP/file.fas.in"
for f in load_prints_the_image_and_programs_use_it loading_again_keeps_the_image the_list_has_set_size_and_users a_set_a_pack_and_a_hash_name_the_same_image staged_or_not_the_bytes_are_the_same \
    many_clips_at_once_with_images_give_the_same_csvs use_shared_memory_0_reads_the_file one_image_a_node_with_N waiting_ends_when_the_image_is_there two_loaders_at_once_do_no_harm a_loader_killed_half_way_leaves_nothing_to_take \
    dropping_an_image_in_use_does_no_harm a_damaged_image_is_named_and_the_file_used data_that_changed_are_found_by_V an_image_that_others_may_write_is_refused wrong_use_is_2; do t $f; done
if [ "$(id -u)" = 0 ]; then t an_image_of_another_user_is_refused; else skip an_image_of_another_user_is_refused "only root can give a file away"; fi
if unshare -rm true 2>/dev/null; then t a_full_tmpfs_is_an_error; else skip a_full_tmpfs_is_an_error "no mount namespaces here"; fi
if command -v mandoc >/dev/null; then page_is_clean() { mandoc -Tlint -W warning man/shmload.1; }; t page_is_clean; else skip page_is_clean "no mandoc"; fi
exit $failed
