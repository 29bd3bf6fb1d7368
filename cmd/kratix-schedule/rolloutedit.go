package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/rollout"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
)

// rolloutEdit is a change of one field of a Rollout. done is the state afterwards, to be printed.
type rolloutEdit struct {
	path []string
	// value is the new value of the field. If it is nil, the field is removed.
	value any
	done  string
	// isDone means that the field has the value already.
	isDone bool
}

func annotated(name, value, done string) rolloutEdit {
	return rolloutEdit{path: []string{"metadata", "annotations", name}, value: value, done: done}
}

// patch returns the edit as a JSON merge patch.
func (e *rolloutEdit) patch() map[string]any {
	value := e.value
	for _, field := range slices.Backward(e.path) {
		value = map[string]any{field: value}
	}
	return value.(map[string]any) //nolint:errcheck,forcetypeassert // a path has at least one field
}

// text returns the edit as a sentence for the reader of a file.
func (e *rolloutEdit) text() string {
	field := strings.Join(e.path, ".")
	if e.path[0] == "metadata" {
		field = "the annotation " + e.path[len(e.path)-1]
	}
	switch value := e.value.(type) {
	case nil:
		return "remove " + field
	case string:
		return fmt.Sprintf("set %s to %q", field, value)
	default:
		return fmt.Sprintf("set %s to %v", field, value)
	}
}

// explain prints what is to be edited in which file.
func (f *setFlags) explain(c *cobra.Command, name string, std streams, edit func(*kratix.Rollout) (rolloutEdit, error)) error {
	in, err := f.input.source(c, std)
	if err != nil {
		return err
	}
	snapshot, states, err := f.read(c, in, std)
	if err != nil {
		return err
	}
	r := rolloutNamed(snapshot, name)
	switch {
	case r == nil && slices.Contains(snapshot.RejectedRollouts, name):
		return exit{code: exitUsage, text: "Rollout " + name + " cannot be read: " + firstProblem(snapshot, name)}
	case r == nil:
		return usage(c, "there is no Rollout named "+name+" here")
	}
	if _, err := rollout.Compile(r); err != nil && f.needsState {
		return exit{code: exitUsage, text: "Rollout " + name + ": it is invalid: " + err.Error()}
	}
	change, err := edit(ofPromise(withStates(r, states), f.promise))
	if err != nil {
		return exit{code: exitUsage, text: "Rollout " + name + ": " + err.Error()}
	}
	at := snapshot.Origins.Of(r)
	at.Object = ""
	text := "Rollout " + name + " is in a file: edit " + at.String() + ": " + change.text()
	if change.isDone {
		text = "Rollout " + name + " " + change.done + " already, by " + at.String()
	}
	_, err = fmt.Fprintln(std.out, printable.Line(text))
	return err
}

// read returns the input, and the states of its Rollouts if they are needed.
func (f *setFlags) read(c *cobra.Command, in *dir.Source, std streams) (snapshot source.Snapshot, states []report.Rollout, err error) {
	if f.needsState && f.server == "" {
		rows := &inputRows{in: in, std: std}
		if _, err := rows.list(c.Context()); err != nil {
			return source.Snapshot{}, nil, err
		}
		return rows.seen.last, rows.last.Rollouts, rows.problem()
	}
	if f.server != "" {
		if states, err = serverRollouts(c, f.server); err != nil {
			return source.Snapshot{}, nil, err
		}
	}
	snapshot, err = in.Snapshot(c.Context())
	return snapshot, states, inputError(err)
}

// withStates returns a copy of a Rollout with the states of a report as its status.
func withStates(r *kratix.Rollout, states []report.Rollout) *kratix.Rollout {
	made := r.DeepCopy()
	made.Status.Promises = nil
	for _, state := range states {
		if state.Name != r.Name {
			continue
		}
		one := kratix.RolloutPromise{PromiseName: state.Promise, Revision: state.Revision, Phase: state.Phase, Reason: state.Reason}
		for _, wave := range state.Waves {
			one.Waves = append(one.Waves, kratix.RolloutWaveStatus(wave))
		}
		made.Status.Promises = append(made.Status.Promises, one)
	}
	return made
}

func firstProblem(snapshot source.Snapshot, name string) string {
	for _, f := range snapshot.Findings {
		if f.Rule.Severity == finding.Error && f.Place.Object == kratix.RolloutKind+" "+name {
			return f.Message
		}
	}
	return "correct it first"
}
