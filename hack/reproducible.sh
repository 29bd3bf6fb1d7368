#!/bin/sh
# Builds a release a second time, at another path, and compares it with a first one: reproducible.sh
# DIRECTORY [host].
set -eu
cd "$(dirname "$0")/.."
second=$(mktemp -d)
trap 'rm -rf "$second"' EXIT
sh hack/release.sh "$second" "${2:-all}"
files() { (cd "$1" && find . -type f \( -name '*.tar.gz' -o -name '*.zip' -o -name '*.deb' -o -name '*.rpm' -o -name '*.cdx.json' -o -name checksums.txt -o -path './krew/*' \) | sort); }
[ "$(files "$1" | wc -l)" -ge 6 ] || { echo "reproducible: there is no release in $1" >&2; exit 1; }
[ "$(files "$1")" = "$(files "$second")" ] || { echo 'reproducible: the two builds have different files' >&2; exit 1; }
status=0
for file in $(files "$1"); do
	cmp "$1/$file" "$second/$file" || status=1
done
[ "$status" = 0 ] && echo "reproducible: $(files "$1" | wc -l) files are the same in two builds"
exit "$status"
