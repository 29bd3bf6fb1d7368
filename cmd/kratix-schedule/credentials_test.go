package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

const secretStore = `
---
apiVersion: platform.kratix.io/v1alpha1
kind: GitStateStore
metadata: {name: %[1]s}
spec: {url: %[2]q, authMethod: %[3]s, secretRef: {name: %[1]s, namespace: default}}
---
apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {name: %[1]s}
spec: {path: %[1]s, stateStoreRef: {kind: GitStateStore, name: %[1]s}}
---
apiVersion: v1
kind: Secret
metadata: {name: %[1]s, namespace: default}
stringData:
`

func TestNoSecretLeavesTheProgram(t *testing.T) {
	testkit.Slow(t)
	loud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"message": "you said %s, which is %s and %s"}`, r.Header.Get("Authorization"), user, password)
	}))
	defer loud.Close()
	repository := gittest.Bare(t)
	shell := gittest.ServeSSH(t, filepath.Dir(repository))
	shell.Answer = func(_ string, channel ssh.Channel) uint32 {
		fmt.Fprint(channel.Stderr(), "denied: ", shell.Passphrase)
		return 1
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	appKey := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}))
	_, signingKey := gittest.NewKey(t, "s3cret-signing")

	var input strings.Builder
	add := func(name, url, method string, values map[string]string) {
		fmt.Fprintf(&input, secretStore, name, url, method)
		for key, value := range values {
			fmt.Fprintf(&input, "  %s: %q\n", key, value)
		}
	}
	add("basic", loud.URL+"/x.git", "basicAuth", map[string]string{"username": "u", "password": "s3cret-password"})
	add("token", loud.URL+"/x.git", "basicAuth", map[string]string{"bearerToken": "s3cret-token"})
	add("app", loud.URL+"/x.git", "githubApp", map[string]string{"appID": "1", "installationID": "2", "privateKey": appKey, "apiURL": loud.URL})
	add("shell", shell.URL+"/store.git", "ssh", map[string]string{"sshPrivateKey": shell.Locked, "password": shell.Passphrase, "knownHosts": shell.KnownHosts})
	add("broken", shell.URL+"/store.git", "ssh", map[string]string{"sshPrivateKey": shell.Locked[:200], "password": shell.Passphrase, "knownHosts": shell.KnownHosts})
	add("signed", repository, "basicAuth", map[string]string{"username": "u", "password": "s3cret-unused", "signingKey": signingKey, "signingPassphrase": "s3cret-signing"})
	in := t.TempDir()
	if err := os.WriteFile(filepath.Join(in, "all.yaml"), []byte(input.String()), 0o600); err != nil {
		t.Fatal(err)
	}

	var out, log tee
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		ended <- execute(ctx, []string{"run", "-f", in, "--listen", "127.0.0.1:0", "--log-level", "debug"}, streams{out: &out, err: &log})
	}()
	waitForOutput(t, &log, `"at":"GitStateStore token","fix":"Do as the message says."`) // the last line of the first round
	address := regexp.MustCompile(`"address":"([^"]+)"`).FindStringSubmatch(log.String())[1]
	everything := get(t, "http://"+address+"/metrics") + get(t, "http://"+address+"/api/v1/report")
	stop()
	<-ended
	for _, args := range [][]string{{"run", "--once"}, {"plan", "-o", "json"}, {"validate"}} {
		var out, log tee
		execute(t.Context(), append(args, "-f", in), streams{out: &out, err: &log})
		everything += out.String() + log.String()
	}
	everything += out.String() + log.String() + gittest.Git(t, repository, "log", "--patch", "--format=raw", "main")

	for _, want := range []string{"you said Bearer ***", "which is u and ***", "denied: ***", "cannot be read as a private key", "BEGIN SSH SIGNATURE"} {
		if !strings.Contains(everything, want) {
			t.Errorf("nothing says %q", want)
		}
	}
	secrets := []string{"s3cret", base64.StdEncoding.EncodeToString([]byte("u:s3cret-password")), "PRIVATE KEY", "eyJhbGciOiJSUzI1NiI"}
	for _, key := range []string{appKey, shell.Locked, signingKey} {
		lines := strings.Split(strings.TrimSpace(key), "\n")
		secrets = append(secrets, lines[1:len(lines)-1]...)
	}
	for _, secret := range secrets {
		if i := strings.Index(everything, secret); i >= 0 {
			t.Errorf("a secret came out: ...%s...", everything[max(0, i-200):min(len(everything), i+100)])
		}
	}
}
