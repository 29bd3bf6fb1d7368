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

// schema guards kustomize's schema, which is global to the process. A build needs the write lock,
// because it resets the schema. Determining an ID needs the read lock.
var schema sync.RWMutex //nolint:gochecknoglobals // the schema that it guards is global too

// buildTime is the maximum time that run waits for a build.
const buildTime = 2 * time.Minute

// BoundsError is the error of a build that exceeded the limits of time or memory.
type BoundsError string

// Error returns the message of the error.
func (e BoundsError) Error() string { return string(e) }

// IsBounds reports whether an error is, or wraps, a BoundsError.
func IsBounds(err error) bool {
	var bounds BoundsError
	return errors.As(err, &bounds)
}

const errTime = BoundsError("kustomize did not come to an end in 2m0s")

// run runs a build as Flux does, without plugins. It returns an error after buildTime.
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
