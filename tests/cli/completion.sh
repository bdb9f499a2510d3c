#!/usr/bin/env bash
# cmd/completion.bash offers the options that each program's -h names, no others, and what may follow them.
. tests/cli/lib.sh
. cmd/completion.bash
programs='fa fa-join fa-decode fa-detect fa-landmarks fa-aus fa-csv fa-view fa-models fa-compare fa-report fa-slurm shmload'
offer() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _fa_complete; printf '%s\n' "${COMPREPLY[@]}"; }
# Options in a usage text: -x, -2Dfp, --long; "-q, -v" and "[-qv]" too.
named() { "$1" -h | grep -oE "(^|[ [(|,])--?[A-Za-z0-9][A-Za-z0-9-]*" | grep -oE -- '--?[A-Za-z0-9][A-Za-z0-9-]*$' | grep -v -- '^-qv$\|^-B$' | sort -u; }   # -B: a range's end in fa-view's text

offers_what_the_usage_names() {
    local p missing
    for p in $programs; do
        missing=$(comm -13 <(offer $p - | sort -u) <(named $p))
        [ -z "$missing" ] || { echo "$p: not offered:" $missing; return 1; }
    done
}
offers_nothing_that_a_program_refuses() {
    local p o
    for p in $programs; do
        for o in $(offer $p -); do
            # -h behind the option ends the program; an option that it does not know, or that takes an argument we did not give, exits 2.
            if [ -n "$(_fa_argument $p "$o")" ]; then set -- "$o" 8; else set -- "$o"; fi
            case $o in --min-confidence) set -- "$o" 0.5;; --cpus | --node) set -- "$o" 0;; --model | --color | --profile) set -- "$o" "$(_fa_argument $p "$o" | cut -d' ' -f2)";; -r) set -- -r faces;; esac
            want_rc 0 "$p" "$@" -h || { echo "$p $*"; return 1; }
        done
    done
}
offers_files_folders_and_words() {
    mkdir "$TMP/w" "$TMP/w/folder"; touch "$TMP/w/file.mp4"; cd "$TMP/w" || return 1
    [ "$(offer fa-csv -o f | sort | tr '\n' ' ')" = 'file.mp4 folder ' ] && [ "$(offer fa --aligned f)" = folder ] && [ "$(offer fa-decode --color t)" = tag ] && [ "$(offer fa-models v)" = verify ] &&
    [ "$(offer fa-view -r la)" = landmarks ] && [ "$(offer fa --model cl | tr '\n' ' ')" = 'clnf clm ' ] && [ "$(offer fa-csv -2)" = -2Dfp ]
}
every_program_has_a_completion() {
    local c
    for c in cmd/fa*.c shmload/shmload.c; do complete -p "$(basename "$c" .c)" >/dev/null || return 1; done
}
# A page that is not written yet is skipped, not passed.
page_has_every_option() {
    mandoc -T ascii "man/$p.1" | sed 's/.\x08//g' >"$TMP/page"
    for o in $(offer "$p" -); do grep -qE -- "(^|[^A-Za-z0-9-])$o([^A-Za-z0-9-]|\$)" "$TMP/page" || { echo "man/$p.1 lacks $o"; return 1; }; done
}
t offers_what_the_usage_names
t offers_nothing_that_a_program_refuses
t offers_files_folders_and_words
t every_program_has_a_completion
for p in $programs; do
    name=page_of_${p//-/_}_has_every_option
    eval "$name() { page_has_every_option; }"
    if ! command -v mandoc >/dev/null; then skip "$name" 'no mandoc'; elif [ ! -f "man/$p.1" ]; then skip "$name" 'no page'; else t "$name"; fi
done
exit $failed
