#!/usr/bin/env bash
# fa-models: the store, downloads (from local servers only), imports, checks, packs.
. tests/cli/lib.sh
export OPENFACE_MODELS_DIR=$TMP/store
unset FA_MODELS OPENFACE_MODELS_MIRROR OPENFACE_MODELS_ACCEPT_LICENSE
REPO=$FA_SHARED/openface-models
M=lib/local/LandmarkDetector/model
store() { export OPENFACE_MODELS_DIR=$TMP/$1; O=$OPENFACE_MODELS_DIR/2.2.0/originals; P=$OPENFACE_MODELS_DIR/2.2.0/packs; }

table_of_files_is_made_from_the_list() { sh models/make-table.sh | cmp - lib/import/files_tab.h; }
help_and_version_exit_0() { want_rc 0 fa-models -h && grep -q 'usage: fa-models' "$TMP/out" && want_rc 0 fa-models --version && grep -q '^fa-models ' "$TMP/out"; }
wrong_use_exits_2() {
    want_rc 2 fa-models && want_rc 2 fa-models nonsense && want_rc 2 fa-models get nix && want_rc 2 fa-models import && want_rc 2 fa-models --nix &&
    want_rc 2 fa-models show && want_rc 2 fa-models pack a b
}
every_option_is_in_the_page() {
    local bad=0 o
    for o in $(grep -oE '^  -[^ ,]+|, -[a-z]\b|--[a-z-]+' <(fa-models -h) | tr -d ' ,' | sort -u); do
        grep -qE "(Fl|Fl -?|, Fl) ?-?${o#-}|Fl ${o#-}\b" man/fa-models.1 || { echo "$o is not in the page"; bad=1; }
    done
    return $bad
}
pages_are_clean() { mandoc -Tlint -W warning man/fa-models.1 man/fa-model.5; }
an_empty_store_says_what_to_do() {
    store empty
    want_rc 3 fa-models show clnf && want_err "run 'fa-models get clnf'" && want_rc 0 fa-models list && grep -q 'clnf.0 of ' "$TMP/out" && want_rc 0 fa-models verify
}
get_without_consent_exits_2() { store consent; want_rc 2 fa-models get && want_err 'fa-models get --accept-license' && want_err 'noncommercial research' && [ ! -e "$O" ]; }

get_fetches_verifies_and_packs() {
    store whole
    want_rc 0 fa-models get --accept-license --url-base "file://$(realpath "$REPO")" clnf && want_rc 0 fa-models list || return 1
    grep -q 'clnf.88 of 88' "$TMP/out" && ls "$P"/main_clnf_general-*.pack && [ -z "$(find "$O" -name '*.part')" ] &&
    cmp "$O/$M/mtcnn_detector/ONet.dat" "$REPO/$M/mtcnn_detector/ONet.dat" || return 1
    # Nothing lacking: no consent asked, nothing fetched.
    want_rc 0 fa-models get --url-base file:///nowhere && want_rc 0 fa-models verify && ! grep -q DIFFERS "$TMP/out"
}
# A store with all files of clm (quicker to pack) but one.
lacking() { # store, file
    store "$1" && mkdir -p "$O" && cp -r "$REPO/lib" "$O/" && chmod -R u+w "$O" && rm -f "$O/$2" "$O/$M/patch_experts"/ccnf*
}
get1() { want_rc "$1" fa-models get --accept-license "${@:2}" clm; }
ONET=$M/mtcnn_detector/ONet.dat

