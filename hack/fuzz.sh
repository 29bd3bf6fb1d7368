#!/usr/bin/env bash
# Runs every fuzz target of the given packages, one after the other, until one finds something.
# FUZZTIME and FUZZMINIMIZE are the values of -fuzztime and -fuzzminimizetime of go test.
#
# Go before 1.27 may end a target with "context deadline exceeded" when its time is over, although
# it has found nothing (go.dev/issue/75804). Such a target runs again, up to three times in all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# ended_late reports whether the only failure in the log is that the time was over.
ended_late() {
	[ "$(sed '1,/^--- FAIL: /d; /^FAIL/d; /^exit status /d' "$log")" = '    context deadline exceeded' ]
}

fuzz() {
	local target=$1 dir=$2 left
	for left in 2 1 0; do
		if go test -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZTIME" -fuzzminimizetime "$FUZZMINIMIZE" "$dir" >"$log" 2>&1 </dev/null; then
			cat "$log"
			return
		fi
		{ [ "$left" != 0 ] && ended_late; } || break
		echo "fuzz: $target has found nothing, and ended late: once more"
	done
	cat "$log"
	return 1
}

go list -f '{{.Dir}}' "$@" | while read -r dir; do
	for target in $(grep -hosE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | cut -d' ' -f2); do
		echo "fuzz: $target in .${dir#"$PWD"} for $FUZZTIME"
		fuzz "$target" "$dir"
	done
done
