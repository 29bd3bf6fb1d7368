// Gen writes schemas.bin: the types and kinds of the embedded Kubernetes minors, from the
// OpenAPI and discovery documents of the module k8s.io/kubernetes. It is run by `go generate`.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"

	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
)

func versions() []string { return []string{"1.33.13", "1.34.4", "1.35.4", "1.36.3"} }

func main() {
	log.SetFlags(0)
	if err := run("schemas.bin"); err != nil {
		log.Fatalln("gen:", err)
	}
}

func run(out string) error {
	var sources []schemas.Source
	for _, version := range versions() {
		dir, err := download(version)
		if err != nil {
			return err
		}
		source, err := read(version, dir)
		if err != nil {
			return fmt.Errorf("k8s.io/kubernetes v%s: %w", version, err)
		}
		sources = append(sources, source)
	}
	packed, err := schemas.Encode(sources)
	if err != nil {
		return err
	}
	return os.WriteFile(out, packed, 0o644)
}

func download(version string) (string, error) {
	command := exec.Command("go", "mod", "download", "-json", "k8s.io/kubernetes@v"+version)
	command.Dir = os.TempDir() // outside of the module, so that its go.mod does not change
	command.Stderr = os.Stderr
	text, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download k8s.io/kubernetes@v%s: %w", version, err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(text, &module); err != nil {
		return "", err
	}
	return module.Dir, nil
}
