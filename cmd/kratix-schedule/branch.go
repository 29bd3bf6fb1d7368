package main

import (
	"context"
	"slices"

	gogit "github.com/go-git/go-git/v5"
	gitconfig "github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"
)

// hasBranch tells whether a repository has a branch. A store shows the default
// branch where its own is not there yet; a check must not be content with that.
func hasBranch(ctx context.Context, url, branch string) (bool, error) {
	remote := gogit.NewRemote(memory.NewStorage(), &gitconfig.RemoteConfig{Name: "origin", URLs: []string{url}})
	refs, err := remote.ListContext(ctx, &gogit.ListOptions{})
	if err != nil {
		return false, err
	}
	wanted := plumbing.NewBranchReferenceName(branch)
	return slices.ContainsFunc(refs, func(ref *plumbing.Reference) bool { return ref.Name() == wanted }), nil
}
