package flux

import (
	"fmt"
	"strings"
	"testing"
)

type counts struct {
	all, built, conflict, nested, decode, unwritable, other int
	left                                                    int
	only, hiding, quarantined                               int
}

func (c *counts) add(words string) {
	c.all++
	switch {
	case words == "":
		c.built++
	case strings.Contains(words, "already registered id") && strings.Contains(words, "recursed"):
		c.nested++
	case strings.Contains(words, "already registered id"):
		c.conflict++
	case strings.HasPrefix(words, "failed to decode Kubernetes apiVersion"), strings.HasPrefix(words, "kustomize build failed: map["):
		c.unwritable++
	case strings.HasPrefix(words, "failed to decode"):
		c.decode++
	default:
		c.other++
	}
}

func (c *counts) String() string {
	return fmt.Sprintf("%d trees: %d build, %d have a conflict, %d one with a nested kustomization, %d a file that cannot be read, %d an object that cannot be written out, %d fail otherwise; %d objects are left out; "+
		"%d were written in part; %d finds that kustomize cannot make, %d kustomizations that hide files",
		c.all, c.built, c.conflict, c.nested, c.decode, c.unwritable, c.other, c.left, c.quarantined, c.only, c.hiding)
}

func (c *counts) check(t *testing.T) {
	t.Helper()
	for name, count := range map[string]int{"build": c.built, "conflict": c.conflict, "conflict with a nested one": c.nested, "cannot be read": c.decode, "cannot be written out": c.unwritable, "objects are left out": c.left, "fail otherwise": c.other, "are written in part": c.quarantined, "have finds of ours": c.only, "hide files": c.hiding} {
		if count*200 < c.all {
			t.Errorf("only %d of %d trees %s", count, c.all, name)
		}
	}
}
