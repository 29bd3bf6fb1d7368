package source

import (
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/yamlnodes"
)

// What a document of the input may be made of, since a parser takes some hundred
// bytes for each value. A list of very many Works has many, but few for its size.
const (
	manyValues    = 1_000_000
	bytesForValue = 8
)

// manyNameless is how many documents of a file are reported one by one that cannot
// be read or take no part: a file of a few bytes for each has millions.
const manyNameless = 10_000

// tellNameless reports a document that cannot be read or takes no part.
func (p *ParsedFile) tellNameless(f finding.Finding) {
	if p.nameless++; p.nameless <= manyNameless {
		p.findings = append(p.findings, f)
	}
}

// tellUntold reports how many there are that tellNameless has not reported.
func (p *ParsedFile) tellUntold() {
	if p.nameless <= manyNameless {
		return
	}
	p.findings = append(p.findings, finding.Finding{
		Rule: finding.UnreadableInput(), Place: finding.Place{File: p.name},
		Message: fmt.Sprintf("%d more documents cannot be read or take no part; the first %d are told of one by one", p.nameless-manyNameless, manyNameless),
		Fix:     "Leave the file out with --exclude if it is not meant to be read.",
	})
}

// parseDocument reads a document that can be held in memory.
func parseDocument(doc document) ([]kratix.Parsed, error) {
	values := yamlnodes.AtMost(doc.text)
	if values > manyValues && values*bytesForValue > len(doc.text) {
		return nil, fmt.Errorf("it may have %d values in %d bytes, more than is read: a document of more than %d values must have %d bytes for each; split it", values, len(doc.text), manyValues, bytesForValue)
	}
	return kratix.Parse(doc.text, doc.line)
}
