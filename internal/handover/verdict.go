package handover

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// Verdict contains the reasons why Kratix could not take over safely.
type Verdict struct {
	// Breaks are the placements with which Kratix would break a Destination.
	Breaks []Break
	// Unknown are findings about objects and stores that could not be checked.
	Unknown []finding.Finding
}

// Break is a group of a Work that would break a Destination.
type Break struct {
	Work, Directory, Destination string
	// Fitting is the number of Destinations from which Kratix would choose, or 0 if it has no
	// choice. Others is the number of further Destinations among these that the group would also
	// break.
	Fitting, Others int
	// WorkPlacement is the name of the existing WorkPlacement that Kratix would write, or empty if
	// there is none.
	WorkPlacement string
	// Reason is the reason why the group would break the Destination, or has broken it.
	Reason string
	// Findings are the findings about the Work. If the Work has several Breaks, one Break has the
	// findings.
	Findings []finding.Finding
}

// IsSafe reports whether there are no Breaks and everything could be checked.
func (v Verdict) IsSafe() bool { return len(v.Breaks) == 0 && len(v.Unknown) == 0 }

// Judge returns the verdict on the report of a plan of Input.
func (t Takeover) Judge(said report.Report) Verdict {
	j := judge{Takeover: t, result: said, first: map[[2]string]int{}, reported: map[string]bool{}}
	for _, p := range said.Placements {
		if p.State == report.HeldBack {
			j.addQuarantined(p)
		}
	}
	for _, p := range said.Placements {
		if object := kratix.WorkKind + " " + p.Work; !j.reported[object] && p.State != report.Removed && p.State != report.Unplaced {
			j.addExisting(p, object)
		}
	}
	slices.SortStableFunc(j.verdict.Breaks, func(a, b Break) int {
		return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.Directory, b.Directory), cmp.Compare(a.Destination, b.Destination))
	})
	j.unknown()
	return j.verdict
}

func (j *judge) unknown() {
	held, reported := map[string]bool{}, map[finding.Place]bool{}
	for _, p := range j.result.Placements {
		if p.State == report.HeldBack {
			held[kratix.WorkKind+" "+p.Work] = true
		}
	}
	for _, f := range j.result.Findings {
		// Kratix cannot write invalid content either, so its effect is known.
		isUnread := f.Rule == finding.UndecodableContent() && (f.Cause == finding.TooLarge || !held[f.Place.Object])
		if !isUnread && !isUnknown(f.Rule) {
			continue
		}
		made := j.rewritten(f)
		if f.Place.Object != made.Place.Object && reported[made.Place] {
			continue
		}
		reported[made.Place] = true
		j.verdict.Unknown = append(j.verdict.Unknown, made)
	}
}

type judge struct {
	Takeover
	result  report.Report
	verdict Verdict
	// first maps the Work and the directory of a group to the index of its Break. reported contains
	// the Works whose findings are in a Break.
	first    map[[2]string]int
	reported map[string]bool
}

func canUnpack(p *kratix.WorkPlacement) bool {
	return p == nil || !slices.ContainsFunc(p.Spec.Workloads, func(w kratix.Workload) bool {
		_, err := kratix.Decode(w.Content)
		return err != nil
	})
}

func (j *judge) addQuarantined(p report.Placement) {
	if !canUnpack(p.Object) {
		return
	}
	b := j.breakOf(p)
	if _, is := j.standIns[p.Work]; is {
		group := [2]string{b.Work, b.Directory}
		if at, known := j.first[group]; known {
			j.verdict.Breaks[at].Others++
			j.reported[kratix.WorkKind+" "+p.Work] = true
			return
		}
		j.first[group] = len(j.verdict.Breaks)
	}
	if object := kratix.WorkKind + " " + p.Work; !j.reported[object] {
		j.reported[object] = true
		b.Findings = j.about(object)
	}
	j.verdict.Breaks = append(j.verdict.Breaks, b)
}

