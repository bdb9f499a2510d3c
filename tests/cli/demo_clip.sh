#!/usr/bin/env bash
# The demo clip's script is known (models/starter/demo.tsv), so what the programs say about it can be held against the truth: who is there when,
# where the points are, how the head turns, what the face does. With the set of FA_MODELS, else with every set there is.
. tests/cli/lib.sh
demo=$PWD/models/starter/demo.mp4 truth=$PWD/models/starter/demo.tsv
list=$FA_SHARED/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt
sets=()
if [ -n "${FA_MODELS:-}" ]; then sets=("$FA_MODELS"); else
    for m in models/starter/starter.pack "$list"; do [ -r "$m" ] && sets+=("$(realpath "$m")"); done
fi
[ ${#sets[@]} -gt 0 ] || { skip demo_clip "no models"; exit 0; }
export OPENFACE_MODELS_DIR=${OPENFACE_MODELS_DIR:-$PWD/build/models-cache}

# Lines "name value": counts, mean errors, and for action units the mean when driven to the full and when not driven at all.
measure() { # CSV
    awk -v truth="$truth" '
    function abs(x) { return x < 0 ? -x : x }
    BEGIN {
        FS = "\t"
        getline < truth
        for (i = 1; i <= NF; i++) col[$i] = i
        while ((getline < truth) > 0) { n++; for (i = 1; i <= NF; i++) t[n, i] = $i }
        FS = ","; deg = 180 / atan2(0, -1)
        split("AU01 AU02 AU04 AU06 AU12 AU25 AU26 AU45", au, " ")
    }
    FNR == 1 { for (i = 1; i <= NF; i++) { gsub(/ /, "", $i); c[$i] = i } next }
    {
        f = FNR - 1; there = t[f, col["face"]]; seen = $(c["success"]) > 0
        faces += there; tracked += there && seen; ghosts += !there && seen
        if (!there || !seen) next
        split("yaw pitch roll", angle, " "); split("pose_Ry pose_Rx pose_Rz", pose, " ")
        for (k = 1; k <= 3; k++) {
            x = t[f, col[angle[k]]]; y = $(c[pose[k]]) * deg
            off[k] += abs(x - y); sx[k] += x; sy[k] += y; sxx[k] += x * x; syy[k] += y * y; sxy[k] += x * y
        }
        if (t[f, col["x0"]] != "") {
            eyes = sqrt((t[f, col["x36"]] - t[f, col["x45"]]) ^ 2 + (t[f, col["y36"]] - t[f, col["y45"]]) ^ 2)
            for (k = 17; k < 68; k++) far += sqrt(($(c["x_" k]) - t[f, col["x" k]]) ^ 2 + ($(c["y_" k]) - t[f, col["y" k]]) ^ 2) / eyes
            points += 51
        }
        for (k = 1; k <= 8; k++) if (au[k] "_r" in c) {
            v = $(c[au[k] "_r"])
            if (t[f, col[au[k]]] > 4) { on[k] += v; n_on[k]++ } else if (t[f, col[au[k]]] == 0) { out[k] += v; n_out[k]++ }
        }
    }
    END {
        print "rows", FNR - 1 - n; print "faces", faces; print "tracked", tracked / faces; print "ghosts", ghosts; print "points", far / points
        for (k = 1; k <= 3; k++) {
            m = tracked; print angle[k] "_off", off[k] / m
            print angle[k] "_r", (m * sxy[k] - sx[k] * sy[k]) / sqrt((m * sxx[k] - sx[k] ^ 2) * (m * syy[k] - sy[k] ^ 2))
        }
        for (k = 1; k <= 8; k++) if (n_on[k]) printf "%s_on %g\n%s_rise %g\n", au[k], on[k] / n_on[k], au[k], on[k] / n_on[k] - out[k] / n_out[k]
    }' "$1"
}
is() { # NAME OP BOUND: a measured value against its bound
    awk -v name="$1" -v op="$2" -v bound="$3" '$1 == name { v = $2; seen = 1 }
        END { good = seen && (op == ">=" ? v >= bound : op == "<=" ? v <= bound : v == bound); if (!good) print name, "is", v, "want", op, bound; exit !good }' "$TMP/measured"
}
every_frame_has_a_row() { is rows == 0 && is faces '>=' 400; }
the_face_is_tracked_wherever_there_is_one() { is tracked '>=' 0.95; }
no_face_is_found_while_there_is_none() { is ghosts == 0; }
the_points_lie_where_the_mesh_was_drawn() { is points '<=' 0.045; }
the_head_turns_as_far_as_it_was_turned() { is yaw_off '<=' 5 && is yaw_r '>=' 0.95 && is pitch_off '<=' 6 && is pitch_r '>=' 0.75 && is roll_off '<=' 3 && is roll_r '>=' 0.95; }
smiles_raise_AU12_and_AU06() { is AU12_rise '>=' 1 && is AU06_rise '>=' 0.3; }
raised_brows_raise_AU01_and_AU02() { is AU01_rise '>=' 1 && is AU02_rise '>=' 1; }
a_frown_raises_AU04() { is AU04_rise '>=' 0.7; }
an_open_mouth_raises_AU25_and_AU26() { is AU25_rise '>=' 0.7 && is AU26_rise '>=' 0.7; }
closed_eyes_raise_AU45() { is AU45_rise '>=' 1; }

for set in "${sets[@]}"; do
    echo "# $(basename "$set")"
    if ! fa -q --model "$set" -o "$TMP/demo.csv" "$demo"; then echo "FAIL the_demo_clip_runs"; failed=1; continue; fi
    measure "$TMP/demo.csv" >"$TMP/measured"
    t every_frame_has_a_row
    t the_face_is_tracked_wherever_there_is_one
    t no_face_is_found_while_there_is_none
    t the_points_lie_where_the_mesh_was_drawn
    t the_head_turns_as_far_as_it_was_turned
    t smiles_raise_AU12_and_AU06
    t raised_brows_raise_AU01_and_AU02
    case $set in *main_clnf*) skip a_frown_raises_AU04 "OpenFace's AU4 stays at 0 on the mean face" ;; *) t a_frown_raises_AU04 ;; esac
    t an_open_mouth_raises_AU25_and_AU26
    t closed_eyes_raise_AU45
done
exit $failed
