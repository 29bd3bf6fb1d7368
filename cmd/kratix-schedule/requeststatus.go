package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
	"github.com/kratix-schedule/kratix-schedule/internal/status/apply"
	"github.com/kratix-schedule/kratix-schedule/internal/status/requests"
)

// requestStatusFlag is the flag for the status of requests.
type requestStatusFlag struct{ enabled bool }

func (f *requestStatusFlag) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.enabled, "request-status", false, "with --kube, write into status.kratixSchedule of resource requests where they are, whether they are applied and healthy, and why they are held back. It needs the rights of deploy/requests; requests whose status it may not read and patch stay as they are")
}

// check returns an error if the flag cannot have an effect.
func (f *requestStatusFlag) check(kube bool) error {
	if f.enabled && !kube {
		return errors.New("--request-status writes to requests in a cluster: add --kube")
	}
	return nil
}

// writer returns a writer of the status of requests; nil if the flag is not set.
func (f *requestStatusFlag) writer(config *rest.Config) (*requests.Writer, error) {
	if !f.enabled {
		return nil, nil
	}
	return requests.New(config, time.Now)
}

// verbPatchRequest counts patches of requests in kratix_schedule_api_writes_total.
const verbPatchRequest = "patch request"

// writeRequests writes the result of a round into the status of requests, and adds the result to
// an outcome. It does nothing while the API server accepts no other writes.
func (k *cluster) writeRequests(ctx context.Context, said report.Report, objects status.Objects, outcome *apply.Outcome) {
	if k.requests == nil || outcome.Err != nil {
		return
	}
	written := k.requests.Write(ctx, status.Requests(said, objects, k.mode, k.selects))
	if written.Patched > 0 {
		outcome.Calls[verbPatchRequest] += written.Patched
	}
	outcome.Refused = append(slices.Clip(outcome.Refused), written.Findings...)
	outcome.Retry = sooner(outcome.Retry, written.Retry)
}
