package flux

import "strings"

var oddValues = []string{
	".inf", "-.inf", ".nan", ".NaN", "!!int abc", "!!int '12'", "!!float x", "!!bool maybe", "!!null x", "!!binary '%%%'", "!!binary aGk=", "!!str 12", "!!str .inf",
	"{{ x }}", "[{{ x }}]", "{{ .Values.x | quote }}", "'{{ x }}'", "${X}",
	"0x10", "0o10", "0777", "0b11", "1_000", "+1", "-0", "1.", ".5", "1e3", "1e400", "-1e400", "123456789012345678901234567890", "9223372036854775807", "18446744073709551616",
	"0.1234567890123456789", "1:30", "190:20:30", "0.0", "-0.0",
	"2020-01-01", "2020-01-01T00:00:00Z", "!!timestamp nonsense", "!!timestamp 2020-01-01", "!Ref foo", "!Sub {a: b}", "!!set {a, b}", "!!omap [a: 1]",
	"~", "null", "''", "{}", "[]", "{? }", "{? a}", "[null, ~]", "yes", "on", "y", "True", "NO",
	"{~: a}", "{1: a}", "{true: a}", "{1.5: a}", "{.inf: a}", "{.nan: a, .nan: b}", "{2020-01-01: a}", "{? [a, b] : c}", "{? {a: b} : c}", "{!!str 1: a}", "{!!binary aGk=: a}",
	"{a: 1, a: 2}", "{1: a, '1': b}", "{1: a, 1: b}", "{0x1: a, 1: b}", "{true: a, True: b}", "[{a: 1, a: 2}]", "{a: {b: {1: c}}}", "{'': a}", "{' ': a}", "{'a b': c}", "{'---': a}", "{'<<': a}",
	`"\x07"`, `"\x7f"`, `"\x85"`, `"\ufeff"`, `"\ufffe"`, `"\u2028"`, `"\U0001F600"`, `"\0"`, `"a\tb"`, `"a\nb"`, `" a\n b\n"`, `"\n"`, `"\n a"`, `"a\r\nb"`, `"--- a"`, `"a\n---\nb"`,
	"a\tb", "a # b", "a#b", "'a: b'", "a: b", "*x", "&x a", "<a & b>", "ü", "日本", "\\", "%a", "?", "-", "?a", "-a", ":a", "[a]b",
	"|\n    a\n", "|2\n      a\n    b\n", "|\n    a\n\n    b\n\n\n", "|+\n    a\n\n", "|-\n    a\n", ">\n    a\n    b\n", ">\n    a\n\n      b\n    c\n", "|\n    a \n    b\n", "|\n    \ta\n    b\n", "| # c\n    a\n",
	"|\n    # a\n    b\n", "|\n    ---\n    a\n", "|\n    {{ x }}\n", "[a, # c\n    b]", "{a: b, # c\n    d: e}", "# c\n    a: b", "a # c", "# c\n    # d\n    a: b # e\n    # f\n", "\n  # c\n  - a\n  # d\n  - b\n",
}

var oddKeys = []string{
	"1", "true", "~", "null", "1.5", ".inf", ".nan", "2020-01-01", "[a, b]", "{a: b}", "? a", "? [a]", "'1'", "'true'", "''", "y", "no", "0x1", "1_0", "<<", "'<<'", "!!str 1", "!!int '1'", "-", "---a", "a b", "ü", `"\x07"`, `"\x7f"`, `"a\nb"`,
	strings.Repeat("k", 300), strings.Repeat("k", 1020), strings.Repeat("k", 1030), strings.Repeat("k", 2000), "{{ x }}", "&k a", "&k 1", "*k", "a.b/c", "'a: b'", "# c\n  a",
}

var oddScalars = []string{"1", "1.5", "true", "~", "''", "2020-01-01", "0x10", ".inf", ".nan", "1e3", "'1'", "!!str 1", "[a]", "{a: b}", "{{ x }}", "'{{ x }}'", "ü", "a b", "!!binary aGk=", "yes", "1_000", "m0 # c"}

func (m *maker) oddOne(some []string) string { return some[m.IntN(len(some))] }

func (m *maker) oddObject(apiVersion, kind string) string {
	fields := map[string]string{"apiVersion": apiVersion, "kind": kind, "name": m.name()}
	order := []string{"apiVersion", "kind", "metadata"}
	rest := ""
	for range 1 + m.IntN(2) {
		switch m.IntN(12) {
		case 0:
			fields["name"] = m.oddOne(oddScalars)
		case 1:
			fields["namespace"] = m.oddOne(oddScalars)
		case 2:
			fields["labels"] = m.pick("", "{a: ", "{b: c, a: ") + m.oddOne(oddScalars)
		case 3:
			fields["annotations"] = m.pick("", "{a: ", "{b: c, a: ") + m.oddOne(oddScalars)
		case 4:
			fields["apiVersion"] = m.oddOne(oddScalars)
		case 5:
			order = m.oddOrder()
		case 6:
			rest += m.pick("items: []\n", "items: [a]\n", "items: [{a: b}]\n", "items:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: m0}\n", "items: {}\n", "status: {}\n")
		case 7, 8:
			rest += "data:\n  " + m.oddOne(oddKeys) + ": " + m.oddOne(oddValues) + "\n"
		default:
			rest += m.pick("x", "spec", "data:\n  a", "data:\n  b: c\n  a", "x:\n- b\n- a") + ": " + m.oddOne(oddValues) + "\n"
		}
	}
	return m.oddText(fields, order) + rest
}

func (m *maker) oddOrder() []string {
	switch m.IntN(6) {
	case 0:
		return []string{"kind", "metadata"}
	case 1:
		return []string{"apiVersion", "metadata"}
	case 2:
		return []string{"apiVersion", "kind", "kind", "metadata"}
	case 3:
		return []string{"apiVersion", "metadata", "kind", "metadata"}
	case 4:
		return []string{"apiversion", "kind", "metadata"}
	}
	return []string{"metadata", "kind", "apiVersion"}
}

func (m *maker) oddText(fields map[string]string, order []string) string {
	var text strings.Builder
	for _, field := range order {
		switch field {
		case "metadata":
			text.WriteString("metadata:\n  name: " + fields["name"] + "\n")
			for _, more := range []string{"namespace", "labels", "annotations"} {
				if value := fields[more]; value != "" {
					text.WriteString("  " + more + ": " + value + m.closing(value) + "\n")
				}
			}
		case "apiversion":
			text.WriteString("apiversion: " + fields["apiVersion"] + "\n")
		default:
			text.WriteString(field + ": " + fields[field] + "\n")
		}
	}
	return text.String()
}

func (*maker) closing(value string) string {
	if strings.HasPrefix(value, "{a: ") || strings.HasPrefix(value, "{b: ") {
		return "}"
	}
	return ""
}
