#!/usr/bin/env bash
# fa-compare: figures and verdicts against the project's judge (tools/compare.py), limits, errors.
. tests/cli/lib.sh
judge=$FA_SHARED/tools/compare.py

# Two CSVs with all kinds of columns, made here: video (frame ..) and image (face ..).
make_csv() { # video|image ROWS SEED
    awk -v kind="$1" -v n="$2" -v seed="$3" 'BEGIN { srand(seed)
        m = split("gaze_0_x gaze_angle_x eye_lmk_x_0 eye_lmk_y_0 eye_lmk_X_0 pose_Tx pose_Rx x_0 x_1 y_0 y_1 X_0 Z_0 p_scale p_rx p_tx p_0 p_1 AU01_r AU45_r AU01_c AU28_c", name, " ")
        printf "%s", kind == "video" ? "frame,face_id,timestamp,confidence,success" : "face,confidence"
        for (k = 1; k <= m; k++) printf ",%s", name[k]; print ""
        for (i = 1; i <= n; i++) {
            if (kind == "video") printf "%d,0,%.3f,0.98,%d", i, i / 30, i % 7 != 0; else printf "%d,0.981", i - 1
            for (k = 1; k <= m; k++) printf ",%.3f", name[k] ~ /_c$/ ? int(2 * rand()) : (name[k] ~ /_r$/ ? (i % 9) / 3 + 0.01 * rand() : 3 * rand())
            print "" } }'
}
a_file_passes_against_itself() {
    make_csv video 50 1 >"$TMP/a"; make_csv image 3 1 >"$TMP/i"; zstd -q "$TMP/a" -o "$TMP/a.zst"; sed 's/,/, /g; s/$/\r/' "$TMP/a" >"$TMP/b"
    for f in a a.zst b; do want_rc 0 fa-compare --gate "$TMP/a" "$TMP/$f" && grep -q '^GATE ok$' "$TMP/out" && grep -q 'all rows equal' "$TMP/out" || return 1; done
    want_rc 0 fa-compare --gate "$TMP/i" "$TMP/i" && fa-compare --gate "$TMP/a.zst" - <"$TMP/a" >/dev/null && want_rc 0 bash -c "fa-compare --gate - '$TMP/a' <'$TMP/a.zst'"
}
each_kind_of_fault_fails_the_gate() {
    make_csv video 50 1 >"$TMP/a"
    while IFS='|' read -r why program; do
        awk -F, -v OFS=, "NR > 1 { $program } 1" "$TMP/a" >"$TMP/b"
        want_rc 1 fa-compare --gate "$TMP/a" "$TMP/b" && grep -qE "GATE FAIL: .*$why" "$TMP/out" || { echo "$why"; cat "$TMP/out"; return 1; }
        want_rc 0 fa-compare "$TMP/a" "$TMP/b" || return 1
    done <<'LIST'
lm2d bias x 0.300|$13 += 0.3; $14 += 0.3
lm2d mean 0.2|$13 += 0.4 * (NR % 2 ? 1 : -1); $14 += 0.4 * (NR % 2 ? 1 : -1)
lm3d p95|if (NR % 5 == 0) $17 += 5
rows: reference 50, new 49, common 49|if (NR == 9) next
success differs in 2 rows|if (NR == 3 || NR == 4) $5 = 0
timestamp differs by 0.0020|$3 += 0.002
confidence mean|$4 -= 0.02
pose_r mean 0.003|$12 += 0.003
AU01_r Pearson r|$24 = (NR % 9 > 4)
AU45_r mean difference 0.100|$25 += 0.1
AU28_c differs in 10 of 50 rows|if (NR % 5 == 0) $27 = 1 - $27
non-finite values: 1|if (NR == 6) $10 = "nan"
LIST
    cut -d, -f1-8,10- "$TMP/a" >"$TMP/b"; want_rc 1 fa-compare --gate "$TMP/a" "$TMP/b" && grep -q 'columns missing: eye_lmk_y_0;\|columns missing: eye_lmk_y_0$\|columns missing: eye_lmk_x_0' "$TMP/out" &&
    awk -F, -v OFS=, '{ t = $13; $13 = $14; $14 = t } 1' "$TMP/a" >"$TMP/b" && want_rc 1 fa-compare --gate "$TMP/a" "$TMP/b" && grep -q 'column order differs' "$TMP/out" &&
    awk -F, -v OFS=, 'NR > 1 { $12 += 0.003 } 1' "$TMP/a" >"$TMP/b" && want_rc 0 fa-compare --gate --factor 2 "$TMP/a" "$TMP/b" &&
    awk -F, -v OFS=, 'NR > 1 { $12 += 6.283 } 1' "$TMP/a" >"$TMP/b" && want_rc 0 fa-compare --gate "$TMP/a" "$TMP/b"     # a turn
}
bad_csv_is_named_with_its_line() {
    make_csv video 5 1 >"$TMP/a"
    while IFS='|' read -r why program; do
        sed "$program" "$TMP/a" >"$TMP/b"; want_rc 1 fa-compare "$TMP/a" "$TMP/b" && want_err "b: $why" || { echo "$why"; return 1; }
    done <<'LIST'
line 3: 26 fields, the header has 27|3s/,[^,]*$//
line 4: 28 fields, the header has 27|4s/$/,1/
line 2, column timestamp: '0x1' is not a number|2s/0.033/0x1/
line 2, column timestamp: '' is not a number|2s/0.033//
line 5, column confidence: 'abcdefghijklmnopqrst...' is not a number|5s/0.98/abcdefghijklmnopqrstuvwxyz/
line 1: column x_0 twice|1s/x_1/x_0/
line 1: name of column 3 has 0 characters|1s/timestamp//
line 1: name of column 1 has 70 characters|1s/frame/fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffframe/
empty file|d
LIST
    sed 's/^3,/2,/' "$TMP/a" >"$TMP/b"; want_rc 1 fa-compare "$TMP/a" "$TMP/b" && want_err 'lines 3 and 4 are the same frame' &&
    want_rc 1 fa-compare "$TMP/a" "$TMP/none" && want_err 'No such file' && want_rc 1 fa-compare "$TMP/a" "$TMP" &&
    zstd -q "$TMP/a" -o "$TMP/z" && head -c 100 "$TMP/z" >"$TMP/cut.zst" && want_rc 1 fa-compare "$TMP/a" "$TMP/cut.zst" && want_err 'stops before its end' &&
    make_csv image 3 1 >"$TMP/i" && want_rc 1 fa-compare "$TMP/a" "$TMP/i" && want_err 'no rows in common' && want_rc 1 fa-compare /dev/null "$TMP/a"
}
wrong_use_of_fa_compare() {
    make_csv video 5 1 >"$TMP/a"; mkdir "$TMP/empty"
    want_rc 2 fa-compare "$TMP/a" && want_rc 2 fa-compare - - && want_rc 2 fa-compare --factor x "$TMP/a" "$TMP/a" && want_rc 2 fa-compare --gate-all "$TMP" &&
    want_rc 2 fa-compare --gate-all "$TMP" --gold "$TMP/empty" && want_err 'no golds found' && want_rc 2 fa-compare --nothing && want_rc 1 fa-compare --gate-all "$TMP" --gold "$TMP/a" &&
    want_rc 0 fa-compare -h && want_rc 0 fa-compare --version && want_rc 0 fa-compare --tolerances && grep -qE '^lm2d +0.15 +0.45 +px$' "$TMP/out" &&
    want_rc 3 bash -c "fa-compare '$TMP/a' '$TMP/a' >/dev/full"
}
limits_in_the_manual_are_those_of_the_program() {
    fa-compare --tolerances | awk 'NF == 4 && $2 + 0 { print $1, $2, $3 }' >"$TMP/limits"
    [ "$(wc -l <"$TMP/limits")" -eq 13 ] || return 1
    mandoc -T ascii man/fa-compare.1 | sed 's/.\x08//g' | awk 'NF >= 3 { print $1, $2, $3 }' >"$TMP/page"
    while read -r line; do grep -qxF -- "$line" "$TMP/page" || { echo "man page lacks: $line"; return 1; }; done <"$TMP/limits"
}
# Both on each pair of a list "REF NEW [FACTOR]": exit status, reasons word for word, figures to 1e-9. The judge is loaded once.
cat >"$TMP/agree.py" <<'PY'
import json, subprocess, sys, math
judge = {'__name__': 'judge', '__file__': sys.argv[1]}
exec(open(sys.argv[1]).read().replace('\nmain()\n', '\n'), judge)
def same(p, q, where):
    if isinstance(p, dict):
        assert list(p) == list(q), (where, list(p), list(q))
        for k in p: same(p[k], q[k], where + '/' + k)
    elif isinstance(p, list):
        assert len(p) == len(q), (where, p, q)
        for i, (x, y) in enumerate(zip(p, q)): same(x, y, where + '/%d' % i)
    elif isinstance(p, float) and not isinstance(q, bool):
        assert (math.isnan(p) and math.isnan(q)) or abs(p - q) <= 1e-9, (where, p, q)
    else: assert p == q and type(p) == type(q), (where, p, q)
