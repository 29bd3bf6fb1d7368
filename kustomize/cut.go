package kustomize

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrInseparable is the error for an object that cannot be removed from its file without changing
// others.
var ErrInseparable = errors.New("one is an item of a list whose items are not lines of their own, and cannot be cut out of its file")

// Without removes the objects at the given positions, which are indexes into the result of Objects.
// The bytes of the other objects stay the same. If no object remains, the result is empty.
func Without(content []byte, positions []int) ([]byte, error) {
	if mayHoldList(content) {
		return withoutItems(content, positions)
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
	return join(kept), nil
}

// Separable reports for each object in the result of Objects whether Without can remove the object.
func Separable(content []byte) ([]bool, error) {
	all, err := Canonical(content)
	if err != nil {
		return nil, err
	}
	separable := make([]bool, len(all))
	if !mayHoldList(content) {
		for i := range separable {
			separable[i] = true
		}
		return separable, nil
	}
	spans := spansOf(cutAtMarkers(content))
	if len(spans) != len(all) {
		return separable, nil
	}
	// Removing an object can damage only its neighbours, so two tests suffice. Documents with
	// anchors and aliases are excluded, because an alias may refer to any object.
	var halves [2][]int
	tied := bytes.ContainsRune(content, '&') && bytes.ContainsRune(content, '*')
	for i, span := range spans {
		separable[i] = span.list == nil || (span.list.block && !tied)
		if span.list != nil && separable[i] {
			halves[i%2] = append(halves[i%2], i)
		}
	}
	for _, half := range halves {
		if _, err := withoutItems(content, half); err == nil {
			continue
		}
		for i, span := range spans {
			separable[i] = separable[i] && span.list == nil
		}
	}
	return separable, nil
}

func join(pieces []piece) []byte {
	var rest []byte
	for i, piece := range pieces {
		if i > 0 {
			rest = append(rest, piece.marker...)
		}
		rest = append(rest, piece.document...)
	}
	return rest
}

// piece is a document, with the marker line before it.
type piece struct{ marker, document []byte }

// cutAtMarkers splits a file at the same markers as the function documents.
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

type span struct {
	piece int
	// from and to are lines of the document, counted from 0. The line to is not included.
	from, to int
	node     *yaml.Node
	// list is the span of the list that contains the object, or nil if the object is not in a list.
	list *span
	// left is the number of items of a list that have not been removed yet.
	left int
	// block means that the span is a list in block style, in which each item has lines of its own.
	block bool
}

// withoutItems does the same as Without for a file that may contain lists. It returns
// ErrInseparable if another object would change.
func withoutItems(content []byte, positions []int) ([]byte, error) {
	before, err := Canonical(content)
	if err != nil {
		return nil, err
	}
	pieces := cutAtMarkers(content)
	spans := spansOf(pieces)
	if len(spans) != len(before) {
		return nil, ErrInseparable
	}
	var want [][]byte
	for position, span := range spans {
		if !slices.Contains(positions, position) {
			want = append(want, before[position])
			continue
		}
		for ; span.list != nil; span = span.list {
			if span.list.left--; span.list.left > 0 {
				break
			}
		}
	}
	cuts := make([][]*span, len(pieces))
	for _, position := range positions {
		span := spans[position]
		for span.list != nil && span.list.left == 0 {
			span = span.list
		}
		if span.list != nil && !span.list.block {
			return nil, ErrInseparable
		}
		cuts[span.piece] = append(cuts[span.piece], span)
	}
	if len(want) == 0 {
		return nil, nil
	}
	rest := join(cutSpans(pieces, cuts))
	after, err := Canonical(rest)
	if err != nil || !slices.EqualFunc(want, after, bytes.Equal) {
		return nil, ErrInseparable
	}
	return rest, nil
}

func cutSpans(pieces []piece, cuts [][]*span) []piece {
	var kept []piece
	for i, piece := range pieces {
		if slices.ContainsFunc(cuts[i], func(s *span) bool { return s.list == nil }) {
			continue
		}
		if len(cuts[i]) > 0 {
			var rest []byte
			for at, line := range bytes.SplitAfter(piece.document, []byte("\n")) {
				if !slices.ContainsFunc(cuts[i], func(s *span) bool { return s.from <= at && at < s.to }) {
					rest = append(rest, line...)
				}
			}
			piece.document = rest
		}
		kept = append(kept, piece)
	}
	return kept
}

// spansOf returns the spans of a file's objects in kustomize's order.
func spansOf(pieces []piece) []*span {
	var queue, objects []*span
	for i, piece := range pieces {
		var node yaml.Node
		if yaml.NewDecoder(bytes.NewReader(piece.document)).Decode(&node) == nil && len(node.Content) > 0 && node.Content[0].Tag != "!!null" {
			queue = append(queue, &span{piece: i, to: bytes.Count(piece.document, []byte("\n")) + 1, node: node.Content[0]})
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		var h header
		if at.node.Decode(&h) != nil || !strings.HasSuffix(h.Kind, "List") || h.Items.Kind != yaml.SequenceNode {
			objects = append(objects, at)
			continue
		}
		lines := bytes.Split(pieces[at.piece].document, []byte("\n"))
		at.left, at.block = len(h.Items.Content), h.Items.Style&yaml.FlowStyle == 0
		for i, item := range h.Items.Content {
			of := &span{piece: at.piece, from: aboveComments(lines, item.Line-1), to: endOf(at, &h.Items), node: item, list: at}
			if i+1 < len(h.Items.Content) {
				of.to = aboveComments(lines, h.Items.Content[i+1].Line-1)
			}
			queue = append(queue, of)
		}
	}
	return objects
}

// aboveComments returns the first line of the comment directly above a line, or line if there is
// none.
func aboveComments(lines [][]byte, line int) int {
	for line > 0 && line <= len(lines) && bytes.HasPrefix(bytes.TrimSpace(lines[line-1]), []byte("#")) {
		line--
	}
	return line
}

// endOf returns the line after the last item of a list.
func endOf(list *span, items *yaml.Node) int {
	for i := 0; i+1 < len(list.node.Content); i += 2 {
		if key := list.node.Content[i]; key.Line > items.Line && key.Line-1 < list.to {
			return key.Line - 1
		}
	}
	return list.to
}

// Canonical returns the objects of a file as JSON, in the order of Objects. Objects with equal
// content have equal JSON.
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
