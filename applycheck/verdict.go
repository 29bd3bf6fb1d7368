package applycheck

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

func newVerdict() Verdict { return Verdict{Quarantined: map[int]Refusal{}, Doubtful: map[int]bool{}} }

const (
	// maxFindings is the maximum number of errors for a file and of warnings for a claim.
	maxFindings = 100
	// maxNamed is the maximum number of objects that a warning about several objects names.
	maxNamed = 4
)

type fileFaults struct {
	file   *checkedFile
	faults []fault
}

func (v *Verdict) add(cluster *Cluster, claim int, all []fileFaults) {
	var warnings warnings
	for _, of := range all {
		errors := 0
		for i := range of.faults {
			f := &of.faults[i]
			if !f.isError(cluster) {
				warnings.add(f, of.file)
				if f.rule.Severity == finding.Error && f.rule.ID != finding.NamespaceMissing().ID {
					v.Doubtful[claim] = true
				}
				continue
			}
			refusal := v.Quarantined[claim]
			v.Quarantined[claim] = Refusal{Reason: cmp.Or(refusal.Reason, f.reason()), Everywhere: refusal.Everywhere || f.everywhere}
			if errors++; errors <= maxFindings {
				v.Findings = append(v.Findings, f.finding(cluster, of.file.File))
			}
		}
		if errors > maxFindings {
			v.Findings[len(v.Findings)-1].Message += fmt.Sprintf("; %d more faults of the same file are not listed", errors-maxFindings)
		}
	}
	v.Findings = append(v.Findings, warnings.findings(cluster)...)
}

type warnings struct {
	groups []*warningGroup
	of     map[sameFault]*warningGroup
}

type sameFault struct{ rule, words, fix string }

type warningGroup struct {
	first fault
	file  *checkedFile
	named []string
	count int
}

func (w *warnings) add(f *fault, file *checkedFile) {
	key := sameFault{f.rule.ID, f.words, f.fix}
	group := w.of[key]
	if group == nil {
		if w.of == nil {
			w.of = map[sameFault]*warningGroup{}
		}
		group = &warningGroup{first: *f, file: file}
		w.of[key], w.groups = group, append(w.groups, group)
	}
	group.count++
	if len(group.named) < maxNamed {
		group.named = append(group.named, f.object+" in "+file.Place.File)
	}
}

func (w *warnings) findings(cluster *Cluster) []finding.Finding {
	var all []finding.Finding
	for i, group := range w.groups {
		if i == maxFindings {
			all[i-1].Message += fmt.Sprintf("; %d more warnings about the same Work are not listed", len(w.groups)-maxFindings)
			break
		}
		all = append(all, group.finding(cluster))
	}
	return all
}

// finding returns the finding about a group. Its message contains no line numbers, because they
// would change its fingerprint.
func (g *warningGroup) finding(cluster *Cluster) finding.Finding {
	f := g.first.finding(cluster, g.file.File)
	if g.count == 1 {
		return f
	}
	objects := strings.Join(g.named, ", ")
	if more := g.count - len(g.named); more > 0 {
		objects += fmt.Sprintf(" and %s more", finding.Thousands(more))
	}
	f.Message = fmt.Sprintf("%s objects: %s: %s", finding.Thousands(g.count), strings.TrimPrefix(f.Message, g.first.object+": "), objects)
	return f
}
