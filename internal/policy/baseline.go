package policy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// Baseline has the fingerprints of known findings, each with a count.
type Baseline struct{ known map[string]int }

type knownFile struct {
	Findings []knownFinding `json:"findings"`
}

type knownFinding struct {
	Fingerprint string `json:"fingerprint"`
	Rule        string `json:"rule"`
	Object      string `json:"object,omitempty"`
	File        string `json:"file,omitempty"`
	Message     string `json:"message"`
}

// FormatBaseline returns the content of a baseline file with the given findings. Notes are left
// out.
func FormatBaseline(findings []finding.Finding) ([]byte, error) {
	file := knownFile{Findings: []knownFinding{}}
	for _, f := range findings {
		if f.Rule.Severity > finding.Note {
			file.Findings = append(file.Findings, knownFinding{f.Fingerprint(), f.Rule.ID, f.Place.Object, f.Place.File, f.Message})
		}
	}
	slices.SortStableFunc(file.Findings, func(a, b knownFinding) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Object, b.Object), cmp.Compare(a.File, b.File), cmp.Compare(a.Message, b.Message))
	})
	return yaml.Marshal(file)
}

// ParseBaseline parses a baseline file. It returns an error if content is not a baseline.
func ParseBaseline(content []byte) (Baseline, error) {
	var file knownFile
	if err := yaml.UnmarshalStrict(content, &file); err != nil {
		return Baseline{}, fmt.Errorf("it is not a baseline: %w", err)
	}
	if len(bytes.TrimSpace(content)) > 0 && file.Findings == nil {
		return Baseline{}, errors.New("it is not a baseline: it has no list of findings")
	}
	b := Baseline{known: map[string]int{}}
	for i, f := range file.Findings {
		if f.Fingerprint == "" {
			return Baseline{}, fmt.Errorf("finding %d has no fingerprint: write the baseline again with --write-baseline", i+1)
		}
		b.known[f.Fingerprint]++
	}
	return b, nil
}

func (b Baseline) clone() Baseline {
	copied := Baseline{known: make(map[string]int, len(b.known))}
	for fingerprint, n := range b.known {
		copied.known[fingerprint] = n
	}
	return copied
}

// take decreases the count of a finding. It reports whether the count was above zero.
func (b Baseline) take(f finding.Finding) bool {
	fingerprint := f.Fingerprint()
	if b.known[fingerprint] == 0 {
		return false
	}
	b.known[fingerprint]--
	return true
}
