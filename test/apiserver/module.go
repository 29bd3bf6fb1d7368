package apiserver

import (
	"encoding/json"
	"os/exec"
	"testing"
)

// Module is a downloaded module.
type Module struct {
	// Dir is the directory with the files of the module. Sum is the digest of the module, as in
	// go.sum.
	Dir, Sum string
}

// Download downloads a module, PATH@VERSION or PATH. Without a version, the version is from the
// go.mod in dir.
func Download(t testing.TB, dir, module string) Module {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module)
	command.Dir = dir
	out, err := command.Output()
	var downloaded struct {
		Module
		Error string
	}
	if decoding := json.Unmarshal(out, &downloaded); decoding != nil || downloaded.Dir == "" {
		t.Fatalf("%s: %v %s", module, err, downloaded.Error)
	}
	return downloaded.Module
}
