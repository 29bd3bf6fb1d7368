#!/usr/bin/env bash
# Builds the S3 servers that tests start into bin/s3, at the versions that test/s3 pins. Existing
# programs are not built again. The first build takes about five minutes on two cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD

build() { # name package
	local out=$root/bin/s3/$1
	[ -x "$out" ] && [ ! "test/s3/$1/go.mod" -nt "$out" ] && return
	echo "building $1 into bin/s3 (once; it takes minutes)" >&2
	CGO_ENABLED=0 go -C "test/s3/$1" build -trimpath -ldflags '-s -w' -o "$out.new" "$2"
	mv "$out.new" "$out"
}

mkdir -p bin/s3
build minio github.com/minio/minio
build versitygw github.com/versity/versitygw/cmd/versitygw
