package source

import (
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/yamlnodes"
)

// The limits on the YAML values of a document. A document with more than maxValues values must have
// at least bytesForValue bytes for each value.
const (
	maxValues     = 1_000_000
	bytesForValue = 8
)

// maxNameless is the maximum number of findings per file about unreadable or ignored documents.
const maxNameless = 10_000

func (p *ParsedFile) reportNameless(f finding.Finding) {
	if p.nameless++; p.nameless <= maxNameless {
		p.findings = append(p.findings, f)
	}
}

// reportNamelessCount adds a finding with the number of findings beyond maxNameless.
func (p *ParsedFile) reportNamelessCount() {
	if p.nameless <= maxNameless {
		return
	}
	p.findings = append(p.findings, finding.Finding{
		Rule: finding.UnreadableInput(), Place: finding.Place{File: p.name},
		Message: fmt.Sprintf("%d more documents cannot be read or are ignored; only the first %d are reported one by one", p.nameless-maxNameless, maxNameless),
		Fix:     "Leave the file out with --exclude if it is not meant to be read.",
	})
}

func parseDocument(doc document) ([]kratix.Parsed, error) {
	values := yamlnodes.AtMost(doc.text)
	if values > maxValues && values*bytesForValue > len(doc.text) {
		return nil, fmt.Errorf("it may have %d values in %d bytes, more than is read: a document of more than %d values must have %d bytes for each; split it", values, len(doc.text), maxValues, bytesForValue)
	}
	return kratix.Parse(doc.text, doc.line)
}
