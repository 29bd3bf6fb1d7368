package reconcile

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// maxEntries, maxReads and maxRepository are GitHub's recommendations for a repository.
const (
	maxEntries    = 3_000
	maxReads      = 15 // per second
	maxRepository = 10 << 30
	// maxContent is the part of maxRepository for the newest revision, without the history.
	maxContent = maxRepository / 4
	// pollSeconds is the interval at which an agent reads its store.
	pollSeconds = 60
	maxPollers  = maxReads * pollSeconds
	// sampled is the maximum number of placements from which the size of a repository is estimated.
	sampled = 1_000
)

// repositoryUse has the Destinations and placements on the branches of a repository.
type repositoryUse struct {
	name string
	// store is the first state store on the repository.
	store        kratix.StateStoreReference
	destinations int
	parts        []scheduler.DestinationPlan
}

// budgetFindings returns warnings about git repositories that exceed GitHub's recommendations.
func budgetFindings(stores []*desired, plan *scheduler.Result) []finding.Finding {
	var findings []finding.Finding
	uses, of := map[string]*repositoryUse{}, map[string]*repositoryUse{}
	for _, store := range stores {
		spec, ok := store.spec.(*kratix.GitStateStore)
		if !ok || !spec.IsRemote() || store.failed != nil {
			continue
		}
		findings = append(findings, widthFindings(store)...)
		name, _, _ := strings.Cut(store.location(tree.Path{}).Storage, "#")
		use := uses[name]
		if use == nil {
			use = &repositoryUse{name: name, store: store.ref}
			uses[name] = use
		}
		use.destinations += len(store.destinations)
		for _, d := range store.destinations {
			of[d.Name] = use
		}
	}
	for _, part := range plan.Destinations {
		if use := of[part.Destination]; use != nil {
			use.parts = append(use.parts, part)
		}
	}
	for _, use := range uses {
		findings = append(findings, use.findings()...)
	}
	return findings
}

// widthFindings returns a warning if a directory of the store will have too many entries.
func widthFindings(store *desired) []finding.Finding {
	var changes []statestore.FileChange
	for _, o := range store.outcomes {
		for _, path := range o.changes.Remove {
			changes = append(changes, statestore.FileChange{Path: path, Gone: true})
		}
		for _, file := range o.changes.Write {
			changes = append(changes, statestore.FileChange{Path: file.Path})
		}
	}
	dir, entries := store.state.Files.With(changes).Widest()
	if entries <= maxEntries {
		return nil
	}
	at := cmp.Or(store.location(dir).Dir.String(), "/")
	return []finding.Finding{{
		Rule: finding.OverBudget(), Place: finding.Place{Object: store.ref.String()}, Subject: at,
		Message: fmt.Sprintf("its directory %s has at least %s entries; GitHub recommends at most %s", at, round(entries), thousands(maxEntries)),
		Fix: "Divide them: give Destinations paths in several directories, or limit the requests of a Destination with the annotation " +
			"kratix-schedule.io/capacity. A bucket has no such limit.",
	}}
}

func (u *repositoryUse) findings() []finding.Finding {
	var findings []finding.Finding
	add := func(message string, times float64) {
		findings = append(findings, finding.Finding{
			Rule: finding.OverBudget(), Place: finding.Place{Object: u.store.String()}, Subject: u.name, Message: message,
			Fix: fmt.Sprintf("Divide its Destinations over %d state stores, each in a repository of its own, or use a BucketStateStore or an OCIStateStore.", int(math.Ceil(times))),
		})
	}
	if u.destinations > maxPollers {
		add(fmt.Sprintf("the agents of at least %s Destinations read the repository %s; at one read a minute each, these are %s reads a second, and GitHub recommends at most %d",
			round(u.destinations), u.name, round(u.destinations/pollSeconds), maxReads), float64(u.destinations)/maxPollers)
	}
	if size := u.size(); size > maxContent {
		add(fmt.Sprintf("the files in the repository %s take about %.1f GiB, packed; GitHub recommends at most %d GiB with the history of all changes",
			u.name, size/(1<<30), maxRepository>>30), size/maxContent)
	}
	return findings
}

// size returns an estimate of the packed size of the placements' files in bytes.
func (u *repositoryUse) size() float64 {
	total := 0
	for _, part := range u.parts {
		total += len(part.Placements)
	}
	step := total/sampled + 1
	var sum, count, next int
	for _, part := range u.parts {
		for ; next < len(part.Placements); next += step {
			for _, file := range part.Placements[next].Spec.Workloads {
				sum += len(file.Content)
			}
			count++
		}
		next -= len(part.Placements)
	}
	if count == 0 {
		return 0
	}
	const packed = 3.0 / 4
	return float64(sum) / float64(count) * float64(total) * packed
}

// round returns a number rounded down to two significant digits, so that a finding rarely changes.
func round(n int) string {
	unit := 1
	for n/unit >= 100 {
		unit *= 10
	}
	return thousands(n / unit * unit)
}

// thousands returns a number with commas between thousands. n must not be negative.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
