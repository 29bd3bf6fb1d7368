package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/listing"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
)

type storeFlag struct{ url, key, knownHosts string }

func (f *storeFlag) add(c *cobra.Command) {
	c.Flags().StringVar(&f.url, "store", "", "state store to read: a git repository as URL@branch, or a bucket as s3://BUCKET/PREFIX?endpoint=HOST&region=REGION&insecure=true; user and password of a repository are in the URL or in "+
		repoUserVariable+" and "+repoPasswordVariable+", the keys of a bucket in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	c.Flags().StringVar(&f.key, "repo-key", "", "private key for a --store over ssh; by default the user's own in ~/.ssh")
	c.Flags().StringVar(&f.knownHosts, "repo-known-hosts", "", "known_hosts file with the server's key for a --store over ssh; by default ~/.ssh/known_hosts")
	pathFlags(c, "repo-key", "repo-known-hosts")
}

const bucketScheme = "s3://"

// open returns the store that the flag names, with its row of the list of stores.
func (f *storeFlag) open(c *cobra.Command) (statestore.Store, listing.Store, error) {
	if strings.HasPrefix(f.url, bucketScheme) {
		return f.openBucket(c)
	}
	if strings.HasPrefix(f.url, "oci://") {
		return nil, listing.Store{}, usage(c, "--store: a registry cannot list the repositories of its Destinations: name the OCIStateStore and its Destinations with -f, or use --kube")
	}
	address, branch := splitBranch(f.url)
	row := listing.Store{Kind: kratix.GitStateStoreKind, StoreName: strings.TrimSuffix(baseName(address), ".git"), URL: statestore.RedactURLs(address)}
	if isDir(address) {
		address = absolute(address)
	}
	config := git.Config{Name: "--store", URL: address, Branch: branch, CreateBranch: branch == "", Now: time.Now}
	login := treeFlags{repo: f.url, key: f.key, knownHosts: f.knownHosts}
	if err := login.logIn(&config); err != nil {
		return nil, row, err
	}
	if _, err := kratix.ParseGitURL(address); err != nil {
		return nil, row, usage(c, "--store: "+statestore.RedactURLs(err.Error()))
	}
	store, err := git.Open(config)
	if err != nil {
		return nil, row, f.invalid(c, err)
	}
	return store, row, nil
}

func (f *storeFlag) openBucket(c *cobra.Command) (statestore.Store, listing.Store, error) {
	row := listing.Store{Kind: kratix.BucketStateStoreKind}
	parsed, err := url.Parse(f.url)
	if err != nil || parsed.Host == "" || parsed.User != nil {
		return nil, row, usage(c, "--store: write a bucket as s3://BUCKET/PREFIX?endpoint=HOST, with its keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	query := parsed.Query()
	for name := range query {
		if name != "endpoint" && name != "region" && name != "insecure" {
			return nil, row, usage(c, fmt.Sprintf("--store: a bucket has no parameter %q: use endpoint, region or insecure=true", name))
		}
	}
	if scheme, host, has := strings.Cut(query.Get("endpoint"), "://"); has {
		text := "--store: write the endpoint without its scheme, as endpoint=" + host
		if scheme == "http" {
			text += "&insecure=true"
		}
		return nil, row, usage(c, text)
	}
	row.StoreName, row.URL = parsed.Host, bucketScheme+parsed.Host+parsed.Path
	config := bucket.Config{
		Name: "--store", Endpoint: cmp.Or(query.Get("endpoint"), "s3.amazonaws.com"), Bucket: parsed.Host, Path: parsed.Path, Region: query.Get("region"),
		Insecure: query.Get("insecure") == "true", Auth: bucket.Auth{IAM: true},
	}
	if key, secret := os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"); key != "" && os.Getenv("AWS_SESSION_TOKEN") == "" {
		config.Auth = bucket.Auth{AccessKeyID: key, SecretAccessKey: secret}
	}
	store, err := bucket.Open(config)
	if err != nil {
		return nil, row, f.invalid(c, err)
	}
	return store, row, nil
}

// bucketFix replaces the fix in an error about a bucket without a BucketStateStore.
func bucketFix(err error) error {
	var failed *statestore.Error
	if !errors.As(err, &failed) {
		return err
	}
	explained := *failed
	switch {
	case errors.Is(err, statestore.ErrDenied):
		explained.Fix = "Put keys that may list and read the bucket into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
	case failed.Field == "spec.insecure":
		explained.Fix = "Add insecure=true to the URL of --store if the server has no TLS, and leave it out if it has."
	case errors.Is(err, statestore.ErrMisconfigured):
		explained.Fix = "Check the bucket and the endpoint in the URL of --store."
	default:
		explained.Fix = "Check that the server can be reached, and try again."
	}
	return &explained
}

func (*storeFlag) invalid(c *cobra.Command, err error) error {
	var failed *statestore.Error
	if !errors.As(err, &failed) {
		return err
	}
	return usage(c, "--store: "+statestore.RedactURLs(strings.TrimPrefix(failed.Err.Error(), statestore.ErrMisconfigured.Error()+": ")))
}

func (f *storeFlag) withFix(err error) error {
	if strings.HasPrefix(f.url, bucketScheme) {
		err = bucketFix(err)
	} else {
		login := treeFlags{repo: f.url, key: f.key, knownHosts: f.knownHosts}
		err = login.withoutStoreFix(storeBranch(err))
	}
	var failed *statestore.Error
	if !errors.As(err, &failed) {
		return err
	}
	return exit{code: exitFailure, text: failed.Error() + "\nfix: " + failed.Fix}
}

func storeBranch(err error) error {
	var failed *statestore.Error
	if !errors.As(err, &failed) || failed.Field != "spec.branch" {
		return err
	}
	return exit{code: exitUsage, text: "--store: " + strings.TrimPrefix(failed.Err.Error(), statestore.ErrMisconfigured.Error()+": ")}
}

type storeRows struct {
	flag    *storeFlag
	store   statestore.Store
	row     listing.Store
	std     streams
	foreign int
}

var _ rowSource = (*storeRows)(nil)

func newStoreRows(c *cobra.Command, flag *storeFlag, std streams) (*storeRows, error) {
	store, row, err := flag.open(c)
	if err != nil {
		return nil, err
	}
	return &storeRows{flag: flag, store: store, row: row, std: std}, nil
}

func (r *storeRows) list(ctx context.Context) (listing.Listing, error) {
	state, err := r.store.Read(ctx)
	if err != nil {
		return listing.Listing{}, r.flag.withFix(err)
	}
	if state.Revision == "" {
		return listing.Listing{}, exit{code: exitUsage, text: fmt.Sprintf("--store: there is nothing in %s: no such repository or bucket, or it was never written", r.row.URL)}
	}
	list, foreign, err := listing.FromRecords(ctx, state, r.row)
	if err != nil {
		return listing.Listing{}, r.flag.withFix(err)
	}
	if len(foreign) > 0 && len(foreign) != r.foreign {
		more := ""
		if len(foreign) > 1 {
			more = fmt.Sprintf(" and %d more", len(foreign)-1)
		}
		warn(r.std, "%s%s in %s is not a record of a placement and was left out", foreign[0], more, r.row.URL)
	}
	r.foreign = len(foreign)
	return list, nil
}

func (*storeRows) problem() error { return nil }
