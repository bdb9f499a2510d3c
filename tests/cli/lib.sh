# Helpers for command-line tests; sourced. A test is a function; `t NAME` runs it and prints PASS or FAIL.
FA_BIN=${FA_BIN:-$PWD/${B:-build}/bin}
PATH=$FA_BIN:$PATH
FA_SHARED=${FA_SHARED:-../shared}
TMP=$(mktemp -d "${FA_TMP:-/tmp}/cli.XXXXXX")
trap 'rm -rf "$TMP"' EXIT
failed=0
t() { # NAME: runs the function NAME in a subshell; output is shown only on failure
    local out
    if out=$( set -u; "$1" 2>&1 ); then echo "PASS $1"; else echo "FAIL $1"; printf '%s\n' "$out" | sed 's/^/  /' | head -40; failed=1; fi
}
skip() { echo "SKIP $1: $2"; }
want_rc() { # RC command...: the command must end with this exit status; its stderr goes to $TMP/err, stdout to $TMP/out
    local want=$1 rc; shift
    timeout 120 "$@" >"$TMP/out" 2>"$TMP/err" </dev/null; rc=$?
    [ $rc -eq "$want" ] || { echo "exit $rc, want $want: $*"; cat "$TMP/err"; return 1; }
}
want_err() { grep -qE -- "$1" "$TMP/err" || { echo "stderr lacks /$1/:"; cat "$TMP/err"; return 1; }; }
same() { cmp "$1" "$2"; }
children() { # PID: its children, one a line (no procps on a bare machine)
    local line p
    if [ -r "/proc/$1/task/$1/children" ]; then tr ' ' '\n' <"/proc/$1/task/$1/children" | grep .; return; fi
    for p in /proc/[0-9]*; do
        { while read -r line; do [ "$line" = "PPid:	$1" ] && echo "${p#/proc/}"; done <"$p/status"; } 2>/dev/null
    done
}
child_named() { # PID NAME
    local c name
    for c in $(children "$1"); do { read -r name <"/proc/$c/comm"; } 2>/dev/null && [ "$name" = "${2:0:15}" ] && echo "$c" && return; done
    return 1
}
alive() { local line; { read -r line <"/proc/$1/stat"; } 2>/dev/null && [[ ${line##*) } != Z* ]]; }
gone() { # PID...: within three seconds
    local _ p
    for _ in $(seq 60); do for p; do alive "$p" && { sleep 0.05; continue 2; }; done; return 0; done
    return 1
}

# What tests of the whole pipe run on, as $model, $clip and a $still: OpenFace's CLNF with a real clip where they lie beside the project, else the
# set and the clip in the box. Not 0: neither is there.
own=0
pipe_material() {
    model=$FA_SHARED/openface-models/lib/local/LandmarkDetector/model/main_clnf_general.txt
    clip=$FA_SHARED/videos/default.wmv still=$FA_SHARED/videos/images/sample1.jpg
    if [ ! -r "$model" ] || [ ! -r "$clip" ] || [ -n "${FA_TEST_STARTER:-}" ]; then
        own=1 model=models/starter/starter.pack clip=models/starter/demo.mp4 still=$TMP/sample1.png
        [ -r "$model" ] && [ -r "$clip" ] && ffmpeg -nostdin -v error -i "$clip" -frames:v 1 "$still" || return 1
    fi
    model=$(realpath "$model") clip=$(realpath "$clip") still=$(realpath "$still")
}
