package kustomize

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// schema guards kustomize's schema, which is global to the process: a build
// resets it, and reading an id asks it whether the kind lives in namespaces.
var schema sync.RWMutex //nolint:gochecknoglobals // what it guards is global too

// buildTime is how long a build may take. kustomize cannot be stopped: a build
// that takes longer is waited for by nobody, and the next ones wait for it. So a
// program that lives on has a Builder build directories; nothing else that is
// built can take long.
const buildTime = 2 * time.Minute

// BoundsError is the error of a build that took more time or memory than a build may:
// nobody knows what it would have come to.
type BoundsError string

// Error says which bound it was.
func (e BoundsError) Error() string { return string(e) }

// IsBounds reports whether an error is, or wraps, a BoundsError.
func IsBounds(err error) bool {
	var bounds BoundsError
	return errors.As(err, &bounds)
}

// errTime is a build that was given up.
const errTime = BoundsError("kustomize did not come to an end in 2m0s")

// run builds as Flux does: one build at a time, plugins off, the schema reset,
// panics recovered; and gives up after buildTime. Flux also reads the whole
// schema of Kubernetes before each build, so that a kustomization may add to it;
// where none does, kustomize reads the schema when it needs it, which comes to
// the same and is much faster.
func run(disk *disk, dir string) (resmap.ResMap, error) {
	type outcome struct {
		built resmap.ResMap
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		built, err := runAlone(disk, dir)
		done <- outcome{built, err}
	}()
	patience := time.NewTimer(buildTime)
	defer patience.Stop()
	select {
	case o := <-done:
		if disk.guard.refused != nil {
			return nil, disk.guard.refused
		}
		return o.built, o.err
	case <-patience.C:
		return nil, errTime
	}
}

func runAlone(disk *disk, dir string) (built resmap.ResMap, err error) {
	schema.Lock()
	defer schema.Unlock()
	defer openapi.ResetOpenAPI()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("recovered from kustomize build panic: %v", r)
		}
	}()
	openapi.ResetOpenAPI()
	if disk.schema {
		openapi.Schema()
	}
	return krusty.MakeKustomizer(&krusty.Options{
		LoadRestrictions: types.LoadRestrictionsNone,
		PluginConfig:     types.DisabledPluginConfig(),
	}).Run(disk, dir)
}
