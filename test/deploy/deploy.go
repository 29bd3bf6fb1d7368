// Package deploy checks the contents of deploy/: Helm's own library lints and renders the
// chart, kustomize builds the rest, and both must yield the same objects. It is a separate
// module, so that nothing else depends on Helm.
package deploy
