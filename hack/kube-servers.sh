#!/usr/bin/env bash
# Builds the Kubernetes API server, etcd, kubectl, Helm and Flux's kustomize-controller, which tests
# use, into bin/kube, at the versions that test/kube and test/deploy pin. Existing programs are not
# built again. The first build takes about eight minutes on two cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD

build() { # name module package [linker flags]
	local out=$root/bin/kube/$1
	[ -x "$out" ] && [ ! "test/$2/go.mod" -nt "$out" ] && return
	echo "building $1 into bin/kube (once; it takes minutes)" >&2
	CGO_ENABLED=0 go -C "test/$2" build -trimpath -ldflags "-s -w ${4:-}" -o "$out.new" "$3"
	mv "$out.new" "$out"
}

# The linker sets the version that the API server reports.
version=$(sed -n 's#^require k8s.io/kubernetes \(v[0-9.]*\).*#\1#p' test/kube/kube-apiserver/go.mod)
minor=${version#v1.}

flags="-X k8s.io/component-base/version.gitVersion=$version \
	-X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=${minor%%.*}"

mkdir -p bin/kube
build etcd kube/etcd go.etcd.io/etcd/server/v3
build kube-apiserver kube/kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver "$flags"
build kubectl kube/kube-apiserver k8s.io/kubernetes/cmd/kubectl "$flags"
build helm deploy helm.sh/helm/v3/cmd/helm
build kustomize-controller kube/kustomize-controller github.com/fluxcd/kustomize-controller
