package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// picture is a drawing of the Works that conflict.
type picture struct {
	Width, Height int
	Columns       []pictureText
	Rows          []pictureRow
	Boxes         []pictureBox
	Arcs          []pictureArc
	// Left is the number of Works without room in the drawing.
	Left int
}

type (
	pictureText struct {
		X, Y int
		Text string
	}
	pictureRow struct {
		pictureText
		// LineY is the vertical position of the line of the row. Right is the horizontal position
		// of its end.
		LineY, Right int
		Bad          bool
	}
	pictureBox struct {
		X, Y   int
		State  State
		Reason string
	}
	pictureArc struct {
		X, From, To, Reach, Middle int
		Label                      string
	}
)

const (
	maxRows     = 120
	labelWidth  = 430
	columnWidth = 130
	rowHeight   = 26
	headHeight  = 50
	arcWidth    = 300
)

type conflictPair struct{ later, first string }

func draw(d Document) picture {
	pairs := conflicts(d)
	works, left := chooseRows(pairs)
	columns := destinations(d, works)
	p := picture{
		Left:  left,
		Width: labelWidth + columnWidth*len(columns) + arcWidth, Height: headHeight + rowHeight*len(works) + rowHeight,
	}
	columnX := map[string]int{}
	for i, name := range columns {
		columnX[name] = labelWidth + columnWidth*i + columnWidth/2
		p.Columns = append(p.Columns, pictureText{X: columnX[name], Y: headHeight / 2, Text: name})
	}
	right := labelWidth + columnWidth*len(columns)
	rowY := map[string]int{}
	for i, work := range works {
		rowY[work] = headHeight + rowHeight*i + rowHeight/2
		p.Rows = append(p.Rows, pictureRow{pictureText: pictureText{X: labelWidth - 12, Y: rowY[work], Text: shorten(work)}, LineY: rowY[work], Right: right})
	}
	for _, placement := range d.Placements {
		y, drawn := rowY[placement.Work]
		if !drawn {
			continue
		}
		if placement.hasProblem() {
			p.Rows[slices.Index(works, placement.Work)].Bad = true
		}
		if x, ok := columnX[placement.Destination]; ok {
			p.Boxes = append(p.Boxes, pictureBox{X: x, Y: y, State: placement.State, Reason: placement.label() + ": " + string(placement.State) + ", " + placement.Reason})
		}
	}
	p.Arcs = arcs(pairs, rowY, right)
	return p
}

func arcs(pairs map[conflictPair]int, rowY map[string]int, right int) []pictureArc {
	var all []pictureArc
	for _, pair := range sortedPairs(pairs) {
		from, ok := rowY[pair.later]
		to, also := rowY[pair.first]
		if !ok || !also {
			continue
		}
		const step = 22
		reach := right + 30 + step*(len(all)%5)
		label := fmt.Sprintf("%d conflicts", pairs[pair])
		if pairs[pair] == 1 {
			label = "1 conflict"
		}
		all = append(all, pictureArc{X: right + 4, From: from, To: to, Reach: reach, Middle: (from + to) / 2, Label: label})
	}
	return all
}

func conflicts(d Document) map[conflictPair]int {
	pairs := map[conflictPair]int{}
	for _, f := range d.Findings {
		for _, related := range f.Related {
			pair := conflictPair{workOf(f.Place.Object), workOf(related.Place.Object)}
			if pair.later != "" && pair.first != "" && pair.later != pair.first {
				pairs[pair]++
			}
		}
	}
	return pairs
}

func sortedPairs(pairs map[conflictPair]int) []conflictPair {
	return slices.SortedFunc(maps.Keys(pairs), func(a, b conflictPair) int {
		return cmp.Or(cmp.Compare(a.later, b.later), cmp.Compare(a.first, b.first))
	})
}

func workOf(object string) string {
	prefix := kratix.WorkKind + " "
	if len(object) > len(prefix) && object[:len(prefix)] == prefix {
		return object[len(prefix):]
	}
	return ""
}

func chooseRows(pairs map[conflictPair]int) (rows []string, left int) {
	works := map[string]bool{}
	for pair := range pairs {
		works[pair.later], works[pair.first] = true, true
	}
	rows = slices.Sorted(maps.Keys(works))
	if len(rows) > maxRows {
		return rows[:maxRows], len(rows) - maxRows
	}
	return rows, 0
}

func destinations(d Document, works []string) []string {
	names := map[string]bool{}
	for _, placement := range d.Placements {
		if _, drawn := slices.BinarySearch(works, placement.Work); drawn && placement.Destination != "" {
			names[placement.Destination] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func shorten(name string) string {
	const most = 60
	runes := []rune(name)
	if len(runes) <= most {
		return name
	}
	half := (most - 1) / 2
	return string(runes[:half]) + "…" + string(runes[len(runes)-half:])
}