# Server: `cut` sends half of ONet.dat's remaining bytes, then drops the connection, the first N times; logs each Range.
cat >"$TMP/server.py" <<'PY'
import http.server, os, re, sys
root, port_file, log, cuts = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global cuts
        data = open(root + self.path, 'rb').read()
        r = self.headers.get('Range')
        with open(log, 'a') as f: f.write('%s %s\n' % (self.path.split('/')[-1], r or '-'))
        start = int(re.match(r'bytes=(\d+)-', r).group(1)) if r else 0
        self.send_response(206 if r else 200)
        if r: self.send_header('Content-Range', 'bytes %d-%d/%d' % (start, len(data) - 1, len(data)))
        self.send_header('Content-Length', str(len(data) - start))
        self.end_headers()
        part = data[start:]
        if cuts > 0:
            cuts -= 1
            part = part[:len(part) // 2]
        self.wfile.write(part)
        self.close_connection = True
    def log_message(self, *a): pass
s = http.server.HTTPServer(('127.0.0.1', 0), H)
open(port_file + '.new', 'w').write(str(s.server_address[1]))
os.rename(port_file + '.new', port_file)
s.serve_forever()
PY
serve() { # name, cuts -> URL in $url; the server ends with this test
    rm -f "$TMP/$1.port"
    python3 "$TMP/server.py" "$REPO" "$TMP/$1.port" "$TMP/$1.log" "$2" & server=$!
    trap 'kill $server 2>/dev/null' EXIT
    for _ in $(seq 100); do [ -e "$TMP/$1.port" ] && break; sleep 0.05; done
    url=http://127.0.0.1:$(cat "$TMP/$1.port")
}
a_cut_download_is_resumed_in_the_same_run() {
    lacking cut1 "$ONET" && serve cut1 1 && get1 0 --url-base "$url" && cmp "$O/$ONET" "$REPO/$ONET" && cat "$TMP/cut1.log" &&
    [ "$(cat "$TMP/cut1.log")" = "$(printf 'ONet.dat -\nONet.dat bytes=864796-')" ]
}
a_partial_file_is_kept_and_resumed_by_the_next_run() {
    lacking cut2 "$ONET" && head -c 1000000 "$REPO/$ONET" >"$O/$ONET.part" && get1 3 --url-base http://127.0.0.1:9 && [ -s "$O/$ONET.part" ] || return 1
    serve cut2 0 && get1 0 --url-base "$url" && cmp "$O/$ONET" "$REPO/$ONET" && [ ! -e "$O/$ONET.part" ] &&
    [ "$(cat "$TMP/cut2.log")" = 'ONet.dat bytes=1000000-' ]
}
a_wrong_partial_file_is_fetched_anew() {
    lacking cut3 "$ONET" && head -c 1000 /dev/zero >"$O/$ONET.part" && get1 0 --url-base "file://$(realpath "$REPO")" && cmp "$O/$ONET" "$REPO/$ONET"
}
a_server_without_ranges_starts_over() {
    lacking plain "$ONET" && head -c 1000 "$REPO/$ONET" >"$O/$ONET.part" || return 1
    python3 -u -m http.server --bind 127.0.0.1 -d "$REPO" 0 >"$TMP/plain.out" 2>&1 & server=$!
    trap 'kill $server 2>/dev/null' EXIT
    for _ in $(seq 100); do port=$(grep -oE 'port [0-9]+' "$TMP/plain.out" | grep -oE '[0-9]+'); [ -n "$port" ] && break; sleep 0.05; done
    get1 0 --url-base "http://127.0.0.1:$port" && cmp "$O/$ONET" "$REPO/$ONET"
}
the_second_mirror_is_tried_after_a_404() {
    lacking mirror "$ONET" && mkdir -p "$TMP/nothing" && get1 0 --url-base "file://$TMP/nothing" --url-base "file://$(realpath "$REPO")" && cmp "$O/$ONET" "$REPO/$ONET" &&
    rm "$O/$ONET" && OPENFACE_MODELS_MIRROR="file://$TMP/nothing file://$(realpath "$REPO")" get1 0 && rm "$O/$ONET" && get1 3 --url-base "file://$TMP/nothing" && want_err 'ONet.dat'
}
# A tree whose AU file differs from the list but parses; and one with garbage.
changed() { # name, file, bytes to put at 60000
    mkdir -p "$TMP/$1/$(dirname "$2")" && cp "$REPO/$2" "$TMP/$1/$2" && chmod u+w "$TMP/$1/$2" && printf "$3" | dd of="$TMP/$1/$2" bs=1 seek=60000 conv=notrunc 2>/dev/null
}
AU=lib/local/FaceAnalyser/AU_predictors/svm_combined/AU_28_dynamic.dat
a_file_with_another_digest_is_refused_with_both() {
    lacking wrong "$AU" && changed changed "$AU" '\001' && get1 3 --url-base "file://$TMP/changed" || return 1
    want_err "$(sha256sum "$TMP/changed/$AU" | cut -d' ' -f1)" && want_err 5cb9f6cc232d0cb3a4a0e8c733a4fe4f2fea5e3ca6df97225e10ab10cbc89d1c &&
    [ ! -e "$O/$AU" ] && [ ! -e "$O/$AU.part" ]
}
a_changed_file_is_taken_when_asked_and_remembered() {
    lacking taken "$AU" && changed changed "$AU" '\001' && get1 0 --accept-changed --url-base "file://$TMP/changed" && cmp "$O/$AU" "$TMP/changed/$AU" &&
    want_rc 0 fa-models verify && grep -q 'AU_28_dynamic.dat.changed (accepted)' "$TMP/out" && want_rc 0 fa-models get --url-base file:///nowhere clm
}
a_changed_file_that_does_not_parse_is_never_taken() {
    lacking garbage "$AU" && mkdir -p "$TMP/garbage2/$(dirname "$AU")" && head -c 70000 "$REPO/$AU" >"$TMP/garbage2/$AU" &&
    get1 3 --accept-changed --url-base "file://$TMP/garbage2" && want_err 'byte [0-9]+' && [ ! -e "$O/$AU" ]
}
# On a terminal (a pty of python's) get asks; the answer is typed.
typed() { # answer, command...: exit status of the command
    python3 - "$@" >"$TMP/out" 2>&1 <<'PY'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[2], sys.argv[2:])
seen = b''
while True:
    try: got = os.read(fd, 1000)
    except OSError: break
    if not got: break
    if b'Type yes:' in seen + got and b'Type yes:' not in seen: os.write(fd, sys.argv[1].encode() + b'\n')
    seen += got
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
}
get_asks_on_a_terminal() {
    lacking asks "$ONET"; typed no fa-models get --url-base "file://$(realpath "$REPO")" clm; [ $? -eq 2 ] && grep -q 'noncommercial research' "$TMP/out" && [ ! -e "$O/$ONET" ] || return 1
    typed yes fa-models get --url-base "file://$(realpath "$REPO")" clm && cmp "$O/$ONET" "$REPO/$ONET"
}
without_curl_get_exits_3() {
    lacking nocurl "$ONET" && mkdir -p "$TMP/bin0" && local tool; tool=$(command -v fa-models)
    PATH=$TMP/bin0 /usr/bin/timeout 60 "$tool" get --accept-license clm 2>"$TMP/err" </dev/null; [ $? -eq 3 ] && want_err 'curl: program not found'
}

