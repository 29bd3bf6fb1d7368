#!/bin/sh
# Builds the program from two clones at different paths, and compares the two. It takes seconds once
# `make build` has compiled everything; make nightly compares whole releases, with a compiler cache
# of their own.
set -eu
cd "$(dirname "$0")/.."
clones=$(mktemp -d)
trap 'rm -rf "$clones"' EXIT
for path in a/one b/two; do
	git clone -q . "$clones/$path"
	make --no-print-directory -C "$clones/$path" build >/dev/null
done
cmp "$clones/a/one/bin/kratix-schedule" "$clones/b/two/bin/kratix-schedule"
echo 'same-binary: two builds are the same, byte for byte'
