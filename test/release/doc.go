// Package release checks the files of a release that goreleaser has built. It is a separate module,
// so that the program does not depend on krew.
package release