import_takes_trees_of_any_layout_and_single_files() {
    store imp1; want_rc 0 fa-models import "$REPO" && want_rc 0 fa-models list && grep -q 'clnf.88 of 88' "$TMP/out" && grep -q 'clm.84 of 84' "$TMP/out" || return 1
    mkdir -p "$TMP/installed" && cp -r "$REPO/$M" "$TMP/installed/model" && cp -r "$REPO/lib/local/FaceAnalyser/AU_predictors" "$TMP/installed/"
    store imp2; want_rc 0 fa-models import "$TMP/installed" && want_rc 0 fa-models list && grep -q 'clnf.88 of 88' "$TMP/out" || return 1
    store imp3; want_rc 0 fa-models import "$REPO/$M" && want_rc 0 fa-models import "$REPO/lib/local/FaceAnalyser/AU_predictors" && want_rc 0 fa-models list && grep -q 'clnf.88 of 88' "$TMP/out" || return 1
    store imp4; want_rc 0 fa-models import "$REPO/$ONET" && cmp "$O/$ONET" "$REPO/$ONET" && want_rc 0 fa-models import "$REPO/$M/pdms/In-the-wild_aligned_PDM_68.txt" &&
    [ -e "$O/$M/pdms/In-the-wild_aligned_PDM_68.txt" ] && [ -e "$O/lib/local/FaceAnalyser/AU_predictors/In-the-wild_aligned_PDM_68.txt" ]
}
import_of_nothing_useful_exits_1() { store imp5; want_rc 1 fa-models import man && want_rc 1 fa-models import Makefile && want_rc 1 fa-models import /nowhere && want_err 'not there'; }
import_refuses_a_damaged_file() { store imp6; changed damaged "$AU" '\001'; want_rc 3 fa-models import "$TMP/damaged" && want_err 'not the listed file' && [ ! -e "$O/$AU" ]; }
verify_finds_a_flipped_byte_in_originals_and_packs() {
    lacking flip none && want_rc 0 fa-models pack clm && want_rc 0 fa-models verify || return 1
    printf '\377' | dd of="$O/$ONET" bs=1 seek=5000 conv=notrunc 2>/dev/null
    want_rc 3 fa-models verify && want_err 'ONet.dat: SHA-256' && grep -q 'ONet.dat.DIFFERS' "$TMP/out" && cp -f "$REPO/$ONET" "$O/$ONET" || return 1
    local pack; pack=$(ls "$P"/*.pack); chmod u+w "$pack"
    printf '\377' | dd of="$pack" bs=1 seek=5000000 conv=notrunc 2>/dev/null
    want_rc 3 fa-models verify && want_err 'checksum differs'
}
packs_open_by_every_name() {
    lacking names none && want_rc 0 fa-models pack -o "$TMP/n/clm.pack" clm && return 1     # no such folder: exit 3
    mkdir -p "$TMP/n" && want_rc 0 fa-models pack -o "$TMP/n/clm.pack" clm || return 1
    for m in clm "$TMP/n/clm.pack" "$O/$M/main_clm_general.txt"; do want_rc 0 fa-models show "$m" && cp "$TMP/out" "$TMP/last" && grep -q 'main/experts/kind.u8.3.svr' "$TMP/out" || return 1; done
    grep -q '^au/dynamic/class/weights.f64.18x4704' "$TMP/last" || return 1
    store none; FA_MODELS=$TMP/n want_rc 0 fa-models show clm && same "$TMP/out" "$TMP/last" && FA_MODELS=$REPO want_rc 0 fa-models show clm && same "$TMP/out" "$TMP/last" &&
    FA_MODELS=$TMP/n want_rc 3 fa-models pack && want_err "set 'clnf'" && FA_MODELS=$TMP/n/clm.pack want_rc 0 fa-models pack && want_rc 3 fa-models show nix && want_err 'neither a file nor a model set'
}
the_same_files_elsewhere_give_the_same_pack() {
    store here; mkdir -p "$TMP/else" && cp -r "$REPO/lib" "$TMP/else/"
    want_rc 0 fa-models pack -o "$TMP/a.pack" "$REPO/$M/main_clm_general.txt" && want_rc 0 fa-models pack -o "$TMP/b.pack" "$TMP/else/$M/main_clm_general.txt" &&
    same "$TMP/a.pack" "$TMP/b.pack" && [ "$(ls "$P"/*.pack | wc -l)" -eq 1 ]
}
two_at_once_do_no_harm() {
    store race; local i pids=()
    for i in 1 2 3 4; do fa-models pack "$REPO/$M/main_clm_general.txt" >"$TMP/race$i" & pids+=($!); done
    for i in "${pids[@]}"; do wait "$i" || return 1; done
    for i in 2 3 4; do same "$TMP/race1" "$TMP/race$i" || return 1; done
    [ "$(ls "$P" | wc -l)" -eq 2 ] && want_rc 0 fa-models verify
}
a_store_that_cannot_be_written_is_no_error() {
    export OPENFACE_MODELS_DIR=/dev/null/nowhere
    want_rc 0 fa-models pack "$REPO/$M/main_clm_general.txt" && [ ! -s "$TMP/err" ]
}
a_set_with_a_scale_missing_says_which() { store cen; want_rc 3 fa-models pack "$REPO/$M/main_ceclm_general.txt" && want_err 'no .*cen_patches_0.25_of.dat here' && want_err 'fa-models get' && [ -z "$(ls "$OPENFACE_MODELS_DIR"/2.2.0/packs 2>/dev/null)" ]; }

for f in table_of_files_is_made_from_the_list help_and_version_exit_0 wrong_use_exits_2 every_option_is_in_the_page an_empty_store_says_what_to_do get_without_consent_exits_2; do t $f; done
if command -v mandoc >/dev/null; then t pages_are_clean; else skip pages_are_clean 'no mandoc'; fi
with_files='get_fetches_verifies_and_packs a_wrong_partial_file_is_fetched_anew the_second_mirror_is_tried_after_a_404 a_file_with_another_digest_is_refused_with_both
    a_changed_file_is_taken_when_asked_and_remembered a_changed_file_that_does_not_parse_is_never_taken'
with_server='a_cut_download_is_resumed_in_the_same_run a_partial_file_is_kept_and_resumed_by_the_next_run a_server_without_ranges_starts_over
    get_asks_on_a_terminal'
plain='without_curl_get_exits_3 import_takes_trees_of_any_layout_and_single_files import_of_nothing_useful_exits_1 import_refuses_a_damaged_file
    verify_finds_a_flipped_byte_in_originals_and_packs packs_open_by_every_name the_same_files_elsewhere_give_the_same_pack two_at_once_do_no_harm
    a_store_that_cannot_be_written_is_no_error a_set_with_a_scale_missing_says_which'
for f in $with_files $with_server $plain; do
    if [ ! -d "$REPO" ]; then skip $f 'no OpenFace model files'
    elif [[ " $with_files $with_server " == *[[:space:]]$f[[:space:]]* ]] && ! command -v curl >/dev/null; then skip $f 'no curl'
    elif [[ " $with_server " == *[[:space:]]$f[[:space:]]* ]] && ! command -v python3 >/dev/null; then skip $f 'no python3'
    else t $f; fi
done
exit $failed
