package apply

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strings"
)

// Maker makes random objects, and random changes of objects.
type Maker struct {
	*rand.Rand
	*Schemas
}

// NewMaker returns a Maker whose random numbers depend on seed and stream.
func NewMaker(schemas *Schemas, seed, stream uint64) *Maker {
	return &Maker{Rand: rand.New(rand.NewPCG(seed, stream)), Schemas: schemas} //nolint:gosec // not a secret
}

func (m *Maker) pick(from ...string) string { return from[m.IntN(len(from))] }

const deepest = 7

func (m *Maker) value(of Schema, name string, depth int) any {
	quantity := strings.HasSuffix(text(of["$ref"])+text(object(first(of["allOf"]))["$ref"]), "resource.Quantity")
	of = m.Resolve(of)
	if enum := list(of["enum"]); len(enum) > 0 {
		return enum[m.IntN(len(enum))]
	}
	if of["nullable"] == true && m.IntN(5) == 0 {
		return nil
	}
	if def, ok := of["default"]; ok && m.IntN(4) == 0 {
		return def
	}
	switch {
	case quantity:
		return m.pick("1", "100m", "1Gi", "0.5", "2e3", "10Mi")
	case of["x-kubernetes-int-or-string"] == true || text(of["format"]) == "int-or-string":
		return m.intOrString(of)
	}
	switch of.Type() {
	case "string":
		return m.text(of, name)
	case "integer":
		return m.integer(of, name)
	case "number":
		low, high := limits(of, 0, 10)
		return float64(low) + m.Float64()*float64(high-low)
	case "boolean":
		return m.IntN(2) == 0
	case "array":
		return m.array(of, name, depth)
	}
	return m.object(of, depth)
}

func first(v any) any {
	if l := list(v); len(l) > 0 {
		return l[0]
	}
	return nil
}

func (m *Maker) intOrString(of Schema) any {
	if pattern := text(of["pattern"]); pattern != "" && m.IntN(3) > 0 {
		return m.matching(pattern)
	}
	if m.IntN(2) == 0 {
		return int64(1 + m.IntN(100))
	}
	return m.pick("http", "25%", "8080", "1")
}

func limits(of Schema, low, high int64) (int64, int64) {
	if v, ok := of["minimum"].(float64); ok {
		low = int64(v)
		high = max(high, low+10)
	}
	if v, ok := of["maximum"].(float64); ok {
		high = min(high, int64(v))
	}
	return min(low, high), max(low, high)
}

func (m *Maker) integer(of Schema, name string) any {
	low, high := limits(of, 0, 12)
	if strings.HasSuffix(strings.ToLower(name), "port") && high == 12 {
		low, high = 1, 40000
	}
	n := low + m.Int64N(high-low+1)
	if by, ok := of["multipleOf"].(float64); ok && by >= 1 {
		n -= n % int64(by)
	}
	return n
}

func (m *Maker) array(of Schema, name string, depth int) any {
	count := m.IntN(3)
	if least, ok := of["minItems"].(float64); ok {
		count = max(count, int(least))
	}
	if depth > deepest {
		count = 0
	}
	items := make([]any, 0, count)
	for range count {
		item := m.value(objectOrEmpty(of["items"]), name, depth+1)
		unique := text(of["x-kubernetes-list-type"]) == "set"
		if !unique || !slices.ContainsFunc(items, func(other any) bool { return fmt.Sprint(other) == fmt.Sprint(item) }) {
			items = append(items, item)
		}
	}
	return items
}

func (m *Maker) object(of Schema, depth int) any {
	fields := map[string]any{}
	properties := of.Properties()
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if of.Required(name) || depth < deepest && m.IntN(2+depth+len(properties)/6) == 0 {
			fields[name] = m.value(objectOrEmpty(properties[name]), name, depth+1)
		}
	}
	if of["x-kubernetes-embedded-resource"] == true {
		fields["apiVersion"], fields["kind"], fields["metadata"] = "v1", "ConfigMap", map[string]any{"name": "embedded"}
	}
	if values := object(of["additionalProperties"]); values != nil && depth < deepest {
		least, _ := of["minProperties"].(float64)
		for range max(int(least), m.IntN(3)) {
			key := m.pick("a", "b.example.org/c", "cpu", "memory", "d-e", "F")
			fields[key] = m.value(values, key, depth+1)
		}
	}
	if of["x-kubernetes-preserve-unknown-fields"] == true && m.IntN(2) == 0 {
		fields[m.pick("free", "more")] = m.anything()
	}
	return fields
}

