package handover_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func TestContentAboveLimitsIsUnknown(t *testing.T) {
	large := strings.Repeat("# nothing but a comment\n", kratix.MaxContent/20)
	isUnknown := func(t *testing.T, c *cluster) {
		t.Helper()
		if c.breaksAsText(); len(c.breaks) > 0 || !slices.Equal(c.unknown, []string{"KS022 Work default/large"}) {
			t.Errorf("breaks %q, unknown %q", c.breaks, c.unknown)
		}
	}
	for name, prepare := range map[string]func(*cluster, *kratix.Work){
		"a file": func(_ *cluster, w *kratix.Work) {
			w.Spec.WorkloadGroups[0].Workloads[0].Content = kratix.Encode([]byte(large))
		},
		"all Works together": func(c *cluster, _ *kratix.Work) { c.most = 1 },
		"a file that declares a smaller size": func(_ *cluster, w *kratix.Work) { // a second gzip stream follows the first one
			first, second := []byte{}, []byte{}
			for text, into := range map[string]*[]byte{"a: b\n" + large[:1000]: &first, "c: d\n": &second} {
				packed, err := base64.StdEncoding.DecodeString(kratix.Encode([]byte(text)))
				if err != nil {
					t.Fatal(err)
				}
				*into = packed
			}
			w.Spec.WorkloadGroups[0].Workloads[0].Content = base64.StdEncoding.EncodeToString(slices.Concat(first, second))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			w := c.work("large", "environment", "dev", "x")
			prepare(c, w)
			isUnknown(t, c)
			c.place(w, "worker-1", isWritten)
			isUnknown(t, c)
		})
	}
	t.Run("a Work on several Destinations counts once", func(t *testing.T) {
		c := newCluster(t)
		c.work("new", "environment", "dev", "x")
		c.most = 2000
		c.expect()
	})
}

func TestInvalidContentBreaksNothing(t *testing.T) {
	c := newCluster(t)
	c.place(c.work("owner", "on", "1", "x"), "worker-1", isWritten)
	damage := func() {
		c.work("damaged", "environment", "dev", "x", "y").Spec.WorkloadGroups[0].Workloads[1].Content = "?"
	}
	damage()
	c.expect()
	c.place(c.work("damaged", "environment", "dev", "y"), "worker-1", isWritten)
	damage()
	c.expect()
}
