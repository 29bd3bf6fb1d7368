#!/usr/bin/env bash
# Builds the servers that tests start: the S3 servers into bin/s3 and the OCI registry into bin/oci, at
# the versions that test/s3 and test/oci pin. Existing programs are not built again. The first build
# takes about five minutes on two cores. An argument, s3 or oci, names the only kind to build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD

build() { # kind name package
	local out=$root/bin/$1/$2
	[ -x "$out" ] && [ ! "test/$1/$2/go.mod" -nt "$out" ] && return
	echo "building $2 into bin/$1 (once; it takes minutes)" >&2
	mkdir -p "bin/$1"
	CGO_ENABLED=0 go -C "test/$1/$2" build -trimpath -ldflags '-s -w' -o "$out.new" "$3"
	mv "$out.new" "$out"
}

case ${1:-all} in s3 | all)
	build s3 minio github.com/minio/minio
	build s3 versitygw github.com/versity/versitygw/cmd/versitygw
	;;
esac
case ${1:-all} in oci | all) build oci registry github.com/distribution/distribution/v3/cmd/registry ;; esac