func (m *Maker) anything() any {
	return []any{"s", int64(3), true, 1.5, []any{"a", int64(1)}, map[string]any{"a": map[string]any{"b": nil}}, nil}[m.IntN(7)]
}

func (m *Maker) text(of Schema, name string) any {
	if pattern := text(of["pattern"]); pattern != "" {
		return m.matching(pattern)
	}
	if example, ok := byFormat[text(of["format"])]; ok {
		return m.pick(example...)
	}
	lower := strings.ToLower(name)
	for _, guess := range byName {
		if slices.ContainsFunc(guess.suffixes, func(suffix string) bool { return strings.HasSuffix(lower, suffix) }) {
			return m.pick(guess.values...)
		}
	}
	s := m.pick("a", "name-b", "c.example.org", "nginx", "x1", "long-word")
	if most, ok := of["maxLength"].(float64); ok {
		s = s[:min(len(s), int(most))]
	}
	if least, ok := of["minLength"].(float64); ok && len(s) < int(least) {
		s += strings.Repeat("x", int(least)-len(s))
	}
	return s
}

var byFormat = map[string][]string{
	"date-time": {"2026-01-02T03:04:05Z", "2026-05-06T07:08:09Z"},
	"date":      {"2026-01-02"},
	"byte":      {"YQ==", "aGVsbG8="},
	"duration":  {"5s", "1h30m", "24h"},
	"hostname":  {"a.example.org", "b"},
	"ipv4":      {"192.0.2.1"},
	"ipv6":      {"2001:db8::1"},
	"cidr":      {"192.0.2.0/24"},
	"uri":       {"https://example.org/a"},
	"email":     {"a@example.org"},
	"uuid":      {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
	"mac":       {"00:00:5e:00:53:01"},
}

var byName = []struct{ suffixes, values []string }{
	{[]string{"namespace"}, []string{"default", "other"}},
	{[]string{"hostip", "podip", "ip", "ips"}, []string{"192.0.2.1", "2001:db8::1"}},
	{[]string{"cidr", "cidrs"}, []string{"10.1.0.0/24"}},
	{[]string{"path"}, []string{"/a", "/b/c", "a"}},
	{[]string{"url"}, []string{"https://example.org/a"}},
	{[]string{"expression"}, []string{"true", "object.metadata.name == 'a'"}},
	{[]string{"schedule"}, []string{"0 3 * * *", "@daily"}},
	{[]string{"apiversion"}, []string{"v1", "apps/v1"}},
	{[]string{"kind"}, []string{"Pod", "ConfigMap", "Secret"}},
	{[]string{"timezone"}, []string{"Europe/Berlin", "Etc/UTC"}},
	{[]string{"topologykey"}, []string{"kubernetes.io/hostname", "zone"}},
}

func (m *Maker) matching(pattern string) string {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	var b strings.Builder
	m.write(&b, parsed.Simplify())
	return b.String()
}

func (m *Maker) write(b *strings.Builder, re *syntax.Regexp) {
	repeat := func(least, most int) {
		for range least + m.IntN(most-least+1) {
			m.write(b, re.Sub[0])
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		pair := 2 * m.IntN(len(re.Rune)/2)
		low, high := re.Rune[pair], min(re.Rune[pair+1], re.Rune[pair]+25)
		b.WriteRune(low + m.Int32N(high-low+1))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteString("a")
	case syntax.OpStar:
		repeat(0, 3)
	case syntax.OpPlus:
		repeat(1, 3)
	case syntax.OpQuest:
		repeat(0, 1)
	case syntax.OpRepeat:
		repeat(re.Min, max(re.Max, re.Min))
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			m.write(b, sub)
		}
	case syntax.OpCapture:
		m.write(b, re.Sub[0])
	case syntax.OpAlternate:
		m.write(b, re.Sub[m.IntN(len(re.Sub))])
	}
}
