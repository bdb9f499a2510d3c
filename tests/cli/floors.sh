#!/usr/bin/env bash
# A room includes only headers of rooms on lower floors (and its own); cmd/ includes no internal header.
. tests/cli/lib.sh
rooms_use_only_lower_floors() {
    awk -F'|' '/^\| [0-9]/ { gsub(/ /, ""); print $2, $3 }' lib/README.md >"$TMP/floor"
    local bad=0
    while read -r file inc; do
        inc=${inc#*\"}; inc=${inc%\"*}
        from=$(cut -d/ -f2 <<<"$file"); to=$(ls lib/*/"$inc" 2>/dev/null | head -1 | cut -d/ -f2)
        [ -n "$to" ] && [ "$to" != "$from" ] || continue
        ff=$(awk -v r="$from" '$2==r{print $1}' "$TMP/floor"); ft=$(awk -v r="$to" '$2==r{print $1}' "$TMP/floor")
        [ "$ft" -lt "$ff" ] || { echo "$file (floor $ff) includes $inc (room $to, floor $ft)"; bad=1; }
        case $inc in *_internal.h) echo "$file includes $inc of another room"; bad=1;; esac
    done < <(grep -rHoE '#include "[^"]+"' lib --include=*.c --include=*.h | sed 's/:#include / /')
    if grep -rnE '#include ".*_internal.h"' cmd; then bad=1; fi
    return $bad
}
t rooms_use_only_lower_floors
exit $failed