// addExisting adds a Break for an existing WorkPlacement if there are errors about it.
func (j *judge) addExisting(p report.Placement, object string) {
	j.reported[object] = true
	b := j.breakOf(p)
	if b.Findings = j.about(object); len(b.Findings) > 0 {
		b.Reason = b.Findings[0].Message
		j.verdict.Breaks = append(j.verdict.Breaks, b)
	}
}

func (j *judge) breakOf(p report.Placement) Break {
	b := Break{Work: p.Work, Directory: p.Directory, Destination: p.Destination, Reason: j.named(p.Reason)}
	if p.Object == nil {
		return b
	}
	at := kratix.KeyOf(p.Object)
	if stands, is := j.standIns[p.Work]; is {
		b.Work, b.Fitting = stands.work.String(), j.fitting[groupOf{stands.work, p.Object.Spec.ID}]
		at.Name = kratix.PlacementName(stands.work.Name, p.Destination, p.Object.Spec.ID)
	}
	if j.placed[at] {
		b.WorkPlacement = at.Name
	}
	return b
}

// isUnknown reports whether a finding with this rule means that a store or an object was not
// checked.
func isUnknown(rule finding.Rule) bool {
	return slices.Contains([]finding.Rule{
		finding.StoreFailed(), finding.UnreadableInput(), finding.InvalidObject(), finding.UnsafePath(), finding.SharedPath(),
	}, rule)
}

// about returns the errors about an object. It omits errors that mean that the object is not placed
// or was not checked.
func (j *judge) about(object string) []finding.Finding {
	var found []finding.Finding
	for _, f := range j.result.Findings {
		isOfKratix := f.Rule == finding.NoDestination() || f.Rule == finding.PlacementsDisagree() || f.Rule == finding.UndecodableContent() || isUnknown(f.Rule)
		if f.Place.Object == object && f.Rule.Severity == finding.Error && !isOfKratix {
			found = append(found, j.rewritten(f))
		}
	}
	return found
}

func (t Takeover) rewritten(f finding.Finding) finding.Finding {
	f.Place.Object = t.named(f.Place.Object)
	f.Message, f.Fix = t.named(f.Message), t.named(f.Fix)
	f.Related = slices.Clone(f.Related)
	for i := range f.Related {
		f.Related[i].Place.Object = t.named(f.Related[i].Place.Object)
		f.Related[i].Message = t.named(f.Related[i].Message)
	}
	return f
}

func (t Takeover) named(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;:()\"'", r) })
	for _, word := range words {
		if stands, is := t.standIns[word]; is {
			text = strings.ReplaceAll(text, word, stands.work.String())
		}
	}
	return text
}

// Removable returns the WorkPlacements that are held back and that can be deleted without deleting
// files. said must be the report of a plan of the snapshot itself.
func Removable(said report.Report, all []*kratix.WorkPlacement, destinations []*kratix.Destination) []*kratix.WorkPlacement {
	held := map[kratix.Key]bool{}
	for _, p := range said.Placements {
		if p.State == report.HeldBack && !p.Written && p.Object != nil {
			held[kratix.KeyOf(p.Object)] = true
		}
	}
	modes := map[string]string{}
	for _, d := range destinations {
		modes[d.Name] = d.FilepathMode()
	}
	return slices.DeleteFunc(slices.Clone(all), func(p *kratix.WorkPlacement) bool {
		return !held[kratix.KeyOf(p)] || !isEmpty(p, modes[p.Spec.TargetDestinationName])
	})
}

// isEmpty reports whether the store certainly has no files of a WorkPlacement that a plan holds
// back.
func isEmpty(p *kratix.WorkPlacement, mode string) bool {
	switch mode {
	case kratix.NestedByMetadata: // the directory belongs only to the WorkPlacement
		return p.DeletionTimestamp.IsZero() && p.Status.VersionID == "" && !meta.IsStatusConditionTrue(p.Status.Conditions, kratix.WriteSucceededCondition)
	case kratix.None: // a failed write may have left files that are in no list
		return isUnwritten(p)
	}
	return false // a part of the joined file may belong to any WorkPlacement
}
