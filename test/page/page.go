// Package page checks the pages of the program in a real Chromium. It is a separate module, so that
// the program does not depend on chromedp.
//
// testdata/axe.min.js.gz is axe-core 4.10.3, compressed, under the Mozilla Public License 2.0
// (testdata/axe-LICENSE). Its source is at https://github.com/dequelabs/axe-core.
package page

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/page"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

//go:embed testdata/axe.min.js.gz
var axeArchive []byte

const axeDigest = "880970c081707360e64f34cea25ff91892f5bc95675b0776925b9709dd8a68bb"

// Axe returns the script of axe-core, or an error if the script does not have the expected digest.
func Axe() (string, error) {
	reader, err := gzip.NewReader(bytes.NewReader(axeArchive))
	if err != nil {
		return "", err
	}
	script, err := io.ReadAll(reader)
	if err != nil {
		return "", err
	}
	if sum := sha256.Sum256(script); hex.EncodeToString(sum[:]) != axeDigest {
		return "", fmt.Errorf("testdata/axe.min.js.gz has the digest %x", sum)
	}
	return string(script), nil
}

// Serve serves a Site until the returned function is called.
func Serve(site *page.Site) (url string, stop func()) {
	mux := http.NewServeMux()
	site.Register(mux)
	server := httptest.NewServer(mux)
	return server.URL, func() {
		site.Close()
		server.Close()
	}
}

func placed(w *kratix.Work, destination string, state report.State, reason string) report.Placement {
	p := report.Placement{Work: kratix.KeyOf(w).String(), Directory: kratix.DefaultDirectory, Destination: destination, State: state, Reason: reason}
	if destination != "" {
		p.Object = kratix.NewWorkPlacement(w, &w.Spec.WorkloadGroups[0], destination)
	}
	return p
}

func request(namespace, promise, name string) *kratix.Work {
	w := testkit.Request(promise+"-"+name, testkit.InNamespace(namespace))
	w.Spec.PromiseName, w.Spec.ResourceName = promise, name
	return w
}

// Sample returns a round with a conflict between two requests, and a request that fits nowhere.
func Sample() page.Round {
	first, second := request("team-a", "elastic-cloud", "search"), request("team-b", "elastic-cloud", "logs")
	cache, shop := request("team-a", "redis", "cache"), request("team-b", "redis", "shop")
	orders := request("team-b", "postgresql", "orders")
	orders.Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{MatchLabels: map[string]string{"environment": "prod"}, Source: kratix.PromiseSource}}
	conflict := func(object string, line int) finding.Finding {
		return finding.Finding{
			Rule: finding.DuplicateObject(), Subject: "CustomResourceDefinition " + object, Message: "CustomResourceDefinition " + object + " is in worker-1/resources already",
			Place:   finding.Place{Object: kratix.Describe(second), File: "elastic-crds.yaml", Line: line},
			Related: []finding.Related{{Place: finding.Place{Object: kratix.Describe(first), File: "elastic-crds.yaml", Line: line}, Message: "request team-a/search of Promise elastic-cloud"}},
		}
	}
	beats, kibanas := conflict("beats.beat.k8s.elastic.co", 1), conflict("kibanas.kibana.k8s.elastic.co", 61)
	beats.Flux = "kustomize build failed: may not add resource with an already registered id: CustomResourceDefinition.v1.apiextensions.k8s.io/beats.beat.k8s.elastic.co.[noNs]"
	one, two := testkit.Destination("worker-1", testkit.Labelled(map[string]string{"environment": "dev"})), testkit.Destination("worker-2", testkit.Labelled(map[string]string{"environment": "dev"}))
	done := time.Date(2026, 1, 31, 2, 51, 7, 0, time.UTC)
	healthy := agent.State{Applied: agent.Mark{Revision: "e8b73fbf1fac", Time: done}, Healthy: agent.Mark{Revision: "e8b73fbf1fac", Time: done}}
	return page.Round{
		Ended: time.Date(2026, 1, 31, 3, 12, 7, 0, time.UTC),
		Report: report.Report{
			Findings: []finding.Finding{
				beats, kibanas,
				{Rule: finding.NoDestination(), Place: finding.Place{Object: kratix.Describe(orders)}, Message: "its default group: 0/2 Destinations fit: 2 lack environment=prod"},
			},
			Placements: []report.Placement{
				placed(first, "worker-1", report.Unchanged, "it is there already"),
				placed(cache, "worker-1", report.Unchanged, "the only Destination that fits"),
				placed(second, "worker-1", report.HeldBack, "2 of its objects are in worker-1/resources already"),
				placed(orders, "", report.Unplaced, "0/2 Destinations fit: 2 lack environment=prod"),
				placed(shop, "worker-2", report.Placed, "worker-2 draws better"),
			},
			Stores:     []report.Store{{Name: "GitStateStore default", Revision: "e8b73fbf1fac37b7788eeb73771d107d4508fe54", Covered: []string{"worker-1", "worker-2"}}},
			Deliveries: []report.Delivery{{Destination: "worker-1", Root: "resources", State: healthy}, {Destination: "worker-2", Root: "resources", State: healthy}},
		},
		Input: &scheduler.Input{
			Works:        []*kratix.Work{first, cache, second, orders, shop},
			Destinations: []scheduler.Destination{{Destination: one}, {Destination: two, Closed: "cordoned"}},
		},
	}
}

// Many returns a round with n placements on 100 Destinations.
func Many(n int) page.Round {
	r := page.Round{Ended: time.Date(2026, 1, 31, 3, 12, 7, 0, time.UTC)}
	for i := range n {
		w := request(fmt.Sprintf("team-%03d", i/500), fmt.Sprintf("promise-%02d", i/500%20), fmt.Sprintf("request-%06d", i))
		state := report.Unchanged
		if i%1000 == 999 {
			state = report.HeldBack
		}
		r.Report.Placements = append(r.Report.Placements, placed(w, fmt.Sprintf("worker-%03d", i%100), state, "the only Destination that fits"))
	}
	return r
}

// Files is a page.Store with the same files for each placement.
type Files struct{}

var _ page.Store = Files{}

// Files returns two files.
func (Files) Files(context.Context, page.Wanted) (page.Files, error) {
	return page.Files{Store: "GitStateStore default", Revision: "e8b73fbf1fac", Files: []page.File{
		{Path: "worker-1/resources/a.yaml", Size: 35, Content: "kind: ConfigMap\nmetadata:\n  name: a\n"}, {Path: "worker-1/resources/b", Withheld: "it is binary"},
	}}, nil
}

// History returns two revisions.
func (Files) History(context.Context, page.Wanted) (page.History, error) {
	return page.History{Store: "GitStateStore default", Searched: 2, Revisions: []page.Revision{
		{ID: "e8b73fbf1fac", Parent: "b8352522077e", Time: "2026-01-31 02:50:00 UTC", Author: "kratix-schedule", Subject: "Update team-a/search", Changes: []string{"Update on worker-1"}},
		{ID: "b8352522077e", Time: "2026-01-30 09:00:00 UTC", Author: "kratix-schedule", Subject: "Place team-a/search", Changes: []string{"Place on worker-1"}},
	}}, nil
}

// Compare returns a difference of one line.
func (Files) Compare(context.Context, page.Wanted, string, string) (page.Comparison, error) {
	return page.Comparison{Lines: []string{"diff --git a/x b/x\n", "--- a/x\n", "+++ b/x\n", "@@ -1 +1 @@\n", "-replicas: 1\n", "+replicas: 3\n"}}, nil
}
