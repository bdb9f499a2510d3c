#!/usr/bin/env bash
# How far a clip cut by fa --segments is from the uncut one: fa-compare's table for several lengths, and its gate (the differences
# between two builds of the reference) as the limit, but for the first frames after a cut that falls into a moment without a face.
. tests/cli/lib.sh
model=$FA_SHARED/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt
if [ ! -r "$model" ] || [ ! -r "$FA_SHARED/videos/default.wmv" ]; then skip segments_differ_little "no models or clips beside the project"; exit 0; fi
export FA_MODELS; FA_MODELS=$(realpath "$model"); videos=$(realpath "$FA_SHARED/videos")
differ_little() { # CLIP SECONDS...
    local clip=$1 s; shift
    fa -o "$TMP/u.csv" "$videos/$clip" || return 1
    for s; do
        fa -j 2 --segments "$s" -o "$TMP/s.csv" "$videos/$clip" || return 1
        fa-compare --gate "$TMP/u.csv" "$TMP/s.csv" >"$TMP/table" || { echo "$clip in segments of $s s"; cat "$TMP/table"; return 1; }
        awk -v c="$clip" -v s="$s" '$1 == "lm2d" || $1 == "pose_t" { printf "NOTE %s in segments of %s s: %s mean %s 95%% %s max %s\n", c, s, $1, $2, $3, $4 }' "$TMP/table" >&3
    done
}
exec 3>&1
default_wmv_differs_little() { differ_little default.wmv 4 6 9; }
changing_light_differs_little() { differ_little changeLighting.wmv 4; }
a_variable_rate_clip_differs_little() { differ_little face_then_none_vfr.mp4 4; }
for f in default_wmv_differs_little changing_light_differs_little a_variable_rate_clip_differs_little; do t $f; done
exit $failed
