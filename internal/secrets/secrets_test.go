package secrets_test

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/secrets"
)

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
		if got := secrets.MaySelect(row.group, row.kind); got != row.want {
			t.Errorf("group %q, kind %q: got %v", row.group, row.kind, got)
		}
	}
}
