// Package deploy checks the contents of deploy/. Helm's library lints and renders the chart,
// kustomize builds the other directories, and both must have the same objects. It is a separate
// module, so that nothing else depends on Helm.
package deploy
