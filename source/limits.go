package source

import (
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/yamlnodes"
	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// What a document of the input may be made of, since a parser takes some hundred
// bytes for each value. A list of very many Works has many, but few for its size.
const (
	manyValues    = 1_000_000
	bytesForValue = 8
)

// parseDocument reads a document that can be held in memory.
func parseDocument(doc document) ([]kratix.Parsed, error) {
	values := yamlnodes.AtMost(doc.text)
	if values > manyValues && values*bytesForValue > len(doc.text) {
		return nil, fmt.Errorf("it may have %d values in %d bytes, more than is read: a document of more than %d values must have %d bytes for each; split it", values, len(doc.text), manyValues, bytesForValue)
	}
	return kratix.Parse(doc.text, doc.line)
}
