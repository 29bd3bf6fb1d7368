// Package release checks the files of a release that goreleaser has built: what is in the archives
// and packages, and whether dpkg and krew install them. It is a separate module, so that nothing
// else depends on krew.
package release
