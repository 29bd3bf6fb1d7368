package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func checkout(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return dir
}

const aDestination = "apiVersion: platform.kratix.io/v1alpha1\nkind: GitStateStore\nmetadata: {name: default}\nspec: {url: 'https://git.example.com/x'}\n---\napiVersion: platform.kratix.io/v1alpha1\nkind: Destination\nmetadata: {name: d}\nspec: {stateStoreRef: {kind: GitStateStore, name: default}}\n"

func commandLine(args ...string) (code int, out string) {
	var text bytes.Buffer
	code = execute(context.Background(), args, streams{out: &text, err: &text})
	return code, text.String()
}

func TestConfigurationCannotRedirectCredentials(t *testing.T) {
	var mu sync.Mutex
	var logins, requests int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		requests++
		if r.Header.Get("Authorization") != "" {
			logins++
		}
		w.Header().Set("WWW-Authenticate", "Basic")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	t.Setenv("KRATIX_SCHEDULE_REPO_USERNAME", "u")
	t.Setenv("KRATIX_SCHEDULE_REPO_PASSWORD", "s3cret-w0rd")
	checkout(t, map[string]string{configName: "repo: " + server.URL + "/x.git@main\nfilename: [in.yaml]\n", "in.yaml": aDestination})
	for name, test := range map[string]struct {
		host   string
		args   []string
		sent   bool
		output string
	}{
		"by the file":                       {"", nil, false, "set KRATIX_SCHEDULE_REPO_HOST=" + host},
		"by the file, for another host":     {"git.example.com", nil, false, "set KRATIX_SCHEDULE_REPO_HOST=" + host},
		"by the file, unencrypted":          {host, nil, false, "use https://"},
		"by the user":                       {"", []string{"--repo", server.URL + "/x.git@main", "in.yaml"}, true, ""},
		"by plan, where the file names one": {"", []string{"plan"}, false, "set KRATIX_SCHEDULE_REPO_HOST=" + host},
	} {
		t.Run(name, func(t *testing.T) {
			mu.Lock()
			logins, requests = 0, 0
			mu.Unlock()
			t.Setenv("KRATIX_SCHEDULE_REPO_HOST", test.host)
			args := append([]string{"validate"}, test.args...)
			if len(test.args) > 0 && test.args[0] == "plan" {
				args = test.args
			}
			code, out := commandLine(args...)
			mu.Lock()
			defer mu.Unlock()
			if requests == 0 || code != exitFailure {
				t.Fatalf("exit %d after %d requests: %s", code, requests, out)
			}
			if (logins > 0) != test.sent {
				t.Errorf("%d requests with credentials", logins)
			}
			if !strings.Contains(out, test.output) || strings.Contains(out, "s3cret-w0rd") {
				t.Errorf("it says %s", out)
			}
		})
	}
}

func TestServerOf(t *testing.T) {
	for repository, want := range map[string]struct {
		address string
		plain   bool
	}{
		"https://git.example.com/x":          {"git.example.com", false},
		"https://u:p@Git.Example.com:443/x":  {"git.example.com", false},
		"https://git.example.com:8443/x":     {"git.example.com:8443", false},
		"http://git.example.com/x":           {"git.example.com", true},
		"ssh://git@git.example.com:22/x":     {"git.example.com", false},
		"git@git.example.com:x/y.git":        {"git.example.com", false},
		"https://git.example.com@evil.org/x": {"evil.org", false},
		"file:///srv/x":                      {"", false},
		"../x":                               {"", false},
		"git://git.example.com/x":            {"git.example.com", true},
	} {
		if address, plain := serverOf(repository); address != want.address || plain != want.plain {
			t.Errorf("%s: %q, %t", repository, address, plain)
		}
	}
}

func TestConfigurationDoesNotWriteOutsideOfTheCheckout(t *testing.T) {
	for name, test := range map[string]struct {
		config string
		args   []string
		// link is the target of the symlink out, or empty if out is a directory.
		link   string
		code   int
		output string
	}{
		"inside":                   {"output: [html=report.html]", nil, "", exitClean, ""},
		"above":                    {"output: ['html=../pwned.html']", nil, "", exitUsage, "outside of"},
		"absolute":                 {"output: ['html=TOP/pwned.html']", nil, "", exitUsage, "outside of"},
		"up and down":              {"output: ['html=a/../../pwned.html']", nil, "", exitUsage, "outside of"},
		"by a link":                {"output: ['html=out/pwned.html']", nil, "..", exitFailure, "out/pwned.html"},
		"by a link to the file":    {"output: ['html=out']", nil, "../pwned.html", exitFailure, "escapes"},
		"a baseline above":         {"baseline: ../pwned.html", []string{"--write-baseline"}, "", exitUsage, "outside of"},
		"a baseline by a link":     {"baseline: out/pwned.html", []string{"--write-baseline"}, "..", exitFailure, "out/pwned.html"},
		"above, by the user":       {"", []string{"-o", "html=../pwned.html"}, "", exitClean, ""},
		"by a link, by the user":   {"", []string{"-o", "html=out/pwned.html"}, "..", exitClean, ""},
		"over one, by the user":    {"output: ['html=../pwned.html']", []string{"-o", "html=report.html"}, "", exitClean, ""},
		"a baseline, by the user":  {"", []string{"--write-baseline", "--baseline", "../pwned.html"}, "", exitClean, ""},
		"a baseline inside":        {"baseline: known.yaml", []string{"--write-baseline"}, "", exitClean, ""},
		"a baseline that is there": {"baseline: known.yaml", nil, "", exitUsage, "there is no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			top := checkout(t, map[string]string{"repo/in.yaml": aDestination})
			config := strings.ReplaceAll(test.config, "TOP", filepath.ToSlash(top))
			if err := os.WriteFile("repo/"+configName, []byte("filename: [in.yaml]\n"+config+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Chdir("repo")
			if test.link != "" {
				if err := os.Symlink(test.link, "out"); err != nil {
					t.Fatal(err)
				}
			}
			code, out := commandLine(append([]string{"validate"}, test.args...)...)
			if code != test.code || !strings.Contains(out, test.output) {
				t.Errorf("exit %d: %s", code, out)
			}
			byUser := len(test.args) > 0 && strings.Contains(strings.Join(test.args, " "), "pwned")
			if _, err := os.Stat(filepath.Join(top, "pwned.html")); (err == nil) != byUser {
				t.Errorf("outside there is %v", err)
			}
		})
	}
}

func TestConfigurationAboveWritesBesideItself(t *testing.T) {
	top := checkout(t, map[string]string{configName: "filename: [in.yaml]\noutput: [html=report.html]\n", "in.yaml": aDestination, "below/x": ""})
	t.Chdir("below")
	if code, out := commandLine("validate"); code != exitClean {
		t.Errorf("exit %d: %s", code, out)
	}
	if _, err := os.Stat(filepath.Join(top, "report.html")); err != nil {
		t.Error(err)
	}
}
