package page

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

const (
	paramSearch      = "q"
	paramPromise     = "promise"
	paramNamespace   = "namespace"
	paramDestination = "destination"
	paramState       = "state"
	paramPage        = "page"
	paramWork        = "work"
	paramGroup       = "group"
	paramSeverity    = "severity"
	paramName        = "name"
)

// The states of a filter that are not states of a report.
const (
	// problemState is the state of placements that are held back, not placed or not written.
	problemState = "problem"
	// failingState is the state of placements on which the agent of their Destination fails.
	failingState = "failing in the cluster"
)

// Query selects placements or findings. Empty fields match everything.
type Query struct {
	Search, Promise, Namespace, Destination, State, Severity string
	// Name is the name of a Rollout.
	Name string
	// Page is the number of the page, counted from 1.
	Page int
}

// maxPage is the maximum number of a page. It prevents integer overflows.
const maxPage = 1_000_000

// maxValue is the maximum length of a value of a query in bytes. A longer value is cut.
const maxValue = 1000

// ParseQuery returns the query in the parameters of a URL.
func ParseQuery(values url.Values) Query {
	get := func(name string) string {
		value := strings.ToValidUTF8(values.Get(name), "\uFFFD")
		if len(value) > maxValue {
			value = strings.ToValidUTF8(value[:maxValue], "")
		}
		return value
	}
	q := Query{
		Search: strings.TrimSpace(get(paramSearch)), Promise: get(paramPromise), Namespace: get(paramNamespace),
		Destination: get(paramDestination), State: get(paramState), Severity: get(paramSeverity), Name: get(paramName), Page: 1,
	}
	if n, err := strconv.Atoi(get(paramPage)); err == nil && n > 1 {
		q.Page = min(n, maxPage)
	}
	return q
}

// String returns the query as parameters of a URL, without a question mark.
func (q Query) String() string {
	values := url.Values{}
	for name, value := range map[string]string{
		paramSearch: q.Search, paramPromise: q.Promise, paramNamespace: q.Namespace,
		paramDestination: q.Destination, paramState: q.State, paramSeverity: q.Severity, paramName: q.Name,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if q.Page > 1 {
		values.Set(paramPage, strconv.Itoa(q.Page))
	}
	return values.Encode()
}

func (q Query) at(page int) Query {
	q.Page = page
	return q
}

// link returns a URL with the query, or "" if a value is too long for a URL.
func (q Query) link(path string) string {
	if max(len(q.Search), len(q.Promise), len(q.Namespace), len(q.Destination), len(q.Name)) > maxValue {
		return ""
	}
	if parameters := q.String(); parameters != "" {
		return path + "?" + parameters
	}
	return path
}

// hasProblem reports whether a state is part of problemState.
func hasProblem(s report.State) bool {
	return s == report.HeldBack || s == report.Unplaced || s == report.Failed
}

// match returns the indices of the placements on the page of a query, and the total number of
// matching placements.
func (s *state) match(q Query, size int) (matching []int, total int) {
	x := s.index()
	search := strings.ToLower(q.Search)
	promise, namespace, destination := wanted(&x.promises, q.Promise), wanted(&x.namespaces, q.Namespace), wanted(&x.destinations, q.Destination)
	for i := range x.entries {
		e := &x.entries[i]
		switch {
		case promise != any32 && e.promise != promise, namespace != any32 && e.namespace != namespace,
			destination != any32 && e.destination != destination,
			!s.inState(i, q.State),
			search != "" && !strings.Contains(e.search, search):
			continue
		}
		matching = append(matching, i)
	}
	total = len(matching)
	from := min(max(q.Page-1, 0)*size, max(total-1, 0)/size*size)
	return matching[from:min(from+size, total)], total
}

func (s *state) inState(i int, wanted string) bool {
	switch wanted {
	case "":
		return true
	case problemState:
		return hasProblem(s.Report.Placements[i].State)
	case failingState:
		return s.index().entries[i].failing
	}
	return string(s.Report.Placements[i].State) == wanted
}

const any32 = -2

// wanted returns the number of a name in a query, any32 for an empty name, or -1 for an unknown
// name.
func wanted(among *names, name string) int32 {
	if name == "" {
		return any32
	}
	return among.number(name)
}