n = 0
for line in sys.stdin:
    ref, new, *factor = line.split()
    o, fails = judge['compare'](ref, new, *[float(f) for f in factor])
    run = subprocess.run(['fa-compare', '--json', '--gate'] + sum([['--factor', f] for f in factor], []) + [ref, new], stdout=subprocess.PIPE)
    assert run.returncode == bool(fails), (line, run.returncode, fails)
    same(json.loads(json.dumps({'result': o, 'fails': fails})), json.loads(run.stdout), new)
    n += 1
print(n, 'pairs agree')
PY
cat >"$TMP/spoil.py" <<'PY'
# The reference's CSV with one fault of each kind, into files of the folder argv[2].
import sys, subprocess, random
lines = subprocess.run(['zstd', '-dcq', sys.argv[1]], stdout=subprocess.PIPE).stdout.decode().splitlines()
head = lines[0].split(','); rows = [l.split(',') for l in lines[1:]]
def out(name, h, r): open(sys.argv[2] + '/' + name, 'w').write('\n'.join(','.join(x) for x in [h] + r) + '\n')
def shifted(r): return [('%.1f' % (float(v) + 0.3) if c.startswith('x_') else v) for c, v in zip(head, r)]
def swap(r, a, b):
    r = list(r); i, j = head.index(a), head.index(b); r[i], r[j] = r[j], r[i]; return r
