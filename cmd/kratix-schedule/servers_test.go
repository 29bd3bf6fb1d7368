package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kratix-schedule/kratix-schedule/internal/comment/commenttest"
	"github.com/kratix-schedule/kratix-schedule/internal/discover/discovertest"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

type servers struct {
	kube        *httptest.Server
	reports     *httptest.Server
	http, https *httptest.Server

	forge, broken *commenttest.Forge
	ca            []byte
	shell         *gittest.Shell
}

func newServers(t *testing.T) *servers {
	t.Helper()
	repository := gittest.Bare(t)
	const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
	gittest.Commit(t, repository, "sound", map[string]string{"worker-1/resources/default/redis/one/pipe/5058f/x.yaml": configMap})
	gittest.Commit(t, repository, "main", map[string]string{
		"worker-1/resources/default/redis/one/pipe/5058f/x.yaml": configMap,
		"worker-1/resources/default/redis/two/pipe/5058f/x.yaml": configMap,
	})
	root := filepath.Dir(repository)
	tls := gittest.Serve(t, root)
	plain := httptest.NewServer(gittest.Backend(t, root))
	t.Cleanup(plain.Close)
	cluster := discovertest.New()
	cluster.Down = []string{"metrics.k8s.io"}
	kube := httptest.NewServer(cluster)
	t.Cleanup(kube.Close)
	broken := commenttest.NewGitHub(t)
	broken.Refuse = func(*http.Request, http.Header) int { return http.StatusBadGateway }
	daemons := httptest.NewServer(reports())
	t.Cleanup(daemons.Close)
	return &servers{
		forge: commenttest.NewGitHub(t), broken: broken, kube: kube, reports: daemons,
		http: plain, https: tls.Server, ca: tls.CA, shell: gittest.ServeSSH(t, root),
	}
}

func (s *servers) setup(env *testscript.Env) error {
	for name, value := range map[string]string{
		"HTTP": s.http.URL + "/store.git", "HTTPS": s.https.URL + "/store.git", "SSH": s.shell.URL + "/store.git",
		"FORGE": s.forge.URL, "BROKEN_FORGE": s.broken.URL, "COMMENT_TOKEN": commenttest.Token,
		"KUBE": s.kube.URL, "REPORTS": s.reports.URL, "HOST": s.http.Listener.Addr().String(), "GIT_USER": gittest.User, "GIT_PASSWORD": gittest.Password, "GIT_PASSPHRASE": s.shell.Passphrase,
	} {
		env.Setenv(name, value)
	}
	for name, content := range map[string]string{
		"ca.pem": string(s.ca), "key": s.shell.Key, "locked": s.shell.Locked, "known_hosts": s.shell.KnownHosts,
	} {
		path := filepath.Join(env.WorkDir, ".login", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}
