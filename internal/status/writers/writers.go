// Package writers replaces Kratix's work-writer and status-writer: it writes the Work of a
// pipeline, and merges the pipeline's status into the status of the request. It does I/O: it reads
// and writes these objects.
package writers

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// Writers writes Works and the status of requests to one cluster.
type Writers struct {
	objects dynamic.Interface
	kinds   kinds
	now     func() time.Time
	// backoff is for writes that are rejected because of a concurrent change.
	backoff wait.Backoff
}

type kinds interface {
	ServerResourcesForGroupVersionWithContext(ctx context.Context, groupVersion string) (*metav1.APIResourceList, error)
}

const oneCall = 30 * time.Second

// New returns Writers to the cluster of config. now returns the current time.
func New(config *rest.Config, now func() time.Time) (*Writers, error) {
	own := rest.CopyConfig(config)
	own.Timeout = oneCall
	own.WarningHandler = rest.NoWarnings{} // Status reports dropped fields
	objects, err := dynamic.NewForConfig(own)
	if err != nil {
		return nil, fmt.Errorf("connect to the Kubernetes API: %w", err)
	}
	kinds, err := discovery.NewDiscoveryClientForConfig(own)
	if err != nil {
		return nil, fmt.Errorf("connect to the Kubernetes API: %w", err)
	}
	backoff := wait.Backoff{Steps: 10, Duration: 10 * time.Millisecond, Factor: 2, Jitter: 0.5} // about six seconds in total
	return &Writers{objects: objects, kinds: kinds, now: now, backoff: backoff}, nil
}

func (w *Writers) timestamp() string { return w.now().UTC().Format(time.RFC3339) }

// errLeft means that an object was deleted before it could be updated.
var errLeft = errors.New("it was deleted meanwhile")

// cameSecond reports whether a write failed because of a concurrent change.
func cameSecond(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || errors.Is(err, errLeft)
}
