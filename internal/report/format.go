package report

import "io"

// Format is an output format of a Document.
type Format struct {
	Name string
	// Summary describes the purpose of the format.
	Summary string
	Write   func(io.Writer, Document) error
}

// Formats returns all formats.
func Formats() []Format {
	return []Format{
		{"text", "for people; coloured on a terminal", Plain},
		{"json", "for programs", JSON},
		{"yaml", "for programs", YAML},
		{"junit", "JUnit XML, for GitLab, Jenkins and others", JUnit},
		{"tap", "Test Anything Protocol 14", TAP},
		{"sarif", "SARIF 2.1.0, for code scanning", SARIF},
		{"github", "annotations of GitHub Actions", GitHub},
		{"markdown", "a comment on a pull request", Markdown},
		{"html", "one page with the findings by object and a picture, to be attached to a pipeline", HTML},
	}
}

// FormatNamed returns the format with a name, and whether there is such a format.
func FormatNamed(name string) (Format, bool) {
	for _, format := range Formats() {
		if format.Name == name {
			return format, true
		}
	}
	return Format{}, false
}

// FormatNames returns the names of all formats.
func FormatNames() []string {
	var names []string
	for _, format := range Formats() {
		names = append(names, format.Name)
	}
	return names
}
