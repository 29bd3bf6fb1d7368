package kustomize

import "github.com/kratix-schedule/kratix-schedule/internal/yamlnodes"

// maxFileNodes bounds the nodes of a file, since kustomize takes up to half a
// kilobyte for each. An object that an API server stores has up to 1.5 MiB, which
// is some 300,000 nodes as the densest JSON.
const maxFileNodes = 500_000

// manyNodes is the number of nodes from which a file is read by itself, so that
// not several such files are in memory at once.
const manyNodes = 50_000

// isLarge reports whether kustomize takes much memory to read a file.
func isLarge(content []byte) bool {
	return len(content) > manyNodes/2 && yamlnodes.AtMost(content) > manyNodes
}
