#!/bin/sh
# Builds the tools that make a release, at the versions of go.release.mod, into bin/tools. Tools that
# are newer than go.release.mod are not built again.
set -eu
cd "$(dirname "$0")/.."
build() { # name package
	[ -n "$(find bin/tools -name "$1" -newer go.release.mod 2>/dev/null)" ] && return
	echo "building $1 into bin/tools (once; it takes minutes)" >&2
	go build -modfile=go.release.mod -trimpath -ldflags '-s -w' -o "bin/tools/$1" "$2"
}
mkdir -p bin/tools
build goreleaser github.com/goreleaser/goreleaser/v2
build cyclonedx-gomod github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
