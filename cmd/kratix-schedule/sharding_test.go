package main

import (
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func selectorOf(t *testing.T, text string) *shardSelector {
	t.Helper()
	s := &shardSelector{}
	if err := s.Set(text); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSelectorSelectsStoresByTheirLabels(t *testing.T) {
	for _, test := range []struct {
		selector string
		labels   map[string]string
		want     bool
	}{
		{kratix.ShardLabel + "=one", map[string]string{kratix.ShardLabel: "one"}, true},
		{kratix.ShardLabel + "=one", map[string]string{kratix.ShardLabel: "two"}, false},
		{kratix.ShardLabel + "=one", map[string]string{kratix.ShardLabel: ""}, false},
		{kratix.ShardLabel + "=one", nil, false},
		{"!" + kratix.ShardLabel, nil, true},
		{"!" + kratix.ShardLabel, map[string]string{"other": "one"}, true},
		{"!" + kratix.ShardLabel, map[string]string{kratix.ShardLabel: "one"}, false},
		{kratix.ShardLabel + " in (one, two)", map[string]string{kratix.ShardLabel: "two"}, true},
	} {
		if got := selectorOf(t, test.selector).selects()(test.labels); got != test.want {
			t.Errorf("%s selects %v: %v", test.selector, test.labels, got)
		}
	}
	if none := (&shardSelector{}); none.selects() != nil {
		t.Error("a process without a selector is told to select")
	}
}

func TestEachShardHasALeaseOfItsOwn(t *testing.T) {
	names := map[string]string{}
	for _, text := range []string{"", "!" + kratix.ShardLabel, kratix.ShardLabel + "=one", kratix.ShardLabel + "=two", "a=one"} {
		s := &shardSelector{}
		if text != "" {
			s = selectorOf(t, text)
		}
		name := s.lease()
		if other, taken := names[name]; taken {
			t.Errorf("%q and %q have the Lease %s", text, other, name)
		}
		if names[name] = text; name != strings.ToLower(name) || len(name) > 63 || !strings.HasPrefix(name, "kratix-schedule") {
			t.Errorf("%q has the Lease %s", text, name)
		}
	}
	if a, b := selectorOf(t, "a=1,b in (3,2)").lease(), selectorOf(t, "b in (2, 3), a = 1").lease(); a != b {
		t.Errorf("one selector has the Leases %s and %s", a, b)
	}
}
