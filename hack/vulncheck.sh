#!/bin/sh
# Compares the modules that the program uses with Go's database of vulnerabilities. If the database cannot
# be reached, the status is 0, and 1 with STRICT=1. GOVULNDB is the URL of a copy.
set -u
cd "$(dirname "$0")/.." || exit 1
errors=$(mktemp) || exit 1
trap 'rm -f "$errors"' EXIT
go tool -modfile=go.tool.mod govulncheck ./... 2>"$errors"
status=$?
cat "$errors" >&2
[ "$status" != 0 ] || exit 0
if grep -q '^govulncheck: fetching vulnerabilities: ' "$errors"; then
	echo 'vulncheck: NOT CHECKED: the database of vulnerabilities cannot be reached' >&2
	[ "${STRICT:-}" = 1 ] || exit 0
fi
exit "$status"
