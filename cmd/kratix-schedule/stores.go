package main

import (
	"fmt"
	"net/mail"
	"os"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/open"
)

type gitFlags struct {
	template  string
	trailers  []string
	author    string
	committer string
}

func (f *gitFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.template, "commit-template", "", "text of commits, as a Go template with .Subject, .List, .Trailers, .Placements, .More, .Store, .Owner, .Written, .Removed, .Label and .Annotation; a bucket has no commits")
	c.Flags().StringArrayVar(&f.trailers, "commit-trailer", nil, `trailer of commits, as "Key: template" with .Action, .Work, .Destination, .Promise, .Resource, .Label and .Annotation of each placement; may be repeated`)
	c.Flags().StringVar(&f.author, "author-from-annotation", "", "annotation of Works that names the author of their commits, as \"Name <address>\", an address or a name; anyone who may write a Work chooses it")
	c.Flags().StringVar(&f.committer, "committer", "", `committer of commits, as "Name <address>"; by default the author of the state store`)
}

func (f *gitFlags) parse(c *cobra.Command, owner string) (open.Commits, error) {
	parsed := open.Commits{Owner: owner}
	if f.template != "" {
		message, err := git.ParseMessage(f.template)
		if err != nil {
			return parsed, usage(c, "--commit-template: "+err.Error())
		}
		parsed.Message = message
	}
	if len(f.trailers) > 0 {
		trailers, err := git.ParseTrailers(f.trailers)
		if err != nil {
			return parsed, usage(c, "--commit-trailer "+err.Error())
		}
		parsed.Trailers = trailers
	}
	if f.author != "" {
		if wrong := validation.IsQualifiedName(f.author); len(wrong) > 0 {
			return parsed, usage(c, fmt.Sprintf("--author-from-annotation %q: it cannot be the name of an annotation", f.author))
		}
		parsed.AuthorAnnotation = f.author
	}
	if f.committer != "" {
		address, err := mail.ParseAddress(f.committer)
		if err != nil || address.Name == "" {
			return parsed, usage(c, `--committer: write it as "Name <address>"`)
		}
		parsed.Committer = git.Author{Name: address.Name, Email: address.Address}
	}
	return parsed, nil
}

type branchFlags struct{ create bool }

func (f *branchFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.create, "create-branch", false, "let the first write create a missing branch of a GitStateStore from the default branch of the repository; without it a missing branch is an error. In an empty repository the branch is always created")
}

func storesOf(commits open.Commits, branches branchFlags) *open.Stores {
	return &open.Stores{
		Commits: commits, CreateBranch: branches.create, Now: time.Now, RegistryTokens: os.Getenv(envPrefix + "REGISTRY_TOKENS"),
		Notify: func(message string) { _, _ = fmt.Fprintln(os.Stderr, "warning:", printable.Line(message)) },
	}
}
