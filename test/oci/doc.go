// Package oci has other programs' libraries judge the artifacts of statestore/oci: those of Flux,
// cosign and go-containerregistry. It is a module of its own, so that its dependencies are nobody
// else's.
package oci
