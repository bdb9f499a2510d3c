# bash completion for fa, its stages and shmload. SPDX-License-Identifier: BSD-2-Clause
# Options are listed here once per program; tests/cli/completion.sh holds them against what each program's -h says.

_fa_options() { # PROGRAM
    local model='--model' groups='-2Dfp -3Dfp -pdmparams -pose -aus -gaze' common='-q -v -h --help --version'
    local stage="-o --output -z --zstd --node --cpus --quiet --verbose $common" filter='--model -t --threads'
    local decode='--cfr --start --duration --frames --color --no-autorotate --fx --fy --cx --cy'
    local look='--nomask --gray --simscale --simsize --nobadaligned'
    case $1 in
    fa) echo "-o --output -j --resume --list-left --files-from -0 --null --tree --segments --fail-fast -k --keep-going --deadline --grace --joblog --node --cpus --profile --provenance --no-provenance
              -n --dry-run -t $model $decode --detect-all --detect-every --wild --multi-view --aligned $look
              --au-static --online --hog --median --save-median $groups --of21 --precision --distance --pts --details --line-buffered $common" ;;
    fa-decode) echo "-S --shared $decode --threads --probe -0 --null $stage" ;;
    fa-detect) echo "-a --all -n --every $filter $stage" ;;
    fa-landmarks) echo "--keep-frames --multi-view --wild --aligned $look --progress-fd $filter $stage" ;;
    fa-aus) echo "--online --image --au-static --median --save-median --hog --keep-crops $filter $stage" ;;
    fa-csv) echo "-o --output $groups --of21 --precision --distance --pts --clip-column --details --provenance --request --line-buffered --quiet --verbose $common" ;;
    fa-join) echo "--segments --files-from --progress-fd -o --output -z --zstd --quiet --verbose $common" ;;
    fa-view) echo "-j --pixels -c -s -k -f -r --cut -z -o $common" ;;
    fa-slurm) echo "-o --output --status --resume --files-from --tree $model --fa --per-task -c --cpus-per-task --mem --time -p --partition -A --account
                    --keep --quick --force --no-submit -n --dry-run --quiet --verbose $common" ;;
    fa-models) echo "--accept-license --url-base --accept-changed -o $common" ;;
    fa-report) echo "--tsv --json --min-success --min-confidence --strict --quiet --verbose $common" ;;
    shmload) echo "-N --numa -w --wait --timeout -l --list -V --verify -d --drop --quiet --verbose $common" ;;
    fa-compare) echo "--gate --factor --gate-all --gold --json --provenance --tolerances --quiet --verbose $common" ;;
    esac
}

# What may follow an option that takes an argument; nothing for one that takes none.
_fa_argument() { # PROGRAM OPTION
    case $1:$2 in
    *:--model) echo files ceclm clnf clm starter ;;
    *:--color) echo words bt601 tag ;;
    *:-o | *:--output) echo files ;;
    *:--median | *:--save-median | fa:--files-from | fa-slurm:--files-from | fa:--joblog) echo files ;;
    fa-aus:--hog) echo files ;;
    *:--hog | *:--aligned | *:--tree | *:--gate-all | *:--gold) echo folders ;;
    *:-z | *:--zstd) echo words 1 3 9 19 ;;
    fa:--profile) echo words accurate optimized fast video ;;
    fa-view:-r) echo words clip frame faces landmarks crop aus end other ;;
    fa-slurm:--fa | fa-slurm:--per-task | fa-slurm:-c | fa-slurm:--cpus-per-task | fa-slurm:--mem | fa-slurm:--time) echo words ;;
    fa-slurm:-p | fa-slurm:--partition | fa-slurm:-A | fa-slurm:--account) echo words ;;
    fa:-j | *:--segments | fa-join:--files-from | fa:--node | fa:--cpus | fa:--deadline | fa:--grace) echo words ;;
    fa-view:-f | fa-detect:-n | fa-detect:--every | fa:--detect-every) echo words ;;
    *:--start | *:--duration | *:--frames | *:--fx | *:--fy | *:--cx | *:--cy | *:--simscale | *:--simsize | *:--precision | *:--factor) echo words ;;
    *:-t | *:--threads | *:--node | *:--cpus | *:--timeout | *:--progress-fd | *:--url-base | *:--request | *:--min-success) echo words ;;
    *:--min-confidence) echo words 0.5 0.75 0.9 ;;
    esac
}

_fa_complete() {
    local program=${COMP_WORDS[0]##*/} cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} what words
    read -r what words <<<"$(_fa_argument "$program" "$prev")"
    COMPREPLY=()
    if [ -z "$what" ]; then
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$(_fa_options "$program")" -- "$cur")
            return
        fi
        what=files
        if [ "$program" = fa-models ] && [ "$COMP_CWORD" -eq 1 ]; then what=words words='get import list verify pack show'; fi
        if [ "$program" = fa-models ] && [ "$COMP_CWORD" -gt 1 ]; then words='clnf clm ceclm'; fi
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    case $what in
    files) compopt -o filenames 2>/dev/null; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur") ;;
    folders) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    esac
}

complete -F _fa_complete fa fa-decode fa-detect fa-join fa-landmarks fa-aus fa-csv fa-view fa-models fa-compare fa-report fa-slurm shmload
