package kratix_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func TestMistypedValuesAreReportedWithTheirLine(t *testing.T) {
	const head = "apiVersion: platform.kratix.io/v1alpha1\nkind: Work\n"
	for name, tt := range map[string]struct {
		document, want string
		line           int
	}{
		"a label that is a number":       {head + "metadata:\n  name: a\n  labels:\n    app: x\n    tier: 1\n", "metadata.labels.tier is a number; quote it", 7},
		"a label that is a fraction":     {head + "metadata: {name: a, labels: {version: 1.10}}\n", "metadata.labels.version is a number; quote it", 3},
		"a label that is true":           {head + "metadata:\n  name: a\n  labels:\n    on-call: true\n", "metadata.labels.on-call is a boolean; quote it", 6},
		"a label that is yes":            {head + "metadata:\n  name: a\n  labels:\n    prod: yes\n", "metadata.labels.prod is a boolean; quote it", 6},
		"an annotation that is a number": {head + "metadata:\n  name: a\n  annotations:\n    team: 7\n", "metadata.annotations.team is a number; quote it", 6},
		"a label that is a map":          {head + "metadata:\n  name: a\n  labels:\n    tier: {a: b}\n", "metadata.labels.tier cannot be an object", 6},
		"labels that are a list":         {head + "metadata:\n  name: a\n  labels: [a]\n", "metadata.labels cannot be an array", 5},
		"a selector in the second group": {
			head + "metadata: {name: a}\nspec:\n  workloadGroups:\n  - destinationSelectors:\n    - matchLabels: {a: b}\n  - destinationSelectors:\n    - matchLabels:\n        zone: 3\n",
			"spec.workloadGroups[1].destinationSelectors[0].matchLabels.zone is a number; quote it", 10,
		},
		"groups that are text": {head + "metadata: {name: a}\nspec:\n  workloadGroups: none\n", "spec.workloadGroups cannot be a string", 5},
		"a name of digits":     {head + "metadata:\n  name: 12345\n", "metadata.name is a number; quote it", 4},
	} {
		t.Run(name, func(t *testing.T) {
			parsed, err := kratix.Parse([]byte(tt.document), 1)
			if err == nil {
				err = parsed[0].Err
			}
			var at *kratix.LineError
			if !errors.As(err, &at) || at.Reason != tt.want || at.Line != tt.line {
				t.Errorf("Parse: %v at %+v, want %q in line %d", err, at, tt.want, tt.line)
			}
		})
	}
}

func TestErrorsOfListItemsHaveLineInFile(t *testing.T) {
	const document = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: platform.kratix.io/v1alpha1\n  kind: Destination\n  metadata:\n    name: d\n    labels:\n      tier: 1\n"
	parsed, err := kratix.Parse([]byte(document), 101)
	if err != nil {
		t.Fatal(err)
	}
	var at *kratix.LineError
	if !errors.As(parsed[0].Err, &at) || at.Line != 109 || at.Reason != "metadata.labels.tier is a number; quote it" {
		t.Errorf("Parse: %+v", at)
	}
}

func TestInvalidTextIsReportedWithItsLine(t *testing.T) {
	for name, tt := range map[string]struct {
		document, want string
		line           int
	}{
		"Latin-1":               {"a: b\n# na\xefve\nc: d\n", "the byte 0xEF is not UTF-8; save the file as UTF-8", 2},
		"Latin-1 in a value":    {"a: b\nc: d\ne: caf\xe9\n", "the byte 0xE9 is not UTF-8; save the file as UTF-8", 3},
		"gzip":                  {"\x1f\x8b\x08\x00\x00", "it is compressed with gzip; put the unpacked file there", 1},
		"UTF-16":                {"\xff\xfea\x00", "it is UTF-16; save the file as UTF-8", 1},
		"a control character":   {"a: b\nc: \"d\x01\"\n", "malformed YAML: the control character 0x01 is not allowed", 2},
		"a NUL":                 {"a: b\nc: d\x00\n", "malformed YAML: the control character 0x00 is not allowed", 2},
		"a tab for indentation": {"a:\n\tb: c\n", "malformed YAML: found character that cannot start any token", 2},
		"a template":            {"a: b\nname: {{ .Values.name }}\n", "malformed YAML: a map is the key of another; render a template with {{ }} first", 1},
		"too many levels":       {"apiVersion: v1\nkind: X\na: " + strings.Repeat("{a: ", 10001) + "1" + strings.Repeat("}", 10001), "malformed YAML: it is nested more than 10,000 levels deep", 3},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := kratix.Parse([]byte(tt.document), 1)
			var at *kratix.LineError
			if !errors.As(err, &at) || at.Reason != tt.want || at.Line != tt.line {
				t.Errorf("Parse: %v at %+v, want %q in line %d", err, at, tt.want, tt.line)
			}
		})
	}
}

func TestErrorForNonObjectNamesMissingFields(t *testing.T) {
	for document, want := range map[string]string{
		"kind: Work\n":     "it is not a Kubernetes object: apiVersion is missing",
		"apiVersion: v1\n": "it is not a Kubernetes object: kind is missing",
		"replicas: 3\n":    "it is not a Kubernetes object: apiVersion and kind are missing",
		"- a\n":            "it is not a Kubernetes object: the document cannot be an array",
	} {
		_, err := kratix.Parse([]byte(document), 1)
		var at *kratix.LineError
		if !errors.As(err, &at) || at.Reason != want || !at.NoObject {
			t.Errorf("Parse(%q): %+v, want %q", document, at, want)
		}
	}
}

func TestBucketNames(t *testing.T) {
	for name, valid := range map[string]bool{
		"my-bucket": true, "a.b.c": true, "Old_Bucket": true, "abc": true, strings.Repeat("a", 63): true,
		"ab": false, strings.Repeat("a", 64): false, "my bucket": false, "My_Bucket!": false, "a/b": false, "-abc": false, "abc-": false,
		"a..b": false, "a.-b": false, "192.168.0.1": false, "s3://b": false,
	} {
		if err := kratix.CheckBucketName(name); (err == nil) != valid {
			t.Errorf("CheckBucketName(%q): %v, valid is %v", name, err, valid)
		}
	}
}
