#!/bin/sh
# Builds a release of the commit HEAD without publishing it: release.sh DIRECTORY [host]. With host, only
# the platform of this machine. Files that are not committed are not in it. RELEASE_CACHE is a
# directory for the cache of the compiler; without it, the usual one is used.
set -eu
cd "$(dirname "$0")/.."
checkout=$PWD
to=$1 only=${2:-all}
rm -rf "$to"
mkdir -p "$to"
to=$(cd "$to" && pwd)

# A clone, since goreleaser wants a remote, and so that the path is another each time.
clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
git clone -q "$checkout" "$clone/source"
cd "$clone/source"
git checkout -q "$(git -C "$checkout" rev-parse HEAD)"
config=.goreleaser.yaml
if [ "$only" = host ]; then
	config=../host.yaml
	sed -e "s/^    goos: .*/    goos: [$(go env GOHOSTOS)]/" -e "s/^    goarch: .*/    goarch: [$(go env GOHOSTARCH)]/" .goreleaser.yaml >"$config"
fi
[ -z "${RELEASE_CACHE:-}" ] || export GOCACHE="$RELEASE_CACHE"
PATH=$checkout/bin/tools:$PATH goreleaser release --snapshot --clean --skip=sign --config "$config"
cp -R dist/. "$to"
