package page

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

const (
	paramFrom = "from"
	paramTo   = "to"
)

type historyPage struct {
	layout
	Work, Group, Destination, Back string
	Missing                        string
	History                        History
	Rows                           []revisionRow
	Compared                       *comparison
}

type revisionRow struct {
	Revision
	Link string
	// From and To mark the two compared revisions.
	From, To bool
}

// comparison is the difference between two revisions, or the reason why there is none.
type comparison struct {
	From, To, Missing string
	Lines             []diffLine
	Cut               bool
}

type diffLine struct{ Class, Text string }

func placementOf(values url.Values) Placement {
	p := Placement{Work: values.Get(paramWork), Directory: values.Get(paramGroup), Destination: values.Get(paramDestination)}
	if p.Directory == "" {
		p.Directory = kratix.DefaultDirectory
	}
	return p
}

func (s *Site) history(w http.ResponseWriter, r *http.Request, templates *template.Template) {
	values := r.URL.Query()
	wanted := placementOf(values)
	l, now, i := s.lookUp(w, wanted, "History of "+wanted.Work, "/history", templates)
	if i < 0 {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	send(w, templates, "history", now, s.historyOf(ctx, now, i, l, values), l)
}

func (s *Site) historyOf(ctx context.Context, now *state, i int, l layout, values url.Values) historyPage {
	p := now.Report.Placements[i]
	v := historyPage{layout: l, Work: p.Work, Destination: p.Destination, Back: Placement{p.Work, p.Directory, p.Destination}.link()}
	if p.Directory != kratix.DefaultDirectory {
		v.Group = p.Directory
	}
	wanted, missing := s.wanted(now, p)
	if v.Missing = missing; missing != "" {
		return v
	}
	var err error
	if v.History, err = s.Store.History(ctx, wanted); err != nil {
		v.Missing = err.Error()
		return v
	}
	from, to := values.Get(paramFrom), values.Get(paramTo)
	for _, revision := range v.History.Revisions {
		row := revisionRow{Revision: revision, From: revision.ID == from, To: revision.ID == to}
		if link := strings.Replace(v.Back, "/placement?", "/history?", 1); link != "" {
			row.Link = link + "&" + url.Values{paramFrom: {revision.Parent}, paramTo: {revision.ID}}.Encode()
		}
		v.Rows = append(v.Rows, row)
	}
	if to != "" {
		v.Compared = s.compare(ctx, wanted, from, to)
	}
	return v
}

func (s *Site) compare(ctx context.Context, wanted Wanted, from, to string) *comparison {
	c := comparison{From: from, To: to}
	difference, err := s.Store.Compare(ctx, wanted, from, to)
	if err != nil {
		c.Missing = err.Error()
		return &c
	}
	c.Cut = difference.Cut
	inside := false
	for _, line := range difference.Lines {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "diff --git ") {
			inside = false
		}
		inside = inside || strings.HasPrefix(line, "@@")
		c.Lines = append(c.Lines, diffLine{classOfLine(line, inside), line})
	}
	return &c
}

// classOfLine returns the CSS class of a line of a difference. inside means that the line is below
// the head of its file.
func classOfLine(line string, inside bool) string {
	switch {
	case !inside, strings.HasPrefix(line, "@@"):
		return "head"
	case strings.HasPrefix(line, "+"):
		return "add"
	case strings.HasPrefix(line, "-"):
		return "del"
	}
	return "same"
}
