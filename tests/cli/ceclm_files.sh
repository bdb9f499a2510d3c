#!/usr/bin/env bash
# CE-CLM's four large files on their way into the store: from mirrors that fail, with a wrong digest, cut short, or changed on
# purpose. Only local mirrors are asked. One message, the right exit status, and nothing half done stays behind.
. tests/cli/lib.sh
unset FA_MODELS OPENFACE_MODELS_MIRROR OPENFACE_MODELS_ACCEPT_LICENSE
REPO=$FA_SHARED/openface-models
SET=$FA_SHARED/cen-test/model
M=lib/local/LandmarkDetector/model
SCALES='0.25 0.35 0.50 1.00'
# A store that lacks the CEN files alone, and a mirror that has files of these names: the small test set's.
store() {
    export OPENFACE_MODELS_DIR=$TMP/$1; O=$OPENFACE_MODELS_DIR/2.2.0/originals P=$OPENFACE_MODELS_DIR/2.2.0/packs
    mkdir -p "$O" && cp -r "$REPO/lib" "$O/" && chmod -R u+w "$O" && rm -f "$O/$M/patch_experts"/{ccnf,svr}*
}
mirror() { mkdir -p "$TMP/$1/$M/patch_experts" && cp "$SET"/patch_experts/*.dat "$TMP/$1/$M/patch_experts/" && chmod -R u+w "$TMP/$1"; }
get() { want_rc "$1" fa-models get --accept-license "${@:2}" ceclm; }
one_message() { [ "$(grep -c '^fa-models: ' "$TMP/err")" = "$(grep -c . "$TMP/err")" ] || { echo "more than messages:"; cat "$TMP/err"; return 1; }; }
nothing_left() {
    local left; left=$(find "$OPENFACE_MODELS_DIR" -name '*cen_patches*' -o -name '*.part' -o -name '*.tmp*' -o -name 'main_ceclm*.pack')
    [ -z "$left" ] || { echo "left behind: $left"; return 1; }
}

a_wrong_digest_is_refused_with_both_digests() {
    store wrong && mirror small && get 3 --url-base "file://$TMP/small" && one_message && nothing_left &&
    want_err 'cen_patches_0.25_of.dat' && want_err 99d3df9888115428075de7b8f1bc86176881de640c2fdf47e2ab0cee556661bf &&
    want_err "$(sha256sum "$SET/patch_experts/cen_patches_0.25_of.dat" | cut -d' ' -f1)"
}
failing_mirrors_say_how_to_import() {
    store none && mkdir -p "$TMP/empty" && get 3 --url-base "file://$TMP/empty" --url-base http://127.0.0.1:9 && one_message && nothing_left &&
    want_err 'cen_patches_0.25_of.dat' && want_err "'fa-models import' takes a folder"
}
changed_files_are_taken_when_asked_and_make_a_pack() {
    store changed && mirror small && get 0 --accept-changed --url-base "file://$TMP/small" || return 1
    local s; for s in $SCALES; do same "$O/$M/patch_experts/cen_patches_${s}_of.dat" "$SET/patch_experts/cen_patches_${s}_of.dat" || return 1; done
    ls "$P"/main_ceclm_general-*.pack && [ -z "$(find "$OPENFACE_MODELS_DIR" -name '*.part' -o -name '*.tmp*')" ] && want_rc 0 fa-models show ceclm &&
    grep -q 'main/experts/kind.u8.3.cen' "$TMP/out"
}
a_file_cut_short_is_never_taken() {
    store cut && mirror cut || return 1
    local at; for at in 0 11 5000 1000000 2974999; do       # in the scale, centres, an expert, the last byte
        head -c $at "$SET/patch_experts/cen_patches_0.25_of.dat" >"$TMP/cut/$M/patch_experts/cen_patches_0.25_of.dat"
        get 3 --accept-changed --url-base "file://$TMP/cut" && one_message && want_err 'cen_patches_0.25_of.dat' || { echo "cut at $at"; return 1; }
        [ ! -e "$O/$M/patch_experts/cen_patches_0.25_of.dat" ] && [ -z "$(ls "$P"/main_ceclm* 2>/dev/null)" ] || { echo "kept, cut at $at"; return 1; }
    done
}
a_single_file_and_a_folder_can_be_imported() {
    store imported && want_rc 0 fa-models import --accept-changed "$SET/patch_experts/cen_patches_1.00_of.dat" &&
    same "$O/$M/patch_experts/cen_patches_1.00_of.dat" "$SET/patch_experts/cen_patches_1.00_of.dat" &&
    want_rc 3 fa-models pack "$O/$M/main_ceclm_general.txt" && want_err 'cen_patches_0.25_of.dat' && [ -z "$(ls "$P" 2>/dev/null)" ] &&
    want_rc 0 fa-models import --accept-changed "$SET/patch_experts" && want_rc 0 fa-models pack "$O/$M/main_ceclm_general.txt" && ls "$P"/main_ceclm*.pack
}
import_without_accept_changed_refuses_them() {
    store refused && want_rc 3 fa-models import "$SET/patch_experts" && want_err 'not the listed file' && nothing_left
}
a_list_that_names_a_missing_file_says_which() {
    local at=$TMP/named/cen-test/model
    mkdir -p "$at" && cp "$SET"/*.txt "$at/" && chmod u+w "$at"/* && sed -i 's/cen_patches_0.50_of/cen_patches_0.51_of/' "$at/cen_general.txt" &&
    ln -s "$(realpath "$REPO")" "$TMP/named/openface-models" && ln -s "$(realpath "$SET/patch_experts")" "$at/patch_experts" || return 1
    export OPENFACE_MODELS_DIR=$TMP/named/store
    want_rc 3 fa-models pack -o "$TMP/named.pack" "$at/main_ceclm_general.txt" && want_err 'cen_patches_0.51_of.dat' && one_message && [ ! -e "$TMP/named.pack" ] &&
    want_rc 3 fa-landmarks --model "$at/main_ceclm_general.txt" /dev/null && want_err 'cen_patches_0.51_of.dat' && [ -z "$(ls "$TMP"/named/store/2.2.0/packs 2>/dev/null)" ]
}
wrong_use_exits_2() { want_rc 2 fa-models get ceclm2 && want_rc 2 fa-models get --url-base; }

for f in a_wrong_digest_is_refused_with_both_digests failing_mirrors_say_how_to_import changed_files_are_taken_when_asked_and_make_a_pack \
    a_file_cut_short_is_never_taken a_single_file_and_a_folder_can_be_imported import_without_accept_changed_refuses_them \
    a_list_that_names_a_missing_file_says_which wrong_use_exits_2; do
    if [ ! -d "$REPO" ] || [ ! -d "$SET" ]; then skip $f 'no model files beside the project'
    elif ! command -v curl >/dev/null; then skip $f 'no curl'
    else t $f; fi
done
exit $failed
