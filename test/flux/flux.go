// Package flux compares kratix-schedule's verdicts on trees of files with those of Flux's own
// library. It is a separate module, so that the program does not depend on Flux.
package flux

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	fluxkustomize "github.com/fluxcd/pkg/kustomize"
	"github.com/fluxcd/pkg/kustomize/filesys"
	"github.com/fluxcd/pkg/sourceignore"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Disk is a directory with the files of one tree at a time.
type Disk struct{ dir string }

// WriteFiles replaces the contents of the directory by files.
func (d Disk) WriteFiles(files []tree.File) error {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(d.dir, entry.Name())); err != nil {
			return err
		}
	}
	for _, file := range files {
		path := filepath.Join(d.dir, filepath.FromSlash(file.Path.String()))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, file.Content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Fetch removes the files that Flux's source-controller excludes from its artifact.
func (d Disk) Fetch() error {
	domain := strings.Split(d.dir, string(filepath.Separator))
	patterns, err := sourceignore.LoadIgnorePatterns(d.dir, domain)
	if err != nil {
		return err
	}
	matcher := sourceignore.NewDefaultMatcher(patterns, domain)
	return filepath.WalkDir(d.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !matcher.Match(strings.Split(path, string(filepath.Separator)), false) {
			return err
		}
		return os.Remove(path)
	})
}

// Judge builds a directory with Flux's generator and SecureBuild.
func (d Disk) Judge(below string) (resmap.ResMap, error) {
	return d.judge(below, func(root, dir string) (resmap.ResMap, error) {
		return fluxkustomize.SecureBuild(root, dir, false)
	})
}

// JudgeQuickly does the same as Judge, but faster. The result can differ if a kustomization extends
// the schema of Kubernetes.
func (d Disk) JudgeQuickly(below string) (resmap.ResMap, error) {
	return d.judge(below, quickBuild)
}

func (d Disk) judge(below string, build func(root, dir string) (resmap.ResMap, error)) (resmap.ResMap, error) {
	dir := filepath.Join(d.dir, filepath.FromSlash(below))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if _, err := fluxkustomize.NewGenerator(d.dir, unstructured.Unstructured{}).WriteFile(dir); err != nil {
		return nil, err
	}
	built, err := build(d.dir, dir)
	if err != nil {
		return nil, fmt.Errorf("kustomize build failed: %w", err)
	}
	return built, nil
}

func quickBuild(root, dir string) (built resmap.ResMap, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("recovered from kustomize build panic: %v", r)
		}
	}()
	openapi.ResetOpenAPI()
	defer openapi.ResetOpenAPI()
	secure, err := filesys.MakeFsOnDiskSecure(root)
	if err != nil {
		return nil, err
	}
	return krusty.MakeKustomizer(&krusty.Options{
		LoadRestrictions: types.LoadRestrictionsNone,
		PluginConfig:     types.DisabledPluginConfig(),
	}).Run(secure, dir)
}

// Message returns the message of an error in one line, with paths relative to the directory.
func (d Disk) Message(err error) string {
	if err == nil {
		return ""
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), d.dir, "")), " ")
}
