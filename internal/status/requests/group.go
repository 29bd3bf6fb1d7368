package requests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type resource struct {
	promise string
	// mu protects the fields below. It is locked while the Promise is read.
	mu sync.Mutex
	// path is the path of the API version, and plural is the name of the resource. Both are empty
	// before the Promise is read.
	path, plural string
}

// group is the state of all requests of a Promise in a namespace.
type group struct {
	resource *resource
	// failures is the number of consecutive failures of single requests. Writer.mu protects
	// failures and delay.
	failures int
	delay
}

type groupKey struct{ promise, namespace string }

// delay is a failure and the time until which nothing is tried again. The zero delay means that
// nothing has failed.
type delay struct {
	err   error
	until time.Time
	pause time.Duration
}

const (
	firstPause   = 10 * time.Second
	longestPause = 10 * time.Minute
)

func (d *delay) fail(now time.Time, err error) {
	if now.Before(d.until) {
		return // another task has already started the pause
	}
	d.pause = min(max(2*d.pause, firstPause), longestPause)
	if errors.Is(err, errPruned) || errors.Is(err, errNotGranted) {
		d.pause = longestPause // only an administrator can end this failure
	}
	d.err, d.until = err, now.Add(d.pause)
}

func (d *delay) waits(now time.Time) bool { return now.Before(d.until) }

var (
	// errNotGranted means that this process has no permission to read the Promise, or to read or
	// write the status or the HealthRecords of its requests.
	errNotGranted = errors.New("not granted")
	// errNoAPI means that the Promise has no API, or that the API server does not serve that API or
	// HealthRecords.
	errNoAPI = errors.New("there is no such API")
	// errPruned means that the API server has dropped the field.
	errPruned = errors.New("the API server drops the field status." + Field + ": the CustomResourceDefinition of the requests does not have it")
)

// ofGroup reports whether a failure affects all requests of a group.
func ofGroup(err error) bool {
	return errors.Is(err, errNotGranted) || errors.Is(err, errNoAPI) || apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err)
}

// collection returns the path of the API version and the plural name of a resource. It reads the
// Promise if they are not known.
func (w *Writer) collection(ctx context.Context, of *resource) (path, plural string, err error) {
	of.mu.Lock()
	defer of.mu.Unlock()
	if of.plural != "" {
		return of.path, of.plural, nil
	}
	text, err := call(ctx, w.client.Get().AbsPath("/apis", kratix.APIVersion, "promises", of.promise))
	switch {
	case apierrors.IsForbidden(err):
		return "", "", fmt.Errorf("%w: %w", errNotGranted, err)
	case apierrors.IsNotFound(err):
		return "", "", fmt.Errorf("%w: Promise %s is not in the cluster", errNoAPI, of.promise)
	case err != nil:
		return "", "", err
	}
	path, plural, err = parsePromise(text)
	if err != nil {
		return "", "", fmt.Errorf("%w: Promise %s: %w", errNoAPI, of.promise, err)
	}
	of.path, of.plural = path, plural
	return path, plural, nil
}

// reset makes the next call of collection read the Promise again.
func (of *resource) reset() {
	of.mu.Lock()
	defer of.mu.Unlock()
	of.path, of.plural = "", ""
}

// parsePromise returns the path and the plural name of the resource in the API of a Promise.
func parsePromise(text []byte) (path, plural string, err error) {
	var promise struct {
		Spec struct {
			API *struct {
				Spec struct {
					Group    string
					Scope    string
					Names    struct{ Plural string }
					Versions []struct {
						Name            string
						Served, Storage bool
					}
				}
			}
		}
	}
	if err := json.Unmarshal(text, &promise); err != nil {
		return "", "", err
	}
	if promise.Spec.API == nil {
		return "", "", errors.New("spec.api is missing")
	}
	api := promise.Spec.API.Spec
	version := ""
	for _, v := range api.Versions {
		if v.Served && (version == "" || v.Storage) {
			version = v.Name
		}
	}
	for _, name := range []string{api.Group, api.Names.Plural, version} {
		if len(rest.IsValidPathSegmentName(name)) > 0 || name == "" {
			return "", "", fmt.Errorf("spec.api: group %q, plural %q and version %q do not name a resource", api.Group, api.Names.Plural, version)
		}
	}
	if api.Scope == "Cluster" {
		return "", "", errors.New("spec.api: the requests have no namespace")
	}
	return "/apis/" + api.Group + "/" + version, api.Names.Plural, nil
}
