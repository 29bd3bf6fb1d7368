package oci_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/servertest"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci/ocitest"
)

// through returns a Config whose requests go through a proxy.
func through(t testing.TB, config oci.Config) (oci.Config, *servertest.Proxy) {
	t.Helper()
	host, rest, _ := strings.Cut(strings.TrimPrefix(config.URL, "oci://"), "/")
	proxy := ocitest.NewProxy(t, host)
	config.URL = strings.TrimSuffix("oci://"+proxy.Endpoint+"/"+rest, "/")
	return config, proxy
}

// plainKey returns a new unencrypted private key.
func plainKey(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// below returns a view of a directory of a store, with relative paths.
func below(dir string, store *oci.Store) statestore.Store {
	return inDirectory{store, testkit.Path(dir)}
}

type inDirectory struct {
	*oci.Store
	dir tree.Path
}

func (d inDirectory) Read(ctx context.Context) (statestore.State, error) {
	state, err := d.Store.Read(ctx)
	return d.relative(state), err
}

func (d inDirectory) At(ctx context.Context, revision statestore.Revision) (statestore.State, error) {
	state, err := d.Store.At(ctx, revision)
	return d.relative(state), err
}

func (d inDirectory) relative(state statestore.State) statestore.State {
	files := map[tree.Path]statestore.Digest{}
	for path, digest := range state.Files.All() {
		below, _ := path.RelativeTo(d.dir)
		files[below] = digest
	}
	state.Files = statestore.FilesOf(files)
	state.Contents = inDirectoryContents{state.Contents, d.dir}
	return state
}

func (d inDirectory) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	inside := changes
	inside.Write, inside.Remove = nil, nil
	for _, file := range changes.Write {
		inside.Write = append(inside.Write, tree.File{Path: d.dir.Join(file.Path), Content: file.Content})
	}
	for _, path := range changes.Remove {
		inside.Remove = append(inside.Remove, d.dir.Join(path))
	}
	return d.Store.Apply(ctx, inside)
}

type inDirectoryContents struct {
	statestore.Contents
	dir tree.Path
}

func (c inDirectoryContents) Content(ctx context.Context, p tree.Path) ([]byte, error) {
	return c.Contents.Content(ctx, c.dir.Join(p))
}