out('shift', head, [shifted(r) for r in rows])
out('swap', head, [swap(swap(r, 'AU25_r', 'AU26_r'), 'AU01_c', 'AU02_c') for r in rows])
out('drop', head, rows[:len(rows) // 2] + rows[len(rows) // 2 + 1:])
out('order', [head[i] for i in [*range(20), 21, 20, *range(22, len(head))]], rows)
out('fewer', head[:-30], [r[:-30] for r in rows])
if 'success' in head:
    k = head.index('success'); out('success', head, [r[:k] + ['0' if i % 11 == 3 else r[k]] + r[k + 1:] for i, r in enumerate(rows)])
    k = head.index('timestamp'); out('time', head, [r[:k] + ['%.3f' % (float(r[k]) + i * 1e-4)] + r[k + 1:] for i, r in enumerate(rows)])
random.seed(5)
out('noise', head, [r[:5] + ['%.6f' % (float(v) + random.gauss(0, 0.05)) for v in r[5:]] for r in rows])
r = [list(x) for x in rows]; r[0][head.index('x_5')] = 'nan'; r[-1][head.index('AU45_r')] = 'inf'; out('nan', head, r)
k = [i for i, c in enumerate(head) if c.endswith('_rz') or c.endswith('_Rz')]
out('turn', head, [[('%.3f' % (float(v) + 6.283)) if i in k else v for i, v in enumerate(r)] for r in rows])
PY
agrees_with_the_judge_on_every_gold_and_on_faults_of_it() {
    local g f d n=0
    for g in "$FA_SHARED"/gold/*/*.csv.zst; do
        case $g in *.hp.csv.zst) continue;; esac
        echo "$g $g"
        case $g in */small320/clnf.*|*/face_then*/clnf.*|*/images/sample[26].*|*/image_sequence/*) ;; *) continue;; esac
        d=$TMP/bad$((n++)); mkdir "$d"; /usr/bin/python3 "$TMP/spoil.py" "$g" "$d" || return 1
        for f in "$d"/*; do echo "$g $f"; done
    done >"$TMP/list"
    [ "$(wc -l <"$TMP/list")" -ge 60 ] && /usr/bin/python3 "$TMP/agree.py" "$judge" <"$TMP/list"
}
agrees_with_the_judge_between_golds_and_by_factor() {
    local d=$FA_SHARED/gold
    printf '%s\n' "$d/default/clnf.csv.zst $d/default/clm.csv.zst" "$d/small320/clnf.csv.zst $d/small320/clm.csv.zst 7.5" \
        "$d/default/clnf.hp.csv.zst $d/default/clnf_static.csv.zst" | /usr/bin/python3 "$TMP/agree.py" "$judge"
}
agrees_with_the_judge_on_a_whole_folder() {
    local d=$FA_SHARED/gold
    mkdir -p "$TMP/new/small320" "$TMP/new/images"
    cp "$d/small320/clm.csv.zst" "$TMP/new/small320/clm.csv.zst"; zstd -dcq "$d/odd321x241/clnf.csv.zst" >"$TMP/new/odd321x241.csv"
    zstd -dcq "$d/rotate90/clnf.csv.zst" | sed 5d >"$TMP/new/rotate90.csv"; cp "$d/images/sample2.csv.zst" "$TMP/new/images/"
    /usr/bin/python3 "$judge" --gate-all "$TMP/new" --gold "$d" >"$TMP/1"; [ $? -eq 1 ] && want_rc 1 fa-compare --gate-all "$TMP/new" --gold "$d" && same "$TMP/1" "$TMP/out"
}
t a_file_passes_against_itself
t each_kind_of_fault_fails_the_gate
t bad_csv_is_named_with_its_line
t wrong_use_of_fa_compare
if command -v mandoc >/dev/null; then t limits_in_the_manual_are_those_of_the_program; else skip limits_in_the_manual_are_those_of_the_program 'no mandoc'; fi
for f in agrees_with_the_judge_on_every_gold_and_on_faults_of_it agrees_with_the_judge_between_golds_and_by_factor agrees_with_the_judge_on_a_whole_folder; do
    if [ ! -f "$judge" ]; then skip $f 'no shared folder'
    elif ! /usr/bin/python3 -c 'import numpy' 2>/dev/null; then skip $f 'no python3-numpy'
    else t $f; fi
done
exit $failed
