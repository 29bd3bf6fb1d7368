// Package writers does in a cluster what Kratix's own containers do at the end of
// a pipeline: the work-writer creates or updates the Work, and the status-writer
// brings what the pipeline says into the status of the request.
//
// Both read first and write only what is another: the same pipeline run again
// writes nothing. What someone else wrote in between is never overwritten unseen;
// the API refuses it, and it is read again.
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

// Writers writes to one cluster.
type Writers struct {
	objects dynamic.Interface
	kinds   kinds
	now     func() time.Time
	// backoff is how often, and after which pauses, a write that came second is
	// tried again.
	backoff wait.Backoff
}

// kinds returns what a version of a group of the API serves.
type kinds interface {
	ServerResourcesForGroupVersionWithContext(ctx context.Context, groupVersion string) (*metav1.APIResourceList, error)
}

// oneCall bounds a call of the API.
const oneCall = 30 * time.Second

// New makes Writers to the cluster that config leads to; now is the clock.
func New(config *rest.Config, now func() time.Time) (*Writers, error) {
	own := rest.CopyConfig(config)
	own.Timeout = oneCall
	own.WarningHandler = rest.NoWarnings{} // what is not kept is reported by Status
	objects, err := dynamic.NewForConfig(own)
	if err != nil {
		return nil, fmt.Errorf("connect to the Kubernetes API: %w", err)
	}
	kinds, err := discovery.NewDiscoveryClientForConfig(own)
	if err != nil {
		return nil, fmt.Errorf("connect to the Kubernetes API: %w", err)
	}
	backoff := wait.Backoff{Steps: 10, Duration: 10 * time.Millisecond, Factor: 2, Jitter: 0.5} // some ten seconds
	return &Writers{objects: objects, kinds: kinds, now: now, backoff: backoff}, nil
}

// timestamp is the present as the API writes it.
func (w *Writers) timestamp() string { return w.now().UTC().Format(time.RFC3339) }

// errLeft means that an object went while it was to be updated.
var errLeft = errors.New("it was deleted meanwhile")

// cameSecond reports whether a write failed since the object was another by then,
// so that looking again helps.
func cameSecond(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || errors.Is(err, errLeft)
}
