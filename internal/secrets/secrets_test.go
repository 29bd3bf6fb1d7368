package secrets

import "testing"

func TestMaySelect(t *testing.T) {
	for _, row := range []struct {
		group, kind string
		want        bool
	}{
		{"", "Secret", true},
		{"", "", true},
		{"", "secret", true},
		{"", "Se.*", true},
		{"", "ConfigMap|Secret", true},
		{".*", "Secret", true},
		{"", "ConfigMap", false},
		{"", "ExternalSecret", false},
		{"apps", "", false},
		{"example.org", "Secret", false},
		{"", "(", false},
	} {
		if got := MaySelect(row.group, row.kind); got != row.want {
			t.Errorf("group %q, kind %q: got %v", row.group, row.kind, got)
		}
	}
}
