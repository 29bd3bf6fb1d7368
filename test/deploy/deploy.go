// Package deploy checks what lies in deploy/: Helm's own library lints and renders
// the chart, kustomize builds the rest, and both must come to the same objects. It
// is a module of its own, so that nobody else downloads Helm.
package deploy
