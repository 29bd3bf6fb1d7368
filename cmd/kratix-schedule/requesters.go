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

type requesterFlags struct {
	status, records bool
}

func (f *requesterFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.status, "request-status", false, "with --kube, write into status.kratixSchedule of resource requests where they are, whether they are applied and healthy, and why they are held back. It needs the rights of deploy/requests; requests whose status it may not read and patch stay as they are")
	c.Flags().BoolVar(&f.records, "health-records", false, "with --kube, keep a HealthRecord of Kratix for each resource request whose health Flux or Argo CD has reported. It needs the rights of deploy/health-records")
}

func (f *requesterFlags) check(kube bool) error {
	switch {
	case f.status && !kube:
		return errors.New("--request-status writes to requests in a cluster: add --kube")
	case f.records && !kube:
		return errors.New("--health-records writes HealthRecords in a cluster: add --kube")
	}
	return nil
}

func (f *requesterFlags) writers(config *rest.Config) (all []*requests.Writer, err error) {
	for _, each := range []struct {
		enabled bool
		create  func(*rest.Config, func() time.Time) (*requests.Writer, error)
	}{{f.status, requests.New}, {f.records, requests.NewHealthRecords}} {
		if !each.enabled {
			continue
		}
		writer, err := each.create(config, time.Now)
		if err != nil {
			return nil, err
		}
		all = append(all, writer)
	}
	return all, nil
}

// verbPatchRequest is the verb of changes of requests and HealthRecords in
// kratix_schedule_api_writes_total.
const verbPatchRequest = "patch request"

// writeRequests writes the result of a round to requests and HealthRecords, unless earlier writes
// have failed.
func (k *cluster) writeRequests(ctx context.Context, said report.Report, objects status.Objects, outcome *apply.Outcome) {
	if len(k.requests) == 0 || outcome.Err != nil {
		return
	}
	wanted := status.Requests(said, objects, k.mode, k.selects)
	for _, writer := range k.requests {
		written := writer.Write(ctx, wanted)
		if written.Patched > 0 {
			outcome.Calls[verbPatchRequest] += written.Patched
		}
		outcome.Refused = append(slices.Clip(outcome.Refused), written.Findings...)
		outcome.Retry = sooner(outcome.Retry, written.Retry)
	}
}
