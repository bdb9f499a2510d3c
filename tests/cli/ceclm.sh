#!/usr/bin/env bash
# A short CE-CLM run: the same bytes for any threads and kernels, and the reference's landmarks.
. tests/cli/lib.sh
model=$FA_SHARED/cen-test/model/main_ceclm_general.txt
clip=$FA_SHARED/videos/default.wmv
gold=$FA_SHARED/cen-test/gold/default/ceclm.csv.zst
for f in "$model" "$clip" "$gold"; do [ -r "$f" ] || { skip ceclm "no CE-CLM test set or clips beside the project"; exit 0; }; done
model=$(realpath "$model")
export OPENFACE_MODELS_DIR=${OPENFACE_MODELS_DIR:-$PWD/${B:-build}/models-cache}
run() { fa --model "$model" --frames 8 "$@" "$clip"; }
run >"$TMP/ceclm.csv" || { echo "FAIL ceclm: no run"; exit 1; }

threads_do_not_change_a_byte_of_ceclm() {
    local n
    for n in 1 3; do run -t $n >"$TMP/t.csv" && same "$TMP/t.csv" "$TMP/ceclm.csv" || return 1; done
}
kernels_do_not_change_a_byte_of_ceclm() {
    local m
    for m in 1 3; do FA_CPU_MASK=$m run >"$TMP/k.csv" && same "$TMP/k.csv" "$TMP/ceclm.csv" || return 1; done
}
ceclm_landmarks_are_the_references() {    # mean distance over 8 rows and 68 points, in pixels; columns by name
    { zstd -dcq "$gold" | head -9; cat "$TMP/ceclm.csv"; } | awk -F', *' '
        { sub(/\r$/, "") }
        $1 == "frame" { part++; for (k = 1; k <= NF; k++) column[part, $k] = k; next }
        part == 1 { for (i = 0; i < 68; i++) { x[$1, i] = $column[1, "x_" i]; y[$1, i] = $column[1, "y_" i] } n_want++ }
        part == 2 && ($1, 0) in x {
            rows++
            for (i = 0; i < 68; i++) { sum += sqrt(($column[2, "x_" i] - x[$1, i]) ^ 2 + ($column[2, "y_" i] - y[$1, i]) ^ 2); n++ }
        }
        END { printf "%d rows of %d, mean %g px\n", rows, n_want, n ? sum / n : -1; exit !(rows == 8 && n_want == 8 && sum / n <= 0.2) }'
}

for f in threads_do_not_change_a_byte_of_ceclm kernels_do_not_change_a_byte_of_ceclm ceclm_landmarks_are_the_references; do t $f; done
exit $failed
