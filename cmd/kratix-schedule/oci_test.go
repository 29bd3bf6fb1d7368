package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kratix-schedule/kratix-schedule/internal/servertest"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci/ocitest"
)

func TestOCIScripts(t *testing.T) {
	tutorial, err := filepath.Abs("../../testdata/elastic-cloud")
	if err != nil {
		t.Fatal(err)
	}
	proxy := ocitest.NewProxy(t, ocitest.RegistryWithLogin(t))
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/oci",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"envsubst": envsubst,
			"files":    func(ts *testscript.TestScript, _ bool, args []string) { ociFiles(ts, args[0], args[1]) },
			"uploads":  func(ts *testscript.TestScript, _ bool, _ []string) { uploads(ts, proxy) },
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("TUTORIAL", tutorial)
			env.Setenv("REGISTRY", proxy.Endpoint)
			env.Setenv("PREFIX", ocitest.Prefix())
			env.Setenv("USERNAME", ocitest.Username)
			env.Setenv("PASSWORD", ocitest.Password)
			return nil
		},
	})
}

// ociFiles prints the files in the newest artifact of a Destination.
func ociFiles(ts *testscript.TestScript, url, dir string) {
	store, err := oci.Open(oci.Config{
		Name: "test", URL: url, Dir: dir, Insecure: true, Auth: oci.Auth{Username: ocitest.Username, Password: ocitest.Password},
	})
	ts.Check(err)
	state, err := statestore.Store(store).Read(context.Background())
	ts.Check(err)
	for path := range state.Files.All() {
		_, _ = fmt.Fprintln(ts.Stdout(), path)
	}
	_, _ = fmt.Fprintln(ts.Stdout(), state.Files.Len(), "files")
}

// uploads prints the requests since the last call that are neither GET nor HEAD.
func uploads(ts *testscript.TestScript, proxy *servertest.Proxy) {
	for _, request := range proxy.Requests() {
		var method, what string
		_, _ = fmt.Sscan(request, &method, &what)
		if method != http.MethodGet && method != http.MethodHead {
			_, _ = fmt.Fprintln(ts.Stdout(), request)
		}
	}
	_, _ = fmt.Fprintln(ts.Stdout(), "no more uploads")
}
