#!/bin/sh
# Downloads the program of a release into a directory: download.sh VERSION DIRECTORY. The status is 1
# if a checksum is wrong, and 4 if there is no such release for this machine, or no way to get it.
# KRATIX_SCHEDULE_CHECKSUM is the SHA-256 of the release's checksums.txt; without it, the
# downloaded one is trusted. KRATIX_SCHEDULE_RELEASES is the URL of a mirror.
set -u
version=$1 dir=$2
base=${KRATIX_SCHEDULE_RELEASES:-https://github.com/kratix-schedule/kratix-schedule/releases/download}

say() { echo "kratix-schedule: $*" >&2; }
sum() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1; }
get() { curl --fail --silent --show-error --location --proto "$proto" --retry 2 --max-time 300 --output "$temp/$1" "$base/$version/$1"; }

case $version in
*[!0-9A-Za-z.-]* | v | [!v]* | '') say "$version is not a release"; exit 4 ;;
esac
case $(uname -s) in Linux) os=linux ;; Darwin) os=darwin ;; *) os= ;; esac
case $(uname -m) in x86_64 | amd64) arch=amd64 ;; aarch64 | arm64) arch=arm64 ;; *) arch= ;; esac
if [ -z "$os" ] || [ -z "$arch" ]; then
	say "there is no release for $(uname -s) on $(uname -m)"
	exit 4
fi
case $base in https://*) proto='=https' ;; *) proto='=http,https' ;; esac
archive=kratix-schedule_${version#v}_${os}_$arch.tar.gz

temp=$(mktemp -d) || exit 4
trap 'rm -rf "$temp"' EXIT
get checksums.txt && get "$archive" || { say "$version cannot be downloaded"; exit 4; }
if [ -n "${KRATIX_SCHEDULE_CHECKSUM:-}" ] && [ "$(sum "$temp/checksums.txt")" != "$KRATIX_SCHEDULE_CHECKSUM" ]; then
	say "checksums.txt of $version does not have the expected checksum"
	exit 1
fi
want=$(awk -v name="$archive" '$2 == name {print $1}' "$temp/checksums.txt")
if [ -z "$want" ] || [ "$(sum "$temp/$archive")" != "$want" ]; then
	say "$archive does not have the checksum that checksums.txt names"
	exit 1
fi
mkdir -p "$dir" && tar -xzf "$temp/$archive" -C "$dir" kratix-schedule || exit 4
