#!/bin/sh
# Writes the completions of the shells into bin/completions, for a release.
set -eu
cd "$(dirname "$0")/.."
mkdir -p bin/completions
program=$(mktemp)
trap 'rm -f "$program"' EXIT
env -u GOOS -u GOARCH go build -buildvcs=false -o "$program" ./cmd/kratix-schedule
for shell in bash zsh fish; do
	"$program" completion "$shell" >"bin/completions/kratix-schedule.$shell"
done
