#!/usr/bin/env bash
# CE-CLM with networks of the production size: CPU time of fa-landmarks per tracked frame of default.wmv, one thread, with AVX2 and
# AVX-512, beside the reference's on its own machine and carried to this one by the peak measured in the same run.
#   usage: tests/bench/ceclm.sh [ROUNDS]        (default 5; the median counts)
# Two sets are made from the small trained one beside the project; both find the same landmarks. `spread` has its neurons copied until
# the layers are full: as many activations are zero as with trained weights, and its figures are those to quote. `padded` has zeros
# instead, which the kernels then skip: a bound from below, not what real weights cost.
set -euo pipefail
B=${B:-build}; PATH="$PWD/$B/bin:$PATH"; bench=$PWD/$B/tests/bench
rounds=${1:-5} shared=${FA_SHARED:-../shared}
small=$shared/cen-test/model clip=$shared/videos/default.wmv
for f in "$small/main_ceclm_general.txt" "$clip" "$shared/tools/make_cen.py"; do
    [ -r "$f" ] || { echo "ceclm.sh: no ${f##*/} here: skipped" >&2; exit 0; }
done
/usr/bin/python3 -c 'import numpy' 2>/dev/null || { echo "ceclm.sh: no python3-numpy: skipped" >&2; exit 0; }
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
. tests/bench/cen_set.bash
fa-decode "$clip" | fa-detect --model "$small/main_ceclm_general.txt" >"$T/all.fas"
fa-decode --frames 1 "$clip" | fa-detect --model "$small/main_ceclm_general.txt" >"$T/one.fas"
n=$(fa-view -c "$T/all.fas" | sed 's/.* FRAME=\([0-9]*\).*/\1/')
for s in spread padded; do cen_set $s "$T/$s.pack"; done
isas=avx2:1; grep -qw avx512bw /proc/cpuinfo && isas="$isas avx512:3"
for round in $(seq "$rounds"); do
    "$bench/flops" >>"$T/peaks"
    for s in spread padded; do for isa in $isas; do for part in one all; do
        FA_CPU_MASK=${isa#*:} "$bench/cost" "$T/c" fa-landmarks --model "$T/$s.pack" "$T/$part.fas" >/dev/null
        echo "${s}_${isa%:*} $part $(cut -d' ' -f1 "$T/c")" >>"$T/figures"
    done; done; done
done
awk -v n="$n" '
    function median(key,   k, i, j, v, t) { k = count[key]; for (i = 1; i <= k; i++) v[i] = val[key, i]
        for (i = 2; i <= k; i++) for (j = i; j > 1 && v[j - 1] > v[j]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
        return v[int((k + 1) / 2)] }
    FILENAME ~ /peaks$/ { if ($2 > peak[$1]) peak[$1] = $2; next }
    { key = $1 " " $2; if (!($1 in seen)) { seen[$1] = 1; name[++names] = $1 } val[key, ++count[key]] = $3 }
    END { for (p in peak) printf "%s %.1f GFLOP/s\n", p, peak[p]
          here = peak["peak_sgemm"] ? peak["peak_sgemm"] : peak["peak_fma_avx2"]
          reference = 29.3 * 90 / here
          printf "ceclm_reference_where_sgemm_is_90_GFLOP/s 29.3 ms\nceclm_reference_carried_to_%.0f_GFLOP/s %.1f ms\n", here, reference
          for (i = 1; i <= names; i++) {
              one = median(name[i] " one"); per = (median(name[i] " all") - one) / (n - 1)
              printf "ceclm_%s_per_tracked_frame %.2f ms\nceclm_%s_first_frame_and_start %.1f ms\nceclm_%s_times_less_than_the_reference %.2f x\n",
                     name[i], per, name[i], one, name[i], reference / per } }' "$T/peaks" "$T/figures"
