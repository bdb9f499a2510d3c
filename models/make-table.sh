#!/bin/sh
# The list of OpenFace's model files as a C table, one line a file:   sh models/make-table.sh >lib/import/files_tab.h
# (tests/cli/models.sh checks that the committed table is this script's output). Several URLs are separated by a blank.
cd "$(dirname "$0")" || exit 1
echo '/* Made by models/make-table.sh from models/openface-2.2.0.tsv. Do not edit. */'
awk -F'\t' 'NR > 1 { printf "{ \"%s\", \"%s\", %s, \"%s\", \"%s\" },\n", $1, $2, $3, $4, $5 }' openface-2.2.0.tsv
