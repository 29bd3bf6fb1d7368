package report

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

type (
	head struct {
		// SchemaVersion changes if programs that read the document must change.
		SchemaVersion int       `json:"schemaVersion"`
		Tool          string    `json:"tool"`
		Version       string    `json:"version"`
		Done          Done      `json:"done"`
		Summary       summary   `json:"summary"`
		Read          *Reading  `json:"read,omitempty"`
		Profiles      []Profile `json:"profiles,omitempty"`
		Roots         []root    `json:"roots,omitempty"`
		Rollouts      []Rollout `json:"rollouts,omitempty"`
	}
	summary struct {
		Errors     int           `json:"errors"`
		Warnings   int           `json:"warnings"`
		Notes      int           `json:"notes"`
		Hidden     int           `json:"hidden"`
		Ignored    int           `json:"ignored"`
		Known      int           `json:"known"`
		Placements map[State]int `json:"placements"`
	}
	// Problem is a finding in JSON.
	Problem struct {
		Rule     string         `json:"rule"`
		Name     string         `json:"name"`
		Severity string         `json:"severity"`
		Message  string         `json:"message"`
		Place    place          `json:"place"`
		Related  []relatedPlace `json:"related,omitempty"`
		Flux     string         `json:"flux,omitempty"`
		Fix      string         `json:"fix"`
	}
	place struct {
		Object     string `json:"object,omitempty"`
		File       string `json:"file,omitempty"`
		Line       int    `json:"line,omitempty"`
		Source     string `json:"source,omitempty"`
		SourceLine int    `json:"sourceLine,omitempty"`
	}
	relatedPlace struct {
		place
		Message string `json:"message"`
	}
	placement struct {
		Work        string `json:"work"`
		Directory   string `json:"directory"`
		Destination string `json:"destination,omitempty"`
		State       State  `json:"state"`
		Reason      string `json:"reason,omitempty"`
		// Promise and Resource are those of the Work.
		Promise  string `json:"promise,omitempty"`
		Resource string `json:"resource,omitempty"`
		// Applied and Healthy are the conditions derived from the reports of the agent.
		Applied *AgentCondition `json:"applied,omitempty"`
		Healthy *AgentCondition `json:"healthy,omitempty"`
	}
	store struct {
		Name     string `json:"name"`
		Revision string `json:"revision,omitempty"`
		// Unselected means that another shard writes to the store.
		Unselected   bool               `json:"unselected,omitempty"`
		Destinations []storeDestination `json:"destinations,omitempty"`
	}
	storeDestination struct {
		Name     string `json:"name"`
		Location string `json:"location"`
	}
	change struct {
		Store       string   `json:"store"`
		Destination string   `json:"destination"`
		Added       []string `json:"added,omitempty"`
		Changed     []string `json:"changed,omitempty"`
		Removed     []string `json:"removed,omitempty"`
	}
)

const toolName = "kratix-schedule"

func (d Document) head() head {
	return head{
		SchemaVersion: 1, Tool: toolName, Version: d.Version, Done: d.Done,
		Summary: summary{
			Errors: d.Tally.Errors, Warnings: d.Tally.Warnings, Notes: d.Tally.Notes,
			Hidden: d.Hidden, Ignored: d.Ignored, Known: d.Known, Placements: d.Counts(),
		},
		Read: d.Read, Profiles: d.Profiles, Roots: d.roots(), Rollouts: d.Rollouts,
	}
}

// Problems returns findings in the form of the JSON output.
func Problems(findings []finding.Finding) []Problem {
	problems := make([]Problem, 0, len(findings))
	for _, f := range findings {
		problems = append(problems, Document{}.found(f))
	}
	return problems
}

func (d Document) found(f finding.Finding) Problem {
	out := Problem{
		Rule: f.Rule.ID, Name: f.Rule.Name, Severity: f.Rule.Severity.String(), Message: f.Message,
		Place: d.place(f.Place), Flux: f.Flux, Fix: f.Advice(),
	}
	for _, related := range f.Related {
		out.Related = append(out.Related, relatedPlace{place: d.place(related.Place), Message: related.Message})
	}
	return out
}

func (d Document) place(p finding.Place) place {
	spot := d.position(p)
	return place{Object: p.Object, File: p.File, Line: p.Line, Source: spot.File, SourceLine: spot.Line}
}

func (d Document) placement() func(Placement) placement {
	agents := d.Agents()
	return func(p Placement) placement {
		out := placement{Work: p.Work, Directory: p.Directory, Destination: p.Destination, State: p.State, Reason: p.Reason}
		if p.Object != nil {
			out.Promise, out.Resource = p.Object.Spec.PromiseName, p.Object.Spec.ResourceName
		}
		if state, known := agents.Of(&p); known {
			out.Applied, out.Healthy = &state.Applied, &state.Healthy
		}
		return out
	}
}

func (Document) store(s Store) store {
	out := store{Name: s.Name, Revision: s.Revision, Unselected: s.Unselected}
	for _, name := range slices.Sorted(maps.Keys(s.Locations)) {
		out.Destinations = append(out.Destinations, storeDestination{Name: name, Location: s.Locations[name]})
	}
	return out
}

func texts(paths []tree.Path) []string {
	var out []string
	for _, path := range paths {
		out = append(out, path.String())
	}
	return out
}

// JSON writes a document as one JSON object.
func JSON(w io.Writer, d Document) error {
	out := bufio.NewWriter(w)
	start, err := json.Marshal(d.head())
	if err != nil {
		return err
	}
	printf(out, "%s,\n", printable.JSON(start[:len(start)-1]))
	if err := list(out, "findings", d.Findings, d.found); err != nil {
		return err
	}
	printf(out, ",\n")
	if err := list(out, "placements", d.Placements, d.placement()); err != nil {
		return err
	}
	printf(out, ",\n")
	if err := list(out, "stores", d.Stores, d.store); err != nil {
		return err
	}
	printf(out, ",\n")
	if err := list(out, "changes", d.changes(), func(c change) change { return c }); err != nil {
		return err
	}
	printf(out, "}\n")
	return out.Flush()
}

func list[T, U any](out *bufio.Writer, name string, items []T, convert func(T) U) error {
	printf(out, "%q: [", name)
	for i, item := range items {
		text, err := json.Marshal(convert(item))
		if err != nil {
			return err
		}
		separator := ",\n"
		if i == 0 {
			separator = "\n"
		}
		printf(out, "%s%s", separator, printable.JSON(text))
	}
	printf(out, "]")
	return nil
}
