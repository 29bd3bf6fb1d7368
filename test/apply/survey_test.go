package apply

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const requiredTable = "../../applycheck/requiredtable.go"

type surveyed struct {
	// refused counts how often the field was refused as required: if it was missing (index 0), and
	// if it was empty (index 1). accepted counts how often it was not.
	refused, accepted [2]int
	details           map[string]int
	required          bool
	// unsupported counts how often the empty value of an enum was refused as unsupported (true), and
	// how often it was not (false).
	unsupported map[bool]int
}

// conditional are types of fields that the API server may drop, so that their faults have no
// effect. They are data sources of unsupported kinds, and fields of features that may be disabled.
var conditional = []string{
	"io.k8s.api.core.v1.TypedObjectReference", "io.k8s.api.core.v1.TypedLocalObjectReference", "DeviceTaint", "DeviceSubRequest", "DeviceToleration", "Status",
}

type survey struct {
	*comparison
	mu     sync.Mutex
	fields map[[2]string]*surveyed
}

func TestSurvey(t *testing.T) {
	if !*writeSurvey {
		t.Log("the table is written with -survey")
		return
	}
	f := newFixture(t)
	f.fresh = true
	s := &survey{comparison: &comparison{fixture: f, t: t, accepted: map[int][]sample{}, alarms: map[string]int{}}, fields: map[[2]string]*surveyed{}}
	s.valid()
	type question struct {
		kind   Kind
		sample sample
		node   node
	}
	asked := map[string]int{}
	var questions []question
	const enough = 6
	for at, samples := range s.accepted {
		for _, from := range samples {
			for _, n := range s.schemas.nodes(s.schemas.Kinds[at], from.wanted) {
				if len(n.path) == 0 || !n.required && n.schema["enum"] == nil || !strings.HasPrefix(n.owner, "io.k8s.") || isConditional(n.owner) || from.stored != nil {
					continue
				}
				key := fmt.Sprint(s.schemas.Kinds[at].Kind, n.owner, n.path[len(n.path)-1])
				if asked[key]++; asked[key] <= enough {
					questions = append(questions, question{s.schemas.Kinds[at], from, n})
				}
			}
		}
	}
	t.Logf("%d questions", len(questions))
	s.each(len(questions), func(i int) { s.ask(questions[i].sample, questions[i].node) })
	must(t, os.WriteFile(requiredTable, s.table(t), 0o600))
}

func isConditional(typ string) bool {
	return slices.ContainsFunc(conditional, func(end string) bool { return strings.HasSuffix(typ, end) })
}

func (s *survey) ask(from sample, n node) {
	field, _ := n.path[len(n.path)-1].(string)
	var empty any = ""
	switch n.value.(type) {
	case map[string]any:
		empty = map[string]any{}
	case []any:
		empty = []any{}
	case string:
	default:
		empty = nil
	}
	for i, value := range []any{gone{}, empty} {
		if value == nil {
			continue
		}
		err := s.DryRun(s.t.Context(), s.render(with(from.wanted, n.path, value), from.name))
		required, detail := requires(err, field)
		unsupported := supports(err, field)
		s.mu.Lock()
		key := [2]string{n.owner, field}
		if s.fields[key] == nil {
			s.fields[key] = &surveyed{details: map[string]int{}, unsupported: map[bool]int{}, required: n.required}
		}
		if i == 1 && n.schema["enum"] != nil {
			s.fields[key].unsupported[unsupported]++
		}
		if required {
			s.fields[key].refused[i]++
			s.fields[key].details[detail]++
		} else {
			s.fields[key].accepted[i]++
		}
		s.mu.Unlock()
	}
}

func requires(err error, field string) (required bool, detail string) {
	var status *apierrors.StatusError
	if !errors.As(err, &status) || status.ErrStatus.Details == nil {
		return false, ""
	}
	for _, cause := range status.ErrStatus.Details.Causes {
		if cause.Type == metav1.CauseTypeFieldValueRequired && (cause.Field == field || strings.HasSuffix(cause.Field, "."+field)) {
			return true, strings.TrimPrefix(strings.TrimPrefix(cause.Message, "Required value"), ": ")
		}
	}
	return false, ""
}

func supports(err error, field string) bool {
	var status *apierrors.StatusError
	if !errors.As(err, &status) || status.ErrStatus.Details == nil {
		return false
	}
	return slices.ContainsFunc(status.ErrStatus.Details.Causes, func(cause metav1.StatusCause) bool {
		return cause.Type == metav1.CauseTypeFieldValueNotSupported && (cause.Field == field || strings.HasSuffix(cause.Field, "."+field))
	})
}

func (s *survey) table(t *testing.T) []byte {
	t.Helper()
	byType := map[string]map[string]string{}
	enums := map[string]map[string]bool{}
	for key, f := range s.fields {
		if f.unsupported[true] > 0 && f.unsupported[false] == 0 {
			if enums[key[0]] == nil {
				enums[key[0]] = map[string]bool{}
			}
			enums[key[0]][key[1]] = true
		}
		if !f.required || f.refused[0] == 0 || f.accepted[0] > 0 {
			continue
		}
		mark := ""
		if f.accepted[1] > 0 || f.refused[1] == 0 {
			mark = "missing"
		}
		detail := sorted(f.details)[0]
		if len(f.details) > 1 {
			detail = ""
		}
		if byType[key[0]] == nil {
			byType[key[0]] = map[string]string{}
		}
		byType[key[0]][key[1]] = fmt.Sprintf("{detail: %q, missing: %t}", detail, mark != "")
	}
	var b bytes.Buffer
	b.WriteString("// Code generated by go test -run TestSurvey -survey -objects 24000 in test/apply, which asks an API server; DO NOT EDIT.\n\npackage applycheck\n\n" +
		"// requiredFields are the fields that the API server requires, by the type that has them.\nvar requiredFields = map[string]map[string]requiredField{\n")
	for _, typ := range sorted(byType) {
		fmt.Fprintf(&b, "%q: {\n", typ)
		for _, field := range sorted(byType[typ]) {
			fmt.Fprintf(&b, "%q: %s,\n", field, byType[typ][field])
		}
		b.WriteString("},\n")
	}
	b.WriteString("}\n\n// emptyEnums are the fields whose values are enumerated and that the API server refuses if they are empty.\nvar emptyEnums = map[string]map[string]bool{\n")
	for _, typ := range sorted(enums) {
		fmt.Fprintf(&b, "%q: {", typ)
		for _, field := range sorted(enums[typ]) {
			fmt.Fprintf(&b, "%q: true, ", field)
		}
		b.WriteString("},\n")
	}
	b.WriteString("}\n")
	source, err := format.Source(b.Bytes())
	must(t, err)
	return source
}
