package kustomize

import (
	"encoding/json"
	"errors"
	"slices"
)

// errNoDocument is an object that is not a document of its own.
var errNoDocument = errors.New("it is an item of a list, which cannot be cut out of its file")

// Without takes objects out of a file, by their positions among the file's Objects.
// The bytes of all other documents stay as they are, and so do the markers
// before them. Nothing is left of a file that had no other object.
func Without(content []byte, positions []int) ([]byte, error) {
	if mayHoldList(content) {
		return nil, errNoDocument
	}
	pieces := cutAtMarkers(content)
	kept := pieces[:0:0]
	position, left := 0, 0
	for _, piece := range pieces {
		found, err := resources(piece.document)
		if err != nil {
			return nil, err
		}
		drop := false
		for range found {
			drop = drop || slices.Contains(positions, position)
			position++
		}
		if !drop {
			kept = append(kept, piece)
			left += len(found)
		}
	}
	if left == 0 {
		return nil, nil
	}
	var rest []byte
	for i, piece := range kept {
		if i > 0 {
			rest = append(rest, piece.marker...)
		}
		rest = append(rest, piece.document...)
	}
	return rest, nil
}

// piece is a document with its last line break, and the marker line before it.
type piece struct{ marker, document []byte }

// cutAtMarkers cuts a file where documents does, and keeps every byte.
func cutAtMarkers(content []byte) []piece {
	var pieces []piece
	next := piece{}
	start := 0
	for _, cut := range separator.FindAllIndex(content, -1) {
		next.document = content[start : cut[0]+1]
		pieces = append(pieces, next)
		next = piece{marker: content[cut[0]+1 : cut[1]]}
		start = cut[1]
	}
	next.document = content[start:]
	return append(pieces, next)
}

// Canonical writes each of a file's Objects so that two that mean the same are
// equal: without comments, style and order of fields.
func Canonical(content []byte) ([][]byte, error) {
	schema.RLock()
	defer schema.RUnlock()
	found, err := resources(content)
	if err != nil {
		return nil, err
	}
	written := make([][]byte, 0, len(found))
	for _, object := range found {
		fields, err := object.Map()
		if err != nil {
			return nil, err
		}
		one, err := json.Marshal(fields)
		if err != nil {
			return nil, err
		}
		written = append(written, one)
	}
	return written, nil
}
