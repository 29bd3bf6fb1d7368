package main

import (
	"strings"
	"testing"
)

func TestVulncheckSaysWhatItCouldNotCheck(t *testing.T) {
	const unreachable = "echo 'govulncheck: fetching vulnerabilities: Get \"https://vuln.go.dev\": no such host' >&2; exit 1"
	for name, c := range map[string]struct {
		does, strict string
		status       int
		notChecked   bool
	}{
		"nothing found":           {"exit 0", "", 0, false},
		"a vulnerability":         {"exit 3", "", 3, false},
		"another error":           {"echo 'govulncheck: loading packages' >&2; exit 1", "", 1, false},
		"unreachable":             {unreachable, "", 0, true},
		"unreachable, and strict": {unreachable, "1", 1, true},
	} {
		w := newExampleDir(t)
		w.file(t, "bin/go", "#!/bin/sh\n"+c.does+"\n")
		output, status := w.shell(t, "hack/vulncheck.sh", "STRICT="+c.strict)
		if status != c.status || strings.Contains(output, "NOT CHECKED") != c.notChecked {
			t.Errorf("%s: status %d: %s", name, status, output)
		}
	}
}
