package writers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

type m = map[string]any

type l = []any

func TestMerge(t *testing.T) {
	const now = "2026-11-21T10:00:00Z"
	tests := map[string]struct{ there, said, want m }{
		"nothing there": {nil, m{"message": "up"}, m{"message": "up"}},
		"nothing said":  {m{"message": "up"}, nil, m{"message": "up"}},
		"others stay":   {m{"a": "1", "kratix": m{"x": "y"}}, m{"b": int64(2)}, m{"a": "1", "kratix": m{"x": "y"}, "b": int64(2)}},
		"a key is replaced whole, as Kratix does": {
			m{"connection": m{"host": "old", "port": int64(1)}}, m{"connection": m{"host": "new"}}, m{"connection": m{"host": "new"}},
		},
		"a nil value removes the key": {m{"a": "1", "b": "2"}, m{"a": nil, "c": nil}, m{"b": "2"}},
		"a condition of another type stays": {
			m{"conditions": l{m{"type": "Reconciled", "status": "True"}}},
			m{"conditions": l{m{"type": "Up", "status": "True", "lastTransitionTime": "said"}}},
			m{"conditions": l{m{"type": "Reconciled", "status": "True"}, m{"type": "Up", "status": "True", "lastTransitionTime": "said"}}},
		},
		"a condition of the same type is replaced where it was": {
			m{"conditions": l{m{"type": "Up", "status": "False", "reason": "Old", "lastTransitionTime": "before"}, m{"type": "Other"}}},
			m{"conditions": l{m{"type": "Up", "status": "True"}}},
			m{"conditions": l{m{"type": "Up", "status": "True", "lastTransitionTime": now}, m{"type": "Other"}}},
		},
		"a condition that stays has not changed now": {
			m{"conditions": l{m{"type": "Up", "status": "True", "message": "a", "lastTransitionTime": "before"}}},
			m{"conditions": l{m{"type": "Up", "status": "True", "message": "b"}}},
			m{"conditions": l{m{"type": "Up", "status": "True", "message": "b", "lastTransitionTime": "before"}}},
		},
		"a value that is no list of conditions is replaced": {
			m{"conditions": "none"}, m{"conditions": l{m{"type": "Up"}}}, m{"conditions": l{m{"type": "Up", "lastTransitionTime": now}}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			before := cmp.Diff(m(nil), test.there) + cmp.Diff(m(nil), test.said)
			if diff := cmp.Diff(test.want, merge(test.there, test.said, now)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if after := cmp.Diff(m(nil), test.there) + cmp.Diff(m(nil), test.said); after != before {
				t.Errorf("merge changed what it was given:\n%s\n%s", before, after)
			}
			merged := merge(test.there, test.said, now)
			if changed := differences(merged, merge(merged, test.said, "later")); len(changed) > 0 {
				t.Errorf("merging once more changes %v", changed)
			}
		})
	}
}

func TestKeeps(t *testing.T) {
	for name, test := range map[string]struct {
		stored, written any
		want            bool
	}{
		"equal":            {m{"a": l{"b", int64(1)}}, m{"a": l{"b", int64(1)}}, true},
		"a default":        {m{"a": "b", "c": "d"}, m{"a": "b"}, true},
		"a field less":     {m{"a": "b"}, m{"a": "b", "c": "d"}, false},
		"a deep one less":  {m{"a": l{m{}}}, m{"a": l{m{"b": "c"}}}, false},
		"an element less":  {l{"a"}, l{"a", "b"}, false},
		"not there":        {nil, m{}, false},
		"another value":    {"a", "b", false},
		"taken away":       {nil, nil, true},
		"not a map at all": {"a", m{"a": "b"}, false},
	} {
		if got := keeps(test.stored, test.written); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
