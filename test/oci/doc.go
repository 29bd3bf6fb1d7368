// Package oci checks the artifacts of statestore/oci with the libraries of Flux, cosign and
// go-containerregistry. It is a separate module, so that the program does not depend on them.
package oci
