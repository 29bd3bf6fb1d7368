package report

import (
	"bufio"
	"io"

	"sigs.k8s.io/yaml"
)

// YAML writes a document as one YAML document with the keys of the JSON one.
func YAML(w io.Writer, d Document) error {
	out := bufio.NewWriter(w)
	start, err := yaml.Marshal(d.head())
	if err != nil {
		return err
	}
	_, _ = out.Write(start) // the Flush tells
	if err := sequence(out, "findings", d.Findings, d.found); err != nil {
		return err
	}
	if err := sequence(out, "placements", d.Placements, Placement.forPrograms); err != nil {
		return err
	}
	if err := sequence(out, "changes", d.changes(), func(c change) change { return c }); err != nil {
		return err
	}
	return out.Flush()
}

// sequence writes one list, item by item.
func sequence[T, U any](out *bufio.Writer, name string, items []T, convert func(T) U) error {
	if len(items) == 0 {
		printf(out, "%s: []\n", name)
		return nil
	}
	printf(out, "%s:\n", name)
	for _, item := range items {
		text, err := yaml.Marshal([]U{convert(item)})
		if err != nil {
			return err
		}
		_, _ = out.Write(text) // the Flush tells
	}
	return nil
}
