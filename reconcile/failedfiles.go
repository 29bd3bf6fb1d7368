package reconcile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

type failedFiles struct {
	unit
	undone layout.RolledBack
	// revision is the last applied revision. applied are the files of the placement at that revision.
	revision string
	applied  []tree.File
}

// failedFiles returns the guilty placements with the files that the agent has applied last. The
// findings name the reasons why nothing is rolled back. isIncomplete means that a later round must
// read the files again.
func (d *delivering) failedFiles(ctx context.Context, state agent.State, who blamed) (failed []*failedFiles, findings []finding.Finding, isIncomplete bool) {
	if state.Failure.Outcome.IsApplied() {
		return nil, nil, false
	}
	if why := d.doubtFailure(state, who); why != "" {
		return nil, d.notRolledBack(state, who, why), false
	}
	before, then, now := d.placementsAt(d.find(state.Applied.Revision)), d.placementsAt(d.find(state.Failure.Revision)), d.placementsAt(d.present())
	for _, one := range who.guilty {
		stored, err := now.files(ctx, one.record)
		refused, refusedErr := then.files(ctx, one.record)
		applied, appliedErr := before.files(ctx, one.record)
		if err := errors.Join(err, refusedErr, appliedErr); err != nil {
			why := fmt.Sprintf("the files of %s at revision %s cannot be read: %s", one.name(), state.Applied.Revision, err)
			return nil, d.notRolledBack(state, who, why), !errors.Is(err, errReplaced) && !errors.Is(err, errDivided)
		}
		if !slices.EqualFunc(stored, refused, sameFile) {
			continue // the placement has changed since then
		}
		if why := d.doubtChange(&one, applied, refused); why != "" {
			findings = append(findings, d.notRolledBack(state, who, why)...)
			continue
		}
		failed = append(failed, &failedFiles{
			unit: unitOf(one.record.Placement), revision: state.Applied.Revision, applied: applied,
			undone: layout.NewRolledBack(contentDigest(refused), state.Failure.Revision, state.Failure.Message),
		})
	}
	return failed, findings, false
}

// doubtFailure returns the reason why nothing can be rolled back after a failure, or "".
func (d *delivering) doubtFailure(state agent.State, who blamed) string {
	switch {
	case d.store.state.Stepwise:
		return "Kratix writes this store"
	case d.find(state.Failure.Revision) == nil:
		return "the revision that failed is not known"
	case len(who.guilty) == 0:
		return "it is not certain whose object it is"
	case state.Applied.Revision == "":
		return "no revision was applied before"
	case d.find(state.Applied.Revision) == nil:
		return "the last applied revision, " + state.Applied.Revision + ", is not known"
	}
	return ""
}

// doubtChange returns the reason why a guilty placement is not rolled back, or "".
func (d *delivering) doubtChange(who *guilty, from, to []tree.File) string {
	switch {
	case !d.policy.owns(who.record.Owner):
		return who.name() + " belongs to the controller " + named(who.record.Owner)
	case len(who.record.Shared) > 0:
		return who.name() + " has objects in common with others"
	case !d.hasChanged(who, from, to):
		return "what it names in " + who.name() + " has not changed since the last applied revision"
	}
	return ""
}

// hasChanged reports whether an object or file that the agent failed on differs between from and
// to.
func (d *delivering) hasChanged(who *guilty, from, to []tree.File) bool {
	if len(who.objects) == 0 {
		return slices.ContainsFunc(who.files, func(path tree.Path) bool {
			below := func(files []tree.File) []tree.File {
				return slices.DeleteFunc(slices.Clone(files), func(f tree.File) bool { return !f.Path.Within(path) })
			}
			return !slices.EqualFunc(below(from), below(to), sameFile)
		})
	}
	return slices.ContainsFunc(who.objects, func(object agent.Object) bool {
		return !bytes.Equal(d.textOf(object, from), d.textOf(object, to))
	})
}

// textOf returns the text of an object, or nil if the files do not have the object.
func (d *delivering) textOf(object agent.Object, files []tree.File) []byte {
	for _, file := range files {
		objects := d.read.File(file.Content).Objects
		at := slices.IndexFunc(objects, func(o kustomize.Object) bool { return isNamed(o.ID, object) })
		if at < 0 {
			continue
		}
		lines := bytes.SplitAfter(file.Content, []byte("\n"))
		end := len(lines)
		if at+1 < len(objects) {
			end = objects[at+1].Line - 1
		}
		text := bytes.TrimSpace(bytes.Join(lines[objects[at].Line-1:end], nil))
		return bytes.TrimSpace(bytes.TrimSuffix(text, []byte("---")))
	}
	return nil
}

func (d *delivering) present() *pastState {
	return &pastState{string(d.store.state.Revision), d.store.state.Files, d.store.state.Contents}
}

func (g *guilty) name() string { return kratix.WorkKind + " " + g.record.Placement.Work().String() }

// notRolledBack returns the finding about a failure after which nothing is rolled back, or none if
// the policy is not to roll back.
func (d *delivering) notRolledBack(state agent.State, who blamed, why string) []finding.Finding {
	if !d.policy.RollBack {
		return nil
	}
	message := "nothing is rolled back after " + state.Failure.String() + ": " + why
	if len(who.suspects) > 0 {
		message += "; it may be " + report.Works(who.suspects)
	}
	return []finding.Finding{{Rule: finding.NotRolledBack(), Place: finding.Place{Object: kratix.Describe(d.Destination)}, Message: message}}
}

func sameFile(a, b tree.File) bool { return a.Path == b.Path && bytes.Equal(a.Content, b.Content) }

// contentDigest returns the digest of a placement's files in the form of a record. It ignores their
// order.
func contentDigest(files []tree.File) string {
	sorted := slices.SortedFunc(slices.Values(files), func(a, b tree.File) int { return tree.Compare(a.Path, b.Path) })
	var parts []layout.File
	for _, file := range sorted {
		parts = append(parts, layout.File{File: file})
	}
	return fmt.Sprintf("sha256:%x", digestOf(parts))
}

func couldNotBeApplied(undone *layout.RolledBack) string {
	return "revision " + undone.Revision + " could not be applied: " + undone.Message
}
