//go:build e2e

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

func TestE2EARepositoryBehindOpenSSH(t *testing.T) {
	shell := gittest.OpenSSH(t)
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{
		"worker-1/resources/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n",
		"worker-1/resources/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n",
	})
	w := newExampleDir(t)
	w.file(t, ".ssh/id_ed25519", shell.Locked)
	w.file(t, ".ssh/known_hosts", shell.KnownHosts)
	validate := "kratix-schedule validate --repo " + shell.URL + filepath.ToSlash(repository) + "@main"
	output, status := w.shell(t, validate, repoPasswordVariable+"="+shell.Passphrase)
	if status != exitFindings || !strings.Contains(output, "KS001") {
		t.Errorf("status %d: %s", status, output)
	}
	_, stranger := gittest.NewKey(t, "")
	w.file(t, "stranger", stranger)
	output, status = w.shell(t, validate+" --repo-key stranger")
	if status != exitFailure || !strings.Contains(output, "KS060") {
		t.Errorf("status %d: %s", status, output)
	}
}
