# Sourced: cen_set spread|padded PACK makes a CE-CLM set of the production size from the small trained one (see ceclm.sh) and packs it.
# Needs $shared and a temporary folder $T.
cen_set() {
    local at=$T/$1/cen-test/model
    mkdir -p "$at"
    cp "$shared"/cen-test/model/*.txt "$at/"
    ln -sfn "$(realpath "$shared/openface-models")" "$T/$1/openface-models"   # the lists name it as their folder's neighbour
    if [ "$1" = spread ]; then
        PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/bench/cen_spread.py "$shared/tools" "$shared/cen-test/model/patch_experts" "$at/patch_experts"
    else
        /usr/bin/python3 "$shared/tools/make_cen.py" --out "$at/patch_experts" --zero-pad-from "$shared/cen-test/model/patch_experts"
    fi
    OPENFACE_MODELS_DIR=/dev/null/none fa-models pack -o "$2" "$at/main_ceclm_general.txt"
    rm -r "$at/patch_experts"
}
